//! How alike two words are: the same, plural, cut off, without vowels, one letter wrong.

use crate::descriptor::Cut;

/// Why two words were taken for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same letters.
    Equal,
    /// One is an abbreviation of the other.
    Abbreviation,
    /// Singular and plural.
    Plural,
    /// The same letters with the spaces elsewhere.
    Glued,
    /// The descriptor's word is the beginning of the vendor's.
    CutOff,
    /// The descriptor's word leaves out the vowels.
    NoVowels,
    /// One letter wrong, missing, doubled or swapped.
    OneEdit,
    /// The vendor's word is the beginning of the descriptor's.
    Longer,
}

/// How well a descriptor's word stands for a vendor's word: (0..1, why), or `None`.
pub(crate) fn likeness(word: &str, vendor: &str, cut: Cut) -> Option<(f32, Likeness)> {
    if word == vendor {
        return Some((1.0, Likeness::Equal));
    }
    if word.as_bytes().first() != vendor.as_bytes().first() {
        let late = word.len() >= 6 && vendor.len() >= 6 && one_edit(word.as_bytes(), vendor.as_bytes());
        return late.then_some((0.7, Likeness::OneEdit));
    }
    if is_plural(word, vendor) || is_plural(vendor, word) {
        return Some((0.95, Likeness::Plural));
    }
    if vendor.starts_with(word) {
        if cut == Cut::No && vendor.len() - word.len() <= 2 && word.len() >= 5 {
            // PANERA is not PANERAI: nothing says that letters were cut off.
            return Some((0.65, Likeness::OneEdit));
        }
        return cut_off(word.len(), vendor.len(), cut).map(|quality| (quality, Likeness::CutOff));
    }
    if word.len() >= 5 && vendor.len() >= 5 && one_edit(word.as_bytes(), vendor.as_bytes()) {
        return Some((if word.len() >= 7 { 0.86 } else { 0.72 }, Likeness::OneEdit));
    }
    if word.len() >= 3 && !word.bytes().skip(1).any(is_vowel) && without_vowels(vendor) == word {
        return Some((0.8, Likeness::NoVowels));
    }
    if cut != Cut::No && word.len() >= 6 && vendor.len() > word.len() && near_start(word, vendor) {
        return Some((0.7, Likeness::CutOff));
    }
    let longer = vendor.len() >= 5 && word.starts_with(vendor) && word.len() - vendor.len() <= 3;
    longer.then_some((0.5, Likeness::Longer))
}

fn cut_off(length: usize, full: usize, cut: Cut) -> Option<f32> {
    match (cut, length) {
        (Cut::Yes, 1) => Some(0.45),
        (Cut::Yes, 2) | (Cut::Maybe, 3) => Some(0.65),
        (Cut::Yes, 3) => Some(0.8),
        (Cut::Yes, _) => Some(0.92),
        (Cut::Maybe, 1 | 2) => Some(0.4),
        (Cut::Maybe, _) => Some(0.85),
        (Cut::No, 3) if full >= 6 => Some(0.45),
        (Cut::No, 4..) => Some(if length * 2 >= full { 0.75 } else { 0.65 }),
        _ => None,
    }
}

fn is_plural(one: &str, many: &str) -> bool {
    many.strip_prefix(one).is_some_and(|end| end == "S" && one.len() >= 2 || end == "ES" && one.len() >= 3)
        || one.len() >= 4 && one.strip_suffix('Y').is_some_and(|stem| many.strip_prefix(stem) == Some("IES"))
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'A' | b'E' | b'I' | b'O' | b'U')
}

fn without_vowels(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next();
    first.into_iter().chain(letters.filter(|letter| !matches!(letter, 'A' | 'E' | 'I' | 'O' | 'U'))).collect()
}

/// Whether `word` is within one edit of some beginning of `vendor`.
fn near_start(word: &str, vendor: &str) -> bool {
    let (word, vendor) = (word.as_bytes(), vendor.as_bytes());
    [word.len() - 1, word.len(), word.len() + 1]
        .into_iter()
        .any(|length| vendor.get(..length).is_some_and(|start| one_edit(word, start)))
}

/// Whether one insertion, deletion, replacement or swap of neighbours turns one into the other.
pub(crate) fn one_edit(left: &[u8], right: &[u8]) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() < long.len() {
        return short[same..] == long[same + 1..];
    }
    if same == short.len() {
        return false;
    }
    short[same + 1..] == long[same + 1..]
        || same + 1 < short.len()
            && short[same] == long[same + 1]
            && short[same + 1] == long[same]
            && short[same + 2..] == long[same + 2..]
}

/// Length of the common beginning in bytes.
pub(crate) fn common_start(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::{Likeness, likeness, one_edit};
    use crate::descriptor::Cut;

    #[test]
    fn words_are_alike_for_a_reason() {
        for (word, vendor, cut, why) in [
            ("ROO", "ROOFING", Cut::Yes, Likeness::CutOff),
            ("FARM", "FARMS", Cut::No, Likeness::Plural),
            ("RENTLS", "RENTALS", Cut::No, Likeness::OneEdit),
            ("MEDICNIE", "MEDICINE", Cut::No, Likeness::OneEdit),
            ("MRKTNG", "MARKETING", Cut::No, Likeness::NoVowels),
        ] {
            assert_eq!(likeness(word, vendor, cut).map(|found| found.1), Some(why), "{word} {vendor}");
        }
        assert_eq!(likeness("PANERA", "PANERAI", Cut::No).map(|found| found.1), Some(Likeness::OneEdit));
        assert_eq!(likeness("ROO", "ROYAL", Cut::Yes), None);
    }

    #[test]
    fn a_swap_is_one_edit() {
        assert!(one_edit(b"SAOLN", b"SALON") && one_edit(b"SALO", b"SALON") && !one_edit(b"SALON", b"SALON"));
    }
}
