//! The table `bc_subscriptions`: what Business Central tells us about, until when, and how its notifications are known.

use domain::id::ConnectionId;
use sqlx::any::AnyRow;

use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::lanes::{self, Lease};
use crate::row::Table;

const TABLE: Table = Table { name: "bc_subscriptions", key: &["connection", "entity_set"] };

/// A push subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcSubscriptionRow {
    /// The entity set, such as `vendors`.
    pub set: String,
    /// Business Central's id; none before it was made.
    pub subscription_id: Option<String>,
    /// SHA-256, in hexadecimal digits, of the client states that a genuine notification may carry; the newest first.
    pub states: Vec<String>,
    /// When it was last made or renewed.
    pub renewed_ms: Option<i64>,
    /// When Business Central forgets it.
    pub expires_ms: Option<i64>,
}

/// Methods on the subscriptions.
pub struct BcSubscriptions<'a> {
    pub(crate) db: &'a Db,
}

impl BcSubscriptions<'_> {
    /// Every subscription of the connection, by set.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<BcSubscriptionRow>, Error> {
        let statement = Statement::new(
            "SELECT connection, entity_set, subscription_id, states, renewed_ms, expires_ms FROM bc_subscriptions \
             WHERE connection = $1 ORDER BY entity_set",
        )
        .bind(connection.as_str());
        self.db.rows(statement).await?.iter().map(read).collect()
    }

    /// Keeps a subscription in the place of what was known of its set.
    pub async fn save(&self, lease: &Lease, connection: &ConnectionId, row: &BcSubscriptionRow) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            lanes::fence(&mut tx, lease).await?;
            Statement::new(
                "INSERT INTO bc_subscriptions (connection, entity_set, subscription_id, states, renewed_ms, expires_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (connection, entity_set) DO UPDATE SET \
                 subscription_id = excluded.subscription_id, states = excluded.states, \
                 renewed_ms = excluded.renewed_ms, expires_ms = excluded.expires_ms",
            )
            .bind(connection.as_str())
            .bind(row.set.as_str())
            .bind(row.subscription_id.as_deref().map(clean))
            .bind(row.states.join(" "))
            .bind(row.renewed_ms)
            .bind(row.expires_ms)
            .execute_one(&mut tx, TABLE.name)
            .await?;
        })
    }
}

fn read(row: &AnyRow) -> Result<BcSubscriptionRow, Error> {
    let row = TABLE.row(row);
    Ok(BcSubscriptionRow {
        set: row.text("entity_set")?,
        subscription_id: row.optional_text("subscription_id")?,
        states: row.text("states")?.split_whitespace().map(str::to_owned).collect(),
        renewed_ms: row.optional_integer("renewed_ms")?,
        expires_ms: row.optional_integer("expires_ms")?,
    })
}
