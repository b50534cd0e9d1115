//! What is done beside the drafts keeps none of them waiting.

use std::sync::Arc;

use domain::stage::Stage;
use rstest::rstest;

use crate::app::TestApp;
use crate::database::Db;
use crate::exactly_once::creates;
use crate::held::{a_vendor, card};

#[rstest]
#[tokio::test]
async fn a_poll_and_another_look_at_holds_that_come_due_keep_no_draft_waiting(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    const RECORDS: u32 = 300;
    let Some(mut app) = TestApp::start(db, 1).await else { return };
    app.run_until_idle().await;
    let (_, name) = a_vendor(&app);
    for number in 0..RECORDS {
        app.insert(&card(&format!("accr_beside_{number}"), &name, "64100", 10.0 + f64::from(number)));
    }
    app.poll_now().await;
    app.world().meter.reset();
    let (process, world, connection) = (Arc::clone(&app.app), app.world(), app.connection());
    let come_due = async {
        while creates(&world) < 10 {
            tokio::task::yield_now().await;
        }
        for job in ["poll", "recheck"] {
            process.store.jobs().request(&connection, job, None, process.now_ms()).await.unwrap();
        }
    };
    tokio::join!(app.tick(), come_due);
    let waiting = app.rows().await.into_iter().filter(|row| row.stage == Stage::Draft && row.hold.is_none()).count();
    assert_eq!(waiting, 0, "every draft is made in one go");
    let jobs = app.app.store.jobs().list(&connection).await.unwrap();
    for kind in ["poll", "recheck"] {
        let job = jobs.iter().find(|job| job.kind == kind).unwrap();
        assert!(job.due_ms.is_none_or(|due_ms| due_ms > app.app.now_ms()), "{kind} ran beside them");
    }
    app.run_until_idle().await;
    app.assert_sound().await;
}
