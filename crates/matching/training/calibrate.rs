//! Logistic regression from the contest between the best two candidates to a probability.

use matching::{Calibration, Contest, terms};

/// Weight of the logarithm of the number of vendors. The evidence already knows how many vendors share a word; measured with
/// the public merchants against lists enlarged to 10,000 and 50,000 vendors, this much is left for the list as a whole.
const LIST_WEIGHT: f64 = 0.3;

/// Fits the calibration; `asked` is (contest, right, weight). Directions are kept: no weight may be negative.
pub(crate) fn calibrate(asked: &[(Contest, bool, f64)]) -> Calibration {
    let rows: Vec<([f64; 5], f64, f64)> =
        asked.iter().map(|(contest, right, weight)| (terms(contest), f64::from(u8::from(*right)), *weight)).collect();
    let mut weights = [1.0, 0.0, 0.2, 0.1, LIST_WEIGHT];
    let mut constant = 0.0;
    let total: f64 = rows.iter().map(|row| row.2).sum();
    for _ in 0..6000 {
        let (mut slope, mut slope_constant) = ([0.0; 5], 0.0);
        for (terms, right, weight) in &rows {
            let sum: f64 = constant + terms.iter().zip(&weights).map(|(term, weight)| term * weight).sum::<f64>();
            let error = weight * (1.0 / (1.0 + (-sum).exp()) - right);
            slope_constant += error;
            for (slope, term) in slope.iter_mut().zip(terms) {
                *slope += error * term;
            }
        }
        constant -= 0.3 * slope_constant / total;
        for (at, weight) in weights.iter_mut().enumerate().take(4) {
            *weight = (*weight - 0.03 * (slope[at] / total + 1e-4 * *weight)).max(0.0);
        }
    }
    let round = |value: f64| (value * 1e5).round() / 1e5;
    Calibration { constant: round(constant), weights: weights.iter().map(|weight| round(*weight)).collect() }
}
