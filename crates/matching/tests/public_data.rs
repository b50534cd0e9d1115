//! The public development data as a regression test; it lies outside the project and the test says so when it is not there.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::path::{Path, PathBuf};

use matching::contract::{read_merchants, read_vendors};
use matching::{Index, Memory, Outcome};

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/matching");
    folder.join("merchants.csv").exists().then_some(folder)
}

/// Precision and recall of the automatic decisions.
fn figures(folder: &Path, vendors: &str, merchants: &str) -> (f64, f64) {
    let index = Index::build(read_vendors(File::open(folder.join(vendors)).unwrap()).unwrap());
    let asked = read_merchants(File::open(folder.join(merchants)).unwrap()).unwrap();
    let mut reader = csv::Reader::from_path(folder.join(merchants)).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "true_vendor_id").unwrap();
    let truth: Vec<String> = reader.records().map(|record| record.unwrap()[column].to_owned()).collect();
    let (memory, mut right, mut wrong) = (Memory::new(), 0.0, 0.0);
    for (merchant, truth) in asked.iter().zip(&truth) {
        let decision = index.decide(merchant, &memory);
        if decision.outcome == Outcome::Auto {
            *if decision.vendor.as_deref() == Some(truth) { &mut right } else { &mut wrong } += 1.0;
        }
    }
    let matchable = truth.iter().map(|truth| if truth.is_empty() { 0.0 } else { 1.0 }).sum::<f64>();
    (right / (right + wrong), right / matchable)
}

#[test]
fn the_promised_precision_and_recall_are_kept() {
    let Some(folder) = folder() else {
        eprintln!("skipped: the public matching data is not beside the project");
        return;
    };
    let (precision, recall) = figures(&folder, "vendors.csv", "merchants.csv");
    assert!(precision >= 0.995 && recall >= 0.90, "main: precision {precision:.4}, recall {recall:.4}");
    let (precision, recall) = figures(&folder, "real_vendors.csv", "real.csv");
    assert!(precision >= 0.995 && recall >= 0.75, "real: precision {precision:.4}, recall {recall:.4}");
}
