//! The table `records`, reading: where each record stands and what is due. Writing is in `apply`.

use std::collections::{BTreeMap, HashSet};

use domain::document::DocumentKind;
use domain::failure::Failure;
use domain::hold::{Hold, HoldCode};
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use rust_decimal::Decimal;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::Db;
use crate::dialect::{CHUNK, Statement};
use crate::error::Error;
use crate::record_columns::AsRead;
use crate::row::{Columns, Table, Waiting, from_str};

pub(crate) const TABLE: Table = Table { name: "records", key: &["connection", "id"] };

pub(crate) const SELECT: &str = "SELECT connection, id, version, record_type, source_type, amount, currency, merchant, \
     posting_date, stage, rev, hold_code, hold_text, held_ms, due_ms, attempts, vendor_number, document_kind, \
     document_key, document_id, document_no, plan, first_seen_ms, updated_ms, exported_ms, source_id, posted_ms, failure FROM records";

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its id in Brex.
    pub id: RecordId,
    /// Version in Brex that the row is about.
    pub version: i64,
    /// Type as Brex spells it.
    pub record_type: String,
    /// Source as Brex spells it.
    pub source_type: String,
    /// Amount.
    pub amount: Option<Decimal>,
    /// Currency of the amount.
    pub currency: Option<String>,
    /// Merchant's name.
    pub merchant: Option<String>,
    /// Posting date.
    pub posting_date: Option<String>,
    /// What has to be done next.
    pub stage: Stage,
    /// Counts the writes; 0 = never written. A write with another count than the stored one is stale.
    pub rev: i64,
    /// Why it is held.
    pub hold: Option<Hold>,
    /// Since when it is held.
    pub held_ms: Option<i64>,
    /// When to work on it; none = not waiting for work.
    pub due_ms: Option<i64>,
    /// Tries in this stage.
    pub attempts: i64,
    /// Number of the BC vendor.
    pub vendor_number: Option<String>,
    /// Kind of the document.
    pub document_kind: Option<DocumentKind>,
    /// The number by which the document is recognised.
    pub document_key: Option<String>,
    /// Id of the document in BC.
    pub document_id: Option<Uuid>,
    /// BC's own number of the document.
    pub document_no: Option<String>,
    /// The planned document as JSON.
    pub plan: Option<String>,
    /// When it was first seen.
    pub first_seen_ms: i64,
    /// When it was last written.
    pub updated_ms: i64,
    /// When Brex took the export.
    pub exported_ms: Option<i64>,
    /// The expense in Brex that it is about.
    pub source_id: Option<String>,
    /// When its document was seen to be posted.
    pub posted_ms: Option<i64>,
    /// What Brex was told about a hold.
    pub failure: Option<Failure>,
    /// What it was made from; a write leaves the columns alone that are as they were.
    pub as_read: AsRead,
}

impl RecordRow {
    /// A record that is seen for the first time.
    pub fn new(connection: ConnectionId, id: RecordId, now_ms: i64) -> Self {
        Self {
            connection,
            id,
            version: 0,
            record_type: String::new(),
            source_type: String::new(),
            amount: None,
            currency: None,
            merchant: None,
            posting_date: None,
            stage: Stage::Waiting,
            rev: 0,
            hold: None,
            held_ms: None,
            due_ms: None,
            attempts: 0,
            vendor_number: None,
            document_kind: None,
            document_key: None,
            document_id: None,
            document_no: None,
            plan: None,
            first_seen_ms: now_ms,
            updated_ms: now_ms,
            exported_ms: None,
            source_id: None,
            posted_ms: None,
            failure: None,
            as_read: AsRead::default(),
        }
    }

    /// The row as it stands once it is written.
    #[must_use]
    pub fn written(mut self) -> Self {
        self.rev = self.rev.saturating_add(1);
        self.as_read = AsRead::of(&self);
        self
    }
}

/// How many records stand at a stage, with or without a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The stage.
    pub stage: Stage,
    /// The hold.
    pub hold_code: Option<HoldCode>,
    /// Number of records.
    pub records: i64,
}

impl Count {
    /// How many records are held for each cause, at whatever stage.
    pub fn by_hold(counts: &[Self]) -> BTreeMap<HoldCode, i64> {
        let mut by_code = BTreeMap::new();
        for count in counts {
            if let Some(code) = count.hold_code {
                *by_code.entry(code).or_default() += count.records;
            }
        }
        by_code
    }
}

/// Methods on the records.
pub struct Records<'a> {
    pub(crate) db: &'a Db,
}

impl Records<'_> {
    /// The records among `ids` that are known, in no particular order.
    pub async fn find_many(&self, connection: &ConnectionId, ids: &[RecordId]) -> Result<Vec<RecordRow>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(CHUNK) {
            let statement = of_connection(connection).push(" AND id IN ").push_list(ids.iter().map(RecordId::as_str));
            found.extend(self.read(statement).await?);
        }
        Ok(found)
    }

    /// The records that these documents of Business Central were made for, in no particular order.
    pub async fn find_by_documents(
        &self,
        connection: &ConnectionId,
        documents: &[Uuid],
    ) -> Result<Vec<RecordRow>, Error> {
        let mut found = Vec::new();
        for documents in documents.chunks(CHUNK) {
            let ids = documents.iter().map(Uuid::to_string);
            found.extend(self.read(of_connection(connection).push(" AND document_id IN ").push_list(ids)).await?);
        }
        Ok(found)
    }

    /// Those of these documents of Business Central that were made for card spend.
    pub async fn card_documents(&self, connection: &ConnectionId, documents: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        let mut found = HashSet::new();
        for documents in documents.chunks(CHUNK) {
            let statement = Statement::new("SELECT connection, id, document_id FROM records WHERE connection = $1")
                .bind(connection.as_str())
                .push(" AND source_type = 'CARD' AND document_id IN ")
                .push_list(documents.iter().map(Uuid::to_string));
            for row in self.db.rows(statement).await? {
                found.extend(TABLE.row(&row).optional_uuid("document_id")?);
            }
        }
        Ok(found)
    }

    /// One record.
    pub async fn get(&self, connection: &ConnectionId, id: &RecordId) -> Result<Option<RecordRow>, Error> {
        let row = self.db.first(of_connection(connection).push(" AND id = ").push_bind(id.as_str())).await?;
        row.as_ref().map(read).transpose()
    }

    /// The records about these expenses, in no particular order.
    pub async fn list_about(&self, connection: &ConnectionId, sources: &[&str]) -> Result<Vec<RecordRow>, Error> {
        let mut found = Vec::new();
        for sources in sources.chunks(CHUNK) {
            let statement = of_connection(connection).push(" AND source_id IN ").push_list(sources.iter().copied());
            found.extend(self.read(statement).await?);
        }
        Ok(found)
    }

    /// What is due at a stage and not held, the longest waiting first.
    pub async fn list_due(
        &self,
        connection: &ConnectionId,
        stage: Stage,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        let statement = of_connection(connection)
            .push(" AND stage = ")
            .push_bind(stage.as_str())
            .push(" AND hold_code IS NULL AND due_ms <= ")
            .push_bind(now_ms)
            .push(" ORDER BY due_ms, id LIMIT ")
            .push_bind(limit);
        self.read(statement).await
    }

    /// How many records are due at a stage and not held, counted up to `limit`, and since when the first of them is.
    pub async fn due(
        &self,
        connection: &ConnectionId,
        stage: Stage,
        now_ms: i64,
        limit: i64,
    ) -> Result<Waiting, Error> {
        let statement = Statement::new(
            "SELECT CAST(COUNT(*) AS BIGINT) AS waiting, MIN(due_ms) AS oldest_ms FROM (SELECT due_ms FROM records \
             WHERE connection = $1 AND stage = $2 AND hold_code IS NULL AND due_ms <= $3 ORDER BY due_ms LIMIT $4) AS due",
        )
        .bind(connection.as_str())
        .bind(stage.as_str())
        .bind(now_ms)
        .bind(limit);
        let row = self.db.first(statement).await?;
        row.map_or(Ok(Waiting::default()), |row| Waiting::read(&TABLE.row(&row)))
    }

    /// What is held, by id, after `after`.
    pub async fn list_held(
        &self,
        connection: &ConnectionId,
        after: Option<&RecordId>,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        self.list_held_in(connection, &Stage::ALL, after, limit).await
    }

    /// What is held at one of these stages, by id, after `after`.
    pub async fn list_held_in(
        &self,
        connection: &ConnectionId,
        stages: &[Stage],
        after: Option<&RecordId>,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        let statement = of_connection(connection)
            .push(" AND hold_code IS NOT NULL AND stage IN ")
            .push_list(stages.iter().map(|stage| stage.as_str()));
        self.read(page(statement, after, limit)).await
    }

    /// What was exported at `since_ms` or later, by id, after `after`.
    pub async fn list_exported(
        &self,
        connection: &ConnectionId,
        since_ms: i64,
        after: Option<&RecordId>,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        let statement = of_connection(connection)
            .push(" AND stage = ")
            .push_bind(Stage::Exported.as_str())
            .push(" AND exported_ms >= ")
            .push_bind(since_ms);
        self.read(page(statement, after, limit)).await
    }

    /// Every record, by id, after `after`.
    pub async fn list(
        &self,
        connection: &ConnectionId,
        after: Option<&RecordId>,
        limit: i64,
    ) -> Result<Vec<RecordRow>, Error> {
        self.read(page(of_connection(connection), after, limit)).await
    }

    /// When the next record that is not held becomes due.
    pub async fn next_due(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        // One look into the index per stage, instead of a walk over everything that waits.
        let mut statement = Statement::new("SELECT MIN(due_ms) AS due_ms FROM (");
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            statement = statement
                .push(if index == 0 { "" } else { " UNION ALL " })
                .push("SELECT MIN(due_ms) AS due_ms FROM records WHERE connection = ")
                .push_bind(connection.as_str())
                .push(" AND stage = ")
                .push_bind(stage.as_str())
                .push(" AND hold_code IS NULL AND due_ms IS NOT NULL");
        }
        let row = self.db.first(statement.push(") AS stages")).await?;
        Ok(row.map(|row| TABLE.row(&row).optional_integer("due_ms")).transpose()?.flatten())
    }

    /// A record wherever it is: for the operator, who may see every connection.
    pub async fn find_anywhere(&self, id: &RecordId) -> Result<Vec<(ConnectionId, RecordRow)>, Error> {
        let statement = Statement::new(SELECT).push(" WHERE id = ").push_bind(id.as_str()).push(" ORDER BY connection");
        let rows = self.read(statement).await?;
        Ok(rows.into_iter().map(|row| (row.connection.clone(), row)).collect())
    }

    pub(crate) async fn read(&self, statement: Statement) -> Result<Vec<RecordRow>, Error> {
        self.db.rows(statement).await?.iter().map(read).collect()
    }
}

pub(crate) fn of_connection(connection: &ConnectionId) -> Statement {
    Statement::new(SELECT).push(" WHERE connection = ").push_bind(connection.as_str())
}

fn page(statement: Statement, after: Option<&RecordId>, limit: i64) -> Statement {
    let after = after.map_or("", RecordId::as_str);
    statement.push(" AND id > ").push_bind(after).push(" ORDER BY id LIMIT ").push_bind(limit)
}

pub(crate) fn read(row: &AnyRow) -> Result<RecordRow, Error> {
    let row = TABLE.row(row);
    let mut read = RecordRow {
        connection: row.parsed("connection", |text| ConnectionId::new(text).ok())?,
        id: RecordId::new(row.text("id")?),
        version: row.integer("version")?,
        record_type: row.text("record_type")?,
        source_type: row.text("source_type")?,
        amount: row.optional_parsed("amount", from_str)?,
        currency: row.optional_text("currency")?,
        merchant: row.optional_text("merchant")?,
        posting_date: row.optional_text("posting_date")?,
        stage: row.parsed("stage", from_str)?,
        rev: row.integer("rev")?,
        hold: read_hold(&row)?,
        held_ms: row.optional_integer("held_ms")?,
        due_ms: row.optional_integer("due_ms")?,
        attempts: row.integer("attempts")?,
        vendor_number: row.optional_text("vendor_number")?,
        document_kind: row.optional_parsed("document_kind", DocumentKind::from_stored)?,
        document_key: row.optional_text("document_key")?,
        document_id: row.optional_uuid("document_id")?,
        document_no: row.optional_text("document_no")?,
        plan: row.optional_text("plan")?,
        first_seen_ms: row.integer("first_seen_ms")?,
        updated_ms: row.integer("updated_ms")?,
        exported_ms: row.optional_integer("exported_ms")?,
        source_id: row.optional_text("source_id")?,
        posted_ms: row.optional_integer("posted_ms")?,
        failure: row.optional_parsed("failure", Failure::from_stored)?,
        as_read: AsRead::default(),
    };
    read.as_read = AsRead::of(&read);
    Ok(read)
}

fn read_hold(row: &Columns<'_>) -> Result<Option<Hold>, Error> {
    let Some(code) = row.optional_parsed::<HoldCode>("hold_code", from_str)? else { return Ok(None) };
    Ok(Some(Hold::new(code, row.text("hold_text")?)))
}
