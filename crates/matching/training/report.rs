//! Thresholds and figures from decisions made out of fold by the whole matcher, vetoes included.

use matching::{Decision, EVIDENCE, Memory, Model, Outcome, Veto};

use crate::samples::Set;

/// Precision the automatic decisions of both sets together must keep out of fold: above the promised 0.995, because other
/// brands bring other accidents.
const PRECISION: f64 = 0.998;

/// All decisions of a set, each by the model that did not see the brand.
fn decisions(set: &Set, models: &[Model], auto_from: f64) -> Vec<Decision> {
    let memory = Memory::new();
    let asked = set.merchants.iter().zip(&set.folds);
    asked
        .map(|(merchant, fold)| set.index.decide_with(merchant, &memory, &Model { auto_from, ..models[*fold].clone() }))
        .collect()
}

/// The automatic threshold that keeps the precision on each set, and the review threshold by cost.
pub(crate) fn thresholds(sets: &[Set], models: &[Model]) -> (f64, f64) {
    let low = 0.5;
    let all: Vec<Vec<Decision>> = sets.iter().map(|set| decisions(set, models, low)).collect();
    let (mut chosen, mut holds) = (0.99, true);
    println!("threshold  precision/recall per set");
    for step in (0..=98).rev() {
        let threshold = 0.5 + f64::from(step) * 0.005;
        let mut line = format!("{threshold:.3}");
        let (mut all_right, mut all_wrong) = (0.0, 0.0);
        for (set, decided) in sets.iter().zip(&all) {
            let auto = decided
                .iter()
                .zip(&set.truth)
                .filter(|(decision, _)| decision.outcome == Outcome::Auto && decision.score >= threshold);
            let (mut right, mut wrong) = (0.0, 0.0);
            for (decision, truth) in auto {
                if decision.vendor.as_deref() == Some(truth) { right += 1.0 } else { wrong += 1.0 }
            }
            let matchable = set.truth.iter().filter(|truth| !truth.is_empty()).count() as f64;
            all_right += right;
            all_wrong += wrong;
            line += &format!(
                "  {}: {:.2}% / {:.2}% ({wrong} wrong)",
                set.name,
                100.0 * right / f64::max(right + wrong, 1.0),
                100.0 * right / matchable
            );
        }
        println!("{line}");
        holds &= all_right / f64::max(all_right + all_wrong, 1.0) >= PRECISION;
        if holds {
            chosen = threshold;
        }
    }
    (chosen, 0.10)
}

/// Figures per set and the mistakes by name.
pub(crate) fn print(sets: &[Set], models: &[Model]) {
    for set in sets {
        let decided = decisions(set, models, models[0].auto_from);
        let count = |test: &dyn Fn(&Decision, &str) -> bool| {
            decided.iter().zip(&set.truth).filter(|(decision, truth)| test(decision, truth)).count()
        };
        let matchable = count(&|_, truth| !truth.is_empty());
        let auto = count(&|decision, _| decision.outcome == Outcome::Auto);
        let right =
            count(&|decision, truth| decision.outcome == Outcome::Auto && decision.vendor.as_deref() == Some(truth));
        let top1 = count(&|decision, truth| decision.candidates.first().is_some_and(|first| first == truth));
        let top3 = count(&|decision, truth| decision.candidates.iter().take(3).any(|one| one == truth));
        let review = count(&|decision, _| decision.outcome == Outcome::Review);
        let lost = count(&|decision, truth| decision.outcome == Outcome::None && !truth.is_empty());
        let found = set.merchants.iter().zip(&set.truth).zip(&set.folds).filter(|((merchant, truth), fold)| {
            !truth.is_empty()
                && matching::assessments(&set.index, merchant, &models[**fold]).iter().any(|one| one.vendor == **truth)
        });
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        println!(
            "{}: threshold {:.4} precision {:.2}% ({} wrong) recall {:.2}% top-1 {:.2}% top-3 {:.2}% candidates {:.2}% review {:.2}% lost {:.2}%",
            set.name,
            models[0].auto_from,
            percent(right, auto),
            auto - right,
            percent(right, matchable),
            percent(top1, matchable),
            percent(top3, matchable),
            percent(found.count(), matchable),
            percent(review, set.truth.len()),
            percent(lost, matchable),
        );
        for (at, (decision, truth)) in decided.iter().zip(&set.truth).enumerate() {
            let wrong = decision.outcome == Outcome::Auto && decision.vendor.as_deref() != Some(truth);
            let missed = !truth.is_empty() && decision.outcome != Outcome::Auto;
            let lost = missed && decision.vendor.as_deref() != Some(truth);
            if wrong || missed {
                let name = set.index.find_vendor(truth).map_or("-", |vendor| vendor.name.as_str());
                let kind = if wrong {
                    "WRONG"
                } else if lost {
                    "LOST"
                } else {
                    "MISSED"
                };
                println!(
                    "{kind} {} {:?} clean {:?} should be {name:?}: {:.3} {:?} {}",
                    set.strata[at],
                    set.merchants[at].descriptor,
                    set.merchants[at].clean_name,
                    decision.score,
                    decision.veto,
                    decision.reason
                );
            }
        }
        for veto in [
            Veto::Twins,
            Veto::SiteMissing,
            Veto::SiteContradicted,
            Veto::NumberMissing,
            Veto::OtherName,
            Veto::ShortFormOnly,
            Veto::LittleMatched,
            Veto::CleanNameOnly,
            Veto::ProcessorOnly,
        ] {
            let held = count(&|decision, _| decision.veto == Some(veto));
            let needless =
                count(&|decision, truth| decision.veto == Some(veto) && decision.vendor.as_deref() == Some(truth));
            println!("veto {veto:?}: {held} held, {needless} of them were right");
        }
    }
}

/// How often each evidence is asked about.
pub(crate) fn importance(model: &Model) {
    let mut asked = vec![0; EVIDENCE.len()];
    for split in model.trees.iter().flat_map(|tree| &tree.splits).filter(|split| split.at_most < 1e8) {
        asked[split.evidence] += 1;
    }
    for (at, (name, _)) in EVIDENCE.iter().enumerate() {
        print!("{name} {} ", asked[at]);
    }
    println!();
}
