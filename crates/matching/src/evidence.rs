//! What speaks for and against one vendor, as numbers. They are stored with a decision, so that it can be replayed.

use crate::align::{Alignment, align};
use crate::blocking::pieces;
use crate::descriptor::{Cut, View, ViewKind, Word};
use crate::lexicon::Kind;
use crate::signal::{self, COUNT, Evidence};
use crate::similarity::{common_start, one_edit};
use crate::vendor::{Name, NameKind};

/// Facts about merchant and vendor that do not depend on the words compared.
#[expect(clippy::struct_excessive_bools, reason = "independent yes-or-no facts, each one column of the evidence")]
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
    evidence[signal::BOTH_MISS] = both_miss(&alignment, view, name);
    evidence[signal::CITY_AGREES] = flag(facts.city_agrees);
    evidence[signal::CITY_CONTRADICTS] = flag(facts.city_contradicts);
    let same_trade = facts.merchant_trades.iter().any(|trade| facts.vendor_trades.contains(trade));
    let known = !facts.merchant_trades.is_empty() && !facts.vendor_trades.is_empty();
    evidence[signal::TRADE_AGREES] = flag(same_trade);
    evidence[signal::TRADE_CONFLICTS] = flag(known && !same_trade);
    evidence[signal::VIEW_SUB_MERCHANT] = flag(view.kind == ViewKind::SubMerchant);
    evidence[signal::VIEW_DOMAIN] = flag(view.kind == ViewKind::Domain);
    evidence[signal::VIEW_CLEAN_NAME] = flag(view.kind == ViewKind::CleanName);
    evidence[signal::VIEW_ALIAS] = flag(view.kind == ViewKind::Alias);
    evidence[signal::VIEW_WHOLE] = flag(view.kind == ViewKind::Whole);
    evidence[signal::PROCESSOR] = flag(facts.processor);
    evidence[signal::NAME_IS_PART] = flag(name.kind == NameKind::Part);
    evidence[signal::COUNTRY_CONFLICTS] = flag(facts.country_conflicts);
    let close = (evidence[signal::VENDOR_SHARE]
        * evidence[signal::QUERY_SHARE_TO_LAST].max(evidence[signal::QUERY_SHARE]))
    .max(evidence[signal::GLUED_EQUAL] * 0.95)
    .max(evidence[signal::GLUED_CUT] * 0.9);
    Comparison { evidence, alignment, close }
}

fn vendor_side(evidence: &mut Evidence, alignment: &Alignment, name: &Name, weights: &[f32]) {
    let mut side = Side::default();
    let mut places = (0.0_f32, 0.0_f32);
    for (at, word) in name.words.iter().enumerate() {
        let quality = alignment.of_vendor(at);
        side.add(weights[at] * part(word.kind), quality);
        let shortfall = weights[at] * (1.0 - quality) / 8.0;
        match word.kind {
            Kind::Name | Kind::Reference => {
                evidence[signal::VENDOR_MISSES_NAME] = evidence[signal::VENDOR_MISSES_NAME].max(shortfall);
            }
            Kind::Trade => evidence[signal::VENDOR_MISSES_TRADE] = evidence[signal::VENDOR_MISSES_TRADE].max(shortfall),
            Kind::Generic | Kind::Country => {
                evidence[signal::VENDOR_MISSES_GENERIC] = evidence[signal::VENDOR_MISSES_GENERIC].max(shortfall);
            }
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
    evidence[signal::VENDOR_SHARE] = side.share();
    evidence[signal::FIRST_VENDOR_WORD] = alignment.of_vendor(0);
    evidence[signal::PLACE_MISSING] = flag(places.0 > 0.0) * (places.0 - places.1) / places.0.max(1.0);
    evidence[signal::PLACE_MATCHED] = flag(places.1 > 0.5);
    evidence[signal::VENDOR_WORDS_MISSED] = side.misses.min(1.0);
    evidence[signal::VENDOR_WORDS] = (count(name.words.len()) / 6.0).min(1.0);
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
        let shortfall = weights[at] * (1.0 - quality) / if elsewhere { 16.0 } else { 8.0 };
        match word.kind {
            Kind::Name if last.is_some_and(|last| at < last) => {
                evidence[signal::QUERY_MISSES_BEFORE] = evidence[signal::QUERY_MISSES_BEFORE].max(shortfall);
            }
            Kind::Name => evidence[signal::QUERY_MISSES_AFTER] = evidence[signal::QUERY_MISSES_AFTER].max(shortfall),
            Kind::Trade => evidence[signal::QUERY_MISSES_TRADE] = evidence[signal::QUERY_MISSES_TRADE].max(shortfall),
            Kind::Generic => {
                evidence[signal::QUERY_MISSES_GENERIC] = evidence[signal::QUERY_MISSES_GENERIC].max(shortfall);
            }
            _ => {}
        }
        if matches!(word.kind, Kind::Name | Kind::Trade | Kind::Generic) && quality < 0.3 {
            all.misses += 0.25;
        }
    }
    evidence[signal::QUERY_SHARE] = all.share();
    evidence[signal::QUERY_SHARE_TO_LAST] = to_last.share();
    evidence[signal::FIRST_QUERY_WORD] = alignment.of_word(0);
    evidence[signal::LAST_WORD_CUT] = flag(view.cut == Cut::Yes) + 0.5 * flag(view.cut == Cut::Maybe);
    evidence[signal::QUERY_LENGTH] = (count(view.glued.len()) / 24.0).min(1.0);
    evidence[signal::QUERY_WORDS_MISSED] = all.misses.min(1.0);
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
            evidence[signal::WEIGHT] += weights[at] * part(word.kind) * quality / 24.0;
            if matches!(word.kind, Kind::Name | Kind::Generic | Kind::Trade) {
                evidence[signal::BEST_WORD] = evidence[signal::BEST_WORD].max(weights[at] * quality / 8.0);
                words += 0.25;
            }
            weakest = weakest.min(quality);
        }
    }
    evidence[signal::WEIGHT] = evidence[signal::WEIGHT].min(1.0);
    evidence[signal::WEAKEST_PAIR] = if alignment.pairs.is_empty() { 0.0 } else { weakest };
    evidence[signal::WORDS_MATCHED] = f32::min(words, 1.0);
    let rising = alignment.pairs.windows(2).all(|two| two[0].vendor <= two[1].vendor);
    evidence[signal::IN_ORDER] = flag(rising && !alignment.pairs.is_empty());
    let letters = |words: &[Word], used: &dyn Fn(usize) -> f32| -> (f32, f32) {
        words.iter().enumerate().filter(|(_, word)| part(word.kind) >= 1.0).fold((0.0, 0.0), |sum, (at, word)| {
            (sum.0 + count(word.text.len()), sum.1 + count(word.text.len()) * used(at))
        })
    };
    let (total, used) = letters(&view.words, &|at| alignment.of_word(at));
    evidence[signal::LETTERS_MATCHED] = if total > 0.0 { used / total } else { 0.0 };
}

fn glued(evidence: &mut Evidence, view: &View, name: &Name) {
    for target in [&name.glued, &name.glued_site] {
        let common = common_start(&view.glued, target);
        let (short, long) = (view.glued.len().min(target.len()), view.glued.len().max(target.len()));
        if short == 0 {
            continue;
        }
        evidence[signal::GLUED_START] = evidence[signal::GLUED_START].max(count(common) / count(long));
        if view.glued == *target {
            evidence[signal::GLUED_EQUAL] = 1.0;
        } else if short >= 6 && one_edit(view.glued.as_bytes(), target.as_bytes()) {
            evidence[signal::GLUED_EQUAL] = evidence[signal::GLUED_EQUAL].max(0.8);
        }
        if common == view.glued.len() && common >= 4 {
            evidence[signal::GLUED_CUT] = evidence[signal::GLUED_CUT]
                .max(count(common) / count(target.len()) * if view.cut == Cut::No { 0.7 } else { 1.0 });
        }
        let cut_site = view.glued.len() == 12 && common == 12;
        if view.kind == ViewKind::Domain && (view.glued == *target || cut_site) {
            evidence[signal::SITE_EQUAL] = 1.0;
        }
    }
    let (left, right) = (pieces(&view.glued), pieces(&name.glued));
    let shared = left.iter().filter(|piece| right.binary_search(piece).is_ok()).count();
    evidence[signal::PIECES] = 2.0 * count(shared) / count((left.len() + right.len()).max(1));
    let first = view.words.first().map_or("", |word| word.text.as_str());
    evidence[signal::INITIALS] =
        flag(name.initials.len() >= 3 && (first == name.initials || view.glued == name.initials));
}

fn numbers(evidence: &mut Evidence, alignment: &Alignment, view: &View, name: &Name) {
    let is_number = |word: &Word| word.text.bytes().any(|byte| byte.is_ascii_digit()) || is_roman(&word.text);
    let others = view.words.iter().enumerate().any(|(at, word)| is_number(word) && alignment.of_word(at) < 0.9);
    for (at, _) in name.words.iter().enumerate().filter(|(_, word)| is_number(word)) {
        if alignment.of_vendor(at) >= 0.9 {
            evidence[signal::NUMBER_AGREES] = 1.0;
        } else {
            evidence[signal::NUMBER_MISSING] = 1.0;
            evidence[signal::NUMBER_CONFLICTS] = flag(others);
        }
    }
}

/// `XLIV` numbers a fund as well as `44` does.
pub(crate) fn is_roman(word: &str) -> bool {
    word.len() >= 2 && word.bytes().all(|byte| matches!(byte, b'I' | b'V' | b'X' | b'L')) || word == "I" || word == "V"
}
