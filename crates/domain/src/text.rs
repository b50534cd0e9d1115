//! Texts as Business Central measures them, and as a terminal may show them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How long Business Central finds a text: its strings are UTF-16, so an emoji counts twice.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// As much of the start of a text as fits, in whole characters.
pub fn fitting(text: &str, longest: usize) -> &str {
    let mut used = 0_usize;
    let end = text.char_indices().find(|(_, c)| {
        used = used.saturating_add(c.len_utf16());
        used > longest
    });
    end.map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}

/// The text with everything written out that a terminal would obey instead of showing it: escape sequences could hide or forge
/// lines, and marks of direction turn words around. The form is that of JSON, in which it means the same. Lines and tabs stay.
pub fn inert(text: &str) -> Cow<'_, str> {
    written_out(text, is_obeyed)
}

/// The same for a text that stands in a line of ours: what is behind a line break could be taken for a line of ours, too.
pub fn in_line(text: &str) -> Cow<'_, str> {
    written_out(text, |c| is_obeyed(c) || c == '\n')
}

fn written_out(text: &str, is_meant: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_meant(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_emoji_counts_twice() {
        assert_eq!(length("Café"), 4);
        assert_eq!(length("🍕🍕"), 4);
        assert_eq!(fitting("🍕🍕", 3), "🍕");
        assert_eq!(fitting("Café", 4), "Café");
        assert_eq!(fitting("Café", 0), "");
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out_as_in_json() {
        assert_eq!(inert("Café 🍕\n\tnext"), "Café 🍕\n\tnext");
        assert_eq!(inert("\u{1b}[2J\r\u{9b}31m\u{7f}\u{202e}x"), "\\u001b[2J\\u000d\\u009b31m\\u007f\\u202ex");
    }

    #[test]
    fn a_text_in_a_line_stays_in_it() {
        assert_eq!(in_line("Café\nexported"), "Café\\u000aexported");
    }

    proptest! {
        #[test]
        fn what_fits_is_the_longest_start_that_does(text in ".{0,60}", longest in 0_usize..60) {
            let start = fitting(&text, longest);
            prop_assert!(text.starts_with(start) && length(start) <= longest);
            if let Some(next) = text[start.len()..].chars().next() {
                prop_assert!(length(start) + next.len_utf16() > longest);
            }
        }
    }
}
