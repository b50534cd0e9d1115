//! What the record does not tell about its merchant: the raw descriptor, category and country of the card expense. Asked
//! once per version of a record, and only for records that the matcher has to look at.

use std::collections::HashMap;

use clients::Kind;
use clients::brex::{AccountingRecord, Expense};
use domain::id::RecordId;
use domain::record::{Record, Treatment};
use domain::vendor::merchant_of;
use store::RecordRow;

use super::judgement::Asked;
use crate::app::{App, Connection};
use crate::config::Source;
use crate::stop::Stop;

/// How long Brex is not asked for expenses again after it refused the permission.
const CLOSED_MS: i64 = 24 * 60 * 60 * 1_000;

/// What the matcher is asked for each of these records.
pub async fn asked(
    app: &App,
    connection: &Connection,
    open: &[(&RecordRow, &Record)],
) -> Result<HashMap<RecordId, Asked>, Stop> {
    let ids: Vec<RecordId> = open.iter().map(|(row, _)| row.id.clone()).collect();
    let stored = app.store.vendor_matches().find_many(&connection.id, &ids).await?;
    let mut asked: HashMap<RecordId, Asked> = HashMap::new();
    for matched in stored {
        let is_same = open.iter().any(|(row, _)| row.id == matched.record_id && row.version == matched.version);
        let facts = serde_json::from_str::<Asked>(&matched.asked).ok().filter(|facts| facts.complete);
        if let (true, Some(facts)) = (is_same, facts) {
            asked.insert(matched.record_id, facts);
        }
    }
    let unknown: Vec<&(&RecordRow, &Record)> = open.iter().filter(|(row, _)| !asked.contains_key(&row.id)).collect();
    let wanted: Vec<(RecordId, i64)> = unknown.iter().map(|(row, _)| (row.id.clone(), row.version)).collect();
    let payloads = app.store.payloads().get_many(&connection.id, &wanted).await?;
    if connection.settings.brex.source == Source::Expenses {
        // The expense is at hand: it is the record.
        for (row, record) in unknown {
            let payload = payloads.iter().find(|payload| payload.record_id == row.id);
            let expense = payload.and_then(|payload| Expense::from_json(&payload.payload).ok());
            let plain = Asked { complete: true, ..Asked::name(merchant_of(record).unwrap_or_default()) };
            asked.insert(row.id.clone(), expense.map_or(plain.clone(), |expense| with_expense(plain, expense)));
        }
        return Ok(asked);
    }
    let wires: HashMap<RecordId, AccountingRecord> = payloads
        .into_iter()
        .filter_map(|payload| Some((payload.record_id, AccountingRecord::from_json(&payload.payload).ok()?)))
        .collect();
    let reads = unknown.iter().map(|(row, record)| one(app, connection, record, wires.get(&row.id)));
    for ((row, _), facts) in unknown.iter().zip(futures::future::join_all(reads).await) {
        asked.insert(row.id.clone(), facts?);
    }
    Ok(asked)
}

async fn one(
    app: &App,
    connection: &Connection,
    record: &Record,
    wire: Option<&AccountingRecord>,
) -> Result<Asked, Stop> {
    let name = merchant_of(record).unwrap_or_default();
    let website = wire.and_then(|wire| wire.vendor.as_ref()).and_then(|vendor| vendor.website.clone());
    let plain = Asked { website: website.unwrap_or_default(), ..Asked::name(name) };
    let source = wire.and_then(|wire| wire.source_id.as_deref());
    let (Treatment::Spend(_), Some(source)) = (record.treatment(), source) else {
        return Ok(Asked { complete: true, ..plain });
    };
    if !connection.matcher.may_read_expenses(app.now_ms()) {
        return Ok(plain);
    }
    match connection.brex.get_expense(source).await {
        Ok(Some(expense)) => Ok(with_expense(Asked { complete: true, ..plain }, expense)),
        Ok(None) => Ok(Asked { complete: true, ..plain }),
        // The token may lack the scope: matching then works with the name alone.
        Err(error) if error.kind() == Kind::Forbidden => {
            tracing::warn!(connection = %connection.id, "Brex does not permit reading expenses; matching by name alone");
            connection.matcher.close_expenses(app.now_ms().saturating_add(CLOSED_MS));
            Ok(plain)
        }
        Err(error) => Err(error.into()),
    }
}

fn with_expense(plain: Asked, expense: Expense) -> Asked {
    let Some(merchant) = expense.merchant else { return plain };
    let raw = merchant.raw_descriptor.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (descriptor, clean_name) = match raw {
        Some(raw) if raw != plain.descriptor => (raw, plain.descriptor),
        _ => (plain.descriptor, String::new()),
    };
    Asked {
        descriptor,
        clean_name,
        mcc: merchant.mcc.unwrap_or_default(),
        country: merchant.country.unwrap_or_default(),
        website: plain.website,
        complete: plain.complete,
    }
}
