//! Thresholds and figures from decisions made out of fold by the whole matcher, vetoes included.

use std::fmt::Write;

use matching::{Decision, EVIDENCE, Memory, Model, Outcome, Veto};

use crate::samples::Set;

/// Precision the automatic decisions of both sets together must keep out of fold: well above the promised 0.995, because
/// other brands bring other accidents.
const PRECISION: f64 = 0.9985;
/// Below this probability the answer is "none of our vendors": a review costs one, a match thrown away three.
const REVIEW_FROM: f64 = 0.10;

/// Automatic decisions that were right and wrong.
#[derive(Clone, Copy, Default)]
struct Tally {
    right: u32,
    wrong: u32,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        Self { right: self.right + other.right, wrong: self.wrong + other.wrong }
    }

    fn precision(self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }
}

fn tally(set: &Set, decided: &[Decision], threshold: f64) -> Tally {
    let mut out = Tally::default();
    for (decision, truth) in decided.iter().zip(&set.truth) {
        if decision.outcome == Outcome::Auto && decision.score >= threshold {
            let right = decision.vendor.as_deref() == Some(truth);
            out = out.add(Tally { right: u32::from(right), wrong: u32::from(!right) });
        }
    }
    out
}

fn percent(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    100.0 * number(part) / number(whole.max(1))
}

fn matchable(set: &Set) -> usize {
    set.truth.iter().filter(|truth| !truth.is_empty()).count()
}

/// All decisions of a set, each by the model that did not see the brand.
fn decisions(set: &Set, models: &[Model], auto_from: f64) -> Vec<Decision> {
    let memory = Memory::new();
    let asked = set.merchants.iter().zip(&set.folds);
    asked
        .map(|(merchant, fold)| set.index.decide_with(merchant, &memory, &Model { auto_from, ..models[*fold].clone() }))
        .collect()
}

/// The lowest automatic threshold that keeps the precision, and the review threshold.
pub(crate) fn thresholds(sets: &[Set], models: &[Model]) -> (f64, f64) {
    let all: Vec<Vec<Decision>> = sets.iter().map(|set| decisions(set, models, 0.5)).collect();
    let (mut chosen, mut holds) = (0.99, true);
    println!("threshold  precision / recall per set, out of fold");
    for step in (0..=98).rev() {
        let threshold = 0.5 + f64::from(step) * 0.005;
        let mut line = format!("{threshold:.3}");
        let mut both = Tally::default();
        for (set, decided) in sets.iter().zip(&all) {
            let found = tally(set, decided, threshold);
            both = both.add(found);
            let recall = percent(found.right as usize, matchable(set));
            let written = write!(
                line,
                "  {}: {:.2}% / {recall:.2}% ({} wrong)",
                set.name,
                100.0 * found.precision(),
                found.wrong
            );
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
        println!("{line}");
        holds &= both.precision() >= PRECISION;
        if holds {
            chosen = threshold;
        }
    }
    (chosen, REVIEW_FROM)
}

/// Figures per set, then every mistake by name, then what the vetoes held back.
pub(crate) fn print(sets: &[Set], models: &[Model]) {
    for set in sets {
        let threshold = models.first().map_or(1.0, |model| model.auto_from);
        let decided = decisions(set, models, threshold);
        figures(set, models, &decided, threshold);
        mistakes(set, &decided);
        let vetoes = [
            Veto::Twins,
            Veto::SiteMissing,
            Veto::SiteContradicted,
            Veto::NumberMissing,
            Veto::OtherName,
            Veto::ShortFormOnly,
            Veto::LittleMatched,
            Veto::CleanNameOnly,
        ];
        for veto in vetoes {
            let held = decided.iter().zip(&set.truth).filter(|(decision, _)| decision.veto == Some(veto));
            let needless = held.clone().filter(|(decision, truth)| decision.vendor.as_deref() == Some(truth)).count();
            println!("veto {veto:?}: {} held, {needless} of them were right", held.count());
        }
    }
}

fn figures(set: &Set, models: &[Model], decided: &[Decision], threshold: f64) {
    let count = |test: &dyn Fn(&Decision, &str) -> bool| {
        decided.iter().zip(&set.truth).filter(|(decision, truth)| test(decision, truth)).count()
    };
    let whole = matchable(set);
    let found = tally(set, decided, threshold);
    let top1 = count(&|decision, truth| decision.candidates.first().is_some_and(|first| first == truth));
    let top3 = count(&|decision, truth| decision.candidates.iter().take(3).any(|one| one == truth));
    let review = count(&|decision, _| decision.outcome == Outcome::Review);
    let lost = count(&|decision, truth| decision.outcome == Outcome::None && !truth.is_empty());
    let blocked = set.merchants.iter().zip(&set.truth).zip(&set.folds).filter(|((merchant, truth), fold)| {
        !truth.is_empty()
            && matching::assessments(&set.index, merchant, &models[**fold]).iter().any(|one| one.vendor == **truth)
    });
    println!(
        "{}: threshold {threshold:.4} precision {:.2}% ({} wrong) recall {:.2}% top-1 {:.2}% top-3 {:.2}% candidates {:.2}% review {:.2}% lost {:.2}%",
        set.name,
        100.0 * found.precision(),
        found.wrong,
        percent(found.right as usize, whole),
        percent(top1, whole),
        percent(top3, whole),
        percent(blocked.count(), whole),
        percent(review, set.truth.len()),
        percent(lost, whole),
    );
}

fn mistakes(set: &Set, decided: &[Decision]) {
    for (at, (decision, truth)) in decided.iter().zip(&set.truth).enumerate() {
        let same = decision.vendor.as_deref() == Some(truth);
        let kind = match (decision.outcome == Outcome::Auto, truth.is_empty()) {
            (true, _) if !same => "WRONG",
            (false, false) if same => "MISSED",
            (false, false) => "LOST",
            _ => continue,
        };
        let name = set.index.find_vendor(truth).map_or("-", |vendor| vendor.name.as_str());
        let merchant = &set.merchants[at];
        println!(
            "{kind} {} {:?} clean {:?} should be {name:?}: {:.3} {:?} {}",
            set.strata[at], merchant.descriptor, merchant.clean_name, decision.score, decision.veto, decision.reason
        );
    }
}

/// How often each evidence is asked about.
pub(crate) fn importance(model: &Model) {
    for (at, (name, _)) in EVIDENCE.iter().enumerate() {
        let splits = model.trees.iter().flat_map(|tree| &tree.splits);
        print!("{name} {}  ", splits.filter(|split| split.evidence == at && split.at_most < 1e8).count());
    }
    println!();
}
