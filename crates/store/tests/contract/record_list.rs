//! The table `records` as the console lists it.

use domain::hold::{Hold, HoldCode};
use domain::stage::Stage;
use rstest::rstest;
use store::{After, Exports, Filter, RecordRow};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

const DAY: i64 = 86_400_000;

fn row(world: &World, id: &str, seen_ms: i64, change: impl FnOnce(&mut RecordRow)) -> RecordRow {
    let mut row = RecordRow::new(world.main.clone(), domain::id::RecordId::new(id), seen_ms);
    change(&mut row);
    row
}

async fn filled(world: &World) {
    let exported = |row: &mut RecordRow, after_ms| {
        (row.stage, row.exported_ms) = (Stage::Exported, Some(row.first_seen_ms + after_ms));
    };
    let rows = [
        row(world, "a", NOW, |row| exported(row, 10)),
        row(world, "b", NOW, |row| row.merchant = Some("ACME_100% West".to_owned())),
        row(world, "c", NOW + 1, |row| {
            row.hold = Some(Hold::new(HoldCode::VendorBlocked, "blocked"));
            (row.merchant, row.document_key) = (Some("Acme East".to_owned()), Some("BRX-1".to_owned()));
        }),
        row(world, "d", NOW + DAY, |row| {
            exported(row, 30);
            (row.merchant, row.document_no) = (Some("Äcme".to_owned()), Some("108001".to_owned()));
        }),
        row(world, "e", NOW + DAY, |row| exported(row, 20)),
    ];
    world.insert(rows).await;
}

fn ids(rows: &[RecordRow]) -> String {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn the_newest_come_first_page_by_page_and_filtered(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    filled(&world).await;
    let records = world.store.records();
    let (mut after, mut seen) = (None, String::new());
    loop {
        let page = records.page(&world.main, Filter::All, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(After { first_seen_ms: last.first_seen_ms, id: last.id.clone() });
        seen.push_str(&ids(&page));
    }
    assert_eq!(seen, "edcba");
    for (filter, expected) in [
        (Filter::Stage(Stage::Exported), "eda"),
        (Filter::Stage(Stage::Draft), ""),
        (Filter::Held, "c"),
        (Filter::HeldFor(HoldCode::VendorBlocked), "c"),
        (Filter::HeldFor(HoldCode::VendorMissing), ""),
    ] {
        assert_eq!(ids(&records.page(&world.main, filter, None, 9).await.unwrap()), expected, "{filter:?}");
    }
    assert!(records.page(&world.other, Filter::All, None, 9).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_text_finds_a_record_a_document_or_how_a_merchant_begins(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    filled(&world).await;
    for (text, expected) in [
        ("b", "b"),
        ("BRX-1", "c"),
        (" 108001 ", "d"),
        ("acme", "cb"),
        ("ACME_100%", "b"),
        ("acme%", ""),
        ("Äc", "d"),
        ("\0", ""),
    ] {
        let found = world.store.records().search(&world.main, text, 9).await.unwrap();
        assert_eq!(ids(&found), expected, "{text:?}");
    }
    assert!(world.store.records().search(&world.other, "acme", 9).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn exports_are_counted_by_day(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    filled(&world).await;
    let day = NOW / DAY;
    let first = Exports { day, records: 1, took_ms: 10 };
    let second = Exports { day: day + 1, records: 2, took_ms: 50 };
    let records = world.store.records();
    assert_eq!(records.exports_by_day(&world.main, 0).await.unwrap(), [first, second]);
    assert_eq!(records.exports_by_day(&world.main, NOW + DAY).await.unwrap(), [second]);
}
