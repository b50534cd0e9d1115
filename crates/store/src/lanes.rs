//! The table `lanes`: who may work on a lane, and the epoch that fences off whoever could before.

use sqlx::AnyConnection;

use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "lanes", key: &["lane"] };

/// The right to work on a lane until it expires. Every write carries its epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The lane.
    pub lane: String,
    /// Who holds it: a name that no other process has.
    pub holder: String,
    /// Grows with every change of holder.
    pub epoch: i64,
    /// When it expires unless renewed.
    pub expires_ms: i64,
}

/// Methods on the lanes.
pub struct Lanes<'a> {
    pub(crate) db: &'a Db,
}

impl Lanes<'_> {
    /// Takes the lane if it is free, expired, or already the holder's. A lease of the holder is extended under its epoch, also after it
    /// expired, as long as nobody else has taken it; every other one gets the next epoch.
    pub async fn lease(&self, lane: &str, holder: &str, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, Error> {
        let expires_ms = now_ms.saturating_add(ttl_ms);
        let epoch = in_transaction!(self.db, tx => {
            let taken = Statement::new(
                "UPDATE lanes SET epoch = CASE WHEN holder = $2 THEN epoch ELSE epoch + 1 END, \
                 holder = $2, expires_ms = $3 \
                 WHERE lane = $1 AND (holder IS NULL OR holder = $2 OR expires_ms <= $4) \
                 AND NOT EXISTS (SELECT 1 FROM left_for)",
            )
            .bind(lane)
            .bind(holder)
            .bind(expires_ms)
            .bind(now_ms)
            .execute(&mut tx)
            .await?;
            let created = if taken == 0 { create(&mut tx, lane, holder, expires_ms).await? } else { 0 };
            if taken + created == 1 { epoch_of(&mut tx, lane).await? } else { None }
        })?;
        Ok(epoch.map(|epoch| Lease { lane: lane.to_owned(), holder: holder.to_owned(), epoch, expires_ms }))
    }

    /// Takes the lane from whoever held it. Only for a process that knows that no other one works on this database,
    /// because it holds the lock of the database file.
    pub async fn seize(&self, lane: &str, holder: &str, now_ms: i64, ttl_ms: i64) -> Result<Option<Lease>, Error> {
        in_transaction!(self.db, tx => {
            Statement::new("UPDATE lanes SET holder = NULL, expires_ms = 0 WHERE lane = $1 AND holder <> $2")
                .bind(lane)
                .bind(holder)
                .execute(&mut tx)
                .await?;
        })?;
        self.lease(lane, holder, now_ms, ttl_ms).await
    }

    /// Who holds the lane and until when, whether that has passed or not; none if it is free.
    pub async fn standing(&self, lane: &str) -> Result<Option<Lease>, Error> {
        let statement =
            Statement::new("SELECT lane, holder, epoch, expires_ms FROM lanes WHERE lane = $1 AND holder IS NOT NULL");
        let Some(row) = self.db.first(statement.bind(lane)).await? else { return Ok(None) };
        let row = TABLE.row(&row);
        Ok(Some(Lease {
            lane: row.text("lane")?,
            holder: row.text("holder")?,
            epoch: row.integer("epoch")?,
            expires_ms: row.integer("expires_ms")?,
        }))
    }

    /// Takes the lane from a holder that has not renewed its lease since `standing` was read. Only for a process that has waited for
    /// as long as a lease lasts by a clock that nobody sets: then it is over, whatever the time of day was where it was given.
    pub async fn inherit(
        &self,
        standing: &Lease,
        holder: &str,
        now_ms: i64,
        ttl_ms: i64,
    ) -> Result<Option<Lease>, Error> {
        in_transaction!(self.db, tx => {
            Statement::new(
                "UPDATE lanes SET holder = NULL, expires_ms = 0 \
                 WHERE lane = $1 AND holder = $2 AND epoch = $3 AND expires_ms = $4",
            )
            .bind(standing.lane.as_str())
            .bind(standing.holder.as_str())
            .bind(standing.epoch)
            .bind(standing.expires_ms)
            .execute(&mut tx)
            .await?;
        })?;
        self.lease(&standing.lane, holder, now_ms, ttl_ms).await
    }

    /// Extends the lease, also after it expired, as long as nobody else has taken the lane.
    pub async fn renew(&self, lease: &Lease, now_ms: i64, ttl_ms: i64) -> Result<Lease, Error> {
        let expires_ms = now_ms.saturating_add(ttl_ms);
        in_transaction!(self.db, tx => {
            let renewed = Statement::new(
                "UPDATE lanes SET expires_ms = $4 WHERE lane = $1 AND holder = $2 AND epoch = $3 \
                 AND NOT EXISTS (SELECT 1 FROM left_for)",
            )
            .bind(lease.lane.as_str())
            .bind(lease.holder.as_str())
            .bind(lease.epoch)
            .bind(expires_ms)
            .execute(&mut tx)
            .await?;
            if renewed != 1 {
                return_lost()?;
            }
        })?;
        Ok(Lease { expires_ms, ..lease.clone() })
    }

    /// Gives the lane back.
    pub async fn release(&self, lease: &Lease) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            let released = Statement::new(
                "UPDATE lanes SET holder = NULL, expires_ms = 0 WHERE lane = $1 AND holder = $2 AND epoch = $3",
            )
            .bind(lease.lane.as_str())
            .bind(lease.holder.as_str())
            .bind(lease.epoch)
            .execute(&mut tx)
            .await?;
            if released != 1 {
                return_lost()?;
            }
        })
    }

    /// Whether the lease still stands and has not expired; to be asked immediately before a remote write.
    pub async fn holds(&self, lease: &Lease, now_ms: i64) -> Result<bool, Error> {
        let statement = Statement::new(
            "SELECT epoch FROM lanes WHERE lane = $1 AND holder = $2 AND epoch = $3 AND expires_ms > $4",
        )
        .bind(lease.lane.as_str())
        .bind(lease.holder.as_str())
        .bind(lease.epoch)
        .bind(now_ms);
        Ok(self.db.first(statement).await?.is_some())
    }

    /// Whether any lane is leased now: some process works on this database, or was killed within the time of a lease.
    pub async fn are_leased(&self, now_ms: i64) -> Result<bool, Error> {
        let statement = Statement::new("SELECT lane FROM lanes WHERE holder IS NOT NULL AND expires_ms > $1 LIMIT 1");
        Ok(self.db.first(statement.bind(now_ms)).await?.is_some())
    }
}

/// Checks the lease inside a transaction. The update also locks the row, so that no other process can take the lane
/// before this transaction ends.
pub(crate) async fn fence(connection: &mut AnyConnection, lease: &Lease) -> Result<(), Error> {
    let held = Statement::new(
        "UPDATE lanes SET holder = $2 WHERE lane = $1 AND holder = $2 AND epoch = $3 \
         AND NOT EXISTS (SELECT 1 FROM left_for)",
    )
    .bind(lease.lane.as_str())
    .bind(lease.holder.as_str())
    .bind(lease.epoch)
    .execute(connection)
    .await?;
    if held == 1 { Ok(()) } else { return_lost() }
}

fn return_lost() -> Result<(), Error> {
    Err(Error::LostLease)
}

async fn create(connection: &mut AnyConnection, lane: &str, holder: &str, expires_ms: i64) -> Result<u64, Error> {
    Statement::new(
        "INSERT INTO lanes (lane, holder, epoch, expires_ms) VALUES ($1, $2, 1, $3) ON CONFLICT (lane) DO NOTHING",
    )
    .bind(lane)
    .bind(holder)
    .bind(expires_ms)
    .execute(connection)
    .await
}

async fn epoch_of(connection: &mut AnyConnection, lane: &str) -> Result<Option<i64>, Error> {
    let rows = Statement::new("SELECT lane, epoch FROM lanes WHERE lane = $1").bind(lane).rows(connection).await?;
    rows.first().map(|row| TABLE.row(row).integer("epoch")).transpose()
}
