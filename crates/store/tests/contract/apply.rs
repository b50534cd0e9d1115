//! `records().apply`: one transaction for a whole batch.

use domain::stage::Stage;
use rstest::rstest;
use store::{Applied, Chain, Change, Error, IntentChange, Outcome, RecordRow};

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, engine, ids, intent, note};

const DONE: Applied = Applied::Done;
const STALE: Applied = Applied::Stale;

fn whole(row: RecordRow) -> Change {
    let id = row.id.as_str().to_owned();
    Change {
        row,
        payload: Some(format!("{{\"id\":\"{id}\"}}")),
        notes: vec![note(&id), note(&id)],
        intent: Some(IntentChange::Open(intent(&id, 1))),
        matched: None,
    }
}

#[rstest]
#[tokio::test]
async fn a_batch_writes_rows_payloads_intents_and_audit_together(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let changes = [whole(world.row("a")), change(world.row("b")), whole(world.row("c"))];
    assert_eq!(world.apply(&lease, &changes).await, [Applied::Done; 3]);
    let store = &world.store;
    let wanted = [(changes[0].row.id.clone(), 0), (changes[1].row.id.clone(), 0), (changes[2].row.id.clone(), 0)];
    assert_eq!(store.payloads().get_many(&world.main, &wanted).await.unwrap().len(), 2);
    assert_eq!(store.intents().count_open(&world.main).await.unwrap(), 2);
    assert!(matches!(store.audit().verify(&world.main).await.unwrap(), Chain::Verified { entries: 4, .. }));
    assert!(store.records().apply(&lease, &world.main, NOW, &engine(), &[]).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_row_moves_on_by_its_rev_and_keeps_when_it_was_first_seen(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert([world.row("a")]).await;
    let lease = world.lease().await;
    let read = world.record("a").await;
    let next = RecordRow { stage: Stage::Draft, first_seen_ms: 1, hold: None, ..world.full_row("a") };
    let next = RecordRow { rev: read.rev, ..next };
    let applied =
        world.store.records().apply(&lease, &world.main, NOW + 9, &engine(), &[change(next.clone())]).await.unwrap();
    assert_eq!(applied, [Applied::Done]);
    let expected = RecordRow { rev: 2, first_seen_ms: NOW, updated_ms: NOW + 9, ..next };
    assert_eq!(world.record("a").await, expected);
}

#[rstest]
#[tokio::test]
async fn a_stale_rev_leaves_no_trace_and_the_others_are_written(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert([world.row("known")]).await;
    let lease = world.lease().await;
    let changes = [
        whole(world.row("known")),
        whole(RecordRow { rev: 5, ..world.row("never_seen") }),
        whole(world.row("fresh")),
        whole(RecordRow { rev: 1, stage: Stage::Map, ..world.row("known") }),
        whole(RecordRow { rev: 2, ..world.row("known") }),
        whole(world.row("fresh")),
    ];
    assert_eq!(world.apply(&lease, &changes).await, [STALE, STALE, DONE, DONE, STALE, STALE]);
    assert_eq!(world.record("known").await.rev, 2);
    assert_eq!(world.record("fresh").await.rev, 1);
    for (table, rows) in [("records", 2), ("payloads", 2), ("intents", 2), ("audit", 4)] {
        let counted = world.number(&format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {table}")).await;
        assert_eq!(counted, rows, "{table}");
    }
}

#[rstest]
#[tokio::test]
async fn of_two_writers_that_read_the_same_row_one_is_stale(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert([world.row("a")]).await;
    let read = world.record("a").await;
    let writing: Vec<_> = (0..8)
        .map(|n| {
            let (store, main, row) = (world.store.clone(), world.main.clone(), read.clone());
            tokio::spawn(async move {
                // Lanes of their own, so that only the rev stands between the writers.
                let lease = store.lanes().lease(&format!("lane-{n}"), "p", NOW, 1_000).await.unwrap().unwrap();
                store.records().apply(&lease, &main, NOW, &engine(), &[whole(row)]).await.unwrap()
            })
        })
        .collect();
    let mut done = 0;
    for writing in writing {
        done += usize::from(writing.await.unwrap() == [Applied::Done]);
    }
    assert_eq!(done, 1);
    assert_eq!(world.number("SELECT CAST(COUNT(*) AS BIGINT) FROM audit").await, 2);
}

#[rstest]
#[tokio::test]
async fn a_batch_larger_than_a_statement_is_still_one_transaction(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let mut changes: Vec<Change> = (0..450).map(|n| whole(world.row(&format!("accr_{n:04}")))).collect();
    assert!(world.apply(&lease, &changes).await.iter().all(|applied| *applied == Applied::Done));
    // The last change cannot be written, so none is.
    for change in &mut changes {
        change.row.rev = 1;
        change.intent = None;
    }
    changes[449].intent = Some(IntentChange::Open(intent("accr_0449", 2)));
    let refused = world.store.records().apply(&lease, &world.main, NOW, &engine(), &changes).await;
    assert!(matches!(refused, Err(Error::IntentOpen { record }) if record == "accr_0449"));
    assert_eq!(world.record("accr_0000").await.rev, 1);
    assert!(matches!(world.store.audit().verify(&world.main).await.unwrap(), Chain::Verified { entries: 900, .. }));
}

#[rstest]
#[tokio::test]
async fn a_row_of_another_connection_is_refused(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let changes = [change(world.row("a"))];
    let refused = world.store.records().apply(&lease, &world.other, NOW, &engine(), &changes).await;
    assert!(matches!(refused, Err(Error::ForeignRecord { record }) if record == "a"));
    assert!(world.store.records().find_many(&world.main, &ids(&["a"])).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn texts_with_a_nul_are_taken_by_both_databases(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let row = RecordRow { merchant: Some("a\0b".to_owned()), ..world.row("a") };
    let settle = IntentChange::Settled {
        attempt: 1,
        outcome: Outcome::Refused,
        document_id: None,
        detail: Some("x\0y".to_owned()),
    };
    let open = Change { payload: Some("\"\0\"".to_owned()), ..whole(row) };
    world.apply(&lease, &[open]).await;
    let row = world.record("a").await;
    assert_eq!(row.merchant.as_deref(), Some("a\u{FFFD}b"));
    world.apply(&lease, &[Change { intent: Some(settle), ..change(row) }]).await;
    assert!(matches!(world.store.audit().verify(&world.main).await.unwrap(), Chain::Verified { .. }));
}
