//! What a person says about a merchant: checked against what stands, then written with who and when.

use domain::audit::Actor;
use domain::directory::{Blocked, Directory, Vendor};
use domain::id::{ConnectionId, RecordId};
use matching::scrubbed_key;
use store::{Store, VendorLink, Verdict};

use super::RECHECK;
use super::answers::{Standing, standings, stored_keys};
use super::judgement::Asked;

/// A person's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it is about.
    pub asked: Asked,
    /// What is said.
    pub verdict: Verdict,
    /// Number or id of the vendor, where the verdict is about one.
    pub vendor: Option<String>,
    /// Who says it.
    pub person: String,
    /// The record it was asked for.
    pub record: Option<RecordId>,
}

/// An answer that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// There is no such vendor.
    #[error("the vendor {0} is not in Business Central, as far as the mirror knows")]
    NoVendor(String),
    /// Nothing may be booked on it.
    #[error("the vendor {0} is blocked with type All")]
    Blocked(String),
    /// A link that was set by hand stands.
    #[error("{by} set this merchant's link by hand to {vendor}; change it with vendors link or vendors unlink")]
    SetByHand {
        /// Who set it.
        by: String,
        /// To which vendor.
        vendor: String,
    },
    /// There is no letter or digit to remember the merchant by.
    #[error("the merchant has no letters or digits to remember it by")]
    NoName,
}

/// The verdict that the answer means, unless something stands against it.
pub fn verdict_of(
    answer: &Answer,
    standing: Option<&Standing>,
    directory: &Directory,
    now_ms: i64,
) -> Result<VendorLink, NotTaken> {
    if !answer.asked.descriptor.chars().any(char::is_alphanumeric) {
        return Err(NotTaken::NoName);
    }
    let vendor = answer.vendor.as_deref().map(|text| found(directory, text)).transpose()?;
    let binds = matches!(answer.verdict, Verdict::Confirmed | Verdict::SetByHand);
    if let Some(blocked) = vendor.filter(|vendor| binds && vendor.blocked == Blocked::All) {
        return Err(NotTaken::Blocked(format!("{} {}", blocked.number, blocked.name)));
    }
    let by_hand = standing.filter(|standing| standing.is_set_by_hand()).and_then(|standing| standing.answers.first());
    let softer = matches!(answer.verdict, Verdict::Confirmed | Verdict::Rejected | Verdict::NoneOfOurs);
    if let Some(hand) = by_hand.filter(|_| softer) {
        let is_same = answer.verdict == Verdict::Confirmed && hand.bc_vendor_id == vendor.map(|vendor| vendor.id);
        if !is_same {
            let (by, vendor) = (hand.decided_by.clone(), hand.vendor_name.clone());
            return Err(NotTaken::SetByHand { by, vendor });
        }
    }
    Ok(VendorLink {
        merchant_key: scrubbed_key(&answer.asked.descriptor),
        descriptor: answer.asked.descriptor.clone(),
        clean_name: answer.asked.clean_name.clone(),
        bc_vendor_id: vendor.map(|vendor| vendor.id),
        vendor_name: vendor.map(|vendor| vendor.name.clone()).unwrap_or_default(),
        verdict: answer.verdict,
        origin: format!("{} by {}", words(answer.verdict), answer.person),
        record_id: answer.record.clone(),
        decided_by: answer.person.clone(),
        decided_ms: now_ms,
    })
}

fn found<'a>(directory: &'a Directory, text: &str) -> Result<&'a Vendor, NotTaken> {
    directory.vendor(text).ok_or_else(|| NotTaken::NoVendor(text.to_owned()))
}

/// The verdict in words.
pub fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Rejected => "rejected",
        Verdict::NoneOfOurs => "said to be none of our vendors",
        Verdict::SetByHand => "set by hand",
        Verdict::Unlinked => "unlinked",
        Verdict::Forgotten => "forgotten",
    }
}

/// Why an answer was not written.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not taken.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Checks an answer against what stands, writes it and has the worker look again at what is held, the record and its like:
/// all or nothing, and nobody answers in between.
pub async fn give(
    store: &Store,
    connection: &ConnectionId,
    directory: &Directory,
    answer: &Answer,
    now_ms: i64,
) -> Result<VendorLink, AnswerError> {
    let keys = stored_keys(&answer.asked.descriptor);
    let decide = |stored: &[VendorLink]| {
        let key = scrubbed_key(&answer.asked.descriptor);
        verdict_of(answer, standings(stored).get(&key), directory, now_ms).map(|link| vec![link])
    };
    let person = Actor::Person(answer.person.clone());
    let given = store.vendor_links().answer(connection, Some(&keys), RECHECK, now_ms, &person, decide).await??;
    given.into_iter().next().ok_or_else(|| NotTaken::NoName.into())
}
