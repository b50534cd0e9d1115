//! The labelled set: how many matches are right, and how many of the clear ones are found.

use std::collections::BTreeMap;

use domain::transfer::{Said, Settings, reconcile};

use crate::world::World;

const SEEDS: u64 = 20;

#[test]
fn automatic_matches_are_always_right_and_nearly_all_clear_ones_are_found() {
    let (mut matched, mut right, mut clear, mut found) = (0_usize, 0_usize, 0_usize, 0_usize);
    for seed in 0..SEEDS {
        let world = World::generate(seed, 260, 90);
        assert!(world.books.transfers.len() >= 300, "{}", world.books.transfers.len());
        assert!(world.books.payables.len() >= 400, "{}", world.books.payables.len());
        let outcome = reconcile(&world.books, &Said::default(), &Settings::default());
        let clear_ids = world.clear();
        clear += clear_ids.len();
        for one in &outcome.matches {
            let parts: BTreeMap<String, i64> = one.parts.iter().map(|p| (p.payable.clone(), p.amount)).collect();
            let truth = &world.truth[&one.transfer];
            assert_eq!(parts, truth.pays, "seed {seed}: {one:?}");
            matched += 1;
            right += usize::from(parts == truth.pays);
            found += usize::from(clear_ids.contains(one.transfer.as_str()));
        }
    }
    println!("{matched} automatic matches, {right} right; {found} of {clear} clear payments found");
    assert_eq!(matched, right);
    assert!(found * 100 >= clear * 95, "{found} of {clear}");
    // The figures of docs/transfers.md.
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/transfers.md")).unwrap();
    let figures = format!("{matched} automatic matches, all right; {found} of {clear} clear payments found");
    assert!(page.contains(&figures), "docs/transfers.md should say: {figures}");
}
