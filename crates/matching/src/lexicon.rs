//! The shipped knowledge of the world: abbreviations, legal forms, common words, trades, processors, places, aliases.
//!
//! Plain text tables in `data/`, read once. Nothing here is about one tenant.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::hash::QuickMap;

/// What a word is by itself, before anything is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Part of a name that says who it is.
    Name,
    /// A word so common that it says little (`GROUP`, `SERVICES`).
    Generic,
    /// What the business does (`PLUMBING`).
    Trade,
    /// A legal form (`LLC`).
    Legal,
    /// A country or part of the world.
    Country,
    /// A town, or a word of one.
    Place,
    /// How it was sold: web shop, ticket desk, subscription.
    Channel,
    /// A short number: store, site or part of the name.
    Number,
    /// A long number or a code: booking, invoice, card reference.
    Reference,
    /// A two-letter state or province.
    State,
}

/// All shipped tables.
pub(crate) struct Lexicon {
    abbreviations: QuickMap<&'static str, &'static str>,
    legal: HashSet<&'static str>,
    shares: QuickMap<&'static str, f32>,
    channels: HashSet<&'static str>,
    trades: QuickMap<&'static str, u8>,
    trade_names: Vec<&'static str>,
    categories: Vec<(u16, u16, u8)>,
    /// Prefix to (processor name, understood without an asterisk).
    pub(crate) processors: QuickMap<&'static str, (&'static str, bool)>,
    processor_names: HashSet<&'static str>,
    states: QuickMap<&'static str, &'static str>,
    countries: QuickMap<&'static str, &'static str>,
    places: HashSet<String>,
    /// Places without spaces, sorted, to recognise one cut off at the end of its field.
    glued_places: Vec<String>,
    /// First words to names they stand for.
    pub(crate) aliases: QuickMap<&'static str, Vec<&'static str>>,
}

/// Share of company names with a word that is in no list.
const UNKNOWN_SHARE: f32 = 0.5e-4;
/// Share of company names with a trade word that is in no other list.
const TRADE_SHARE: f32 = 20e-4;

/// Whether a merchant's name is only that of a payment processor (`Square`, `PayPal *`): it tells nothing about who was paid.
pub fn is_processor(name: &str) -> bool {
    lexicon().is_processor(crate::fold::fold(name).trim())
}

/// The tables, read on first use.
pub(crate) fn lexicon() -> &'static Lexicon {
    static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);
    &LEXICON
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn pairs(table: &'static str, mark: char) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(table).filter_map(move |line| line.split_once(mark)).map(|(left, right)| (left.trim(), right.trim()))
}

impl Lexicon {
    fn read() -> Self {
        let (trades, trade_names) = read_trades();
        let places = read_places();
        let mut glued_places: Vec<String> = places.iter().map(|place| place.replace(' ', "")).collect();
        glued_places.sort_unstable();
        glued_places.dedup();
        let processors: QuickMap<_, _> = pairs(include_str!("../data/processors.txt"), '=')
            .map(|(prefix, name)| match prefix.strip_prefix("+ ") {
                Some(prefix) => (prefix, (name, true)),
                None => (prefix, (name, false)),
            })
            .collect();
        Self {
            abbreviations: pairs(include_str!("../data/abbreviations.txt"), '=').collect(),
            legal: lines(include_str!("../data/legal_forms.txt")).flat_map(str::split_whitespace).collect(),
            shares: read_shares(&trades),
            channels: lines(include_str!("../data/channels.txt")).flat_map(str::split_whitespace).collect(),
            categories: read_categories(&trade_names),
            trades,
            trade_names,
            processor_names: processors.values().map(|(name, _)| *name).chain(processors.keys().copied()).collect(),
            processors,
            states: read_groups(include_str!("../data/states.txt")),
            countries: read_groups(include_str!("../data/countries.txt")),
            places,
            glued_places,
            aliases: pairs(include_str!("../data/aliases.txt"), '=')
                .map(|(form, names)| (form, names.split('/').map(str::trim).collect()))
                .collect(),
        }
    }

    /// The long form of an abbreviation, or the word itself.
    pub(crate) fn long_form<'a>(&self, word: &'a str) -> &'a str {
        self.abbreviations.get(word).copied().unwrap_or(word)
    }

    pub(crate) fn is_abbreviation(&self, word: &str) -> bool {
        self.abbreviations.contains_key(word)
    }

    pub(crate) fn is_legal(&self, word: &str) -> bool {
        self.legal.contains(word)
    }

    pub(crate) fn is_channel(&self, word: &str) -> bool {
        self.channels.contains(word)
    }

    /// How often the word stands in company names anywhere, as a share.
    pub(crate) fn share(&self, word: &str) -> f32 {
        self.shares.get(word).copied().unwrap_or(UNKNOWN_SHARE)
    }

    pub(crate) fn is_known(&self, word: &str) -> bool {
        self.shares.contains_key(word)
    }

    /// The trade a word belongs to.
    pub(crate) fn trade(&self, word: &str) -> Option<u8> {
        self.trades.get(word).copied()
    }

    /// The trade of a merchant category code.
    pub(crate) fn trade_of_category(&self, mcc: &str) -> Option<u8> {
        let code: u16 = mcc.trim().parse().ok()?;
        self.categories.iter().find(|(from, to, _)| (*from..=*to).contains(&code)).map(|(_, _, trade)| *trade)
    }

    pub(crate) fn trade_name(&self, trade: u8) -> &'static str {
        self.trade_names.get(usize::from(trade)).copied().unwrap_or("other")
    }

    /// The country of a two-letter state or province.
    pub(crate) fn state(&self, word: &str) -> Option<&'static str> {
        self.states.get(word).copied()
    }

    /// Whether the words, joined by single spaces, name a known place.
    pub(crate) fn is_place(&self, name: &str) -> bool {
        self.places.contains(name)
    }

    /// Whether a glued text of at least `least` letters begins a known place.
    pub(crate) fn begins_place(&self, glued: &str, least: usize) -> bool {
        let at = self.glued_places.partition_point(|place| place.as_str() < glued);
        glued.len() >= least && self.glued_places.get(at).is_some_and(|place| place.starts_with(glued))
    }

    /// Whether the folded text is only the name or mark of a payment processor.
    pub(crate) fn is_processor(&self, folded: &str) -> bool {
        let name = folded.trim_matches(|letter: char| letter == '*' || letter == ' ');
        self.processor_names.contains(name) || self.processor_names.contains(name.trim_end_matches('_'))
    }

    /// The kind of a word that is not at the end of a descriptor and not the first of a name.
    pub(crate) fn kind(&self, word: &str) -> Kind {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return if word.len() <= 5 { Kind::Number } else { Kind::Reference };
        }
        if is_always_legal(word) {
            Kind::Legal
        } else if self.countries.contains_key(word) {
            Kind::Country
        } else if self.trades.contains_key(word) {
            Kind::Trade
        } else if self.share(word) >= 30e-4 {
            Kind::Generic
        } else {
            Kind::Name
        }
    }
}

/// Legal forms that are never part of a name, wherever they stand.
fn is_always_legal(word: &str) -> bool {
    matches!(
        word,
        "LTD"
            | "LIMITED"
            | "INC"
            | "INCORPORATED"
            | "LLC"
            | "PLC"
            | "CORP"
            | "CORPORATION"
            | "GMBH"
            | "PTY"
            | "LLP"
            | "LLLP"
            | "SARL"
            | "BV"
    )
}

fn read_trades() -> (QuickMap<&'static str, u8>, Vec<&'static str>) {
    let mut trades = QuickMap::default();
    let mut names = Vec::new();
    for (name, words) in pairs(include_str!("../data/trades.txt"), ':') {
        let Ok(number) = u8::try_from(names.len()) else { break };
        names.push(name);
        for word in words.split_whitespace() {
            trades.entry(word).or_insert(number);
        }
    }
    (trades, names)
}

fn read_shares(trades: &QuickMap<&'static str, u8>) -> QuickMap<&'static str, f32> {
    let mut shares = QuickMap::default();
    for table in [include_str!("../data/generic_words.txt"), include_str!("../data/common_words.txt")] {
        for line in lines(table) {
            let Some((count, words)) = line.split_once(' ') else { continue };
            let Ok(count) = count.parse::<f32>() else { continue };
            for word in words.split_whitespace() {
                shares.entry(word).or_insert(count * 1e-4);
            }
        }
    }
    for word in trades.keys() {
        shares.entry(word).or_insert(TRADE_SHARE);
    }
    shares
}

fn read_places() -> HashSet<String> {
    [include_str!("../data/places_us.txt"), include_str!("../data/places_world.txt")]
        .into_iter()
        .flat_map(lines)
        .flat_map(|line| line.split(','))
        .map(|place| place.trim().to_uppercase())
        .filter(|place| !place.is_empty())
        .collect()
}

fn read_categories(names: &[&'static str]) -> Vec<(u16, u16, u8)> {
    pairs(include_str!("../data/mcc.txt"), '=')
        .filter_map(|(range, trade)| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let trade = names.iter().position(|name| *name == trade)?;
            Some((from.parse().ok()?, to.parse().ok()?, u8::try_from(trade).ok()?))
        })
        .collect()
}

fn read_groups(table: &'static str) -> QuickMap<&'static str, &'static str> {
    pairs(table, ':').flat_map(|(group, words)| words.split_whitespace().map(move |word| (word, group))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, lexicon};
    use crate::fold::fold;

    #[test]
    fn every_table_is_read_and_already_folded() {
        let lexicon = lexicon();
        assert!(lexicon.abbreviations.len() > 250 && lexicon.aliases.len() > 450 && lexicon.places.len() > 800);
        assert!(lexicon.categories.len() > 50, "every category line names a trade of trades.txt");
        assert!(
            lexicon
                .aliases
                .iter()
                .all(|(form, names)| fold(form) == *form && names.iter().all(|name| fold(name) == *name))
        );
        assert!(lexicon.shares.keys().all(|word| fold(word) == *word));
    }

    #[test]
    fn words_have_the_kind_people_expect() {
        let lexicon = lexicon();
        assert_eq!(lexicon.kind("PLUMBING"), Kind::Trade);
        assert_eq!(lexicon.kind("GROUP"), Kind::Generic);
        assert_eq!(lexicon.kind("UK"), Kind::Country);
        assert_eq!(lexicon.kind("0866"), Kind::Number);
        assert_eq!(lexicon.kind("ZENOCORP"), Kind::Name);
        assert_eq!(lexicon.trade_of_category("5812"), lexicon.trade("PIZZA"));
        assert!(lexicon.begins_place("SALTLAKECIT", 6));
    }
}
