//! The text of a document line: which text is chosen, how it is cleaned, and where it is cut.

use domain::document::DESCRIPTION_MAX;
use domain::record::{Line, Person, Record};

use crate::made::{card, company, from_merchant, gl, line};

/// The description of a record with these texts; `None` leaves a text out.
fn described(line_memo: Option<&str>, memo: Option<&str>, merchant: Option<&str>, person: Option<&str>) -> String {
    let memo_line = Line { memo: line_memo.map(str::to_owned), ..line("10.00 USD", vec![gl("61300")]) };
    let record = card("10.00 USD", vec![memo_line]);
    let record = match merchant {
        Some(name) => from_merchant(name, record),
        None => Record { merchant: None, ..record },
    };
    let person = person.map(|name| Person { name: name.to_owned(), email: String::new() });
    let record = Record { memo: memo.map(str::to_owned), person, ..record };
    company().plan(&record).unwrap().lines.remove(0).description
}

#[test]
fn the_nearest_text_is_chosen_and_a_blank_one_is_passed_over() {
    let (line, memo, merchant, person) = (Some("Booth"), Some("Fair"), Some("Messe"), Some("Dana"));
    let cases = [
        (described(line, memo, merchant, person), "Booth"),
        (described(None, memo, merchant, person), "Fair"),
        (described(Some(" "), memo, merchant, person), "Fair"),
        (described(None, None, merchant, person), "Messe"),
        (described(Some(""), Some("\t\n"), merchant, person), "Messe"),
        (described(None, None, None, person), "Dana"),
        (described(None, None, Some("  "), person), "Dana"),
        (described(None, None, None, None), "Brex accr_1"),
        (described(None, None, None, Some(" ")), "Brex accr_1"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn line_breaks_tabs_and_control_characters_become_single_spaces() {
    let cases = [
        ("Booth\r\ndeposit", "Booth deposit"),
        ("  a \t b\u{0}c  ", "a b c"),
        ("a\u{a0}\u{2003}b", "a b"),
        ("\u{1b}[31mred", "[31mred"),
        ("Zoë's café – 10 € 🎪", "Zoë's café – 10 € 🎪"),
    ];
    for (memo, expected) in cases {
        assert_eq!(described(Some(memo), None, None, None), expected);
    }
}

#[test]
fn a_long_text_is_cut_after_100_characters_not_bytes() {
    assert_eq!(described(Some(&"é".repeat(100)), None, None, None), "é".repeat(DESCRIPTION_MAX));
    assert_eq!(described(Some(&"é".repeat(101)), None, None, None), "é".repeat(DESCRIPTION_MAX));
    let spaced = "word  ".repeat(60);
    assert_eq!(described(Some(&spaced), None, None, None), "word ".repeat(20), "blanks are merged before the cut");
}

#[test]
fn each_line_has_its_own_text() {
    let memo = |memo: Option<&str>| Line { memo: memo.map(str::to_owned), ..line("5.00 USD", vec![gl("61300")]) };
    let mut record = card("10.00 USD", vec![memo(Some("Booth")), memo(None)]);
    record.memo = Some("Fair".to_owned());
    let lines = company().plan(&record).unwrap().lines;
    assert_eq!(lines.iter().map(|line| line.description.as_str()).collect::<Vec<_>>(), ["Booth", "Fair"]);
}

#[test]
fn a_memo_of_control_characters_alone_is_passed_over() {
    assert_eq!(described(Some("\u{0}\u{7}"), Some("Fair"), None, None), "Fair");
}
