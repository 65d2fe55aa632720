//! The page in a real browser: a job goes from nothing to done, the map fills, a failure appears and goes,
//! one comes closer to a symbol's day, the server goes away and comes back; and one signs in.

use serde_json::Value;
use simulator::{Fault, FaultKind};
use testkit::browser::Browser;
use testkit::processes;

use super::Served;
use crate::fleet_commands::ground::{Ground, JOB};

/// Keys by WebDriver's numbers.
const RIGHT: &str = "\u{E014}";
const DOWN: &str = "\u{E015}";
const ENTER: &str = "\u{E007}";

/// How many points of the map have a state's colour.
fn points(state: &str) -> String {
    format!(
        "const canvas = document.getElementById('map-canvas');
         const style = getComputedStyle(document.documentElement);
         const colour = style.getPropertyValue('--s-{state}').trim();
         const wanted = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
         if (!canvas.width) return 0;
         const copy = new OffscreenCanvas(canvas.width, canvas.height);
         const ink = copy.getContext('2d', {{ willReadFrequently: true }});
         ink.drawImage(canvas, 0, 0);
         const {{ data }} = ink.getImageData(0, 0, canvas.width, canvas.height);
         let count = 0;
         for (let at = 0; at < data.length; at += 4)
             if (data[at + 3] === 255 && wanted.every((part, index) => data[at + index] === part)) count += 1;
         return count;"
    )
}

fn many(count: &Value) -> bool {
    count.as_u64().is_some_and(|count| count > 100)
}

fn none(count: &Value) -> bool {
    *count == 0
}

async fn wait_for_points(browser: &Browser, state: &str, wanted: impl Fn(&Value) -> bool) {
    browser.wait_for(state, &points(state), wanted).await;
}

#[tokio::test]
async fn a_job_goes_from_nothing_to_done_before_ones_eyes() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let ground = Ground::one_machine().await;
    let served = Served::start(ground.command(&["serve", "--listen", "127.0.0.1:0"])).await;
    let url = format!("http://{}/", served.address);
    browser.open(&url).await;
    browser.wait_for_text("#no-jobs", "scheduler submit").await;

    let job = JOB
        .replace("[ES.c.0]", "[ES.c.0, CL.c.0]")
        .replace("2024-01-11", "2024-01-15");
    let file = ground.job(&job);
    ground.succeed(&["submit", &file]).await;
    browser.wait_for_text("#jobs", "0 %").await;
    wait_for_points(&browser, "pending", many).await;

    // Chunks are on their way, none comes to its end, and their program is killed.
    ground.fault(Fault::next(FaultKind::Stall, 100));
    let run = ground.spawn(&["run", &file]);
    browser.wait_for_text("#running", "trades").await;
    wait_for_points(&browser, "running", many).await;
    processes::kill_with_children(run.id().unwrap());
    ground.simulator.clear_faults();

    let mut fault = Fault::probability(FaultKind::CutAtFrame, 1.0);
    fault.date = Some("2024-01-10".to_owned());
    ground.fault(fault);
    assert_eq!(ground.run(&["run", &file]).await.code, Some(3));
    browser.wait_for_text("#failures", "vendor counts").await;
    browser
        .wait_for_text("#concerns", "1 chunk of fleet given up")
        .await;
    for state in ["failed", "data", "no_session"] {
        wait_for_points(&browser, state, many).await;
    }
    wait_for_points(&browser, "pending", none).await;
    browser.click("#failures button.copy").await;
    let copied = "return document.getElementById('copied').textContent";
    let command = |said: &Value| {
        let said = said.as_str().unwrap();
        said == "Copied: scheduler retry 1" || said == "Selected: scheduler retry 1"
    };
    browser
        .wait_for("the command is copied", copied, command)
        .await;
    what_the_reader_does_stays(&browser).await;

    ground.simulator.clear_faults();
    let shown = browser
        .script("return document.querySelector('#failures code').textContent")
        .await;
    let words: Vec<_> = shown.as_str().unwrap().split(' ').skip(1).collect();
    ground.succeed(&words).await;
    ground.succeed(&["run", &file]).await;
    browser.wait_for_text("#standing", "All is well").await;
    browser.wait_for_text("#jobs", "100 %").await;
    wait_for_points(&browser, "failed", none).await;
    come_closer(&browser).await;
    let nothing: Vec<String> = Vec::new();
    assert_eq!(browser.console().await, nothing);

    let address = served.address.to_string();
    served.end().await;
    browser.wait_for_text("#away", "No answer since").await;
    let _again = Served::start(ground.command(&["serve", "--listen", &address])).await;
    let hidden = "return document.getElementById('away').hidden";
    browser
        .wait_for("it is back", hidden, |hidden| *hidden == true)
        .await;
}

/// What is selected or opened stays so while the page changes.
async fn what_the_reader_does_stays(browser: &Browser) {
    let select = "document.querySelector('#throughput details').open = true;
         getSelection().selectAllChildren(document.querySelector('#failures .error'));
         window.before = document.getElementById('as-of').innerText;
         return getSelection().toString();";
    let selected = browser.script(select).await;
    assert!(
        selected.as_str().unwrap().contains("vendor counts"),
        "{selected}"
    );
    let changed = "return document.getElementById('as-of').innerText !== window.before";
    browser
        .wait_for("another look", changed, |changed| *changed == true)
        .await;
    let kept =
        "return [getSelection().toString(), document.querySelector('#throughput details').open]";
    assert_eq!(
        browser.script(kept).await,
        serde_json::json!([selected, true])
    );
}

/// By keys to one symbol's day, and back.
async fn come_closer(browser: &Browser) {
    let keys = async |keys: &str| browser.keys("#map-canvas", keys).await;
    browser
        .wait_for_text("#map-words", "2 of 2 symbols, 2024-01-08 to 2024-01-14")
        .await;
    keys(&format!("{RIGHT}{RIGHT}{DOWN}")).await;
    browser
        .wait_for_text("#map-tip", "ES.c.0, 2024-01-09: data")
        .await;
    browser
        .wait_for_text("#map-detail", "of job 1 (fleet), done")
        .await;
    for _ in 0..3 {
        keys("+").await;
    }
    browser
        .wait_for_text(
            "#map-words",
            "ES.c.0: 1 of 2 symbols, 2024-01-09 to 2024-01-09; 1 data",
        )
        .await;
    let address = browser.script("return location.search").await;
    let address = address.as_str().unwrap().to_owned();
    for part in [
        "first_symbol=1",
        "symbols=1",
        "start=2024-01-09",
        "end=2024-01-10",
    ] {
        assert!(address.contains(part), "{address}");
    }
    keys("0").await;
    browser
        .wait_for_text("#map-words", "2 of 2 symbols, 2024-01-08 to 2024-01-14")
        .await;
    browser.keys("#map-symbol", &format!("CL.c.0{ENTER}")).await;
    browser
        .wait_for_text("#map-words", "CL.c.0: 1 of 2 symbols")
        .await;
    browser.click("#map-controls [data-map=all]").await;
    browser.wait_for_text("#map-words", "2 of 2 symbols").await;
}

#[tokio::test]
async fn who_has_the_token_signs_in_and_sees_the_page() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let ground = Ground::one_machine().await;
    ground.succeed(&["run", &ground.job(JOB)]).await;
    let mut command = ground.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BACKHAUL_SERVE_TOKEN", "a-token-for-this-test-alone");
    let served = Served::start(command).await;
    browser.open(&format!("http://{}/", served.address)).await;
    // That nobody may look without signing in is told to the console too.
    drop(browser.console().await);
    browser
        .keys("#token", &format!("another-token-than-ours{ENTER}"))
        .await;
    browser
        .wait_for_text(".wrong", "This is not the token")
        .await;
    drop(browser.console().await);
    browser
        .keys("#token", &format!("a-token-for-this-test-alone{ENTER}"))
        .await;
    browser.wait_for_text("#jobs", "100 %").await;
    wait_for_points(&browser, "data", many).await;
    let cookies = browser.script("return document.cookie").await;
    assert_eq!(cookies, "", "no script can read the session");
    let nothing: Vec<String> = Vec::new();
    assert_eq!(browser.console().await, nothing);
}
