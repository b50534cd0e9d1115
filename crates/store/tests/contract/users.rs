//! The tables `users` and `invitations`.

use domain::access::Role;
use domain::audit::Actor;
use domain::id::ConnectionId;
use rstest::rstest;
use store::{SignedInWith, Store, User, UserChange, UserRefusal};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

pub(crate) async fn change(store: &Store, name: &str, change: UserChange) -> Result<(), UserRefusal> {
    store.users().change(name, &change, NOW, &Actor::Person("kim".to_owned())).await.unwrap()
}

fn invite(token_hash: &str) -> UserChange {
    UserChange::Invite { token_hash: token_hash.to_owned(), expires_ms: NOW + 60 }
}

#[rstest]
#[tokio::test]
async fn a_user_sets_the_password_with_the_newest_invitation_and_once(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, users) = (&world.store, world.store.users());
    change(store, "ann", UserChange::Add(Role::Bookkeeper)).await.unwrap();
    change(store, "ann", invite("old")).await.unwrap();
    change(store, "ann", invite("new")).await.unwrap();
    assert_eq!(users.invited("old", NOW).await.unwrap(), None);
    assert_eq!(users.invited("new", NOW).await.unwrap().as_deref(), Some("ann"));
    assert_eq!(users.accept("new", "$argon2id$", NOW + 60).await.unwrap(), None, "its time is over");
    store.sessions().start("s", "ann", SignedInWith::Password, NOW, NOW + 100).await.unwrap();
    assert_eq!(users.accept("new", "$argon2id$", NOW + 59).await.unwrap().as_deref(), Some("ann"));
    assert_eq!(users.accept("new", "$other$", NOW + 59).await.unwrap(), None, "it was used");
    assert_eq!(store.sessions().find("s", NOW).await.unwrap(), None, "a new password ends every session");
    let ann = User {
        name: "ann".to_owned(),
        role: Role::Bookkeeper,
        password: Some("$argon2id$".to_owned()),
        microsoft: None,
        disabled_ms: None,
        created_ms: NOW,
        signed_in_ms: Some(NOW),
    };
    assert_eq!(users.get("ann").await.unwrap().as_ref(), Some(&ann));
    assert_eq!(users.list().await.unwrap(), [ann]);
    assert_eq!(users.get("bob").await.unwrap(), None);
    let trail = store.audit().list(&ConnectionId::installation(), 0, 100).await.unwrap();
    let told: Vec<(&str, &str)> = trail.iter().map(|e| (e.action.as_str(), e.actor.as_str())).collect();
    let [kim, ann] = ["person:kim", "person:ann"];
    let expected =
        [("user_added", kim), ("user_invited", kim), ("user_invited", kim), ("signed_in", ann), ("password_set", ann)];
    assert_eq!(told, expected);
    for entry in trail {
        assert!(!entry.detail.contains("argon2"), "no password is in the trail");
    }
    let audit = store.audit();
    assert_eq!(audit.trails().await.unwrap(), [ConnectionId::installation()]);
    assert_eq!(audit.newest(&ConnectionId::installation()).await.unwrap(), 5);
    assert_eq!(audit.newest(&world.main).await.unwrap(), 0);
}

#[rstest]
#[tokio::test]
async fn the_last_admin_stays_one_and_unknown_names_are_refused(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let store = &world.store;
    change(store, "ann", UserChange::Add(Role::Admin)).await.unwrap();
    for less in [UserChange::Disable, UserChange::SetRole(Role::Viewer)] {
        assert_eq!(change(store, "ann", less).await, Err(UserRefusal::LastAdmin));
    }
    change(store, "ann", UserChange::SetRole(Role::Admin)).await.unwrap();
    assert_eq!(change(store, "ann", UserChange::Add(Role::Viewer)).await, Err(UserRefusal::Exists));
    for of_nobody in [UserChange::Disable, UserChange::Enable, UserChange::SetRole(Role::Viewer), invite("x")] {
        assert_eq!(change(store, "bob", of_nobody).await, Err(UserRefusal::Unknown));
    }
    change(store, "bob", UserChange::Add(Role::Approver)).await.unwrap();
    change(store, "bob", UserChange::SetRole(Role::Admin)).await.unwrap();
    change(store, "ann", invite("x")).await.unwrap();
    change(store, "ann", UserChange::Disable).await.unwrap();
    assert_eq!(store.users().invited("x", NOW).await.unwrap(), None);
    assert_eq!(change(store, "bob", UserChange::Disable).await, Err(UserRefusal::LastAdmin));
    change(store, "ann", UserChange::Enable).await.unwrap();
    change(store, "bob", UserChange::Disable).await.unwrap();
    let trail = store.audit().list_for(&ConnectionId::installation(), "user bob", 100).await.unwrap();
    let told: Vec<_> = trail.iter().map(|e| (e.action.as_str(), e.before.as_deref(), e.after.as_deref())).collect();
    let expected = [
        ("user_added", None, Some("approver")),
        ("user_role_set", Some("approver"), Some("admin")),
        ("user_disabled", None, None),
    ];
    assert_eq!(told, expected);
}

#[rstest]
#[tokio::test]
async fn a_microsoft_account_is_bound_to_one_user_once_and_ends_with_its_sessions(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let (store, users) = (&world.store, world.store.users());
    for name in ["ann", "bob", "eve"] {
        change(store, name, UserChange::Add(Role::Viewer)).await.unwrap();
    }
    change(store, "eve", UserChange::Disable).await.unwrap();
    assert!(!users.bind_microsoft("nobody", "oid-1", NOW).await.unwrap());
    assert!(!users.bind_microsoft("eve", "oid-1", NOW).await.unwrap(), "she may do nothing");
    assert!(users.bind_microsoft("ann", "oid-1", NOW).await.unwrap());
    assert!(!users.bind_microsoft("ann", "oid-2", NOW).await.unwrap(), "hers is another");
    assert!(!users.bind_microsoft("bob", "oid-1", NOW).await.unwrap(), "it is ann's");
    assert_eq!(users.of_microsoft("oid-1").await.unwrap().map(|user| user.name).as_deref(), Some("ann"));
    assert_eq!(users.of_microsoft("oid-2").await.unwrap(), None);
    assert!(store.sessions().start("s", "ann", SignedInWith::Microsoft, NOW, NOW + 100).await.unwrap());
    change(store, "ann", UserChange::Unbind).await.unwrap();
    assert_eq!(store.sessions().find("s", NOW).await.unwrap(), None);
    assert_eq!(users.of_microsoft("oid-1").await.unwrap(), None);
    assert!(users.bind_microsoft("bob", "oid-1", NOW).await.unwrap());
    let trail = store.audit().list_for(&ConnectionId::installation(), "user ann", 100).await.unwrap();
    let told: Vec<_> = trail.iter().map(|e| (e.action.as_str(), e.after.as_deref(), e.detail.as_str())).collect();
    let expected = [
        ("user_added", Some("viewer"), "{}"),
        ("microsoft_account_bound", Some("oid-1"), "{}"),
        ("signed_in", None, "{\"with\":\"microsoft\"}"),
        ("microsoft_account_unbound", None, "{}"),
    ];
    assert_eq!(told, expected);
}
