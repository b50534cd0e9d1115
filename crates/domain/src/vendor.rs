//! Which BC vendor a record belongs to, and why. Anything not certain is held, never guessed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::directory::{Blocked, Directory, Vendor, normal_name};
use crate::hold::{Hold, HoldCode};
use crate::record::{Record, Treatment};
use crate::rules::{Axis, Rules};

/// The vendor that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedVendor {
    /// BC id.
    pub id: Uuid,
    /// BC number.
    pub number: String,
    /// Name at the time of the decision.
    pub name: String,
    /// How it was found.
    pub why: Why,
}

/// How a vendor was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Why {
    /// Coded on the record in Brex.
    Coded {
        /// The coded value.
        value: String,
    },
    /// The employee's vendor by the connection's table.
    EmployeeTable {
        /// E-mail of the employee.
        email: String,
    },
    /// The employee's vendor by its e-mail address in BC.
    EmployeeEmail {
        /// E-mail of the employee.
        email: String,
    },
    /// A link that a person confirmed.
    Remembered {
        /// The merchant's name at that time.
        merchant: String,
        /// Where the confirmation came from.
        origin: String,
    },
    /// The merchant has exactly the vendor's name.
    ExactName {
        /// The merchant's name.
        merchant: String,
    },
    /// The names are equal once case, accents, punctuation and legal form are set aside.
    SameName {
        /// The merchant's name.
        merchant: String,
        /// What both names come down to.
        common: String,
    },
    /// The matcher is sure.
    Matched {
        /// The merchant's name or descriptor.
        merchant: String,
        /// Why, in words, with the score.
        reason: String,
    },
    /// The connection's default vendor.
    DefaultVendor {
        /// The merchant's name, if there is one.
        merchant: Option<String>,
    },
}

impl Why {
    /// The reason as a sentence fragment for a bookkeeper.
    pub fn words(&self) -> String {
        match self {
            Self::Coded { value } => format!("coded on the record in Brex ({value})"),
            Self::EmployeeTable { email } => format!("the employees table names it for {email}"),
            Self::EmployeeEmail { email } => format!("the vendor in Business Central has the e-mail address {email}"),
            Self::Remembered { merchant, origin } => format!("remembered for {merchant:?} ({origin})"),
            Self::ExactName { merchant } => format!("the merchant has exactly this name ({merchant:?})"),
            Self::SameName { merchant, common } => format!("merchant {merchant:?} has the same name ({common})"),
            Self::Matched { merchant, reason } => format!("matched {merchant:?}: {reason}"),
            Self::DefaultVendor { .. } => "no vendor fits, the connection's default vendor is used".to_owned(),
        }
    }
}

/// A link from memory: a merchant name that belongs to a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// BC id of the vendor.
    pub vendor: Uuid,
    /// Where the link came from, such as `coded in Brex on accr_…`.
    pub origin: String,
}

/// The key under which a merchant is remembered; none when the name has no letters or digits.
pub fn merchant_key(name: &str) -> Option<String> {
    Some(normal_name(name)).filter(|key| !key.is_empty())
}

/// Finds the vendor: coded id, employee, confirmed link, exact name, normalised name, default; else a hold.
pub fn decide_vendor(
    record: &Record,
    links: &[Link],
    rules: &Rules,
    directory: &Directory,
) -> Result<ResolvedVendor, Hold> {
    if let Some(found) = decide_coded(record, rules, directory)? {
        return Ok(found);
    }
    if let Some(merchant) = merchant_of(record) {
        if let Some(found) = remembered(merchant, links, directory)? {
            return Ok(found);
        }
        if let Some(found) = decide_named(merchant, directory)? {
            return Ok(found);
        }
    }
    decide_unmatched(record, rules, directory)
}

/// The vendor that the record itself says: coded, or the employee's. None if only the merchant can tell.
pub fn decide_coded(record: &Record, rules: &Rules, directory: &Directory) -> Result<Option<ResolvedVendor>, Hold> {
    if let Some((coded, vendor)) = coded_vendor(record, rules, directory)? {
        let vendor = vendor.ok_or_else(|| {
            Hold::new(HoldCode::VendorNotFound, format!("the coded vendor {coded} is not in Business Central"))
        })?;
        return usable(vendor, Why::Coded { value: coded }).map(Some);
    }
    match record.treatment() {
        Treatment::Reimbursement(_) => employee_vendor(record, rules, directory).map(Some),
        Treatment::Spend(_) | Treatment::Bill | Treatment::NotSpend | Treatment::Unknown => Ok(None),
    }
}

/// The merchant's name, if the record has one.
pub fn merchant_of(record: &Record) -> Option<&str> {
    record.merchant.as_ref().map(|m| m.name.trim()).filter(|name| !name.is_empty())
}

/// What is done with a record whose merchant fits no vendor: the default vendor, or a hold.
pub fn decide_unmatched(record: &Record, rules: &Rules, directory: &Directory) -> Result<ResolvedVendor, Hold> {
    let Some(merchant) = merchant_of(record) else {
        return default_vendor(None, rules, directory).unwrap_or_else(|| {
            Err(Hold::new(HoldCode::VendorMissing, "the record names neither a merchant nor a vendor"))
        });
    };
    default_vendor(Some(merchant), rules, directory).unwrap_or_else(|| {
        Err(Hold::new(
            HoldCode::VendorNotFound,
            format!("no vendor in Business Central is named like the merchant {merchant:?}"),
        ))
    })
}

/// What was coded, and the vendor it means if that is in BC.
type CodedVendor<'a> = (String, Option<&'a Vendor>);

/// The vendor coded on the lines; several different ones are a hold. An id and a number may mean the same vendor.
fn coded_vendor<'a>(record: &Record, rules: &Rules, directory: &'a Directory) -> Result<Option<CodedVendor<'a>>, Hold> {
    let mut found: Option<CodedVendor<'_>> = None;
    for field in record.expense_lines().flat_map(|line| &line.coding) {
        if rules.fields.axis(field.field.as_deref(), field.field_name.as_deref()) != Axis::Vendor {
            continue;
        }
        let Some(text) = field.value().or_else(|| field.value_name()) else { continue };
        let coded = (text.to_owned(), field.find(|text| directory.vendor(text)));
        match &found {
            Some(other) if !same_vendor(other, &coded) => {
                let text = format!("the lines are coded to different vendors: {} and {}", other.0, coded.0);
                return Err(Hold::new(HoldCode::VendorAmbiguous, text));
            }
            _ => found = Some(coded),
        }
    }
    Ok(found)
}

fn same_vendor(one: &CodedVendor<'_>, other: &CodedVendor<'_>) -> bool {
    match (one.1, other.1) {
        (Some(one), Some(other)) => one.id == other.id,
        (None, None) => one.0.eq_ignore_ascii_case(&other.0),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn employee_vendor(record: &Record, rules: &Rules, directory: &Directory) -> Result<ResolvedVendor, Hold> {
    let email = record.person.as_ref().map(|p| p.email.trim().to_lowercase()).unwrap_or_default();
    if email.is_empty() {
        return Err(Hold::new(HoldCode::EmployeeVendorMissing, "the reimbursement names no employee"));
    }
    if let Some(number) = rules.employees.get(&email) {
        let vendor = directory.vendor(number).ok_or_else(|| {
            let text =
                format!("the employees table names vendor {number} for {email}, which is not in Business Central");
            Hold::new(HoldCode::EmployeeVendorMissing, text)
        })?;
        return usable(vendor, Why::EmployeeTable { email });
    }
    match directory.vendors_with_email(&email).as_slice() {
        [vendor] => usable(vendor, Why::EmployeeEmail { email }),
        [] => Err(Hold::new(
            HoldCode::EmployeeVendorMissing,
            format!("no vendor in Business Central has the e-mail address {email}"),
        )),
        several => Err(ambiguous(&format!("several vendors have the e-mail address {email}"), several)),
    }
}

/// The vendor of an answer that was remembered or found by the matcher, unless it is blocked.
pub fn decide_known(vendor: Uuid, why: Why, directory: &Directory) -> Result<ResolvedVendor, Hold> {
    let found = directory.vendor(&vendor.to_string()).ok_or_else(|| {
        Hold::new(HoldCode::VendorNotFound, format!("the vendor {vendor} is no longer in Business Central"))
    })?;
    usable(found, why)
}

fn remembered(merchant: &str, links: &[Link], directory: &Directory) -> Result<Option<ResolvedVendor>, Hold> {
    let Some(first) = links.first() else { return Ok(None) };
    if links.iter().any(|link| link.vendor != first.vendor) {
        return Ok(None);
    }
    let Some(vendor) = directory.vendor(&first.vendor.to_string()) else { return Ok(None) };
    let why = Why::Remembered { merchant: merchant.to_owned(), origin: first.origin.clone() };
    usable(vendor, why).map(Some)
}

/// The only vendor that is named like the merchant. Several are a hold, unless something else tells them apart.
pub fn decide_named(merchant: &str, directory: &Directory) -> Result<Option<ResolvedVendor>, Hold> {
    match directory.vendors_named(merchant).as_slice() {
        [vendor] => return usable(vendor, Why::ExactName { merchant: merchant.to_owned() }).map(Some),
        [] => {}
        several => return Err(ambiguous(&format!("several vendors are named {merchant:?}"), several)),
    }
    match directory.vendors_like(merchant).as_slice() {
        [vendor] => {
            let why = Why::SameName { merchant: merchant.to_owned(), common: normal_name(merchant) };
            usable(vendor, why).map(Some)
        }
        [] => Ok(None),
        several => Err(ambiguous(&format!("several vendors have the name of the merchant {merchant:?}"), several)),
    }
}

fn default_vendor(
    merchant: Option<&str>,
    rules: &Rules,
    directory: &Directory,
) -> Option<Result<ResolvedVendor, Hold>> {
    let number = rules.default_vendor.as_deref()?;
    let why = Why::DefaultVendor { merchant: merchant.map(str::to_owned) };
    Some(match directory.vendor(number) {
        Some(vendor) => usable(vendor, why),
        None => {
            Err(Hold::new(HoldCode::VendorNotFound, format!("the default vendor {number} is not in Business Central")))
        }
    })
}

fn usable(vendor: &Vendor, why: Why) -> Result<ResolvedVendor, Hold> {
    match vendor.blocked {
        Blocked::All => {
            let text = format!("vendor {} {} is blocked with type All", vendor.number, vendor.name);
            Err(Hold::new(HoldCode::VendorBlocked, text))
        }
        Blocked::No | Blocked::Payment => {
            Ok(ResolvedVendor { id: vendor.id, number: vendor.number.clone(), name: vendor.name.clone(), why })
        }
    }
}

fn ambiguous(what: &str, vendors: &[&Vendor]) -> Hold {
    let mut names: Vec<String> = vendors.iter().map(|v| format!("{} {}", v.number, v.name)).collect();
    names.sort();
    names.truncate(5);
    Hold::new(HoldCode::VendorAmbiguous, format!("{what}: {}", names.join(", ")))
}
