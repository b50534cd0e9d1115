//! The table `cursors`.

use rstest::rstest;

use crate::world::{Engine, Postgres, Sqlite, World};

#[rstest]
#[tokio::test]
async fn a_cursor_holds_its_newest_value_per_connection_and_name(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, cursors) = (world.lease().await, world.store.cursors());
    assert_eq!(cursors.get(&world.main, "far").await.unwrap(), None);
    cursors.set(&lease, &world.main, "far", "1").await.unwrap();
    cursors.set(&lease, &world.main, "far", "2").await.unwrap();
    cursors.set(&lease, &world.main, "near", "9").await.unwrap();
    assert_eq!(cursors.get(&world.main, "far").await.unwrap().as_deref(), Some("2"));
    assert_eq!(cursors.get(&world.main, "near").await.unwrap().as_deref(), Some("9"));
    assert_eq!(cursors.get(&world.other, "far").await.unwrap(), None);
}
