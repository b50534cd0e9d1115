//! The vendors of one company, indexed by name; changed in place as vendors come, go and are renamed.

use std::collections::HashMap;

use crate::blocking::{Blocking, Keys};
use crate::descriptor::Word;
use crate::fold::fold;
use crate::lexicon::{Kind, lexicon};
use crate::token::address_stem;
use crate::vendor::{Name, NameKind, Vendor, names};

/// One vendor with its names.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) vendor: Vendor,
    pub(crate) names: Vec<Name>,
    /// The names' numbers in the posting lists.
    numbers: Vec<u32>,
    pub(crate) trades: Vec<u8>,
    /// Folded town.
    pub(crate) city: String,
}

impl Entry {
    /// Whether the vendor's name says which site of a business it is.
    pub(crate) fn is_site(&self) -> bool {
        self.names.iter().any(|name| name.words.iter().any(|word| word.kind == Kind::Place))
    }
}

/// The vendors of one company.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: Vec<Option<Entry>>,
    by_id: HashMap<String, u32>,
    /// Name number to (entry, which of its names).
    names: Vec<Option<(u32, u8)>>,
    pub(crate) blocking: Blocking,
    free_entries: Vec<u32>,
    free_names: Vec<u32>,
}

impl Index {
    /// Builds an index. Of two vendors with the same id the later one stays; otherwise their order does not matter.
    pub fn build(vendors: impl IntoIterator<Item = Vendor>) -> Self {
        let mut index = Self::default();
        for vendor in vendors {
            index.add(vendor);
        }
        index
    }

    /// Number of vendors.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is no vendor.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The vendor with this id.
    pub fn find_vendor(&self, id: &str) -> Option<&Vendor> {
        self.slot(id).map(|slot| &self.entry(slot).vendor)
    }

    /// Adds a vendor, or puts it in the place of the one with the same id.
    pub fn add(&mut self, vendor: Vendor) {
        self.remove(&vendor.id);
        let mut names = names(&vendor);
        if let Some(stem) = address_stem(&fold(vendor.website.trim())).filter(|stem| stem.len() >= 3)
            && names.iter().all(|name| name.glued != stem)
        {
            names.extend(crate::vendor::name(&stem, NameKind::Part, ""));
        }
        names.truncate(usize::from(u8::MAX));
        let slot = self.free_entries.pop().unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
        });
        let mut numbers = Vec::with_capacity(names.len());
        for (which, name) in names.iter().enumerate() {
            let number = self.free_names.pop().unwrap_or_else(|| {
                self.names.push(None);
                u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX)
            });
            self.names[number as usize] = Some((slot, u8::try_from(which).unwrap_or(u8::MAX)));
            self.blocking.insert(number, &keys(name));
            numbers.push(number);
        }
        let mut trades: Vec<u8> = names.iter().flat_map(|name| trades_of(&name.words)).collect();
        trades.sort_unstable();
        trades.dedup();
        let city = fold(vendor.city.trim());
        self.by_id.insert(vendor.id.clone(), slot);
        self.entries[slot as usize] = Some(Entry { vendor, names, numbers, trades, city });
    }

    /// Removes a vendor; says whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(slot) = self.by_id.remove(id) else { return false };
        if let Some(entry) = self.entries[slot as usize].take() {
            for (number, name) in entry.numbers.iter().zip(&entry.names) {
                self.blocking.remove(*number, &keys(name));
                self.names[*number as usize] = None;
                self.free_names.push(*number);
            }
        }
        self.free_entries.push(slot);
        true
    }

    /// Gives a vendor another name; says whether it was there.
    pub fn rename(&mut self, id: &str, name: &str) -> bool {
        let Some(mut vendor) = self.find_vendor(id).cloned() else { return false };
        name.clone_into(&mut vendor.name);
        self.add(vendor);
        true
    }

    /// Blocks or unblocks a vendor; says whether it was there. A blocked vendor is still suggested, never chosen.
    pub fn block(&mut self, id: &str, blocked: bool) -> bool {
        let slot = self.slot(id);
        let Some(entry) = slot.and_then(|slot| self.entries[slot as usize].as_mut()) else { return false };
        entry.vendor.blocked = blocked;
        true
    }

    pub(crate) fn slot(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn entry(&self, slot: u32) -> &Entry {
        #[expect(clippy::expect_used, reason = "slots come from by_id and names, which only hold filled entries")]
        self.entries[slot as usize].as_ref().expect("a filled slot")
    }

    /// The vendor and name behind a number of the posting lists.
    pub(crate) fn named(&self, number: u32) -> Option<(u32, u8)> {
        self.names.get(number as usize).copied().flatten()
    }

    /// How much a word says: the rarer in company names everywhere and in this list, the more.
    ///
    /// It depends on how many names of this list carry the word, not on the length of the list, and on their number only by
    /// powers of two: so that a vendor added somewhere else changes nothing here.
    pub(crate) fn weight(&self, word: &Word) -> f32 {
        let others = self.blocking.count(&word.long).saturating_sub(1);
        let others = if others == 0 { 0 } else { 1_usize << others.ilog2() };
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let share = lexicon().share(&word.long) + others as f32 * 1e-4;
        let rarity = (-share.ln() - 2.0).max(0.5);
        let by_length = match word.text.len() {
            0 | 1 => 1.5,
            2 => 3.5,
            3 => 5.5,
            _ => 8.0,
        };
        let by_kind = match word.kind {
            Kind::Number => 3.5,
            Kind::Reference | Kind::Legal | Kind::Channel | Kind::State => 2.0,
            Kind::Place | Kind::Country => 3.0,
            Kind::Name | Kind::Generic | Kind::Trade => 8.0,
        };
        rarity.min(by_length).min(by_kind)
    }
}

/// The trades the words of a name speak of.
pub(crate) fn trades_of(words: &[Word]) -> Vec<u8> {
    words.iter().filter_map(|word| lexicon().trade(&word.long)).collect()
}

pub(crate) fn keys(name: &Name) -> Keys<'_> {
    Keys {
        glued: &name.glued,
        words: name.words.iter().map(|word| word.long.as_str()).collect(),
        initials: &name.initials,
    }
}
