//! AL filter patterns.

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(wildcard("v2.0*", "v2.0/vendors"));
        assert!(wildcard("*v*s", "vendors"));
        assert!(!wildcard("v2.0*", "v1.0/vendors"));
        assert!(!wildcard("a*b*c", "acb"));
    }
}
