//! The reasons that send a decision to a person although the score alone would do.

use serde::Serialize;

use crate::decision::Ranked;
use crate::descriptor::ViewKind;
use crate::index::Index;
use crate::lexicon::{Kind, lexicon};
use crate::query::{Compared, Query};
use crate::signal;
use crate::similarity::Likeness;
use crate::vendor::Name;

/// Why a person must look although the score alone would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Veto {
    /// Two vendors fit almost equally well.
    Twins,
    /// The vendor is one site, and the descriptor does not name it.
    SiteMissing,
    /// The descriptor names another town than the vendor's.
    SiteContradicted,
    /// A number in the vendor's name is missing or different.
    NumberMissing,
    /// Each of the two names has a word the other lacks.
    OtherName,
    /// Only one short or everyday word matched.
    LittleMatched,
    /// Only the payment processor's name matched.
    ProcessorOnly,
    /// Only the cleaned name speaks for the vendor.
    CleanNameOnly,
    /// Only the beginning is a known short form; the rest of the descriptor is not in the vendor's name.
    ShortFormOnly,
    /// The vendor is blocked.
    Blocked,
    /// People answered differently about this descriptor.
    Contradicted,
    /// The vendor was renamed since it was confirmed.
    Renamed,
    /// The confirmed vendor is no longer in the list.
    VendorGone,
    /// A learned name whose town or numbers differ, confirmed only once.
    LearnedOnce,
    /// People said of this name that it is none of the vendors.
    Refused,
}

/// Logits the best vendor must be ahead of the next.
const LEAST_GAP: f64 = 2.0;

impl Index {
    /// The first reason that forbids deciding by itself.
    pub(crate) fn veto(&self, query: &Query, ranked: &Ranked<'_>) -> Option<Veto> {
        let best = &ranked.compared[0];
        let entry = self.entry(best.slot);
        let evidence = &best.comparison.evidence;
        if entry.vendor.blocked {
            return Some(Veto::Blocked);
        }
        let on_site = evidence[signal::PLACE_MATCHED] > 0.0 || evidence[signal::CITY_AGREES] > 0.0;
        let gap = ranked.contest.best - ranked.contest.second;
        let twin = ranked.compared[1..]
            .iter()
            .take(5)
            .any(|other| core_words(best.name) == core_words(other.name) && !on_site);
        if gap < LEAST_GAP || twin {
            return Some(Veto::Twins);
        }
        if evidence[signal::PLACE_MISSING] > 0.3 {
            return Some(if query.city.is_empty() { Veto::SiteMissing } else { Veto::SiteContradicted });
        }
        if evidence[signal::NUMBER_MISSING] > 0.0 && evidence[signal::GLUED_EQUAL] < 1.0 {
            return Some(Veto::NumberMissing);
        }
        if evidence[signal::BOTH_MISS] > 0.0
            && evidence[signal::GLUED_EQUAL] < 1.0
            && evidence[signal::SITE_EQUAL] < 1.0
            && !rare_brand(best)
        {
            return Some(Veto::OtherName);
        }
        little(query, best)
    }
}

/// Vetoes for matches that rest on too little.
fn little(query: &Query, best: &Compared<'_>) -> Option<Veto> {
    let view = &query.reading.views[best.view];
    let evidence = &best.comparison.evidence;
    if view.kind == ViewKind::CleanName && evidence[signal::OTHER_VIEW] < 0.35 {
        return Some(Veto::CleanNameOnly);
    }
    let pairs = &best.comparison.alignment.pairs;
    let matched: Vec<&str> = pairs.iter().map(|pair| view.words[pair.word].text.as_str()).collect();
    let direct = matches!(view.kind, ViewKind::Name | ViewKind::CleanName);
    if !direct
        && query.reading.processor.is_some()
        && !matched.is_empty()
        && matched.iter().all(|word| lexicon().is_processor(word))
    {
        return Some(Veto::ProcessorOnly);
    }
    let rest = view.words.iter().enumerate().filter(|(at, _)| best.comparison.alignment.of_word(*at) < 0.3);
    let named = |kind| matches!(kind, Kind::Name | Kind::Trade);
    let little =
        query.reading.views.first().and_then(|view| view.words.first()).is_some_and(|word| word.text.len() <= 2);
    if view.kind == ViewKind::Alias && little && rest.map(|(_, word)| word.kind).any(named) {
        return Some(Veto::ShortFormOnly);
    }
    let telling = pairs
        .iter()
        .filter(|pair| !matches!(best.name.words[pair.vendor].kind, Kind::Place | Kind::Country | Kind::Number))
        .count();
    let letters = matched.iter().map(|word| word.len()).sum::<usize>();
    let short = letters <= if evidence[signal::GLUED_EQUAL] < 1.0 { 3 } else { 2 };
    let everyday = telling == 1
        && pairs.iter().all(|pair| {
            matches!(best.name.words[pair.vendor].kind, Kind::Generic | Kind::Trade | Kind::Place | Kind::Country)
        });
    // PANERA is not PANERAI, HAMPTON not HAMPTONS: a name of one word must be spelled the same.
    let one_word = best.name.words.iter().filter(|word| matches!(word.kind, Kind::Name | Kind::Trade)).count() <= 1;
    let near = telling == 1
        && letters <= 8
        && one_word
        && pairs.iter().all(|pair| matches!(pair.likeness, Likeness::Plural | Likeness::OneEdit | Likeness::Longer));
    let run_on = one_word && pairs.iter().all(|pair| pair.likeness == Likeness::Glued && pair.quality < 0.9);
    if (near || run_on && !pairs.is_empty()) && evidence[signal::CITY_AGREES] < 1.0 {
        return Some(Veto::LittleMatched);
    }
    if evidence[signal::INITIALS] < 1.0 && !matched.is_empty() && (short || everyday) {
        return Some(Veto::LittleMatched);
    }
    None
}

/// Whether the first word is a brand that is no everyday word, and the vendor's name lacks nothing but its trade: `STARBUCKS
/// BICKERSTAFFE` is Starbucks Coffee, `LITTLE FREE PANTRY` is not Little Free Library.
fn rare_brand(best: &Compared<'_>) -> bool {
    let alignment = &best.comparison.alignment;
    let names = best.name.words.iter().enumerate().filter(|(_, word)| word.kind == Kind::Name);
    let brand = names
        .clone()
        .next()
        .is_some_and(|(at, word)| at == 0 && word.text.len() >= 4 && !lexicon().is_known(&word.long));
    let lost = best
        .name
        .words
        .iter()
        .enumerate()
        .filter(|(at, word)| matches!(word.kind, Kind::Name | Kind::Trade) && alignment.of_vendor(*at) == 0.0);
    brand
        && best.comparison.evidence[signal::FIRST_VENDOR_WORD] >= 0.95
        && lost.clone().count() <= 1
        && lost.into_iter().all(|(_, word)| word.kind == Kind::Trade)
}

/// The words of a name that do not say which site it is.
fn core_words(name: &Name) -> Vec<&str> {
    let core = name.words.iter().filter(|word| !matches!(word.kind, Kind::Place | Kind::Country | Kind::Number));
    core.map(|word| word.long.as_str()).collect()
}
