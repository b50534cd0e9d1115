//! The table `transfer_orders`: what people order, and what the worker makes of it.

use std::collections::BTreeSet;

use domain::audit::Actor;
use domain::transfer::{Order, Way, order_key};
use rstest::rstest;
use serde_json::json;
use store::{Error, OrderChange, OrderState, TransferOrder};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine};

pub(crate) fn order(invoice: u128, place: usize) -> TransferOrder {
    let invoice = Uuid::from_u128(invoice);
    TransferOrder {
        id: 0,
        rev: 1,
        order: Order {
            invoice,
            number: "INV-1".to_owned(),
            vendor: Uuid::from_u128(9),
            vendor_number: "V1".to_owned(),
            vendor_name: "Beans".to_owned(),
            brex_vendor: "pdcont_1".to_owned(),
            way: Way { instrument: "pdinstl_1".to_owned(), rail: "ACH".to_owned() },
            account: "dpacc_1".to_owned(),
            cents: 120_000,
            memo: "INV-1 ABCDEF".to_owned(),
            is_manual: true,
            despite: BTreeSet::from(["dptx_0".to_owned()]),
            key: order_key(invoice, place),
        },
        state: OrderState::Approved,
        proposed_by: "kim".to_owned(),
        proposed_ms: NOW,
        decided_by: Some("kim".to_owned()),
        decided_ms: Some(NOW),
        note: None,
        epoch: 0,
        attempts: 0,
        first_sent_ms: None,
        sent_ms: None,
        tries: 0,
        due_ms: Some(NOW + 1),
        transfer: None,
    }
}

pub(crate) fn change(row: TransferOrder, action: &str) -> OrderChange {
    OrderChange { row, action: action.to_owned(), detail: json!(null) }
}

fn kim() -> Actor {
    Actor::Person("kim".to_owned())
}

async fn say(world: &World, rows: &[TransferOrder]) -> Result<Vec<TransferOrder>, Error> {
    let decide = |_: &[TransferOrder]| {
        Ok::<_, ()>(rows.iter().map(|row| change(row.clone(), "transfer_ordered")).collect::<Vec<_>>())
    };
    world.store.transfer_orders().say(&world.main, NOW, &kim(), decide).await.map(Result::unwrap)
}

#[rstest]
#[tokio::test]
async fn orders_are_written_together_or_not_at_all(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let orders = world.store.transfer_orders();
    let made = say(&world, &[order(1, 0), order(2, 0)]).await.unwrap();
    assert_eq!(made.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(orders.list(&world.main).await.unwrap(), made);
    assert!(orders.list(&world.other).await.unwrap().is_empty());

    let twice = say(&world, &[order(3, 0), order(1, 0)]).await;
    assert!(twice.is_err(), "a key belongs to one order, whoever decides otherwise");
    assert_eq!(orders.list(&world.main).await.unwrap().len(), 2, "not even the other one");
    let refused =
        orders.say(&world.main, NOW, &kim(), |stored| Err::<Vec<OrderChange>, _>(stored.len())).await.unwrap();
    assert_eq!(refused, Err(2), "it saw both, and nothing was written");
    let late = TransferOrder { rev: 7, ..made[0].clone() };
    let moved = say(&world, &[late]).await;
    assert!(matches!(moved, Err(Error::Moved { table: "transfer_orders" })), "{moved:?}");

    assert_eq!(orders.next_due(&world.main).await.unwrap(), Some(NOW + 1));
    assert_eq!(orders.next_due(&world.other).await.unwrap(), None);
    assert!(orders.list_due(&world.main, NOW).await.unwrap().is_empty());
    assert_eq!(orders.list_due(&world.main, NOW + 1).await.unwrap(), made);
    let trail = world.store.audit().list_for(&world.main, "transfer_order 1", 10).await.unwrap();
    assert_eq!(trail.len(), 1, "what is not written is not told");
}

#[rstest]
#[tokio::test]
async fn the_worker_changes_what_it_read_and_a_transfer_belongs_to_one_order(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let orders = world.store.transfer_orders();
    let made = say(&world, &[order(1, 0), order(2, 0)]).await.unwrap();
    let lease = world.lease().await;
    let apply = async |row: &TransferOrder| {
        orders.apply(&lease, &world.main, NOW, &engine(), &change(row.clone(), "transfer_order_created")).await
    };
    let done = TransferOrder {
        state: OrderState::Created,
        note: Some("look".to_owned()),
        epoch: 3,
        attempts: 2,
        first_sent_ms: Some(NOW + 2),
        sent_ms: Some(NOW + 3),
        tries: 4,
        due_ms: None,
        transfer: Some("dptx_1".to_owned()),
        ..made[0].clone()
    };
    assert!(apply(&done).await.unwrap());
    assert!(!apply(&done).await.unwrap(), "it was read before");
    assert_eq!(orders.list(&world.main).await.unwrap()[0], TransferOrder { rev: 2, ..done.clone() });
    let second = TransferOrder { transfer: Some("dptx_1".to_owned()), ..made[1].clone() };
    assert!(apply(&second).await.is_err(), "the transfer is the other order's");
    for state in OrderState::ALL {
        let row = orders.list(&world.main).await.unwrap().remove(1);
        assert!(apply(&TransferOrder { state, ..row }).await.unwrap());
        assert_eq!(orders.list(&world.main).await.unwrap()[1].state, state);
    }
}
