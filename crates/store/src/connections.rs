//! The table `connections`: who is at either end, and what is wrong with the connection as a whole.

use domain::id::ConnectionId;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "connections", key: &["id"] };

/// What is wrong with a connection as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// One sentence that an IT person can act on.
    pub sentence: String,
}

/// A connection as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Its name.
    pub id: ConnectionId,
    /// Brex company id, once known.
    pub brex_company_id: Option<String>,
    /// BC company id, once known.
    pub bc_company_id: Option<Uuid>,
    /// BC company name, once known.
    pub bc_company_name: Option<String>,
    /// What holds the connection.
    pub problem: Option<Problem>,
    /// Since when this problem stands.
    pub problem_since_ms: Option<i64>,
    /// When the connection was first seen.
    pub created_ms: i64,
}

/// Methods on the connections.
pub struct Connections<'a> {
    pub(crate) db: &'a Db,
}

const SELECT: &str = "SELECT id, brex_company_id, bc_company_id, bc_company_name, problem_code, problem_text, \
     problem_since_ms, created_ms FROM connections";

impl Connections<'_> {
    /// Makes sure that the connection has its row.
    pub async fn ensure(&self, id: &ConnectionId, now_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new("INSERT INTO connections (id, created_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
                .bind(id.as_str())
                .bind(now_ms)
                .execute(&mut tx)
                .await?;
        })
    }

    /// Remembers who is at either end.
    pub async fn set_identity(
        &self,
        id: &ConnectionId,
        brex_company_id: &str,
        bc_company_id: Uuid,
        bc_company_name: &str,
    ) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new(
                "UPDATE connections SET brex_company_id = $2, bc_company_id = $3, bc_company_name = $4 WHERE id = $1",
            )
            .bind(id.as_str())
            .bind(clean(brex_company_id))
            .bind(bc_company_id.to_string())
            .bind(clean(bc_company_name))
            .execute_one(&mut tx, TABLE.name)
            .await?;
        })
    }

    /// Sets or clears the problem. While the code stays the same, the time since when it stands stays too.
    pub async fn set_problem(&self, id: &ConnectionId, problem: Option<&Problem>, now_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new(
                "UPDATE connections SET problem_since_ms = CASE WHEN problem_code = $2 THEN problem_since_ms ELSE $3 END, \
                 problem_code = $2, problem_text = $4 WHERE id = $1",
            )
            .bind(id.as_str())
            .bind(problem.map(|problem| clean(&problem.code)))
            .bind(problem.map(|_| now_ms))
            .bind(problem.map(|problem| clean(&problem.sentence)))
            .execute_one(&mut tx, TABLE.name)
            .await?;
        })
    }

    /// Every connection, by name.
    pub async fn list(&self) -> Result<Vec<ConnectionRow>, Error> {
        let rows = self.db.rows(Statement::new(SELECT).push(" ORDER BY id")).await?;
        rows.iter().map(read).collect()
    }

    /// Those that ever worked between these two companies, by name.
    pub async fn list_between(&self, brex_company_id: &str, bc_company_id: Uuid) -> Result<Vec<ConnectionId>, Error> {
        let statement =
            Statement::new("SELECT id FROM connections WHERE brex_company_id = $1 AND bc_company_id = $2 ORDER BY id")
                .bind(brex_company_id)
                .bind(bc_company_id.to_string());
        let rows = self.db.rows(statement).await?;
        rows.iter().map(|row| TABLE.row(row).parsed("id", |text| ConnectionId::new(text).ok())).collect()
    }

    /// One connection.
    pub async fn get(&self, id: &ConnectionId) -> Result<Option<ConnectionRow>, Error> {
        let row = self.db.first(Statement::new(SELECT).push(" WHERE id = ").push_bind(id.as_str())).await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &AnyRow) -> Result<ConnectionRow, Error> {
    let row = TABLE.row(row);
    let problem = match (row.optional_text("problem_code")?, row.optional_text("problem_text")?) {
        (Some(code), sentence) => Some(Problem { code, sentence: sentence.unwrap_or_default() }),
        (None, _) => None,
    };
    Ok(ConnectionRow {
        id: row.parsed("id", |text| ConnectionId::new(text).ok())?,
        brex_company_id: row.optional_text("brex_company_id")?,
        bc_company_id: row.optional_uuid("bc_company_id")?,
        bc_company_name: row.optional_text("bc_company_name")?,
        problem,
        problem_since_ms: row.optional_integer("problem_since_ms")?,
        created_ms: row.integer("created_ms")?,
    })
}
