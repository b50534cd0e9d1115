//! The table `vendor_matches`, written with the record it is about.

use rstest::rstest;
use store::{Applied, Change, VendorMatch};

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change, ids};

#[rstest]
#[tokio::test]
async fn the_newest_match_of_a_record_is_kept_and_a_stale_write_leaves_none(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let matched = |version, decision: &str| VendorMatch {
        record_id: ids(&["a"])[0].clone(),
        version,
        asked: "{\"descriptor\":\"ACME\"}".to_owned(),
        decision: decision.to_owned(),
        decided_ms: NOW,
    };
    let with = |row, matched| Change { matched: Some(matched), ..change(row) };
    world.apply(&lease, &[with(world.row("a"), matched(1, "{}"))]).await;
    let found = world.store.vendor_matches().find_many(&world.main, &ids(&["a", "b"])).await.unwrap();
    assert_eq!(found, [matched(1, "{}")]);

    let row = world.record("a").await;
    world.apply(&lease, &[with(row.clone(), matched(2, "{\"outcome\":\"auto\"}"))]).await;
    let stale = world.apply(&lease, &[with(row, matched(3, "{}"))]).await;
    assert_eq!(stale, [Applied::Stale]);
    let found = world.store.vendor_matches().find_many(&world.main, &ids(&["a"])).await.unwrap();
    assert_eq!(found, [matched(2, "{\"outcome\":\"auto\"}")]);
    assert!(world.store.vendor_matches().find_many(&world.other, &ids(&["a"])).await.unwrap().is_empty());
}
