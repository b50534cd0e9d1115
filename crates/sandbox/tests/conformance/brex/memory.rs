//! What the Brex side remembers of what is over: the newest, and a count of the rest.

use sandbox::brex::{DeliveryCount, DeliveryState, Forgotten};
use serde_json::{Value, json};

use super::caller::Caller;
use super::webhooks::{deliver, subscribed};

/// So many events about one record.
fn announce(caller: &Caller, count: usize) {
    let now = caller.world().clock.now();
    for number in 0..count {
        caller.world().brex.announce(&[format!("accr_{number}")], now);
    }
}

#[tokio::test]
async fn of_many_deliveries_the_newest_are_remembered_and_the_rest_counted() {
    let (caller, inbox) = subscribed().await;
    let brex = &caller.world().brex;
    announce(&caller, 1);
    brex.configure(|settings| settings.webhook_drop_percent = 100);
    announce(&caller, 3_000);
    assert_eq!(brex.deliveries().len(), 1_001);
    assert_eq!(brex.webhooks().forgotten, Forgotten { dropped: 2_000, ..Forgotten::default() });
    brex.restore(brex.snapshot()).unwrap();
    assert_eq!(deliver(&caller).await, DeliveryCount { delivered: 1, failed: 0 });
    assert!(inbox.got.lock().unwrap()[0].3.contains("accr_0"));
    let kept = brex.deliveries();
    assert_eq!((&kept[0].state, kept[1..].len()), (&DeliveryState::Delivered, 1_000));
    assert!(kept[1..].iter().all(|delivery| delivery.state == DeliveryState::Dropped));
}

#[tokio::test]
async fn while_nobody_listens_the_oldest_of_too_many_deliveries_are_given_up() {
    let (caller, inbox) = subscribed().await;
    announce(&caller, 10_003);
    let kept = caller.world().brex.deliveries();
    assert_eq!(kept.len(), 10_000);
    assert!(kept[0].body.contains("accr_3\""));
    assert_eq!(caller.world().brex.webhooks().forgotten.given_up, 3);
    assert_eq!(caller.world().brex.drop_pending(), 10_000);
    announce(&caller, 1);
    assert_eq!(deliver(&caller).await.delivered, 1);
    assert!(inbox.got.lock().unwrap()[0].3.contains("accr_0"));
}

#[tokio::test]
async fn of_a_record_that_fails_again_and_again_the_newest_results_are_remembered() {
    let caller = Caller::start().await;
    let [id, _] = caller.two_ready();
    for round in 0..25 {
        let failed = json!({ "accounting_record_id": id, "failure": { "error_message": format!("round {round}") } });
        assert_eq!(caller.export(&json!([failed])).await.0, 200);
        caller.world().brex.make_ready(&[&id], caller.world().clock.now()).unwrap();
    }
    let report = caller.world().brex.exports().remove(0);
    assert_eq!((report.count, report.results.len()), (25, 20));
    let newest = json!(report.results.last().unwrap());
    assert_eq!(newest["outcome"]["failure"]["error_message"], "round 24");
    for _ in 0..30 {
        caller.world().brex.rotate_secret();
    }
    assert_eq!(caller.world().brex.webhooks().secrets.len(), 10);
    assert_ne!(caller.get("/v1/webhooks/secrets").await.1, Value::Null);
}
