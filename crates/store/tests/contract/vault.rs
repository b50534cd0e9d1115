//! The tables `secrets` and `data_keys`: sealed for one place, opened by the right key only, and never lost by a rotation.

use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection as _;
use store::{Error, KeyRing, Slot, Store};

use crate::world::{Engine, NOW, Postgres, Sqlite, World};

const TOKEN: Slot<'_> = Slot { system: "brex", purpose: "token", host: "api.brex.com" };
const CLIENT: Slot<'_> = Slot { system: "entra", purpose: "client_secret", host: "login.microsoftonline.com" };
const CANARY: &str = "canary-3f9a-secret";

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

async fn opened(
    store: &Store,
    ring: &KeyRing,
    connection: &domain::id::ConnectionId,
    slot: &Slot<'_>,
) -> Option<String> {
    store.vault(ring).open(connection, slot).await.unwrap().map(|secret| secret.expose_secret().to_owned())
}

#[rstest]
#[tokio::test]
async fn a_secret_is_kept_per_connection_and_sealed_anew_only_when_it_is_another_one(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let ring = KeyRing::generate().unwrap();
    let vault = world.store.vault(&ring);
    assert!(vault.open(&world.main, &TOKEN).await.unwrap().is_none());
    assert!(vault.seal(&world.main, &TOKEN, &secret(CANARY), None, NOW).await.unwrap());
    assert!(!vault.seal(&world.main, &TOKEN, &secret(CANARY), None, NOW + 1).await.unwrap(), "the same again");
    assert!(vault.seal(&world.other, &TOKEN, &secret("theirs"), None, NOW).await.unwrap());
    assert_eq!(opened(&world.store, &ring, &world.main, &TOKEN).await.as_deref(), Some(CANARY));
    assert!(vault.seal(&world.main, &TOKEN, &secret("second"), Some(NOW + 9), NOW + 2).await.unwrap());
    let listed = vault.list(&world.main).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].created_ms, listed[0].rotated_ms, listed[0].expires_ms, listed[0].data_version),
        (NOW, Some(NOW + 2), Some(NOW + 9), 1)
    );
    assert_eq!(opened(&world.store, &ring, &world.main, &TOKEN).await.as_deref(), Some("second"));
    assert_eq!(opened(&world.store, &ring, &world.other, &TOKEN).await.as_deref(), Some("theirs"));
    assert!(vault.forget(&world.main, "brex", "token").await.unwrap());
    assert!(!vault.forget(&world.main, "brex", "token").await.unwrap());
    assert!(vault.open(&world.main, &TOKEN).await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn only_the_right_key_opens_and_its_id_is_named(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (ring, other) = (KeyRing::generate().unwrap(), KeyRing::generate().unwrap());
    assert!(world.store.needed_keys().await.unwrap().is_empty());
    world.store.vault(&other).check().await.unwrap();
    world.store.vault(&ring).seal(&world.main, &TOKEN, &secret(CANARY), None, NOW).await.unwrap();
    assert_eq!(world.store.needed_keys().await.unwrap(), [ring.current_id()]);
    world.store.vault(&ring).check().await.unwrap();
    for refused in [
        world.store.vault(&other).check().await.unwrap_err(),
        world.store.vault(&other).open(&world.main, &TOKEN).await.unwrap_err(),
        world.store.vault(&other).seal(&world.main, &TOKEN, &secret("x"), None, NOW).await.unwrap_err(),
    ] {
        assert!(matches!(&refused, Error::KeyMissing { needed, found, .. }
            if needed == ring.current_id() && found == other.current_id()));
    }
}

#[rstest]
#[tokio::test]
async fn a_secret_goes_to_its_own_host_only_and_a_changed_row_is_refused(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let ring = KeyRing::generate().unwrap();
    let vault = world.store.vault(&ring);
    vault.seal(&world.main, &TOKEN, &secret(CANARY), None, NOW).await.unwrap();
    vault.seal(&world.main, &CLIENT, &secret("entra"), None, NOW).await.unwrap();
    vault.seal(&world.other, &TOKEN, &secret("theirs"), None, NOW).await.unwrap();
    let elsewhere = Slot { host: "evil.example", ..TOKEN };
    let refused = vault.open(&world.main, &elsewhere).await.unwrap_err();
    assert!(matches!(&refused, Error::OtherHost { sealed_for, .. } if sealed_for == "api.brex.com"));
    // Each column that a secret is bound to, changed behind the vault's back, and a row copied from another connection.
    for (sql, slot) in [
        ("UPDATE secrets SET host = 'evil.example' WHERE connection = 'main' AND system = 'brex'", elsewhere),
        (
            "UPDATE secrets SET purpose = 'old' WHERE connection = 'main' AND system = 'entra'",
            Slot { purpose: "old", ..CLIENT },
        ),
        (
            "UPDATE secrets SET sealed = (SELECT s.sealed FROM secrets s WHERE s.connection = 'main' AND s.system = 'brex'), \
             nonce = (SELECT s.nonce FROM secrets s WHERE s.connection = 'main' AND s.system = 'brex') \
             WHERE connection = 'other'",
            TOKEN,
        ),
    ] {
        world.tamper(sql).await;
        let connection = if sql.ends_with("'other'") { &world.other } else { &world.main };
        let refused = vault.open(connection, &slot).await.unwrap_err();
        assert!(matches!(refused, Error::NotSealed { table: "secrets", .. }), "{sql}");
    }
    world.tamper("UPDATE data_keys SET version = 2 WHERE connection = 'other'").await;
    assert!(matches!(vault.check().await.unwrap_err(), Error::NotSealed { table: "data_keys", .. }));
}

#[rstest]
#[tokio::test]
async fn a_rotation_that_dies_after_any_batch_loses_nothing_and_is_taken_up_again(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let old = KeyRing::generate().unwrap();
    let purposes: Vec<String> = (0..5).map(|number| format!("client_state/{number}")).collect();
    let slots: Vec<Slot<'_>> = purposes
        .iter()
        .map(|purpose| Slot { system: "bc", purpose, host: "api.businesscentral.dynamics.com" })
        .collect();
    for connection in [&world.main, &world.other] {
        for slot in &slots {
            world.store.vault(&old).seal(connection, slot, &secret(slot.purpose), None, NOW).await.unwrap();
        }
    }
    let ring = old.with_new_key().unwrap();
    let url = world.url.clone();
    // Every step is made by a process of its own, of which nothing but the tables is left.
    let mut steps = 0;
    let mut batches = 0;
    loop {
        let store = Store::open(&url).await.unwrap();
        let vault = store.vault(&ring);
        let mut done = vault.rewrap(1).await.unwrap();
        for connection in [&world.main, &world.other] {
            if steps == 0 {
                assert!(vault.begin_data_rotation(connection, NOW + 1).await.unwrap());
            }
            done += vault.reseal(connection, 1).await.unwrap();
        }
        for connection in [&world.main, &world.other] {
            if done > 0 {
                assert!(!vault.begin_data_rotation(connection, NOW).await.unwrap(), "one rotation at a time");
            }
            for slot in &slots {
                assert_eq!(opened(&store, &ring, connection, slot).await.as_deref(), Some(slot.purpose));
            }
        }
        store.close().await;
        steps += 1;
        batches += done;
        if done == 0 {
            break;
        }
    }
    assert_eq!(batches, 2 + 10, "two data keys were wrapped anew and ten secrets sealed anew");
    let left = ring.only_current();
    let store = Store::open(&url).await.unwrap();
    store.vault(&left).check().await.unwrap();
    for slot in &slots {
        assert_eq!(opened(&store, &left, &world.main, slot).await.as_deref(), Some(slot.purpose));
    }
    store.close().await;
}

#[rstest]
#[tokio::test]
async fn a_secret_that_is_sealed_while_keys_rotate_is_never_under_a_key_that_is_gone(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let ring = KeyRing::generate().unwrap();
    world.store.vault(&ring).seal(&world.main, &CLIENT, &secret("entra"), None, NOW).await.unwrap();
    let (store, main) = (world.store.clone(), world.main.clone());
    let sealing = {
        let (store, ring, main) = (store.clone(), ring.clone(), main.clone());
        tokio::spawn(async move {
            for number in 0..40 {
                store.vault(&ring).seal(&main, &TOKEN, &secret(&number.to_string()), None, NOW).await.unwrap();
                assert_eq!(opened(&store, &ring, &main, &TOKEN).await, Some(number.to_string()));
            }
        })
    };
    for _ in 0..40 {
        let vault = store.vault(&ring);
        vault.begin_data_rotation(&main, NOW).await.unwrap();
        while vault.reseal(&main, 1).await.unwrap() > 0 {}
    }
    sealing.await.unwrap();
    assert_eq!(opened(&store, &ring, &main, &TOKEN).await.as_deref(), Some("39"));
}

/// Found by a run on a busy machine: who waited for the only key while a rotation put another in its place locked none, and a reseal
/// wrote the secret of before over the new one.
#[tokio::test]
async fn who_waited_while_a_rotation_ended_locks_the_key_that_took_the_place() {
    let Some(world) = World::on(Postgres).await else { return };
    let ring = KeyRing::generate().unwrap();
    let vault = world.store.vault(&ring);
    vault.seal(&world.main, &CLIENT, &secret("entra"), None, NOW).await.unwrap();
    assert!(vault.begin_data_rotation(&world.main, NOW).await.unwrap());
    vault.forget(&world.main, CLIENT.system, CLIENT.purpose).await.unwrap();
    world.tamper("CREATE TABLE kept AS SELECT * FROM data_keys WHERE version = 2").await;
    world.tamper("DELETE FROM data_keys WHERE version = 2").await;
    let mut rotation = sqlx::AnyConnection::connect(&world.url).await.unwrap();
    let begin = "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('main', 7310294564)); \
         UPDATE data_keys SET version = version";
    sqlx::raw_sql(begin).execute(&mut rotation).await.unwrap();
    let sealing = {
        let (store, ring, main) = (world.store.clone(), ring.clone(), world.main.clone());
        tokio::spawn(async move { store.vault(&ring).seal(&main, &TOKEN, &secret("new"), None, NOW).await })
    };
    let waiting = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_activity WHERE datname = current_database() \
         AND wait_event_type = 'Lock'";
    while world.number(waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    let end = "INSERT INTO data_keys SELECT * FROM kept; DELETE FROM data_keys WHERE version = 1; COMMIT";
    sqlx::raw_sql(end).execute(&mut rotation).await.unwrap();
    assert!(sealing.await.unwrap().unwrap());
    assert_eq!(world.number("SELECT MIN(version) FROM data_keys").await, 2, "the key that is gone was not made again");
    assert_eq!(opened(&world.store, &ring, &world.main, &TOKEN).await.as_deref(), Some("new"));
}

#[tokio::test]
async fn the_database_files_hold_no_secret_and_no_key() {
    let world = World::on(Sqlite).await.unwrap();
    let ring = KeyRing::generate().unwrap();
    world.store.vault(&ring).seal(&world.main, &TOKEN, &secret(CANARY), None, NOW).await.unwrap();
    world.store.vault(&ring).seal(&world.main, &TOKEN, &secret("canary-2"), None, NOW).await.unwrap();
    world.store.close().await;
    let mut names = 0;
    for entry in std::fs::read_dir(world.path().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        names += usize::from(text.contains(ring.current_id()));
        assert!(!text.contains("canary"));
        assert!(!text.contains(ring.to_text().expose_secret().trim().trim_start_matches("mlk1_")));
    }
    assert!(names > 0, "a copy of the database names the key that it needs");
}
