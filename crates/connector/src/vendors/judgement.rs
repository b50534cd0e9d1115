//! What was asked of the matcher and what it said, in the form in which it is stored, shown and replayed.

use domain::directory::Directory;
use domain::hold::{Hold, HoldCode};
use matching::{Decision, Explanation, Merchant, Outcome, shipped};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::matcher::Known;

/// How many vendors are suggested.
const SUGGESTIONS: usize = 3;

/// What is known about a merchant when the matcher is asked. Empty means unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The raw descriptor, or the name if there is none.
    pub descriptor: String,
    /// The name as Brex shows it, if the descriptor is another.
    pub clean_name: String,
    /// Web address.
    pub website: String,
    /// Merchant category code.
    pub mcc: String,
    /// Country.
    pub country: String,
    /// Whether this is all that Brex tells. What a name alone decided is asked for when the name no longer does.
    #[serde(default)]
    pub complete: bool,
}

impl Asked {
    /// Only the name is known.
    pub fn name(name: &str) -> Self {
        Self { descriptor: name.to_owned(), ..Self::default() }
    }

    /// In the matcher's words.
    pub fn merchant(&self) -> Merchant {
        Merchant {
            descriptor: self.descriptor.clone(),
            clean_name: self.clean_name.clone(),
            website: self.website.clone(),
            mcc: self.mcc.clone(),
            country: self.country.clone(),
            city: String::new(),
        }
    }
}

/// Match Confidence, as on Business Central's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confidence {
    /// Sure enough to book without a person.
    High,
    /// Probable: a person confirms.
    Medium,
    /// A candidate, no more.
    Low,
}

impl Confidence {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
        }
    }
}

/// A vendor that may be meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// BC id.
    pub vendor: String,
    /// BC number.
    pub number: String,
    /// Name at that time.
    pub name: String,
    /// Probability that it is right.
    pub score: f64,
    /// Match Confidence.
    pub confidence: Confidence,
    /// Which words matched, and what speaks against it.
    pub reason: String,
    /// The numbers behind the score.
    pub explanation: Explanation,
}

/// What the matcher said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// `auto`, `review` or `none`.
    pub outcome: String,
    /// BC id of the vendor that was chosen or suggested first.
    pub vendor: Option<String>,
    /// Probability that it is right.
    pub score: f64,
    /// One sentence.
    pub reason: String,
    /// What forbade deciding by itself.
    pub veto: Option<Value>,
    /// Version of the weights.
    pub weights: String,
    /// From this score on a vendor is chosen without a person.
    pub auto_from: f64,
    /// Below this score it counts as none.
    pub review_from: f64,
    /// The numbers behind the score; none when a person's answer decided.
    pub explanation: Option<Explanation>,
    /// The best vendors, best first.
    pub candidates: Vec<Candidate>,
}

impl Judgement {
    /// Takes down a decision with its candidates.
    pub fn of(decision: &Decision, asked: &Asked, known: &Known, directory: &Directory) -> Self {
        let model = shipped();
        let suggestions = known.index.suggest(&asked.merchant(), &known.memory, SUGGESTIONS);
        let candidates = suggestions.into_iter().filter_map(|suggestion| {
            let vendor = directory.vendor(&suggestion.vendor)?;
            let is_chosen = decision.outcome == Outcome::Auto && decision.vendor.as_ref() == Some(&suggestion.vendor);
            let confidence = match suggestion.score {
                _ if is_chosen => Confidence::High,
                score if score >= model.review_from => Confidence::Medium,
                _ => Confidence::Low,
            };
            Some(Candidate {
                number: vendor.number.clone(),
                name: vendor.name.clone(),
                vendor: suggestion.vendor,
                score: suggestion.score,
                confidence,
                reason: suggestion.reason,
                explanation: suggestion.explanation,
            })
        });
        let outcome = match decision.outcome {
            Outcome::Auto => "auto",
            Outcome::Review => "review",
            Outcome::None => "none",
        };
        Self {
            outcome: outcome.to_owned(),
            vendor: decision.vendor.clone(),
            score: decision.score,
            reason: decision.reason.clone(),
            veto: decision.veto.and_then(|veto| serde_json::to_value(veto).ok()),
            weights: model.version.clone(),
            auto_from: model.auto_from,
            review_from: model.review_from,
            explanation: decision.explanation.clone(),
            candidates: candidates.collect(),
        }
    }

    /// The score computed again from what is stored: the same, unless the weights are of another version. None when a
    /// person's answer decided and there is nothing to compute.
    pub fn replay(&self) -> Option<f64> {
        self.explanation.as_ref()?.replay(shipped()).map(|(_, score)| score)
    }

    /// The hold of a record whose vendor a person must say, with the ranked suggestions.
    pub fn hold(&self, merchant: &str) -> Hold {
        let listed: Vec<String> = self.candidates.iter().map(Candidate::words).collect();
        let listed = if listed.is_empty() { "no vendor is like it".to_owned() } else { listed.join("; ") };
        let text = format!("which vendor is {merchant:?}? {listed}. Not booked because: {}", self.reason);
        Hold::new(HoldCode::VendorReview, text)
    }
}

impl Candidate {
    /// `V10000 Acme (Match Confidence Medium, 83 %): ACME matches`.
    pub fn words(&self) -> String {
        let Self { number, name, .. } = self;
        let (confidence, percent) = (self.confidence.as_str(), self.score * 100.0);
        format!("{number} {name} (Match Confidence {confidence}, {percent:.0} %): {}", self.reason)
    }
}
