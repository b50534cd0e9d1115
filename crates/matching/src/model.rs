//! The trained model: small regression trees over the evidence, then a calibration that knows the size of the vendor list.
//!
//! The numbers live in `data/weights.json`, written by `training/train.rs`; every evidence keeps its direction there.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::signal::{self, COUNT, EVIDENCE, Evidence};

/// One question of a tree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Split {
    /// Which evidence.
    pub evidence: usize,
    /// Answers go left when the evidence is at most this.
    pub at_most: f32,
}

/// A complete binary tree: the questions level by level, then the leaves from left to right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tree {
    /// Questions, level by level.
    pub splits: Vec<Split>,
    /// Answers.
    pub leaves: Vec<f64>,
}

/// The calibration of the best candidate against its runner-up and the number of vendors.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Constant.
    pub constant: f64,
    /// One weight per term of [`terms`].
    pub weights: Vec<f64>,
}

/// Everything that is trained.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// Version stored with every decision.
    pub version: String,
    /// Names of the evidence the trees were trained with.
    pub evidence: Vec<String>,
    /// Logit before any tree.
    pub base: f64,
    /// The trees; their answers are added.
    pub trees: Vec<Tree>,
    /// From logits to probability.
    pub calibration: Calibration,
    /// Accept by itself from this probability.
    pub auto_from: f64,
    /// Say "none of ours" below this probability.
    pub review_from: f64,
}

/// How a query's candidates compare, for the calibration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// Logit of the best candidate.
    pub best: f64,
    /// Logit of the next best vendor, or -8.
    pub second: f64,
    /// Number of vendors in the list.
    pub vendors: usize,
    /// How many vendors people have confirmed so far, if the best is not among them; else 0.
    #[serde(default)]
    pub strange_among: usize,
}

/// Vendor lists shorter than this are judged as if they had as many: a short list makes a stranger no less likely.
const LEAST_VENDORS: usize = 1000;

/// The terms of the calibration. The weight of the last one is never negative, so that a longer list never raises a score.
#[expect(clippy::cast_precision_loss, reason = "a count of vendors")]
pub fn terms(contest: &Contest) -> [f64; 5] {
    let gap = (contest.best - contest.second).clamp(0.0, 6.0);
    [
        contest.best.clamp(-8.0, 8.0),
        contest.best.clamp(-8.0, 0.0),
        gap.min(2.0),
        gap,
        -(contest.vendors.max(LEAST_VENDORS) as f64).ln(),
    ]
}

/// The more vendors people have confirmed, the less likely it is that a merchant belongs to one nobody ever confirmed.
#[expect(clippy::cast_precision_loss, reason = "a count of vendors")]
fn strangeness(contest: &Contest) -> f64 {
    (contest.strange_among as f64 / 50.0).ln_1p().min(3.0)
}

/// The shipped model.
pub fn shipped() -> &'static Model {
    static MODEL: LazyLock<Model> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the file is part of the program and a test reads it")]
        let model: Model =
            serde_json::from_str(include_str!("../data/weights.json")).expect("the shipped weights are valid");
        model
    });
    &MODEL
}

impl Model {
    /// Whether the model fits this program: same evidence in the same order, trees complete.
    pub fn fits(&self) -> bool {
        self.evidence.iter().map(String::as_str).eq(EVIDENCE.iter().map(|(name, _)| *name))
            && self.trees.iter().all(|tree| {
                tree.leaves.len() == tree.splits.len() + 1 && tree.splits.iter().all(|split| split.evidence < COUNT)
            })
            && self.calibration.weights.len() == terms(&Contest::default()).len()
    }

    /// Logit that this vendor is the right one, looking at it alone.
    pub fn logit(&self, evidence: &Evidence) -> f64 {
        if is_hopeless(evidence) {
            return HOPELESS;
        }
        self.base + self.trees.iter().map(|tree| tree.answer(evidence)).sum::<f64>()
    }

    /// Probability that the best candidate is right.
    pub fn probability(&self, contest: &Contest) -> f64 {
        let sum: f64 = terms(contest).iter().zip(&self.calibration.weights).map(|(term, weight)| term * weight).sum();
        let exact = 1.0 / (1.0 + (-(self.calibration.constant + sum - strangeness(contest))).exp());
        // Rounded, so that the last bits of a platform's exp() decide nothing.
        (exact * 1e6).round() / 1e6
    }
}

/// Logit of a vendor that shares no word and hardly a letter; lower than any the trees give to others.
const HOPELESS: f64 = -12.0;

/// No word matches, and the letters are not alike either: most candidates, so they are not asked of the trees.
fn is_hopeless(evidence: &Evidence) -> bool {
    evidence[signal::WEIGHT] <= 0.0
        && evidence[signal::GLUED_EQUAL] <= 0.0
        && evidence[signal::INITIALS] <= 0.0
        && evidence[signal::PIECES] < 0.5
}

impl Tree {
    fn answer(&self, evidence: &Evidence) -> f64 {
        let mut at = 0;
        while let Some(split) = self.splits.get(at) {
            at = 2 * at + 1 + usize::from(evidence[split.evidence] > split.at_most);
        }
        self.leaves.get(at - self.splits.len()).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::shipped;

    #[test]
    fn the_shipped_weights_fit_this_program() {
        assert!(shipped().fits());
        assert!(shipped().auto_from > shipped().review_from);
    }
}
