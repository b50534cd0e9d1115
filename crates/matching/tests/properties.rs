//! What must hold for any input: no panic, no dependence on order, no boldness from unrelated vendors, honest explanations.
#![expect(clippy::unwrap_used, reason = "tests")]

use matching::{Confirmation, Decision, Index, Memory, Merchant, Outcome, Vendor, fold, shipped};
use proptest::prelude::*;

const FIRST: [&str; 12] = [
    "Zelkova", "Quartz", "Harbor", "Mighty", "Ferrum", "Blue", "Okafor", "7-Eleven", "Summit", "Étoile", "Kwik-Fit",
    "Nordlys",
];
const SECOND: [&str; 12] = [
    "Plumbing",
    "Coffee",
    "Fund 601",
    "Pizza",
    "Omaha",
    "Holdings",
    "Systems",
    "& Sons",
    "(UK)",
    "Hotel Boston",
    "dba Wren",
    "Services",
];
const LEGAL: [&str; 5] = ["", " LLC", ", Inc.", " Ltd", " GmbH"];

fn vendors() -> impl Strategy<Value = Vec<Vendor>> {
    prop::collection::vec((0..FIRST.len(), 0..SECOND.len(), 0..LEGAL.len()), 1..14).prop_map(|parts| {
        let named = parts.into_iter().enumerate().map(|(at, (first, second, legal))| Vendor {
            id: format!("V{at}"),
            name: format!("{} {}{}", FIRST[first], SECOND[second], LEGAL[legal]),
            city: if at % 2 == 0 { "Omaha".to_owned() } else { String::new() },
            country: "US".to_owned(),
            ..Vendor::default()
        });
        named.collect()
    })
}

fn descriptor() -> impl Strategy<Value = String> {
    let prefix = prop::sample::select(vec!["", "SQ *", "TST* ", "PAYPAL *", "SP "]);
    let tail =
        prop::sample::select(vec!["", " 0866", " OMAHA NE", "*K15PA27B", " 888 997-2452 NE", ".COM", " BOSTONMA"]);
    (prefix, 0..FIRST.len(), 0..SECOND.len(), tail, 8..40_usize).prop_map(|(prefix, first, second, tail, length)| {
        let text = format!("{prefix}{} {}{tail}", FIRST[first], SECOND[second]).to_uppercase();
        text.chars().take(length).collect()
    })
}

fn ask(index: &Index, descriptor: &str) -> Decision {
    index.decide(&Merchant { descriptor: descriptor.to_owned(), ..Merchant::default() }, &Memory::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_never_panic(name in prop::collection::vec(any::<u8>(), 0..60), asked in prop::collection::vec(any::<u8>(), 0..60), text in any::<String>()) {
        let (name, asked) = (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&asked).into_owned());
        let vendor = |id: &str, name: &str| Vendor { id: id.to_owned(), name: name.to_owned(), city: asked.clone(), website: text.clone(), ..Vendor::default() };
        let index = Index::build([vendor("A", &name), vendor("B", &asked), vendor("C", &text)]);
        let mut memory = Memory::new();
        memory.confirm(&Confirmation { descriptor: text.clone(), clean_name: name.clone(), vendor_id: "A".into(), ..Confirmation::default() });
        for descriptor in [&name, &asked, &text] {
            let merchant = Merchant { descriptor: descriptor.clone(), clean_name: text.clone(), website: name.clone(), mcc: asked.clone(), ..Merchant::default() };
            let decision = index.decide(&merchant, &memory);
            prop_assert!((0.0..=1.0).contains(&decision.score) && !decision.reason.is_empty());
        }
    }

    #[test]
    fn any_file_is_answered_or_refused(vendors in prop::collection::vec(any::<u8>(), 0..80), merchants in prop::collection::vec(any::<u8>(), 0..80)) {
        let vendors = [b"vendor_id,name\n".as_slice(), &vendors].concat();
        let merchants = [b"descriptor,clean_name\n".as_slice(), &merchants].concat();
        let mut out = Vec::new();
        if matching::contract::run(vendors.as_slice(), merchants.as_slice(), None::<&[u8]>, &mut out).is_ok() {
            prop_assert!(out.starts_with(b"descriptor,decision,"));
        }
    }

    #[test]
    fn folding_twice_changes_nothing(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn the_order_of_the_vendors_does_not_matter(vendors in vendors(), asked in descriptor()) {
        let forward = Index::build(vendors.clone());
        let backward = Index::build(vendors.into_iter().rev());
        prop_assert_eq!(ask(&forward, &asked), ask(&backward, &asked));
    }

    #[test]
    fn an_unrelated_vendor_never_turns_review_into_auto(vendors in vendors(), asked in descriptor(), others in 1..1200_usize) {
        let mut index = Index::build(vendors);
        let before = ask(&index, &asked);
        for other in 0..others {
            index.add(Vendor { id: format!("X{other}"), name: format!("Jjvyx{} Jvvyj", "j".repeat(other % 7 + 1)), ..Vendor::default() });
        }
        let after = ask(&index, &asked);
        prop_assert!(after.score <= before.score);
        prop_assert!(before.outcome == Outcome::Auto || after.outcome != Outcome::Auto);
    }

    #[test]
    fn changes_in_place_end_where_a_new_index_would(vendors in vendors(), asked in descriptor(), gone in any::<prop::sample::Index>(), renamed in any::<prop::sample::Index>()) {
        let mut index = Index::build(vendors.clone());
        let (gone, renamed) = (gone.index(vendors.len()), renamed.index(vendors.len()));
        index.rename(&vendors[renamed].id, "Vexalio Bakery");
        index.remove(&vendors[gone].id);
        let mut left = vendors;
        left[renamed].name = "Vexalio Bakery".to_owned();
        left.remove(gone);
        let fresh = Index::build(left);
        prop_assert_eq!(index.len(), fresh.len());
        prop_assert_eq!(ask(&index, &asked), ask(&fresh, &asked));
    }

    #[test]
    fn the_reason_names_the_words_that_matched_and_the_numbers_replay(vendors in vendors(), asked in descriptor()) {
        let decision = ask(&Index::build(vendors), &asked);
        if let Some(explanation) = &decision.explanation {
            for pair in &explanation.matched {
                prop_assert!(decision.reason.contains(&pair.word), "{} lacks {}", decision.reason, pair.word);
            }
            let stored = serde_json::to_string(explanation).unwrap();
            let stored: matching::Explanation = serde_json::from_str(&stored).unwrap();
            let (logit, score) = stored.replay(shipped()).unwrap();
            prop_assert!((logit.max(-8.0) - explanation.contest.best).abs() < 1e-9);
            prop_assert!((score - decision.score).abs() < 1e-12);
        }
    }
}
