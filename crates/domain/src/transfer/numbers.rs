//! Finds document numbers in free text: whole tokens only, the longest first, whatever separates them.

/// Most pieces that a number may be written in ("INV 2026 0612").
const PIECES_MOST: usize = 4;
/// A shorter number says nothing: "12" or "A1" stands in many a memo by accident.
const LENGTH_LEAST: usize = 4;

/// The form in which numbers are compared: upper case, letters and digits only. None if it is too common to say anything.
pub fn number_key(number: &str) -> Option<String> {
    let key: String = number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    let has_digit = key.chars().any(|c| c.is_ascii_digit());
    let is_year =
        key.len() == 4 && (key.starts_with("19") || key.starts_with("20")) && key.bytes().all(|b| b.is_ascii_digit());
    (key.chars().count() >= LENGTH_LEAST && has_digit && !is_year).then_some(key)
}

/// What a text names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Keys of the known numbers, in the order of the text.
    pub known: Vec<String>,
    /// Whether there is something that looks like a number of a document and is not known.
    pub has_unknown: bool,
}

/// The numbers in a text. `is_known` says whether a key is the number of a document.
pub fn numbers_in(text: &str, is_known: impl Fn(&str) -> bool) -> Named {
    let pieces: Vec<&str> = text.split(is_separator).filter(|piece| piece.chars().any(char::is_alphanumeric)).collect();
    let mut taken = vec![false; pieces.len()];
    let mut found: Vec<(usize, String)> = Vec::new();
    for length in (1..=PIECES_MOST.min(pieces.len())).rev() {
        for (start, window) in pieces.windows(length).enumerate() {
            let end = start.saturating_add(length);
            let is_free = taken.get(start..end).is_some_and(|places| places.iter().all(|taken| !taken));
            let Some(key) = number_key(&window.concat()).filter(|key| is_free && is_known(key)) else { continue };
            if let Some(places) = taken.get_mut(start..end) {
                places.fill(true);
            }
            found.push((start, key));
        }
    }
    found.sort();
    let mut named = Named::default();
    for (_, key) in found {
        if !named.known.contains(&key) {
            named.known.push(key);
        }
    }
    let after_check =
        |place: usize| place.checked_sub(1).and_then(|before| pieces.get(before)).is_some_and(|word| is_check(word));
    named.has_unknown = pieces
        .iter()
        .enumerate()
        .any(|(place, piece)| taken.get(place) == Some(&false) && looks_like_number(piece) && !after_check(place));
    named
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | ':' | '/' | '|' | '+' | '&' | '(' | ')' | '"' | '\'')
}

/// Brex writes "Check #<no> to <recipient> - <memo>" (brex.md 4.2): its own number.
fn is_check(word: &str) -> bool {
    word.eq_ignore_ascii_case("check") || word.eq_ignore_ascii_case("cheque")
}

/// Three digits or more, and neither a date nor an amount.
fn looks_like_number(piece: &str) -> bool {
    let digits = piece.chars().filter(char::is_ascii_digit).count();
    let is_date = piece.parse::<jiff::civil::Date>().is_ok() || number_key(piece).is_none();
    let is_amount = piece.trim_start_matches('$').parse::<rust_decimal::Decimal>().is_ok_and(|n| n.scale() == 2);
    digits >= 3 && !is_date && !is_amount
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let known = ["INV20260612", "0612", "AB123", "20260612"];
        numbers_in(text, |key| known.contains(&key)).known
    }

    #[test]
    fn a_number_is_found_however_it_is_separated() {
        for text in
            ["Schrute Farms - INV-2026-0612", "inv 2026 0612", "pays (INV.2026.0612)", "#INV20260612,", "INV/2026/0612"]
        {
            assert_eq!(named(text), ["INV20260612"], "{text}");
        }
        assert_eq!(named("AB-123 and INV-2026-0612"), ["AB123", "INV20260612"]);
    }

    #[test]
    fn a_part_of_a_token_is_not_a_number() {
        for text in ["XINV-2026-0612", "INV-2026-06123", "AB-1234", "2026", "X-0612"] {
            assert_eq!(named(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_number_and_is_none_is_told() {
        let unknown = |text: &str| numbers_in(text, |key| key == "AB123").has_unknown;
        assert!(unknown("RENT-2026-07"));
        assert!(unknown("AB-123 and AB-124"));
        for text in
            ["AB-123", "Payment of 2026-06-30", "Payment", "$1234.50", "Check #10042 to Schrute - Payment", "for 2026"]
        {
            assert!(!unknown(text), "{text}");
        }
    }
}
