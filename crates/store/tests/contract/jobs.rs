//! The table `jobs`.

use rstest::rstest;
use store::{Error, JobRow};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

async fn job(world: &World, kind: &str) -> JobRow {
    let jobs = world.store.jobs().list(&world.main).await.unwrap();
    jobs.into_iter().find(|job| job.kind == kind).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_job_exists_once_and_keeps_its_due_time(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let jobs = world.store.jobs();
    jobs.ensure(&world.main, "poll", NOW).await.unwrap();
    jobs.ensure(&world.main, "poll", NOW + 9).await.unwrap();
    jobs.ensure(&world.main, "full", NOW + 5).await.unwrap();
    let expected = JobRow {
        connection: world.main.clone(),
        kind: "poll".to_owned(),
        argument: None,
        due_ms: Some(NOW),
        attempts: 0,
        started_ms: None,
        finished_ms: None,
        error: None,
    };
    assert_eq!(job(&world, "poll").await, expected);
    assert_eq!(jobs.list_due(&world.main, NOW).await.unwrap(), [expected]);
    assert_eq!(jobs.list_due(&world.main, NOW + 5).await.unwrap().len(), 2);
    assert_eq!(jobs.next_due(&world.main).await.unwrap(), Some(NOW));
    assert_eq!(jobs.next_due(&world.other).await.unwrap(), None);
    assert!(jobs.list(&world.other).await.unwrap().is_empty());
    assert!(jobs.list_due(&world.other, NOW + 5).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_job_that_ran_is_due_when_it_says(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.ensure(&world.main, "poll", NOW).await.unwrap();
    let started = jobs.start(&lease, &world.main, "poll", NOW + 1).await.unwrap();
    assert_eq!((started.started_ms, started.finished_ms), (Some(NOW + 1), None));
    assert_eq!(started.due_ms, Some(NOW), "a crash now would make it run again");
    jobs.finish(&lease, &world.main, "poll", Some(NOW + 60), None, 0, NOW + 2).await.unwrap();
    let done = job(&world, "poll").await;
    assert_eq!((done.due_ms, done.finished_ms, done.error), (Some(NOW + 60), Some(NOW + 2), None));
}

#[rstest]
#[tokio::test]
async fn a_request_makes_a_job_due_now_and_a_job_on_request_runs_once(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.request(&world.main, "backfill", Some("2026-01-01"), NOW).await.unwrap();
    assert_eq!(job(&world, "backfill").await.argument.as_deref(), Some("2026-01-01"));
    jobs.start(&lease, &world.main, "backfill", NOW).await.unwrap();
    jobs.finish(&lease, &world.main, "backfill", None, None, 0, NOW + 1).await.unwrap();
    let done = job(&world, "backfill").await;
    assert_eq!((done.due_ms, done.argument), (None, None));

    jobs.ensure(&world.main, "poll", NOW + 1_000).await.unwrap();
    jobs.request(&world.main, "poll", None, NOW + 5).await.unwrap();
    assert_eq!(job(&world, "poll").await.due_ms, Some(NOW + 5));
    jobs.request(&world.main, "poll", None, NOW + 7).await.unwrap();
    assert_eq!(job(&world, "poll").await.due_ms, Some(NOW + 5), "it is due already");
    jobs.request(&world.main, "backfill", None, NOW + 8).await.unwrap();
    assert_eq!(job(&world, "backfill").await.due_ms, Some(NOW + 8), "one that was not waiting");
}

#[rstest]
#[tokio::test]
async fn a_request_that_comes_while_the_job_runs_is_not_lost(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.request(&world.main, "backfill", Some("old"), NOW).await.unwrap();
    jobs.start(&lease, &world.main, "backfill", NOW).await.unwrap();
    jobs.request(&world.main, "backfill", Some("new"), NOW + 1).await.unwrap();
    jobs.finish(&lease, &world.main, "backfill", None, None, 0, NOW + 2).await.unwrap();
    let waiting = job(&world, "backfill").await;
    assert_eq!((waiting.due_ms, waiting.argument.as_deref()), (Some(NOW), Some("new")));
    let started = jobs.start(&lease, &world.main, "backfill", NOW + 3).await.unwrap();
    assert_eq!(started.argument.as_deref(), Some("new"));
    jobs.finish(&lease, &world.main, "backfill", None, None, 0, NOW + 4).await.unwrap();
    assert_eq!(job(&world, "backfill").await.due_ms, None);
}

#[rstest]
#[tokio::test]
async fn starting_tells_what_was_requested_since_the_job_was_listed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.request(&world.main, "backfill", Some("old"), NOW).await.unwrap();
    let listed = jobs.list_due(&world.main, NOW).await.unwrap();
    jobs.request(&world.main, "backfill", Some("new"), NOW).await.unwrap();
    let started = jobs.start(&lease, &world.main, "backfill", NOW).await.unwrap();
    assert_eq!((listed[0].argument.as_deref(), started.argument.as_deref()), (Some("old"), Some("new")));
}

#[rstest]
#[tokio::test]
async fn a_failure_keeps_the_argument_for_the_next_try(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.request(&world.main, "backfill", Some("2026-01-01"), NOW).await.unwrap();
    jobs.start(&lease, &world.main, "backfill", NOW).await.unwrap();
    jobs.finish(&lease, &world.main, "backfill", Some(NOW + 50), Some("timeout"), 2, NOW + 1).await.unwrap();
    let failed = job(&world, "backfill").await;
    assert_eq!((failed.due_ms, failed.attempts), (Some(NOW + 50), 2));
    assert_eq!((failed.argument.as_deref(), failed.error.as_deref()), (Some("2026-01-01"), Some("timeout")));
}

#[rstest]
#[tokio::test]
async fn a_job_that_does_not_exist_cannot_run(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    let started = jobs.start(&lease, &world.main, "dream", NOW).await;
    assert!(matches!(started, Err(Error::Moved { table: "jobs" })));
    let finished = jobs.finish(&lease, &world.main, "dream", None, None, 0, NOW).await;
    assert!(matches!(finished, Err(Error::Moved { table: "jobs" })));
}

#[rstest]
#[tokio::test]
async fn a_nudge_makes_a_job_due_and_leaves_what_it_was_asked_for(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs) = (world.lease().await, world.store.jobs());
    jobs.nudge(&world.main, "fresh", NOW).await.unwrap();
    assert_eq!((job(&world, "fresh").await.due_ms, job(&world, "fresh").await.argument), (Some(NOW), None));
    jobs.request(&world.main, "directory", Some("full"), NOW + 9).await.unwrap();
    jobs.nudge(&world.main, "directory", NOW + 5).await.unwrap();
    let asked = jobs.start(&lease, &world.main, "directory", NOW + 5).await.unwrap();
    assert_eq!((asked.due_ms, asked.argument.as_deref()), (Some(NOW + 5), Some("full")));
    jobs.nudge(&world.main, "directory", NOW + 6).await.unwrap();
    jobs.finish(&lease, &world.main, "directory", Some(NOW + 900), None, 0, NOW + 7).await.unwrap();
    assert_eq!(job(&world, "directory").await.due_ms, Some(NOW + 5), "it came while the job ran: the job runs again");
}
