//! Opening: settings, versions, and what is said about databases that cannot be used.

use rstest::rstest;
use store::{Error, Kind, Store};

use crate::world::{Engine, NOW, Postgres, Sqlite, TTL, World, engine, note};

async fn open_error(url: &str) -> Error {
    Store::open(url).await.err().unwrap()
}

#[rstest]
#[tokio::test]
async fn a_store_says_what_it_is_and_opens_again_with_all_that_was_committed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    assert_eq!(world.store.kind(), if on == Sqlite { Kind::Sqlite } else { Kind::Postgres });
    world.insert([world.full_row("accr_1")]).await;
    assert!(world.store.size_bytes().await.unwrap() > 4_096);
    world.store.close().await;
    let again = Store::open(&world.url).await.unwrap();
    assert_eq!(again.records().list(&world.main, None, 10).await.unwrap().len(), 1);
    again.close().await;
}

#[rstest]
#[tokio::test]
async fn a_process_that_dies_without_closing_loses_nothing_that_was_committed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let doomed = Store::open(&world.url).await.unwrap();
    let lease = doomed.lanes().lease("lane", "doomed", NOW, TTL).await.unwrap().unwrap();
    doomed.cursors().set(&lease, &world.main, "far", "42").await.unwrap();
    drop(doomed);
    assert_eq!(world.store.cursors().get(&world.main, "far").await.unwrap().as_deref(), Some("42"));
    // The lane is fenced off as soon as the lease of the dead process has expired.
    let next = world.store.lanes().lease("lane", "next", NOW + TTL, TTL).await.unwrap().unwrap();
    assert!(next.epoch > lease.epoch);
}

#[rstest]
#[tokio::test]
async fn a_transaction_that_is_dropped_half_way_leaves_nothing(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let notes: Vec<_> = (0..2_000).map(|n| note(&format!("accr_{n}"))).collect();
    let (audit, who) = (world.store.audit(), engine());
    let mut writing = Box::pin(audit.append_unleased(&world.main, NOW, &who, &notes));
    // Polled until it is under way, then dropped, as a cancelled request is.
    for _ in 0..3 {
        let waiting = futures_poll(&mut writing).await;
        assert!(waiting.is_none(), "the batch is too small to be interrupted");
        tokio::task::yield_now().await;
    }
    drop(writing);
    assert!(world.store.audit().list(&world.main, 0, 10).await.unwrap().is_empty());
    world.store.audit().append_unleased(&world.main, NOW, &engine(), &[note("accr_1")]).await.unwrap();
    assert_eq!(world.store.audit().list(&world.main, 0, 10).await.unwrap().len(), 1);
}

/// Polls once.
async fn futures_poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[rstest]
#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.tamper("UPDATE schema_version SET version = 99").await;
    let error = open_error(&world.url).await;
    assert!(matches!(error, Error::NewerSchema { found: 99, known: 21, .. }), "{error:?}");
    assert!(!error.to_string().contains("postgres@"));
    assert_eq!(world.number("SELECT version FROM schema_version").await, 99);
}

#[rstest]
#[tokio::test]
async fn processes_that_open_a_new_database_together_all_succeed(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.store.close().await;
    if on == Sqlite {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = world.path().into_os_string();
            path.push(suffix);
            drop(std::fs::remove_file(path));
        }
    } else {
        world.tamper("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    }
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let url = world.url.clone();
            tokio::spawn(async move { Store::open(&url).await })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap().close().await;
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM schema_version").await, 1);
}

#[tokio::test]
async fn memory_is_a_store_too() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let lease = store.lanes().lease("lane", "a", NOW, TTL).await.unwrap().unwrap();
    assert!(store.lanes().holds(&lease, NOW).await.unwrap());
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_readable_by_its_owner_only_and_so_are_the_files_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::on(Sqlite).await.unwrap();
    let lease = world.lease().await;
    world.store.cursors().set(&lease, &world.main, "a", "b").await.unwrap();
    for entry in std::fs::read_dir(world.path().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn the_file_is_in_wal_mode() {
    let world = World::on(Sqlite).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'").await, 1);
}

#[tokio::test]
async fn a_text_file_is_not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "buy milk\n".repeat(1_000)).unwrap();
    let error = open_error(&format!("sqlite:{}", path.display())).await;
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"));
    assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 9_000);
}

#[tokio::test]
async fn a_damaged_file_is_refused_at_the_door() {
    let world = World::on(Sqlite).await.unwrap();
    let rows: Vec<_> = (0..200).map(|n| world.full_row(&format!("accr_{n:03}"))).collect();
    world.insert(rows).await;
    world.store.close().await;
    let mut bytes = std::fs::read(world.path()).unwrap();
    assert!(bytes.len() > 40_000, "{}", bytes.len());
    bytes[20_000..40_000].fill(0xA5);
    std::fs::write(world.path(), bytes).unwrap();
    let error = open_error(&world.url).await;
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_was_cut_short_is_refused_at_the_door() {
    let world = World::on(Sqlite).await.unwrap();
    world.insert((0..200).map(|n| world.full_row(&format!("accr_{n:03}")))).await;
    world.store.close().await;
    let bytes = std::fs::read(world.path()).unwrap();
    std::fs::write(world.path(), &bytes[..bytes.len() / 2]).unwrap();
    let error = open_error(&world.url).await;
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open_error(&format!("sqlite:{}/missing/store.db", folder.path().display())).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("/missing/store.db"));
}

/// Root may write everywhere but into the kernel's own folders, so it is tried there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_as_such() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let is_root = std::fs::write(folder.path().join("probe"), "").is_ok();
    let unwritable = if is_root { std::path::Path::new("/sys") } else { folder.path() };
    let error = open_error(&format!("sqlite:{}/store.db", unwritable.display())).await;
    assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_the_password() {
    let error = open_error("postgres://kim:s3cret@127.0.0.1:1/books").await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1:1/books"));
    assert!(!format!("{error:?} {error}").contains("s3cret"));
}

#[tokio::test]
async fn an_address_of_nothing_we_know_is_refused_without_the_password() {
    let error = open_error("mysql://kim:s3cret@db.example/books").await;
    assert!(matches!(error, Error::UnknownAddress { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("s3cret"));
}

#[rstest]
#[tokio::test]
async fn a_closed_store_says_so(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    world.store.close().await;
    let error = world.store.connections().ensure(&world.main, NOW).await.err().unwrap();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}
