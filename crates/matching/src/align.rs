//! Which words of a descriptor stand for which words of a vendor's name.

use crate::descriptor::{Cut, Word};
use crate::lexicon::{Kind, lexicon};
use crate::similarity::{Likeness, likeness, one_edit};

/// One pair of words taken for one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    pub(crate) word: usize,
    pub(crate) vendor: usize,
    pub(crate) quality: f32,
    pub(crate) likeness: Likeness,
}

/// Best pair for each word of both sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alignment {
    pub(crate) pairs: Vec<Pair>,
}

impl Alignment {
    /// Quality with which the descriptor's word is explained.
    pub(crate) fn of_word(&self, at: usize) -> f32 {
        self.pairs.iter().filter(|pair| pair.word == at).map(|pair| pair.quality).fold(0.0, f32::max)
    }

    /// Quality with which the vendor's word is explained.
    pub(crate) fn of_vendor(&self, at: usize) -> f32 {
        self.pairs.iter().filter(|pair| pair.vendor == at).map(|pair| pair.quality).fold(0.0, f32::max)
    }

    fn has_word(&self, at: usize) -> bool {
        self.pairs.iter().any(|pair| pair.word == at)
    }

    fn has_vendor(&self, at: usize) -> bool {
        self.pairs.iter().any(|pair| pair.vendor == at)
    }

    fn add(&mut self, word: usize, vendor: usize, quality: f32, likeness: Likeness) {
        self.pairs.push(Pair { word, vendor, quality, likeness });
    }
}

/// Aligns the words of a view with the words of a name.
pub(crate) fn align(words: &[Word], name: &[Word]) -> Alignment {
    let mut out = Alignment::default();
    equal(words, name, &mut out);
    glued(words, name, &mut out);
    soft(words, name, &mut out);
    out.pairs.sort_by_key(|pair| (pair.word, pair.vendor));
    out
}

fn equal(words: &[Word], name: &[Word], out: &mut Alignment) {
    for (at, vendor) in name.iter().enumerate() {
        let hit = words.iter().enumerate().find(|(index, word)| {
            !out.has_word(*index) && (word.text == vendor.text || word.long == vendor.long || same_number(word, vendor))
        });
        if let Some((index, word)) = hit {
            if word.text == vendor.text {
                out.add(index, at, 1.0, Likeness::Equal);
            } else {
                out.add(index, at, 0.96, Likeness::Abbreviation);
            }
        }
    }
}

/// `0508` and `508` are the same store.
fn same_number(word: &Word, vendor: &Word) -> bool {
    word.kind == Kind::Number
        && vendor.kind == Kind::Number
        && word.text.trim_start_matches('0') == vendor.text.trim_start_matches('0')
}

/// Words whose spaces stand elsewhere: `PIZZA EXPRESS` and `PIZZAEXPRESS`, `DEFENS ETECHNOLOGIES`.
fn glued(words: &[Word], name: &[Word], out: &mut Alignment) {
    for (at, word) in words.iter().enumerate() {
        if out.has_word(at) || word.text.len() < 4 {
            continue;
        }
        for start in 0..name.len() {
            if out.has_vendor(start) || !starts_alike(&word.text, &name[start].text) {
                continue;
            }
            if let Some((count, quality)) = one_for_many(word, &name[start..]) {
                for vendor in start..start + count {
                    if !out.has_vendor(vendor) {
                        out.add(at, vendor, quality, Likeness::Glued);
                    }
                }
                break;
            }
        }
    }
    for start in 0..words.len() {
        for vendor in 0..name.len() {
            if !out.has_word(start) && !out.has_vendor(vendor) {
                many_for_one(words, name, start, vendor, out);
            }
        }
    }
}

fn starts_alike(left: &str, right: &str) -> bool {
    left.as_bytes().first() == right.as_bytes().first()
}

/// How many words of the name this one word stands for (two or more), and how well.
fn one_for_many(word: &Word, name: &[Word]) -> Option<(usize, f32)> {
    let mut joined = name.first()?.text.clone();
    let mut best = None;
    for (count, next) in name.iter().enumerate().skip(1).take(5) {
        let before = joined.len();
        joined.push_str(&next.text);
        if joined == word.text {
            return Some((count + 1, 0.97));
        }
        if joined.len() >= 7 && one_edit(joined.as_bytes(), word.text.as_bytes()) {
            best = Some((count + 1, 0.85));
        } else if word.text.len() > before && joined.starts_with(&word.text) && best.is_none() {
            let sure = if word.cut == Cut::Yes { 0.9 } else { 0.8 };
            best = (word.cut != Cut::No || word.text.len() - before >= 3).then_some((count + 1, sure));
        } else if count == 1 && word.text.ends_with(&next.text) && word.text.len() > next.text.len() + 1 {
            let head = &word.text[..word.text.len() - next.text.len()];
            if lexicon().long_form(head) == name[0].long {
                return Some((2, 0.92));
            }
        }
    }
    best
}

fn many_for_one(words: &[Word], name: &[Word], start: usize, vendor: usize, out: &mut Alignment) {
    let target = &name[vendor].text;
    if !starts_alike(&words[start].text, target) {
        return;
    }
    let mut joined = words[start].text.clone();
    for (count, next) in words[start + 1..].iter().enumerate().take(3) {
        let second = start + count + 1;
        joined.push_str(&next.text);
        let cut = next.cut != Cut::No && joined.len() >= 5 && target.starts_with(&joined);
        if joined == *target || cut || joined.len() >= 7 && one_edit(joined.as_bytes(), target.as_bytes()) {
            let quality = if joined == *target { 0.97 } else { 0.85 };
            for word in start..=second {
                out.add(word, vendor, quality, Likeness::Glued);
            }
            return;
        }
        if count == 0 && vendor + 1 < name.len() && !out.has_vendor(vendor + 1) && !out.has_word(second) {
            let pair = format!("{target}{}", name[vendor + 1].text);
            if pair == joined {
                out.add(start, vendor, 0.93, Likeness::Glued);
                out.add(second, vendor + 1, 0.93, Likeness::Glued);
                return;
            }
        }
    }
}

fn soft(words: &[Word], name: &[Word], out: &mut Alignment) {
    let mut found: Vec<Pair> = Vec::new();
    for (vendor, target) in name.iter().enumerate() {
        if out.has_vendor(vendor) || target.kind == Kind::Number {
            continue;
        }
        for (at, word) in words.iter().enumerate() {
            if out.has_word(at) || matches!(word.kind, Kind::Number | Kind::Reference) {
                continue;
            }
            let plain = likeness(&word.text, &target.text, word.cut);
            let best = if word.long == word.text && target.long == target.text {
                plain
            } else {
                plain.or_else(|| likeness(&word.long, &target.long, Cut::No))
            };
            if let Some((quality, why)) = best {
                found.push(Pair { word: at, vendor, quality, likeness: why });
            }
        }
    }
    // Best first; among equals the pair that keeps the order of the words.
    found.sort_by(|a, b| b.quality.total_cmp(&a.quality).then_with(|| (a.vendor, a.word).cmp(&(b.vendor, b.word))));
    for pair in found {
        if !out.has_word(pair.word) && !out.has_vendor(pair.vendor) {
            out.pairs.push(pair);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::align;
    use crate::descriptor::read;
    use crate::similarity::Likeness;
    use crate::vendor::{NameKind, name};

    fn pairs(descriptor: &str, vendor: &str) -> Vec<(usize, usize, Likeness)> {
        let reading = read(descriptor);
        let name = name(vendor, NameKind::Full, "").unwrap();
        align(&reading.views[0].words, &name.words)
            .pairs
            .iter()
            .map(|pair| (pair.word, pair.vendor, pair.likeness))
            .collect()
    }

    #[test]
    fn spaces_may_stand_elsewhere() {
        assert_eq!(pairs("PIZZA EXPRESS 0831", "PIZZAEXPRESS LTD"), [(0, 0, Likeness::Glued), (1, 0, Likeness::Glued)]);
        assert_eq!(
            pairs("DEFENS ETECHNOLOGIES", "DEFENSE TECHNOLOGIES"),
            [(0, 0, Likeness::Glued), (1, 1, Likeness::Glued)]
        );
        assert_eq!(
            pairs("MTNWAREHOUSE 6198", "MOUNTAIN WAREHOUSE"),
            [(0, 0, Likeness::Glued), (0, 1, Likeness::Glued)]
        );
    }

    #[test]
    fn a_word_cut_at_the_end_of_the_field_is_matched() {
        assert_eq!(
            pairs("SQ *DES MOINES TOOL AN", "DES MOINES TOOL ANVIL"),
            [(0, 0, Likeness::Equal), (1, 1, Likeness::Equal), (2, 2, Likeness::Equal), (3, 3, Likeness::CutOff)]
        );
    }
}
