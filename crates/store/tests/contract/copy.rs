//! Everything is copied, into either database, and compared; what was left is not worked with any more.

use std::collections::BTreeSet;

use rstest::rstest;
use secrecy::{ExposeSecret as _, SecretString};
use store::{Chain, Delivery, Error, KeyRing, Slot, Store};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

const TOKEN: Slot<'_> = Slot { system: "brex", purpose: "token", host: "api.brex.com" };

/// A database with rows in many tables: texts that are hard, numbers, nothing, and bytes.
async fn full(on: Engine, keys: &KeyRing) -> Option<World> {
    let world = World::on(on).await?;
    let rows = (0..450).map(|number| world.full_row(&format!("accr_{number}")));
    world.insert(rows.collect::<Vec<_>>()).await;
    world.insert([world.row("accr_\u{1F4B8} ';--")]).await;
    let delivery =
        Delivery { event_id: "e".to_owned(), body_hash: "h".to_owned(), payload: "{\"a\":\"\u{202E}\n\"}".to_owned() };
    world.store.inbox().put(&world.main, "brex", &[delivery], NOW).await.unwrap();
    let secret = SecretString::from("canary");
    world.store.vault(keys).seal(&world.main, &TOKEN, &secret, None, NOW).await.unwrap();
    Some(world)
}

#[rstest]
#[tokio::test]
async fn a_copy_holds_every_row_as_it_was_and_a_second_one_changes_nothing(
    #[values(Sqlite, Postgres)] from: Engine,
    #[values(Sqlite, Postgres)] to: Engine,
) {
    let keys = KeyRing::generate().unwrap();
    let (Some(source), Some(target)) = (full(from, &keys).await, World::on(to).await) else { return };
    let copied = source.store.copy_to(&target.store).await.unwrap();
    assert!(!copied.was_there);
    let counted = target.store.count_rows().await.unwrap();
    assert_eq!(source.store.count_rows().await.unwrap(), counted);
    assert!(counted.iter().any(|(table, rows)| *table == "records" && *rows == 451), "{counted:?}");
    assert!(matches!(target.store.audit().verify(&source.main).await.unwrap(), Chain::Verified { .. }));
    assert_eq!(target.record("accr_7").await, source.record("accr_7").await);
    let opened = target.store.vault(&keys).open(&source.main, &TOKEN).await.unwrap().unwrap();
    assert_eq!(opened.expose_secret(), "canary");

    assert!(source.store.copy_to(&target.store).await.unwrap().was_there);
    source.tamper("UPDATE records SET merchant = 'another' WHERE id = 'accr_7'").await;
    let error = source.store.copy_to(&target.store).await.unwrap_err();
    assert!(matches!(error, Error::NotEmpty { .. }), "{error:?}");
    assert_eq!(target.store.count_rows().await.unwrap(), counted);
}

#[rstest]
#[tokio::test]
async fn every_table_is_copied(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let tables = match on {
        Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Postgres => "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'",
    };
    let found: BTreeSet<String> = world.texts(tables).await.into_iter().collect();
    let copied = world.store.count_rows().await.unwrap().into_iter().map(|(table, _)| table.to_owned());
    let own = ["schema_version", "left_for"].map(str::to_owned);
    assert_eq!(found, copied.chain(own).collect());
}

#[rstest]
#[tokio::test]
async fn a_database_that_was_left_is_not_opened_any_more(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    assert!(world.store.leave_for("db.example.com/ml").await.unwrap());
    assert!(!world.store.leave_for("db.example.com/ml").await.unwrap(), "it was left before");
    assert!(matches!(world.store.leave_for("elsewhere").await, Err(Error::Left { .. })));
    let error = Store::open(&world.url).await.unwrap_err();
    assert!(
        error.to_string().ends_with("was moved to db.example.com/ml: name that one in the configuration"),
        "{error}"
    );
}
