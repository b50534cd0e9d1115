//! The table `vendor_proposals`: what people say, what the worker does, and the link that comes with a new vendor.

use domain::audit::Actor;
use rstest::rstest;
use serde_json::json;
use store::{ProposalChange, ProposalState, VendorLink, VendorProposal, Verdict};
use uuid::Uuid;

use crate::world::{Engine, NOW, Postgres, Sqlite, World, engine, ids};

pub(crate) fn proposal(name: &str) -> VendorProposal {
    VendorProposal {
        id: 0,
        rev: 1,
        descriptor: "ACME 12".to_owned(),
        clean_name: "Acme".to_owned(),
        record_id: Some(ids(&["a"])[0].clone()),
        name: name.to_owned(),
        country: "US".to_owned(),
        email: "ap@acme.example".to_owned(),
        reason: "first purchase\u{0}".to_owned(),
        proposed_by: "kim".to_owned(),
        proposed_ms: NOW,
        state: ProposalState::Proposed,
        decided_by: None,
        decided_ms: None,
        note: None,
        attempt: 0,
        epoch: 0,
        sent_ms: None,
        settle_until_ms: None,
        probes: 0,
        tries: 0,
        due_ms: None,
        bc_vendor_id: None,
        vendor_number: None,
    }
}

pub(crate) fn change(row: VendorProposal, action: &str) -> ProposalChange {
    ProposalChange { row, action: action.to_owned(), detail: json!(null) }
}

fn kim() -> Actor {
    Actor::Person("kim".to_owned())
}

async fn propose(world: &World, name: &str) -> VendorProposal {
    let decide = |_: &[VendorProposal]| Ok::<_, ()>(change(proposal(name), "vendor_proposed"));
    world.store.vendor_proposals().say(&world.main, NOW, &kim(), decide).await.unwrap().unwrap()
}

fn link(vendor: Uuid) -> VendorLink {
    VendorLink {
        merchant_key: "acme".to_owned(),
        descriptor: "ACME 12".to_owned(),
        clean_name: String::new(),
        bc_vendor_id: Some(vendor),
        vendor_name: "Acme LLC".to_owned(),
        verdict: Verdict::SetByHand,
        origin: "proposal 1".to_owned(),
        record_id: None,
        decided_by: "lee".to_owned(),
        decided_ms: NOW,
    }
}

#[rstest]
#[tokio::test]
async fn proposals_are_numbered_per_connection_and_decided_from_what_stands(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let proposals = world.store.vendor_proposals();
    let first = propose(&world, "Acme LLC").await;
    assert_eq!((first.id, propose(&world, "Bolt Co").await.id), (1, 2));
    let stored = proposals.list(&world.main).await.unwrap();
    let cleaned = VendorProposal { reason: "first purchase\u{FFFD}".to_owned(), ..first.clone() };
    assert_eq!(stored[0], cleaned);
    assert!(proposals.list(&world.other).await.unwrap().is_empty());

    let refused =
        proposals.say(&world.main, NOW, &kim(), |stored| Err::<ProposalChange, _>(stored.len())).await.unwrap();
    assert_eq!(refused, Err(2), "it saw both, and nothing was written");
    let approved = VendorProposal {
        state: ProposalState::Approved,
        decided_by: Some("lee".to_owned()),
        decided_ms: Some(NOW + 1),
        due_ms: Some(NOW + 1),
        ..cleaned
    };
    let agree = |_: &[VendorProposal]| Ok::<_, ()>(change(approved.clone(), "vendor_proposal_approved"));
    let said = proposals.say(&world.main, NOW + 1, &kim(), agree).await.unwrap().unwrap();
    assert_eq!(said.rev, 2);
    assert_eq!(proposals.list(&world.main).await.unwrap()[0], said);
    let late = proposals.say(&world.main, NOW, &kim(), agree).await;
    assert!(matches!(late, Err(store::Error::Moved { table: "vendor_proposals" })), "{late:?}");

    assert_eq!(proposals.next_due(&world.main).await.unwrap(), Some(NOW + 1));
    assert_eq!(proposals.next_due(&world.other).await.unwrap(), None);
    assert!(proposals.list_due(&world.main, NOW).await.unwrap().is_empty());
    assert_eq!(proposals.list_due(&world.main, NOW + 1).await.unwrap(), [said]);
    let story = world.store.audit().list_for(&world.main, "vendor_proposal 1", 9).await.unwrap();
    let actions: Vec<&str> = story.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["vendor_proposed", "vendor_proposal_approved"]);
}

#[rstest]
#[tokio::test]
async fn the_worker_writes_only_what_nobody_changed_and_links_with_the_vendor(#[values(Sqlite, Postgres)] on: Engine) {
    let Some(world) = World::on(on).await else { return };
    let lease = world.lease().await;
    let (proposals, links) = (world.store.vendor_proposals(), world.store.vendor_links());
    let stale = propose(&world, "Acme LLC").await;
    let creating = VendorProposal {
        state: ProposalState::Creating,
        attempt: 1,
        epoch: lease.epoch,
        sent_ms: Some(NOW),
        settle_until_ms: Some(NOW + 9),
        probes: 2,
        tries: 3,
        note: Some("n".to_owned()),
        due_ms: Some(NOW + 4),
        ..stale.clone()
    };
    let apply = async |row: &VendorProposal| {
        proposals.apply(&lease, &world.main, NOW, &engine(), &change(row.clone(), "tested")).await.unwrap()
    };
    assert!(apply(&creating).await);
    assert!(!apply(&stale).await, "it was changed since it was read");
    let stored = proposals.list(&world.main).await.unwrap().remove(0);
    assert_eq!((stored.rev, stored.state, stored.settle_until_ms), (2, ProposalState::Creating, Some(NOW + 9)));
    assert_eq!((stored.epoch, stored.probes, stored.tries), (lease.epoch, 2, 3));

    let vendor = Uuid::from_u128(7);
    let created = VendorProposal {
        state: ProposalState::Created,
        bc_vendor_id: Some(vendor),
        vendor_number: Some("V10".to_owned()),
        due_ms: None,
        ..stored.clone()
    };
    let keys = ["acme".to_owned()];
    let finish = async |row: &VendorProposal, link: Option<VendorLink>| {
        let change = change(row.clone(), "tested");
        let links = |_: &[VendorLink]| link.clone();
        proposals.finish(&lease, &world.main, NOW, &engine(), &change, &keys, links, "recheck").await.unwrap()
    };
    assert!(!finish(&stale, Some(link(vendor))).await);
    assert_eq!(links.count(&world.main).await.unwrap(), 0, "no vendor, no link");
    assert!(finish(&created, Some(link(vendor))).await);
    assert_eq!(links.list_for(&world.main, &keys).await.unwrap(), [link(vendor)]);
    let jobs = world.store.jobs().list(&world.main).await.unwrap();
    assert_eq!((jobs[0].kind.as_str(), jobs[0].due_ms), ("recheck", Some(NOW)));
    assert_eq!(proposals.list(&world.main).await.unwrap()[0], VendorProposal { rev: 3, ..created.clone() });
    assert_eq!(proposals.next_due(&world.main).await.unwrap(), None);

    let again = VendorProposal { rev: 3, ..created };
    assert!(finish(&again, None).await);
    assert_eq!(links.count(&world.main).await.unwrap(), 1, "the memory may stay as it is");
}
