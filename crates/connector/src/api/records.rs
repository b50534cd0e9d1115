//! Records: filtered, searched, a page at a time; and one with its plan, its receipts and its story.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::audit::Entry;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::stage::Stage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{After, Filter, ReceiptRow, RecordRow};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::Api;
use super::extract::{Params, Place};
use super::problem::Problem;
use super::show::{cursor, etag, limit, one_more, place, record_id, tag, time, unknown_record};
use crate::flow::map;
use crate::story;

/// More entries than any record has.
const STORY: i64 = 10_000;

/// The names of the stages, for the document.
pub(super) struct StageName;

impl PartialSchema for StageName {
    fn schema() -> RefOr<Schema> {
        let names = Stage::ALL.map(Stage::as_str);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for StageName {}

/// The codes of holds, for the document.
pub(super) struct HoldName;

impl PartialSchema for HoldName {
    fn schema() -> RefOr<Schema> {
        let names = HoldCode::ALL.iter().map(|code| code.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for HoldName {}

/// What a list may be narrowed to: a code, or any.
pub(super) struct HoldFilter;

impl PartialSchema for HoldFilter {
    fn schema() -> RefOr<Schema> {
        let names = std::iter::once("any").chain(HoldCode::ALL.iter().map(|code| code.as_str()));
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for HoldFilter {}

/// A record and where it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Record {
    /// Its id in Brex.
    #[schema(example = "accr_1")]
    pub(super) id: String,
    /// The version of Brex that this is about.
    version: i64,
    /// What `If-Match` takes.
    #[schema(example = "\"7\"")]
    etag: String,
    /// Its type, as Brex spells it.
    #[serde(rename = "type")]
    kind: String,
    /// The merchant or payee.
    merchant: Option<String>,
    /// The amount, in the currency's main unit.
    #[schema(example = "12.50")]
    amount: Option<String>,
    /// The currency of the amount.
    #[schema(example = "USD")]
    currency: Option<String>,
    /// Its posting date.
    posting_date: Option<String>,
    /// What has to be done next.
    #[schema(value_type = StageName)]
    stage: &'static str,
    /// Why it waits for a person.
    hold: Option<Held>,
    /// The number of the vendor in Business Central.
    vendor_number: Option<String>,
    /// The document in Business Central.
    document: Option<Document>,
    /// When it was first seen.
    #[schema(format = DateTime)]
    first_seen: String,
    /// When it last changed here.
    #[schema(format = DateTime)]
    updated: String,
    /// When Brex took the export.
    #[schema(format = DateTime)]
    exported: Option<String>,
    /// When its document was seen to be posted.
    #[schema(format = DateTime)]
    posted: Option<String>,
}

/// Why a record waits for a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Held {
    /// The code, which has a page in `docs/codes`.
    #[schema(value_type = HoldName)]
    code: &'static str,
    /// The facts, in a sentence.
    sentence: String,
    /// Who can fix it.
    who: &'static str,
    /// What that person does.
    what_to_do: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// A document in Business Central, or the plan of one.
#[derive(Serialize, ToSchema)]
pub(super) struct Document {
    /// `invoice` or `credit_memo`.
    kind: Option<&'static str>,
    /// The number by which it is recognised as ours.
    key: Option<String>,
    /// The number that Business Central gave.
    number: Option<String>,
    /// Its id, once it is there.
    id: Option<String>,
}

/// The record as callers see it.
pub(super) fn record(row: &RecordRow) -> Record {
    let held = |hold: &Hold| Held {
        code: hold.code.as_str(),
        sentence: hold.sentence.clone(),
        who: hold.code.fixer().as_str(),
        what_to_do: hold.code.what_to_do(),
        since: row.held_ms.map(time),
    };
    let document = Document {
        kind: row.document_kind.map(domain::document::DocumentKind::as_str),
        key: row.document_key.clone(),
        number: row.document_no.clone(),
        id: row.document_id.map(|id| id.to_string()),
    };
    let has_document = document.kind.is_some() || document.key.is_some() || document.id.is_some();
    Record {
        id: row.id.to_string(),
        version: row.version,
        etag: tag(row.rev),
        kind: row.record_type.clone(),
        merchant: row.merchant.clone(),
        amount: row.amount.map(|amount| amount.to_string()),
        currency: row.currency.clone(),
        posting_date: row.posting_date.clone(),
        stage: row.stage.as_str(),
        hold: row.hold.as_ref().map(held),
        vendor_number: row.vendor_number.clone(),
        document: has_document.then_some(document),
        first_seen: time(row.first_seen_ms),
        updated: time(row.updated_ms),
        exported: row.exported_ms.map(time),
        posted: row.posted_ms.map(time),
    }
}

/// Which records are looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordsQuery {
    /// Only those at this stage.
    #[param(value_type = Option<StageName>, inline)]
    stage: Option<String>,
    /// Only those that are held for this reason; `any` for whatever reason.
    #[param(value_type = Option<HoldFilter>, inline)]
    hold: Option<String>,
    /// What names a record: its id, a number of its document, or how its merchant begins. Not together with the others, and one
    /// page only.
    q: Option<String>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
}

impl RecordsQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let unknown = |what: &str, word: &str| Problem::unusable(format!("There is no {what} {word:?}."));
        match (self.stage.as_deref(), self.hold.as_deref()) {
            (None, None) => Ok(Filter::All),
            (None, Some("any")) => Ok(Filter::Held),
            (None, Some(code)) => code.parse::<HoldCode>().map(Filter::HeldFor).map_err(|_| unknown("hold", code)),
            (Some(stage), None) => stage.parse::<Stage>().map(Filter::Stage).map_err(|_| unknown("stage", stage)),
            (Some(_), Some(_)) => Err(Problem::unusable("Ask for a stage or for a hold, not for both.")),
        }
    }
}

/// A page of records, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Records {
    /// The records.
    records: Vec<Record>,
    /// What `cursor` takes for the next page; none if this is the last.
    next: Option<String>,
}

/// List records.
///
/// The newest first, a page at a time. Pages stay right while records come and go.
#[utoipa::path(get, path = "/connections/{connection}/records", operation_id = "list_records", tag = "records",
    params(RecordsQuery), responses((status = 200, description = "A page of records.", body = Records)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<RecordsQuery>,
) -> Result<Json<Records>, Problem> {
    let connection = api.connection(&name)?;
    let (limit, filter) = (limit(query.limit)?, query.filter()?);
    let records = api.app.store.records();
    if let Some(q) = query.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
        if filter != Filter::All || query.cursor.is_some() {
            return Err(Problem::unusable("Search with q alone: it has neither a filter nor a second page."));
        }
        let rows = records.search(&connection.id, q, one_more(limit) - 1).await?;
        return Ok(Json(Records { records: rows.iter().map(record).collect(), next: None }));
    }
    let after = query.cursor.as_deref().map(place::<(i64, String)>).transpose()?;
    let after =
        after.map(|(first_seen_ms, id)| Ok::<_, Problem>(After { first_seen_ms, id: record_id(&id)? })).transpose()?;
    let mut rows = records.page(&connection.id, filter, after.as_ref(), one_more(limit)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    let next = last.and_then(|row| cursor(&(row.first_seen_ms, row.id.as_str())));
    Ok(Json(Records { records: rows.iter().map(record).collect(), next }))
}

/// A record with everything that is known about it.
#[derive(Serialize, ToSchema)]
pub(super) struct WholeRecord {
    /// The record.
    record: Record,
    /// The document as it was planned: header, lines, dimensions.
    #[schema(value_type = Option<Object>)]
    plan: Option<Value>,
    /// The files of its receipts.
    receipts: Vec<Receipt>,
    /// What happened to it, in the order in which it did.
    story: Vec<Step>,
}

/// The file of a receipt.
#[derive(Serialize, ToSchema)]
pub(super) struct Receipt {
    /// Its name in Business Central.
    file: String,
    /// Its size.
    bytes: i64,
    /// Its SHA-256.
    sha256: String,
    /// When it was found complete on the document.
    #[schema(format = DateTime)]
    attached: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(super) struct Step {
    /// Its number in the trail.
    seq: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it.
    #[schema(example = "person:ann")]
    actor: String,
    /// What happened, by its stable name.
    action: String,
    /// The same for people.
    sentence: String,
}

fn step(entry: &Entry) -> Step {
    Step {
        seq: entry.seq,
        at: time(entry.at_ms),
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        sentence: story::sentence(entry),
    }
}

fn receipt(row: ReceiptRow) -> Receipt {
    Receipt { file: row.file_name, bytes: row.bytes, sha256: row.sha256, attached: row.attached_ms.map(time) }
}

/// Show one record.
///
/// With its plan, its receipts, and its story from the audit trail. `ETag` is what `If-Match` takes.
#[utoipa::path(get, path = "/connections/{connection}/records/{record}", operation_id = "get_record", tag = "records",
    responses((status = 200, description = "The record.", body = WholeRecord,
        headers(("ETag" = String, description = "The version of the record.")))))]
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Place((name, id)): Place<(String, String)>,
) -> Result<Response, Problem> {
    let (connection, store) = (api.connection(&name)?, &api.app.store);
    let row = find(&api, connection, &id).await?;
    let entries = store.audit().list_for(&connection.id, row.id.as_str(), STORY).await?;
    let receipts = store.receipts().find_many(&connection.id, std::slice::from_ref(&row.id)).await?;
    let whole = WholeRecord {
        record: record(&row),
        plan: map::plan_of(&row).and_then(|plan| serde_json::to_value(plan).ok()),
        receipts: receipts.into_iter().map(receipt).collect(),
        story: entries.iter().map(step).collect(),
    };
    Ok((etag(row.rev), Json(whole)).into_response())
}

/// The record of a path.
pub(super) async fn find(api: &Api, connection: &crate::app::Connection, id: &str) -> Result<RecordRow, Problem> {
    let record: RecordId = record_id(id)?;
    let row = api.app.store.records().get(&connection.id, &record).await?;
    row.ok_or_else(|| unknown_record(id))
}
