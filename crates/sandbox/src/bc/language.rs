//! The language of error texts. Texts in another language than English are not translated but made unlike the English
//! ones, so that nothing can be matched that would not be there in a real tenant.

/// Whether errors come in English, by `Accept-Language` and the language of the user.
pub(super) fn is_english(accepted: Option<&str>, user: &str) -> bool {
    let first = accepted.and_then(|tags| tags.split([',', ';']).next()).map(str::trim);
    let tag = first.filter(|tag| !tag.is_empty() && *tag != "*").unwrap_or(user);
    tag.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case("en"))
}

/// The text in a language that nobody speaks.
pub(super) fn foreign(text: &str) -> String {
    let strange = |character| match character {
        'a' => 'ä',
        'e' => 'ë',
        'i' => 'ï',
        'o' => 'ö',
        'u' => 'ü',
        other => other,
    };
    text.chars().map(strange).collect()
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn the_first_tag_counts_and_the_user_without_one() {
        assert!(is_english(Some("en-US"), "de-DE"));
        assert!(is_english(Some("EN;q=0.5, de"), "de-DE"));
        assert!(!is_english(Some("da-DK, en-US"), "en-US"));
        assert!(is_english(None, "en-GB"));
        assert!(!is_english(Some("*"), "de-DE"));
    }
}
