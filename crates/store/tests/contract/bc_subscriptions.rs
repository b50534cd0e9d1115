//! The table `bc_subscriptions`.

use rstest::rstest;
use store::BcSubscriptionRow;

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

#[rstest]
#[tokio::test]
async fn a_subscription_is_kept_once_per_set_and_connection(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, kept) = (world.lease().await, world.store.bc_subscriptions());
    let intended = BcSubscriptionRow {
        set: "vendors".to_owned(),
        subscription_id: None,
        states: vec!["aa".to_owned()],
        renewed_ms: None,
        expires_ms: None,
    };
    kept.save(&lease, &world.main, &intended).await.unwrap();
    assert_eq!(kept.list(&world.main).await.unwrap(), std::slice::from_ref(&intended));
    let made = BcSubscriptionRow {
        subscription_id: Some("c670".to_owned()),
        states: vec!["bb".to_owned(), "aa".to_owned()],
        renewed_ms: Some(NOW),
        expires_ms: Some(NOW + 3),
        ..intended.clone()
    };
    kept.save(&lease, &world.main, &made).await.unwrap();
    let accounts = BcSubscriptionRow { set: "accounts".to_owned(), ..intended };
    kept.save(&lease, &world.main, &accounts).await.unwrap();
    assert_eq!(kept.list(&world.main).await.unwrap(), [accounts, made]);
    assert!(kept.list(&world.other).await.unwrap().is_empty());
}
