//! What coded values of Brex mean in Business Central, as people said: which ones nobody understands, and what a person says about one.

use std::sync::Arc;

use domain::audit::Actor;
use domain::directory::Directory;
use domain::id::ConnectionId;
use domain::mapping::{NotUnderstood, not_understood};
use domain::record::Record;
use domain::rules::{Axis, Meaning, Rules};
use store::{Store, ValueMeaning};

use crate::app::Connection;
use crate::vendors::RECHECK;

/// The rules of a connection with what people said.
pub async fn rules(store: &Store, connection: &Connection) -> Result<Arc<Rules>, store::Error> {
    let said = store.value_meanings().list(&connection.id).await?;
    Ok(if said.is_empty() { Arc::clone(&connection.rules) } else { Arc::new(with(&connection.rules, said)) })
}

/// These rules with what people said about a connection.
pub async fn added_to(rules: &Rules, store: &Store, connection: &ConnectionId) -> Result<Rules, store::Error> {
    Ok(with(rules, store.value_meanings().list(connection).await?))
}

fn with(rules: &Rules, mut said: Vec<ValueMeaning>) -> Rules {
    // One may name the id of a value and another its name: the newest word counts.
    said.sort_by_key(|said| std::cmp::Reverse(said.said_ms));
    rules.with_meanings(said.into_iter().map(|said| said.meaning).collect())
}

/// What a person is asked about a value: it, and what it may mean, as number and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The value.
    pub about: NotUnderstood,
    /// What it has to be, in words.
    pub what: String,
    /// What there is, as number or code and name.
    pub choices: Vec<(String, String)>,
}

/// What a person is asked about a record.
pub fn questions(record: &Record, rules: &Rules, directory: &Directory) -> Vec<Question> {
    let question = |about: NotUnderstood| {
        let (what, choices) = choices(&about.axis, directory);
        Question { about, what, choices }
    };
    not_understood(record, rules, directory).into_iter().map(question).collect()
}

fn choices(axis: &Axis, directory: &Directory) -> (String, Vec<(String, String)>) {
    let pair = |code: &str, name: &str| (code.to_owned(), name.to_owned());
    match axis {
        Axis::Account => {
            let usable = directory.accounts().iter().filter(|account| account.unusable_because().is_none());
            ("G/L account".to_owned(), usable.map(|account| pair(&account.number, &account.name)).collect())
        }
        Axis::Dimension(code) => {
            let of = directory.values().iter().filter(|value| value.dimension.eq_ignore_ascii_case(code));
            (format!("value of dimension {code}"), of.map(|value| pair(&value.code, &value.name)).collect())
        }
        Axis::Tax => {
            let codes = directory.setup.tax.codes.iter();
            ("tax code".to_owned(), codes.map(|code| pair(&code.code, &code.name)).collect())
        }
        Axis::Vendor | Axis::Other => (String::new(), Vec::new()),
    }
}

/// What a person says about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Id or name of the field.
    pub field: String,
    /// Id or name of the value.
    pub value: String,
    /// Number or code of what it means; none takes back what was said.
    pub target: Option<String>,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub person: String,
}

/// Why a word is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Nothing is booked by the field.
    #[error(
        "the field {0:?} stands for neither a G/L account, a dimension nor a tax code: the configuration says which fields do"
    )]
    Field(String),
    /// There is no such thing.
    #[error("there is no {what} {target} in Business Central, as far as the mirror knows, that can be used")]
    Target {
        /// What it has to be.
        what: String,
        /// What was said.
        target: String,
    },
    /// It is empty or too long.
    #[error("the {0} must have 1 to {MOST} characters")]
    Text(&'static str),
    /// Nothing stands.
    #[error("nothing was said about {value:?} of {field:?}")]
    NothingStands {
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
}

/// Longest text.
const MOST: usize = 500;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// It is not taken.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Checks what a person says, keeps it, and has the worker look again at what is held. What it means now; none if it was taken back.
pub async fn say(
    store: &Store,
    connection: &ConnectionId,
    rules: &Rules,
    directory: &Directory,
    said: &Said,
    now_ms: i64,
) -> Result<Option<Meaning>, SayError> {
    let [field, value, reason] = [("field", &said.field), ("value", &said.value), ("reason", &said.reason)]
        .map(|(name, text)| text_of(name, text));
    let (field, value, reason) = (field?, value?, reason?);
    let actor = Actor::Person(said.person.clone());
    let meanings = store.value_meanings();
    let Some(target) = &said.target else {
        let about = Meaning { field, value, target: String::new() };
        if meanings.take_back(connection, &about, &reason, RECHECK, now_ms, &actor).await? {
            return Ok(None);
        }
        return Err(NotTaken::NothingStands { field: about.field, value: about.value }.into());
    };
    let target = usable(&rules.fields.axis(Some(&field), None), &field, target.trim(), directory)?;
    let meaning = Meaning { field, value, target };
    let said = ValueMeaning { meaning: meaning.clone(), reason, said_by: said.person.clone(), said_ms: now_ms };
    meanings.say(connection, &said, RECHECK, &actor).await?;
    Ok(Some(meaning))
}

fn text_of(name: &'static str, text: &str) -> Result<String, NotTaken> {
    let text = text.trim();
    let is_fine = (1..=MOST).contains(&text.chars().count());
    if is_fine { Ok(text.to_owned()) } else { Err(NotTaken::Text(name)) }
}

/// Number or code as Business Central writes it.
fn usable(axis: &Axis, field: &str, target: &str, directory: &Directory) -> Result<String, NotTaken> {
    let found = match axis {
        Axis::Account => directory
            .account(target)
            .filter(|account| account.unusable_because().is_none())
            .map(|account| &account.number),
        Axis::Dimension(code) => directory.value(code, target).map(|value| &value.code),
        Axis::Tax => directory.tax_code(target).map(|code| &code.code),
        Axis::Vendor | Axis::Other => return Err(NotTaken::Field(field.to_owned())),
    };
    let what = || choices(axis, directory).0;
    found.cloned().ok_or_else(|| NotTaken::Target { what: what(), target: target.to_owned() })
}
