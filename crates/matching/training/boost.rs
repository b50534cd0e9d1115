//! Gradient boosting of small complete trees with fixed directions, for logistic loss. Deterministic, no dependencies.

use matching::{COUNT, EVIDENCE, Evidence, Split, Tree};

/// One candidate to learn from.
pub(crate) struct Row {
    /// What speaks for and against the candidate.
    pub(crate) evidence: Evidence,
    /// 1 if it is the right vendor.
    pub(crate) right: f64,
    /// How much the row counts.
    pub(crate) weight: f64,
}

/// How the trees are grown.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) trees: usize,
    pub(crate) depth: usize,
    pub(crate) rate: f64,
    pub(crate) ridge: f64,
    pub(crate) least: f64,
}

const BINS: usize = 32;
/// A threshold that everything is at most: a question with one answer.
const NEVER: f32 = 1e9;

struct Binned {
    edges: Vec<Vec<f32>>,
    codes: Vec<[u8; COUNT]>,
}

fn bin(rows: &[&Row]) -> Binned {
    let mut edges = Vec::with_capacity(COUNT);
    for at in 0..COUNT {
        let mut values: Vec<f32> = rows.iter().map(|row| row.evidence[at]).collect();
        values.sort_by(f32::total_cmp);
        let mut cuts: Vec<f32> = (1..BINS).map(|part| values[(values.len() - 1) * part / BINS]).collect();
        // Rare values at the ends matter as much as common ones in the middle.
        values.dedup();
        cuts.extend((1..8).map(|part| values[(values.len() - 1) * part / 8]));
        cuts.sort_by(f32::total_cmp);
        cuts.dedup();
        cuts.retain(|cut| *cut < values[values.len() - 1]);
        edges.push(cuts);
    }
    let code = |row: &&Row| {
        let mut codes = [0_u8; COUNT];
        for (at, code) in codes.iter_mut().enumerate() {
            *code = u8::try_from(edges[at].partition_point(|edge| *edge < row.evidence[at])).unwrap_or(u8::MAX);
        }
        codes
    };
    let codes = rows.iter().map(code).collect();
    Binned { edges, codes }
}

/// Grows trees; returns the base logit and the trees.
pub(crate) fn boost(rows: &[&Row], settings: Settings) -> (f64, Vec<Tree>) {
    let binned = bin(rows);
    let total: f64 = rows.iter().map(|row| row.weight).sum();
    let share = rows.iter().map(|row| row.weight * row.right).sum::<f64>() / total;
    let base = (share / (1.0 - share)).ln();
    let mut logits = vec![base; rows.len()];
    let mut trees = Vec::with_capacity(settings.trees);
    for _ in 0..settings.trees {
        let slopes: Vec<(f64, f64)> = rows
            .iter()
            .zip(&logits)
            .map(|(row, logit)| {
                let p = 1.0 / (1.0 + (-logit).exp());
                (row.weight * (p - row.right), row.weight * (p * (1.0 - p)).max(1e-6))
            })
            .collect();
        let (tree, leaf_of) = grow(&binned, &slopes, settings);
        for (logit, leaf) in logits.iter_mut().zip(&leaf_of) {
            *logit += tree.leaves[*leaf];
        }
        trees.push(tree);
    }
    (base, trees)
}

#[derive(Clone, Copy)]
struct Node {
    slope: f64,
    curve: f64,
    low: f64,
    high: f64,
}

impl Node {
    fn value(&self, settings: Settings) -> f64 {
        (-self.slope / (self.curve + settings.ridge)).clamp(self.low, self.high)
    }

    fn gain(&self, settings: Settings) -> f64 {
        let value = self.value(settings);
        -(self.slope * value + 0.5 * (self.curve + settings.ridge) * value * value)
    }
}

struct Best {
    gain: f64,
    evidence: usize,
    code: usize,
    sides: (Node, Node),
}

fn grow(binned: &Binned, slopes: &[(f64, f64)], settings: Settings) -> (Tree, Vec<usize>) {
    let whole = slopes.iter().fold((0.0, 0.0), |sum, slope| (sum.0 + slope.0, sum.1 + slope.1));
    let mut level = vec![Node { slope: whole.0, curve: whole.1, low: -4.0, high: 4.0 }];
    let mut node_of = vec![0_usize; slopes.len()];
    let mut splits = Vec::new();
    for _ in 0..settings.depth {
        let sums = histogram(binned, slopes, &node_of, level.len());
        let mut next = Vec::with_capacity(level.len() * 2);
        let mut chosen = Vec::with_capacity(level.len());
        for (number, node) in level.iter().enumerate() {
            if let Some(best) = best_split(binned, &sums[number], node, settings) {
                splits.push(Split { evidence: best.evidence, at_most: binned.edges[best.evidence][best.code] });
                next.extend([best.sides.0, best.sides.1]);
                chosen.push(Some((best.evidence, best.code)));
            } else {
                splits.push(Split { evidence: 0, at_most: NEVER });
                next.extend([*node, Node { slope: 0.0, curve: 0.0, ..*node }]);
                chosen.push(None);
            }
        }
        for (node, codes) in node_of.iter_mut().zip(&binned.codes) {
            let right = chosen[*node].is_some_and(|(evidence, code)| usize::from(codes[evidence]) > code);
            *node = 2 * *node + usize::from(right);
        }
        level = next;
    }
    let round = |value: f64| (value * 1e5).round() / 1e5;
    let leaves = level.iter().map(|node| round(settings.rate * node.value(settings))).collect();
    (Tree { splits, leaves }, node_of)
}

type Sums = Vec<[(f64, f64); BINS + 8]>;

fn histogram(binned: &Binned, slopes: &[(f64, f64)], node_of: &[usize], nodes: usize) -> Vec<Sums> {
    let mut sums = vec![vec![[(0.0, 0.0); BINS + 8]; COUNT]; nodes];
    for ((codes, slope), node) in binned.codes.iter().zip(slopes).zip(node_of) {
        let of_node = &mut sums[*node];
        for (at, code) in codes.iter().enumerate() {
            let sum = &mut of_node[at][usize::from(*code)];
            sum.0 += slope.0;
            sum.1 += slope.1;
        }
    }
    sums
}

fn best_split(binned: &Binned, sums: &Sums, node: &Node, settings: Settings) -> Option<Best> {
    let mut best: Option<Best> = None;
    for evidence in 0..COUNT {
        let (mut slope, mut curve) = (0.0, 0.0);
        for (code, sum) in sums[evidence].iter().enumerate().take(binned.edges[evidence].len()) {
            slope += sum.0;
            curve += sum.1;
            let mut left = Node { slope, curve, ..*node };
            let mut right = Node { slope: node.slope - slope, curve: node.curve - curve, ..*node };
            if left.curve < settings.least || right.curve < settings.least {
                continue;
            }
            let (a, b) = (left.value(settings), right.value(settings));
            let middle = f64::midpoint(a, b);
            match EVIDENCE[evidence].1 {
                '+' if a > b => continue,
                '-' if a < b => continue,
                '+' => (left.high, right.low) = (middle, middle),
                '-' => (left.low, right.high) = (middle, middle),
                _ => {}
            }
            let gain = left.gain(settings) + right.gain(settings) - node.gain(settings);
            if gain > 1e-4 && best.as_ref().is_none_or(|best| gain > best.gain + 1e-12) {
                best = Some(Best { gain, evidence, code, sides: (left, right) });
            }
        }
    }
    best
}
