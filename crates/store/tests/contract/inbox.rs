//! The table `inbox`.

use rstest::rstest;
use store::{Delivery, Event, Put, Waiting};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

fn delivery(event_id: &str, hash: &str, payload: &str) -> Delivery {
    Delivery { event_id: event_id.to_owned(), body_hash: hash.to_owned(), payload: payload.to_owned() }
}

async fn put(world: &World, event_id: &str, hash: &str, now_ms: i64) -> Put {
    let delivery = delivery(event_id, hash, "{\"x\":1}");
    world.store.inbox().put(&world.main, "brex", &[delivery], now_ms).await.unwrap()[0]
}

fn named(event_id: &str) -> (String, String) {
    ("brex".to_owned(), event_id.to_owned())
}

#[rstest]
#[tokio::test]
async fn a_delivery_is_kept_once_and_another_body_under_its_id_is_a_conflict(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    assert_eq!(put(&world, "msg_1", "aa", NOW).await, Put::New);
    assert_eq!(put(&world, "msg_1", "aa", NOW + 1).await, Put::Duplicate);
    assert_eq!(put(&world, "msg_1", "bb", NOW + 2).await, Put::Conflict);
    let inbox = world.store.inbox();
    // The other system and the other connection count their events on their own.
    let notified = [delivery("msg_1", "bb", "y"), delivery("msg_2", "cc", "y"), delivery("msg_1", "bb", "y")];
    let puts = inbox.put(&world.main, "bc", &notified, NOW + 3).await.unwrap();
    assert_eq!(puts, [Put::New, Put::New, Put::Duplicate]);
    assert_eq!(inbox.put(&world.other, "brex", &notified[..1], NOW).await.unwrap(), [Put::New]);
    assert_eq!(inbox.list_unhandled(&world.main, "bc", 10).await.unwrap().len(), 2);

    let waiting = |number, oldest_ms| Waiting { number, oldest_ms: Some(oldest_ms) };
    let unhandled = [("bc".to_owned(), waiting(2, NOW + 3)), ("brex".to_owned(), waiting(1, NOW))];
    assert_eq!(inbox.unhandled(&world.main).await.unwrap(), unhandled);

    let events = inbox.list_unhandled(&world.main, "brex", 10).await.unwrap();
    let first = Event {
        source: "brex".to_owned(),
        event_id: "msg_1".to_owned(),
        payload: "{\"x\":1}".to_owned(),
        received_ms: NOW,
    };
    assert_eq!(events, [first]);
}

#[rstest]
#[tokio::test]
async fn of_eight_deliveries_of_one_event_at_once_exactly_one_is_new(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let putting: Vec<_> = (0..8)
        .map(|_| {
            let (store, main) = (world.store.clone(), world.main.clone());
            tokio::spawn(async move {
                store.inbox().put(&main, "brex", &[delivery("msg_1", "aa", "{}")], NOW).await.unwrap()[0]
            })
        })
        .collect();
    let mut put = Vec::new();
    for putting in putting {
        put.push(putting.await.unwrap());
    }
    assert_eq!(put.iter().filter(|put| **put == Put::New).count(), 1);
    assert_eq!(put.iter().filter(|put| **put == Put::Duplicate).count(), 7);
}

#[rstest]
#[tokio::test]
async fn handled_deliveries_are_remembered_until_they_are_forgotten(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, inbox) = (world.lease().await, world.store.inbox());
    for n in 0..5 {
        put(&world, &format!("msg_{n}"), "aa", NOW + n).await;
    }
    let handled = [named("msg_0"), named("msg_1"), named("unknown")];
    inbox.mark_handled(&lease, &world.main, &handled, NOW + 100).await.unwrap();
    inbox.mark_handled(&lease, &world.main, &[named("msg_1"), named("msg_2")], NOW + 200).await.unwrap();
    inbox.mark_handled(&lease, &world.main, &[], NOW + 200).await.unwrap();
    let left = inbox.list_unhandled(&world.main, "brex", 10).await.unwrap();
    assert_eq!(left.iter().map(|event| event.event_id.as_str()).collect::<Vec<_>>(), ["msg_3", "msg_4"]);
    assert_eq!(put(&world, "msg_0", "aa", NOW + 300).await, Put::Duplicate);

    // The time of the first handling counts, and what is not handled stays however old it is.
    assert!(!inbox.holds(&world.other, "brex", "no such delivery").await.unwrap());
    assert_eq!(inbox.forget_handled_before(&world.other, NOW + 999).await.unwrap(), 0);
    assert_eq!(inbox.forget_handled_before(&world.main, NOW + 200).await.unwrap(), 2);
    assert_eq!(inbox.forget_handled_before(&world.main, NOW + 999).await.unwrap(), 1);
    assert_eq!(inbox.list_unhandled(&world.main, "brex", 10).await.unwrap().len(), 2);
    assert_eq!(put(&world, "msg_0", "aa", NOW + 300).await, Put::New);
}

#[rstest]
#[tokio::test]
async fn a_lease_of_one_connection_does_not_handle_the_events_of_another(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    put(&world, "msg_1", "aa", NOW).await;
    world.store.inbox().mark_handled(&lease, &world.other, &[named("msg_1")], NOW).await.unwrap();
    assert_eq!(world.store.inbox().list_unhandled(&world.main, "brex", 10).await.unwrap().len(), 1);
    assert!(world.store.inbox().list_unhandled(&world.other, "brex", 10).await.unwrap().is_empty());
}
