//! Decisions people would make, one sentence each: traps, vetoes, memory.

use matching::{Confirmation, Decision, Index, Memory, Merchant, Outcome, Vendor, Veto};

fn vendor(id: &str, name: &str, city: &str) -> Vendor {
    Vendor {
        id: id.to_owned(),
        name: name.to_owned(),
        city: city.to_owned(),
        country: "US".to_owned(),
        ..Vendor::default()
    }
}

fn list() -> Index {
    Index::build([
        vendor("V1", "Zelkova Coffee Roasters LLC", "Omaha"),
        vendor("V2", "Firestone Newark", "Newark"),
        vendor("V3", "Firestone Phoenix", "Phoenix"),
        vendor("V4", "Delta Air Lines, Inc.", "Atlanta"),
        vendor("V5", "Smarttrust 601 LLC", ""),
        vendor("V6", "Block, Inc. (Square)", "Oakland"),
        vendor("V7", "Brightwell Dental Group Inc", "Boston"),
        vendor("V8", "Verizon Wireless", "Basking Ridge"),
        vendor("V9", "Quillfeather Ltd", "London"),
    ])
}

fn ask_with(index: &Index, memory: &Memory, descriptor: &str) -> Decision {
    index.decide(&Merchant { descriptor: descriptor.to_owned(), ..Merchant::default() }, memory)
}

fn ask(descriptor: &str) -> Decision {
    ask_with(&list(), &Memory::new(), descriptor)
}

fn answer(descriptor: &str, vendor: &str) -> Confirmation {
    Confirmation { descriptor: descriptor.to_owned(), vendor_id: vendor.to_owned(), ..Confirmation::default() }
}

#[test]
fn a_cut_off_name_behind_a_processor_is_found() {
    let decision = ask("SQ *ZELKOVA COFFEE ROA OMAHA NE");
    assert_eq!((decision.outcome, decision.vendor.as_deref()), (Outcome::Auto, Some("V1")), "{}", decision.reason);
    assert!(decision.reason.contains("ROA cut off from ROASTERS") && decision.reason.contains("the town agrees"));
}

#[test]
fn the_town_decides_between_sites_and_without_it_nobody_does() {
    assert_eq!(ask("FIRESTONE PHOENIX AZ").vendor.as_deref(), Some("V3"));
    assert_ne!(ask("FIRESTONE").outcome, Outcome::Auto);
    assert_ne!(ask("FIRESTONE TUCSON AZ").outcome, Outcome::Auto);
}

#[test]
fn another_number_in_the_name_is_another_company() {
    assert_ne!(ask("SMARTTRUST 472").outcome, Outcome::Auto);
    assert_eq!(ask("SMARTTRUST 601").vendor.as_deref(), Some("V5"));
}

#[test]
fn a_first_word_alone_is_not_the_airline() {
    assert_ne!(ask("DELTA DENTAL OF OHIO").outcome, Outcome::Auto);
}

#[test]
fn a_processor_in_front_is_not_the_merchant() {
    let decision = ask("SQ *LINDA FOOD TRUCK");
    assert_ne!(decision.vendor.as_deref().filter(|_| decision.outcome == Outcome::Auto), Some("V6"));
}

#[test]
fn a_widely_known_form_is_a_view_of_the_descriptor() {
    let decision = ask("VZWRLSS*APOCC VISB");
    assert_eq!(decision.vendor.as_deref(), Some("V8"), "{}", decision.reason);
}

#[test]
fn a_blocked_vendor_is_suggested_but_never_chosen() {
    let mut index = list();
    index.block("V1", true);
    let decision = ask_with(&index, &Memory::new(), "ZELKOVA COFFEE ROASTERS OMAHA NE");
    assert_eq!((decision.outcome, decision.veto), (Outcome::Review, Some(Veto::Blocked)));
}

#[test]
fn a_confirmed_descriptor_is_decided_until_the_vendor_changes() {
    let (mut index, mut memory) = (list(), Memory::new());
    memory.confirm(&Confirmation {
        vendor_name: "Brightwell Dental Group Inc".into(),
        ..answer("BWDG 771 BOSTON MA", "V7")
    });
    let again = "BWDG 771 BOSTON MA";
    assert_eq!(ask_with(&index, &memory, again).outcome, Outcome::Auto);
    index.rename("V7", "Brightwell Orthodontics");
    assert_eq!(ask_with(&index, &memory, again).veto, Some(Veto::Renamed));
    index.remove("V7");
    assert_eq!(ask_with(&index, &memory, again).veto, Some(Veto::VendorGone));
}

#[test]
fn different_answers_send_the_descriptor_back_to_a_person() {
    let (index, mut memory) = (list(), Memory::new());
    memory.confirm(&answer("QUILLF LDN", "V9"));
    memory.confirm(&answer("QUILLF LDN", "V1"));
    let decision = ask_with(&index, &memory, "QUILLF LDN");
    assert_eq!((decision.outcome, decision.veto), (Outcome::Review, Some(Veto::Contradicted)));
}

#[test]
fn a_confirmed_site_says_nothing_about_another_town() {
    let (index, mut memory) = (list(), Memory::new());
    memory.confirm(&answer("FIRESTONE NEWARK NJ", "V2"));
    let decision = ask_with(&index, &memory, "FIRESTONE TUCSON AZ");
    assert_ne!(decision.outcome, Outcome::Auto, "{}", decision.reason);
}

#[test]
fn a_learned_name_decides_alone_only_after_two_different_descriptors() {
    let (index, mut memory) = (list(), Memory::new());
    memory.confirm(&answer("PLUMORA 12", "V9"));
    let once = ask_with(&index, &memory, "PLUMORA 99");
    assert_eq!((once.outcome, once.vendor.as_deref()), (Outcome::Review, Some("V9")), "{}", once.reason);
    memory.confirm(&answer("PLUMORA 31", "V9"));
    let twice = ask_with(&index, &memory, "PLUMORA 99");
    assert_eq!((twice.outcome, twice.vendor.as_deref()), (Outcome::Auto, Some("V9")), "{}", twice.reason);
}

#[test]
fn a_name_people_refused_is_not_chosen_by_itself() {
    let (index, mut memory) = (list(), Memory::new());
    memory.confirm(&answer("ZELKOVA COFFEE ROASTERS 12", ""));
    assert_eq!(ask_with(&index, &memory, "ZELKOVA COFFEE ROASTERS 12").outcome, Outcome::None);
    assert_eq!(ask_with(&index, &memory, "ZELKOVA COFFEE ROASTERS 55").veto, Some(Veto::Refused));
}
