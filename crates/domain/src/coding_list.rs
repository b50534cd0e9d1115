//! Coding lists: what people can choose in Brex, kept equal to what Business Central has. One field per axis, one value per
//! row of Business Central, named by its id; nothing is deleted, what cannot be used any more is disabled.

use std::collections::HashMap;

use uuid::Uuid;

use crate::directory::{Account, Blocked, DimensionValue, Vendor};
use crate::tax::TaxCode;

/// Remote id of the field with the G/L accounts.
pub const ACCOUNT_FIELD: &str = "GL_ACCOUNT";
/// Remote id of the field with the vendors.
pub const VENDOR_FIELD: &str = "VENDOR";
/// Remote id of the field with the tax codes.
pub const TAX_FIELD: &str = "TAX_CODE";

/// A value that Brex should offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// BC's id, which becomes the value's `remote_id`.
    pub id: Uuid,
    /// BC's number or code, which becomes `value_id`.
    pub code: String,
    /// What people see: code and name.
    pub label: String,
}

impl Wanted {
    fn new(id: Uuid, code: &str, name: &str) -> Self {
        let label = format!("{code} {name}").split_whitespace().collect::<Vec<_>>().join(" ");
        Self { id, code: code.to_owned(), label }
    }
}

/// The accounts that may stand on a document line.
pub fn accounts(accounts: &[Account]) -> Vec<Wanted> {
    let usable = accounts.iter().filter(|account| account.unusable_because().is_none());
    usable.map(|account| Wanted::new(account.id, &account.number, &account.name)).collect()
}

/// The vendors that may receive documents.
pub fn vendors(vendors: &[Vendor]) -> Vec<Wanted> {
    let usable = vendors.iter().filter(|vendor| vendor.blocked != Blocked::All);
    usable.map(|vendor| Wanted::new(vendor.id, &vendor.number, &vendor.name)).collect()
}

/// The tax codes. In a sales tax company there may be one without a code, for lines without tax: nobody can choose that.
pub fn tax_codes(codes: &[TaxCode]) -> Vec<Wanted> {
    let usable = codes.iter().filter(|code| !code.code.trim().is_empty());
    usable.map(|code| Wanted::new(code.id, &code.code, &code.name)).collect()
}

/// The values of a dimension.
pub fn dimension_values(dimension: &str, values: &[DimensionValue]) -> Vec<Wanted> {
    let of_dimension = values.iter().filter(|value| value.dimension.eq_ignore_ascii_case(dimension));
    of_dimension.map(|value| Wanted::new(value.id, &value.code, &value.name)).collect()
}

/// A value that Brex has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Brex's id.
    pub brex_id: String,
    /// `remote_id`, which cannot be changed.
    pub remote_id: Option<String>,
    /// `value_id`, which cannot be changed.
    pub code: Option<String>,
    /// What people see.
    pub label: String,
    /// Whether people cannot choose it.
    pub is_disabled: bool,
}

/// A change of a value that Brex has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Brex's id.
    pub brex_id: String,
    /// What people see at the moment.
    pub was: String,
    /// What they should see, if that changes.
    pub label: Option<String>,
    /// Whether they should be kept from choosing it, if that changes.
    pub disable: Option<bool>,
}

/// What makes Brex's list equal to BC's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// To be made.
    pub create: Vec<Wanted>,
    /// To be changed.
    pub change: Vec<Change>,
    /// Values that nobody of ours made: they are left alone.
    pub foreign: usize,
}

impl Difference {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.change.is_empty()
    }
}

/// Compares the lists. A value is found by `remote_id`; one without it by its code, for lists that were made by hand. Of
/// several values for one row the first stays. A value whose `remote_id` is no id of BC was not made here.
pub fn compare(wanted: &[Wanted], kept: &[Kept]) -> Difference {
    let mut by_id: HashMap<Uuid, Vec<&Kept>> = HashMap::new();
    let mut by_code: HashMap<String, Vec<&Kept>> = HashMap::new();
    let mut difference = Difference::default();
    for value in kept {
        match (remote(value), &value.code) {
            (Remote::Id(id), _) => by_id.entry(id).or_default().push(value),
            (Remote::None, Some(code)) => by_code.entry(code.to_uppercase()).or_default().push(value),
            (Remote::Other(code), _) => by_code.entry(code.to_uppercase()).or_default().push(value),
            (Remote::None, None) => difference.foreign += 1,
        }
    }
    for row in wanted {
        let coded = by_code.remove(&row.code.to_uppercase()).unwrap_or_default();
        let mut found = by_id.remove(&row.id).unwrap_or_default().into_iter().chain(coded);
        match found.next() {
            None => difference.create.push(row.clone()),
            Some(value) => difference.change.extend(change(value, Some(&row.label), false)),
        }
        difference.change.extend(found.filter_map(|value| change(value, None, true)));
    }
    let mut gone: Vec<&Kept> = by_id.into_values().flatten().collect();
    gone.sort_by(|a, b| a.brex_id.cmp(&b.brex_id));
    difference.change.extend(gone.into_iter().filter_map(|value| change(value, None, true)));
    difference.foreign += by_code.values().map(Vec::len).sum::<usize>();
    difference
}

enum Remote<'a> {
    None,
    Id(Uuid),
    Other(&'a str),
}

fn remote(value: &Kept) -> Remote<'_> {
    match value.remote_id.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => Remote::None,
        Some(text) => Uuid::parse_str(text).map_or(Remote::Other(text), Remote::Id),
    }
}

fn change(value: &Kept, label: Option<&str>, disabled: bool) -> Option<Change> {
    let label = label.filter(|label| *label != value.label).map(str::to_owned);
    let disable = (value.is_disabled != disabled).then_some(disabled);
    (label.is_some() || disable.is_some()).then(|| Change {
        brex_id: value.brex_id.clone(),
        was: value.label.clone(),
        label,
        disable,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(id: u8, code: &str, name: &str) -> Wanted {
        Wanted::new(Uuid::from_u128(id.into()), code, name)
    }

    fn kept(brex_id: &str, remote_id: Option<&str>, code: Option<&str>, label: &str, is_disabled: bool) -> Kept {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Kept {
            brex_id: brex_id.to_owned(),
            remote_id: text(remote_id),
            code: text(code),
            label: label.to_owned(),
            is_disabled,
        }
    }

    fn id(id: u8) -> String {
        Uuid::from_u128(id.into()).to_string()
    }

    #[test]
    fn what_is_new_is_made_and_what_is_gone_is_disabled_once() {
        let list = [wanted(1, "60500", "Hosting"), wanted(2, "61300", "Ads")];
        let in_brex = [
            kept("a", Some(&id(1)), Some("60500"), "60500 Hosting", false),
            kept("b", Some(&id(3)), Some("9"), "9 Gone", false),
            kept("c", Some(&id(4)), Some("8"), "8 Long gone", true),
        ];
        let difference = compare(&list, &in_brex);
        assert_eq!(difference.create, [wanted(2, "61300", "Ads")]);
        let gone = Change { brex_id: "b".to_owned(), was: "9 Gone".to_owned(), label: None, disable: Some(true) };
        assert_eq!(difference.change, [gone]);
    }

    #[test]
    fn a_renamed_row_changes_its_label_and_a_usable_one_comes_back() {
        let list = [wanted(1, "60500", "Cloud hosting")];
        let difference = compare(&list, &[kept("a", Some(&id(1)), Some("1"), "60500 Hosting", true)]);
        assert_eq!(difference.change[0].label.as_deref(), Some("60500 Cloud hosting"));
        assert_eq!(difference.change[0].disable, Some(false));
    }

    #[test]
    fn a_list_made_by_hand_is_taken_over_by_code_and_the_rest_of_it_left_alone() {
        let list = [wanted(1, "60500", "Hosting"), wanted(2, "it", "IT")];
        let in_brex = [
            kept("a", None, Some("60500"), "60500 Hosting", false),
            kept("b", Some("IT"), None, "IT it", false),
            kept("c", None, Some("other"), "Mine", false),
            kept("d", None, None, "Mine too", false),
        ];
        let difference = compare(&list, &in_brex);
        assert_eq!(difference.create, []);
        assert_eq!(difference.change.len(), 1, "only the label of b");
        assert_eq!(difference.foreign, 2);
    }

    #[test]
    fn of_two_values_for_one_row_the_second_is_disabled() {
        let in_brex = [kept("a", Some(&id(1)), None, "1 x", false), kept("b", Some(&id(1)), None, "1 x", false)];
        let difference = compare(&[wanted(1, "1", "x")], &in_brex);
        assert_eq!(difference.change.len(), 1);
        assert_eq!((difference.change[0].brex_id.as_str(), difference.change[0].disable), ("b", Some(true)));
    }

    /// What Brex has after the difference was made.
    fn applied(mut in_brex: Vec<Kept>, difference: &Difference) -> Vec<Kept> {
        for change in &difference.change {
            for value in in_brex.iter_mut().filter(|value| value.brex_id == change.brex_id) {
                value.label = change.label.clone().unwrap_or_else(|| value.label.clone());
                value.is_disabled = change.disable.unwrap_or(value.is_disabled);
            }
        }
        for (n, new) in difference.create.iter().enumerate() {
            let remote_id = Some(new.id.to_string());
            in_brex.push(Kept {
                brex_id: format!("new{n}"),
                remote_id,
                code: Some(new.code.clone()),
                label: new.label.clone(),
                is_disabled: false,
            });
        }
        in_brex
    }

    proptest! {
        #[test]
        fn after_the_difference_there_is_none(
            rows in proptest::collection::btree_map(0_u8..20, "[A-C]{1,2}", 0..10),
            values in proptest::collection::vec(
                (proptest::option::of(0_u8..20), proptest::option::of("[A-C]{1,2}"), "[A-C]{1,2}", any::<bool>()), 0..12),
        ) {
            let list: Vec<Wanted> = rows.iter().map(|(id, code)| wanted(*id, &format!("{code}{id}"), code)).collect();
            let in_brex: Vec<Kept> = values.iter().enumerate().map(|(n, (remote, code, label, disabled))| {
                kept(&format!("v{n}"), remote.map(id).as_deref(), code.as_deref(), label, *disabled)
            }).collect();
            let after = applied(in_brex.clone(), &compare(&list, &in_brex));
            prop_assert!(compare(&list, &after).is_empty());
            for row in &list {
                let offered = after.iter().filter(|v| v.remote_id.as_deref() == Some(&row.id.to_string()) && !v.is_disabled);
                prop_assert!(offered.count() <= 1);
            }
        }
    }
}
