//! The table `vendor_links`: which vendor a merchant was confirmed or rejected for. Verdicts are added and never changed.

use domain::audit::{Actor, Note};
use domain::id::{ConnectionId, RecordId};
use serde_json::json;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::audit;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::jobs;
use crate::lanes::{self, Lease};
use crate::row::{Table, from_str};

const TABLE: Table = Table { name: "vendor_links", key: &["connection", "merchant_key", "seq"] };

const SELECT: &str = "SELECT connection, merchant_key, seq, bc_vendor_id, verdict, origin, record_id, decided_by, \
     decided_ms, descriptor, clean_name, vendor_name FROM vendor_links WHERE connection = $1";

/// What was decided about a merchant and a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The merchant is this vendor.
    Confirmed,
    /// The merchant is not this vendor.
    Rejected,
    /// The merchant is none of the vendors.
    NoneOfOurs,
    /// A person set the link by hand: nothing but a person's hand changes it.
    SetByHand,
    /// The link is taken off; what was rejected stays.
    Unlinked,
    /// Nothing is known about the merchant any more.
    Forgotten,
}

impl Verdict {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::NoneOfOurs => "none_of_ours",
            Self::SetByHand => "set_by_hand",
            Self::Unlinked => "unlinked",
            Self::Forgotten => "forgotten",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Confirmed, Self::Rejected, Self::NoneOfOurs, Self::SetByHand, Self::Unlinked, Self::Forgotten]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
    }
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorLink {
    /// Key of the merchant.
    pub merchant_key: String,
    /// The descriptor that was asked about; empty for verdicts of a version that did not keep it.
    pub descriptor: String,
    /// Its cleaned name, or empty.
    pub clean_name: String,
    /// BC's id of the vendor; none for a verdict about no vendor.
    pub bc_vendor_id: Option<Uuid>,
    /// The vendor's name at that time, or empty.
    pub vendor_name: String,
    /// What was decided.
    pub verdict: Verdict,
    /// How it came about.
    pub origin: String,
    /// The record it came from.
    pub record_id: Option<RecordId>,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_ms: i64,
}

/// Methods on the vendor memory.
pub struct VendorLinks<'a> {
    pub(crate) db: &'a Db,
}

impl VendorLinks<'_> {
    /// Every verdict on these merchants, in the order in which they were remembered.
    pub async fn list_for(&self, connection: &ConnectionId, keys: &[String]) -> Result<Vec<VendorLink>, Error> {
        self.read(statements(connection, Some(keys))).await
    }

    /// Every verdict of the connection, merchant by merchant, in the order in which they were remembered.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<VendorLink>, Error> {
        self.read(statements(connection, None)).await
    }

    async fn read(&self, statements: Vec<Statement>) -> Result<Vec<VendorLink>, Error> {
        let mut links = Vec::new();
        for statement in statements {
            for row in self.db.rows(statement).await? {
                links.push(read(&row)?);
            }
        }
        Ok(links)
    }

    /// How many verdicts there are: it only ever grows, so that another number means another memory.
    pub async fn count(&self, connection: &ConnectionId) -> Result<i64, Error> {
        let statement = Statement::new(
            "SELECT connection, CAST(COUNT(*) AS BIGINT) AS seq FROM vendor_links WHERE connection = $1 \
             GROUP BY connection",
        )
        .bind(connection.as_str());
        let row = self.db.first(statement).await?;
        Ok(row.map(|row| TABLE.row(&row).integer("seq")).transpose()?.unwrap_or(0))
    }

    /// Decides from what is stored under these keys (or under all), and adds the verdicts of a person with their entries in
    /// the trail and a request for the job `wake`: all in one transaction, so that nobody answers in between. `decide` may
    /// run again after a deadlock. Needs no lease: people answer while the worker works.
    pub async fn answer<E>(
        &self,
        connection: &ConnectionId,
        keys: Option<&[String]>,
        wake: &str,
        now_ms: i64,
        actor: &Actor,
        decide: impl Fn(&[VendorLink]) -> Result<Vec<VendorLink>, E>,
    ) -> Result<Result<Vec<VendorLink>, E>, Error> {
        in_transaction!(self.db, tx => {
            // The trail's head is locked first, so that two who answer at once come one after the other.
            audit::lock_head(&mut tx, connection).await?;
            let decided = decide(&stored(&mut tx, connection, keys).await?);
            if let Ok(links) = &decided {
                let notes: Vec<Note> = links.iter().map(note).collect();
                audit::append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
                for link in links {
                    insert(&mut tx, connection, link).await?;
                }
                if !links.is_empty() {
                    jobs::request(&mut tx, connection, wake, None, now_ms).await?;
                }
            }
            decided
        })
    }

    /// Adds verdicts, each with an entry in the trail.
    pub async fn remember(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        links: &[VendorLink],
        now_ms: i64,
        actor: &Actor,
    ) -> Result<(), Error> {
        let notes: Vec<Note> = links.iter().map(note).collect();
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            audit::append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
            for link in links {
                insert(&mut tx, connection, link).await?;
            }
        })
    }
}

/// Every verdict under these keys, or all, as they stand in the transaction.
pub(crate) async fn stored(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    keys: Option<&[String]>,
) -> Result<Vec<VendorLink>, Error> {
    let mut stored = Vec::new();
    for statement in statements(connection, keys) {
        for row in statement.rows(tx).await? {
            stored.push(read(&row)?);
        }
    }
    Ok(stored)
}

/// Adds one verdict with its entry in the trail.
pub(crate) async fn add(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    link: &VendorLink,
    now_ms: i64,
    actor: &Actor,
) -> Result<(), Error> {
    audit::append_notes(tx, connection, now_ms, actor, vec![&note(link)]).await?;
    insert(tx, connection, link).await
}

/// Reads every verdict on these merchants, or on all.
fn statements(connection: &ConnectionId, keys: Option<&[String]>) -> Vec<Statement> {
    let order = " ORDER BY merchant_key, seq";
    let all = || Statement::new(SELECT).bind(connection.as_str());
    match keys {
        None => vec![all().push(order)],
        Some(keys) => keys
            .chunks(CHUNK)
            .map(|keys| all().push(" AND merchant_key IN ").push_list(keys.iter().map(|key| clean(key))).push(order))
            .collect(),
    }
}

fn note(link: &VendorLink) -> Note {
    Note {
        action: format!("vendor_link_{}", link.verdict.as_str()),
        subject: format!("merchant {}", link.merchant_key),
        before: None,
        after: Some(link.verdict.as_str().to_owned()),
        detail: json!({
            "bc_vendor_id": link.bc_vendor_id,
            "vendor_name": link.vendor_name,
            "descriptor": link.descriptor,
            "clean_name": link.clean_name,
            "origin": link.origin,
            "record": link.record_id,
            "decided_by": link.decided_by,
        }),
    }
}

async fn insert(tx: &mut AnyConnection, connection: &ConnectionId, link: &VendorLink) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO vendor_links (connection, merchant_key, seq, bc_vendor_id, verdict, origin, record_id, decided_by, \
         decided_ms, descriptor, clean_name, vendor_name) \
         SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM vendor_links \
         WHERE connection = $1 AND merchant_key = $2",
    )
    .bind(connection.as_str())
    .bind(clean(&link.merchant_key))
    .bind(link.bc_vendor_id.map_or_else(String::new, |id| id.to_string()))
    .bind(link.verdict.as_str())
    .bind(clean(&link.origin))
    .bind(link.record_id.as_ref().map(RecordId::as_str))
    .bind(clean(&link.decided_by))
    .bind(link.decided_ms)
    .bind(clean(&link.descriptor))
    .bind(clean(&link.clean_name))
    .bind(clean(&link.vendor_name))
    .execute_one(tx, TABLE.name)
    .await
}

fn read(row: &AnyRow) -> Result<VendorLink, Error> {
    let row = TABLE.row(row);
    // An empty text stands for no vendor.
    let is_of_none = row.text("bc_vendor_id")?.is_empty();
    let vendor = if is_of_none { None } else { Some(row.parsed("bc_vendor_id", from_str)?) };
    Ok(VendorLink {
        merchant_key: row.text("merchant_key")?,
        descriptor: row.text("descriptor")?,
        clean_name: row.text("clean_name")?,
        vendor_name: row.text("vendor_name")?,
        bc_vendor_id: vendor,
        verdict: row.parsed("verdict", Verdict::from_stored)?,
        origin: row.text("origin")?,
        record_id: row.optional_text("record_id")?.map(RecordId::new),
        decided_by: row.text("decided_by")?,
        decided_ms: row.integer("decided_ms")?,
    })
}
