//! A lost lease refuses every method that writes for a lane.

use rstest::rstest;
use serde_json::json;
use store::{
    BcSubscriptionRow, Change, Delivery, Error, IntentChange, MasterKind, MasterRow, PaymentLineChange, VendorLink,
    Verdict,
};
use uuid::Uuid;

use crate::payment_lines::line;
use crate::receipts::receipt;
use crate::transfer_orders::{change as ordered, order};
use crate::vendor_proposals::{change as changed, proposal};
use crate::world::{Engine, NOW, Postgres, Sqlite, TTL, World, change, engine, intent, note};

fn refused<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::LostLease))
}

#[rstest]
#[tokio::test]
async fn a_lost_lease_refuses_each_writing_method_and_leaves_no_trace(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, main, lost) = (&world.store, &world.main, &world.lost_lease().await);
    let delivery = Delivery { event_id: "msg_1".to_owned(), body_hash: "aa".to_owned(), payload: "{}".to_owned() };
    store.inbox().put(main, "brex", &[delivery], NOW).await.unwrap();
    store.jobs().ensure(main, "poll", NOW).await.unwrap();
    let whole = Change {
        payload: Some("{}".to_owned()),
        notes: vec![note("a")],
        intent: Some(IntentChange::Open(intent("a", 1))),
        ..change(world.row("a"))
    };
    let master = [MasterRow {
        bc_id: "1".to_owned(),
        code: "1".to_owned(),
        name: "one".to_owned(),
        attributes: "{}".to_owned(),
        modified_ms: None,
    }];
    let link = [VendorLink {
        merchant_key: "acme".to_owned(),
        descriptor: "ACME 12".to_owned(),
        clean_name: String::new(),
        bc_vendor_id: Some(Uuid::nil()),
        vendor_name: "Acme".to_owned(),
        verdict: Verdict::Confirmed,
        origin: "test".to_owned(),
        record_id: None,
        decided_by: "kim".to_owned(),
        decided_ms: NOW,
    }];
    let subscription = BcSubscriptionRow {
        set: "vendors".to_owned(),
        subscription_id: None,
        states: Vec::new(),
        renewed_ms: None,
        expires_ms: None,
    };
    let handled = [("brex".to_owned(), "msg_1".to_owned())];

    assert!(refused(&store.records().apply(lost, main, NOW, &engine(), &[whole]).await));
    assert!(refused(&store.records().apply(lost, main, NOW, &engine(), &[]).await));
    assert!(refused(&store.inbox().mark_handled(lost, main, &handled, NOW).await));
    assert!(refused(&store.jobs().start(lost, main, "poll", NOW).await));
    let sending = ordered(order(1, 0), "transfer_order_sending");
    assert!(refused(&store.transfer_orders().apply(lost, main, NOW, &engine(), &sending).await));
    let prepared = PaymentLineChange { row: line("a"), action: "payment_line_wanted".to_owned(), detail: json!(null) };
    assert!(refused(&store.payment_lines().apply(lost, main, NOW, &engine(), &prepared).await));
    assert!(refused(&store.jobs().finish(lost, main, "poll", None, None, 0, NOW).await));
    assert!(refused(&store.cursors().set(lost, main, "far", "1").await));
    assert!(refused(&store.bc_subscriptions().save(lost, main, &subscription).await));
    assert!(refused(&store.master_data().replace_all(lost, main, MasterKind::Vendor, &master, NOW).await));
    assert!(refused(&store.master_data().upsert(lost, main, MasterKind::Vendor, &master, NOW).await));
    assert!(refused(&store.vendor_links().remember(lost, main, &link, NOW, &engine()).await));
    assert!(refused(&store.receipts().put(lost, main, &receipt("a", "r")).await));
    let proposals = store.vendor_proposals();
    let created = changed(proposal("Acme LLC"), "tested");
    assert!(refused(&proposals.apply(lost, main, NOW, &engine(), &created).await));
    let add = |_: &[VendorLink]| link.first().cloned();
    assert!(refused(&proposals.finish(lost, main, NOW, &engine(), &created, &[], add, "poll").await));
    assert!(refused(&store.audit().append(lost, main, NOW, &engine(), &[note("a")]).await));
    assert!(refused(&store.clock_jumps().follow(lost, main, 1, NOW, NOW, &engine(), &note("a")).await));
    assert!(refused(&store.lanes().renew(lost, NOW, TTL).await));
    assert!(refused(&store.lanes().release(lost).await));

    let empty = [
        "records",
        "payloads",
        "intents",
        "cursors",
        "bc_subscriptions",
        "master_data",
        "vendor_links",
        "receipts",
        "vendor_proposals",
        "audit",
        "audit_heads",
    ];
    for table in empty {
        let rows = world.number(&format!("SELECT CAST(COUNT(*) AS BIGINT) FROM {table}")).await;
        assert_eq!(rows, 0, "{table}");
    }
    assert_eq!(store.inbox().list_unhandled(main, "brex", 9).await.unwrap().len(), 1);
    assert_eq!(store.jobs().list(main).await.unwrap()[0].started_ms, None);
}

#[rstest]
#[tokio::test]
async fn an_older_epoch_of_the_same_holder_is_lost_too(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let old = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    lanes.lease("lane", "b", NOW + TTL, TTL).await.unwrap().unwrap();
    let new = lanes.lease("lane", "a", NOW + TTL + TTL, TTL).await.unwrap().unwrap();
    assert!(refused(&world.store.cursors().set(&old, &world.main, "far", "1").await));
    world.store.cursors().set(&new, &world.main, "far", "2").await.unwrap();
}
