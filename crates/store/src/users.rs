//! The tables `users` and `invitations`: who may use the console, with which account, and who may set a password once. Every change is in the
//! trail of the installation.

use domain::access::Role;
use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use serde_json::json;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::Statement;
use crate::error::Error;
use crate::row::Table;

const TABLE: Table = Table { name: "users", key: &["name"] };
const INVITATIONS: Table = Table { name: "invitations", key: &["user_name"] };

const SELECT: &str = "SELECT name, role, password, microsoft, disabled_ms, created_ms, signed_in_ms FROM users";

/// A person who may use the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The Argon2id text of the password; none until it is set.
    pub password: Option<String>,
    /// The object id of the Microsoft account that is the person's; none until it was used once.
    pub microsoft: Option<String>,
    /// Since when the person may do nothing any more.
    pub disabled_ms: Option<i64>,
    /// When the user was added.
    pub created_ms: i64,
    /// When the person last signed in.
    pub signed_in_ms: Option<i64>,
}

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// A new user, who sets the password with an invitation.
    Add(Role),
    /// The holder of the invitation may set the password until the time is up; an earlier invitation ends.
    Invite {
        /// SHA-256 of the invitation.
        token_hash: String,
        /// Until when it may be used.
        expires_ms: i64,
    },
    /// Another role.
    SetRole(Role),
    /// May do nothing any more; every session ends.
    Disable,
    /// May sign in again.
    Enable,
    /// The Microsoft account that was bound is no longer the user's; every session ends.
    Unbind,
}

/// Why a change is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// There is no such user.
    #[error("there is no user of this name")]
    Unknown,
    /// There is one already.
    #[error("there is a user of this name already")]
    Exists,
    /// Nobody would be left to add others.
    #[error("this is the last admin: make somebody else an admin first")]
    LastAdmin,
}

/// Methods on the users.
pub struct Users<'a> {
    pub(crate) db: &'a Db,
}

impl Users<'_> {
    /// Every user, by name.
    pub async fn list(&self) -> Result<Vec<User>, Error> {
        self.db.rows(Statement::new(SELECT).push(" ORDER BY name")).await?.iter().map(read).collect()
    }

    /// The user of that name.
    pub async fn get(&self, name: &str) -> Result<Option<User>, Error> {
        self.db.first(named(name)).await?.as_ref().map(read).transpose()
    }

    /// Makes a change, unless it must not be made.
    pub async fn change(
        &self,
        name: &str,
        change: &UserChange,
        now_ms: i64,
        actor: &Actor,
    ) -> Result<Result<(), UserRefusal>, Error> {
        in_transaction!(self.db, tx => {
            // The head of the trail is locked first, so that of two who change at once the second sees the first.
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            if let Some(refusal) = refused(&mut tx, name, change).await? {
                Err(refusal)
            } else {
                let before = found(&mut tx, name).await?.map(|user| user.role);
                write(&mut tx, name, change, now_ms).await?;
                append(&mut tx, note(name, change, before), now_ms, actor).await?;
                Ok(())
            }
        })
    }

    /// The user who signs in with this Microsoft account.
    pub async fn of_microsoft(&self, object: &str) -> Result<Option<User>, Error> {
        let statement = Statement::new(SELECT).push(" WHERE microsoft = ").push_bind(object);
        self.db.first(statement).await?.as_ref().map(read).transpose()
    }

    /// Binds a Microsoft account to a user who may sign in and has none yet. False if there is no such user.
    pub async fn bind_microsoft(&self, name: &str, object: &str, now_ms: i64) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            let bound = Statement::new(
                "UPDATE users SET microsoft = $2 WHERE name = $1 AND microsoft IS NULL AND disabled_ms IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM users other WHERE other.microsoft = $2)",
            )
            .bind(name)
            .bind(object)
            .execute(&mut tx)
            .await?
                == 1;
            if bound {
                let note = Note { after: Some(object.to_owned()), ..plain("microsoft_account_bound", name) };
                append(&mut tx, note, now_ms, &Actor::Person(name.to_owned())).await?;
            }
            bound
        })
    }

    /// Whose invitation this is, if it may still be used.
    pub async fn invited(&self, token_hash: &str, now_ms: i64) -> Result<Option<String>, Error> {
        let row = self.db.first(invitation(token_hash, now_ms)).await?;
        row.map(|row| INVITATIONS.row(&row).text("user_name")).transpose()
    }

    /// Sets the password of whoever was invited and ends the invitation and every session. None if there is no such
    /// invitation any more.
    pub async fn accept(&self, token_hash: &str, password: &str, now_ms: i64) -> Result<Option<String>, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, &ConnectionId::installation()).await?;
            let rows = invitation(token_hash, now_ms).rows(&mut tx).await?;
            let name = rows.first().map(|row| INVITATIONS.row(row).text("user_name")).transpose()?;
            if let Some(name) = &name {
                Statement::new("DELETE FROM invitations WHERE user_name = $1").bind(name.as_str()).execute(&mut tx).await?;
                Statement::new("UPDATE users SET password = $2 WHERE name = $1")
                    .bind(name.as_str())
                    .bind(password)
                    .execute_one(&mut tx, TABLE.name)
                    .await?;
                end_sessions(&mut tx, name).await?;
                let note = plain("password_set", name);
                append(&mut tx, note, now_ms, &Actor::Person(name.clone())).await?;
            }
            name
        })
    }
}

fn named(name: &str) -> Statement {
    Statement::new(SELECT).push(" WHERE name = ").push_bind(name)
}

fn invitation(token_hash: &str, now_ms: i64) -> Statement {
    Statement::new("SELECT user_name FROM invitations WHERE token_hash = $1 AND expires_ms > $2")
        .bind(token_hash)
        .bind(now_ms)
}

async fn found(tx: &mut AnyConnection, name: &str) -> Result<Option<User>, Error> {
    named(name).rows(tx).await?.first().map(read).transpose()
}

async fn refused(tx: &mut AnyConnection, name: &str, change: &UserChange) -> Result<Option<UserRefusal>, Error> {
    let user = match (found(tx, name).await?, change) {
        (Some(_), UserChange::Add(_)) => return Ok(Some(UserRefusal::Exists)),
        (None, UserChange::Add(_)) => return Ok(None),
        (None, _) => return Ok(Some(UserRefusal::Unknown)),
        (Some(user), _) => user,
    };
    let keeps_admin =
        !matches!(change, UserChange::Disable | UserChange::SetRole(_)) || change == &UserChange::SetRole(Role::Admin);
    if keeps_admin || user.role != Role::Admin || user.disabled_ms.is_some() {
        return Ok(None);
    }
    let others = Statement::new("SELECT name FROM users WHERE role = $1 AND disabled_ms IS NULL AND name <> $2")
        .bind(Role::Admin.as_str())
        .bind(name)
        .rows(tx)
        .await?;
    Ok(others.is_empty().then_some(UserRefusal::LastAdmin))
}

async fn write(tx: &mut AnyConnection, name: &str, change: &UserChange, now_ms: i64) -> Result<(), Error> {
    let statement = match change {
        UserChange::Add(role) => Statement::new("INSERT INTO users (name, role, created_ms) VALUES ($1, $2, $3)")
            .bind(name)
            .bind(role.as_str())
            .bind(now_ms),
        UserChange::Invite { token_hash, expires_ms } => Statement::new(
            "INSERT INTO invitations (user_name, token_hash, expires_ms) VALUES ($1, $2, $3) ON CONFLICT (user_name) \
             DO UPDATE SET token_hash = excluded.token_hash, expires_ms = excluded.expires_ms",
        )
        .bind(name)
        .bind(token_hash.as_str())
        .bind(*expires_ms),
        UserChange::SetRole(role) => {
            Statement::new("UPDATE users SET role = $2 WHERE name = $1").bind(name).bind(role.as_str())
        }
        UserChange::Disable => {
            end_sessions(tx, name).await?;
            Statement::new("DELETE FROM invitations WHERE user_name = $1").bind(name).execute(tx).await?;
            Statement::new("UPDATE users SET disabled_ms = $2 WHERE name = $1").bind(name).bind(now_ms)
        }
        UserChange::Enable => Statement::new("UPDATE users SET disabled_ms = NULL WHERE name = $1").bind(name),
        UserChange::Unbind => {
            end_sessions(tx, name).await?;
            Statement::new("UPDATE users SET microsoft = NULL WHERE name = $1").bind(name)
        }
    };
    statement.execute_one(tx, TABLE.name).await
}

async fn end_sessions(tx: &mut AnyConnection, name: &str) -> Result<(), Error> {
    Statement::new("DELETE FROM sessions WHERE user_name = $1").bind(name).execute(tx).await.map(drop)
}

pub(crate) async fn append(tx: &mut AnyConnection, note: Note, now_ms: i64, actor: &Actor) -> Result<(), Error> {
    audit::append_notes(tx, &ConnectionId::installation(), now_ms, actor, vec![&note]).await
}

/// An entry about a user that says no more than what happened.
pub(crate) fn plain(action: &str, name: &str) -> Note {
    let subject = format!("user {name}");
    Note { action: action.to_owned(), subject, before: None, after: None, detail: json!({}) }
}

fn note(name: &str, change: &UserChange, role: Option<Role>) -> Note {
    let (action, after) = match change {
        UserChange::Add(role) => ("user_added", Some(*role)),
        UserChange::Invite { .. } => ("user_invited", None),
        UserChange::SetRole(role) => ("user_role_set", Some(*role)),
        UserChange::Disable => ("user_disabled", None),
        UserChange::Enable => ("user_enabled", None),
        UserChange::Unbind => ("microsoft_account_unbound", None),
    };
    let before = after.and(role).map(|role| role.to_string());
    Note { before, after: after.map(|role| role.to_string()), ..plain(action, name) }
}

fn read(row: &AnyRow) -> Result<User, Error> {
    let row = TABLE.row(row);
    Ok(User {
        name: row.text("name")?,
        role: row.parsed("role", Role::from_name)?,
        password: row.optional_text("password")?,
        microsoft: row.optional_text("microsoft")?,
        disabled_ms: row.optional_integer("disabled_ms")?,
        created_ms: row.integer("created_ms")?,
        signed_in_ms: row.optional_integer("signed_in_ms")?,
    })
}
