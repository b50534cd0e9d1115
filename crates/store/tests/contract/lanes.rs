//! The table `lanes`.

use rstest::rstest;
use store::Error;

use crate::world::{Engine, NOW, Postgres, Sqlite, TTL, World};

#[rstest]
#[tokio::test]
async fn a_lane_has_one_holder_until_its_lease_expires(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let first = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    assert_eq!((first.epoch, first.expires_ms), (1, NOW + TTL));
    assert_eq!(lanes.lease("lane", "b", NOW + TTL - 1, TTL).await.unwrap(), None);
    assert!(lanes.holds(&first, NOW + TTL - 1).await.unwrap());
    assert!(lanes.are_leased(NOW + TTL - 1).await.unwrap() && !lanes.are_leased(NOW + TTL).await.unwrap());
    assert!(!lanes.holds(&first, NOW + TTL).await.unwrap());

    let second = lanes.lease("lane", "b", NOW + TTL, TTL).await.unwrap().unwrap();
    assert_eq!(second.epoch, 2);
    assert!(!lanes.holds(&first, NOW + TTL).await.unwrap());
    assert!(lanes.holds(&second, NOW + TTL).await.unwrap());
    assert_eq!(lanes.lease("lane", "a", NOW + TTL, TTL).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn the_holder_extends_under_its_epoch_as_long_as_nobody_else_has_taken_the_lane(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let first = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    let again = lanes.lease("lane", "a", NOW + 1, TTL).await.unwrap().unwrap();
    assert_eq!((again.epoch, again.expires_ms), (first.epoch, NOW + 1 + TTL));
    let later = lanes.lease("lane", "a", NOW + 1 + TTL, TTL).await.unwrap().unwrap();
    assert_eq!(later.epoch, first.epoch, "it had expired, and nobody was there");
    let others = lanes.lease("lane", "b", NOW + 1 + TTL + TTL, TTL).await.unwrap().unwrap();
    let back = lanes.lease("lane", "a", NOW + 1 + TTL + TTL + TTL, TTL).await.unwrap().unwrap();
    assert_eq!((others.epoch, back.epoch), (first.epoch + 1, first.epoch + 2));
    assert!(matches!(lanes.renew(&again, NOW + TTL, TTL).await, Err(Error::LostLease)));
}

#[rstest]
#[tokio::test]
async fn renewing_extends_and_a_lost_lease_cannot_be_renewed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let first = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    let renewed = lanes.renew(&first, NOW + 10, TTL).await.unwrap();
    assert_eq!((renewed.epoch, renewed.expires_ms), (1, NOW + 10 + TTL));
    assert!(lanes.holds(&first, NOW + TTL).await.unwrap(), "the epoch counts, not the copy");
    lanes.lease("lane", "b", NOW + 10 + TTL, TTL).await.unwrap().unwrap();
    assert!(matches!(lanes.renew(&renewed, NOW + 11 + TTL, TTL).await, Err(Error::LostLease)));
    assert!(matches!(lanes.release(&renewed).await, Err(Error::LostLease)));
}

#[rstest]
#[tokio::test]
async fn a_released_lane_is_free_at_once_and_gets_a_new_epoch(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let first = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    lanes.release(&first).await.unwrap();
    assert!(!lanes.holds(&first, NOW).await.unwrap());
    let second = lanes.lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    assert_eq!(second.epoch, 2);
}

#[rstest]
#[tokio::test]
async fn lanes_are_independent(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let one = lanes.lease("one", "a", NOW, TTL).await.unwrap().unwrap();
    let two = lanes.lease("two", "b", NOW, TTL).await.unwrap().unwrap();
    assert!(lanes.holds(&one, NOW).await.unwrap() && lanes.holds(&two, NOW).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn of_many_processes_that_want_a_lane_exactly_one_gets_it(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let wanting: Vec<_> = (0..8)
        .map(|n| {
            let store = world.store.clone();
            tokio::spawn(async move { store.lanes().lease("lane", &format!("p{n}"), NOW, TTL).await.unwrap() })
        })
        .collect();
    let mut got = 0;
    for wanting in wanting {
        got += usize::from(wanting.await.unwrap().is_some());
    }
    assert_eq!(got, 1);
}

#[rstest]
#[tokio::test]
async fn a_seized_lane_fences_off_its_former_holder(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    let first = lanes.lease("lane", "dead", NOW, TTL).await.unwrap().unwrap();
    let second = lanes.seize("lane", "alive", NOW + 1, TTL).await.unwrap().unwrap();
    assert_eq!(second.epoch, first.epoch + 1);
    assert!(!lanes.holds(&first, NOW + 1).await.unwrap());
    let again = lanes.seize("lane", "alive", NOW + 2, TTL).await.unwrap().unwrap();
    assert_eq!(again.epoch, second.epoch, "what is already mine keeps its epoch");
    assert!(lanes.seize("new lane", "alive", NOW, TTL).await.unwrap().is_some());
}

#[rstest]
#[tokio::test]
async fn a_lane_is_inherited_only_if_its_holder_did_not_renew(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lanes = world.store.lanes();
    assert_eq!(lanes.standing("lane").await.unwrap(), None);
    let hour = 3_600_000;
    let first = lanes.lease("lane", "its clock was ahead", NOW + hour, TTL).await.unwrap().unwrap();
    let standing = lanes.standing("lane").await.unwrap().unwrap();
    assert_eq!(standing, first);
    let renewed = lanes.renew(&first, NOW + hour + 1, TTL).await.unwrap();
    assert_eq!(lanes.inherit(&standing, "b", NOW, TTL).await.unwrap(), None, "it lives");
    assert!(lanes.holds(&renewed, NOW).await.unwrap());

    let standing = lanes.standing("lane").await.unwrap().unwrap();
    let second = lanes.inherit(&standing, "b", NOW, TTL).await.unwrap().unwrap();
    assert_eq!((second.epoch, second.expires_ms), (first.epoch + 1, NOW + TTL));
    assert!(!lanes.holds(&renewed, NOW).await.unwrap());
    assert_eq!(lanes.inherit(&standing, "c", NOW, TTL).await.unwrap(), None, "another one was quicker");
}
