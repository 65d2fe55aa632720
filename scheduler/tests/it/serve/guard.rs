//! Who may look: methods, names of the host, the token, and what every answer says to the browser.

use testkit::http::Question;

use super::Served;
use crate::fleet_commands::ground::{Ground, JOB};

const TOKEN: &str = "a-token-for-this-test-alone";

async fn open_to_this_machine(ground: &Ground) -> Served {
    Served::start(ground.command(&["serve", "--listen", "127.0.0.1:0"])).await
}

async fn with_token(ground: &Ground) -> Served {
    let mut command = ground.command(&["serve", "--listen", "0.0.0.0:0"]);
    command.env("BACKHAUL_SERVE_TOKEN", TOKEN);
    command.env("BACKHAUL_METRICS_LISTEN", "127.0.0.1:0");
    let mut served = Served::start(command).await;
    served.address.set_ip([127, 0, 0, 1].into());
    served
}

#[tokio::test]
async fn beyond_this_machine_nobody_looks_without_a_token_and_a_short_one_is_none() {
    let ground = Ground::one_machine().await;
    let words = ["0.0.0.0:0", "BACKHAUL_SERVE_TOKEN", "openssl rand -hex 24"];
    ground
        .refuse(&["serve", "--listen", "0.0.0.0:0"], &words)
        .await;
    ground
        .refuse(&["serve", "--listen", "[::]:0"], &["BACKHAUL_SERVE_TOKEN"])
        .await;
    let mut command = ground.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BACKHAUL_SERVE_TOKEN", "short-secret");
    let said = crate::installation::said(command.output().await.unwrap());
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("BACKHAUL_SERVE_TOKEN"), "{said:?}");
    assert!(!said.stderr.contains("short-secret"), "{said:?}");
    // Other commands need none, and so don't mind.
    let mut command = ground.command(&["status"]);
    command.env("BACKHAUL_SERVE_TOKEN", "short-secret");
    assert!(command.output().await.unwrap().status.success());
}

#[tokio::test]
async fn only_get_is_answered_and_every_answer_has_the_same_headers() {
    let ground = Ground::one_machine().await;
    let served = open_to_this_machine(&ground).await;
    for path in ["/", "/api/overview", "/metrics", "/healthz", "/nowhere"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = served.ask(Question::new(method, path)).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    assert_eq!(served.ask(Question::new("HEAD", "/")).await.status, 200);
    for path in [
        "/",
        "/live",
        "/api/overview",
        "/page.js",
        "/page.css",
        "/icon.svg",
        "/healthz",
        "/nowhere",
    ] {
        let answer = served.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    let nowhere = served.document("/api/nowhere", 404).await;
    assert!(nowhere["help"].as_str().unwrap().contains("/api/overview"));
}

#[tokio::test]
async fn on_this_machine_a_name_that_somebody_else_gave_it_is_not_answered() {
    let ground = Ground::one_machine().await;
    let served = open_to_this_machine(&ground).await;
    let status = async |host: &str| {
        let question = Question::new("GET", "/api/overview").header("host", host);
        served.ask(question).await.status
    };
    for host in [
        "localhost",
        "localhost:8080",
        "LOCALHOST:1",
        "127.0.0.1:8080",
        "[::1]:8080",
        "[::1]",
    ] {
        assert_eq!(status(host).await, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.2",
        "::1",
        "",
    ] {
        assert_eq!(status(host).await, 421, "{host}");
    }
}

#[tokio::test]
async fn with_a_token_only_health_is_told_to_who_does_not_show_it() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let served = with_token(&ground).await;
    for path in [
        "/",
        "/live",
        "/api/overview",
        "/api/coverage",
        "/metrics",
        "/page.js",
        "/nowhere",
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
        assert!(!answer.body.contains("fleet"), "{path}: {}", answer.body);
        let bearer = |token: &str| format!("Bearer {token}");
        for wrong in [
            bearer(""),
            bearer("another-token-than-ours"),
            format!("Basic {TOKEN}"),
            bearer(&TOKEN[1..]),
        ] {
            let question = Question::new("GET", path).header("authorization", &wrong);
            assert_eq!(served.ask(question).await.status, 401, "{path} {wrong}");
        }
        let right = bearer(TOKEN);
        let question = Question::new("GET", path).header("authorization", &right);
        let status = served.ask(question).await.status;
        let expected = if path == "/nowhere" { 404 } else { 200 };
        assert!(status == expected || status == 202, "{path}: {status}");
    }
    for path in ["/healthz", "/readyz", "/sign-in", "/page.css"] {
        assert_eq!(served.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_browser_signs_in_and_is_given_a_session_that_is_not_the_token() {
    let ground = Ground::one_machine().await;
    let served = with_token(&ground).await;
    let form = served.get("/").await;
    assert!(form.body.contains("action=\"/sign-in\""), "{}", form.body);
    let posted = Question::new("POST", "/sign-in")
        .header("content-type", "application/x-www-form-urlencoded");
    let sign_in = async |body: &str| served.ask(posted.clone().body(body)).await;
    let wrong = sign_in("token=another-token-than-ours").await;
    assert_eq!(wrong.status, 403);
    assert_eq!(wrong.header("set-cookie"), None);
    assert_eq!(sign_in("nothing=1").await.status, 400);
    assert_eq!(
        sign_in(&format!("token={}", "x".repeat(10_000)))
            .await
            .status,
        400
    );

    let right = sign_in(&format!("token={TOKEN}")).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/")));
    let cookie = right.header("set-cookie").unwrap();
    for word in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    let question = Question::new("GET", "/").header("cookie", session);
    assert_eq!(served.ask(question).await.status, 200);
    let forged = session.replace('.', "1.");
    let question = Question::new("GET", "/").header("cookie", &forged);
    assert_eq!(served.ask(question).await.status, 401);

    // A link to a part of the page leads there, and nowhere else.
    let form = served.get("/?job=1&symbol=ES.c.0").await;
    assert_eq!(form.status, 401);
    let next = "name=\"next\" value=\"job=1&amp;symbol=ES.c.0\"";
    assert!(form.body.contains(next), "{}", form.body);
    for (next, expected) in [
        ("job%3D1%26symbol%3DES.c.0", "/?job=1&symbol=ES.c.0"),
        ("%0D%0Aset-cookie:%20x=1", "/"),
        ("//evil.example/", "/?//evil.example/"),
    ] {
        let body = format!("token={TOKEN}&next={next}");
        assert_eq!(sign_in(&body).await.header("location"), Some(expected));
    }
    let wrong = sign_in("token=guess&next=job%3D1").await;
    assert!(wrong.body.contains("name=\"next\" value=\"job=1\""));

    // Another site's page can't sign anybody in.
    let body = format!("token={TOKEN}");
    let own = format!("http://{}", served.address);
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "same-origin", 303),
        ("origin", &own, 303),
    ] {
        let question = posted.clone().header(name, value).body(&body);
        assert_eq!(served.ask(question).await.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn another_sites_page_may_lead_here_and_ask_for_nothing() {
    let ground = Ground::one_machine().await;
    let served = open_to_this_machine(&ground).await;
    let status = async |path: &str, site: &str, mode: &str| {
        let question = Question::new("GET", path).header("sec-fetch-site", site);
        let question = question.header("sec-fetch-mode", mode);
        served.ask(question).await.status
    };
    assert_eq!(status("/?job=1", "cross-site", "navigate").await, 200);
    assert_eq!(status("/", "none", "navigate").await, 200);
    assert_eq!(status("/live", "same-origin", "cors").await, 200);
    for path in ["/", "/live", "/api/coverage", "/metrics"] {
        assert_eq!(status(path, "cross-site", "no-cors").await, 403, "{path}");
    }
}

#[tokio::test]
async fn an_address_of_this_machine_is_a_name_and_with_a_token_every_name_is() {
    let ground = Ground::one_machine().await;
    let served = Served::start(ground.command(&["serve", "--listen", "127.0.0.2:0"])).await;
    assert_eq!(served.get("/healthz").await.status, 200);
    let other = Question::new("GET", "/healthz").header("host", "127.0.0.3");
    assert_eq!(served.ask(other).await.status, 421);
    let mut command = ground.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BACKHAUL_SERVE_TOKEN", TOKEN);
    let served = Served::start(command).await;
    let by_proxy = Question::new("GET", "/healthz").header("host", "backhaul.example");
    assert_eq!(served.ask(by_proxy).await.status, 200);
}
