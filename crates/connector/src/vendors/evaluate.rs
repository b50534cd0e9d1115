//! How good the matcher would have been on what people answered in this connection: each answer is asked again with only
//! the other answers in memory.

use std::collections::BTreeMap;

use matching::{Index, Memory, Outcome};
use serde::Serialize;

use super::answers::{Standing, memory_of};
use super::judgement::Asked;

/// Answers are asked in so many groups, each with the memory of the others.
const GROUPS: usize = 10;

/// One answer that would have gone wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// The descriptor.
    pub descriptor: String,
    /// BC id of the vendor that people said; none for "none of ours".
    pub said: Option<String>,
    /// BC id of the vendor that would have been booked.
    pub booked: Option<String>,
    /// Why.
    pub reason: String,
    /// How sure it was.
    pub score: f64,
}

/// The figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// Answers that were asked again.
    pub answers: usize,
    /// Those that name a vendor.
    pub with_vendor: usize,
    /// Decided without a person.
    pub automatic: usize,
    /// Decided without a person and right.
    pub right: usize,
    /// Left to a person.
    pub review: usize,
    /// Left to a person, with the right vendor suggested first.
    pub review_right: usize,
    /// Taken for none of the vendors although there is one.
    pub thrown_away: usize,
    /// Share of the automatic decisions that are right; none without any.
    pub precision: Option<f64>,
    /// Share of the answers with a vendor that are decided rightly without a person.
    pub recall: Option<f64>,
    /// What would have gone wrong.
    pub wrong: Vec<Wrong>,
}

/// Asks every answer again that stands without contradiction; links set by hand and coding count as answers.
pub fn evaluate(index: &Index, standings: &BTreeMap<String, Standing>) -> Evaluation {
    let clear = clear(standings);
    let mut out = Evaluation::default();
    for group in 0..GROUPS.min(clear.len()) {
        let others = clear.iter().enumerate().filter(|(at, _)| at % GROUPS != group).map(|(_, standing)| *standing);
        let memory = memory_of(others);
        for standing in clear.iter().skip(group).step_by(GROUPS) {
            ask_again(&mut out, index, standing, &memory);
        }
    }
    out.precision = share(out.right, out.automatic);
    out.recall = share(out.right, out.with_vendor);
    out
}

/// A stretch of answers in the order in which they were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stretch {
    /// When the last of them was given.
    pub until_ms: i64,
    /// How many name a vendor.
    pub with_vendor: usize,
    /// How many of these would have been decided rightly without a person.
    pub right: usize,
    /// How many would have been decided wrongly without a person.
    pub wrong: usize,
    /// How many would have been left to a person with the right vendor first.
    pub suggested: usize,
}

/// How it would have gone as the answers came: each stretch is asked with only the stretches before it in memory.
pub fn curve(index: &Index, standings: &BTreeMap<String, Standing>) -> Vec<Stretch> {
    let last_ms = |standing: &&Standing| standing.answers.last().map_or(0, |answer| answer.decided_ms);
    let mut clear = clear(standings);
    clear.sort_by_key(last_ms);
    let length = clear.len().div_ceil(GROUPS).max(1);
    let mut stretches = Vec::new();
    for (place, stretch) in clear.chunks(length).enumerate() {
        let memory = memory_of(clear[..place * length].iter().copied());
        let mut asked_again = Evaluation::default();
        for standing in stretch {
            ask_again(&mut asked_again, index, standing, &memory);
        }
        stretches.push(Stretch {
            until_ms: stretch.last().map_or(0, last_ms),
            with_vendor: asked_again.with_vendor,
            right: asked_again.right,
            wrong: asked_again.automatic - asked_again.right,
            suggested: asked_again.review_right,
        });
    }
    stretches
}

/// What stands without contradiction.
fn clear(standings: &BTreeMap<String, Standing>) -> Vec<&Standing> {
    standings.values().filter(|s| !s.answers.is_empty() && !s.is_contradictory()).collect()
}

fn ask_again(out: &mut Evaluation, index: &Index, standing: &Standing, memory: &Memory) {
    let Some(answer) = standing.answers.last().filter(|answer| !answer.descriptor.is_empty()) else { return };
    let asked = Asked { clean_name: answer.clean_name.clone(), ..Asked::name(&answer.descriptor) };
    let decision = index.decide(&asked.merchant(), memory);
    out.take(&asked, answer.bc_vendor_id.map(|id| id.to_string()), &decision);
}

impl Evaluation {
    fn take(&mut self, asked: &Asked, said: Option<String>, decision: &matching::Decision) {
        self.answers += 1;
        self.with_vendor += usize::from(said.is_some());
        let is_right = said.is_some() && decision.vendor == said;
        match decision.outcome {
            Outcome::Auto if is_right => (self.automatic, self.right) = (self.automatic + 1, self.right + 1),
            Outcome::Auto => {
                self.automatic += 1;
                self.wrong.push(Wrong {
                    descriptor: asked.descriptor.clone(),
                    said,
                    booked: decision.vendor.clone(),
                    reason: decision.reason.clone(),
                    score: decision.score,
                });
            }
            Outcome::Review => {
                self.review += 1;
                self.review_right += usize::from(is_right);
            }
            Outcome::None => self.thrown_away += usize::from(said.is_some()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of answers")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
