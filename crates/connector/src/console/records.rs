//! Records: filtered, searched, a page at a time; as CSV; and many asked for at once.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::hold::HoldCode;
use domain::id::RecordId;
use domain::stage::Stage;
use serde::Deserialize;
use store::{After, Filter, RecordRow};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, csv_file, render};
use super::show::{Item, item, stage_words};
use crate::app::{App, Connection};
use crate::cells::{line, safe};
use crate::flow::operator::{self, Request, Verb};
use crate::words::counted;

/// Rows of a page.
const PAGE: usize = 50;
/// Rows read at once for a file.
const CHUNK: i64 = 1_000;

#[derive(Template)]
#[template(path = "console/records.html")]
struct Page {
    frame: Frame,
    items: Vec<Item>,
    query: RecordsQuery,
    stages: Vec<(&'static str, &'static str)>,
    codes: Vec<&'static str>,
    next: Option<String>,
}

/// What is looked for. Unknown words find nothing and say so.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RecordsQuery {
    #[serde(default)]
    stage: String,
    #[serde(default)]
    hold: String,
    #[serde(default)]
    q: String,
    /// `first seen in milliseconds,id` of the last row of the page before.
    #[serde(default)]
    after: String,
    /// How many requests were just made.
    #[serde(default)]
    asked: usize,
}

impl RecordsQuery {
    fn filter(&self) -> Result<Filter, Oops> {
        let unknown = |what: &str, word: &str| Oops::Unusable(format!("There is no {what} {word:?}."));
        match (self.stage.as_str(), self.hold.as_str()) {
            ("", "") => Ok(Filter::All),
            ("", "any") => Ok(Filter::Held),
            ("", code) => code.parse::<HoldCode>().map(Filter::HeldFor).map_err(|_| unknown("hold", code)),
            (stage, _) => stage.parse::<Stage>().map(Filter::Stage).map_err(|_| unknown("stage", stage)),
        }
    }

    fn after(&self) -> Option<After> {
        let (first_seen_ms, id) = self.after.split_once(',')?;
        Some(After { first_seen_ms: first_seen_ms.parse().ok()?, id: RecordId::new(id) })
    }

    /// The same question from another place on.
    fn link(&self, after: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("stage", self.stage.as_str()), ("hold", &self.hold), ("q", &self.q), ("after", after)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("?{}", query.finish())
    }
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(query): Query<RecordsQuery>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let mut rows = find(&console.app, connection, &query).await?;
    let has_more = rows.len() > PAGE && query.q.is_empty();
    rows.truncate(PAGE);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| query.link(&format!("{},{}", row.first_seen_ms, row.id)));
    let said = (query.asked > 0)
        .then(|| format!("Asked for {}. The worker does it within seconds.", counted(query.asked, "record")));
    Ok(render(&Page {
        frame: Frame::new(&console, person, "records", Some(connection)).saying(said),
        items: rows.iter().map(|row| item(row, &connection.rules.zone)).collect(),
        stages: Stage::ALL.map(|stage| (stage.as_str(), stage_words(stage.as_str()))).to_vec(),
        codes: HoldCode::ALL.iter().map(|code| code.as_str()).collect(),
        query,
        next,
    }))
}

/// One more than a page holds, so that it is known whether there is another.
async fn find(app: &App, connection: &Connection, query: &RecordsQuery) -> Result<Vec<RecordRow>, Oops> {
    let (records, limit) = (app.store.records(), i64::try_from(PAGE + 1).unwrap_or(i64::MAX));
    Ok(if query.q.trim().is_empty() {
        records.page(&connection.id, query.filter()?, query.after().as_ref(), limit).await?
    } else {
        records.search(&connection.id, &query.q, limit).await?
    })
}

const COLUMNS: [&str; 12] = [
    "record", "version", "type", "merchant", "day", "amount", "currency", "stage", "hold", "why", "vendor", "document",
];

/// All of them as a file, read a piece at a time.
pub(super) async fn csv(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Query(query): Query<RecordsQuery>,
) -> Result<Response, Oops> {
    let id = connection(&console, &name)?.id.clone();
    let filter = query.filter()?;
    let start = (Some(None), Some(line(COLUMNS)));
    let pieces = futures::stream::unfold(start, move |(place, head): (Option<Option<After>>, Option<Vec<u8>>)| {
        let (console, id) = (Arc::clone(&console), id.clone());
        async move {
            if let Some(head) = head {
                return Some((Ok(head), (place, None)));
            }
            let after = place?;
            match console.app.store.records().page(&id, filter, after.as_ref(), CHUNK).await {
                Ok(rows) => {
                    let last = rows.last()?;
                    let after = After { first_seen_ms: last.first_seen_ms, id: last.id.clone() };
                    let text = rows.iter().flat_map(|row| line(cells(row).map(|cell| safe(&cell)))).collect();
                    Some((Ok(text), (Some(Some(after)), None)))
                }
                // The file ends broken off, so that nobody takes it for whole.
                Err(error) => Some((Err(error), (None, None))),
            }
        }
    });
    Ok(csv_file(&format!("records-{name}"), Body::from_stream(pieces)))
}

fn cells(row: &RecordRow) -> [String; 12] {
    let hold = row.hold.as_ref();
    [
        row.id.to_string(),
        row.version.to_string(),
        row.record_type.clone(),
        row.merchant.clone().unwrap_or_default(),
        row.posting_date.clone().unwrap_or_default(),
        row.amount.map(|amount| amount.to_string()).unwrap_or_default(),
        row.currency.clone().unwrap_or_default(),
        row.stage.to_string(),
        hold.map(|hold| hold.code.to_string()).unwrap_or_default(),
        hold.map(|hold| hold.sentence.clone()).unwrap_or_default(),
        row.vendor_number.clone().unwrap_or_default(),
        row.document_no.clone().or_else(|| row.document_key.clone()).unwrap_or_default(),
    ]
}

/// Asks the worker about each record that is ticked.
pub(super) async fn many(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let field = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let verb = verb(field("verb").unwrap_or_default())?;
    let reason = reason(field("reason").unwrap_or_default())?;
    let records: Vec<&str> =
        form.iter().filter(|(name, _)| name == "record").map(|(_, value)| value.as_str()).collect();
    if records.is_empty() {
        return Err(Oops::Unusable("No record was ticked.".to_owned()));
    }
    for record in &records {
        ask(&console.app, connection, verb, record, &person, reason).await?;
    }
    Ok(Redirect::to(&format!("/c/{name}/records?hold=any&asked={}", records.len())).into_response())
}

/// What a button asks for.
pub(super) fn verb(word: &str) -> Result<Verb, Oops> {
    let all = [Verb::Retry, Verb::Skip, Verb::Replay];
    let found = all.into_iter().find(|verb| verb.as_str() == word);
    found.ok_or_else(|| Oops::Unusable(format!("There is nothing called {word:?} to ask for.")))
}

/// A reason has to be given: it stays in the trail.
pub(super) fn reason(text: &str) -> Result<&str, Oops> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Oops::Unusable("Say why: the reason stays in the audit trail.".to_owned())),
        1..=500 => Ok(text),
        _ => Err(Oops::Unusable("A reason has at most 500 characters.".to_owned())),
    }
}

/// Leaves a request for the worker, as `retry` and `skip` do on the command line.
pub(super) async fn ask(
    app: &App,
    connection: &Connection,
    verb: Verb,
    record: &str,
    person: &Person,
    reason: &str,
) -> Result<(), Oops> {
    let record = RecordId::new(record);
    let (person, reason) = (person.name.clone(), reason.to_owned());
    let request = Request { verb, record, person, reason, from: None, rev: None };
    if !operator::ask(app, &connection.id, &request).await? {
        return Err(Oops::NotFound(format!("The record {} is not known here.", request.record)));
    }
    Ok(())
}
