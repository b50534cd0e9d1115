//! The public data as samples: every merchant as it is, without its cleaned name, and with its vendor taken away.

use std::fs::File;
use std::path::Path;

use matching::contract::{read_merchants, read_vendors};
use matching::{Assessment, Index, Merchant, Model, assessments, read};

/// An error of a training run is printed, and that is that.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One list of vendors with its merchants and the answers.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) index: Index,
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) truth: Vec<String>,
    pub(crate) strata: Vec<String>,
    /// Fold of each merchant: all merchants of a brand share one.
    pub(crate) folds: Vec<usize>,
}

/// What is asked about one merchant.
pub(crate) struct Sample {
    pub(crate) fold: usize,
    pub(crate) weight: f64,
    pub(crate) natural: bool,
    pub(crate) truth: String,
    pub(crate) vendors: usize,
    pub(crate) candidates: Vec<Assessment>,
}

/// Number of folds.
pub(crate) const FOLDS: usize = 5;

pub(crate) fn load(folder: &Path, name: &'static str, vendors: &str, merchants: &str) -> Result<Set> {
    let index = Index::build(read_vendors(File::open(folder.join(vendors))?)?);
    let list = read_merchants(File::open(folder.join(merchants))?)?;
    let mut reader = csv::Reader::from_path(folder.join(merchants))?;
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|known| known == name).ok_or(format!("no column {name}"));
    let (truth_at, stratum_at) = (column("true_vendor_id")?, column("stratum")?);
    let (mut truth, mut strata) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record?;
        truth.push(record.get(truth_at).unwrap_or_default().trim().to_owned());
        strata.push(record.get(stratum_at).unwrap_or_default().to_owned());
    }
    let folds = list.iter().zip(&truth).map(|(merchant, id)| fold_of(&index, merchant, id)).collect();
    Ok(Set { name, index, merchants: list, truth, strata, folds })
}

/// The fold of a brand: by the first word of the vendor's name, or of the descriptor if it has no vendor.
fn fold_of(index: &Index, merchant: &Merchant, truth: &str) -> usize {
    let typed = index.find_vendor(truth).map_or(merchant.descriptor.as_str(), |vendor| vendor.name.as_str());
    let reading = read(typed);
    let first =
        reading.views.first().and_then(|view| view.words.first()).map(|word| word.long.clone()).unwrap_or_default();
    let first = first.strip_suffix('S').unwrap_or(&first);
    let hash = first
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) as usize % FOLDS
}

/// All samples of a set, each candidate with the view the model prefers for it.
pub(crate) fn samples(set: &Set, model: &Model) -> Vec<Sample> {
    let mut out = Vec::new();
    for (at, merchant) in set.merchants.iter().enumerate() {
        let (fold, truth) = (set.folds[at], set.truth[at].clone());
        let candidates = assessments(&set.index, merchant, model);
        let sample = |weight, natural, truth: &str, candidates| Sample {
            fold,
            weight,
            natural,
            truth: truth.to_owned(),
            vendors: set.index.len(),
            candidates,
        };
        if !truth.is_empty() {
            let others = candidates.iter().filter(|candidate| candidate.vendor != truth).cloned().collect();
            out.push(sample(0.5, false, "", others));
        }
        if !merchant.clean_name.is_empty() {
            let bare = Merchant { clean_name: String::new(), ..merchant.clone() };
            out.push(sample(0.5, false, &truth, assessments(&set.index, &bare, model)));
        }
        out.push(sample(1.0, true, &truth, candidates));
    }
    out
}
