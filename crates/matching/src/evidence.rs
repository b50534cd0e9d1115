//! What speaks for and against one vendor, as numbers. They are stored with a decision, so that it can be replayed.

use crate::align::{Alignment, align};
use crate::blocking::pieces;
use crate::descriptor::{Cut, View, ViewKind, Word};
use crate::lexicon::Kind;
use crate::similarity::{common_start, one_edit};
use crate::vendor::{Name, NameKind};

/// Names and direction of the evidence: `+` may only speak for a vendor, `-` only against, ` ` either.
pub const EVIDENCE: [(&str, char); COUNT] = [
    ("vendor_share", '+'),
    ("query_share", '+'),
    ("query_share_to_last", '+'),
    ("first_query_word", '+'),
    ("first_vendor_word", '+'),
    ("vendor_misses_name", '-'),
    ("vendor_misses_trade", '-'),
    ("vendor_misses_generic", '-'),
    ("query_misses_before", '-'),
    ("query_misses_after", '-'),
    ("query_misses_trade", '-'),
    ("query_misses_generic", '-'),
    ("weight", '+'),
    ("best_word", '+'),
    ("glued_start", '+'),
    ("glued_equal", '+'),
    ("glued_cut", '+'),
    ("pieces", '+'),
    ("number_missing", '-'),
    ("number_conflicts", '-'),
    ("number_agrees", '+'),
    ("city_agrees", '+'),
    ("city_contradicts", '-'),
    ("place_missing", '-'),
    ("place_matched", '+'),
    ("trade_agrees", '+'),
    ("trade_conflicts", '-'),
    ("site_equal", '+'),
    ("view_sub_merchant", ' '),
    ("view_domain", ' '),
    ("view_clean_name", ' '),
    ("view_alias", ' '),
    ("view_whole", ' '),
    ("other_view", '+'),
    ("clean_name_disagrees", '-'),
    ("initials", '+'),
    ("in_order", '+'),
    ("weakest_pair", '+'),
    ("processor", ' '),
    ("words_matched", ' '),
    ("name_is_part", '-'),
    ("country_conflicts", '-'),
    ("last_word_cut", ' '),
    ("letters_matched", '+'),
    ("query_length", ' '),
    ("vendor_words_missed", '-'),
    ("query_words_missed", '-'),
    ("vendor_words", ' '),
    ("both_miss", '-'),
];

/// Number of pieces of evidence.
pub const COUNT: usize = 49;

/// The evidence for one vendor.
pub type Evidence = [f32; COUNT];

/// Facts about merchant and vendor that do not depend on the words compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) city_agrees: bool,
    pub(crate) city_contradicts: bool,
    pub(crate) country_conflicts: bool,
    pub(crate) processor: bool,
    pub(crate) merchant_trades: Vec<u8>,
    pub(crate) vendor_trades: Vec<u8>,
}

/// A view compared with a name.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) evidence: Evidence,
    pub(crate) alignment: Alignment,
    /// How close the two are without the model: used to judge agreement between views.
    pub(crate) close: f32,
}

/// Sums over one side of an alignment.
#[derive(Default)]
struct Side {
    total: f32,
    explained: f32,
    misses: f32,
}

impl Side {
    fn add(&mut self, weight: f32, quality: f32) {
        self.total += weight;
        self.explained += weight * quality;
    }

    fn share(&self) -> f32 {
        if self.total > 0.0 { self.explained / self.total } else { 0.0 }
    }
}

fn flag(is: bool) -> f32 {
    if is { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a count of words or letters")]
fn count(number: usize) -> f32 {
    number as f32
}

/// How much a word counts when shares are formed.
fn part(kind: Kind) -> f32 {
    match kind {
        Kind::Name | Kind::Generic | Kind::Trade => 1.0,
        Kind::Country | Kind::Place => 0.25,
        Kind::Number => 0.5,
        Kind::Legal | Kind::Channel | Kind::Reference | Kind::State => 0.0,
    }
}

/// Compares one view with one name. `view_weights` and `name_weights` are the rarity of their words.
pub(crate) fn compare(
    view: &View,
    view_weights: &[f32],
    name: &Name,
    name_weights: &[f32],
    facts: &Facts,
) -> Comparison {
    let alignment = align(&view.words, &name.words);
    let mut evidence = [0.0; COUNT];
    vendor_side(&mut evidence, &alignment, name, name_weights);
    query_side(&mut evidence, &alignment, view, view_weights);
    pairs(&mut evidence, &alignment, view, name, name_weights);
    glued(&mut evidence, view, name);
    numbers(&mut evidence, &alignment, view, name);
    evidence[48] = both_miss(&alignment, view, name);
    evidence[21] = flag(facts.city_agrees);
    evidence[22] = flag(facts.city_contradicts);
    let same_trade = facts.merchant_trades.iter().any(|trade| facts.vendor_trades.contains(trade));
    let known = !facts.merchant_trades.is_empty() && !facts.vendor_trades.is_empty();
    evidence[25] = flag(same_trade);
    evidence[26] = flag(known && !same_trade);
    evidence[28] = flag(view.kind == ViewKind::SubMerchant);
    evidence[29] = flag(view.kind == ViewKind::Domain);
    evidence[30] = flag(view.kind == ViewKind::CleanName);
    evidence[31] = flag(view.kind == ViewKind::Alias);
    evidence[32] = flag(view.kind == ViewKind::Whole);
    evidence[38] = flag(facts.processor);
    evidence[40] = flag(name.kind == NameKind::Part);
    evidence[41] = flag(facts.country_conflicts);
    let close = (evidence[0] * evidence[2].max(evidence[1])).max(evidence[15] * 0.95).max(evidence[16] * 0.9);
    Comparison { evidence, alignment, close }
}

fn vendor_side(evidence: &mut Evidence, alignment: &Alignment, name: &Name, weights: &[f32]) {
    let mut side = Side::default();
    let mut places = (0.0_f32, 0.0_f32);
    for (at, word) in name.words.iter().enumerate() {
        let quality = alignment.of_vendor(at);
        side.add(weights[at] * part(word.kind), quality);
        let lost = weights[at] * (1.0 - quality) / 8.0;
        match word.kind {
            Kind::Name | Kind::Reference => evidence[5] = evidence[5].max(lost),
            Kind::Trade => evidence[6] = evidence[6].max(lost),
            Kind::Generic | Kind::Country => evidence[7] = evidence[7].max(lost),
            Kind::Place => {
                places.0 += 1.0;
                places.1 += quality;
            }
            _ => {}
        }
        if matches!(word.kind, Kind::Name | Kind::Trade | Kind::Generic) && quality < 0.3 {
            side.misses += 0.25;
        }
    }
    evidence[0] = side.share();
    evidence[4] = alignment.of_vendor(0);
    evidence[23] = flag(places.0 > 0.0) * (places.0 - places.1) / places.0.max(1.0);
    evidence[24] = flag(places.1 > 0.5);
    evidence[45] = side.misses.min(1.0);
    evidence[47] = (count(name.words.len()) / 6.0).min(1.0);
}

fn query_side(evidence: &mut Evidence, alignment: &Alignment, view: &View, weights: &[f32]) {
    let last = alignment.pairs.iter().map(|pair| pair.word).max();
    let (mut all, mut to_last) = (Side::default(), Side::default());
    for (at, word) in view.words.iter().enumerate() {
        let quality = alignment.of_word(at);
        // A number or place that a vendor does not have is no loss; one that it has is a gain.
        let counts = matches!(word.kind, Kind::Name | Kind::Generic | Kind::Trade) || quality > 0.0;
        let weight = if counts { weights[at] * part(word.kind).max(0.25) } else { 0.0 };
        all.add(weight, quality);
        if last.is_some_and(|last| at <= last) {
            to_last.add(weight, quality);
        }
        let elsewhere = at > 0 && at + 2 >= view.words.len() && crate::tail::looks_like_place(&word.text);
        let lost = weights[at] * (1.0 - quality) / if elsewhere { 16.0 } else { 8.0 };
        match word.kind {
            Kind::Name if last.is_some_and(|last| at < last) => evidence[8] = evidence[8].max(lost),
            Kind::Name => evidence[9] = evidence[9].max(lost),
            Kind::Trade => evidence[10] = evidence[10].max(lost),
            Kind::Generic => evidence[11] = evidence[11].max(lost),
            _ => {}
        }
        if matches!(word.kind, Kind::Name | Kind::Trade | Kind::Generic) && quality < 0.3 {
            all.misses += 0.25;
        }
    }
    evidence[1] = all.share();
    evidence[2] = to_last.share();
    evidence[3] = alignment.of_word(0);
    evidence[42] = flag(view.cut == Cut::Yes) + 0.5 * flag(view.cut == Cut::Maybe);
    evidence[44] = (count(view.glued.len()) / 24.0).min(1.0);
    evidence[46] = all.misses.min(1.0);
}

/// Both sides have a word the other lacks: `RENT ONE` and `RENT A CENTER`. A word that only cuts off is not one.
fn both_miss(alignment: &Alignment, view: &View, name: &Name) -> f32 {
    let tells = |kind: Kind| matches!(kind, Kind::Name | Kind::Trade | Kind::Generic);
    let core = crate::tail::core(&view.words);
    let query = view.words[..core]
        .iter()
        .enumerate()
        .filter(|(at, word)| {
            tells(word.kind) && alignment.of_word(*at) == 0.0 && !(*at > 0 && crate::tail::looks_like_place(&word.text))
        })
        .count();
    let vendor = name
        .words
        .iter()
        .enumerate()
        .filter(|(at, word)| matches!(word.kind, Kind::Name | Kind::Trade) && alignment.of_vendor(*at) == 0.0)
        .count();
    match query.min(vendor) {
        0 => 0.0,
        1 => 0.6,
        _ => 1.0,
    }
}

fn pairs(evidence: &mut Evidence, alignment: &Alignment, view: &View, name: &Name, weights: &[f32]) {
    let mut weakest = 1.0_f32;
    let mut words = 0.0;
    for (at, word) in name.words.iter().enumerate() {
        let quality = alignment.of_vendor(at);
        if quality > 0.0 {
            evidence[12] += weights[at] * part(word.kind) * quality / 24.0;
            if matches!(word.kind, Kind::Name | Kind::Generic | Kind::Trade) {
                evidence[13] = evidence[13].max(weights[at] * quality / 8.0);
                words += 0.25;
            }
            weakest = weakest.min(quality);
        }
    }
    evidence[12] = evidence[12].min(1.0);
    evidence[37] = if alignment.pairs.is_empty() { 0.0 } else { weakest };
    evidence[39] = f32::min(words, 1.0);
    let rising = alignment.pairs.windows(2).all(|two| two[0].vendor <= two[1].vendor);
    evidence[36] = flag(rising && !alignment.pairs.is_empty());
    let letters = |words: &[Word], used: &dyn Fn(usize) -> f32| -> (f32, f32) {
        words.iter().enumerate().filter(|(_, word)| part(word.kind) >= 1.0).fold((0.0, 0.0), |sum, (at, word)| {
            (sum.0 + count(word.text.len()), sum.1 + count(word.text.len()) * used(at))
        })
    };
    let (total, used) = letters(&view.words, &|at| alignment.of_word(at));
    evidence[43] = if total > 0.0 { used / total } else { 0.0 };
}

fn glued(evidence: &mut Evidence, view: &View, name: &Name) {
    for target in [&name.glued, &name.glued_site] {
        let common = common_start(&view.glued, target);
        let (short, long) = (view.glued.len().min(target.len()), view.glued.len().max(target.len()));
        if short == 0 {
            continue;
        }
        evidence[14] = evidence[14].max(count(common) / count(long));
        if view.glued == *target {
            evidence[15] = 1.0;
        } else if short >= 6 && one_edit(view.glued.as_bytes(), target.as_bytes()) {
            evidence[15] = evidence[15].max(0.8);
        }
        if common == view.glued.len() && common >= 4 {
            evidence[16] =
                evidence[16].max(count(common) / count(target.len()) * if view.cut == Cut::No { 0.7 } else { 1.0 });
        }
        let cut_site = view.glued.len() == 12 && common == 12;
        if view.kind == ViewKind::Domain && (view.glued == *target || cut_site) {
            evidence[27] = 1.0;
        }
    }
    let (left, right) = (pieces(&view.glued), pieces(&name.glued));
    let shared = left.iter().filter(|piece| right.binary_search(piece).is_ok()).count();
    evidence[17] = 2.0 * count(shared) / count((left.len() + right.len()).max(1));
    let first = view.words.first().map_or("", |word| word.text.as_str());
    evidence[35] = flag(name.initials.len() >= 3 && (first == name.initials || view.glued == name.initials));
}

fn numbers(evidence: &mut Evidence, alignment: &Alignment, view: &View, name: &Name) {
    let is_number = |word: &Word| word.text.bytes().any(|byte| byte.is_ascii_digit()) || is_roman(&word.text);
    let others = view.words.iter().enumerate().any(|(at, word)| is_number(word) && alignment.of_word(at) < 0.9);
    for (at, _) in name.words.iter().enumerate().filter(|(_, word)| is_number(word)) {
        if alignment.of_vendor(at) >= 0.9 {
            evidence[20] = 1.0;
        } else {
            evidence[18] = 1.0;
            evidence[19] = flag(others);
        }
    }
}

/// `XLIV` numbers a fund as well as `44` does.
pub(crate) fn is_roman(word: &str) -> bool {
    word.len() >= 2 && word.bytes().all(|byte| matches!(byte, b'I' | b'V' | b'X' | b'L')) || word == "I" || word == "V"
}
