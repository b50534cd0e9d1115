//! What should be in Brex: one field per axis, with its values.

use data_encoding::HEXLOWER;
use domain::coding_list::{
    ACCOUNT_FIELD, TAX_FIELD, VENDOR_FIELD, Wanted, accounts, dimension_values, tax_codes, vendors,
};
use domain::directory::Directory;
use domain::rules::FieldRules;
use sha2::{Digest, Sha256};

use crate::config::CodingListsSection;

/// One list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The field's remote id.
    pub remote_id: String,
    /// The dimension, where it is one.
    pub dimension: Option<String>,
    /// The values.
    pub values: Vec<Wanted>,
    /// Whether Business Central has the list at all.
    pub is_known: bool,
}

impl Axis {
    /// Changes when anything in the list changes.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for value in &self.values {
            hash.update(format!("{}\u{0}{}\u{0}{}\n", value.id, value.code, value.label));
        }
        HEXLOWER.encode(hash.finalize().get(..8).unwrap_or_default())
    }
}

/// The lists that the settings ask for, as Business Central has them.
pub fn wanted(settings: &CodingListsSection, fields: &FieldRules, directory: &Directory) -> Vec<Axis> {
    let fixed =
        |remote_id: &str, values| Axis { remote_id: remote_id.to_owned(), dimension: None, values, is_known: true };
    let mut axes = Vec::new();
    if settings.accounts {
        axes.push(fixed(ACCOUNT_FIELD, accounts(directory.accounts())));
    }
    if settings.vendors {
        axes.push(fixed(VENDOR_FIELD, vendors(directory.vendors())));
    }
    if settings.tax_codes {
        axes.push(fixed(TAX_FIELD, tax_codes(&directory.setup.tax.codes)));
    }
    axes.extend(settings.dimensions.iter().map(|code| Axis {
        remote_id: format!("{}{code}", fields.dimension_prefix),
        dimension: Some(code.clone()),
        values: dimension_values(code, directory.values()),
        is_known: directory.has_dimension(code),
    }));
    axes
}
