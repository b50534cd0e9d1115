//! `train DATA_FOLDER WEIGHTS.json`: trains the model on the public data, holding out brands, and writes the weights.
//!
//! Everything printed is out of fold: the brands judged were not seen by the trees and the calibration that judge them.
mod boost;
mod calibrate;
mod report;
mod samples;

use std::path::Path;

use boost::{Row, Settings, boost};
use calibrate::calibrate;
use matching::{Contest, Model, shipped};
use samples::{FOLDS, Result, Sample, Set, load, samples};

const SETTINGS: Settings = Settings { trees: 160, depth: 4, rate: 0.1, ridge: 4.0, least: 4.0 };
/// Candidates per merchant that are learned from.
const CANDIDATES: usize = 12;
/// How often the best view of each candidate is chosen anew by the model trained before.
const ROUNDS: usize = 2;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, out] = arguments.as_slice() else { return Err("usage: train DATA_FOLDER WEIGHTS.json".into()) };
    let folder = Path::new(folder);
    let sets =
        [load(folder, "main", "vendors.csv", "merchants.csv")?, load(folder, "real", "real_vendors.csv", "real.csv")?];
    let mut whole = Model {
        trees: Vec::new(),
        base: 0.0,
        evidence: matching::EVIDENCE.iter().map(|(name, _)| (*name).to_owned()).collect(),
        ..shipped().clone()
    };
    let mut fold_models = vec![whole.clone(); FOLDS];
    for _ in 0..ROUNDS {
        let mut all: Vec<Vec<Sample>> = Vec::new();
        for fold_model in &fold_models {
            all.push(sets.iter().flat_map(|set| samples(set, fold_model)).collect());
        }
        let whole_samples: Vec<Sample> = sets.iter().flat_map(|set| samples(set, &whole)).collect();
        for (fold, fold_model) in fold_models.iter_mut().enumerate() {
            (fold_model.base, fold_model.trees) = train(&all[fold], Some(fold));
        }
        (whole.base, whole.trees) = train(&whole_samples, None);
    }
    let asked = ask(&sets, &fold_models);
    for (fold, fold_model) in fold_models.iter_mut().enumerate() {
        let seen: Vec<_> = asked
            .iter()
            .filter(|(of, ..)| *of != fold)
            .map(|(_, contest, right, weight)| (*contest, *right, *weight))
            .collect();
        fold_model.calibration = calibrate(&seen);
    }
    whole.calibration =
        calibrate(&asked.iter().map(|(_, contest, right, weight)| (*contest, *right, *weight)).collect::<Vec<_>>());
    let (auto_from, review_from) = report::thresholds(&sets, &fold_models);
    (whole.auto_from, whole.review_from) = (auto_from, review_from);
    for fold_model in &mut fold_models {
        (fold_model.auto_from, fold_model.review_from) = (auto_from, review_from);
    }
    report::print(&sets, &fold_models);
    report::importance(&whole);
    whole.version = version(&whole)?;
    std::fs::write(out, serde_json::to_string(&whole)? + "\n")?;
    println!("weights {} written", whole.version);
    Ok(())
}

fn train(samples: &[Sample], without: Option<usize>) -> (f64, Vec<matching::Tree>) {
    let mut rows = Vec::new();
    for sample in samples.iter().filter(|sample| Some(sample.fold) != without) {
        for candidate in sample.candidates.iter().take(CANDIDATES) {
            let right = f64::from(u8::from(candidate.vendor == sample.truth));
            rows.push(Row { evidence: candidate.evidence, right, weight: sample.weight });
        }
    }
    boost(&rows.iter().collect::<Vec<_>>(), SETTINGS)
}

/// Every merchant asked of the model that did not see its brand.
fn ask(sets: &[Set], models: &[Model]) -> Vec<(usize, Contest, bool, f64)> {
    let mut out = Vec::new();
    for set in sets {
        for (fold, model) in models.iter().enumerate() {
            for sample in samples(set, model).into_iter().filter(|sample| sample.fold == fold && sample.natural) {
                let logit = |at: usize| sample.candidates.get(at).map_or(-8.0, |candidate| candidate.logit.max(-8.0));
                let contest = Contest { best: logit(0), second: logit(1), vendors: sample.vendors, strange_among: 0 };
                let right = sample.candidates.first().is_some_and(|best| best.vendor == sample.truth);
                out.push((fold, contest, right, sample.weight));
            }
        }
    }
    out
}

/// A version that changes with the weights.
fn version(model: &Model) -> Result<String> {
    let text = serde_json::to_string(&(&model.trees, &model.calibration, model.auto_from, model.review_from))?;
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Ok(format!("1-{hash:016x}"))
}
