//! The names that BC vendors get in Brex: ASCII, unique, never empty, and the same again on the next run.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

/// Longest name that is sent. Brex documents no limit; BC names have at most 100 characters, so a suffix or a letter that
/// becomes two costs the end of a very long name and nothing else.
pub const NAME_MAX: usize = 100;

/// How many candidates are compared with a name that a vendor already has.
const KEPT_AMONG: usize = 64;

/// What stands behind the name of a vendor that is blocked or deleted in BC, under the policy `rename`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Blocked in BC.
    Blocked,
    /// Deleted in BC.
    Deleted,
}

impl Mark {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Blocked => " (blocked in BC)",
            Self::Deleted => " (deleted in BC)",
        }
    }
}

/// A vendor that needs a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// BC id, the last resort to tell two vendors apart.
    pub id: &'a str,
    /// BC number.
    pub number: &'a str,
    /// Name in BC.
    pub name: &'a str,
    /// What has to stand behind it.
    pub mark: Option<Mark>,
    /// The name it was given before.
    pub kept: Option<&'a str>,
    /// The name it has in Brex now, which nobody else can take.
    pub in_brex: Option<&'a str>,
}

/// Text in ASCII: letters by decomposition and a small table, white space as one blank, everything else dropped. The flag
/// says that letters or digits were lost.
pub fn fold(text: &str) -> (String, bool) {
    let mut folded = String::new();
    let mut lost = false;
    for character in text.chars() {
        if let Some(ascii) = special(character) {
            folded.push_str(ascii);
            continue;
        }
        let before = folded.len();
        for part in character.nfkd() {
            match special(part) {
                Some(ascii) => folded.push_str(ascii),
                None if part.is_ascii_graphic() => folded.push(part),
                None if part.is_whitespace() || part.is_control() => folded.push(' '),
                None => {}
            }
        }
        lost |= folded.len() == before && character.is_alphanumeric();
    }
    (folded.split_whitespace().collect::<Vec<_>>().join(" "), lost)
}

/// Letters and signs that do not decompose into ASCII.
fn special(character: char) -> Option<&'static str> {
    Some(match character {
        'ß' => "ss",
        'ẞ' => "SS",
        'Æ' => "AE",
        'æ' => "ae",
        'Œ' => "OE",
        'œ' => "oe",
        'Ø' => "O",
        'ø' => "o",
        'Ł' => "L",
        'ł' => "l",
        'Đ' | 'Ð' => "D",
        'đ' | 'ð' => "d",
        'Þ' => "Th",
        'þ' => "th",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        'Ŋ' => "N",
        'ŋ' => "n",
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '`' | '´' | '\u{2032}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2044}' => "/",
        _ => return None,
    })
}

/// What makes two names the same in a directory whose names are unique: case and white space do not count.
pub fn name_key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

/// One name for each vendor, in the order of the list. The result does not depend on that order: a vendor keeps the name it
/// has as long as it fits, and of the others the lowest number takes the plain name.
pub fn plan_names(vendors: &[Named<'_>]) -> Vec<String> {
    let mut order: Vec<(usize, &Named<'_>)> = vendors.iter().enumerate().collect();
    order.sort_by_key(|(_, vendor)| (vendor.number, vendor.id));
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (index, vendor) in &order {
        if let Some(name) = vendor.in_brex {
            owners.entry(name_key(name)).or_insert(*index);
        }
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let is_free = |taken: &BTreeSet<String>, key: &str, index: usize| {
        !taken.contains(key) && owners.get(key).is_none_or(|owner| *owner == index)
    };
    for (index, vendor) in &order {
        let kept = vendor.kept.and_then(|kept| candidates(vendor).take(KEPT_AMONG).find(|name| name == kept));
        if let Some(kept) = kept.filter(|kept| is_free(&taken, &name_key(kept), *index)) {
            taken.insert(name_key(&kept));
            names.insert(*index, kept);
        }
    }
    for (index, vendor) in &order {
        if names.contains_key(index) {
            continue;
        }
        if let Some(name) = candidates(vendor).find(|name| is_free(&taken, &name_key(name), *index)) {
            taken.insert(name_key(&name));
            names.insert(*index, name);
        }
    }
    names.into_values().collect()
}

/// The names a vendor could have, best first, without end: plain, with its number, with its number and a count.
fn candidates(vendor: &Named<'_>) -> impl Iterator<Item = String> + use<> {
    let (base, lost) = fold(vendor.name);
    let (number, _) = fold(vendor.number);
    let number = if number.is_empty() { fold(vendor.id).0 } else { number };
    let is_name = base.chars().any(|c| c.is_ascii_alphanumeric());
    let mark = vendor.mark.map_or("", Mark::suffix);
    let plain = (is_name && !lost).then(|| fitted(&base, mark));
    let (stem, tag) = if is_name { (base, format!(" ({number})")) } else { (number, String::new()) };
    let numbered = fitted(&stem, &format!("{tag}{mark}"));
    let counted = (2_u32..).map(move |count| fitted(&stem, &format!("{tag} {count}{mark}")));
    plain.into_iter().chain([numbered]).chain(counted)
}

/// `stem` and `tail`, with the stem cut so that both fit. Both are ASCII.
fn fitted(stem: &str, tail: &str) -> String {
    let room = NAME_MAX.saturating_sub(tail.len());
    let stem = stem.get(..room.min(stem.len())).unwrap_or(stem).trim_end();
    format!("{stem}{tail}").trim().to_owned()
}

/// The first usable e-mail address of BC's list (separated by `;`): ASCII, one `@`, something on both sides.
pub fn email(text: &str) -> Option<String> {
    let usable = |email: &&str| {
        let parts: Vec<&str> = email.split('@').collect();
        let is_plain = email.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ',' | '<' | '>' | '"'));
        is_plain && matches!(parts.as_slice(), [user, host] if !user.is_empty() && host.contains('.'))
    };
    text.split(';').map(str::trim).find(usable).map(str::to_owned)
}

/// The telephone number in ASCII; nothing without a digit.
pub fn phone(text: &str) -> Option<String> {
    Some(fold(text).0).filter(|phone| phone.chars().any(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named<'a>(number: &'a str, name: &'a str) -> Named<'a> {
        Named { id: number, number, name, mark: None, kept: None, in_brex: None }
    }

    #[test]
    fn letters_are_folded_and_what_cannot_be_folded_falls_back_to_the_number() {
        for (name, expected) in [
            ("Müller & Söhne GmbH", "Muller & Sohne GmbH"),
            ("Straße Ærø Łódź Œuvre", "Strasse AEro Lodz OEuvre"),
            ("Café\u{a0}Zoë\u{2019}s \u{2013} Ünited", "Cafe Zoe's - United"),
            ("ﬁve ½ ①", "five 1/2 1"),
            ("株式会社", "V1"),
            ("株式会社 ABC", "ABC (V1)"),
            ("  ", "V1"),
            ("---", "V1"),
        ] {
            assert_eq!(plan_names(&[named("V1", name)]), [expected], "{name}");
        }
    }

    #[test]
    fn of_vendors_with_one_name_the_lowest_number_keeps_it_and_the_others_get_their_number() {
        let names = plan_names(&[named("V3", "ACME"), named("V1", "Acme"), named("V2", "Acm\u{e9}")]);
        assert_eq!(names, ["ACME (V3)", "Acme", "Acme (V2)"]);
    }

    #[test]
    fn a_vendor_keeps_its_name_when_a_namesake_with_a_lower_number_comes_or_the_plain_name_becomes_free() {
        let old = Named { kept: Some("Acme"), in_brex: Some("Acme"), ..named("V2", "Acme") };
        assert_eq!(plan_names(&[named("V1", "Acme"), old]), ["Acme (V1)", "Acme"]);
        let suffixed = Named { kept: Some("Acme (V2)"), ..named("V2", "Acme") };
        assert_eq!(plan_names(&[suffixed]), ["Acme (V2)"]);
        let renamed = Named { kept: Some("Acme (V2)"), ..named("V2", "Bolt") };
        assert_eq!(plan_names(&[renamed]), ["Bolt"]);
    }

    #[test]
    fn a_name_that_another_vendor_still_has_in_brex_is_not_taken() {
        let leaving = Named { kept: Some("Acme"), in_brex: Some("Acme"), ..named("V2", "Bolt") };
        assert_eq!(plan_names(&[named("V1", "Acme"), leaving]), ["Acme (V1)", "Bolt"]);
    }

    #[test]
    fn a_long_name_loses_its_end_and_never_its_suffix() {
        let long = "x".repeat(100);
        let names = plan_names(&[named("V1", &long), named("V2", &long)]);
        assert_eq!(names[1], format!("{} (V2)", "x".repeat(95)));
        let marked = Named { mark: Some(Mark::Blocked), ..named("V1", &long) };
        assert!(plan_names(&[marked])[0].ends_with("xx (blocked in BC)"));
    }

    #[test]
    fn the_first_usable_address_is_taken() {
        assert_eq!(email("nonsense; ap@example.com; b@example.com").as_deref(), Some("ap@example.com"));
        assert_eq!((email(""), email("a@b"), email("zo\u{eb}@example.com")), (None, None, None));
        assert_eq!((phone("\u{ff0b}49 30"), phone("n/a")), (Some("+49 30".to_owned()), None));
    }

    proptest! {
        #[test]
        fn names_are_ascii_unique_never_empty_and_bounded_in_any_order_and_stay_when_run_again(
            texts in prop::collection::vec(prop_oneof!["\\PC{0,12}", "[aAäß ]{0,3}", "a \\(V[0-3]\\)( 2)?", "[é]{95,110}"], 1..24),
            turn in 0_usize..24,
        ) {
            let numbers: Vec<String> = (0..texts.len()).map(|n| format!("V{n}")).collect();
            let list: Vec<Named<'_>> = numbers.iter().zip(&texts).map(|(number, name)| named(number, name)).collect();
            let names = plan_names(&list);
            prop_assert_eq!(names.len(), list.len());
            let keys: BTreeSet<String> = names.iter().map(|name| name_key(name)).collect();
            prop_assert_eq!(keys.len(), list.len());
            for name in &names {
                prop_assert!(name.is_ascii() && !name.trim().is_empty() && name.len() <= NAME_MAX, "{name:?}");
            }
            let mut turned = list.clone();
            let by = turn % list.len();
            turned.rotate_left(by);
            let mut expected = names.clone();
            expected.rotate_left(by);
            prop_assert_eq!(plan_names(&turned), expected);
            let again: Vec<Named<'_>> = list.iter().zip(&names)
                .map(|(vendor, name)| Named { kept: Some(name), in_brex: Some(name), ..vendor.clone() }).collect();
            prop_assert_eq!(plan_names(&again), names);
        }
    }
}
