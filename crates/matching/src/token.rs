//! Cutting a folded descriptor into tokens: words, phone numbers, web addresses, store numbers, references.

use crate::fold::{split_glued, words};

/// What a token looks like, before the words are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Word,
    Phone,
    /// A web address; the token's text is its stem (`AMAZON` of `WWW.AMAZON.CO.UK`).
    Address,
    Number,
    Reference,
}

/// One token with its place in the folded text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) shape: Shape,
    /// One past its last byte in the folded descriptor.
    pub(crate) end: usize,
    /// A web address that may go on in the next token.
    pub(crate) open: bool,
}

const TOP_LEVEL: [&str; 34] = [
    "COM", "NET", "ORG", "GOV", "EDU", "CO", "UK", "IO", "AI", "US", "CA", "AU", "DE", "FR", "IE", "EU", "ES", "IT",
    "NL", "APP", "DEV", "BIZ", "INFO", "ME", "TV", "SHOP", "STORE", "ONLINE", "TT", "LY", "GG", "SO", "CC", "XYZ",
];

/// Tokens of `text`, whose first byte stands at `offset` of the descriptor. A web address cut off at the end of its field
/// is recognised when `at_end`.
pub(crate) fn tokens(text: &str, offset: usize) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut start = 0;
    for chunk in text.split(|letter: char| letter.is_whitespace() || letter == '#' || letter == '_') {
        let after_hash = start > 0 && text.as_bytes()[start - 1] == b'#';
        let span = (offset + start, offset + start + chunk.len());
        start += chunk.len() + 1;
        let chunk_text = chunk.trim_matches(|letter: char| matches!(letter, ',' | ';' | ':' | '(' | ')' | '"'));
        if chunk_text.is_empty() {
            continue;
        }
        if joins_phone(&out, chunk_text) {
            if let Some(last) = out.last_mut() {
                last.shape = Shape::Phone;
                last.end = span.1;
            }
        } else if is_phone(chunk_text) {
            out.push(Token { text: digits(chunk_text), shape: Shape::Phone, end: span.1, open: false });
        } else if let Some(stem) = address_stem(chunk_text) {
            // "WWW.JUST EAT.CO.UK" was typed with a space.
            let open = out.pop_if(|last| last.shape == Shape::Address && last.open && !stem.is_empty());
            let stem = open.map_or(stem.clone(), |open| open.text + &stem);
            let open = chunk_text.starts_with("WWW.") && !chunk_text[4..].contains('.');
            out.push(Token { text: stem, shape: Shape::Address, end: span.1, open });
        } else {
            push_words(&mut out, chunk_text, span, after_hash);
        }
    }
    out
}

fn push_words(out: &mut Vec<Token>, chunk: &str, span: (usize, usize), after_hash: bool) {
    if is_reference_chunk(chunk) {
        let text = words(chunk).concat();
        if !text.is_empty() {
            out.push(Token { text, shape: Shape::Reference, end: span.1, open: false });
        }
        return;
    }
    for word in words(chunk) {
        for part in split_glued(&word) {
            let shape = shape_of(part, after_hash);
            out.push(Token { text: part.to_owned(), shape, end: span.1, open: false });
        }
    }
}

fn shape_of(word: &str, after_hash: bool) -> Shape {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return if word.len() > 5 { Shape::Reference } else { Shape::Number };
    }
    if after_hash && word.bytes().any(|byte| byte.is_ascii_digit()) || is_code(word) {
        Shape::Reference
    } else {
        Shape::Word
    }
}

/// `T-3516`, `INV40900`, `F63572`, `P01CF72FE7`: a letter or INV followed by a number.
fn is_reference_chunk(chunk: &str) -> bool {
    let bare: String = chunk.chars().filter(char::is_ascii_alphanumeric).collect();
    let rest = bare.strip_prefix("INV").or_else(|| bare.strip_prefix("REF")).or_else(|| bare.get(1..));
    let letter_first = bare.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    letter_first && rest.is_some_and(|rest| rest.len() >= 4 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Letters and digits mixed in a way no name is: `0D3P7V`, `K15PA27B`.
pub(crate) fn is_code(word: &str) -> bool {
    let bytes = word.as_bytes();
    let changes = bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let count = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    bytes.len() >= 4
        && (changes >= 3 || (changes >= 2 && bytes.len() >= 5) || (changes >= 1 && count >= 2 && bytes.len() >= 5))
}

fn digits(chunk: &str) -> String {
    chunk.chars().filter(char::is_ascii_digit).collect()
}

fn is_phone(chunk: &str) -> bool {
    let count = chunk.bytes().filter(u8::is_ascii_digit).count();
    let marks = chunk.bytes().filter(|byte| matches!(byte, b'-' | b'.' | b'/')).count();
    chunk.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/' | b'+' | b'(' | b')'))
        && ((10..=12).contains(&count) && (marks >= 1 || count == 10) || (count == 7 || count == 9) && marks >= 1)
}

/// `888` followed by `997-2452`.
fn joins_phone(out: &[Token], chunk: &str) -> bool {
    let mut sides = chunk.split('-');
    let tail = matches!((sides.next(), sides.next(), sides.next()), (Some(a), Some(b), None)
        if a.len() == 3 && b.len() == 4 && a.bytes().chain(b.bytes()).all(|byte| byte.is_ascii_digit()));
    tail && out.last().is_some_and(|token| token.text.len() == 3 && token.shape == Shape::Number)
}

/// The part of a web address that names the site, if the chunk is one.
pub(crate) fn address_stem(chunk: &str) -> Option<String> {
    let chunk = chunk.trim_start_matches("HTTPS://").trim_start_matches("HTTP://");
    if let Some((_, host)) = chunk.split_once('@') {
        return if host.is_empty() { None } else { Some(String::new()).filter(|_| host.contains('.')) };
    }
    let host = chunk.split('/').next().unwrap_or(chunk).trim_end_matches('.');
    let had_www = host.starts_with("WWW.");
    let labels: Vec<&str> = host.trim_start_matches("WWW.").split('.').collect();
    if had_www && labels.len() == 1 {
        return glued_label(labels[0]);
    }
    let last = *labels.last()?;
    let before = labels.len().checked_sub(2).and_then(|at| labels.get(at)).copied().unwrap_or_default();
    let cut_tld = matches!(last, "C" | "U" | "O" | "N" | "NE" | "OR" | "G") && (before.len() >= 5 || is_top(before));
    if labels.len() < 2 || !(is_top(last) || cut_tld || had_www) || labels.iter().any(|label| label.is_empty()) {
        return None;
    }
    let mut names = labels.as_slice();
    while names.len() > 1 && (is_top(names[names.len() - 1]) || names.len() == labels.len() && (cut_tld || had_www)) {
        names = &names[..names.len() - 1];
    }
    glued_label(names.last().copied()?)
}

fn is_top(label: &str) -> bool {
    TOP_LEVEL.contains(&label)
}

fn glued_label(label: &str) -> Option<String> {
    let stem: String = words(label).concat();
    (!stem.is_empty()).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::{Shape, address_stem, is_code, tokens};

    fn shapes(text: &str) -> Vec<(String, Shape)> {
        tokens(text, 0).into_iter().map(|token| (token.text, token.shape)).collect()
    }

    #[test]
    fn web_addresses_give_their_stem_even_when_cut_off() {
        for (text, stem) in [
            ("WWW.VALLEN.COM", "VALLEN"),
            ("WWW.SALE.SCHOLASTIC.CO.U", "SCHOLASTIC"),
            ("AWS.AMAZON.CO", "AMAZON"),
            ("RELIABLEPIZZERIA.COM/BI", "RELIABLEPIZZERIA"),
            ("SUNRISEVETERINARYCLINIC.C", "SUNRISEVETERINARYCLINIC"),
            ("WWW.UK.RS-ONLINE.C", "RSONLINE"),
            ("HELP.UBER.COM", "UBER"),
        ] {
            assert_eq!(address_stem(text).as_deref(), Some(stem), "{text}");
        }
        assert_eq!(address_stem("E.ON"), None);
        assert_eq!(address_stem("J.M."), None);
    }

    #[test]
    fn phones_numbers_and_references_are_told_apart() {
        assert_eq!(
            shapes("POLY6 TECHNOLOGIES 888 997-2452 NE"),
            [
                ("POLY6".into(), Shape::Word),
                ("TECHNOLOGIES".into(), Shape::Word),
                ("888".into(), Shape::Phone),
                ("NE".into(), Shape::Word),
            ]
        );
        assert_eq!(shapes("LOWES #0508"), [("LOWES".into(), Shape::Word), ("0508".into(), Shape::Number)]);
        assert_eq!(shapes("MAN F99213")[1].1, Shape::Reference);
        assert!(is_code("K15PA27B") && !is_code("POLY6") && !is_code("1PASSWORD"));
    }
}
