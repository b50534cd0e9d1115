//! Deciding: by itself, ask a person, or none; with the reasons that forbid deciding by itself.

use serde::Serialize;

use crate::descriptor::ViewKind;
use crate::explain::{Explanation, explain, reason};
use crate::index::Index;
use crate::lexicon::{Kind, lexicon};
use crate::memory::{Memory, Recall};
use crate::model::{Contest, Model, shipped};
use crate::query::{Compared, Merchant, Query, assess};
use crate::similarity::Likeness;
use crate::vendor::{Name, NameKind};

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sure enough to post without a person.
    Auto,
    /// A suggestion for a person.
    Review,
    /// Probably none of the vendors.
    None,
}

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

/// The answer for one merchant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What to do.
    pub outcome: Outcome,
    /// The best vendor, if there is any candidate.
    pub vendor: Option<String>,
    /// Probability that `vendor` is right.
    pub score: f64,
    /// A short sentence for a bookkeeper.
    pub reason: String,
    /// What forbade deciding by itself.
    pub veto: Option<Veto>,
    /// The best vendors, best first.
    pub candidates: Vec<String>,
    /// Everything needed to explain and replay the decision.
    pub explanation: Option<Explanation>,
}

/// Score given to a descriptor a person confirmed.
const CONFIRMED: f64 = 0.995;
/// Logits the best vendor must be ahead of the next.
const LEAST_GAP: f64 = 2.0;

impl Index {
    /// Decides with the shipped model.
    pub fn decide(&self, merchant: &Merchant, memory: &Memory) -> Decision {
        self.decide_with(merchant, memory, shipped())
    }

    /// Decides with a given model.
    pub fn decide_with(&self, merchant: &Merchant, memory: &Memory, model: &Model) -> Decision {
        let query = Query::new(merchant);
        let mut plain = Ranked::new(self, &query, None, model);
        plain.know(self, memory);
        if let Some(decision) = self.remembered(&query, memory, &plain) {
            return decision;
        }
        let mut decision = self.judge(&query, &plain, model, |_| None);
        if !memory.is_empty() {
            if memory.refused(&query.reading) && decision.outcome == Outcome::Auto {
                decision.outcome = Outcome::Review;
                decision.veto = Some(Veto::Refused);
                decision.reason = reason(self, &query, &plain, &decision);
            } else if decision.outcome != Outcome::Auto {
                decision = self.with_learned(&query, memory, model, decision);
            }
        }
        decision
    }

    /// Decides again with the names people taught.
    fn with_learned(&self, query: &Query, memory: &Memory, model: &Model, plain: Decision) -> Decision {
        let mut ranked = Ranked::new(self, query, Some(memory), model);
        ranked.know(self, memory);
        if !ranked.compared.iter().any(|compared| compared.name.kind == NameKind::Learned) {
            return plain;
        }
        self.judge(query, &ranked, model, |best| {
            let entry = self.entry(best.slot);
            let may = best.name.kind != NameKind::Learned
                || memory.may_decide(&entry.vendor.id, best.name, &query.city, &query.reading.numbers, entry.is_site());
            if may { None } else { Some(Veto::LearnedOnce) }
        })
    }

    fn judge(
        &self,
        query: &Query,
        ranked: &Ranked<'_>,
        model: &Model,
        guard: impl Fn(&Compared<'_>) -> Option<Veto>,
    ) -> Decision {
        let Some(best) = ranked.compared.first() else { return nothing() };
        let score = model.probability(&ranked.contest);
        let veto = (score >= model.auto_from).then(|| self.veto(query, ranked).or_else(|| guard(best))).flatten();
        let outcome = if score >= model.auto_from && veto.is_none() {
            Outcome::Auto
        } else if score >= model.review_from {
            Outcome::Review
        } else {
            Outcome::None
        };
        let mut decision = Decision {
            outcome,
            vendor: Some(self.entry(best.slot).vendor.id.clone()),
            score,
            reason: String::new(),
            veto,
            candidates: self.ids(&ranked.compared),
            explanation: Some(explain(query, best, &ranked.contest, &model.version)),
        };
        decision.reason = reason(self, query, ranked, &decision);
        decision
    }

    fn ids(&self, compared: &[Compared<'_>]) -> Vec<String> {
        compared.iter().take(5).map(|compared| self.entry(compared.slot).vendor.id.clone()).collect()
    }

    /// What people said about exactly this descriptor.
    fn remembered(&self, query: &Query, memory: &Memory, plain: &Ranked<'_>) -> Option<Decision> {
        let mut candidates = self.ids(&plain.compared);
        let decision = |outcome, vendor: Option<String>, score, veto, reason: &str| Decision {
            outcome,
            vendor,
            score,
            reason: reason.to_owned(),
            veto,
            candidates: Vec::new(),
            explanation: None,
        };
        match memory.recall(&query.reading) {
            Recall::Nothing => None,
            Recall::NoneOfOurs => {
                Some(decision(Outcome::None, None, 0.0, None, "confirmed before: none of our vendors"))
            }
            Recall::Contradicted => {
                let found = decision(
                    Outcome::Review,
                    candidates.first().cloned(),
                    0.5,
                    Some(Veto::Contradicted),
                    "answered differently before: please decide",
                );
                Some(Decision { candidates, ..found })
            }
            Recall::Vendor(answer) => {
                let id = Some(answer.vendor_id.clone());
                let found = match self.find_vendor(&answer.vendor_id) {
                    None => decision(
                        Outcome::Review,
                        candidates.first().cloned(),
                        0.5,
                        Some(Veto::VendorGone),
                        "the vendor confirmed before is no longer in the list",
                    ),
                    Some(vendor) if vendor.blocked => decision(
                        Outcome::Review,
                        id,
                        0.5,
                        Some(Veto::Blocked),
                        "the vendor confirmed before is blocked",
                    ),
                    Some(vendor) if !answer.vendor_name.is_empty() && vendor.name != answer.vendor_name => decision(
                        Outcome::Review,
                        id,
                        0.5,
                        Some(Veto::Renamed),
                        "the vendor confirmed before has another name now",
                    ),
                    Some(vendor) => decision(
                        Outcome::Auto,
                        id,
                        CONFIRMED,
                        None,
                        &format!("confirmed before: this descriptor is {}", vendor.name.trim()),
                    ),
                };
                if let Some(vendor) = &found.vendor {
                    candidates.retain(|known| known != vendor);
                    candidates.insert(0, vendor.clone());
                }
                Some(Decision { candidates, ..found })
            }
        }
    }

    /// The first reason that forbids deciding by itself.
    fn veto(&self, query: &Query, ranked: &Ranked<'_>) -> Option<Veto> {
        let best = &ranked.compared[0];
        let entry = self.entry(best.slot);
        let evidence = &best.comparison.evidence;
        if entry.vendor.blocked {
            return Some(Veto::Blocked);
        }
        let on_site = evidence[24] > 0.0 || evidence[21] > 0.0;
        let gap = ranked.contest.best - ranked.contest.second;
        let twin = ranked.compared[1..]
            .iter()
            .take(5)
            .any(|other| core_words(best.name) == core_words(other.name) && !on_site);
        if gap < LEAST_GAP || twin {
            return Some(Veto::Twins);
        }
        if evidence[23] > 0.3 {
            return Some(if query.city.is_empty() { Veto::SiteMissing } else { Veto::SiteContradicted });
        }
        if evidence[18] > 0.0 && evidence[15] < 1.0 {
            return Some(Veto::NumberMissing);
        }
        if evidence[48] > 0.0 && evidence[15] < 1.0 && evidence[27] < 1.0 && !rare_brand(best) {
            return Some(Veto::OtherName);
        }
        self.little(query, best)
    }

    /// Vetoes for matches that rest on too little.
    fn little(&self, query: &Query, best: &Compared<'_>) -> Option<Veto> {
        let view = &query.reading.views[best.view];
        let evidence = &best.comparison.evidence;
        if view.kind == ViewKind::CleanName && evidence[33] < 0.35 {
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
        let short = letters <= if evidence[15] < 1.0 { 3 } else { 2 };
        let everyday = telling == 1
            && pairs.iter().all(|pair| {
                matches!(best.name.words[pair.vendor].kind, Kind::Generic | Kind::Trade | Kind::Place | Kind::Country)
            });
        let near = telling == 1
            && letters <= 8
            && best.name.words.len() == 1
            && pairs
                .iter()
                .all(|pair| matches!(pair.likeness, Likeness::Plural | Likeness::OneEdit | Likeness::Longer));
        let run_on = best.name.words.len() == 1 && pairs.iter().all(|pair| pair.likeness == Likeness::Glued && pair.quality < 0.9);
        if (near || run_on && !pairs.is_empty()) && evidence[21] < 1.0 {
            return Some(Veto::LittleMatched);
        }
        if evidence[35] < 1.0 && !matched.is_empty() && (short || everyday) {
            return Some(Veto::LittleMatched);
        }
        None
    }
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
        && best.comparison.evidence[4] >= 0.95
        && lost.clone().count() <= 1
        && lost.into_iter().all(|(_, word)| word.kind == Kind::Trade)
}

/// The words of a name that do not say which site it is.
fn core_words(name: &Name) -> Vec<&str> {
    let core = name.words.iter().filter(|word| !matches!(word.kind, Kind::Place | Kind::Country | Kind::Number));
    core.map(|word| word.long.as_str()).collect()
}

fn nothing() -> Decision {
    Decision {
        outcome: Outcome::None,
        vendor: None,
        score: 0.0,
        reason: "no vendor shares a word with it".to_owned(),
        veto: None,
        candidates: Vec::new(),
        explanation: None,
    }
}

/// The candidates of a merchant in order, and how the best stands against the next.
pub(crate) struct Ranked<'a> {
    pub(crate) compared: Vec<Compared<'a>>,
    pub(crate) contest: Contest,
}

impl<'a> Ranked<'a> {
    fn new(index: &'a Index, query: &Query, memory: Option<&'a Memory>, model: &Model) -> Self {
        let compared = assess(index, query, memory, model);
        let logit = |at: usize| compared.get(at).map_or(-8.0, |compared| compared.logit.max(-8.0));
        let contest = Contest { best: logit(0), second: logit(1), vendors: index.len(), strange_among: 0 };
        Self { compared, contest }
    }

    /// Takes into account whether people ever confirmed the best vendor.
    fn know(&mut self, index: &Index, memory: &Memory) {
        let id = self.compared.first().map(|best| index.entry(best.slot).vendor.id.as_str());
        self.contest.strange_among = id.map_or(0, |id| if memory.knows(id) { 0 } else { memory.vendors_known() });
    }
}
