//! The table `sessions`.

use domain::access::Role;
use rstest::rstest;
use store::{Session, SignedInWith, UserChange};

use crate::users::change;
use crate::world::{Engine, NOW, Postgres, Sqlite, World};

#[rstest]
#[tokio::test]
async fn a_session_holds_until_it_ends_or_its_time_is_over(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, sessions) = (&world.store, world.store.sessions());
    change(store, "ann", UserChange::Add(Role::Viewer)).await.unwrap();
    assert!(sessions.start("one", "ann", SignedInWith::Password, NOW, NOW + 10).await.unwrap());
    assert!(!sessions.start("two", "nobody", SignedInWith::Password, NOW, NOW + 10).await.unwrap());
    let held = |role, seen_ms| Some(Session { user: "ann".to_owned(), role, created_ms: NOW, seen_ms });
    assert_eq!(sessions.find("one", NOW + 9).await.unwrap(), held(Role::Viewer, NOW));
    assert_eq!(sessions.find("one", NOW + 10).await.unwrap(), None);
    assert_eq!(sessions.find("two", NOW).await.unwrap(), None);
    sessions.touch("one", NOW + 5, NOW + 20).await.unwrap();
    change(store, "ann", UserChange::SetRole(Role::Approver)).await.unwrap();
    assert_eq!(sessions.find("one", NOW + 19).await.unwrap(), held(Role::Approver, NOW + 5), "the role is read anew");
    sessions.end("one", "ann", NOW + 6).await.unwrap();
    sessions.end("one", "ann", NOW + 6).await.unwrap();
    assert_eq!(sessions.find("one", NOW + 7).await.unwrap(), None);
    let trail = store.audit().list_for(&domain::id::ConnectionId::installation(), "user ann", 10).await.unwrap();
    let told: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(told, ["user_added", "signed_in", "user_role_set", "signed_out"]);
}

#[rstest]
#[tokio::test]
async fn sessions_of_a_disabled_user_end_and_old_ones_are_swept_out(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, sessions) = (&world.store, world.store.sessions());
    change(store, "root", UserChange::Add(Role::Admin)).await.unwrap();
    change(store, "ann", UserChange::Add(Role::Viewer)).await.unwrap();
    sessions.start("old", "ann", SignedInWith::Password, NOW, NOW + 10).await.unwrap();
    sessions.start("new", "ann", SignedInWith::Password, NOW + 10, NOW + 20).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM sessions").await, 1);
    change(store, "ann", UserChange::Disable).await.unwrap();
    assert_eq!(sessions.find("new", NOW + 11).await.unwrap(), None);
    assert!(!sessions.start("more", "ann", SignedInWith::Password, NOW + 11, NOW + 20).await.unwrap());
    change(store, "ann", UserChange::Enable).await.unwrap();
    assert_eq!(sessions.find("new", NOW + 11).await.unwrap(), None, "they do not come back");
}
