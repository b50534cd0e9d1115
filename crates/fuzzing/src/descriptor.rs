//! Names of vendors and merchants, whatever they are made of: read without a panic, in time that grows with their length, and with one
//! answer. The order of the vendors does not matter, and what the matcher says can be computed again from what it wrote down.

use matching::{Confirmation, Decision, Index, Memory, Merchant, Outcome, Vendor, fold, read, shipped};

use crate::parts::Parts;

/// More vendors than this only take time.
const VENDORS_MAX: usize = 12;
/// Longer than any descriptor, clean name or vendor's name there is.
const NAME_MAX: usize = 512;

/// Lines: descriptor, clean name, website, category, country, town; then a vendor a line, `name;town;country;website`.
pub fn descriptor(data: &[u8]) {
    let mut parts = Parts::new(data);
    let mut line = || -> String { parts.text().chars().take(NAME_MAX).collect() };
    let merchant = Merchant {
        descriptor: line(),
        clean_name: line(),
        website: line(),
        mcc: line(),
        country: line(),
        city: line(),
    };
    let vendors: Vec<Vendor> =
        String::from_utf8_lossy(parts.rest()).split('\n').take(VENDORS_MAX).enumerate().map(vendor).collect();
    normalise(&merchant.descriptor);
    normalise(&merchant.clean_name);
    let index = Index::build(vendors.clone());
    let empty = Memory::new();
    let decision = index.decide(&merchant, &empty);
    check(&decision, &vendors);
    assert_eq!(index.decide(&merchant, &empty), decision, "asked twice");
    let backward = Index::build(vendors.iter().rev().cloned());
    assert_eq!(backward.decide(&merchant, &empty), decision, "in the other order");
    let memory = remembered(&merchant, &vendors);
    check(&index.decide(&merchant, &memory), &vendors);
}

fn vendor((place, line): (usize, &str)) -> Vendor {
    let line: String = line.chars().take(NAME_MAX).collect();
    let mut fields = line.split(';').map(str::to_owned);
    let mut field = || fields.next().unwrap_or_default();
    let (name, city, country, website) = (field(), field(), field(), field());
    Vendor { id: format!("V{place}"), name, city, country, website, blocked: place % 5 == 4 }
}

fn normalise(text: &str) {
    let folded = fold(text);
    assert_eq!(fold(&folded), folded, "folded twice");
    let reading = read(text);
    let words: usize = reading.views.iter().map(|view| view.words.len()).sum();
    // Each view is made of words of the text, or of what a few of them stand for.
    let most = 8 * (folded.chars().count() + 1);
    assert!(words <= most && reading.views.len() <= most, "{words} words in {} views", reading.views.len());
}

fn check(decision: &Decision, vendors: &[Vendor]) {
    assert!((0.0..=1.0).contains(&decision.score) && !decision.reason.is_empty());
    assert!(decision.outcome == Outcome::None || decision.vendor.is_some(), "{decision:?}");
    let is_known = |id: &String| vendors.iter().any(|vendor| vendor.id == *id);
    assert!(decision.vendor.iter().chain(&decision.candidates).all(is_known), "{decision:?}");
    if let Some(explanation) = &decision.explanation {
        let kept = serde_json::to_string(explanation).expect("JSON");
        let kept: matching::Explanation = serde_json::from_str(&kept).expect("what was written");
        let (_, score) = kept.replay(shipped()).expect("the same model");
        assert!((score - decision.score).abs() < 1e-9, "{score} is not {}", decision.score);
    }
}

/// What a person said before: this merchant is the first of the vendors.
fn remembered(merchant: &Merchant, vendors: &[Vendor]) -> Memory {
    let mut memory = Memory::new();
    memory.confirm(&Confirmation {
        descriptor: merchant.descriptor.clone(),
        clean_name: merchant.clean_name.clone(),
        vendor_id: vendors.first().map(|vendor| vendor.id.clone()).unwrap_or_default(),
        vendor_name: vendors.first().map(|vendor| vendor.name.clone()).unwrap_or_default(),
        by_hand: true,
    });
    memory
}
