//! Saying why: a short sentence for people, and the numbers that let a decision be replayed later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Outcome, Ranked};
use crate::descriptor::ViewKind;
use crate::index::Index;
use crate::lexicon::lexicon;
use crate::model::{Contest, Model};
use crate::query::{Compared, Query};
use crate::signal::{self, COUNT, EVIDENCE, Evidence};
use crate::similarity::Likeness;
use crate::vendor::NameKind;
use crate::veto::Veto;

/// A word of the descriptor and the vendor's word it was taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matched {
    /// In the descriptor.
    pub word: String,
    /// In the vendor's name.
    pub vendor_word: String,
    /// Why.
    pub likeness: Likeness,
}

/// Everything a decision rested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Version of the weights.
    pub model: String,
    /// Which reading of the merchant was compared.
    pub view: ViewKind,
    /// Which name of the vendor was compared.
    pub name: NameKind,
    /// That name's words.
    pub name_words: String,
    /// The pairs of words.
    pub matched: Vec<Matched>,
    /// All evidence that is not zero, by name.
    pub evidence: BTreeMap<String, f32>,
    /// The best candidate against the next.
    pub contest: Contest,
}

impl Explanation {
    /// The logit and the probability computed again from what is stored; `None` with weights of another version.
    pub fn replay(&self, model: &Model) -> Option<(f64, f64)> {
        if model.version != self.model {
            return None;
        }
        let mut evidence: Evidence = [0.0; COUNT];
        for (at, (name, _)) in EVIDENCE.iter().enumerate() {
            evidence[at] = self.evidence.get(*name).copied().unwrap_or(0.0);
        }
        Some((model.logit(&evidence), model.probability(&self.contest)))
    }
}

pub(crate) fn explain(query: &Query, best: &Compared<'_>, contest: &Contest, version: &str) -> Explanation {
    let view = &query.reading.views[best.view];
    let named = EVIDENCE.iter().zip(best.comparison.evidence).filter(|(_, value)| *value != 0.0);
    Explanation {
        model: version.to_owned(),
        view: view.kind,
        name: best.name.kind,
        name_words: best.name.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
        matched: matched(query, best),
        evidence: named.map(|((name, _), value)| ((*name).to_owned(), value)).collect(),
        contest: *contest,
    }
}

fn matched(query: &Query, best: &Compared<'_>) -> Vec<Matched> {
    let view = &query.reading.views[best.view];
    let pairs = best.comparison.alignment.pairs.iter();
    pairs
        .map(|pair| Matched {
            word: view.words[pair.word].text.clone(),
            vendor_word: best.name.words[pair.vendor].text.clone(),
            likeness: pair.likeness,
        })
        .collect()
}

/// One sentence: which words matched, what is missing or forbids deciding, who is next.
pub(crate) fn reason(index: &Index, query: &Query, ranked: &Ranked<'_>, decision: &Decision) -> String {
    let Some(best) = ranked.compared.first() else { return "no vendor shares a word with it".to_owned() };
    let vendor = &index.entry(best.slot).vendor;
    let mut text = format!("{}: {}", vendor.name.trim(), words(query, best));
    for part in [against(query, best), decision.veto.map(|veto| veto_text(veto, index, ranked)), next(index, ranked)] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            text.push_str("; ");
            text.push_str(&part);
        }
    }
    if decision.outcome == Outcome::None {
        text = format!("probably none of our vendors; nearest is {text}");
    }
    text
}

/// What speaks for and against one candidate.
pub(crate) fn about(query: &Query, best: &Compared<'_>) -> String {
    match against(query, best) {
        Some(against) => format!("{}; {against}", words(query, best)),
        None => words(query, best),
    }
}

/// `DELTA and AIR match`, with the near misses spelled out.
fn words(query: &Query, best: &Compared<'_>) -> String {
    let view = &query.reading.views[best.view];
    let mut parts: Vec<String> = Vec::new();
    for pair in matched(query, best) {
        let text = match pair.likeness {
            Likeness::Equal => pair.word,
            Likeness::Abbreviation | Likeness::NoVowels => format!("{} for {}", pair.word, pair.vendor_word),
            Likeness::CutOff => format!("{} cut off from {}", pair.word, pair.vendor_word),
            Likeness::Plural | Likeness::Glued | Likeness::OneEdit | Likeness::Longer => {
                format!("{} as {}", pair.word, pair.vendor_word)
            }
        };
        if !parts.contains(&text) {
            parts.push(text);
        }
    }
    let from = match view.kind {
        ViewKind::Name | ViewKind::Whole => "",
        ViewKind::SubMerchant => " right of the asterisk",
        ViewKind::Domain => " in the web address",
        ViewKind::CleanName => " in the cleaned name",
        ViewKind::Alias => " as a known short form",
    };
    let learned = if best.name.kind == NameKind::Learned { ", a name you confirmed" } else { "" };
    match parts.as_slice() {
        [] if best.comparison.evidence[signal::INITIALS] > 0.0 => format!("{} are its initials{learned}", view.glued),
        [] => format!("{} looks alike{from}{learned}", view.glued),
        [one] => format!("{one} matches{from}{learned}"),
        [most @ .., last] => format!("{} and {last} match{from}{learned}", most.join(", ")),
    }
}

/// What speaks most against it, and what agrees besides words.
fn against(query: &Query, best: &Compared<'_>) -> Option<String> {
    let evidence = &best.comparison.evidence;
    let view = &query.reading.views[best.view];
    let lost = |at: usize| best.comparison.alignment.of_word(at) < 0.3;
    let unexplained =
        view.words.iter().enumerate().find(|(at, word)| {
            lost(*at) && matches!(word.kind, crate::lexicon::Kind::Name | crate::lexicon::Kind::Trade)
        });
    let mut parts = Vec::new();
    if evidence[signal::CITY_AGREES] > 0.0 {
        parts.push("the town agrees".to_owned());
    }
    if let Some((_, word)) = unexplained {
        parts.push(format!("{} is not in its name", word.text));
    }
    if evidence[signal::TRADE_CONFLICTS] > 0.0 {
        let trade = view.words.iter().find_map(|word| lexicon().trade(&word.long));
        parts
            .push(trade.map_or("another trade".to_owned(), |trade| {
                format!("another trade ({})", lexicon().trade_name(trade))
            }));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn next(index: &Index, ranked: &Ranked<'_>) -> Option<String> {
    let second = ranked.compared.get(1).filter(|second| second.logit > -4.0)?;
    Some(format!("next best {}", index.entry(second.slot).vendor.name.trim()))
}

fn veto_text(veto: Veto, index: &Index, ranked: &Ranked<'_>) -> String {
    let other =
        ranked.compared.get(1).map(|other| index.entry(other.slot).vendor.name.trim().to_owned()).unwrap_or_default();
    match veto {
        Veto::Twins => format!("{other} fits almost as well"),
        Veto::SiteMissing => "the vendor is one site and the descriptor names none".to_owned(),
        Veto::SiteContradicted => "the vendor is one site and the descriptor names another".to_owned(),
        Veto::NumberMissing => "the number in the vendor's name is missing".to_owned(),
        Veto::OtherName => "each name has a word the other lacks".to_owned(),
        Veto::LittleMatched => "only one short or everyday word matches".to_owned(),
        Veto::ProcessorOnly => "only the payment processor matches".to_owned(),
        Veto::CleanNameOnly => "only the cleaned name speaks for it".to_owned(),
        Veto::ShortFormOnly => "only the beginning is a known short form".to_owned(),
        Veto::Blocked => "the vendor is blocked".to_owned(),
        Veto::Contradicted => "answered differently before".to_owned(),
        Veto::Renamed => "the vendor was renamed since it was confirmed".to_owned(),
        Veto::VendorGone => "the confirmed vendor is gone".to_owned(),
        Veto::LearnedOnce => "confirmed only once, with another town or number".to_owned(),
        Veto::Refused => "this name was confirmed as none of our vendors".to_owned(),
    }
}
