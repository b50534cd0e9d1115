//! What people confirmed: which vendor a descriptor belongs to, and which descriptors belong to none.
//!
//! A confirmation decides the same descriptor from now on, and teaches a further name of the vendor together with its town
//! and numbers. Contradictions and changed vendors send the descriptor back to a person.

use std::collections::{BTreeMap, BTreeSet};

use crate::blocking::Blocking;
use crate::descriptor::{Reading, ViewKind, read};
use crate::index::keys;
use crate::lexicon::{Kind, lexicon};
use crate::query::same_town;
use crate::vendor::{Name, NameKind, name};

/// One answer of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// The descriptor that was asked about.
    pub descriptor: String,
    /// Its cleaned name, or empty.
    pub clean_name: String,
    /// The vendor, or empty for "none of our vendors".
    pub vendor_id: String,
    /// The vendor's name when it was confirmed, or empty if not recorded. Another name today makes the answer doubtful.
    pub vendor_name: String,
    /// Whether the link was set by hand: later confirmations never change it.
    pub by_hand: bool,
}

/// What is remembered about exactly this descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recall<'a> {
    Nothing,
    Vendor(&'a Confirmation),
    NoneOfOurs,
    Contradicted,
}

/// A name learned for a vendor.
#[derive(Debug, Clone)]
struct Learned {
    vendor_id: String,
    name: Name,
    key: String,
    city: String,
    numbers: Vec<String>,
}

/// All confirmations of one company.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    answers: BTreeMap<String, Vec<Confirmation>>,
    learned: Vec<Learned>,
    /// Places in `learned` by the name's letters, and by the key of the answer that taught it.
    named: BTreeMap<String, Vec<usize>>,
    taught: BTreeMap<String, Vec<usize>>,
    /// Vendors that were confirmed, with how often.
    vendors: BTreeMap<String, usize>,
    /// Core words of descriptors that belong to none of the vendors.
    refused: BTreeMap<String, usize>,
    /// Vendors that people said a descriptor is not, by its key.
    rejected: BTreeMap<String, BTreeSet<String>>,
    blocking: Blocking,
}

/// What stays of a descriptor when booking codes, phone numbers and long references are taken off. The words right of an
/// asterisk stay: `PADDLE.NET* N8N` is not `PADDLE.NET* SETAPP`.
pub fn scrubbed_key(descriptor: &str) -> String {
    key_of(&read(descriptor))
}

fn key_of(reading: &Reading) -> String {
    let mut parts = vec![reading.processor.unwrap_or_default().to_owned()];
    for view in reading.views.iter().filter(|view| matches!(view.kind, ViewKind::Name | ViewKind::SubMerchant)) {
        let kept = view.words.iter().filter(|word| word.kind != Kind::Reference).map(|word| word.text.as_str());
        parts.push(kept.collect::<Vec<_>>().join(" "));
    }
    parts.push(reading.state.clone().unwrap_or_default());
    parts.join("|")
}

/// The core of the main name, which store numbers and towns do not change.
fn core_of(reading: &Reading) -> String {
    reading.views.first().map(|view| view.glued.clone()).unwrap_or_default()
}

impl Memory {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing was confirmed or rejected.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.rejected.is_empty()
    }

    /// A person said that this descriptor is not this vendor: it is not suggested again for it, and from now on only a
    /// person decides about the descriptor.
    pub fn reject(&mut self, descriptor: &str, vendor_id: &str) {
        self.rejected.entry(scrubbed_key(descriptor)).or_default().insert(vendor_id.to_owned());
    }

    /// The vendors that people said this descriptor is not.
    pub(crate) fn rejected(&self, reading: &Reading) -> Option<&BTreeSet<String>> {
        if self.rejected.is_empty() { None } else { self.rejected.get(&key_of(reading)) }
    }

    /// Takes an answer in. A link set by hand stays whatever is confirmed later; setting one by hand replaces the rest.
    pub fn confirm(&mut self, answer: &Confirmation) {
        let reading = read(&answer.descriptor);
        let key = key_of(&reading);
        let known = self.answers.entry(key.clone()).or_default();
        if known.iter().any(|known| known.by_hand) && !answer.by_hand {
            return;
        }
        if answer.by_hand {
            known.clear();
            self.forget(&key);
        }
        let known = self.answers.entry(key.clone()).or_default();
        known.push(answer.clone());
        if answer.vendor_id.is_empty() {
            *self.refused.entry(core_of(&reading)).or_default() += 1;
        } else {
            *self.vendors.entry(answer.vendor_id.clone()).or_default() += 1;
            self.learn(&reading, answer, &key);
        }
    }

    /// Whether people ever confirmed this vendor.
    pub(crate) fn knows(&self, vendor_id: &str) -> bool {
        self.vendors.contains_key(vendor_id)
    }

    /// How many vendors people confirmed.
    pub(crate) fn vendors_known(&self) -> usize {
        self.vendors.len()
    }

    fn forget(&mut self, key: &str) {
        for number in self.taught.remove(key).unwrap_or_default() {
            let Some(learned) = self.learned.get_mut(number) else { continue };
            self.blocking.remove(u32::try_from(number).unwrap_or(u32::MAX), &keys(&learned.name));
            learned.vendor_id.clear();
            if let Some(same) = self.named.get_mut(&learned.name.glued) {
                same.retain(|other| *other != number);
            }
        }
    }

    fn learn(&mut self, reading: &Reading, answer: &Confirmation, key: &str) {
        let mut texts: Vec<String> = Vec::new();
        let clean = read(&answer.clean_name);
        for view in reading.views.iter().chain(&clean.views).filter(|view| view.kind == ViewKind::Name) {
            let core = crate::tail::core(&view.words);
            let words: Vec<&str> = view.words[..core].iter().map(|word| word.text.as_str()).collect();
            texts.push(words.join(" "));
        }
        for text in texts {
            let Some(name) = name(&crate::fold::fold(&text), NameKind::Learned, "") else { continue };
            if self.learned.iter().rev().take(2).any(|known| known.key == key && known.name.glued == name.glued) {
                continue;
            }
            let telling = name.words.iter().any(|word| matches!(word.kind, Kind::Name) && word.text.len() >= 3);
            if !telling || lexicon().is_processor(crate::fold::fold(&text).trim()) {
                continue;
            }
            let number = self.learned.len();
            self.blocking.insert(u32::try_from(number).unwrap_or(u32::MAX), &keys(&name));
            self.named.entry(name.glued.clone()).or_default().push(number);
            self.taught.entry(key.to_owned()).or_default().push(number);
            self.learned.push(Learned {
                vendor_id: answer.vendor_id.clone(),
                name,
                key: key.to_owned(),
                city: reading.city.clone().unwrap_or_default(),
                numbers: reading.numbers.clone(),
            });
        }
    }

    /// What is remembered about exactly this descriptor.
    pub(crate) fn recall(&self, reading: &Reading) -> Recall<'_> {
        let core = core_of(reading);
        let answers = self.answers.get(&key_of(reading)).filter(|_| core.len() >= 2);
        let Some((first, rest)) = answers.and_then(|answers| answers.split_first()) else { return Recall::Nothing };
        if rest.iter().any(|other| other.vendor_id != first.vendor_id) {
            Recall::Contradicted
        } else if first.vendor_id.is_empty() {
            Recall::NoneOfOurs
        } else {
            Recall::Vendor(rest.last().unwrap_or(first))
        }
    }

    /// Whether people said of a descriptor with the same core that it is none of the vendors.
    pub(crate) fn refused(&self, reading: &Reading) -> bool {
        self.refused.contains_key(&core_of(reading))
    }

    /// Learned names that resemble the merchant, with their vendor and the town they were confirmed with.
    pub(crate) fn names_like(&self, reading: &Reading) -> Vec<(&str, &Name, &str)> {
        let mut numbers: Vec<u32> = Vec::new();
        for view in &reading.views {
            numbers.extend(self.blocking.by_pieces(&view.glued));
            numbers.extend(self.blocking.by_start(&view.glued));
            for word in &view.words {
                numbers.extend(self.blocking.by_word(&word.long));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        let learned = numbers.into_iter().filter_map(|number| self.learned.get(number as usize));
        learned
            .filter(|learned| !learned.vendor_id.is_empty())
            .map(|learned| (learned.vendor_id.as_str(), &learned.name, learned.city.as_str()))
            .collect()
    }

    /// Whether a learned name may decide by itself: town and numbers agree with the confirmed descriptor, or two different
    /// descriptors were confirmed; and nobody said anything else about the name.
    pub(crate) fn may_decide(
        &self,
        vendor_id: &str,
        name: &Name,
        city: &str,
        numbers: &[String],
        site_vendor: bool,
    ) -> bool {
        let places = self.named.get(&name.glued).into_iter().flatten();
        let same: Vec<&Learned> = places.filter_map(|place| self.learned.get(*place)).collect();
        if self.refused.contains_key(&name.glued) || same.iter().any(|learned| learned.vendor_id != vendor_id) {
            return false;
        }
        let town = |learned: &Learned| match (learned.city.is_empty(), city.is_empty()) {
            (true, true) => !site_vendor,
            (false, false) => same_town(&learned.city, city),
            _ => false,
        };
        let agrees = same.iter().any(|learned| town(learned) && learned.numbers == numbers);
        let mut keys: Vec<&str> = same.iter().map(|learned| learned.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        agrees || keys.len() >= 2 && !site_vendor
    }
}

#[cfg(test)]
mod tests {
    use super::{Confirmation, Memory, Recall, scrubbed_key};
    use crate::descriptor::read;

    fn answer(descriptor: &str, vendor: &str) -> Confirmation {
        Confirmation { descriptor: descriptor.into(), vendor_id: vendor.into(), ..Confirmation::default() }
    }

    #[test]
    fn keys_keep_the_words_right_of_the_asterisk_and_drop_booking_codes() {
        assert_ne!(scrubbed_key("PADDLE.NET* N8N"), scrubbed_key("PADDLE.NET* SETAPP"));
        assert_eq!(scrubbed_key("UNITED 0162341987833"), scrubbed_key("UNITED 0167012437247"));
        assert_ne!(scrubbed_key("SMARTTRUST 601"), scrubbed_key("SMARTTRUST 472"));
        assert_ne!(scrubbed_key("FIRESTONE NEWARK NJ"), scrubbed_key("FIRESTONE PHOENIX AZ"));
    }

    #[test]
    fn two_answers_about_one_descriptor_contradict_each_other() {
        let mut memory = Memory::new();
        memory.confirm(&answer("ACUITY 12", "V1"));
        assert!(matches!(memory.recall(&read("ACUITY 12")), Recall::Vendor(_)));
        memory.confirm(&answer("ACUITY 12", "V2"));
        assert_eq!(memory.recall(&read("ACUITY 12")), Recall::Contradicted);
    }

    #[test]
    fn a_name_that_was_taught_is_found_by_its_letters_and_gone_with_the_answer_that_taught_it() {
        let mut memory = Memory::new();
        for number in 0..300 {
            memory.confirm(&answer(&format!("QUILLON{number} {number}"), &format!("V{number}")));
        }
        let decides = |memory: &Memory, number: u32, vendor: &str| {
            let reading = read(&format!("QUILLON{number} {number}"));
            let (_, learned, _) = memory.names_like(&reading).into_iter().find(|(id, ..)| *id == vendor)?;
            Some(memory.may_decide(vendor, learned, "", &reading.numbers, false))
        };
        assert_eq!(decides(&memory, 7, "V7"), Some(true));
        memory.confirm(&Confirmation { by_hand: true, ..answer("QUILLON7 7", "V900") });
        assert_eq!((decides(&memory, 7, "V7"), decides(&memory, 7, "V900")), (None, Some(true)));
        assert_eq!(decides(&memory, 8, "V8"), Some(true), "the others stay");
        let living = memory.learned.iter().filter(|learned| !learned.vendor_id.is_empty()).count();
        assert_eq!(memory.named.values().map(Vec::len).sum::<usize>(), living, "what was taken off is not looked at");
    }

    #[test]
    fn a_link_set_by_hand_is_never_overwritten() {
        let mut memory = Memory::new();
        memory.confirm(&answer("ACUITY 12", "V1"));
        memory.confirm(&Confirmation { by_hand: true, ..answer("ACUITY 12", "V3") });
        memory.confirm(&answer("ACUITY 12", "V2"));
        match memory.recall(&read("ACUITY 12")) {
            Recall::Vendor(known) => assert_eq!(known.vendor_id, "V3"),
            other => panic!("{other:?}"),
        }
    }
}
