//! The table `vendor_links`.

use domain::id::RecordId;
use rstest::rstest;
use store::{Chain, VendorLink, Verdict};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine};

fn link(key: &str, vendor: u128, verdict: Verdict) -> VendorLink {
    VendorLink {
        merchant_key: key.to_owned(),
        bc_vendor_id: Uuid::from_u128(vendor),
        verdict,
        origin: "coded in Brex".to_owned(),
        record_id: vendor.is_multiple_of(2).then(|| RecordId::new("accr_1")),
        decided_by: "kim".to_owned(),
        decided_ms: NOW,
    }
}

#[rstest]
#[tokio::test]
async fn every_verdict_is_kept_in_its_order_and_noted_in_the_trail(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let (lease, memory) = (world.lease().await, world.store.vendor_links());
    let first =
        [link("acme", 1, Verdict::Confirmed), link("acme", 1, Verdict::Rejected), link("bolt", 2, Verdict::Confirmed)];
    memory.remember(&lease, &world.main, &first, NOW, &engine()).await.unwrap();
    memory.remember(&lease, &world.main, &[link("acme", 4, Verdict::Confirmed)], NOW + 1, &engine()).await.unwrap();
    memory.remember(&lease, &world.main, &[], NOW + 1, &engine()).await.unwrap();

    let keys = ["acme".to_owned(), "none".to_owned()];
    let expected =
        [link("acme", 1, Verdict::Confirmed), link("acme", 1, Verdict::Rejected), link("acme", 4, Verdict::Confirmed)];
    assert_eq!(memory.list_for(&world.main, &keys).await.unwrap(), expected);
    assert!(memory.list_for(&world.other, &keys).await.unwrap().is_empty());
    assert!(memory.list_for(&world.main, &[]).await.unwrap().is_empty());

    let trail = world.store.audit().list_for(&world.main, "merchant acme", 10).await.unwrap();
    let actions: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["vendor_link_confirmed", "vendor_link_rejected", "vendor_link_confirmed"]);
    let chain = world.store.audit().verify(&world.main).await.unwrap();
    assert!(matches!(chain, Chain::Verified { entries: 4, .. }));
}
