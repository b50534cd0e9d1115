//! All vendors, in the order in which they were made, found by id, by name and by payment instrument without a search.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{MadeIn, PaymentAccount};
use crate::brex::payments::{NameCase, NameMatch, PaymentSettings};

/// Somebody who can be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::brex) struct Vendor {
    pub(in crate::brex) id: String,
    pub(in crate::brex) company_name: String,
    pub(in crate::brex) email: Option<String>,
    pub(in crate::brex) phone: Option<String>,
    pub(in crate::brex) beneficiary_name: Option<String>,
    /// None until the first one is given.
    pub(in crate::brex) accounts: Option<Vec<PaymentAccount>>,
    pub(in crate::brex) made_in: MadeIn,
}

impl Vendor {
    pub(super) fn json(&self) -> Value {
        let accounts =
            self.accounts.as_ref().map(|accounts| accounts.iter().map(PaymentAccount::json).collect::<Vec<_>>());
        json!({
            "id": self.id,
            "company_name": self.company_name,
            "email": self.email,
            "phone": self.phone,
            "payment_accounts": accounts,
        })
    }

    pub(in crate::brex) fn account(&self, instrument_id: &str) -> Option<&PaymentAccount> {
        self.accounts.iter().flatten().find(|account| account.instrument_id == instrument_id)
    }
}

/// The vendors with their indexes.
#[derive(Debug, Default)]
pub(in crate::brex) struct Book {
    vendors: BTreeMap<u64, Vendor>,
    next: u64,
    ids: HashMap<String, u64>,
    instruments: HashMap<String, u64>,
    /// Lower-case name and place.
    names: BTreeSet<(String, u64)>,
}

impl Book {
    pub(in crate::brex) fn get(&self, id: &str) -> Option<&Vendor> {
        self.vendors.get(self.ids.get(id)?)
    }

    /// The vendor of a payment instrument.
    pub(in crate::brex) fn of_instrument(&self, instrument_id: &str) -> Option<&Vendor> {
        self.vendors.get(self.instruments.get(instrument_id)?)
    }

    /// All vendors after a place.
    pub(super) fn after(&self, place: Option<u64>) -> impl Iterator<Item = (u64, &Vendor)> {
        self.vendors.range(place.map_or(0, |place| place.saturating_add(1))..).map(|(place, vendor)| (*place, vendor))
    }

    /// The vendors of a name, in the order of their places.
    pub(in crate::brex) fn named(&self, name: &str, settings: &PaymentSettings) -> BTreeMap<u64, &Vendor> {
        let lower = name.to_lowercase();
        let whole = settings.vendor_name_match == NameMatch::Exact;
        let from = (lower.clone(), 0);
        let matches = |vendor: &Vendor| {
            settings.vendor_name_case == NameCase::Ignored
                || if whole { vendor.company_name == name } else { vendor.company_name.starts_with(name) }
        };
        self.names
            .range(from..)
            .take_while(|(other, _)| if whole { *other == lower } else { other.starts_with(&lower) })
            .filter_map(|(_, place)| Some((*place, self.vendors.get(place)?)))
            .filter(|(_, vendor)| matches(vendor))
            .collect()
    }

    /// Whether another vendor than `id` has the name.
    pub(super) fn is_taken(&self, name: &str, id: Option<&str>, case: NameCase) -> bool {
        let lower = name.to_lowercase();
        self.names
            .range((lower.clone(), 0)..)
            .take_while(|(other, _)| *other == lower)
            .filter_map(|(_, place)| self.vendors.get(place))
            .filter(|vendor| case == NameCase::Ignored || vendor.company_name == name)
            .any(|vendor| id != Some(vendor.id.as_str()))
    }

    /// Adds a vendor, or replaces the one with the same id at its place.
    pub(in crate::brex) fn put(&mut self, vendor: Vendor) {
        let old = self.take(&vendor.id);
        let place = old.unwrap_or(self.next);
        self.next = self.next.max(place + 1);
        self.ids.insert(vendor.id.clone(), place);
        self.names.insert((vendor.company_name.to_lowercase(), place));
        for account in vendor.accounts.iter().flatten() {
            self.instruments.insert(account.instrument_id.clone(), place);
        }
        self.vendors.insert(place, vendor);
    }

    /// Takes a vendor out, and says where it stood.
    pub(super) fn take(&mut self, id: &str) -> Option<u64> {
        let place = self.ids.remove(id)?;
        let vendor = self.vendors.remove(&place)?;
        self.names.remove(&(vendor.company_name.to_lowercase(), place));
        for account in vendor.accounts.iter().flatten() {
            self.instruments.remove(&account.instrument_id);
        }
        Some(place)
    }
}

/// As it is kept in the state file: the places too, since cursors name them.
#[derive(Serialize, Deserialize)]
struct Saved {
    next: u64,
    vendors: Vec<(u64, Vendor)>,
}

impl Serialize for Book {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let vendors = self.vendors.iter().map(|(place, vendor)| (*place, vendor.clone())).collect();
        Saved { next: self.next, vendors }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Book {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let mut book = Self::default();
        for (place, vendor) in saved.vendors {
            book.next = place;
            book.put(vendor);
        }
        book.next = saved.next;
        Ok(book)
    }
}
