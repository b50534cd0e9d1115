//! The table `sessions`: who is signed in. A session is known by the SHA-256 of what the browser holds.

use domain::access::Role;
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::row::Table;
use crate::users;

const TABLE: Table = Table { name: "sessions", key: &["token_hash"] };

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedInWith {
    /// The password of the console.
    Password,
    /// A Microsoft account.
    Microsoft,
}

/// A session that holds, with what its user may do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub user: String,
    /// The user's role at this moment.
    pub role: Role,
    /// When the person signed in.
    pub created_ms: i64,
    /// When the session was last noted as used.
    pub seen_ms: i64,
}

/// Methods on the sessions.
pub struct Sessions<'a> {
    pub(crate) db: &'a Db,
}

impl Sessions<'_> {
    /// Starts a session, unless the user was disabled meanwhile; sessions whose time is over are swept out.
    pub async fn start(
        &self,
        token_hash: &str,
        user: &str,
        with: SignedInWith,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            Statement::new("DELETE FROM sessions WHERE expires_ms <= $1").bind(now_ms).execute(&mut tx).await?;
            let may = Statement::new("UPDATE users SET signed_in_ms = $2 WHERE name = $1 AND disabled_ms IS NULL")
                .bind(user)
                .bind(now_ms)
                .execute(&mut tx)
                .await?
                == 1;
            if may {
                Statement::new(
                    "INSERT INTO sessions (token_hash, user_name, created_ms, seen_ms, expires_ms) \
                     VALUES ($1, $2, $3, $3, $4)",
                )
                .bind(token_hash)
                .bind(user)
                .bind(now_ms)
                .bind(expires_ms)
                .execute_one(&mut tx, TABLE.name)
                .await?;
                let detail = match with {
                    SignedInWith::Password => json!({}),
                    SignedInWith::Microsoft => json!({ "with": "microsoft" }),
                };
                let note = Note { detail, ..users::plain("signed_in", user) };
                users::append(&mut tx, note, now_ms, &Actor::Person(user.to_owned())).await?;
            }
            may
        })
    }

    /// The session, if it holds and its user may still do something.
    pub async fn find(&self, token_hash: &str, now_ms: i64) -> Result<Option<Session>, Error> {
        let statement = Statement::new(
            "SELECT token_hash, user_name, role, sessions.created_ms AS created_ms, seen_ms FROM sessions \
             JOIN users ON users.name = sessions.user_name \
             WHERE token_hash = $1 AND expires_ms > $2 AND disabled_ms IS NULL",
        )
        .bind(token_hash)
        .bind(now_ms);
        self.db.first(statement).await?.as_ref().map(read).transpose()
    }

    /// Notes that the session was used, which moves its end.
    pub async fn touch(&self, token_hash: &str, now_ms: i64, expires_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new("UPDATE sessions SET seen_ms = $2, expires_ms = $3 WHERE token_hash = $1")
                .bind(token_hash)
                .bind(now_ms)
                .bind(expires_ms)
                .execute(&mut tx)
                .await?;
        })
    }

    /// Ends a session.
    pub async fn end(&self, token_hash: &str, user: &str, now_ms: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            let ended =
                Statement::new("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash).execute(&mut tx).await?;
            if ended > 0 {
                users::append(&mut tx, users::plain("signed_out", user), now_ms, &Actor::Person(user.to_owned())).await?;
            }
        })
    }
}

fn read(row: &AnyRow) -> Result<Session, Error> {
    let row = TABLE.row(row);
    Ok(Session {
        user: row.text("user_name")?,
        role: row.parsed("role", Role::from_name)?,
        created_ms: row.integer("created_ms")?,
        seen_ms: row.integer("seen_ms")?,
    })
}
