//! The rules of one connection: how coding is read and what is decided where the record says nothing.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::calendar::PeriodPolicy;
use crate::defaults::{DefaultRule, same};
use crate::record::TypePolicy;
use crate::tax::TaxRules;
use crate::template::Descriptions;

/// Which of the two amounts of a record is booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrencyRule {
    /// The amount billed by Brex.
    #[default]
    Billing,
    /// The amount in the currency of the purchase.
    Original,
}

/// What happens to dates in a fiscal year that is closed in BC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedYears {
    /// They are closed: the period policy decides.
    #[default]
    Closed,
    /// They are like others: BC marks the entries as those of a prior year.
    Allow,
}

/// Rules of one connection, with the version that each plan names.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Fingerprint of the rules' text.
    pub version: String,
    /// The company's time zone.
    pub zone: TimeZone,
    /// What happens to dates outside the allowed range.
    pub period: PeriodPolicy,
    /// What happens to dates in a closed fiscal year.
    pub closed_years: ClosedYears,
    /// Which amount is booked.
    pub currency: CurrencyRule,
    /// Number of the vendor for merchants without one; none means hold.
    pub default_vendor: Option<String>,
    /// Employee e-mail (lower case) to vendor number.
    pub employees: BTreeMap<String, String>,
    /// How accounting fields are recognised.
    pub fields: FieldRules,
    /// Field, by id or name, to a table from values of Brex to BC's numbers and codes, for what fits neither by code nor
    /// by name.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// What people said about such values, the newest first; it counts before the tables.
    pub meanings: Vec<Meaning>,
    /// What lines get where their coding says nothing.
    pub defaults: Vec<DefaultRule>,
    /// Record types that become something else than by themselves.
    pub types: BTreeMap<String, TypePolicy>,
    /// Whether dimensions that all lines have are set on the header, too.
    pub header_dimensions: bool,
    /// How lines are taxed.
    pub tax: TaxRules,
    /// How the text of a line is made.
    pub descriptions: Descriptions,
}

/// What a person said a coded value means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meaning {
    /// Id or name of the field.
    pub field: String,
    /// Id or name of the value.
    pub value: String,
    /// Number or code of what it means in Business Central.
    pub target: String,
}

impl Meaning {
    /// Whether both are about the same value, whatever the case.
    pub fn is_about_same(&self, other: &Self) -> bool {
        same(&self.field, &other.field) && same(&self.value, &other.value)
    }
}

impl Rules {
    /// These rules with what people said about coded values. Their version is another one.
    #[must_use]
    pub fn with_meanings(&self, meanings: Vec<Meaning>) -> Self {
        let mut rules = self.clone();
        if !meanings.is_empty() {
            let digest = Sha256::digest(serde_json::to_vec(&(&self.version, &meanings)).unwrap_or_default());
            rules.version = HEXLOWER.encode(digest.get(..6).unwrap_or_default());
        }
        rules.meanings = meanings;
        rules
    }
}

/// How accounting fields are recognised: by `remote_field_id` first, then by the field's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRules {
    /// Ids and names of the field that holds the G/L account.
    pub account: Vec<String>,
    /// Ids and names of the field that holds the vendor.
    pub vendor: Vec<String>,
    /// Ids and names of the field that holds the tax code.
    pub tax: Vec<String>,
    /// What stands before a dimension code in `remote_field_id`.
    pub dimension_prefix: String,
    /// Further fields, by id or name, to dimension codes.
    pub dimensions: BTreeMap<String, String>,
}

impl Default for FieldRules {
    fn default() -> Self {
        let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect();
        Self {
            account: texts(&["GL_ACCOUNT", "G/L Account", "GL Account"]),
            vendor: texts(&["VENDOR", "Vendor"]),
            tax: texts(&["TAX_CODE", "Tax Code"]),
            dimension_prefix: "DIM_".to_owned(),
            dimensions: BTreeMap::new(),
        }
    }
}

/// What a coded field stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The G/L account.
    Account,
    /// The vendor.
    Vendor,
    /// The tax code.
    Tax,
    /// A dimension, by its code.
    Dimension(String),
    /// Nothing that is booked.
    Other,
}

impl FieldRules {
    /// What the field with this remote id and name stands for.
    pub fn axis(&self, id: Option<&str>, name: Option<&str>) -> Axis {
        [id, name]
            .into_iter()
            .flatten()
            .map(str::trim)
            .map(|key| self.axis_of(key))
            .find(|axis| *axis != Axis::Other)
            .unwrap_or(Axis::Other)
    }

    fn axis_of(&self, key: &str) -> Axis {
        let is_in = |list: &[String]| list.iter().any(|k| k.eq_ignore_ascii_case(key));
        if is_in(&self.account) {
            return Axis::Account;
        }
        if is_in(&self.vendor) {
            return Axis::Vendor;
        }
        if is_in(&self.tax) {
            return Axis::Tax;
        }
        if let Some((_, code)) = self.dimensions.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)) {
            return Axis::Dimension(code.clone());
        }
        match key.strip_prefix(self.dimension_prefix.as_str()) {
            Some(code) if !code.is_empty() && !self.dimension_prefix.is_empty() => Axis::Dimension(code.to_owned()),
            _ => Axis::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_recognised_by_id_first_then_by_name() {
        let rules = FieldRules {
            dimensions: BTreeMap::from([("Cost Center".to_owned(), "DEPARTMENT".to_owned())]),
            ..FieldRules::default()
        };
        assert_eq!(rules.axis(Some("GL_ACCOUNT"), None), Axis::Account);
        assert_eq!(rules.axis(None, Some("gl account")), Axis::Account);
        assert_eq!(rules.axis(Some("TAX_CODE"), Some("VAT")), Axis::Tax);
        assert_eq!(rules.axis(Some("DIM_PROJECT"), Some("Project")), Axis::Dimension("PROJECT".to_owned()));
        assert_eq!(rules.axis(Some("x"), Some("cost center")), Axis::Dimension("DEPARTMENT".to_owned()));
        assert_eq!(rules.axis(Some("DIM_"), None), Axis::Other);
        assert_eq!(rules.axis(None, None), Axis::Other);
    }
}
