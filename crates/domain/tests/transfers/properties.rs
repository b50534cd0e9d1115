//! What is true of every set of books.

use std::collections::BTreeMap;

use domain::transfer::{Confidence, Match, Outcome, Part, PayableKind, Said, Settings, Why, reconcile};
use proptest::prelude::*;

use crate::world::{Chance, World};

/// No match, made by hand or found, accounts for more than was moved or is owed.
fn assert_sound(world: &World, outcome: &Outcome) {
    let mut moved: BTreeMap<&str, i64> = BTreeMap::new();
    let mut owed: BTreeMap<&str, i64> = BTreeMap::new();
    for found in &outcome.matches {
        *moved.entry(&found.transfer).or_default() += found.amount();
        for part in &found.parts {
            *owed.entry(&part.payable).or_default() += part.amount;
        }
    }
    for transfer in &world.books.transfers {
        let taken = moved.remove(transfer.id.as_str()).unwrap_or_default();
        assert!((0..=transfer.amount).contains(&taken), "{taken} of {transfer:?}");
    }
    for payable in &world.books.payables {
        let taken = owed.remove(payable.id.as_str()).unwrap_or_default();
        let fits = match payable.kind {
            PayableKind::Invoice => 0..=payable.total,
            PayableKind::CreditMemo => -payable.total..=0,
        };
        assert!(fits.contains(&taken), "{taken} of {payable:?}");
    }
    assert!(moved.is_empty() && owed.is_empty(), "nothing unknown is matched");
}

/// Matches that people may make, sensible or not.
fn by_hand(world: &World, seed: u64, count: usize) -> Said {
    let mut chance = Chance(seed);
    let mut said = Said::default();
    for _ in 0..count {
        let any =
            |chance: &mut Chance, length: usize| usize::try_from(chance.below(u64::try_from(length).unwrap())).unwrap();
        let transfer = &world.books.transfers[any(&mut chance, world.books.transfers.len())];
        let payable = &world.books.payables[any(&mut chance, world.books.payables.len())];
        let amount = if chance.below(2) == 0 { transfer.amount } else { chance.cents() };
        if chance.below(5) == 0 {
            said.rejected.insert((transfer.id.clone(), payable.id.clone()));
            continue;
        }
        said.matches.push(Match {
            transfer: transfer.id.clone(),
            parts: vec![Part { payable: payable.id.clone(), amount }],
            confidence: Confidence::High,
            why: vec![Why::SaidByHand],
            fee: 0,
        });
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn money_matched_never_exceeds_money_moved_or_owed(seed: u64, hand in 0_usize..40, vendors in 1_u64..60) {
        let world = World::generate(seed, 60, vendors);
        let outcome = reconcile(&world.books, &by_hand(&world, seed, hand), &Settings::default());
        assert_sound(&world, &outcome);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(seed: u64, hand in 0_usize..20, vendors in 1_u64..60) {
        let world = World::generate(seed, 60, vendors);
        let mut said = by_hand(&world, seed, hand);
        let first = reconcile(&world.books, &said, &Settings::default());
        said.matches.reverse();
        let second = reconcile(&world.shuffled(seed), &said, &Settings::default());
        prop_assert_eq!(first, second);
    }

    #[test]
    fn reconciling_again_with_what_was_found_changes_nothing(seed: u64, vendors in 1_u64..60) {
        let world = World::generate(seed, 60, vendors);
        let first = reconcile(&world.books, &Said::default(), &Settings::default());
        let said = Said { matches: first.matches.clone(), ..Said::default() };
        let second = reconcile(&world.books, &said, &Settings::default());
        assert_sound(&world, &second);
        prop_assert_eq!(&first.matches, &second.matches);
    }

    /// After taking a match apart, transfer and documents stand as if it had never been made.
    #[test]
    fn unmatching_restores_exactly_what_was_open(seed: u64, pick: usize, vendors in 1_u64..60) {
        let world = World::generate(seed, 60, vendors);
        let found = reconcile(&world.books, &Said::default(), &Settings::default());
        prop_assume!(!found.matches.is_empty());
        let taken = found.matches[pick % found.matches.len()].clone();
        let mut said = Said { matches: found.matches.clone(), ..Said::default() };
        prop_assert_eq!(said.unmatch(&taken.transfer), Some(taken.clone()));
        let after = reconcile(&world.books, &said, &Settings::default());
        assert_sound(&world, &after);
        let again = after.matches.iter().find(|found| found.transfer == taken.transfer);
        let pairs = |found: &Match| found.parts.iter().map(|part| part.payable.clone()).collect::<Vec<_>>();
        prop_assert!(again.is_none_or(|again| pairs(again).iter().all(|p| !pairs(&taken).contains(p))), "remembered");
        // A person who matches it by hand again is back where it was.
        let mut taken = taken;
        taken.why = vec![Why::SaidByHand];
        said.matches.push(taken);
        let back = reconcile(&world.books, &said, &Settings::default());
        let left = |outcome: &Outcome| {
            let all = outcome.transfers.iter().chain(&outcome.payables);
            all.map(|standing| (standing.id.clone(), standing.left)).collect::<Vec<_>>()
        };
        prop_assert_eq!(left(&found), left(&back));
    }
}
