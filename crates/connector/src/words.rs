//! Numbers with their nouns.

use std::fmt::Display;

/// `1 record`, `2 records`, `3 matches`, `4 companies`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ if noun.ends_with("ch") => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

/// `1 record waits`, `2 records wait`.
pub(crate) fn records_wait<N: Copy + Display + PartialEq + From<u8>>(number: N) -> String {
    let verb = if number == N::from(1) { "waits" } else { "wait" };
    format!("{} {verb}", counted(number, "record"))
}

#[cfg(test)]
mod tests {
    use super::{counted, records_wait};

    #[test]
    fn nouns_follow_their_numbers() {
        for (number, noun, words) in [
            (0_i64, "record", "0 records"),
            (1, "record", "1 record"),
            (2, "day", "2 days"),
            (3, "match", "3 matches"),
            (4, "company", "4 companies"),
        ] {
            assert_eq!(counted(number, noun), words);
        }
        assert_eq!((records_wait(1_usize), records_wait(9_usize)), ("1 record waits".into(), "9 records wait".into()));
    }
}
