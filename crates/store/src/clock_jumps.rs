//! What waits by the time of day keeps its distance when that time is put forward or back: no settle window ends earlier than its
//! length after the attempt, and nothing rests for as long as a clock was wrong.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;

use crate::audit;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const JOBS: Table = Table { name: "jobs", key: &["connection"] };

/// Since when, or until when, what became of a write is looked for.
const SETTLING: [&str; 5] = [
    "UPDATE intents SET settle_until_ms = settle_until_ms + $2 WHERE connection = $1 AND outcome IS NULL",
    "UPDATE vendor_proposals SET settle_until_ms = settle_until_ms + $2 WHERE connection = $1 AND settle_until_ms IS NOT NULL",
    "UPDATE payment_lines SET settle_until_ms = settle_until_ms + $2 WHERE connection = $1 AND settle_until_ms IS NOT NULL",
    "UPDATE receipts SET sent_ms = sent_ms + $2 WHERE connection = $1 AND sent_ms IS NOT NULL",
    "UPDATE transfer_orders SET sent_ms = sent_ms + $2, first_sent_ms = first_sent_ms + $2 \
     WHERE connection = $1 AND transfer_id IS NULL AND sent_ms IS NOT NULL",
];

/// When it is looked at next, and when it last was: else the next process takes the same jump for another one ([`ClockJumps::last_seen`]).
const DUE: [&str; 7] = [
    "UPDATE jobs SET started_ms = started_ms + $2, finished_ms = finished_ms + $2 WHERE connection = $1",
    "UPDATE records SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
    "UPDATE jobs SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
    "UPDATE vendor_proposals SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
    "UPDATE payment_lines SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
    "UPDATE transfer_orders SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
    "UPDATE brex_vendors SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
];

/// Methods on what waits.
pub struct ClockJumps<'a> {
    pub(crate) db: &'a Db,
}

impl ClockJumps<'_> {
    /// The time of day went on by `jump_ms` more than time passed, or by less: what is being settled goes along. What is due goes
    /// along backwards only, since what comes due too early is looked at and left alone. One transaction with its entry in the trail.
    pub async fn follow(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        jump_ms: i64,
        now_ms: i64,
        actor: &Actor,
        note: &Note,
    ) -> Result<(), Error> {
        let due = if jump_ms < 0 { &DUE[..] } else { &[] };
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            for update in SETTLING.iter().chain(due) {
                Statement::new(update).bind(connection.as_str()).bind(jump_ms).execute(&mut tx).await?;
            }
            audit::append_notes(&mut tx, connection, now_ms, actor, vec![note]).await?;
        })
    }

    /// When a job of the connection last started or ended: with a right clock no process sees a time before that.
    pub async fn last_seen(&self, connection: &ConnectionId) -> Result<Option<i64>, Error> {
        let statement = Statement::new(
            "SELECT connection, MAX(CASE WHEN finished_ms > started_ms THEN finished_ms ELSE started_ms END) AS seen_ms \
             FROM jobs WHERE connection = $1 GROUP BY connection",
        )
        .bind(connection.as_str());
        let row = self.db.first(statement).await?;
        Ok(row.map(|row| JOBS.row(&row).optional_integer("seen_ms")).transpose()?.flatten())
    }
}
