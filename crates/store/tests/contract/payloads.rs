//! The table `payloads`.

use domain::id::RecordId;
use rstest::rstest;
use store::{Change, Lease, RecordRow};

use crate::world::{Engine, NOW, Postgres, Sqlite, World, change};

/// Writes the record again with this payload.
async fn put(world: &World, lease: &Lease, version: i64, payload: &str) {
    let known = world.store.records().get(&world.main, &RecordId::new("a")).await.unwrap();
    let row = RecordRow { version, ..known.unwrap_or_else(|| world.row("a")) };
    let change = Change { payload: Some(payload.to_owned()), ..change(row) };
    world.apply(lease, &[change]).await;
}

async fn newest(world: &World, version: i64) -> Option<String> {
    let found = world.store.payloads().get_many(&world.main, &[(RecordId::new("a"), version)]).await.unwrap();
    assert!(found.iter().all(|p| p.record_id.as_str() == "a" && p.version == version && p.received_ms == NOW));
    found.into_iter().next().map(|payload| payload.payload)
}

#[rstest]
#[tokio::test]
async fn a_payload_reads_back_word_for_word(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let text = "{ \"amount\" : 12.30000000000000000001 , \"name\":\"Caf\\u00e9 é 🦀\" }";
    put(&world, &lease, 3, text).await;
    assert_eq!(newest(&world, 3).await.as_deref(), Some(text));
    assert_eq!(newest(&world, 2).await, None);
}

#[rstest]
#[tokio::test]
async fn the_same_text_is_kept_once_and_another_one_as_the_next_revision(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    for (text, rows) in [("one", 1), ("one", 1), ("two", 2), ("two", 2), ("one", 3)] {
        put(&world, &lease, 3, text).await;
        assert_eq!(newest(&world, 3).await.as_deref(), Some(text));
        assert_eq!(world.number("SELECT CAST(COUNT(*) AS BIGINT) FROM payloads").await, rows);
    }
}

#[rstest]
#[tokio::test]
async fn versions_stand_side_by_side_and_connections_apart(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    put(&world, &lease, 1, "first").await;
    put(&world, &lease, 2, "second").await;
    let wanted = [(RecordId::new("a"), 1), (RecordId::new("a"), 2), (RecordId::new("b"), 1)];
    let payloads = world.store.payloads();
    let mut found: Vec<String> =
        payloads.get_many(&world.main, &wanted).await.unwrap().into_iter().map(|payload| payload.payload).collect();
    found.sort();
    assert_eq!(found, ["first", "second"]);
    assert!(payloads.get_many(&world.other, &wanted).await.unwrap().is_empty());
    assert!(payloads.get_many(&world.main, &[]).await.unwrap().is_empty());
}
