//! The lines of a tie-out that lead from the records of a period to its documents, as people read them.

use domain::tieout::{TieOut, Totals};
use serde::Serialize;

use super::by_currency;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it counts.
    pub name: String,
    /// How many.
    pub count: usize,
    /// What they come to, currency by currency.
    pub amount: String,
    /// The lines above add up to it.
    pub sum: bool,
}

/// All lines: the records by what they end as, their documents, and the documents by their Posting Date.
pub fn lines(tied: &TieOut) -> Vec<Line> {
    let line =
        |name: String, totals: &Totals, sum| Line { name, count: totals.count, amount: by_currency(&totals.sums), sum };
    let sums = &tied.sums;
    let mut lines = vec![line("records of the period that are spend".to_owned(), &sums.spend, true)];
    for (end, totals) in &sums.ends {
        lines.push(line(format!("records: {}", end.replace('_', " ")), totals, false));
    }
    for (code, totals) in &sums.held {
        lines.push(line(format!("held: {code}"), totals, false));
    }
    lines.push(line("documents of these records".to_owned(), &sums.documents, true));
    lines.push(line("less: posted outside the period".to_owned(), &sums.posted_outside, false));
    lines.push(line("plus: of records of another period".to_owned(), &sums.from_outside, false));
    lines.push(line("documents posted in the period".to_owned(), &sums.posted_inside, true));
    lines
}
