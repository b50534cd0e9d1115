//! The table `vendor_links`.

use domain::id::RecordId;
use rstest::rstest;
use store::{Chain, VendorLink, Verdict};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine};

fn link(key: &str, vendor: u128, verdict: Verdict) -> VendorLink {
    VendorLink {
        merchant_key: key.to_owned(),
        descriptor: format!("{key} 0815"),
        clean_name: key.to_owned(),
        bc_vendor_id: (vendor > 0).then(|| Uuid::from_u128(vendor)),
        vendor_name: "Acme, Inc.".to_owned(),
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

#[rstest]
#[tokio::test]
async fn people_answer_without_a_lease_and_each_kind_of_verdict_reads_back(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let memory = world.store.vendor_links();
    assert_eq!(memory.count(&world.main).await.unwrap(), 0);
    let kim = domain::audit::Actor::Person("kim".to_owned());
    let verdicts = [
        link("acme", 1, Verdict::Confirmed),
        link("acme", 1, Verdict::Rejected),
        link("acme", 0, Verdict::NoneOfOurs),
        link("acme", 3, Verdict::SetByHand),
        link("acme", 0, Verdict::Unlinked),
        link("acme", 0, Verdict::Forgotten),
    ];
    let all = |_: &[VendorLink]| Ok::<_, ()>(verdicts.to_vec());
    memory.answer(&world.main, None, "recheck", NOW, &kim, all).await.unwrap().unwrap();
    assert_eq!(memory.list(&world.main).await.unwrap(), verdicts);
    assert_eq!(memory.count(&world.main).await.unwrap(), 6);
    assert!(memory.list(&world.other).await.unwrap().is_empty());
    let trail = world.store.audit().list_for(&world.main, "merchant acme", 10).await.unwrap();
    assert_eq!((trail.len(), trail[0].actor.as_str()), (6, "person:kim"));
    assert!(trail[3].detail.contains("Acme, Inc.") && trail[3].action == "vendor_link_set_by_hand");
}

#[rstest]
#[tokio::test]
async fn an_answer_is_decided_from_what_is_stored_and_written_with_its_request_or_not_at_all(
    #[values(Sqlite, Postgres)] on: Engine,
) {
    let Some(world) = World::on(on).await else { return };
    let (memory, kim) = (world.store.vendor_links(), domain::audit::Actor::Person("kim".to_owned()));
    let keys = ["acme".to_owned()];
    // Each says what is not there yet: of two at once, one sees the other's.
    let once = |stored: &[VendorLink]| match stored {
        [] => Ok(vec![link("acme", 1, Verdict::Confirmed)]),
        known => Err(known.len()),
    };
    let (one, two) = tokio::join!(
        memory.answer(&world.main, Some(&keys), "recheck", NOW, &kim, once),
        memory.answer(&world.main, Some(&keys), "recheck", NOW, &kim, once),
    );
    let outcomes = [one.unwrap(), two.unwrap()];
    assert!(outcomes.contains(&Err(1)) && outcomes.iter().any(Result::is_ok), "{outcomes:?}");
    let (bolt, refuse) = (["bolt".to_owned()], |stored: &[VendorLink]| Err::<_, usize>(stored.len()));
    let other = memory.answer(&world.main, Some(&bolt), "other", NOW, &kim, refuse).await.unwrap();
    assert_eq!(other, Err(0), "only what is stored under the keys counts");
    assert_eq!(memory.count(&world.main).await.unwrap(), 1);
    let jobs = world.store.jobs().list(&world.main).await.unwrap();
    assert_eq!(jobs.iter().map(|job| (job.kind.as_str(), job.due_ms)).collect::<Vec<_>>(), [("recheck", Some(NOW))]);
    assert!(matches!(world.store.audit().verify(&world.main).await.unwrap(), Chain::Verified { entries: 1, .. }));
}
