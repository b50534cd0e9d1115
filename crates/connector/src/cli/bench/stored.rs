//! Databases that have been at work for years: records are put straight into the store, as the flow leaves them.

use domain::audit::Note;
use domain::document::DocumentKind;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use rust_decimal::Decimal;
use serde_json::json;
use store::{Change, RecordRow, Store};
use uuid::Uuid;

use super::super::{Exit, Failure};
use super::connector::{CONNECTION, Connector};
use crate::clock::DAY_MS;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;

/// Records of one transaction.
const TOGETHER: usize = 1_000;
const HOUR_MS: i64 = 3_600_000;
/// Exported records are of as many days.
const DAYS: i64 = 730;
/// Of a thousand exported records so many are held after all, as somebody edited them.
const HELD_OF_THOUSAND: usize = 1;

/// What is put in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Where the records stand.
    pub(super) stage: Stage,
    /// Entries of the audit trail for each.
    pub(super) notes: usize,
}

/// The connection.
pub(super) fn connection() -> Result<ConnectionId, Failure> {
    ConnectionId::new(CONNECTION).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))
}

/// Opens the database of a connector.
pub(super) async fn open(connector: &Connector) -> Result<(Config, Store), Failure> {
    let config = Config::load(&connector.file())?;
    let store = Store::open(&config.database_url()).await?;
    Ok((config, store))
}

/// Puts records into the database of a connector that does not run.
pub(super) async fn fill(connector: &Connector, from: usize, to: usize, kind: Kind) -> Result<(), Failure> {
    let (config, store) = open(connector).await?;
    let (id, now_ms) = (connection()?, SystemClock.now_ms());
    store.connections().ensure(&id, now_ms).await?;
    let lane = config.connections.first().map(crate::config::ConnectionConfig::lane).unwrap_or_default();
    let lease = store.lanes().seize(&lane, "bench", now_ms, DAY_MS).await?;
    let lease = lease.ok_or_else(|| Failure::new(Exit::Database, "the lane is somebody else's"))?;
    let actor = domain::audit::Actor::Engine(crate::app::VERSION.to_owned());
    let mut place = from;
    while place < to {
        let end = to.min(place + TOGETHER);
        let changes: Vec<Change> = (place..end).map(|place| change(&id, place, kind, now_ms)).collect();
        store.records().apply(&lease, &id, now_ms, &actor, &changes).await?;
        place = end;
    }
    store.lanes().release(&lease).await?;
    store.close().await;
    Ok(())
}

fn change(connection: &ConnectionId, place: usize, kind: Kind, now_ms: i64) -> Change {
    let id = RecordId::new(format!("accr_stored_{place:08}"));
    let day = i64::try_from(place).unwrap_or(0) % DAYS;
    let seen_ms = now_ms - day * DAY_MS - HOUR_MS;
    let cents = i64::try_from(1_000 + (place * 7_919) % 90_000).unwrap_or(0);
    let is_done = kind.stage == Stage::Exported;
    let is_held = is_done && place % 1_000 < HELD_OF_THOUSAND;
    let number = place + 100_000;
    let vendor = place % 50;
    let hold = domain::hold::Hold::new(domain::hold::HoldCode::RecordChanged, "the amount was edited in Brex");
    let row = RecordRow {
        version: 1,
        record_type: "CARD_EXPENSE_POST".to_owned(),
        source_type: "CARD".to_owned(),
        amount: Some(Decimal::new(cents, 2)),
        currency: Some("USD".to_owned()),
        merchant: Some(format!("Merchant {vendor}")),
        posting_date: Some("2026-01-31".to_owned()),
        stage: kind.stage,
        hold: is_held.then_some(hold),
        held_ms: is_held.then_some(now_ms),
        due_ms: (!is_done).then_some(now_ms + HOUR_MS),
        vendor_number: Some(format!("V{vendor:05}")),
        document_kind: Some(DocumentKind::Invoice),
        document_key: Some(format!("BRX-{place:016}")),
        document_id: is_done.then(|| Uuid::from_u128(u128::try_from(place).unwrap_or(0) + 1)),
        document_no: is_done.then(|| number.to_string()),
        plan: Some(plan(place)),
        first_seen_ms: seen_ms,
        exported_ms: is_done.then_some(seen_ms + 5_000),
        source_id: Some(format!("expense_stored_{place:08}")),
        ..RecordRow::new(connection.clone(), id.clone(), seen_ms)
    };
    let notes = (0..kind.notes).map(|step| note(&id, step)).collect();
    Change { row, payload: Some(payload(&id, cents)), notes, intent: None, matched: None }
}

fn note(id: &RecordId, step: usize) -> Note {
    let state = |step: usize| ["received", "map", "draft", "verify", "attach", "mark_exported", "exported"][step % 7];
    Note {
        action: format!("step_{step}"),
        subject: id.as_str().to_owned(),
        before: Some(state(step).to_owned()),
        after: Some(state(step + 1).to_owned()),
        detail: json!({ "number": "BRX-ABCDEFGHIJKLMNOP", "total": "123.45", "lines": 1, "status": "Draft", "why": "coded by a person" }),
    }
}

/// About as long as a real plan. Nothing reads it as long as the record rests.
fn plan(place: usize) -> String {
    let line = json!({ "account": "60500", "text": format!("Purchase {place}"), "amount": "123.45", "dimensions": { "DEPARTMENT": "SALES" } });
    json!({ "number": format!("BRX-{place:016}"), "vendor": "V00001", "lines": [line.clone(), line], "rules": "0123456789ab" }).to_string()
}

/// About as long as a real record.
fn payload(id: &RecordId, cents: i64) -> String {
    let amount = json!({ "amount": cents, "currency": "USD" });
    let values = json!([{ "brex_field_id": "extended_field_GL_ACCOUNT", "remote_field_id": "GL_ACCOUNT", "remote_field_value_id": "60500" }]);
    let line = json!({ "id": "accrli_0", "type": "DEBIT", "amount": amount, "accounting_field_values": values });
    json!({ "id": id.as_str(), "type": "CARD_EXPENSE_POST", "amount": amount, "line_items": [line.clone(), line], "version": 1 }).to_string()
}
