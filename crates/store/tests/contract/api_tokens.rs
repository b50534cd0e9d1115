//! The table `api_tokens`.

use domain::access::Role;
use domain::audit::Actor;
use domain::id::ConnectionId;
use rstest::rstest;
use store::{ApiToken, FoundToken, TokenRefusal, UserChange};

use crate::users::change;
use crate::world::{Engine, NOW, Postgres, Sqlite, World};

fn token(name: &str, user: Option<&str>, role: Role) -> ApiToken {
    ApiToken {
        name: name.to_owned(),
        user: user.map(str::to_owned),
        role,
        connection: user.is_none().then(|| ConnectionId::new("main").unwrap()),
        created_by: "kim".to_owned(),
        created_ms: NOW,
        expires_ms: NOW + 100,
        revoked_ms: None,
        used_day: None,
    }
}

#[rstest]
#[tokio::test]
async fn a_token_is_found_by_its_hash_with_what_its_user_may_do_now(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, tokens) = (&world.store, world.store.api_tokens());
    let kim = Actor::Person("kim".to_owned());
    change(store, "root", UserChange::Add(Role::Admin)).await.unwrap();
    change(store, "ann", UserChange::Add(Role::Approver)).await.unwrap();
    let (of_ann, service) = (token("ann-1", Some("ann"), Role::Approver), token("nightly", None, Role::Viewer));
    tokens.create(&of_ann, "hash-a", &kim).await.unwrap().unwrap();
    tokens.create(&service, "hash-n", &kim).await.unwrap().unwrap();
    for (wanted, refusal) in [
        (token("ann-1", None, Role::Viewer), TokenRefusal::Exists),
        (token("ann-2", Some("ann"), Role::Admin), TokenRefusal::MoreThanUser(Role::Approver)),
        (token("bob-1", Some("bob"), Role::Viewer), TokenRefusal::NoUser),
    ] {
        assert_eq!(tokens.create(&wanted, "hash-x", &kim).await.unwrap(), Err(refusal));
    }
    assert_eq!(tokens.list().await.unwrap(), [of_ann.clone(), service.clone()]);
    let found = |token: &ApiToken, hash: &str, user_role| {
        Some(FoundToken { token: token.clone(), token_hash: hash.to_owned(), user_role })
    };
    assert_eq!(tokens.find("hash-a").await.unwrap(), found(&of_ann, "hash-a", Some(Role::Approver)));
    assert_eq!(tokens.find("hash-n").await.unwrap(), found(&service, "hash-n", None));
    assert_eq!(tokens.find("hash-x").await.unwrap(), None);
    change(store, "ann", UserChange::SetRole(Role::Viewer)).await.unwrap();
    assert_eq!(tokens.find("hash-a").await.unwrap().unwrap().user_role, Some(Role::Viewer));
    change(store, "ann", UserChange::Disable).await.unwrap();
    assert_eq!(tokens.find("hash-a").await.unwrap().unwrap().user_role, None);
    assert_eq!(
        tokens.create(&token("ann-3", Some("ann"), Role::Viewer), "hash-y", &kim).await.unwrap(),
        Err(TokenRefusal::NoUser),
        "a disabled user gets no token"
    );
}

#[rstest]
#[tokio::test]
async fn a_token_is_revoked_once_and_every_change_is_in_the_trail(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (store, tokens) = (&world.store, world.store.api_tokens());
    let kim = Actor::Person("kim".to_owned());
    tokens.create(&token("nightly", None, Role::Bookkeeper), "hash-n", &kim).await.unwrap().unwrap();
    tokens.note_use("nightly", 20_000).await.unwrap();
    tokens.note_use("nightly", 20_001).await.unwrap();
    tokens.revoke("nightly", NOW + 5, &kim).await.unwrap().unwrap();
    tokens.revoke("nightly", NOW + 9, &kim).await.unwrap().unwrap();
    assert_eq!(tokens.revoke("daily", NOW, &kim).await.unwrap(), Err(TokenRefusal::Unknown));
    let stored = tokens.list().await.unwrap().remove(0);
    assert_eq!((stored.revoked_ms, stored.used_day), (Some(NOW + 5), Some(20_001)));
    assert_eq!(tokens.find("hash-n").await.unwrap().unwrap().token, stored, "also one that may be used no more");
    assert_eq!(
        tokens.create(&token("nightly", None, Role::Viewer), "hash-z", &kim).await.unwrap(),
        Err(TokenRefusal::Exists)
    );
    let trail = store.audit().list_for(&ConnectionId::installation(), "token nightly", 10).await.unwrap();
    let told: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(told, ["token_created", "token_revoked"]);
    assert!(trail.iter().all(|entry| !entry.detail.contains("hash-n")));
}
