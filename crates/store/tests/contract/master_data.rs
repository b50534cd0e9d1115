//! The table `master_data`.

use std::time::{Duration, Instant};

use domain::audit::Note;
use rstest::rstest;
use serde_json::json;
use store::{Changed, MasterKind, MasterRow, Telling};

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine};

fn row(id: &str, name: &str) -> MasterRow {
    MasterRow {
        bc_id: id.to_owned(),
        code: format!("C-{id}"),
        name: name.to_owned(),
        attributes: "{\"blocked\":\"no\"}".to_owned(),
        modified_ms: None,
    }
}

#[rstest]
#[tokio::test]
async fn replacing_writes_what_differs_and_removes_what_is_gone(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, mirror) = (world.lease().await, world.store.master_data());
    let replace = async |rows: &[MasterRow], now_ms| {
        mirror.replace_all(&lease, &world.main, MasterKind::Vendor, rows, now_ms).await.unwrap()
    };
    let first = [row("1", "one"), row("2", "two"), row("3", "three")];
    assert_eq!(replace(&first, NOW).await, Changed { added: 3, changed: 0, removed: 0 });
    assert_eq!(replace(&first, NOW + 1).await, Changed::default());
    let written = "SELECT CAST(COUNT(*) AS BIGINT) FROM master_data WHERE written_ms > 1790000000000";
    assert_eq!(world.number(written).await, 0, "nothing differed, so nothing was written");

    let renamed = MasterRow { modified_ms: Some(NOW), ..row("2", "zwei") };
    let second = [row("4", "four"), renamed.clone(), row("1", "one")];
    assert_eq!(replace(&second, NOW + 2).await, Changed { added: 1, changed: 1, removed: 1 });
    assert_eq!(world.number(written).await, 2);
    let listed = mirror.list(&world.main, MasterKind::Vendor).await.unwrap();
    assert_eq!(listed, [row("1", "one"), renamed, row("4", "four")]);
    assert_eq!(replace(&[], NOW + 3).await, Changed { added: 0, changed: 0, removed: 3 });
}

#[rstest]
#[tokio::test]
async fn of_rows_with_the_same_id_the_last_counts(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, mirror) = (world.lease().await, world.store.master_data());
    let rows = [row("1", "old"), row("1", "new\0")];
    let changed = mirror.replace_all(&lease, &world.main, MasterKind::Setup, &rows, NOW).await.unwrap();
    assert_eq!(changed, Changed { added: 1, changed: 0, removed: 0 });
    let again = mirror.upsert(&lease, &world.main, MasterKind::Setup, &rows, NOW).await.unwrap();
    assert_eq!(again, Changed::default());
    assert_eq!(mirror.list(&world.main, MasterKind::Setup).await.unwrap()[0].name, "new\u{FFFD}");
}

#[rstest]
#[tokio::test]
async fn kinds_and_connections_stand_apart_and_upsert_removes_nothing(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, mirror) = (world.lease().await, world.store.master_data());
    let kinds = [
        MasterKind::Vendor,
        MasterKind::Account,
        MasterKind::Dimension,
        MasterKind::DimensionValue,
        MasterKind::Currency,
        MasterKind::Setup,
    ];
    for kind in kinds {
        mirror.upsert(&lease, &world.main, kind, &[row("1", kind.as_str())], NOW).await.unwrap();
    }
    mirror.replace_all(&lease, &world.other, MasterKind::Vendor, &[row("1", "other")], NOW).await.unwrap();
    let changed = mirror.upsert(&lease, &world.main, MasterKind::Vendor, &[row("2", "more")], NOW).await.unwrap();
    assert_eq!(changed, Changed { added: 1, changed: 0, removed: 0 });
    mirror.replace_all(&lease, &world.main, MasterKind::Account, &[], NOW).await.unwrap();
    for kind in kinds {
        let left = mirror.list(&world.main, kind).await.unwrap().len();
        let expected = match kind {
            MasterKind::Vendor => 2,
            MasterKind::Account => 0,
            _ => 1,
        };
        assert_eq!(left, expected, "{kind:?}");
    }
    assert_eq!(mirror.list(&world.other, MasterKind::Vendor).await.unwrap()[0].name, "other");
}

#[rstest]
#[tokio::test]
async fn fifty_thousand_vendors_are_mirrored_in_seconds(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, mirror) = (world.lease().await, world.store.master_data());
    let mut rows: Vec<MasterRow> = (0..50_000).map(|n| row(&format!("{n:08}"), "a vendor of usual length")).collect();
    #[expect(clippy::disallowed_methods, reason = "measures how long a large mirror takes")]
    let started = Instant::now();
    let changed = mirror.replace_all(&lease, &world.main, MasterKind::Vendor, &rows, NOW).await.unwrap();
    assert_eq!(changed.added, 50_000);
    rows.truncate(49_990);
    let changed = mirror.replace_all(&lease, &world.main, MasterKind::Vendor, &rows, NOW).await.unwrap();
    assert_eq!(changed, Changed { added: 0, changed: 0, removed: 10 });
    let took = started.elapsed();
    println!("50,000 vendors written and compared in {took:?}");
    // Generous, since this is an unoptimised build on a shared machine; row by row it would take minutes.
    assert!(took < Duration::from_mins(1), "{took:?}");
}

#[rstest]
#[tokio::test]
async fn a_refresh_tells_about_watched_rows_that_changed_and_no_others(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, mirror) = (world.lease().await, world.store.master_data());
    let (actor, watched) = (engine(), ["1", "2", "3"].map(str::to_owned).into());
    let tell = |id: &str, was: Option<&MasterRow>, is: Option<&MasterRow>| {
        let name = |row: Option<&MasterRow>| row.map(|row| row.name.clone());
        let subject = format!("vendor {id}");
        vec![Note { action: "told".to_owned(), subject, before: name(was), after: name(is), detail: json!({}) }]
    };
    let telling = Telling { actor: &actor, watched: &watched, tell };
    let first = [row("1", "one"), row("2", "two"), row("4", "four")];
    mirror.replace_all(&lease, &world.main, MasterKind::Vendor, &first, NOW).await.unwrap();
    let second = [row("1", "one"), row("3", "three"), row("4", "vier")];
    let changed = mirror.replace_all_telling(&lease, &world.main, MasterKind::Vendor, &second, NOW + 1, &telling).await;
    assert_eq!(changed.unwrap(), Changed { added: 1, changed: 1, removed: 1 });
    let entries = world.store.audit().list(&world.main, 0, 10).await.unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.subject.as_str(), e.before.as_deref(), e.after.as_deref())).collect();
    assert_eq!(told, [("vendor 2", Some("two"), None), ("vendor 3", None, Some("three"))]);
    let third = [row("1", "one"), row("3", "trois"), row("4", "quatre")];
    let upserted =
        mirror.upsert_telling(&lease, &world.main, MasterKind::Vendor, &third, NOW + 2, Some(&telling)).await;
    assert_eq!(upserted.unwrap().removed, 0);
    let entries = world.store.audit().list(&world.main, 2, 10).await.unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.subject.as_str(), e.before.as_deref(), e.after.as_deref())).collect();
    assert_eq!(told, [("vendor 3", Some("three"), Some("trois"))]);
}
