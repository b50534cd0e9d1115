//! Folding text to the plain capitals that card networks print: no accents, no apostrophes, `&` as a word.
//!
//! Folding is idempotent: folding a folded text changes nothing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that compatibility decomposition leaves alone although card networks print them in ASCII.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' | 'ẞ' => "SS",
        'Æ' | 'æ' => "AE",
        'Œ' | 'œ' => "OE",
        'Ø' | 'ø' => "O",
        'Ł' | 'ł' => "L",
        'Đ' | 'đ' | 'Ð' | 'ð' => "D",
        'Þ' | 'þ' => "TH",
        'Ħ' | 'ħ' => "H",
        'ı' | 'İ' => "I",
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '`' | '\u{b4}' => "'",
        '\u{2010}'..='\u{2015}' => "-",
        _ => return None,
    })
}

/// Folds a text: accents off, capitals, typographic quotes and dashes as ASCII, control characters as spaces.
pub fn fold(text: &str) -> String {
    let mut once = fold_once(text);
    // Capitalising can produce marks that decompose again; two rounds settle every known case, the loop is the proof.
    for _ in 0..4 {
        let again = fold_once(&once);
        if again == once {
            break;
        }
        once = again;
    }
    once
}

fn fold_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(if letter.is_ascii_control() { ' ' } else { letter.to_ascii_uppercase() });
        } else if let Some(plain) = plain(letter) {
            out.push_str(plain);
        } else {
            for part in std::iter::once(letter).nfkd().filter(|part| !is_combining_mark(*part)) {
                match plain(part) {
                    Some(plain) => out.push_str(plain),
                    None if part.is_whitespace() || part.is_control() => out.push(' '),
                    None => out.extend(part.to_uppercase().filter(|part| !is_combining_mark(*part))),
                }
            }
        }
    }
    out
}

/// Whether a character belongs to a word.
pub(crate) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric()
}

/// Splits a folded piece into words at everything that is neither letter nor digit. Apostrophes and the dots of initials
/// (`J.M.`) join; `&` becomes the word `AND`.
pub(crate) fn words(folded: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = folded.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        if is_word(letter) {
            word.push(letter);
            continue;
        }
        let joins = match letter {
            '\'' => true,
            '.' => {
                at >= 1
                    && is_word(letters[at - 1])
                    && (at < 2 || !is_word(letters[at - 2]))
                    && single_next(&letters, at + 1)
            }
            _ => false,
        };
        if joins {
            continue;
        }
        if !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if letter == '&' {
            out.push("AND".to_owned());
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// Whether exactly one word character stands at `at`.
fn single_next(letters: &[char], at: usize) -> bool {
    letters.get(at).is_some_and(|letter| is_word(*letter)) && letters.get(at + 1).is_none_or(|letter| !is_word(*letter))
}

/// Splits letters glued to a run of three or more digits (`ALOFT1454`), which are a store number or a reference, and what
/// follows the digits (`GINOS5227BOISEID`).
pub(crate) fn split_glued(word: &str) -> Vec<&str> {
    let Some(cut) = word.find(|letter: char| letter.is_ascii_digit()) else { return vec![word] };
    let (letters, rest) = word.split_at(cut);
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    let tail_fits = tail.is_empty() || tail.len() >= 5 && !tail.bytes().any(|byte| byte.is_ascii_digit());
    if letters.len() < 2 || digits.len() < 3 || !tail_fits {
        return vec![word];
    }
    if tail.is_empty() { vec![letters, digits] } else { vec![letters, digits, tail] }
}

#[cfg(test)]
mod tests {
    use super::{fold, split_glued, words};

    #[test]
    fn accents_quotes_and_case_are_folded() {
        assert_eq!(fold("Mövenpick’s Straße – Łódź"), "MOVENPICK'S STRASSE - LODZ");
    }

    #[test]
    fn apostrophes_and_initials_join_and_ampersands_become_a_word() {
        assert_eq!(words("J.M. O'NEIL & SON-IN-LAW"), ["JM", "ONEIL", "AND", "SON", "IN", "LAW"]);
        assert_eq!(words("E.ON UK"), ["E", "ON", "UK"]);
    }

    #[test]
    fn digits_glued_to_a_name_are_split_off() {
        assert_eq!(split_glued("ALOFT1454"), ["ALOFT", "1454"]);
        assert_eq!(split_glued("POLY6"), ["POLY6"]);
        assert_eq!(split_glued("7ELEVEN"), ["7ELEVEN"]);
        assert_eq!(split_glued("GINOS5227BOISEID"), ["GINOS", "5227", "BOISEID"]);
    }
}
