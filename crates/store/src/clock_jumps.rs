//! What waits by the time of day when that time is put forward or back: each settle window begins anew, so that none ends earlier than
//! its length after the attempt, whatever was written before and after the jump; and nothing rests for as long as a clock was wrong.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;

use crate::audit;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const JOBS: Table = Table { name: "jobs", key: &["connection"] };

/// Until when what became of a write is looked for.
const WINDOWS: [&str; 3] = [
    "UPDATE intents SET settle_until_ms = $2, probes = 0 WHERE connection = $1 AND outcome IS NULL",
    "UPDATE vendor_proposals SET settle_until_ms = $2, probes = 0 WHERE connection = $1 AND settle_until_ms IS NOT NULL",
    "UPDATE payment_lines SET settle_until_ms = $2, probes = 0 WHERE connection = $1 AND settle_until_ms IS NOT NULL",
];

/// Since when.
const SENT: [&str; 2] = [
    "UPDATE receipts SET sent_ms = $2 WHERE connection = $1 AND sent_ms IS NOT NULL",
    "UPDATE transfer_orders SET sent_ms = $2 WHERE connection = $1 AND transfer_id IS NULL AND sent_ms IS NOT NULL",
];

/// Since when Brex may forget the key: never later than now.
const FIRST_SENT: &str = "UPDATE transfer_orders \
     SET first_sent_ms = CASE WHEN first_sent_ms + $2 < $3 THEN first_sent_ms + $2 ELSE $3 END \
     WHERE connection = $1 AND transfer_id IS NULL AND first_sent_ms IS NOT NULL";

/// When it is looked at next, and when it last was: else the next process takes the same jump for another one ([`ClockJumps::last_seen`]).
const DUE: [&str; 6] = [
    "UPDATE jobs SET due_ms = due_ms + $2, started_ms = started_ms + $2, finished_ms = finished_ms + $2 WHERE connection = $1",
    "UPDATE records SET due_ms = due_ms + $2 WHERE connection = $1 AND due_ms IS NOT NULL",
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
    /// The time of day went on by `jump_ms` more than time passed, or by less: what is being settled is looked for until
    /// `settle_until_ms`. What is due goes along backwards only, since what comes due too early is looked at and left alone. The same
    /// jump told twice does no harm. One transaction with its entry in the trail.
    #[expect(clippy::too_many_arguments, reason = "one moment and one jump, each a number")]
    pub async fn follow(
        &self,
        lease: &Lease,
        connection: &ConnectionId,
        jump_ms: i64,
        settle_until_ms: i64,
        now_ms: i64,
        actor: &Actor,
        note: &Note,
    ) -> Result<(), Error> {
        let due = if jump_ms < 0 { &DUE[..] } else { &[] };
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            for update in WINDOWS {
                Statement::new(update).bind(connection.as_str()).bind(settle_until_ms).execute(&mut tx).await?;
            }
            for update in SENT {
                Statement::new(update).bind(connection.as_str()).bind(now_ms).execute(&mut tx).await?;
            }
            let first_sent = Statement::new(FIRST_SENT).bind(connection.as_str()).bind(jump_ms).bind(now_ms);
            first_sent.execute(&mut tx).await?;
            for update in due {
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
