//! The table `value_meanings`: what people said coded values of Brex mean in Business Central. The newest word counts; the trail has
//! all of them.

use domain::audit::{Actor, Note};
use domain::id::ConnectionId;
use domain::rules::Meaning;
use serde_json::json;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit;
use crate::db::Db;
use crate::dialect::{Statement, clean};
use crate::error::Error;
use crate::jobs;
use crate::row::Table;

const TABLE: Table = Table { name: "value_meanings", key: &["connection", "field", "value"] };

const SELECT: &str = "SELECT connection, field, value, target, reason, said_by, said_ms FROM value_meanings WHERE connection = $1 \
     ORDER BY field, value";

/// What somebody said about a coded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueMeaning {
    /// The value, and what it means.
    pub meaning: Meaning,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub said_by: String,
    /// When.
    pub said_ms: i64,
}

/// Methods on the meanings.
pub struct ValueMeanings<'a> {
    pub(crate) db: &'a Db,
}

impl ValueMeanings<'_> {
    /// Everything that stands, by field and value.
    pub async fn list(&self, connection: &ConnectionId) -> Result<Vec<ValueMeaning>, Error> {
        self.db.rows(Statement::new(SELECT).bind(connection.as_str())).await?.iter().map(read).collect()
    }

    /// Keeps what somebody says in the place of what was said about the same value, with an entry in the trail and a request for the job
    /// `wake`: all in one transaction. False, and nothing is told, if it stands already. Needs no lease: people speak while the worker
    /// works.
    pub async fn say(
        &self,
        connection: &ConnectionId,
        said: &ValueMeaning,
        wake: &str,
        actor: &Actor,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            // The trail's head is locked first, so that two who speak at once come one after the other.
            audit::lock_head(&mut tx, connection).await?;
            let before = taken_off(&mut tx, connection, &said.meaning).await?;
            let is_new = before.as_deref() != Some(said.meaning.target.as_str());
            Statement::new(
                "INSERT INTO value_meanings (connection, field, value, target, reason, said_by, said_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(connection.as_str())
            .bind(clean(&said.meaning.field))
            .bind(clean(&said.meaning.value))
            .bind(clean(&said.meaning.target))
            .bind(clean(&said.reason))
            .bind(clean(&said.said_by))
            .bind(said.said_ms)
            .execute_one(&mut tx, TABLE.name)
            .await?;
            if is_new {
                let after = Some(said.meaning.target.clone());
                let note = note("value_meaning_said", &said.meaning, before, after, &said.reason);
                told(&mut tx, connection, note, wake, said.said_ms, actor).await?;
            }
            is_new
        })
    }

    /// Takes back what was said about a value, with an entry in the trail. False if nothing stands.
    pub async fn take_back(
        &self,
        connection: &ConnectionId,
        meaning: &Meaning,
        reason: &str,
        wake: &str,
        now_ms: i64,
        actor: &Actor,
    ) -> Result<bool, Error> {
        in_transaction!(self.db, tx => {
            audit::lock_head(&mut tx, connection).await?;
            let before = taken_off(&mut tx, connection, meaning).await?;
            let stood = before.is_some();
            if stood {
                let note = note("value_meaning_taken_back", meaning, before, None, reason);
                told(&mut tx, connection, note, wake, now_ms, actor).await?;
            }
            stood
        })
    }
}

/// Takes off what stands about a value, whatever its case, and gives what it meant.
async fn taken_off(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    meaning: &Meaning,
) -> Result<Option<String>, Error> {
    let mut before = None;
    for row in Statement::new(SELECT).bind(connection.as_str()).rows(tx).await? {
        let stands = read(&row)?.meaning;
        if !stands.is_about_same(meaning) {
            continue;
        }
        Statement::new("DELETE FROM value_meanings WHERE connection = $1 AND field = $2 AND value = $3")
            .bind(connection.as_str())
            .bind(stands.field.as_str())
            .bind(stands.value.as_str())
            .execute_one(tx, TABLE.name)
            .await?;
        before = Some(stands.target);
    }
    Ok(before)
}

async fn told(
    tx: &mut AnyConnection,
    connection: &ConnectionId,
    note: Note,
    wake: &str,
    now_ms: i64,
    actor: &Actor,
) -> Result<(), Error> {
    audit::append_notes(tx, connection, now_ms, actor, vec![&note]).await?;
    jobs::request(tx, connection, wake, None, now_ms).await
}

fn note(action: &str, meaning: &Meaning, before: Option<String>, after: Option<String>, reason: &str) -> Note {
    Note {
        action: action.to_owned(),
        subject: format!("value {} of {}", meaning.value, meaning.field),
        before,
        after,
        detail: json!({ "field": meaning.field, "value": meaning.value, "reason": reason }),
    }
}

fn read(row: &AnyRow) -> Result<ValueMeaning, Error> {
    let row = TABLE.row(row);
    Ok(ValueMeaning {
        meaning: Meaning { field: row.text("field")?, value: row.text("value")?, target: row.text("target")? },
        reason: row.text("reason")?,
        said_by: row.text("said_by")?,
        said_ms: row.integer("said_ms")?,
    })
}
