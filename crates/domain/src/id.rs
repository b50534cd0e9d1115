//! Identities: connection, record, job, and the document number that makes a document recognisable as ours.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::text::length;

/// Longest Vendor Invoice No. that Business Central takes (`Code[35]`).
pub const DOCUMENT_NUMBER_MAX: usize = 35;

/// What our own document numbers begin with, of card spend and reimbursements ([`DocumentNumber::of_job`]).
pub const OWN_PREFIX: &str = "BRX-";

/// Name space of job ids; a random constant that must never change.
const JOB_NAMESPACE: Uuid = Uuid::from_u128(0x6a51_7c0e_3d0b_4c55_9f0e_2f6d_4f1d_9c33);

/// Name of a connection as the configuration file spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

/// The text is not usable as a connection name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection name {0:?} is not valid: use 1 to 40 of a-z, 0-9, '-' and '_'")]
pub struct InvalidConnectionId(String);

impl ConnectionId {
    /// Checks and wraps a connection name.
    pub fn new(name: &str) -> Result<Self, InvalidConnectionId> {
        let fits = (1..=40).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if fits { Ok(Self(name.to_owned())) } else { Err(InvalidConnectionId(name.to_owned())) }
    }

    /// Stands for what belongs to no connection, such as users, in the trail. No connection can have this name.
    pub fn installation() -> Self {
        Self("@installation".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Id of a Brex accounting record (`accr_…`); opaque text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// Wraps the id that Brex gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identity of the work "this record into this company": the same after any crash, reinstall or restored backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// UUIDv5 over Brex company id, record id and BC company id.
    pub fn new(brex_company: &str, record: &RecordId, bc_company: Uuid) -> Self {
        let name = format!("{brex_company}\n{record}\n{bc_company}");
        Self(Uuid::new_v5(&JOB_NAMESPACE, name.as_bytes()))
    }

    /// The UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A Vendor Invoice No. or Vendor Cr. Memo No. in Business Central's form: trimmed, upper case, 1 to 35 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentNumber(String);

/// The text cannot be a document number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDocumentNumber {
    /// Nothing is left after trimming.
    #[error("it is empty")]
    Empty,
    /// More than [`DOCUMENT_NUMBER_MAX`] characters.
    #[error("it has {0} characters and Business Central takes at most {DOCUMENT_NUMBER_MAX}")]
    TooLong(usize),
}

impl DocumentNumber {
    /// Our own number for card spend and reimbursements: `BRX-` and 16 base32 characters of the job id's SHA-256.
    pub fn of_job(job: JobId) -> Self {
        let digest = Sha256::digest(job.0.as_bytes());
        let head = digest.get(..10).unwrap_or_default();
        Self(format!("{OWN_PREFIX}{}", BASE32_NOPAD.encode(head)))
    }

    /// The supplier's own number, as Business Central stores it.
    pub fn of_supplier(text: &str) -> Result<Self, InvalidDocumentNumber> {
        let number = text.trim().to_uppercase();
        match length(&number) {
            0 => Err(InvalidDocumentNumber::Empty),
            n if n > DOCUMENT_NUMBER_MAX => Err(InvalidDocumentNumber::TooLong(n)),
            _ => Ok(Self(number)),
        }
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_depends_on_each_of_its_parts_and_on_nothing_else() {
        let company = Uuid::from_u128(7);
        let job = JobId::new("cuacc_1", &RecordId::new("accr_1"), company);
        assert_eq!(job, JobId::new("cuacc_1", &RecordId::new("accr_1"), company));
        assert_ne!(job, JobId::new("cuacc_2", &RecordId::new("accr_1"), company));
        assert_ne!(job, JobId::new("cuacc_1", &RecordId::new("accr_2"), company));
        assert_ne!(job, JobId::new("cuacc_1", &RecordId::new("accr_1"), Uuid::from_u128(8)));
    }

    #[test]
    fn our_number_is_stable_and_already_in_business_centrals_form() {
        let job = JobId::new("cuacc_1", &RecordId::new("accr_1"), Uuid::from_u128(7));
        let number = DocumentNumber::of_job(job);
        assert_eq!(number, DocumentNumber::of_job(job));
        assert_eq!(number.as_str().len(), 20);
        assert_eq!(DocumentNumber::of_supplier(number.as_str()), Ok(number));
    }

    #[test]
    fn a_suppliers_number_is_trimmed_and_upper_cased_and_its_length_is_checked() {
        assert_eq!(DocumentNumber::of_supplier(" inv-1a ").map(|n| n.0), Ok("INV-1A".to_owned()));
        assert_eq!(DocumentNumber::of_supplier("  "), Err(InvalidDocumentNumber::Empty));
        assert_eq!(DocumentNumber::of_supplier(&"9".repeat(36)), Err(InvalidDocumentNumber::TooLong(36)));
    }
}
