//! One merchant ready to be compared, and its candidates among the vendors.

use std::collections::BTreeMap;

use crate::descriptor::{Reading, View, ViewKind, add_clean_name, add_website, read};
use crate::evidence::{Comparison, Facts, compare};
use crate::fold::fold;
use crate::index::{Entry, Index, trades_of};
use crate::lexicon::{Kind, lexicon};
use crate::memory::Memory;
use crate::model::Model;
use crate::signal::{self, Evidence};
use crate::vendor::Name;

/// What is known about a merchant. Empty means unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merchant {
    /// The raw card descriptor.
    pub descriptor: String,
    /// A cleaned name, if some service made one.
    pub clean_name: String,
    /// A web address, if known.
    pub website: String,
    /// Merchant category code.
    pub mcc: String,
    /// ISO country code.
    pub country: String,
    /// Town.
    pub city: String,
}

/// A merchant, read.
pub(crate) struct Query {
    pub(crate) reading: Reading,
    pub(crate) city: String,
    country: String,
    trades: Vec<u8>,
}

/// One vendor compared with the merchant.
#[derive(Debug, Clone)]
pub(crate) struct Compared<'a> {
    pub(crate) slot: u32,
    pub(crate) logit: f64,
    pub(crate) view: usize,
    pub(crate) name: &'a Name,
    pub(crate) comparison: Comparison,
}

impl Query {
    pub(crate) fn new(merchant: &Merchant) -> Self {
        let mut reading = read(&merchant.descriptor);
        add_clean_name(&mut reading, &merchant.clean_name);
        add_website(&mut reading, &merchant.website);
        // More views than this only come from descriptors that are lists of web addresses; one bit stands for each view.
        reading.views.truncate(16);
        let city = reading.city.clone().unwrap_or_else(|| fold(merchant.city.trim()));
        let own = reading.state.as_deref().and_then(|state| lexicon().state(state)).unwrap_or_default();
        let given = fold(merchant.country.trim());
        let country = if given.is_empty() { own.to_owned() } else { given };
        let mut trades: Vec<u8> = reading
            .views
            .iter()
            .filter(|view| view.kind != ViewKind::Alias)
            .flat_map(|view| trades_of(&view.words))
            .collect();
        if trades.is_empty() {
            trades.extend(lexicon().trade_of_category(&merchant.mcc));
        }
        trades.sort_unstable();
        trades.dedup();
        Self { reading, city, country, trades }
    }

    fn facts(&self, entry: &Entry) -> Facts {
        let (town, own) = (self.city.as_str(), entry.city.as_str());
        let known = !town.is_empty() && !own.is_empty();
        let alike = known && (same_town(town, own));
        Facts {
            city_agrees: alike,
            city_contradicts: known && !alike,
            country_conflicts: !self.country.is_empty()
                && !entry.vendor.country.is_empty()
                && !self.country.eq_ignore_ascii_case(&entry.vendor.country),
            processor: self.reading.processor.is_some(),
            merchant_trades: self.trades.clone(),
            vendor_trades: entry.trades.clone(),
        }
    }
}

/// Whether two folded towns are the same, one of them perhaps cut off.
pub(crate) fn same_town(left: &str, right: &str) -> bool {
    let (left, right) = (plain_town(left), plain_town(right));
    left == right || left.len() >= 5 && right.starts_with(&left) || right.len() >= 5 && left.starts_with(&right)
}

fn plain_town(town: &str) -> String {
    town.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// From this rarity on, every name with the word is looked at.
const RARE: f32 = 4.5;

/// The names worth comparing, with the views that found them (one bit each).
fn candidates(index: &Index, reading: &Reading, weights: &[Vec<f32>]) -> BTreeMap<u32, u16> {
    let mut found: BTreeMap<u32, u16> = BTreeMap::new();
    let mut by_glued: Vec<(&str, Vec<u32>)> = Vec::new();
    for (at, view) in reading.views.iter().enumerate() {
        let bit = 1_u16 << at;
        let blocking = &index.blocking;
        let mut add = |numbers: &[u32]| {
            for number in numbers {
                *found.entry(*number).or_default() |= bit;
            }
        };
        if by_glued.iter().all(|(known, _)| *known != view.glued) {
            by_glued.push((&view.glued, blocking.by_pieces(&view.glued)));
        }
        for (_, numbers) in by_glued.iter().filter(|(known, _)| *known == view.glued) {
            add(numbers);
        }
        add(blocking.by_start(&view.glued));
        for (place, (word, weight)) in view.words.iter().zip(&weights[at]).enumerate() {
            if !matches!(word.kind, Kind::State | Kind::Legal | Kind::Reference) && word.text.len() >= 2 {
                if place == 0 || *weight >= RARE {
                    add(blocking.by_word(&word.long));
                }
                if (3..=6).contains(&word.text.len()) {
                    add(blocking.by_initials(&word.text));
                }
            }
        }
        add(blocking.by_initials(&view.glued));
    }
    found
}

/// Compares the merchant with every candidate; best first, ties by vendor id.
pub(crate) fn assess<'a>(
    index: &'a Index,
    query: &Query,
    memory: Option<&'a Memory>,
    model: &Model,
) -> Vec<Compared<'a>> {
    let views = &query.reading.views;
    let view_weights: Vec<Vec<f32>> =
        views.iter().map(|view| view.words.iter().map(|word| index.weight(word)).collect()).collect();
    let mut by_vendor: BTreeMap<u32, Vec<(&'a Name, u16)>> = BTreeMap::new();
    for (number, bits) in candidates(index, &query.reading, &view_weights) {
        if let Some((slot, which)) = index.named(number) {
            by_vendor.entry(slot).or_default().push((&index.entry(slot).names[usize::from(which)], bits));
        }
    }
    for (id, name, town) in memory.map(|memory| memory.names_like(&query.reading)).unwrap_or_default() {
        // A name learned for one site of several says nothing about another town.
        let fits = |slot: &u32| !index.entry(*slot).is_site() || !town.is_empty() && same_town(town, &query.city);
        if let Some(slot) = index.slot(id).filter(fits) {
            by_vendor.entry(slot).or_default().push((name, u16::MAX));
        }
    }
    let mut out: Vec<Compared<'a>> = Vec::with_capacity(by_vendor.len());
    for (slot, names) in by_vendor {
        let facts = query.facts(index.entry(slot));
        let mut compared: Vec<(usize, &'a Name, Comparison)> = Vec::new();
        for (name, bits) in names {
            let weights: Vec<f32> = name.words.iter().map(|word| index.weight(word)).collect();
            for (at, view) in views.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1) {
                compared.push((at, name, compare(view, &view_weights[at], name, &weights, &facts)));
            }
        }
        agree(views, &mut compared);
        let best = compared
            .into_iter()
            .map(|(view, name, comparison)| Compared {
                slot,
                logit: model.logit(&comparison.evidence),
                view,
                name,
                comparison,
            })
            .reduce(|best, next| if better(&next, &best) { next } else { best });
        out.extend(best);
    }
    let id = |slot: u32| index.entry(slot).vendor.id.as_str();
    out.sort_by(|a, b| {
        b.logit
            .total_cmp(&a.logit)
            .then_with(|| b.comparison.close.total_cmp(&a.comparison.close))
            .then_with(|| id(a.slot).cmp(id(b.slot)))
    });
    out
}

/// Total order, so that the order of names and views decides nothing.
fn better(next: &Compared<'_>, best: &Compared<'_>) -> bool {
    next.logit
        .total_cmp(&best.logit)
        .then_with(|| next.comparison.close.total_cmp(&best.comparison.close))
        .then_with(|| best.view.cmp(&next.view))
        .then_with(|| best.name.kind.cmp(&next.name.kind))
        .is_gt()
}

/// Fills in what the other views say about the same vendor.
fn agree(views: &[View], compared: &mut [(usize, &Name, Comparison)]) {
    let apart = |kind: ViewKind| match kind {
        ViewKind::CleanName => 1,
        ViewKind::Domain => 2,
        ViewKind::SubMerchant => 3,
        ViewKind::Name | ViewKind::Whole | ViewKind::Alias => 0,
    };
    let mut best = [0.0_f32; 4];
    for (view, _, comparison) in compared.iter() {
        let group = &mut best[apart(views[*view].kind)];
        *group = group.max(comparison.close);
    }
    let has_clean = views.iter().any(|view| view.kind == ViewKind::CleanName);
    for (view, _, comparison) in compared.iter_mut() {
        let own = apart(views[*view].kind);
        let others = best.iter().enumerate().filter(|(group, _)| *group != own).map(|(_, close)| *close);
        comparison.evidence[signal::OTHER_VIEW] = others.fold(0.0, f32::max);
        if has_clean && own != 1 {
            comparison.evidence[signal::CLEAN_NAME_DISAGREES] = 1.0 - best[1];
        }
    }
}

/// One candidate with its evidence, for training and for studying a decision.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The vendor's id.
    pub vendor: String,
    /// Logit that it is the right one.
    pub logit: f64,
    /// What speaks for and against it.
    pub evidence: Evidence,
}

/// All candidates of a merchant with their evidence, best first.
pub fn assessments(index: &Index, merchant: &Merchant, model: &Model) -> Vec<Assessment> {
    assess(index, &Query::new(merchant), None, model)
        .into_iter()
        .map(|compared| Assessment {
            vendor: index.entry(compared.slot).vendor.id.clone(),
            logit: compared.logit,
            evidence: compared.comparison.evidence,
        })
        .collect()
}
