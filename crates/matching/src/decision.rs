//! Deciding: by itself, ask a person, or none.

use serde::Serialize;

use crate::explain::{Explanation, about, explain, reason};
use crate::index::Index;
use crate::lexicon::Kind;
use crate::memory::{Memory, Recall};
use crate::model::{Contest, Model, shipped};
use crate::query::{Compared, Merchant, Query, assess};
use crate::vendor::NameKind;
use crate::veto::Veto;

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

/// One vendor that may be meant, judged as if it were the best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// The vendor.
    pub vendor: String,
    /// Probability that it is right, against the best of the others.
    pub score: f64,
    /// Which words match and what speaks against it.
    pub reason: String,
    /// Everything needed to replay the score.
    pub explanation: Explanation,
}

/// Score given to a descriptor a person confirmed.
const CONFIRMED: f64 = 0.995;

impl Index {
    /// Decides with the shipped model.
    pub fn decide(&self, merchant: &Merchant, memory: &Memory) -> Decision {
        self.decide_with(merchant, memory, shipped())
    }

    /// Decides with a given model.
    pub fn decide_with(&self, merchant: &Merchant, memory: &Memory, model: &Model) -> Decision {
        let query = Query::new(merchant);
        let mut plain = Ranked::new(self, &query, None, memory, model);
        plain.know(self, memory);
        if let Some(decision) = self.remembered(&query, memory, &plain) {
            return decision;
        }
        let mut decision = self.judge(&query, &plain, model, |_| None);
        if !memory.is_empty() {
            let rejected = memory.rejected(&query.reading).is_some();
            if decision.outcome == Outcome::Auto && (rejected || memory.refused(&query.reading)) {
                decision.outcome = Outcome::Review;
                decision.veto = Some(Veto::Refused);
                decision.reason = reason(self, &query, &plain, &decision);
            } else if decision.outcome != Outcome::Auto && !rejected {
                decision = self.with_learned(&query, memory, model, decision);
            }
        }
        decision
    }

    /// What people said about exactly this descriptor, if they said anything.
    pub fn recall(&self, merchant: &Merchant, memory: &Memory) -> Option<Decision> {
        if memory.is_empty() {
            return None;
        }
        let query = Query::new(merchant);
        if memory.recall(&query.reading) == Recall::Nothing {
            return None;
        }
        self.remembered(&query, memory, &Ranked::new(self, &query, None, memory, shipped()))
    }

    /// The best vendors, each with its own score and reason, best first.
    pub fn suggest(&self, merchant: &Merchant, memory: &Memory, most: usize) -> Vec<Suggestion> {
        let (query, model) = (Query::new(merchant), shipped());
        let mut ranked = Ranked::new(self, &query, Some(memory), memory, model);
        let mut out = Vec::new();
        for _ in 0..most.min(ranked.compared.len()) {
            ranked.know(self, memory);
            let best = &ranked.compared[0];
            out.push(Suggestion {
                vendor: self.entry(best.slot).vendor.id.clone(),
                score: model.probability(&ranked.contest),
                reason: about(&query, best),
                explanation: explain(&query, best, &ranked.contest, &model.version),
            });
            ranked.next();
        }
        out
    }

    /// Decides again with the names people taught.
    fn with_learned(&self, query: &Query, memory: &Memory, model: &Model, plain: Decision) -> Decision {
        let mut ranked = Ranked::new(self, query, Some(memory), memory, model);
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

    /// Whether the vendor is one site of a business and the descriptor has neither a town, a place nor a number to tell it.
    fn site_is_open(&self, vendor_id: &str, query: &Query) -> bool {
        let Some(entry) = self.slot(vendor_id).map(|slot| self.entry(slot)) else { return false };
        let words = || query.reading.views.iter().flat_map(|view| &view.words);
        let own = |text: &str| {
            entry.names.iter().flat_map(|name| &name.words).any(|word| word.kind == Kind::Place && word.text == text)
        };
        entry.is_site()
            && query.city.is_empty()
            && query.reading.numbers.is_empty()
            && !words().any(|word| word.kind == Kind::Place || own(&word.text))
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
                    Some(_) if !answer.by_hand && self.site_is_open(&answer.vendor_id, query) => decision(
                        Outcome::Review,
                        id,
                        0.5,
                        Some(Veto::SiteMissing),
                        "the vendor confirmed before is one site and the descriptor names none",
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
    /// Compares; `taught` adds the names people taught. A vendor that was rejected for the descriptor is left out.
    fn new(index: &'a Index, query: &Query, taught: Option<&'a Memory>, memory: &Memory, model: &Model) -> Self {
        let mut compared = assess(index, query, taught, model);
        if let Some(rejected) = memory.rejected(&query.reading) {
            compared.retain(|compared| !rejected.contains(&index.entry(compared.slot).vendor.id));
        }
        let logit = |at: usize| compared.get(at).map_or(-8.0, |compared| compared.logit.max(-8.0));
        let contest = Contest { best: logit(0), second: logit(1), vendors: index.len(), strange_among: 0 };
        Self { compared, contest }
    }

    /// Takes the best away and judges the next one against it.
    fn next(&mut self) {
        let taken = self.compared.remove(0);
        let logit = self.compared.first().map_or(-8.0, |next| next.logit.max(-8.0));
        self.contest.second = self.contest.second.max(taken.logit.max(-8.0)).max(self.contest.best);
        self.contest.best = logit;
    }

    /// Takes into account whether people ever confirmed the best vendor.
    fn know(&mut self, index: &Index, memory: &Memory) {
        let id = self.compared.first().map(|best| index.entry(best.slot).vendor.id.as_str());
        self.contest.strange_among = id.map_or(0, |id| if memory.knows(id) { 0 } else { memory.vendors_known() });
    }
}
