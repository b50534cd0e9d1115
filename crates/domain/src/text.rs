//! Texts as Business Central measures them.

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
