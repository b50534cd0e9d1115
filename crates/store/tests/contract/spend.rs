//! What was spent and how long drafts took, kept with every write.

use domain::document::{DocumentKind, PlannedDocument, PlannedLine};
use domain::id::{DocumentNumber, JobId, RecordId};
use domain::stage::Stage;
use jiff::civil::{Date, date};
use rstest::rstest;
use rust_decimal::Decimal;
use store::{Drafts, RecordRow};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, engine};

fn line(account: &str, cents: i64, department: &str) -> PlannedLine {
    let dimensions = [("DEPARTMENT".to_owned(), department.to_owned())];
    PlannedLine {
        account: account.to_owned(),
        description: "x".to_owned(),
        amount: Decimal::new(cents, 2),
        tax_code: None,
        dimensions: dimensions.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
    }
}

fn plan(kind: DocumentKind, day: Date, currency: Option<&str>, lines: Vec<PlannedLine>) -> String {
    let record = RecordId::new("accr");
    let job = JobId::new("company", &record, Uuid::nil());
    let plan = PlannedDocument {
        kind,
        number: DocumentNumber::of_job(job),
        record,
        record_version: 1,
        job,
        vendor_number: "V1".to_owned(),
        posting_date: day,
        document_date: day,
        due_date: None,
        currency: currency.map(str::to_owned),
        total: lines.iter().map(|line| line.amount).sum(),
        dimensions: std::collections::BTreeMap::new(),
        lines,
        tax: None,
        applies_to: None,
        rules: "r".to_owned(),
        late: std::collections::BTreeSet::new(),
    };
    serde_json::to_string(&plan).unwrap()
}

fn exported(row: RecordRow, plan: String) -> RecordRow {
    let document_id = Some(Uuid::from_u128(7));
    RecordRow { stage: Stage::Exported, exported_ms: Some(NOW), plan: Some(plan), document_id, ..row }
}

async fn told(world: &World, since: Date) -> Vec<String> {
    let spend = world.store.records().spend_since(&world.main, since).await.unwrap();
    let shown = |one: store::Spend| {
        let [currency, dimension] = [one.currency, one.dimension].map(Option::unwrap_or_default);
        format!("{} {currency} {dimension} {} {}", one.month, one.value, one.amount.normalize())
    };
    spend.into_iter().map(shown).collect()
}

#[rstest]
#[tokio::test]
async fn spend_follows_what_is_exported_and_a_migration_counts_the_same(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (june, july) = (date(2026, 6, 30), date(2026, 7, 1));
    let two = vec![line("60500", 12_345, "SALES"), line("60600", 1_000, "")];
    let bill = plan(DocumentKind::Invoice, june, None, two.clone());
    let memo = plan(DocumentKind::CreditMemo, july, Some("EUR"), vec![line("60500", 250, "SALES")]);
    world.insert([exported(world.row("a"), bill.clone()), exported(world.row("b"), memo)]).await;
    let planned = RecordRow { plan: Some(bill.clone()), stage: Stage::Draft, ..world.row("not yet") };
    world.insert([planned, exported(world.row("broken"), "{}".to_owned()), exported(world.row("c"), bill)]).await;
    let before = [
        "2026-06   60500 246.9",
        "2026-06   60600 20",
        "2026-06  DEPARTMENT SALES 246.9",
        "2026-07 EUR  60500 -2.5",
        "2026-07 EUR DEPARTMENT SALES -2.5",
    ];
    assert_eq!(told(&world, june).await, before);
    assert_eq!(told(&world, july).await, before[3..]);

    // One is booked elsewhere now, and one is taken back.
    let moved = plan(DocumentKind::Invoice, june, None, vec![line("60700", 13_345, "SALES")]);
    let [a, c] = [world.record("a").await, world.record("c").await];
    let lease = world.lease().await;
    let changes = [
        RecordRow { plan: Some(moved), ..a.clone() },
        RecordRow { exported_ms: None, stage: Stage::Revise, ..c },
        // From a row that is no longer so.
        RecordRow { plan: None, rev: 9, ..a },
    ];
    world.apply(&lease, &changes.map(change)).await;
    let after = ["2026-06   60700 133.45", "2026-06  DEPARTMENT SALES 133.45", before[3], before[4]];
    assert_eq!(told(&world, june).await, after);

    world.tamper("DELETE FROM spend; DELETE FROM draft_days").await;
    let migration = match on {
        Sqlite => include_str!("../../migrations/sqlite/0033_spend.sql"),
        Postgres => include_str!("../../migrations/postgres/0033_spend.sql"),
    };
    let (_, counting) = migration.split_once("INSERT INTO spend").unwrap();
    world.tamper(&format!("INSERT INTO spend{counting}")).await;
    assert_eq!(told(&world, june).await, after);
}

#[rstest]
#[tokio::test]
async fn how_long_a_draft_took_is_counted_when_it_is_there(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.insert(["a", "b", "c"].map(|id| world.row(id))).await;
    let lease = world.lease().await;
    let day = NOW / 86_400_000;
    let drafted = async |id: &str, after_ms: i64| {
        let row = RecordRow { document_id: Some(Uuid::from_u128(7)), ..world.record(id).await };
        world.store.records().apply(&lease, &world.main, NOW + after_ms, &engine(), &[change(row)]).await.unwrap();
    };
    drafted("a", 59_999).await;
    drafted("b", 60_000).await;
    drafted("b", 70_000).await;
    drafted("c", 86_400_000).await;
    let told = world.store.records().drafts_by_day(&world.main, 0).await.unwrap();
    let expected = [(day, 0, 1), (day, 1, 1), (day + 1, 4, 1)];
    assert_eq!(told, expected.map(|(day, step, records)| Drafts { day, step, records }));
    assert!(world.store.records().drafts_by_day(&world.main, NOW + 3 * 86_400_000).await.unwrap().is_empty());
}
