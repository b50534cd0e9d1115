//! The pages of `docs/codes`: each hold code has one and a row in the index, and none belongs to no code.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use domain::hold::HoldCode;

fn pages() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/codes")
}

#[test]
fn each_hold_code_has_its_page_and_no_page_is_left_over() {
    let codes: BTreeSet<String> = HoldCode::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let names = fs::read_dir(pages()).unwrap().map(|entry| entry.unwrap().path());
    let names = names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    let names: BTreeSet<String> = names.filter(|name| name != "README" && name != "exit-codes").collect();
    assert_eq!(names, codes);
}

#[test]
fn each_page_tells_what_happened_who_fixes_it_what_to_do_and_how_it_clears() {
    for code in HoldCode::ALL {
        let page = fs::read_to_string(pages().join(format!("{code}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {code}: ")), "{code}: title");
        assert!(page.contains(&format!("\nWho can fix it: **{}**\n", code.fixer())), "{code}: who");
        for title in ["What it means", "Why it happens", "What to do", "How it clears"] {
            let section = page.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("{code}: {title}")).1;
            let text = section.split("\n## ").next().unwrap().trim();
            assert!(text.chars().count() >= 30, "{code}: {title} says nothing");
        }
        assert!((15..=35).contains(&page.lines().count()), "{code}: {} lines", page.lines().count());
    }
}

#[test]
fn the_index_has_one_row_for_each_code_with_the_same_person() {
    let index = fs::read_to_string(pages().join("README.md")).unwrap();
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [`")).collect();
    assert_eq!(rows.len(), HoldCode::ALL.len());
    for code in HoldCode::ALL {
        let start = format!("| [`{code}`]({code}.md) | ");
        let row = rows.iter().find(|row| row.starts_with(&start)).unwrap_or_else(|| panic!("{code}: no row"));
        assert!(row.ends_with(&format!(" | {} |", code.fixer())), "{row}");
    }
}
