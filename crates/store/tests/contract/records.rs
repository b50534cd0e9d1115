//! The table `records`, reading.

use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::stage::Stage;
use rstest::rstest;
use store::{Count, Error, RecordRow, Waiting};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, ids, ids_of};

fn due(row: RecordRow, stage: Stage, due_ms: i64) -> RecordRow {
    RecordRow { stage, due_ms: Some(due_ms), ..row }
}

fn held(row: RecordRow, stage: Stage) -> RecordRow {
    let hold = Hold::new(HoldCode::VendorNotFound, "no vendor is called so");
    RecordRow { stage, hold: Some(hold), held_ms: Some(NOW), ..row }
}

#[rstest]
#[tokio::test]
async fn every_column_reads_back_as_it_was_written(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (full, bare) = (world.full_row("accr_1"), world.row("accr_2"));
    world.insert([full.clone(), bare.clone()]).await;
    assert_eq!(world.record("accr_1").await, RecordRow { rev: 1, ..full.clone() });
    assert_eq!(world.record("accr_1").await.amount.unwrap().to_string(), "-12345678901.2300");
    assert_eq!(world.record("accr_2").await, RecordRow { rev: 1, ..bare });
    let documents = [full.document_id.unwrap(), Uuid::nil()];
    let found = world.store.records().find_by_documents(&world.main, &documents).await.unwrap();
    assert_eq!(found, [RecordRow { rev: 1, ..full }]);
    assert!(world.store.records().find_by_documents(&world.other, &documents).await.unwrap().is_empty());
    let none = world.store.records().get(&world.main, &RecordId::new("accr_9")).await.unwrap();
    assert_eq!(none, None);
}

#[rstest]
#[tokio::test]
async fn documents_of_card_spend_are_told_from_others(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let of = |id: &str, source: &str, document: u128| RecordRow {
        source_type: source.to_owned(),
        document_id: Some(Uuid::from_u128(document)),
        ..world.row(id)
    };
    world.insert([of("a", "CARD", 1), of("b", "BILL", 2), of("c", "CARD", 3)]).await;
    let records = world.store.records();
    let asked: Vec<Uuid> = (1..900).rev().map(Uuid::from_u128).filter(|id| id.as_u128() != 3).collect();
    let found = records.card_documents(&world.main, &asked).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [Uuid::from_u128(1)]);
    assert!(records.card_documents(&world.other, &asked).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn many_are_found_at_once_however_many_are_asked_for(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert((0..450).map(|n| world.row(&format!("accr_{n:04}")))).await;
    let wanted: Vec<RecordId> = (0..900).map(|n| RecordId::new(format!("accr_{n:04}"))).collect();
    let records = world.store.records();
    assert_eq!(records.find_many(&world.main, &wanted).await.unwrap().len(), 450);
    assert!(records.find_many(&world.main, &[]).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn the_records_about_an_expense_are_found_in_their_connection_only(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let about = |id: &str, source: &str| RecordRow { source_id: Some(source.to_owned()), ..world.row(id) };
    world.insert([about("a", "expense_1"), about("b", "expense_2"), about("c", "expense_1"), world.row("d")]).await;
    let records = world.store.records();
    let found = records.list_about(&world.main, &["expense_1", "expense_9"]).await.unwrap();
    let mut found = ids_of(&found);
    found.sort_unstable();
    assert_eq!(found, ["a", "c"]);
    assert!(records.list_about(&world.main, &[]).await.unwrap().is_empty());
    assert!(records.list_about(&world.other, &["expense_1"]).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn due_work_comes_in_the_order_in_which_it_waits(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world
        .insert([
            due(world.row("c"), Stage::Draft, NOW - 5),
            due(world.row("b"), Stage::Draft, NOW),
            due(world.row("a"), Stage::Draft, NOW),
            due(world.row("later"), Stage::Draft, NOW + 1),
            due(world.row("elsewhere"), Stage::Map, NOW - 9),
            held(due(world.row("held"), Stage::Draft, NOW - 9), Stage::Draft),
            world.row("idle"),
        ])
        .await;
    let records = world.store.records();
    let found = records.list_due(&world.main, Stage::Draft, NOW, 10).await.unwrap();
    assert_eq!(ids_of(&found), ["c", "a", "b"]);
    let found = records.list_due(&world.main, Stage::Draft, NOW, 2).await.unwrap();
    assert_eq!(ids_of(&found), ["c", "a"]);
    for (limit, number) in [(10, 3), (2, 2)] {
        let due = records.due(&world.main, Stage::Draft, NOW, limit).await.unwrap();
        assert_eq!(due, Waiting { number, oldest_ms: Some(NOW - 5) });
    }
    assert_eq!(records.due(&world.other, Stage::Draft, NOW, 10).await.unwrap(), Waiting::default());
    assert_eq!(records.next_due(&world.main).await.unwrap(), Some(NOW - 9));
    assert_eq!(records.next_due(&world.other).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn next_due_passes_over_what_is_held(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert([held(due(world.row("a"), Stage::Map, NOW), Stage::Map), world.row("b")]).await;
    assert_eq!(world.store.records().next_due(&world.main).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn lists_are_paged_by_id(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    // Capitals, underscores and umlauts: by bytes on both databases, whatever the server's locale.
    world.insert(["a_1", "B", "ä", "a1", "A", "b"].map(|id| held(world.row(id), Stage::Map))).await;
    let records = world.store.records();
    let mut seen: Vec<String> = Vec::new();
    let mut after: Option<RecordId> = None;
    loop {
        let page = records.list(&world.main, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.iter().map(|row| row.id.to_string()));
    }
    assert_eq!(seen, ["A", "B", "a1", "a_1", "b", "ä"]);
    let held = records.list_held(&world.main, Some(&RecordId::new("a1")), 2).await.unwrap();
    assert_eq!(ids_of(&held), ["a_1", "b"]);
}

#[rstest]
#[tokio::test]
async fn held_records_are_listed_by_stage(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let rows = [held(world.row("a"), Stage::Map), held(world.row("b"), Stage::Draft), world.row("c")];
    world.insert(rows).await;
    let records = world.store.records();
    assert_eq!(ids_of(&records.list_held(&world.main, None, 9).await.unwrap()), ["a", "b"]);
    let drafts = records.list_held_in(&world.main, &[Stage::Draft, Stage::Verify], None, 9).await.unwrap();
    assert_eq!(ids_of(&drafts), ["b"]);
    assert!(records.list_held_in(&world.main, &[], None, 9).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn counts_say_how_many_records_stand_where(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let rows = [held(world.row("a"), Stage::Map), world.row("b"), world.row("c")];
    world.insert(rows).await;
    let mut counts = world.store.records().counts(&world.main).await.unwrap();
    counts.sort_by_key(|count| count.stage);
    let expected = [
        Count { stage: Stage::Waiting, hold_code: None, records: 2 },
        Count { stage: Stage::Map, hold_code: Some(HoldCode::VendorNotFound), records: 1 },
    ];
    assert_eq!(counts, expected);
}

#[rstest]
#[tokio::test]
async fn kept_counts_are_what_counting_gives_whatever_is_written(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let exported =
        |row: RecordRow, ms: i64| RecordRow { exported_ms: Some(ms), stage: Stage::Exported, hold: None, ..row };
    world.insert([held(world.row("a"), Stage::Map), world.row("b"), exported(world.row("c"), NOW + 5)]).await;
    world.insert((0..450).map(|n| world.row(&format!("many_{n}")))).await;
    let [a, b, c] = [world.record("a").await, world.record("b").await, world.record("c").await];
    let changes = [
        RecordRow { hold: None, ..a.clone() },
        // Twice in a batch, and once from a row that is no longer so: neither counts.
        RecordRow { stage: Stage::Draft, ..b.clone() },
        RecordRow { stage: Stage::Verify, ..b.clone() },
        RecordRow { rev: 7, stage: Stage::Verify, ..a },
        // Exported again, on another day; when it was first seen cannot be changed.
        RecordRow { first_seen_ms: 1, ..exported(c, NOW + 90_000_000) },
        exported(world.row("d"), NOW + 90_000_000),
    ];
    world.apply(&lease, &changes.map(change)).await;
    let records = world.store.records();
    let mut counts: Vec<(Stage, i64)> = Vec::new();
    for count in records.counts(&world.main).await.unwrap() {
        assert_eq!(count.hold_code, None);
        counts.push((count.stage, count.records));
    }
    counts.sort_unstable();
    let mut counted: std::collections::BTreeMap<Stage, i64> = std::collections::BTreeMap::new();
    for row in records.list(&world.main, None, 1_000).await.unwrap() {
        *counted.entry(row.stage).or_default() += 1;
    }
    assert_eq!(counts, counted.into_iter().collect::<Vec<_>>());
    let day = (NOW + 90_000_000) / 86_400_000;
    let exports = [store::Exports { day, records: 2, took_ms: 180_000_000 }];
    assert_eq!(records.exports_by_day(&world.main, 0).await.unwrap(), exports);
    assert_eq!(world.number("SELECT CAST(COUNT(*) AS BIGINT) FROM record_counts WHERE records < 0").await, 0);
}

#[rstest]
#[tokio::test]
async fn a_foreign_connection_sees_nothing_but_the_operator_finds_the_record(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert([held(due(world.row("a"), Stage::Map, NOW), Stage::Map)]).await;
    let (records, other) = (world.store.records(), &world.other);
    assert!(records.find_many(other, &ids(&["a"])).await.unwrap().is_empty());
    assert!(records.get(other, &RecordId::new("a")).await.unwrap().is_none());
    assert!(records.list(other, None, 9).await.unwrap().is_empty());
    assert!(records.list_held(other, None, 9).await.unwrap().is_empty());
    assert!(records.list_due(other, Stage::Map, NOW, 9).await.unwrap().is_empty());
    assert!(records.counts(other).await.unwrap().is_empty());
    let anywhere = records.find_anywhere(&RecordId::new("a")).await.unwrap();
    assert_eq!(anywhere.len(), 1);
    assert_eq!(anywhere[0].0, world.main);
}

#[rstest]
#[case("stage", "UPDATE records SET stage = 'dreaming'")]
#[case("amount", "UPDATE records SET amount = 'much'")]
#[case("hold_code", "UPDATE records SET hold_code = 'bored'")]
#[case("document_kind", "UPDATE records SET document_kind = 'poem'")]
#[case("document_id", "UPDATE records SET document_id = '7'")]
#[tokio::test]
async fn a_row_that_cannot_be_read_is_named(
    #[case] column: &str,
    #[case] sql: &str,
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    world.insert([world.full_row("accr_1")]).await;
    world.tamper(sql).await;
    let error = world.store.records().list(&world.main, None, 9).await.err().unwrap();
    let Error::BrokenRow { table: "records", column: found, row } = &error else { panic!("{error:?}") };
    assert_eq!((*found, row.as_str()), (column, "main/accr_1"));
}

#[rstest]
#[tokio::test]
async fn what_was_exported_since_a_time_is_listed_held_or_not(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let exported =
        |id: &str, ms: i64| RecordRow { stage: Stage::Exported, due_ms: None, exported_ms: Some(ms), ..world.row(id) };
    let rows = [
        exported("old", NOW - 1),
        exported("a", NOW),
        RecordRow { exported_ms: Some(NOW + 1), ..held(world.row("b"), Stage::Exported) },
        RecordRow { stage: Stage::Exported, due_ms: None, exported_ms: None, ..world.row("c") },
        held(world.row("d"), Stage::Verify),
    ];
    world.insert(rows).await;
    let records = world.store.records();
    assert_eq!(ids_of(&records.list_exported(&world.main, NOW, None, 9).await.unwrap()), ["a", "b"]);
    let after = RecordId::new("a");
    assert_eq!(ids_of(&records.list_exported(&world.main, NOW, Some(&after), 9).await.unwrap()), ["b"]);
    assert_eq!(ids_of(&records.list_exported(&world.main, NOW, None, 1).await.unwrap()), ["a"]);
    assert!(records.list_exported(&world.other, NOW, None, 9).await.unwrap().is_empty());
}
