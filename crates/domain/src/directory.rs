//! The BC company's master data as mirrored: vendors, accounts, dimension values, currencies, set-up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::calendar::{ClosedDays, PostingRange};
use crate::tax::{TaxCode, TaxSetup};

/// A BC vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// BC id.
    pub id: Uuid,
    /// BC number.
    pub number: String,
    /// Name.
    pub name: String,
    /// E-mail addresses, as BC holds them (several separated by `;`).
    pub email: String,
    /// How far the vendor is blocked.
    pub blocked: Blocked,
    /// Town.
    #[serde(default)]
    pub city: String,
    /// Country code.
    #[serde(default)]
    pub country: String,
    /// Web address.
    #[serde(default)]
    pub website: String,
}

/// How far a vendor is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// Not blocked.
    No,
    /// No payments; documents are allowed.
    Payment,
    /// No new documents.
    All,
}

/// A G/L account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// BC id.
    pub id: Uuid,
    /// BC number.
    pub number: String,
    /// Name.
    pub name: String,
    /// BC's account type (`Posting`, `Heading`, …).
    pub account_type: String,
    /// Direct posting allowed.
    pub direct_posting: bool,
    /// Blocked.
    pub blocked: bool,
}

impl Account {
    /// Why the account cannot stand on a document line, if it cannot (business-central.md §4.4).
    pub fn unusable_because(&self) -> Option<String> {
        if self.blocked {
            Some("it is blocked".to_owned())
        } else if self.account_type != "Posting" {
            Some(format!("its account type is {}, not Posting", self.account_type))
        } else if !self.direct_posting {
            Some("it does not allow direct posting".to_owned())
        } else {
            None
        }
    }
}

/// A value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionValue {
    /// BC id.
    pub id: Uuid,
    /// Code of the dimension.
    pub dimension: String,
    /// Code of the value.
    pub code: String,
    /// Name.
    pub name: String,
}

/// What the company's set-up says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanySetup {
    /// The company's own currency.
    pub local_currency: String,
    /// Allowed posting range.
    pub posting: PostingRange,
    /// Days of closed fiscal years.
    #[serde(default)]
    pub closed: Vec<ClosedDays>,
    /// Codes of the currencies that BC knows.
    pub currencies: BTreeSet<String>,
    /// Codes of the dimensions that BC knows.
    pub dimensions: BTreeSet<String>,
    /// Tax codes.
    #[serde(default)]
    pub tax: TaxSetup,
}

/// Master data with its indexes.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    vendors: Vec<Vendor>,
    accounts: Vec<Account>,
    values: Vec<DimensionValue>,
    /// Set-up of the company.
    pub setup: CompanySetup,
    vendor_by_id: BTreeMap<Uuid, usize>,
    vendor_by_number: BTreeMap<String, usize>,
    vendors_by_name: BTreeMap<String, Vec<usize>>,
    vendors_by_normal_name: BTreeMap<String, Vec<usize>>,
    vendors_by_email: BTreeMap<String, Vec<usize>>,
    account_by_id: BTreeMap<Uuid, usize>,
    account_by_number: BTreeMap<String, usize>,
    accounts_by_name: BTreeMap<String, Vec<usize>>,
    value_by_id: BTreeMap<Uuid, usize>,
    value_by_code: BTreeMap<(String, String), usize>,
    values_by_name: BTreeMap<(String, String), Vec<usize>>,
}

impl Directory {
    /// Builds the indexes.
    pub fn new(vendors: Vec<Vendor>, accounts: Vec<Account>, values: Vec<DimensionValue>, setup: CompanySetup) -> Self {
        let mut directory = Self { setup, ..Self::default() };
        for (index, vendor) in vendors.iter().enumerate() {
            directory.vendor_by_id.insert(vendor.id, index);
            directory.vendor_by_number.insert(vendor.number.to_uppercase(), index);
            directory.vendors_by_name.entry(plain_name(&vendor.name)).or_default().push(index);
            directory.vendors_by_normal_name.entry(normal_name(&vendor.name)).or_default().push(index);
            for email in vendor.email.split(';').map(|e| e.trim().to_lowercase()).filter(|e| !e.is_empty()) {
                directory.vendors_by_email.entry(email).or_default().push(index);
            }
        }
        for (index, account) in accounts.iter().enumerate() {
            directory.account_by_id.insert(account.id, index);
            directory.account_by_number.insert(account.number.to_uppercase(), index);
            directory.accounts_by_name.entry(name_key(&account.name)).or_default().push(index);
        }
        for (index, value) in values.iter().enumerate() {
            let dimension = value.dimension.to_uppercase();
            directory.value_by_id.insert(value.id, index);
            directory.value_by_code.insert((dimension.clone(), value.code.to_uppercase()), index);
            directory.values_by_name.entry((dimension, name_key(&value.name))).or_default().push(index);
        }
        Self { vendors, accounts, values, ..directory }
    }

    /// The vendor that a coded value means: BC's id, else its number.
    pub fn vendor(&self, id_or_number: &str) -> Option<&Vendor> {
        let text = id_or_number.trim();
        let by_id = Uuid::parse_str(text).ok().and_then(|id| self.vendor_by_id.get(&id));
        by_id.or_else(|| self.vendor_by_number.get(&text.to_uppercase())).and_then(|i| self.vendors.get(*i))
    }

    /// Every vendor.
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    /// The vendors with this name, legal form and punctuation included. Case does not count: card networks shout.
    pub fn vendors_named(&self, name: &str) -> Vec<&Vendor> {
        self.pick(self.vendors_by_name.get(&plain_name(name)))
    }

    /// The vendors whose name means the same once case, accents, punctuation and legal form are set aside.
    pub fn vendors_like(&self, name: &str) -> Vec<&Vendor> {
        let normal = normal_name(name);
        if normal.is_empty() { Vec::new() } else { self.pick(self.vendors_by_normal_name.get(&normal)) }
    }

    /// The vendors with this e-mail address.
    pub fn vendors_with_email(&self, email: &str) -> Vec<&Vendor> {
        self.pick(self.vendors_by_email.get(&email.trim().to_lowercase()))
    }

    /// Every account.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Every dimension value.
    pub fn values(&self) -> &[DimensionValue] {
        &self.values
    }

    /// The account that a coded value means: BC's id, else its number.
    pub fn account(&self, id_or_number: &str) -> Option<&Account> {
        let text = id_or_number.trim();
        let by_id = Uuid::parse_str(text).ok().and_then(|id| self.account_by_id.get(&id));
        by_id.or_else(|| self.account_by_number.get(&text.to_uppercase())).and_then(|i| self.accounts.get(*i))
    }

    /// The only account of this name that a line can stand on: headings and totals often share an account's name.
    pub fn account_named(&self, name: &str) -> Option<&Account> {
        let indexes = self.accounts_by_name.get(&name_key(name))?;
        let accounts: Vec<&Account> = indexes.iter().filter_map(|i| self.accounts.get(*i)).collect();
        let usable: Vec<&Account> = accounts.iter().copied().filter(|a| a.unusable_because().is_none()).collect();
        match (usable.as_slice(), accounts.as_slice()) {
            ([only], _) | ([], [only]) => Some(only),
            _ => None,
        }
    }

    /// The dimension value that a coded value means: BC's id, else its code.
    pub fn value(&self, dimension: &str, id_or_code: &str) -> Option<&DimensionValue> {
        let text = id_or_code.trim();
        let by_id = Uuid::parse_str(text).ok().and_then(|id| self.value_by_id.get(&id));
        let key = (dimension.to_uppercase(), text.to_uppercase());
        by_id
            .and_then(|i| self.values.get(*i))
            .filter(|value| value.dimension.eq_ignore_ascii_case(dimension))
            .or_else(|| self.value_by_code.get(&key).and_then(|i| self.values.get(*i)))
    }

    /// The only dimension value of this name.
    pub fn value_named(&self, dimension: &str, name: &str) -> Option<&DimensionValue> {
        match self.values_by_name.get(&(dimension.to_uppercase(), name_key(name))).map(Vec::as_slice) {
            Some([only]) => self.values.get(*only),
            _ => None,
        }
    }

    /// The tax code that a coded value means: BC's id, else its code.
    pub fn tax_code(&self, id_or_code: &str) -> Option<&TaxCode> {
        let (text, codes) = (id_or_code.trim(), &self.setup.tax.codes);
        let by_id = Uuid::parse_str(text).ok().and_then(|id| codes.iter().find(|code| code.id == id));
        by_id.or_else(|| codes.iter().find(|code| code.code.to_uppercase() == text.to_uppercase()))
    }

    /// The only tax code of this name.
    pub fn tax_code_named(&self, name: &str) -> Option<&TaxCode> {
        let mut named = self.setup.tax.codes.iter().filter(|code| name_key(&code.name) == name_key(name));
        named.next().filter(|_| named.next().is_none())
    }

    /// True when BC has a dimension with this code.
    pub fn has_dimension(&self, code: &str) -> bool {
        self.setup.dimensions.iter().any(|d| d.eq_ignore_ascii_case(code))
    }

    fn pick(&self, indexes: Option<&Vec<usize>>) -> Vec<&Vendor> {
        indexes.into_iter().flatten().filter_map(|i| self.vendors.get(*i)).collect()
    }
}

/// A name with its case set aside.
fn plain_name(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What two names have in common that mean the same. Of one without any letter or digit, the name itself: else every such
/// name would be every other.
fn name_key(name: &str) -> String {
    let normal = normal_name(name);
    if normal.is_empty() { plain_name(name) } else { normal }
}

/// Legal forms that do not tell two companies apart.
const LEGAL_FORMS: [&str; 24] = [
    "inc",
    "incorporated",
    "llc",
    "llp",
    "lp",
    "ltd",
    "limited",
    "corp",
    "corporation",
    "co",
    "company",
    "plc",
    "gmbh",
    "ag",
    "kg",
    "bv",
    "nv",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "ab",
    "oy",
];

/// A name without case, accents, punctuation and trailing legal forms: `"Café  Zoë, L.L.C."` gives `cafe zoe`.
pub fn normal_name(name: &str) -> String {
    let folded: String = name
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| *c != '.' && *c != '\'' && *c != '\u{2019}')
        .map(|c| if c == '&' { ' ' } else { c })
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let mut words: Vec<&str> = folded.split_whitespace().filter(|w| *w != "and").collect();
    while words.len() > 1 && words.last().is_some_and(|w| LEGAL_FORMS.contains(w)) {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn legal_form_case_accents_and_punctuation_do_not_matter() {
        for name in ["Café Zoë, L.L.C.", "CAFE ZOE", "Cafe  Zoe Inc."] {
            assert_eq!(normal_name(name), "cafe zoe");
        }
        assert_eq!(normal_name("Smith & Sons"), normal_name("SMITH AND SONS"));
        assert_eq!(normal_name("Company"), "company", "a legal form alone is a name");
    }

    #[test]
    fn a_coded_value_is_understood_as_id_and_as_number() {
        let vendor = Vendor {
            id: Uuid::from_u128(5),
            number: "V10000".to_owned(),
            name: "Messe Berlin".to_owned(),
            email: "a@example.com; B@example.com".to_owned(),
            blocked: Blocked::No,
            city: String::new(),
            country: String::new(),
            website: String::new(),
        };
        let directory = Directory::new(vec![vendor], vec![], vec![], CompanySetup::default());
        assert!(directory.vendor("v10000").is_some());
        assert!(directory.vendor(&Uuid::from_u128(5).to_string().to_uppercase()).is_some());
        assert!(directory.vendor("V1").is_none());
        assert_eq!(directory.vendors_with_email("b@EXAMPLE.com").len(), 1);
        assert_eq!(directory.vendors_like("MESSE BERLIN GMBH").len(), 1);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(name in "\\PC{0,60}") {
            let once = normal_name(&name);
            prop_assert_eq!(normal_name(&once), once);
        }
    }
}
