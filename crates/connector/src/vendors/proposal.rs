//! What people say about a new vendor: one proposes it, another approves or declines. Nothing is sent here; [`super::create`]
//! does what was agreed.

use domain::audit::Actor;
use domain::directory::Directory;
use domain::id::{ConnectionId, RecordId};
use domain::text::length;
use matching::scrubbed_key;
use serde_json::Value;
use store::{ProposalChange, ProposalState, Store, VendorProposal};

use super::answers::{standings, stored_keys};
use super::judgement::Asked;

/// Longest displayName (business-central.md §4.1).
const NAME_MAX: usize = 100;
/// Longest country, a `Code[10]`.
const COUNTRY_MAX: usize = 10;
/// Longest email.
const EMAIL_MAX: usize = 80;

/// A new vendor as a person wants it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The merchant that it is for.
    pub asked: Asked,
    /// The record that it is proposed for.
    pub record: Option<RecordId>,
    /// Its name.
    pub name: String,
    /// Its country code, or empty.
    pub country: String,
    /// Its mail address, or empty.
    pub email: String,
    /// Why it is needed.
    pub reason: String,
    /// Who proposes it.
    pub person: String,
}

/// What a person said is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no letter or digit to remember the merchant by.
    #[error("the merchant has no letters or digits to remember it by")]
    NoMerchant,
    /// Business Central would not take a value.
    #[error("{0}")]
    Unusable(String),
    /// There is a vendor of this name.
    #[error("Business Central has the vendor {number} {name} already: vendors confirm {what:?} --vendor {number}")]
    Exists {
        /// Its number.
        number: String,
        /// Its name.
        name: String,
        /// The record or the merchant.
        what: String,
    },
    /// Another proposal means the same.
    #[error("proposal {id} for {name:?} is {state} already")]
    Open {
        /// Its id.
        id: i64,
        /// The vendor's name.
        name: String,
        /// Where it stands.
        state: &'static str,
    },
    /// A link that was set by hand stands.
    #[error("{by} set this merchant's link by hand to {vendor}; take it off with vendors unlink first")]
    SetByHand {
        /// Who set it.
        by: String,
        /// To which vendor.
        vendor: String,
    },
    /// There is no such proposal.
    #[error("there is no proposal {0}")]
    Unknown(i64),
    /// Nobody is named.
    #[error("say who you are with --by: a new vendor needs two people")]
    Nobody,
    /// Who proposed may not approve.
    #[error("{0} proposed this vendor: another person has to approve it")]
    SamePerson(String),
    /// It is too late.
    #[error("proposal {id} is {state}: {why}")]
    NotNow {
        /// Its id.
        id: i64,
        /// Where it stands.
        state: &'static str,
        /// What that means.
        why: &'static str,
    },
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// It is not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Proposes a new vendor.
pub async fn propose(
    store: &Store,
    connection: &ConnectionId,
    directory: &Directory,
    wanted: &Wanted,
    now_ms: i64,
) -> Result<VendorProposal, ProposalError> {
    let row = checked(wanted, now_ms)?;
    is_new(&row, directory)?;
    not_by_hand(store, connection, &row).await?;
    let decide = |stored: &[VendorProposal]| match stored.iter().find(|other| is_same(other, &row)) {
        Some(other) => {
            let (id, name, state) = (other.id, other.name.clone(), other.state.as_str());
            Err(Refused::Open { id, name, state })
        }
        None => Ok(change(row.clone(), "vendor_proposed")),
    };
    say(store, connection, &wanted.person, now_ms, decide).await
}

/// Approves a proposal: the worker then creates the vendor. Who proposed it may not.
pub async fn approve(
    store: &Store,
    connection: &ConnectionId,
    directory: &Directory,
    id: i64,
    person: &str,
    now_ms: i64,
) -> Result<VendorProposal, ProposalError> {
    if name_of(person).is_empty() {
        return Err(Refused::Nobody.into());
    }
    let stored = store.vendor_proposals().list(connection).await?;
    let proposed = stored.into_iter().find(|row| row.id == id).ok_or(Refused::Unknown(id))?;
    not_by_hand(store, connection, &proposed).await?;
    let decide = |stored: &[VendorProposal]| {
        let row = stored.iter().find(|row| row.id == id).ok_or(Refused::Unknown(id))?;
        let why = match row.state {
            ProposalState::Proposed | ProposalState::Held => None,
            ProposalState::Approved | ProposalState::Creating => Some("the vendor is being created"),
            ProposalState::Created => Some("the vendor is there"),
            ProposalState::Declined => Some("propose it again if it is needed after all"),
        };
        if let Some(why) = why {
            return Err(Refused::NotNow { id, state: row.state.as_str(), why });
        }
        if name_of(&row.proposed_by) == name_of(person) {
            return Err(Refused::SamePerson(row.proposed_by.clone()));
        }
        is_new(row, directory)?;
        let row = VendorProposal {
            state: ProposalState::Approved,
            decided_by: Some(person.trim().to_owned()),
            decided_ms: Some(now_ms),
            note: None,
            tries: 0,
            due_ms: Some(now_ms),
            ..row.clone()
        };
        Ok(change(row, "vendor_proposal_approved"))
    };
    say(store, connection, person, now_ms, decide).await
}

/// Declines a proposal that nothing was sent for yet, or that is held.
pub async fn decline(
    store: &Store,
    connection: &ConnectionId,
    id: i64,
    reason: &str,
    person: &str,
    now_ms: i64,
) -> Result<VendorProposal, ProposalError> {
    let decide = |stored: &[VendorProposal]| {
        let row = stored.iter().find(|row| row.id == id).ok_or(Refused::Unknown(id))?;
        let why = match row.state {
            ProposalState::Proposed | ProposalState::Approved | ProposalState::Held => None,
            ProposalState::Creating => Some("it may be in Business Central already; wait until that is settled"),
            ProposalState::Created => Some("the vendor is there; delete it in Business Central"),
            ProposalState::Declined => Some("nothing is left to do"),
        };
        if let Some(why) = why {
            return Err(Refused::NotNow { id, state: row.state.as_str(), why });
        }
        let row = VendorProposal {
            state: ProposalState::Declined,
            decided_by: Some(person.trim().to_owned()),
            decided_ms: Some(now_ms),
            note: Some(reason.to_owned()),
            due_ms: None,
            ..row.clone()
        };
        Ok(change(row, "vendor_proposal_declined"))
    };
    say(store, connection, person, now_ms, decide).await
}

async fn say(
    store: &Store,
    connection: &ConnectionId,
    person: &str,
    now_ms: i64,
    decide: impl Fn(&[VendorProposal]) -> Result<ProposalChange, Refused>,
) -> Result<VendorProposal, ProposalError> {
    let actor = Actor::Person(person.trim().to_owned());
    Ok(store.vendor_proposals().say(connection, now_ms, &actor, decide).await??)
}

pub(super) fn change(row: VendorProposal, action: &str) -> ProposalChange {
    ProposalChange { row, action: action.to_owned(), detail: Value::Null }
}

/// People are told apart by their names as they write them, but for case and space around. The command line's stand-in for a
/// person it does not know is nobody.
fn name_of(person: &str) -> String {
    let name = person.trim().to_lowercase();
    if name == "unknown" { String::new() } else { name }
}

fn is_same(other: &VendorProposal, row: &VendorProposal) -> bool {
    let same_merchant = scrubbed_key(&other.descriptor) == scrubbed_key(&row.descriptor);
    !other.state.is_done() && (same_merchant || other.name.eq_ignore_ascii_case(&row.name))
}

/// There is no vendor of this name, as far as the mirror knows; the worker asks Business Central again before it creates.
fn is_new(row: &VendorProposal, directory: &Directory) -> Result<(), Refused> {
    match directory.vendors_named(&row.name).first() {
        None => Ok(()),
        Some(vendor) => {
            let what = row.record_id.as_ref().map_or(row.descriptor.as_str(), RecordId::as_str).to_owned();
            Err(Refused::Exists { number: vendor.number.clone(), name: vendor.name.clone(), what })
        }
    }
}

async fn not_by_hand(store: &Store, connection: &ConnectionId, row: &VendorProposal) -> Result<(), ProposalError> {
    let stored = store.vendor_links().list_for(connection, &stored_keys(&row.descriptor)).await?;
    let standings = standings(&stored);
    let standing = standings.get(&scrubbed_key(&row.descriptor)).filter(|standing| standing.is_set_by_hand());
    match standing.and_then(|standing| standing.answers.first()) {
        None => Ok(()),
        Some(hand) => {
            let (by, vendor) = (hand.decided_by.clone(), hand.vendor_name.clone());
            Err(Refused::SetByHand { by, vendor }.into())
        }
    }
}

/// The proposal as it is stored, with values that Business Central takes as they are.
fn checked(wanted: &Wanted, now_ms: i64) -> Result<VendorProposal, Refused> {
    if !wanted.asked.descriptor.chars().any(char::is_alphanumeric) {
        return Err(Refused::NoMerchant);
    }
    if name_of(&wanted.person).is_empty() {
        return Err(Refused::Nobody);
    }
    let name = text("name", &wanted.name, NAME_MAX)?;
    if !name.chars().any(char::is_alphanumeric) {
        return Err(Refused::Unusable("the name has no letters or digits".to_owned()));
    }
    let email = text("email", &wanted.email, EMAIL_MAX)?;
    let is_address = |part: &str| part.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.'));
    if !email.is_empty() && !email.split(';').all(|part| is_address(part.trim())) {
        return Err(Refused::Unusable(format!("the email {email:?} is no mail address")));
    }
    Ok(VendorProposal {
        id: 0,
        rev: 1,
        descriptor: wanted.asked.descriptor.clone(),
        clean_name: wanted.asked.clean_name.clone(),
        record_id: wanted.record.clone(),
        name,
        // A Code: Business Central stores it in upper case.
        country: text("country", &wanted.country, COUNTRY_MAX)?.to_uppercase(),
        email,
        reason: wanted.reason.trim().to_owned(),
        proposed_by: wanted.person.trim().to_owned(),
        proposed_ms: now_ms,
        state: ProposalState::Proposed,
        decided_by: None,
        decided_ms: None,
        note: None,
        attempt: 0,
        epoch: 0,
        sent_ms: None,
        settle_until_ms: None,
        probes: 0,
        tries: 0,
        due_ms: None,
        bc_vendor_id: None,
        vendor_number: None,
    })
}

fn text(what: &str, value: &str, most: usize) -> Result<String, Refused> {
    let value = value.trim();
    if length(value) > most {
        return Err(Refused::Unusable(format!("the {what} is longer than the {most} characters of Business Central")));
    }
    if value.chars().any(char::is_control) {
        return Err(Refused::Unusable(format!("the {what} has characters that cannot be printed")));
    }
    Ok(value.to_owned())
}
