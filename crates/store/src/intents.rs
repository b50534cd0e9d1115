//! The table `intents`: what was about to be written to Business Central, committed before it was sent. An intent
//! without outcome is an unknown outcome.

use std::collections::{HashMap, HashSet};

use domain::document::DocumentKind;
use domain::id::{ConnectionId, RecordId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::apply::Change;
use crate::db::Db;
use crate::dialect::{CHUNK, Statement, clean};
use crate::error::Error;
use crate::row::{Table, Waiting};

const TABLE: Table = Table { name: "intents", key: &["connection", "record_id", "attempt"] };

const SELECT: &str = "SELECT connection, record_id, attempt, epoch, document_kind, document_key, vendor_number, \
     payload_hash, created_ms, settle_until_ms, probes, outcome, outcome_ms, document_id, detail, purpose, target FROM intents \
     WHERE connection = $1";

/// What was attempted for a record so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// The highest number; 0 without any.
    pub last: i64,
    /// Whether something may have come of one of them.
    pub may_have_effect: bool,
}

/// What an intent is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The document is made.
    Create,
    /// The document is posted.
    Post,
    /// The draft is brought in line with a later version.
    Revise,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Create, Self::Post, Self::Revise];

    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Post => "post",
            Self::Revise => "revise",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// How an intent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// BC said that it created the document.
    Created,
    /// The document was found with our marker.
    Adopted,
    /// BC refused it.
    Refused,
    /// It was never sent, or certainly not carried out.
    NotExecuted,
    /// It was not there at the end of the settle window.
    Absent,
    /// A document that is not ours has the number.
    PossibleDuplicate,
    /// The document is posted.
    Posted,
    /// The draft is as the later version asks.
    Revised,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Adopted,
        Self::Refused,
        Self::NotExecuted,
        Self::Absent,
        Self::PossibleDuplicate,
        Self::Posted,
        Self::Revised,
    ];

    /// Stable name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Refused => "refused",
            Self::NotExecuted => "not_executed",
            Self::Absent => "absent",
            Self::PossibleDuplicate => "possible_duplicate",
            Self::Posted => "posted",
            Self::Revised => "revised",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// One attempt to change something in Business Central for a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The record.
    pub record_id: RecordId,
    /// Counts from 1 per record, whatever the purpose.
    pub attempt: i64,
    /// What is attempted.
    pub purpose: Purpose,
    /// What shall be there in the end, where the record's plan still says what was there before.
    pub target: Option<String>,
    /// Epoch of the lease under which it was opened.
    pub epoch: i64,
    /// Kind of the document.
    pub document_kind: DocumentKind,
    /// The number by which the document is recognised.
    pub document_key: String,
    /// Number of the BC vendor.
    pub vendor_number: String,
    /// Hash of what is sent.
    pub payload_hash: String,
    /// When it was opened.
    pub created_ms: i64,
    /// Until when an unknown outcome is only looked for.
    pub settle_until_ms: i64,
    /// How often it was looked for.
    pub probes: i64,
    /// How it ended; none = open.
    pub outcome: Option<Outcome>,
    /// When it ended.
    pub outcome_ms: Option<i64>,
    /// The document that came of it.
    pub document_id: Option<Uuid>,
    /// What was said.
    pub detail: Option<String>,
}

/// What happens to an intent together with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentChange {
    /// A new attempt; its record must be the change's.
    Open(Intent),
    /// It was looked for in vain.
    Probed {
        /// The attempt.
        attempt: i64,
        /// How often it was looked for by now.
        probes: i64,
    },
    /// Nobody knows whether it was executed: the time of looking starts now, under this epoch.
    Unclear {
        /// The attempt.
        attempt: i64,
        /// Epoch of the lease under which it is looked for.
        epoch: i64,
        /// Until when it is only looked for.
        settle_until_ms: i64,
    },
    /// It ended.
    Settled {
        /// The attempt.
        attempt: i64,
        /// How.
        outcome: Outcome,
        /// The document that came of it.
        document_id: Option<Uuid>,
        /// What was said.
        detail: Option<String>,
    },
}

/// Methods on the intents.
pub struct Intents<'a> {
    pub(crate) db: &'a Db,
}

impl Intents<'_> {
    /// The open intents of these records.
    pub async fn list_open(&self, connection: &ConnectionId, ids: &[RecordId]) -> Result<Vec<Intent>, Error> {
        let mut found = Vec::new();
        for ids in ids.chunks(CHUNK) {
            let statement = Statement::new(SELECT)
                .bind(connection.as_str())
                .push(" AND outcome IS NULL AND record_id IN ")
                .push_list(ids.iter().map(RecordId::as_str))
                .push(" ORDER BY record_id");
            for row in self.db.rows(statement).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// The open intents to make a document for one of these vendors, of whatever record.
    pub async fn list_open_of_vendors(
        &self,
        connection: &ConnectionId,
        vendor_numbers: &[&str],
    ) -> Result<Vec<Intent>, Error> {
        let mut found = Vec::new();
        for numbers in vendor_numbers.chunks(CHUNK) {
            let statement = Statement::new(SELECT)
                .bind(connection.as_str())
                .push(" AND outcome IS NULL AND purpose = ")
                .push_bind(Purpose::Create.as_str())
                .push(" AND vendor_number IN ")
                .push_list(numbers.iter().copied());
            for row in self.db.rows(statement).await? {
                found.push(read(&row)?);
            }
        }
        Ok(found)
    }

    /// Every attempt of a record, the first one first.
    pub async fn list_for(&self, connection: &ConnectionId, record: &RecordId) -> Result<Vec<Intent>, Error> {
        let statement = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND record_id = ")
            .push_bind(record.as_str())
            .push(" ORDER BY attempt");
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// How often each of these records' documents was sent to be made.
    pub async fn count_creates(
        &self,
        connection: &ConnectionId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, i64>, Error> {
        self.count_of(connection, ids, None).await
    }

    /// How often each of these records' documents was sent to be made and was not there at the end of a settle window.
    pub async fn count_absent(
        &self,
        connection: &ConnectionId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, i64>, Error> {
        self.count_of(connection, ids, Some(Outcome::Absent)).await
    }

    /// How often each of these records' documents was sent to be made, and ended so, if that matters.
    async fn count_of(
        &self,
        connection: &ConnectionId,
        ids: &[RecordId],
        outcome: Option<Outcome>,
    ) -> Result<HashMap<RecordId, i64>, Error> {
        let mut counts = HashMap::new();
        for ids in ids.chunks(CHUNK) {
            let mut statement = Statement::new(
                "SELECT connection, record_id, MAX(attempt) AS attempt, CAST(COUNT(*) AS BIGINT) AS counted FROM intents \
                 WHERE connection = $1 AND purpose = $2 AND record_id IN ",
            )
            .bind(connection.as_str())
            .bind(Purpose::Create.as_str())
            .push_list(ids.iter().map(RecordId::as_str));
            if let Some(outcome) = outcome {
                statement = statement.push(" AND outcome = ").push_bind(outcome.as_str());
            }
            let statement = statement.push(" GROUP BY connection, record_id");
            for row in self.db.rows(statement).await? {
                let row = TABLE.row(&row);
                counts.insert(RecordId::new(row.text("record_id")?), row.integer("counted")?);
            }
        }
        Ok(counts)
    }

    /// The attempts of each of these records that has one.
    pub async fn last_attempts(
        &self,
        connection: &ConnectionId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, Attempts>, Error> {
        let mut last = HashMap::new();
        for ids in ids.chunks(CHUNK) {
            let statement = Statement::new(
                "SELECT connection, record_id, MAX(attempt) AS attempt, \
                 MAX(CASE WHEN outcome = 'not_executed' THEN 0 ELSE 1 END) AS may_show FROM intents \
                 WHERE connection = $1 AND record_id IN ",
            )
            .bind(connection.as_str())
            .push_list(ids.iter().map(RecordId::as_str))
            .push(" GROUP BY connection, record_id");
            for row in self.db.rows(statement).await? {
                let row = TABLE.row(&row);
                let attempts =
                    Attempts { last: row.integer("attempt")?, may_have_effect: row.integer("may_show")? > 0 };
                last.insert(RecordId::new(row.text("record_id")?), attempts);
            }
        }
        Ok(last)
    }

    /// The intents of the connection without an outcome, and when the oldest was opened.
    pub async fn open(&self, connection: &ConnectionId) -> Result<Waiting, Error> {
        let statement = Statement::new(
            "SELECT CAST(COUNT(*) AS BIGINT) AS waiting, MIN(created_ms) AS oldest_ms FROM intents \
             WHERE connection = $1 AND outcome IS NULL",
        )
        .bind(connection.as_str());
        let row = self.db.first(statement).await?;
        row.map_or(Ok(Waiting::default()), |row| Waiting::read(&TABLE.row(&row)))
    }

    /// How many outcomes of the connection are unknown.
    pub async fn count_open(&self, connection: &ConnectionId) -> Result<i64, Error> {
        let statement = Statement::new(
            "SELECT CAST(COUNT(*) AS BIGINT) AS intents FROM intents WHERE connection = $1 AND outcome IS NULL",
        )
        .bind(connection.as_str());
        let row = self.db.first(statement).await?;
        row.map_or(Ok(0), |row| TABLE.row(&row).integer("intents"))
    }
}

fn read(row: &AnyRow) -> Result<Intent, Error> {
    let row = TABLE.row(row);
    Ok(Intent {
        record_id: RecordId::new(row.text("record_id")?),
        attempt: row.integer("attempt")?,
        purpose: row.parsed("purpose", Purpose::from_stored)?,
        target: row.optional_text("target")?,
        epoch: row.integer("epoch")?,
        document_kind: row.parsed("document_kind", DocumentKind::from_stored)?,
        document_key: row.text("document_key")?,
        vendor_number: row.text("vendor_number")?,
        payload_hash: row.text("payload_hash")?,
        created_ms: row.integer("created_ms")?,
        settle_until_ms: row.integer("settle_until_ms")?,
        probes: row.integer("probes")?,
        outcome: row.optional_parsed("outcome", Outcome::from_stored)?,
        outcome_ms: row.optional_integer("outcome_ms")?,
        document_id: row.optional_uuid("document_id")?,
        detail: row.optional_text("detail")?,
    })
}

/// Writes the intents of the changes.
pub(crate) async fn write(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    changes: &[&Change],
) -> Result<(), Error> {
    let mut opened: Vec<&Intent> = Vec::new();
    let mut settled: Vec<Settled<'_>> = Vec::new();
    for change in changes {
        let record = &change.row.id;
        match &change.intent {
            None => {}
            Some(IntentChange::Open(intent)) if intent.record_id == *record => opened.push(intent),
            Some(IntentChange::Open(intent)) => {
                return Err(Error::ForeignRecord { record: intent.record_id.to_string() });
            }
            Some(IntentChange::Probed { attempt, probes }) => {
                let statement = Statement::new("UPDATE intents SET probes = $4").push(OPEN_ATTEMPT);
                update(statement, tx, connection, record, *attempt, |s| s.bind(*probes)).await?;
            }
            Some(IntentChange::Unclear { attempt, epoch, settle_until_ms }) => {
                let statement = Statement::new("UPDATE intents SET epoch = $4, settle_until_ms = $5, probes = 0");
                let bind = |statement: Statement| statement.bind(*epoch).bind(*settle_until_ms);
                update(statement.push(OPEN_ATTEMPT), tx, connection, record, *attempt, bind).await?;
            }
            Some(IntentChange::Settled { attempt, outcome, document_id, detail }) => {
                settled.push(Settled {
                    record,
                    attempt: *attempt,
                    outcome: *outcome,
                    document_id: *document_id,
                    detail: detail.as_deref(),
                });
            }
        }
    }
    settle(tx, connection, now_ms, &settled).await?;
    open(tx, connection, &opened).await
}

/// How an attempt ended.
struct Settled<'c> {
    record: &'c RecordId,
    attempt: i64,
    outcome: Outcome,
    document_id: Option<Uuid>,
    detail: Option<&'c str>,
}

async fn settle(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    now_ms: i64,
    ends: &[Settled<'_>],
) -> Result<(), Error> {
    for ends in ends.chunks(CHUNK) {
        let rows = Statement::new(
            "UPDATE intents SET outcome = ended.column4, outcome_ms = ended.column5, document_id = ended.column6, \
             detail = ended.column7 FROM (",
        )
        .push_rows(ends, |end, tuple| {
            tuple
                .bind(connection.as_str())
                .bind(end.record.as_str())
                .bind(end.attempt)
                .bind(end.outcome.as_str())
                .bind(now_ms)
                .bind(end.document_id.map(|id| id.to_string()))
                .bind(end.detail.map(clean));
        })
        .push(
            ") AS ended WHERE intents.connection = ended.column1 AND intents.record_id = ended.column2 \
             AND intents.attempt = ended.column3 AND intents.outcome IS NULL RETURNING record_id",
        )
        .rows(tx)
        .await?;
        let written = rows.iter().map(|row| TABLE.row(row).text("record_id")).collect::<Result<HashSet<_>, _>>()?;
        if let Some(end) = ends.iter().find(|end| !written.contains(end.record.as_str())) {
            return Err(Error::NoOpenIntent { record: end.record.to_string(), attempt: end.attempt });
        }
    }
    Ok(())
}

const OPEN_ATTEMPT: &str = " WHERE connection = $1 AND record_id = $2 AND attempt = $3 AND outcome IS NULL";

async fn update(
    statement: Statement,
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    record: &RecordId,
    attempt: i64,
    bind: impl FnOnce(Statement) -> Statement,
) -> Result<(), Error> {
    let statement = bind(statement.bind(connection.as_str()).bind(record.as_str()).bind(attempt));
    match statement.execute(tx).await? {
        1 => Ok(()),
        _ => Err(Error::NoOpenIntent { record: record.to_string(), attempt }),
    }
}

async fn open(tx: &mut AnyConnection, connection: &ConnectionId, intents: &[&Intent]) -> Result<(), Error> {
    for intents in intents.chunks(CHUNK) {
        let there = Statement::new(SELECT)
            .bind(connection.as_str())
            .push(" AND outcome IS NULL AND record_id IN ")
            .push_list(intents.iter().map(|intent| intent.record_id.as_str()))
            .rows(tx)
            .await?;
        if let Some(row) = there.first() {
            return Err(Error::IntentOpen { record: TABLE.row(row).text("record_id")? });
        }
        Statement::new(
            "INSERT INTO intents (connection, record_id, attempt, epoch, document_kind, document_key, vendor_number, \
             payload_hash, created_ms, settle_until_ms, probes, purpose, target) ",
        )
        .push_rows(intents, |intent, tuple| {
            tuple
                .bind(connection.as_str())
                .bind(intent.record_id.as_str())
                .bind(intent.attempt)
                .bind(intent.epoch)
                .bind(intent.document_kind.as_str())
                .bind(intent.document_key.as_str())
                .bind(intent.vendor_number.as_str())
                .bind(intent.payload_hash.as_str())
                .bind(intent.created_ms)
                .bind(intent.settle_until_ms)
                .bind(intent.probes)
                .bind(intent.purpose.as_str())
                .bind(intent.target.as_deref().map(clean));
        })
        .execute(tx)
        .await?;
    }
    Ok(())
}
