//! Merchants as card networks write them: like the vendor in the books, or almost.

use super::super::records::Purchase;
use super::Zoo;
use crate::company::Vendor;

/// Endings that say what kind of firm it is.
const LEGAL_FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "llc",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "gmbh",
    "ag",
    "sa",
    "plc",
    "llp",
    "pc",
    "pty",
    "kk",
];
/// Acquirers' prefixes of a raw descriptor.
const PREFIXES: &[&str] = &["SQ *", "TST* ", "PAYPAL *", "SP ", ""];
/// Merchants that no vendor in the books stands for.
const STRANGERS: &[(&str, &str)] = &[
    ("Zaffre Owl Taxidermy", "7399"),
    ("Kowalczyk Piano Tuning", "7699"),
    ("Vexillum Flag Makers", "5999"),
    ("Moonquake Escape Rooms", "7999"),
    ("Ossining Beekeepers Guild", "8699"),
];
const MCCS: &[&str] = &["4816", "5734", "5943", "7311", "4511", "5812", "7399", "4215"];

/// A merchant with what the Expenses API says of the purchase.
#[derive(Debug, Clone)]
pub(super) struct Merchant {
    pub(super) name: String,
    pub(super) website: Option<String>,
    pub(super) mcc: String,
    pub(super) raw_descriptor: String,
    pub(super) country: String,
}

/// How a merchant's name differs from the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Exact,
    Capitals,
    OtherLegalForm,
    RawDescriptor,
}

/// The name without case, punctuation and legal form.
pub(super) fn bare_name(name: &str) -> String {
    let lower = name.to_lowercase().replace(['.', '\''], "");
    let mut words: Vec<&str> =
        lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|word| LEGAL_FORMS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}

impl Merchant {
    /// The vendor, as a card statement names it.
    pub(super) fn of(zoo: &Zoo<'_>, vendor: &Vendor, spelling: Spelling) -> Self {
        let raw_descriptor = descriptor(zoo, &vendor.name, &vendor.address.state);
        Self {
            name: match spelling {
                Spelling::Exact => vendor.name.clone(),
                Spelling::Capitals => vendor.name.to_uppercase(),
                Spelling::OtherLegalForm => other_legal_form(&vendor.name),
                Spelling::RawDescriptor => raw_descriptor.clone(),
            },
            website: Some(vendor.website.clone()).filter(|website| !website.is_empty()),
            mcc: (*zoo.ids.pick(MCCS)).to_owned(),
            raw_descriptor,
            country: vendor.address.country.clone(),
        }
    }

    /// A merchant that is nobody in the books.
    pub(super) fn stranger(zoo: &Zoo<'_>) -> Self {
        let &(name, mcc) = zoo.ids.pick(STRANGERS);
        Self {
            name: name.to_owned(),
            website: Some("https://example.com/".to_owned()),
            mcc: mcc.to_owned(),
            raw_descriptor: descriptor(zoo, name, "NY"),
            country: "US".to_owned(),
        }
    }

    pub(super) fn purchase(&self, purchased_at: jiff::Timestamp) -> Purchase {
        Purchase {
            purchased_at,
            raw_descriptor: self.raw_descriptor.clone(),
            mcc: self.mcc.clone(),
            country: self.country.clone(),
        }
    }
}

/// Drops the legal form, or adds one where there is none.
fn other_legal_form(name: &str) -> String {
    let bare = bare_name(name);
    let words = bare.split(' ').count();
    let kept: Vec<&str> = name.split(' ').collect();
    if words < bare_words(name) {
        let joined = kept[..kept.len() - 1].join(" ");
        joined.trim_end_matches(',').to_owned()
    } else {
        format!("{name}, Inc.")
    }
}

fn bare_words(name: &str) -> usize {
    name.to_lowercase()
        .replace(['.', '\''], "")
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .count()
}

/// At most 22 characters of the name, as acquirers print it, with a telephone number and the state.
fn descriptor(zoo: &Zoo<'_>, name: &str, state: &str) -> String {
    let bare = bare_name(name).to_uppercase();
    let short: String = bare.chars().take(22).collect();
    let state = if state.is_empty() { "EU" } else { state };
    format!(
        "{}{} {:03}-{:07} {state}",
        zoo.ids.pick(PREFIXES),
        short.trim_end(),
        200 + zoo.ids.below(700),
        zoo.ids.below(10_000_000)
    )
}
