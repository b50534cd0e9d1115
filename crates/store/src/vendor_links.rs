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
use crate::lanes::{self, Lease};
use crate::row::{Table, from_str};

const TABLE: Table = Table { name: "vendor_links", key: &["connection", "merchant_key", "seq"] };

/// What was decided about a merchant and a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The merchant is this vendor.
    Confirmed,
    /// The merchant is not this vendor.
    Rejected,
}

impl Verdict {
    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Confirmed, Self::Rejected].into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorLink {
    /// Key of the merchant.
    pub merchant_key: String,
    /// BC's id of the vendor.
    pub bc_vendor_id: Uuid,
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
        let mut links = Vec::new();
        for keys in keys.chunks(CHUNK) {
            let statement = Statement::new(
                "SELECT connection, merchant_key, seq, bc_vendor_id, verdict, origin, record_id, decided_by, decided_ms \
                 FROM vendor_links WHERE connection = $1 AND merchant_key IN ",
            )
            .bind(connection.as_str())
            .push_list(keys.iter().map(|key| clean(key)))
            .push(" ORDER BY merchant_key, seq");
            for row in self.db.rows(statement).await? {
                links.push(read(&row)?);
            }
        }
        Ok(links)
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
            for link in links {
                insert(&mut tx, connection, link).await?;
            }
            audit::append_notes(&mut tx, connection, now_ms, actor, notes.iter().collect()).await?;
        })
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
            "origin": link.origin,
            "record": link.record_id,
            "decided_by": link.decided_by,
        }),
    }
}

async fn insert(tx: &mut AnyConnection, connection: &ConnectionId, link: &VendorLink) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO vendor_links (connection, merchant_key, seq, bc_vendor_id, verdict, origin, record_id, decided_by, \
         decided_ms) SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7, $8 FROM vendor_links \
         WHERE connection = $1 AND merchant_key = $2",
    )
    .bind(connection.as_str())
    .bind(clean(&link.merchant_key))
    .bind(link.bc_vendor_id.to_string())
    .bind(link.verdict.as_str())
    .bind(clean(&link.origin))
    .bind(link.record_id.as_ref().map(RecordId::as_str))
    .bind(clean(&link.decided_by))
    .bind(link.decided_ms)
    .execute_one(tx, TABLE.name)
    .await
}

fn read(row: &AnyRow) -> Result<VendorLink, Error> {
    let row = TABLE.row(row);
    Ok(VendorLink {
        merchant_key: row.text("merchant_key")?,
        bc_vendor_id: row.parsed("bc_vendor_id", from_str)?,
        verdict: row.parsed("verdict", Verdict::from_stored)?,
        origin: row.text("origin")?,
        record_id: row.optional_text("record_id")?.map(RecordId::new),
        decided_by: row.text("decided_by")?,
        decided_ms: row.integer("decided_ms")?,
    })
}
