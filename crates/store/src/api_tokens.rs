//! The table `api_tokens`: who may use the admin API, and until when. Of a token only the SHA-256 of its secret is kept. What
//! is made and revoked is in the trail of the installation.

use domain::access::Role;
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::row::{Columns, Table};
use crate::users;

const TABLE: Table = Table { name: "api_tokens", key: &["name"] };

const SELECT: &str = "SELECT name, user_name, role, connection, created_by, created_ms, expires_ms, revoked_ms, used_day \
     FROM api_tokens";

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// What the trail calls it.
    pub name: String,
    /// The user that it counts as; none for a service.
    pub user: Option<String>,
    /// What it may do at most.
    pub role: Role,
    /// The only connection that it may ask about; none = all.
    pub connection: Option<ConnectionId>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_ms: i64,
    /// Until when it may be used.
    pub expires_ms: i64,
    /// Since when it may be used no more.
    pub revoked_ms: Option<i64>,
    /// The day on which it was last used (days since 1970, UTC).
    pub used_day: Option<i64>,
}

/// A token that was looked for by its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundToken {
    /// The token.
    pub token: ApiToken,
    /// The hash that it is known by.
    pub token_hash: String,
    /// What its user may do now; none if there is no such user, or the user is disabled.
    pub user_role: Option<Role>,
}

/// Why a token is not made or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// There is or was one.
    #[error("there is or was a token of this name: a name is used once, so that the trail stays clear")]
    Exists,
    /// There is none.
    #[error("there is no token of this name")]
    Unknown,
    /// Nobody is called so, or the user is disabled.
    #[error("there is no user of this name who may act here")]
    NoUser,
    /// A token may do no more than the user it counts as.
    #[error("the user has the role {0}, and a token may do no more than its user")]
    MoreThanUser(Role),
}

/// Methods on the tokens.
pub struct ApiTokens<'a> {
    pub(crate) db: &'a Db,
}

impl ApiTokens<'_> {
    /// Every token, by name.
    pub async fn list(&self) -> Result<Vec<ApiToken>, Error> {
        let rows = self.db.rows(Statement::new(SELECT).push(" ORDER BY name")).await?;
        rows.iter().map(|row| read(&TABLE.row(row))).collect()
    }

    /// The token of this hash, whether it may be used or not.
    pub async fn find(&self, token_hash: &str) -> Result<Option<FoundToken>, Error> {
        let statement = Statement::new(
            "SELECT api_tokens.name AS name, user_name, api_tokens.role AS role, connection, created_by, \
             api_tokens.created_ms AS created_ms, expires_ms, revoked_ms, used_day, token_hash, users.role AS user_role \
             FROM api_tokens LEFT JOIN users ON users.name = api_tokens.user_name AND users.disabled_ms IS NULL \
             WHERE token_hash = $1",
        )
        .bind(token_hash);
        let found = |row: &AnyRow| {
            let row = TABLE.row(row);
            Ok(FoundToken {
                token: read(&row)?,
                token_hash: row.text("token_hash")?,
                user_role: row.optional_parsed("user_role", Role::from_name)?,
            })
        };
        self.db.first(statement).await?.as_ref().map(found).transpose()
    }

    /// Adds a token, unless it must not be.
    pub async fn create(
        &self,
        token: &ApiToken,
        token_hash: &str,
        actor: &Actor,
    ) -> Result<Result<(), TokenRefusal>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            if let Some(refusal) = refused(&mut tx, token).await? {
                Err(refusal)
            } else {
                insert(&mut tx, token, token_hash).await?;
                let detail = json!({
                    "role": token.role, "user": token.user, "connection": token.connection,
                    "expires_ms": token.expires_ms,
                });
                users::append(&mut tx, note("token_created", &token.name, detail), token.created_ms, actor).await?;
                Ok(())
            }
        })
    }

    /// Lets a token be used no more. One that was revoked before stays as it is.
    pub async fn revoke(&self, name: &str, now_ms: i64, actor: &Actor) -> Result<Result<(), TokenRefusal>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            match named(&mut tx, name).await? {
                None => Err(TokenRefusal::Unknown),
                Some(token) if token.revoked_ms.is_some() => Ok(()),
                Some(_) => {
                    Statement::new("UPDATE api_tokens SET revoked_ms = $2 WHERE name = $1")
                        .bind(name)
                        .bind(now_ms)
                        .execute_one(&mut tx, TABLE.name)
                        .await?;
                    users::append(&mut tx, note("token_revoked", name, json!({})), now_ms, actor).await?;
                    Ok(())
                }
            }
        })
    }

    /// Notes the day on which the token was last used.
    pub async fn note_use(&self, name: &str, day: i64) -> Result<(), Error> {
        in_transaction!(self.db, tx => {
            Statement::new("UPDATE api_tokens SET used_day = $2 WHERE name = $1")
                .bind(name)
                .bind(day)
                .execute(&mut tx)
                .await?;
        })
    }
}

async fn named(tx: &mut AnyConnection, name: &str) -> Result<Option<ApiToken>, Error> {
    let rows = Statement::new(SELECT).push(" WHERE name = ").push_bind(name).rows(tx).await?;
    rows.first().map(|row| read(&TABLE.row(row))).transpose()
}

async fn refused(tx: &mut AnyConnection, token: &ApiToken) -> Result<Option<TokenRefusal>, Error> {
    if named(tx, &token.name).await?.is_some() {
        return Ok(Some(TokenRefusal::Exists));
    }
    let Some(user) = &token.user else { return Ok(None) };
    let rows = Statement::new("SELECT name, role FROM users WHERE disabled_ms IS NULL AND name = $1")
        .bind(user.as_str())
        .rows(tx)
        .await?;
    let role = rows.first().map(|row| TABLE.row(row).parsed("role", Role::from_name)).transpose()?;
    Ok(match role {
        None => Some(TokenRefusal::NoUser),
        Some(role) if token.role > role => Some(TokenRefusal::MoreThanUser(role)),
        Some(_) => None,
    })
}

async fn insert(tx: &mut AnyConnection, token: &ApiToken, token_hash: &str) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO api_tokens (name, token_hash, user_name, role, connection, created_by, created_ms, expires_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(token.name.as_str())
    .bind(token_hash)
    .bind(token.user.as_deref())
    .bind(token.role.as_str())
    .bind(token.connection.as_ref().map(ConnectionId::as_str))
    .bind(token.created_by.as_str())
    .bind(token.created_ms)
    .bind(token.expires_ms)
    .execute_one(tx, TABLE.name)
    .await
}

fn note(action: &str, name: &str, detail: Value) -> Note {
    Note { action: action.to_owned(), subject: format!("token {name}"), before: None, after: None, detail }
}

fn read(row: &Columns<'_>) -> Result<ApiToken, Error> {
    Ok(ApiToken {
        name: row.text("name")?,
        user: row.optional_text("user_name")?,
        role: row.parsed("role", Role::from_name)?,
        connection: row.optional_parsed("connection", |text| ConnectionId::new(text).ok())?,
        created_by: row.text("created_by")?,
        created_ms: row.integer("created_ms")?,
        expires_ms: row.integer("expires_ms")?,
        revoked_ms: row.optional_integer("revoked_ms")?,
        used_day: row.optional_integer("used_day")?,
    })
}
