//! The table `brex_vendors`.

use domain::brex_vendor::{Fields, Presence, State, VendorHold};
use rstest::rstest;
use store::{BrexVendorChange, BrexVendorRow, Chain};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine, note};

fn row(n: u128) -> BrexVendorRow {
    BrexVendorRow {
        bc_id: Uuid::from_u128(n),
        number: format!("V{n:05}"),
        bc_name: format!("Caf\u{e9} {n}"),
        email: None,
        phone: None,
        presence: Presence::Active,
        name: Some(format!("Cafe {n}")),
        state: State::New,
        brex_id: None,
        ours: false,
        sent: None,
        written: None,
        seen: None,
        attempt: 1,
        tries: 0,
        hold: None,
        hold_text: None,
        due_ms: Some(NOW),
        looked_ms: None,
        created_ms: NOW,
        updated_ms: NOW,
    }
}

fn here(n: u128) -> BrexVendorRow {
    let seen = Some(Fields { name: format!("Cafe {n}"), email: Some("a@x.io".to_owned()), phone: None });
    BrexVendorRow {
        state: State::Here,
        brex_id: Some(format!("pdcont_{n}")),
        ours: true,
        written: seen.clone(),
        sent: seen.clone(),
        seen,
        due_ms: None,
        looked_ms: Some(NOW),
        ..row(n)
    }
}

fn changes(rows: &[BrexVendorRow]) -> Vec<BrexVendorChange> {
    rows.iter()
        .map(|row| BrexVendorChange { row: row.clone(), notes: vec![note(&format!("brex_vendor {}", row.bc_id))] })
        .collect()
}

#[rstest]
#[tokio::test]
async fn every_column_comes_back_as_it_was_written_and_the_trail_tells(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, map) = (world.lease().await, world.store.brex_vendors());
    let full = BrexVendorRow {
        email: Some("a@x.io".to_owned()),
        phone: Some("+1".to_owned()),
        presence: Presence::Blocked,
        attempt: 3,
        tries: 2,
        hold: Some(VendorHold::NotOurs),
        hold_text: Some("why".to_owned()),
        ..here(1)
    };
    map.apply(&lease, &world.main, NOW, &engine(), &changes(&[full.clone(), row(2)])).await.unwrap();
    assert_eq!(map.list(&world.main).await.unwrap(), [full.clone(), row(2)]);
    assert!(map.list(&world.other).await.unwrap().is_empty());

    let changed = BrexVendorRow { tries: 0, hold: None, hold_text: None, updated_ms: NOW + 5, ..full };
    map.apply(&lease, &world.main, NOW + 5, &engine(), &changes(std::slice::from_ref(&changed))).await.unwrap();
    for text in ["v00001", &changed.bc_id.to_string(), "pdcont_1"] {
        assert_eq!(map.find(&world.main, text).await.unwrap(), std::slice::from_ref(&changed), "{text}");
    }
    assert!(matches!(world.store.audit().verify(&world.main).await.unwrap(), Chain::Verified { entries: 3, .. }));
    let lost = world.lost_lease().await;
    assert!(map.apply(&lost, &world.main, NOW, &engine(), &changes(&[row(9)])).await.is_err());
    assert!(map.find(&world.main, "V00009").await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn two_bc_vendors_never_stand_for_one_brex_vendor(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, map) = (world.lease().await, world.store.brex_vendors());
    map.apply(&lease, &world.main, NOW, &engine(), &changes(&[here(1)])).await.unwrap();
    let second = BrexVendorRow { brex_id: Some("pdcont_1".to_owned()), ..here(2) };
    assert!(map.apply(&lease, &world.main, NOW, &engine(), &changes(&[second])).await.is_err());
    map.apply(&lease, &world.other, NOW, &engine(), &changes(&[here(1)])).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn what_is_due_comes_in_order_and_counts_say_how_the_rest_stands(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, map) = (world.lease().await, world.store.brex_vendors());
    let later = BrexVendorRow { due_ms: Some(NOW + 10), ..row(3) };
    map.apply(&lease, &world.main, NOW, &engine(), &changes(&[row(2), row(1), later, here(4)])).await.unwrap();
    let numbers = |rows: &[BrexVendorRow]| rows.iter().map(|row| row.number.clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&map.list_due(&world.main, NOW, 10).await.unwrap()), ["V00001", "V00002"]);
    assert_eq!(numbers(&map.list_due(&world.main, NOW, 1).await.unwrap()), ["V00001"]);
    assert_eq!(map.next_due(&world.main).await.unwrap(), Some(NOW));
    assert_eq!(map.next_due(&world.other).await.unwrap(), None);
    let counts = map.counts(&world.main).await.unwrap();
    assert_eq!(
        counts.iter().map(|count| (count.state, count.vendors)).collect::<Vec<_>>(),
        [(State::Here, 1), (State::New, 3)]
    );
}

#[rstest]
#[tokio::test]
async fn a_look_through_the_directory_finds_by_id_and_by_name_and_ends_with_what_is_missing(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let (lease, map) = (world.lease().await, world.store.brex_vendors());
    map.apply(&lease, &world.main, NOW, &engine(), &changes(&[row(1), row(2), here(3), here(4)])).await.unwrap();
    let ids = ["pdcont_3".to_owned(), "pdcont_9".to_owned()];
    let found = map.list_matching(&world.main, &ids, &["CAFE  2".to_owned()]).await.unwrap();
    assert_eq!(found.iter().map(|row| row.number.as_str()).collect::<Vec<_>>(), ["V00002", "V00003"]);
    assert!(map.list_matching(&world.main, &[], &[]).await.unwrap().is_empty());
    map.mark_seen(&lease, &world.main, &ids, NOW + 20).await.unwrap();
    map.finish_look(&lease, &world.main, NOW + 10, NOW + 30).await.unwrap();
    let rows = map.list(&world.main).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.state).collect::<Vec<_>>(),
        [State::Absent, State::Absent, State::Here, State::Here]
    );
    assert_eq!((rows[2].due_ms, rows[3].due_ms), (None, Some(NOW + 30)), "what was not seen is looked at");
}
