//! What waits keeps its distance when the time of day is set.

use rstest::rstest;
use store::{Change, IntentChange, PaymentLineChange};

use crate::payment_lines::line;
use crate::receipts::receipt;
use crate::transfer_orders::{change as ordered, order};
use crate::vendor_proposals::{change as proposed, proposal};
use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, engine, intent, note};

const HOUR: i64 = 3_600_000;
const WINDOW: i64 = 1_200_000;

/// Each column that holds when something is due, and what is in there for the connection.
const DUE: [&str; 6] = ["records", "jobs", "vendor_proposals", "payment_lines", "transfer_orders", "brex_vendors"];
/// The same for when the settle windows begin or end.
const SETTLING: [(&str, &str); 6] = [
    ("intents", "settle_until_ms"),
    ("vendor_proposals", "settle_until_ms"),
    ("payment_lines", "settle_until_ms"),
    ("receipts", "sent_ms"),
    ("transfer_orders", "sent_ms"),
    ("transfer_orders", "first_sent_ms"),
];

/// One thing of each kind that waits, of the connection `main`.
async fn filled(on: Engine) -> Option<World> {
    let world = World::on(on).await?;
    let (lease, store, main) = (world.lease().await, &world.store, &world.main);
    let waiting = Change { intent: Some(IntentChange::Open(intent("a", 1))), ..change(world.full_row("a")) };
    world.apply(&lease, &[waiting]).await;
    store.jobs().ensure(main, "poll", NOW).await.unwrap();
    store.receipts().put(&lease, main, &receipt("a", "r1")).await.unwrap();
    let wanted = PaymentLineChange { row: line("a"), action: "wanted".to_owned(), detail: serde_json::json!(null) };
    store.payment_lines().apply(&lease, main, NOW, &engine(), &wanted).await.unwrap();
    let said = |_: &[store::VendorProposal]| Ok::<_, ()>(proposed(proposal("Acme"), "proposed"));
    store.vendor_proposals().say(main, NOW, &engine(), said).await.unwrap().unwrap();
    let said = |_: &[store::TransferOrder]| Ok::<_, ()>(vec![ordered(order(1, 0), "ordered")]);
    store.transfer_orders().say(main, NOW, &engine(), said).await.unwrap().unwrap();
    world
        .tamper(&format!(
            "INSERT INTO brex_vendors \
             (connection, bc_id, number, bc_name, presence, state, ours, attempt, tries, created_ms, updated_ms) \
             SELECT connection, 'x', 'V1', 'Acme', 'there', 'wanted', 0, 0, 0, {NOW}, {NOW} FROM jobs WHERE kind = 'poll'"
        ))
        .await;
    for table in DUE {
        world.tamper(&format!("UPDATE {table} SET due_ms = {NOW}")).await;
    }
    for (table, column) in SETTLING {
        world.tamper(&format!("UPDATE {table} SET {column} = {NOW}")).await;
    }
    for table in ["intents", "vendor_proposals", "payment_lines"] {
        world.tamper(&format!("UPDATE {table} SET probes = 3")).await;
    }
    Some(world)
}

async fn moved(world: &World, table: &str, column: &str) -> i64 {
    world.number(&format!("SELECT {column} FROM {table} WHERE connection = 'main'")).await - NOW
}

#[rstest]
#[tokio::test]
async fn what_is_settled_begins_anew_and_what_is_due_goes_along_only_back(
    #[values(Sqlite, Postgres)] on: Engine,
    #[values(HOUR, -HOUR)] jump_ms: i64,
) {
    let Some(world) = filled(on).await else { return };
    let (lease, jumps) = (world.lease().await, world.store.clock_jumps());
    let (now_ms, until_ms) = (NOW + jump_ms, NOW + jump_ms + WINDOW);
    jumps.follow(&lease, &world.other, jump_ms, until_ms, now_ms, &engine(), &note("other")).await.unwrap();
    assert_eq!(moved(&world, "records", "due_ms").await, 0, "another connection's");
    jumps.follow(&lease, &world.main, jump_ms, until_ms, now_ms, &engine(), &note("main")).await.unwrap();
    for table in DUE {
        assert_eq!(moved(&world, table, "due_ms").await, jump_ms.min(0), "{table}");
    }
    for (table, column) in SETTLING {
        let window = if column == "settle_until_ms" { WINDOW } else { 0 };
        assert_eq!(moved(&world, table, column).await, jump_ms + window, "{table}.{column}");
    }
    for table in ["intents", "vendor_proposals", "payment_lines"] {
        assert_eq!(world.number(&format!("SELECT probes FROM {table} WHERE connection = 'main'")).await, 0, "{table}");
    }
    jumps.follow(&lease, &world.main, HOUR, until_ms, now_ms, &engine(), &note("again")).await.unwrap();
    assert_eq!(moved(&world, "transfer_orders", "first_sent_ms").await, jump_ms, "never later than now");
    assert_eq!(world.store.audit().list_for(&world.main, "main", 9).await.unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn what_is_settled_already_stays(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = filled(on).await else { return };
    world.tamper("UPDATE intents SET outcome = 'created'").await;
    world.tamper("UPDATE transfer_orders SET transfer_id = 'dptx_1'").await;
    let lease = world.lease().await;
    world
        .store
        .clock_jumps()
        .follow(&lease, &world.main, HOUR, NOW + WINDOW, NOW, &engine(), &note("main"))
        .await
        .unwrap();
    assert_eq!(moved(&world, "intents", "settle_until_ms").await, 0);
    assert_eq!(moved(&world, "transfer_orders", "sent_ms").await, 0);
}

#[rstest]
#[tokio::test]
async fn the_last_moment_that_a_job_saw_is_known(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, jobs, jumps) = (world.lease().await, world.store.jobs(), world.store.clock_jumps());
    assert_eq!(jumps.last_seen(&world.main).await.unwrap(), None);
    for kind in ["poll", "full"] {
        jobs.ensure(&world.main, kind, NOW).await.unwrap();
    }
    assert_eq!(jumps.last_seen(&world.main).await.unwrap(), None, "none ran");
    jobs.start(&lease, &world.main, "poll", NOW + 1).await.unwrap();
    assert_eq!(jumps.last_seen(&world.main).await.unwrap(), Some(NOW + 1));
    jobs.finish(&lease, &world.main, "poll", None, None, 0, NOW + 5).await.unwrap();
    jobs.start(&lease, &world.main, "full", NOW + 3).await.unwrap();
    assert_eq!(jumps.last_seen(&world.main).await.unwrap(), Some(NOW + 5));
    assert_eq!(jumps.last_seen(&world.other).await.unwrap(), None);
    jumps.follow(&lease, &world.main, -HOUR, NOW + WINDOW, NOW, &engine(), &note("main")).await.unwrap();
    assert_eq!(jumps.last_seen(&world.main).await.unwrap(), Some(NOW + 5 - HOUR), "the same jump is not seen twice");
}
