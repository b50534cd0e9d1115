//! The table `payment_lines`.

use rstest::rstest;
use serde_json::json;
use store::{AppliedTo, PaymentLine, PaymentLineChange, PaymentLineState};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine};

pub(crate) fn line(owner: &str) -> PaymentLine {
    PaymentLine {
        owner_kind: "record".to_owned(),
        owner_id: owner.to_owned(),
        rev: 0,
        journal: "BREX".to_owned(),
        external_number: format!("BRX-{owner}"),
        vendor_number: "V0001".to_owned(),
        posting_date: "2026-06-30".to_owned(),
        amount: "125.40".parse().unwrap(),
        currency: "USD".to_owned(),
        applies_to: Some(Uuid::from_u128(7)),
        applies_to_many: Vec::new(),
        description: "card payment \u{0}'x'".to_owned(),
        state: PaymentLineState::Wanted,
        attempt: 0,
        epoch: 1,
        settle_until_ms: None,
        probes: 0,
        tries: 0,
        due_ms: Some(NOW),
        line_id: None,
        note: None,
    }
}

async fn apply(world: &World, row: PaymentLine, action: &str) -> bool {
    let change = PaymentLineChange { row, action: action.to_owned(), detail: json!(null) };
    let lease = world.lease().await;
    world.store.payment_lines().apply(&lease, &world.main, NOW, &engine(), &change).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_line_is_stored_once_per_owner_and_changed_only_from_what_was_read(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    assert!(apply(&world, line("a"), "payment_line_wanted").await);
    assert!(!apply(&world, line("a"), "payment_line_wanted").await, "one per owner");
    let stored = world.store.payment_lines().find(&world.main, "record", "a").await.unwrap().unwrap();
    let clean = "card payment \u{FFFD}'x'".to_owned();
    assert_eq!(stored, PaymentLine { rev: 1, description: stored.description.clone(), ..line("a") });
    assert!(stored.description == clean || !stored.description.contains('\u{0}'));
    let sent = PaymentLine {
        state: PaymentLineState::Sending,
        attempt: 1,
        epoch: 4,
        settle_until_ms: Some(NOW + 9),
        probes: 2,
        tries: 3,
        due_ms: None,
        line_id: Some(Uuid::from_u128(9)),
        note: Some("look".to_owned()),
        posting_date: "2026-07-01".to_owned(),
        ..stored.clone()
    };
    assert!(apply(&world, sent.clone(), "payment_line_sent").await);
    assert!(!apply(&world, sent.clone(), "payment_line_sent").await, "it was read before");
    let now = world.store.payment_lines().find(&world.main, "record", "a").await.unwrap().unwrap();
    assert_eq!(now, PaymentLine { rev: 2, ..sent });
    let number = |number: &str, is_credit_memo| AppliedTo { number: number.to_owned(), is_credit_memo };
    let anew = PaymentLine {
        journal: "OTHER".to_owned(),
        vendor_number: "V0002".to_owned(),
        amount: "1.00".parse().unwrap(),
        currency: "EUR".to_owned(),
        applies_to: None,
        applies_to_many: vec![number("PPI-1", false), number("PCM-1", true)],
        description: "another".to_owned(),
        ..now
    };
    assert!(apply(&world, anew.clone(), "payment_line_wanted").await);
    let now = world.store.payment_lines().find(&world.main, "record", "a").await.unwrap().unwrap();
    assert_eq!(now, PaymentLine { rev: 3, ..anew });
    let trail = world.store.audit().list_for(&world.main, "a", 10).await.unwrap();
    let actions: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        ["payment_line_wanted", "payment_line_sent", "payment_line_wanted"],
        "what is not written is not told"
    );
}

#[rstest]
#[tokio::test]
async fn lines_are_listed_by_owner_by_number_and_when_they_are_due(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lines = world.store.payment_lines();
    assert_eq!(lines.next_due(&world.main).await.unwrap(), None);
    apply(&world, PaymentLine { due_ms: Some(NOW + 5), ..line("b") }, "x").await;
    apply(&world, line("a"), "x").await;
    apply(&world, PaymentLine { due_ms: None, external_number: "BRX-a".to_owned(), ..line("c") }, "x").await;
    let owners = |found: Vec<PaymentLine>| found.into_iter().map(|line| line.owner_id).collect::<Vec<_>>();
    assert_eq!(owners(lines.list(&world.main).await.unwrap()), ["a", "b", "c"]);
    assert_eq!(owners(lines.list_due(&world.main, NOW, 10).await.unwrap()), ["a"]);
    assert_eq!(owners(lines.list_due(&world.main, NOW + 5, 10).await.unwrap()), ["a", "b"]);
    assert_eq!(owners(lines.list_by_number(&world.main, "BRX-a").await.unwrap()), ["a", "c"]);
    assert_eq!(lines.next_due(&world.main).await.unwrap(), Some(NOW));
    assert!(lines.list(&world.other).await.unwrap().is_empty());
}
