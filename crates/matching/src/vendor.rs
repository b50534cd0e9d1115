//! Vendors of one company and the names each is known by: full name, dba name, name in brackets, initials.

use crate::descriptor::{Word, is_joint};
use crate::fold::{fold, words};
use crate::lexicon::{Kind, lexicon};
use crate::token::tokens;

/// One vendor as it stands in the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vendor {
    /// The vendor's number or id; unique.
    pub id: String,
    /// The name as people typed it.
    pub name: String,
    /// Town, or empty.
    pub city: String,
    /// ISO country code, or empty.
    pub country: String,
    /// Web address, or empty.
    pub website: String,
    /// Whether nothing may be posted to this vendor.
    pub blocked: bool,
}

/// Where a name of a vendor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// The vendor's name.
    Full,
    /// What follows `dba` or `trading as`.
    TradingAs,
    /// A part: in brackets, before `dba`, before a slash.
    Part,
    /// A name people confirmed for this vendor.
    Learned,
}

/// One name, read into words.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) kind: NameKind,
    /// Words without legal forms and without `THE`, `AND`, `OF`.
    pub(crate) words: Vec<Word>,
    /// All words without spaces, without those at the end that say little (country, `GROUP`).
    pub(crate) glued: String,
    /// The same with `AND` and `OF`, as web addresses are written.
    pub(crate) glued_site: String,
    /// First letters of three and more words.
    pub(crate) initials: String,
}

/// The names of a vendor, the most telling first.
pub(crate) fn names(vendor: &Vendor) -> Vec<Name> {
    let mut out = Vec::new();
    for (text, kind) in parts(&vendor.name) {
        if let Some(name) = name(&text, kind, &vendor.city)
            && out.iter().all(|known: &Name| known.glued != name.glued || known.words.len() != name.words.len())
        {
            out.push(name);
        }
    }
    out
}

/// The pieces of a typed name with their kind.
fn parts(typed: &str) -> Vec<(String, NameKind)> {
    let folded = fold(&part_glued_legal(typed));
    let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [" DBA ", " D/B/A ", " D.B.A. ", " T/A ", " TRADING AS ", " DOING BUSINESS AS ", " AKA "] {
        if let Some((owner, trading)) = folded.split_once(mark) {
            let mut out = bracketed(trading, NameKind::TradingAs);
            out.extend(bracketed(owner, NameKind::Part));
            return out;
        }
    }
    let mut out = bracketed(&folded, NameKind::Full);
    if let Some((left, right)) = folded.split_once(" / ").or_else(|| folded.split_once(" - ")) {
        for side in [left, right].into_iter().filter(|side| side.len() >= 4) {
            out.push((side.to_owned(), NameKind::Part));
        }
    }
    out
}

/// `Maplebear (Instacart)` is the name without brackets and the name in them; `(UK)` is a country and stays.
fn bracketed(folded: &str, kind: NameKind) -> Vec<(String, NameKind)> {
    let (Some(open), Some(close)) = (folded.find('('), folded.rfind(')')) else {
        return vec![(folded.to_owned(), kind)];
    };
    if close < open {
        return vec![(folded.to_owned(), kind)];
    }
    let inside = folded[open + 1..close].trim();
    let outside = format!("{} {}", folded[..open].trim(), folded[close + 1..].trim());
    let little = words(inside).iter().all(|word| {
        let kind = lexicon().kind(lexicon().long_form(word));
        kind != Kind::Name && kind != Kind::Number || lexicon().is_legal(word)
    });
    if little {
        return vec![(folded.to_owned(), kind)];
    }
    vec![(outside, kind), (inside.to_owned(), NameKind::Part)]
}

/// `Silver Ridge BistroCo.` was typed without a space before its legal form.
fn part_glued_legal(typed: &str) -> String {
    let typed = typed.trim_end();
    for form in ["Co.", "Inc.", "LLC", "Ltd", "Ltd.", "Corp."] {
        if let Some(before) = typed.strip_suffix(form)
            && before.ends_with(|letter: char| letter.is_lowercase())
            && form.starts_with(char::is_uppercase)
        {
            return format!("{before} {form}");
        }
    }
    typed.to_owned()
}

/// Reads one name; `None` if nothing of it is a word.
pub(crate) fn name(text: &str, kind: NameKind, city: &str) -> Option<Name> {
    let mut all: Vec<Word> = tokens(&text.replace('*', " "), 0)
        .into_iter()
        .map(|token| {
            let kind = lexicon().kind(lexicon().long_form(&token.text));
            Word::new(&token.text, kind)
        })
        .filter(|word| !word.text.is_empty())
        .collect();
    strip_legal(&mut all);
    mark_places(&mut all, city);
    let site: Vec<Word> = all.iter().filter(|word| word.text != "THE").cloned().collect();
    if all.iter().any(|word| !is_joint(&word.text)) {
        all.retain(|word| !is_joint(&word.text));
    }
    if let Some(first) = all.first_mut().filter(|first| matches!(first.kind, Kind::Country | Kind::Legal | Kind::Place))
    {
        first.kind = Kind::Name;
    }
    let glued: String = all[..core(&all)].iter().map(|word| word.text.as_str()).collect();
    let glued_site: String = site[..core(&site)].iter().map(|word| word.text.as_str()).collect();
    let initials: String =
        if all.len() >= 3 { all.iter().filter_map(|word| word.text.chars().next()).collect() } else { String::new() };
    (!all.is_empty()).then_some(Name { kind, words: all, glued, glued_site, initials })
}

/// Takes legal forms off the end, and out of the middle before a country (`LTD UK`).
fn strip_legal(all: &mut Vec<Word>) {
    while all.len() > 1 {
        let end = all.len() - 1;
        if lexicon().is_legal(&all[end].text) {
            all.pop();
        } else if all[end].kind == Kind::Country && all.len() > 2 && lexicon().is_legal(&all[end - 1].text) {
            all.remove(end - 1);
        } else if end >= 2 && all[end].text.len() == 1 && all[end - 1].text.len() == 1 {
            // "L.L.C." and "S.A R.L." come apart when the dots are uneven.
            let joined: String =
                all.iter().rev().take_while(|word| word.text.len() == 1).map(|word| word.text.as_str()).collect();
            let joined: String = joined.chars().rev().collect();
            if !lexicon().is_legal(&joined) {
                break;
            }
            all.truncate(all.len() - joined.len());
        } else {
            break;
        }
    }
    if all.is_empty() {
        all.push(Word::new("COMPANY", Kind::Generic));
    }
}

/// Marks the words of the vendor's own town, a known town at the end, and `DOWNTOWN`: this name is one site of several.
fn mark_places(all: &mut [Word], city: &str) {
    let city = words(&fold(city));
    let count = all.len();
    for start in 1..count {
        if all[start].text == "DOWNTOWN" {
            all[start].kind = Kind::Channel;
            continue;
        }
        let own = !city.is_empty()
            && start + city.len() <= count
            && all[start..start + city.len()].iter().zip(&city).all(|(word, town)| word.text == *town);
        if own {
            for word in &mut all[start..start + city.len()] {
                word.kind = Kind::Place;
            }
        }
    }
    let open = all.iter().rposition(|word| !matches!(word.kind, Kind::Place | Kind::Channel)).map_or(0, |at| at + 1);
    for size in (1..=3.min(open.saturating_sub(1))).rev() {
        let town = all[open - size..open].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        if all[open - size..open].iter().all(|word| word.kind == Kind::Name || size > 1) && lexicon().is_place(&town) {
            for word in &mut all[open - size..open] {
                word.kind = Kind::Place;
            }
            return;
        }
    }
}

/// How many words stand before the country and place words at the end; at least one.
pub(crate) fn core(all: &[Word]) -> usize {
    let mut at = all.len();
    while at > 1 && matches!(all[at - 1].kind, Kind::Country | Kind::Place | Kind::Channel | Kind::Legal) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{NameKind, Vendor, names};
    use crate::lexicon::Kind;

    fn read(name: &str, city: &str) -> Vec<(NameKind, Vec<String>)> {
        let vendor = Vendor { name: name.to_owned(), city: city.to_owned(), ..Vendor::default() };
        names(&vendor)
            .into_iter()
            .map(|name| (name.kind, name.words.into_iter().map(|word| word.text).collect()))
            .collect()
    }

    #[test]
    fn legal_forms_and_dba_are_understood() {
        assert_eq!(
            read("The Baptiste Translations, Inc.", ""),
            [(NameKind::Full, vec!["BAPTISTE".into(), "TRANSLATIONS".into()])]
        );
        assert_eq!(
            read("Mwangi Holdings LLC dba Wright Construction  ", ""),
            [
                (NameKind::TradingAs, vec!["WRIGHT".into(), "CONSTRUCTION".into()]),
                (NameKind::Part, vec!["MWANGI".into()])
            ]
        );
        assert_eq!(read("RehabCare Development 2, L.L.C.", "")[0].1, ["REHABCARE", "DEVELOPMENT", "2"]);
        assert_eq!(read("Silver Ridge BistroCo.", "")[0].1, ["SILVER", "RIDGE", "BISTRO"]);
        assert_eq!(read("Kwik-Fit (GB) Ltd", "")[0].1, ["KWIK", "FIT", "GB"]);
        assert_eq!(read("Primo Brands (ReadyRefresh)", "")[1], (NameKind::Part, vec!["READYREFRESH".into()]));
    }

    #[test]
    fn the_town_of_a_site_is_marked() {
        let vendor = Vendor { name: "KidStrong New York".into(), city: "New York".into(), ..Vendor::default() };
        let kinds: Vec<Kind> = names(&vendor)[0].words.iter().map(|word| word.kind).collect();
        assert_eq!(kinds, [Kind::Name, Kind::Place, Kind::Place]);
    }
}
