//! Reading a card descriptor: processor prefix, name words, what stands right of the asterisk, web address, place, numbers.
//!
//! Nothing is thrown away here: every word stays, with its kind, and the alignment decides what it means.

use crate::fold::fold;
use crate::lexicon::{Kind, lexicon};
use crate::tail;
use crate::token::{Shape, Token, is_code, tokens};

/// Which reading of the descriptor a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// The name in the descriptor, without a payment processor in front.
    Name,
    /// The whole descriptor, in case what looks like a processor is the name.
    Whole,
    /// The words right of an asterisk.
    SubMerchant,
    /// The stem of a web address.
    Domain,
    /// The cleaned name that came with the merchant.
    CleanName,
    /// What a widely known descriptor form stands for.
    Alias,
}

/// How sure it is that the last word of a field was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Nothing says so.
    No,
    /// The field is about as long as card networks allow.
    Maybe,
    /// The field has exactly one of the lengths card networks cut at.
    Yes,
}

/// One word of a view.
#[derive(Debug, Clone)]
pub struct Word {
    /// As it stands, folded.
    pub text: String,
    /// The long form if it is an abbreviation.
    pub long: String,
    /// What the word is.
    pub kind: Kind,
    /// Whether the word may be the beginning of a longer one.
    pub cut: Cut,
}

/// One reading of a merchant, compared with every candidate vendor.
#[derive(Debug, Clone)]
pub struct View {
    /// Which reading.
    pub kind: ViewKind,
    /// Its words, without `THE`, `AND`, `OF`.
    pub words: Vec<Word>,
    /// The words before place, number and channel, without spaces.
    pub glued: String,
    /// Whether the glued text was cut off.
    pub cut: Cut,
}

/// Everything read from one descriptor.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The payment processor in front, if there is one.
    pub processor: Option<&'static str>,
    /// The readings, the main name first.
    pub views: Vec<View>,
    /// The town at the end, folded.
    pub city: Option<String>,
    /// The two-letter state or province at the end.
    pub state: Option<String>,
    /// Short numbers: store, site or part of the name.
    pub numbers: Vec<String>,
}

/// Words that join names and say nothing.
pub(crate) fn is_joint(word: &str) -> bool {
    matches!(word, "THE" | "AND" | "OF")
}

/// Reads a descriptor.
pub fn read(descriptor: &str) -> Reading {
    let folded = fold(descriptor);
    let folded = tail::part_glued_city(without_bank_phrase(folded.trim_end()));
    let text = folded.text.as_str();
    let (processor, body_start, bare) = split_processor(text);
    let mut reading = Reading { processor, ..Reading::default() };
    let body = &text[body_start..];
    match body.find('*') {
        Some(star) if !body[..star].trim().is_empty() => {
            let sub = tokens(&body[star + 1..], body_start + star + 1);
            let (sub, place) = tail::split(sub);
            let town = place.city.as_ref().map_or(0, |town| town.split(' ').count());
            reading.take_place(place);
            let left = tokens(&body[..star], body_start);
            let name: Vec<Token> = {
                // The town at the end belongs to the name as well.
                let rest =
                    sub.iter().enumerate().filter(|(at, token)| token.shape != Shape::Word || at + town >= sub.len());
                left.into_iter().chain(rest.map(|(_, token)| token.clone())).collect()
            };
            reading.push(ViewKind::Name, &name, Cut::No);
            let sub: Vec<Token> =
                sub[..sub.len() - town].iter().filter(|token| !looks_random(&token.text)).cloned().collect();
            reading.push(ViewKind::SubMerchant, &sub, tail::cut_of(&sub, text.len(), folded.parted));
        }
        star => {
            let from = star.map_or(0, |star| star + 1);
            let (name, place) = tail::split(tokens(&body[from..], body_start + from));
            reading.take_place(place);
            reading.push(ViewKind::Name, &name, tail::cut_of(&name, text.len(), folded.parted));
        }
    }
    if bare || reading.views.is_empty() {
        let (whole, place) = tail::split(tokens(&text.replace('*', " "), 0));
        reading.take_place(place);
        let kind = if reading.views.is_empty() { ViewKind::Name } else { ViewKind::Whole };
        reading.push(kind, &whole, tail::cut_of(&whole, text.len(), folded.parted));
    }
    reading.push_alias(text);
    reading
}

/// Phrases that banks put in front of the merchant.
const BANK_PHRASES: [&str; 9] = [
    "POS PURCHASE ",
    "POS DEBIT ",
    "CHECKCARD ",
    "CHECK CARD PURCHASE ",
    "DEBIT CARD PURCHASE ",
    "DEBIT PURCHASE ",
    "VISA PURCHASE ",
    "CARD PURCHASE ",
    "RECURRING PAYMENT ",
];

fn without_bank_phrase(text: &str) -> &str {
    let rest = BANK_PHRASES.iter().find_map(|phrase| text.strip_prefix(phrase)).unwrap_or(text).trim_start();
    if rest.chars().any(char::is_alphabetic) { rest } else { text }
}

/// Adds the cleaned name and website that came with the merchant.
pub(crate) fn add_clean_name(reading: &mut Reading, clean_name: &str) {
    let folded = fold(clean_name);
    let name = folded.trim();
    if name.is_empty() || lexicon().is_processor(name) {
        return;
    }
    let clean = read(clean_name);
    if let Some(mut view) = clean.views.into_iter().find(|view| view.kind == ViewKind::Name) {
        view.kind = ViewKind::CleanName;
        reading.views.push(view);
    }
}

/// Adds the site of a web address that came with the merchant.
pub(crate) fn add_website(reading: &mut Reading, website: &str) {
    let folded = fold(website.trim());
    let Some(stem) = crate::token::address_stem(&folded).filter(|stem| !lexicon().is_processor(stem)) else { return };
    if reading.views.iter().all(|view| view.kind != ViewKind::Domain || view.glued != stem) {
        reading.push_domain(&stem, Cut::No);
    }
}

/// The processor in front of the name, where the rest starts, and whether it stood there without an asterisk.
fn split_processor(text: &str) -> (Option<&'static str>, usize, bool) {
    let lexicon = lexicon();
    if let Some(star) = text.find('*') {
        let left = text[..star].trim();
        let rest = text[star + 1..].trim();
        if let Some((name, _)) = lexicon.processors.get(left).filter(|_| rest.chars().any(char::is_alphabetic)) {
            return (Some(name), star + 1, false);
        }
    }
    let first = text.split(' ').next().unwrap_or_default();
    match lexicon.processors.get(first) {
        Some((name, true)) if text[first.len()..].chars().filter(|letter| letter.is_alphabetic()).count() >= 3 => {
            (Some(name), first.len(), true)
        }
        _ => (None, 0, false),
    }
}

/// Right of an asterisk, a code rather than a name: digits in it, or six and more letters without enough vowels.
fn looks_random(word: &str) -> bool {
    let vowels = word.bytes().filter(|byte| b"AEIOUY".contains(byte)).count();
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_code(word) || (mixed && word.len() >= 5) || (word.len() >= 6 && vowels * 6 < word.len())
}

impl Reading {
    fn take_place(&mut self, place: tail::Place) {
        self.city = self.city.take().or(place.city);
        self.state = self.state.take().or(place.state);
    }

    fn push(&mut self, kind: ViewKind, tokens: &[Token], cut: Cut) {
        let has_name = tokens.iter().any(|token| token.shape == Shape::Word);
        let mut words = Vec::new();
        for token in tokens {
            match token.shape {
                Shape::Phone => {}
                Shape::Address => {
                    self.push_domain(&token.text, cut);
                    if !has_name && words.is_empty() && !token.text.is_empty() {
                        words.push(Word::new(&token.text, Kind::Name));
                    }
                }
                Shape::Number | Shape::Reference => {
                    let kind = if token.shape == Shape::Number { Kind::Number } else { Kind::Reference };
                    if kind == Kind::Number && !self.numbers.contains(&token.text) {
                        self.numbers.push(token.text.clone());
                    }
                    words.push(Word::new(&token.text, kind));
                }
                Shape::Word => words.push(Word::new(&token.text, lexicon().kind(lexicon().long_form(&token.text)))),
            }
        }
        let mut words = tail::judge(words, cut);
        if words.iter().any(|word| !is_joint(&word.text)) {
            words.retain(|word| !is_joint(&word.text));
        }
        if words.iter().any(|word| !matches!(word.kind, Kind::Number | Kind::Reference | Kind::State)) {
            let glued = words[..tail::core(&words)].iter().map(|word| word.text.as_str()).collect();
            self.city = self.city.take().or_else(|| tail::trailing_place(&words));
            self.views.push(View { kind, words, glued, cut });
        }
    }

    fn push_domain(&mut self, stem: &str, cut: Cut) {
        if stem.len() < 2 || lexicon().is_processor(stem) {
            return;
        }
        // Networks print at most 12 letters of a site's name; a field that ends inside the address is cut as well.
        let cut = if stem.len() == 12 && cut == Cut::No { Cut::Maybe } else { cut };
        let mut word = Word::new(stem, Kind::Name);
        word.cut = cut;
        let view = View { kind: ViewKind::Domain, words: vec![word], glued: stem.to_owned(), cut };
        if self.views.iter().all(|known| known.kind != ViewKind::Domain || known.glued != view.glued) {
            self.views.push(view);
        }
    }

    /// Adds a view for a widely known form at the beginning: the longest one that fits.
    fn push_alias(&mut self, text: &str) {
        let all: Vec<String> = tokens(&text.replace('*', " "), 0).into_iter().map(|token| token.text).collect();
        let named = self.views.iter().find(|view| view.kind == ViewKind::Name);
        let name: Vec<String> =
            named.map(|view| view.words.iter().map(|word| word.text.clone()).collect()).unwrap_or_default();
        let mut made = Vec::new();
        for words in [&name, &all] {
            let found = (1..=words.len().min(3)).rev().find_map(|count| {
                let mut form = words[..count].join(" ");
                let mut aliases = lexicon().aliases.get(form.as_str()).cloned().unwrap_or_default();
                if named.is_some_and(|view| tail::core(&view.words) <= count) {
                    form.push('$');
                    aliases.extend(lexicon().aliases.get(form.as_str()).into_iter().flatten());
                }
                (!aliases.is_empty()).then_some((count, aliases))
            });
            let Some((count, aliases)) = found else { continue };
            for alias in aliases {
                let head = tokens(alias, 0);
                let rest =
                    named.filter(|_| std::ptr::eq(words, &raw const name)).map_or(&[][..], |view| &view.words[count..]);
                made.push((head, rest.to_vec()));
            }
        }
        for (head, rest) in made {
            let mut words: Vec<Word> = head
                .iter()
                .map(|token| Word::new(&token.text, Kind::Name))
                .filter(|word| !is_joint(&word.text))
                .collect();
            for word in words.iter_mut().skip(1) {
                word.kind = lexicon().kind(&word.long);
            }
            let glued: String = words.iter().map(|word| word.text.as_str()).collect();
            let same = self.views.iter().any(|view| view.kind != ViewKind::Domain && view.glued == glued);
            words.extend(rest);
            if !same {
                self.views.push(View { kind: ViewKind::Alias, words, glued, cut: Cut::No });
            }
        }
    }
}

impl Word {
    pub(crate) fn new(text: &str, kind: Kind) -> Self {
        Self { text: text.to_owned(), long: lexicon().long_form(text).to_owned(), kind, cut: Cut::No }
    }
}
