//! `plan` and `apply`: what would be made of every record that waits, and doing exactly that. Planning decides as the
//! stages do and writes nothing; applying runs the stages and goes on only where they came to the very same document.

use std::collections::{BTreeSet, HashMap};

use domain::document::PlannedDocument;
use domain::hold::Hold;
use domain::id::{ConnectionId, RecordId};
use domain::legal_entity::Whose;
use domain::record::Record;
use domain::stage::Stage;
use domain::why::{Planned, Reasons};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::RecordRow;

use super::map::{self, Others};
use super::receive::{Origin, receive};
use super::recheck::{self, Scope};
use super::{BATCH, Lane, Records, Stop, legal_entity, source};
use crate::vendors::resolve::{Resolution, resolve};

/// The plan of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The connection.
    pub connection: ConnectionId,
    /// Version of the rules.
    pub rules: String,
    /// SHA-256 over the entries.
    pub hash: String,
    /// One per record that waits for its document.
    pub entries: Vec<Entry>,
}

/// What would be made of one record: a document, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: i64,
    /// Its type in Brex.
    pub record_type: String,
    /// Its merchant, payee or employee.
    pub merchant: Option<String>,
    /// Name of the vendor, and why it is this one.
    pub vendor: Option<PlannedVendor>,
    /// The document, line by line.
    pub document: Option<PlannedDocument>,
    /// Why it is so: dates, currency, tax, and the source of each part of each line.
    pub why: Option<Reasons>,
    /// What blocks it.
    pub hold: Option<Hold>,
}

/// The vendor of a planned document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVendor {
    /// Number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Why it is this one.
    pub why: String,
}

/// What applying did with one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The record.
    pub record: RecordId,
    /// `done`, `held`, `waiting` or `refused`.
    pub outcome: &'static str,
    /// The number of the document, the hold, or what moved.
    pub detail: String,
}

impl Plan {
    /// The hash that the entries have now; another one than the stored says that somebody edited the plan.
    pub fn computed_hash(&self) -> String {
        let text = serde_json::to_vec(&(&self.connection, &self.rules, &self.entries)).unwrap_or_default();
        data_encoding::HEXLOWER.encode(&Sha256::digest(text))
    }
}

/// Works out what would be made of every record that waits for its document.
pub async fn plan(lane: &Lane<'_>) -> Result<Plan, Stop> {
    let mut entries = Vec::new();
    let mut after: Option<RecordId> = None;
    loop {
        let rows = lane.app.store.records().list(&lane.connection.id, after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id.clone());
        let rows = waiting(lane, rows).await?;
        let records = lane.records(&rows).await?;
        let whose = whose(lane, &rows, &records).await?;
        let resolutions = resolve(lane, &rows, &records).await?;
        let others = map::others(lane, &records).await?;
        for row in rows {
            let (Some(record), Some(resolution)) = (records.get(&row.id), resolutions.get(&row.id)) else { continue };
            let unclear = match whose.get(&row.id) {
                Some(Whose::Elsewhere(_)) => continue,
                Some(Whose::Unknown(hold)) => Some(Resolution { vendor: Err(hold.clone()), judged: None }),
                Some(Whose::Ours) | None => None,
            };
            let resolution = unclear.as_ref().unwrap_or(resolution);
            entries.push(entry(lane, &row, record, resolution, &others));
        }
    }
    let rules = lane.rules.version.clone();
    let mut plan = Plan { connection: lane.connection.id.clone(), rules, hash: String::new(), entries };
    plan.hash = plan.computed_hash();
    Ok(plan)
}

/// The rows that have no document yet; one whose creation is unclear is looked for first, and planned by nobody.
async fn waiting(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<Vec<RecordRow>, Stop> {
    let stages = [Stage::ResolveVendor, Stage::Map, Stage::Draft];
    let rows: Vec<RecordRow> = rows.into_iter().filter(|row| stages.contains(&row.stage)).collect();
    let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
    let open = lane.app.store.intents().list_open(&lane.connection.id, &ids).await?;
    Ok(rows.into_iter().filter(|row| open.iter().all(|intent| intent.record_id != row.id)).collect())
}

/// Whose the records are that nobody decided about yet.
async fn whose(lane: &Lane<'_>, rows: &[RecordRow], records: &Records) -> Result<HashMap<RecordId, Whose>, Stop> {
    let undecided =
        |row: &&RecordRow| row.stage == Stage::ResolveVendor && (row.hold.is_none() || legal_entity::is_unknown(row));
    let rows: Vec<RecordRow> = rows.iter().filter(undecided).cloned().collect();
    legal_entity::decide(lane, &rows, records).await
}

fn entry(lane: &Lane<'_>, row: &RecordRow, record: &Record, resolution: &Resolution, others: &Others) -> Entry {
    let planned = resolution.vendor.clone().and_then(|vendor| {
        let planned = map::decide_among(lane, record, &vendor.number, others)?;
        Ok((PlannedVendor { number: vendor.number, name: vendor.name, why: vendor.why.words() }, planned))
    });
    let (vendor, document, why, hold) = match planned {
        Ok((vendor, Planned { document, reasons })) => (Some(vendor), Some(document), Some(reasons), None),
        Err(hold) => (None, None, None, Some(hold)),
    };
    Entry {
        record: row.id.clone(),
        version: record.version,
        record_type: record.type_name.clone(),
        merchant: row.merchant.clone(),
        vendor,
        document,
        why,
        hold,
    }
}

/// Does what the plan says for the records that have not moved, and refuses the others. The master data in the lane must
/// be fresh.
pub async fn apply(lane: &Lane<'_>, plan: &Plan) -> Result<Vec<Done>, Stop> {
    recheck::run(lane, Scope::Everything).await?;
    let wanted: Vec<&Entry> = plan.entries.iter().filter(|entry| entry.document.is_some()).collect();
    let mut done = Vec::new();
    for entries in wanted.chunks(usize::try_from(BATCH).unwrap_or(1)) {
        done.extend(apply_some(lane, entries).await?);
    }
    Ok(done)
}

async fn apply_some(lane: &Lane<'_>, entries: &[&Entry]) -> Result<Vec<Done>, Stop> {
    let ids: Vec<&str> = entries.iter().map(|entry| entry.record.as_str()).collect();
    let found = source::by_ids(lane.connection, &ids).await?;
    receive(lane, &found.items, Origin::Poll).await?;
    let ids: Vec<RecordId> = entries.iter().map(|entry| entry.record.clone()).collect();
    for stage in [Stage::ResolveVendor, Stage::Map] {
        lane.run_stage(stage, in_stage(rows(lane, &ids).await?, stage)).await?;
    }
    let mut done = Vec::new();
    let mut same = Vec::new();
    let now = rows(lane, &ids).await?;
    for entry in entries {
        match moved(entry, now.iter().find(|row| row.id == entry.record)) {
            None => same.push(entry.record.clone()),
            Some(detail) => done.push(Done { record: entry.record.clone(), outcome: "refused", detail }),
        }
    }
    for stage in [Stage::Draft, Stage::Verify, Stage::Attach, Stage::MarkExported] {
        lane.run_stage(stage, in_stage(rows(lane, &same).await?, stage)).await?;
    }
    done.extend(rows(lane, &same).await?.into_iter().map(outcome));
    Ok(done)
}

async fn rows(lane: &Lane<'_>, ids: &[RecordId]) -> Result<Vec<RecordRow>, Stop> {
    Ok(lane.app.store.records().find_many(&lane.connection.id, ids).await?)
}

fn in_stage(rows: Vec<RecordRow>, stage: Stage) -> Vec<RecordRow> {
    rows.into_iter().filter(|row| row.stage == stage && row.hold.is_none()).collect()
}

/// What is not as it was when the plan was made.
fn moved(entry: &Entry, row: Option<&RecordRow>) -> Option<String> {
    let Some(row) = row else { return Some("the record is no longer known".to_owned()) };
    if let Some(hold) = &row.hold {
        return Some(format!("{}: {}", hold.code, hold.sentence));
    }
    if row.stage != Stage::Draft {
        return Some(format!("the record is in {} by now", row.stage));
    }
    let now = map::plan_of(row).map(PlannedDocument::at_once);
    let changed = differences(entry.document.as_ref(), now.as_ref());
    (!changed.is_empty()).then(|| changed.join("; "))
}

/// What a document was and what it is, field by field.
pub fn differences(was: Option<&PlannedDocument>, is: Option<&PlannedDocument>) -> Vec<String> {
    let fields = |document: Option<&PlannedDocument>| match serde_json::to_value(document) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (was, is) = (fields(was), fields(is));
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let shown = |value: Option<&serde_json::Value>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
    keys.into_iter()
        .filter(|key| was.get(*key) != is.get(*key))
        .map(|key| format!("{key} was {} and is {}", shown(was.get(key)), shown(is.get(key))))
        .collect()
}

fn outcome(row: RecordRow) -> Done {
    let number = row.document_no.clone().unwrap_or_default();
    let (outcome, detail) = match &row.hold {
        Some(hold) => ("held", format!("{}: {}", hold.code, hold.sentence)),
        None if row.stage == Stage::Exported => ("done", number),
        None => ("waiting", format!("in {}; the next run goes on with it", row.stage)),
    };
    Done { record: row.id, outcome, detail }
}
