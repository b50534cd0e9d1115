//! `[connection.directory]`: which BC vendors are kept in the Brex vendor directory, and what happens when they leave.

use data_encoding::HEXLOWER;
use domain::brex_vendor::{Edits, Leaving, Policy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ConfigError;

/// The vendor directory of a connection.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectorySection {
    /// Whether vendors are kept in Brex at all.
    pub enabled: bool,
    /// All vendors, or only those with purchase invoices.
    pub which: Which,
    /// Only vendors of these country codes; `""` is BC's blank, the company's own country.
    pub countries: Vec<String>,
    /// Only vendors with these numbers; `V10000..V19999` is a range in the order of text.
    pub numbers: Vec<String>,
    /// For a vendor that is blocked in BC.
    pub on_block: Leaving,
    /// For a vendor that is deleted in BC.
    pub on_delete: Leaving,
    /// For what a person changed in Brex.
    pub edits: Edits,
    /// Seconds between two runs.
    pub seconds: u32,
    /// Seconds between two comparisons of everything, which see what was deleted on either side.
    pub compare_seconds: u32,
}

/// Which vendors, by what they are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// All.
    #[default]
    All,
    /// Only those with a purchase invoice in BC, draft or posted.
    WithPurchases,
}

impl Default for DirectorySection {
    fn default() -> Self {
        Self {
            enabled: false,
            which: Which::All,
            countries: Vec::new(),
            numbers: Vec::new(),
            on_block: Leaving::Keep,
            on_delete: Leaving::Keep,
            edits: Edits::Keep,
            seconds: 3_600,
            compare_seconds: 86_400,
        }
    }
}

impl DirectorySection {
    /// What decides about a vendor.
    pub fn policy(&self) -> Policy {
        Policy { on_block: self.on_block, on_delete: self.on_delete, edits: self.edits }
    }

    /// Whether number and country pass the filter.
    pub fn fits(&self, number: &str, country: &str) -> bool {
        let country_fits = self.countries.is_empty() || self.countries.iter().any(|c| c.eq_ignore_ascii_case(country));
        let number = number.to_uppercase();
        let number_fits = |entry: &String| {
            let entry = entry.to_uppercase();
            match entry.split_once("..") {
                Some((from, to)) => (from..=to).contains(&number.as_str()),
                None => entry == number,
            }
        };
        country_fits && (self.numbers.is_empty() || self.numbers.iter().any(number_fits))
    }

    /// Changes when anything changes that decides about vendors; then everything is compared again.
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        HEXLOWER.encode(Sha256::digest(text).get(..8).unwrap_or_default())
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        for (name, seconds) in
            [("directory.seconds", self.seconds), ("directory.compare_seconds", self.compare_seconds)]
        {
            if seconds == 0 {
                return Err(ConfigError::value(key(name), "must be at least 1"));
            }
        }
        for entry in &self.numbers {
            let is_range = entry.split_once("..").is_none_or(|(from, to)| !from.is_empty() && from <= to);
            if entry.trim().is_empty() || !is_range {
                let text =
                    format!("has {entry:?}, which fits no vendor: write a number, or a range like V10000..V19999");
                return Err(ConfigError::value(key("directory.numbers"), text));
            }
        }
        if let Some(entry) = self.countries.iter().find(|code| code.chars().count() > 10) {
            let text = format!("has {entry:?}, which is no country code of Business Central, such as US");
            return Err(ConfigError::value(key("directory.countries"), text));
        }
        Ok(())
    }
}
