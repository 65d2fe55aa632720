//! An installation with more jobs than are shown: all of them count, and whoever needs a person is told.

use common::store::{Access, Store};
use scheduler::overview::{Observer, Overview};
use scheduler::serve::concern::concerns;

use super::Served;
use crate::fleet_commands::ground::{CHUNKS, Ground, JOB};

/// Jobs, which are more than are shown.
const JOBS: u64 = 150;

/// An installation of many jobs of as many chunks, none of which is due for a long while.
async fn many_jobs() -> Ground {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    let columns =
        "dataset, schema, stype_in, symbols_id, start_ns, end_ns, priority, state, due_at,
         expected_records, billable_bytes, cost_nanousd, updated_at";
    let script = format!(
        "UPDATE chunks SET due_at = 9000000000000000000;
         WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {JOBS})
         INSERT INTO jobs (id, name, fingerprint, spec, state, priority, created_at, rules,
             max_cost_nanousd)
         SELECT i, 'job ' || i, 'f' || i, spec, 'active', 0, created_at, rules, 10 * i
         FROM jobs, n;
         INSERT INTO chunks (job_id, {columns})
         SELECT * FROM (SELECT id FROM jobs WHERE id > 1),
             (SELECT {columns} FROM chunks WHERE job_id = 1);"
    );
    ground.database.execute_all(&script).await;
    ground
}

async fn look(ground: &Ground) -> Overview {
    let url = ground.database.url();
    let store = Store::open(&url, Access::Read).await.unwrap().unwrap();
    Observer::new(None, None, None).look(&store).await.unwrap()
}

fn whats(overview: &Overview) -> Vec<String> {
    let all = concerns(overview, false).into_iter();
    all.map(|concern| concern.what).collect()
}

#[tokio::test]
async fn jobs_that_are_not_shown_count_and_are_told_where_they_need_somebody() {
    let ground = many_jobs().await;
    let shown = look(&ground).await;
    assert_eq!(shown.jobs.len(), 100);
    assert_eq!((shown.totals.jobs, shown.totals.open), (150, 150));
    assert_eq!(shown.totals.wanted, JOBS * CHUNKS);
    assert_eq!(shown.money.limited.len(), 100);
    // What isn't due yet leaves nobody waiting: workers may come when it is.
    assert_eq!(whats(&shown), Vec::<String>::new());

    ground
        .database
        .execute_all(
            "UPDATE jobs SET state = 'paused', reason = 'why not' WHERE id = 2;
             UPDATE chunks SET state = 'dead' WHERE job_id = 3;
             UPDATE chunks SET state = 'done', fetched_records = expected_records,
                 loaded_records = expected_records WHERE job_id > 140;",
        )
        .await;
    let shown = look(&ground).await;
    assert_eq!((shown.totals.open, shown.totals.unfinished), (138, 140));
    assert_eq!(shown.totals.dead, CHUNKS);
    assert_eq!(shown.totals.settled, 10 * CHUNKS);
    assert!(shown.jobs.iter().all(|job| job.status.id.0 > 3));
    assert_eq!(
        whats(&shown),
        ["3 chunks of job 3 given up", "job 2 is paused: why not"]
    );
    let served = Served::start(ground.command(&["serve", "--listen", "127.0.0.1:0"])).await;
    let page = served.get("/").await.body;
    assert!(
        page.contains("and 50 more jobs, 40 of them not finished"),
        "{page}"
    );
    served.end().await;

    ground
        .database
        .execute_all("UPDATE jobs SET state = 'paused' WHERE id BETWEEN 51 AND 100")
        .await;
    let told = whats(&look(&ground).await);
    assert_eq!(told.len(), 21);
    assert_eq!(
        told[20],
        "32 more jobs paused, or with chunks that were given up"
    );
}

#[tokio::test]
async fn work_that_has_been_due_for_minutes_is_told_where_nobody_works() {
    let ground = Ground::one_machine().await;
    ground.succeed(&["submit", &ground.job(JOB)]).await;
    assert_eq!(whats(&look(&ground).await), Vec::<String>::new());
    ground
        .database
        .execute_all("UPDATE chunks SET due_at = 1")
        .await;
    let told = whats(&look(&ground).await);
    assert!(
        told[0].contains("there is work, and nothing runs"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_worker_whose_chunks_are_not_shown_is_not_idle() {
    let ground = many_jobs().await;
    ground
        .database
        .execute_all(
            "UPDATE chunks SET state = 'running', owner = 'first', lease_until = 9000000000000000000;
             UPDATE chunks SET owner = 'last', updated_at = updated_at + 1 WHERE job_id > 140;",
        )
        .await;
    let shown = look(&ground).await;
    assert!(
        shown
            .running
            .iter()
            .all(|run| run.working.worker == "first")
    );
    assert_eq!(shown.run_by("last"), 10 * CHUNKS);
    assert_eq!(shown.run_by("first"), 140 * CHUNKS);
    assert_eq!(shown.totals.running, JOBS * CHUNKS);
    let mut heard = shown;
    let worker = |name: &str| common::progress::Heard {
        worker: name.into(),
        at: heard.at,
    };
    heard.workers = Some(["first", "last", "idle"].map(worker).into());
    let idle: Vec<_> = heard.idle().map(|idle| &*idle.worker).collect();
    assert_eq!(idle, ["idle"]);
}
