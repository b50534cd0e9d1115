//! The tables `audit` and `audit_heads`: the chain, and what a look at it finds.

use domain::audit::{Actor, Broken, Entry, Note};
use domain::id::ConnectionId;
use rstest::rstest;
use serde_json::json;
use store::{Break, Chain};

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine, note};

/// A chain of five entries about `a` to `e`.
async fn chained(on: Engine) -> Option<World> {
    let world = World::on(on).await?;
    let lease = world.lease().await;
    let notes = ["a", "b", "c"].map(note);
    world.store.audit().append(&lease, &world.main, NOW, &engine(), &notes).await.unwrap();
    let person = Actor::Person("kim".to_owned());
    world.store.audit().append_unleased(&world.main, NOW + 1, &person, &["d", "e"].map(note)).await.unwrap();
    Some(world)
}

async fn verify(world: &World) -> Chain {
    world.store.audit().verify(&world.main).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn entries_read_back_in_their_order(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = chained(on).await else { return };
    let audit = world.store.audit();
    let all = audit.list(&world.main, 0, 10).await.unwrap();
    let subjects: Vec<&str> = all.iter().map(|entry| entry.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b", "c", "d", "e"]);
    assert_eq!((all[3].actor.as_str(), all[3].at_ms, all[3].seq), ("person:kim", NOW + 1, 4));
    assert_eq!(all[0].detail, "{\"amount\":\"12.30\",\"why\":\"a\\u0000b\"}");
    assert_eq!(audit.list(&world.main, 3, 1).await.unwrap(), all[3..4]);
    assert!(audit.list(&world.other, 0, 10).await.unwrap().is_empty());

    audit.append_unleased(&world.main, NOW + 2, &engine(), &["a", "a"].map(note)).await.unwrap();
    let seqs = |entries: Vec<Entry>| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
    assert_eq!(seqs(audit.list_for(&world.main, "a", 10).await.unwrap()), [1, 6, 7]);
    assert_eq!(seqs(audit.list_for(&world.main, "a", 2).await.unwrap()), [6, 7]);
    assert!(audit.list_for(&world.other, "a", 10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_chain_of_mixed_batches_verifies_and_an_empty_one_too(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = chained(on).await else { return };
    let odd = Note {
        action: "odd".to_owned(),
        subject: "x\0y".to_owned(),
        before: Some(String::new()),
        after: None,
        detail: json!({ "text": "é 🦀 \" \\", "number": 1.50 }),
    };
    world.store.audit().append_unleased(&world.main, i64::MAX, &engine(), &[odd]).await.unwrap();
    world.store.audit().append_unleased(&world.main, NOW, &engine(), &[]).await.unwrap();
    let many: Vec<Note> = (0..2_100).map(|n| note(&format!("accr_{n}"))).collect();
    world.store.audit().append_unleased(&world.main, NOW, &engine(), &many).await.unwrap();
    let Chain::Verified { entries, head } = verify(&world).await else { panic!() };
    assert_eq!(entries, 2_106);
    assert_eq!(world.store.audit().list(&world.main, 2_105, 1).await.unwrap()[0].hash, head);
    let empty = world.store.audit().verify(&world.other).await.unwrap();
    assert_eq!(empty, Chain::Verified { entries: 0, head: "0".repeat(64) });
}

#[rstest]
#[tokio::test]
async fn the_part_behind_a_known_entry_verifies_by_itself(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = chained(on).await else { return };
    let audit = world.store.audit();
    let entries = audit.list(&world.main, 0, 10).await.unwrap();
    let after = |place: usize| (entries[place].seq, entries[place].hash.clone());
    for place in 0..5 {
        let (seq, hash) = after(place);
        let whole = Chain::Verified { entries: 5, head: entries[4].hash.clone() };
        assert_eq!(audit.verify_after(&world.main, seq, &hash).await.unwrap(), whole);
    }
    let (seq, _) = after(1);
    let other = audit.verify_after(&world.main, seq, &entries[0].hash).await.unwrap();
    assert_eq!(other, Chain::Broken(Break::Entry(Broken::Link(3))), "behind another entry nothing fits");
}

#[rstest]
#[case::at_ms("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 3", Broken::Content(3))]
#[case::actor("UPDATE audit SET actor = 'person:eve' WHERE seq = 3", Broken::Content(3))]
#[case::action("UPDATE audit SET action = 'slept' WHERE seq = 3", Broken::Content(3))]
#[case::subject("UPDATE audit SET subject = 'z' WHERE seq = 3", Broken::Content(3))]
#[case::before("UPDATE audit SET state_before = '' WHERE seq = 3", Broken::Content(3))]
#[case::after("UPDATE audit SET state_after = NULL WHERE seq = 3", Broken::Content(3))]
#[case::detail("UPDATE audit SET detail = '{}' WHERE seq = 3", Broken::Content(3))]
#[case::hash("UPDATE audit SET hash = previous WHERE seq = 3", Broken::Content(3))]
#[case::previous("UPDATE audit SET previous = hash WHERE seq = 3", Broken::Link(3))]
#[case::removed("DELETE FROM audit WHERE seq = 3", Broken::Gap { expected: 3, found: 4 })]
#[case::first_removed("DELETE FROM audit WHERE seq = 1", Broken::Gap { expected: 1, found: 2 })]
#[case::renumbered("UPDATE audit SET seq = 9 WHERE seq = 5", Broken::Gap { expected: 5, found: 9 })]
#[case::slipped_in("UPDATE audit SET seq = -1 WHERE seq = 1", Broken::Gap { expected: 1, found: -1 })]
#[tokio::test]
async fn tampering_with_an_entry_is_found_where_it_is(
    #[case] sql: &str,
    #[case] broken: Broken,
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = chained(on).await else { return };
    world.tamper(sql).await;
    assert_eq!(verify(&world).await, Chain::Broken(Break::Entry(broken)));
}

#[rstest]
#[case::cut_off("DELETE FROM audit WHERE seq = 5", 4, 5)]
#[case::emptied("DELETE FROM audit", 0, 5)]
#[case::head_set_back("UPDATE audit_heads SET seq = 4", 5, 4)]
#[case::head_rehashed("UPDATE audit_heads SET hash = 'ff'", 5, 5)]
#[case::head_removed("DELETE FROM audit_heads", 5, 0)]
#[tokio::test]
async fn tampering_with_the_end_is_found(
    #[case] sql: &str,
    #[case] last: i64,
    #[case] head: i64,
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = chained(on).await else { return };
    world.tamper(sql).await;
    assert_eq!(verify(&world).await, Chain::Broken(Break::Head { last, head }));
}

#[rstest]
#[tokio::test]
async fn an_entry_that_was_rehashed_breaks_the_link_of_the_next(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = chained(on).await else { return };
    let mut third = world.store.audit().list(&world.main, 2, 1).await.unwrap().remove(0);
    "z".clone_into(&mut third.subject);
    let hash = third.expected_hash("main");
    world.tamper(&format!("UPDATE audit SET subject = 'z', hash = '{hash}' WHERE seq = 3")).await;
    assert_eq!(verify(&world).await, Chain::Broken(Break::Entry(Broken::Link(4))));
}

#[rstest]
#[tokio::test]
async fn a_chain_moved_to_another_connection_is_found(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = chained(on).await else { return };
    world.tamper("UPDATE audit SET connection = 'other'; UPDATE audit_heads SET connection = 'other'").await;
    let moved = world.store.audit().verify(&world.other).await.unwrap();
    assert_eq!(moved, Chain::Broken(Break::Entry(Broken::Content(1))));
}

#[rstest]
#[tokio::test]
async fn appenders_at_the_same_time_do_not_fork_the_chain(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let second = store::Store::open(&world.url).await.unwrap();
    let append = |store: store::Store, main: ConnectionId, who: String| async move {
        for n in 0..10 {
            let notes = [note(&format!("{who}-{n}")), note(&who)];
            store.audit().append_unleased(&main, NOW, &engine(), &notes).await.unwrap();
        }
    };
    let appending: Vec<_> = (0..4)
        .map(|n| {
            let store = if n % 2 == 0 { world.store.clone() } else { second.clone() };
            tokio::spawn(append(store, world.main.clone(), format!("p{n}")))
        })
        .collect();
    for appending in appending {
        appending.await.unwrap();
    }
    assert!(matches!(verify(&world).await, Chain::Verified { entries: 80, .. }));
    second.close().await;
}
