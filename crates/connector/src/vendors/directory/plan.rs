//! The dry run: reads both sides and says what a run would do, and why. Nothing is written, here or there.

use std::collections::BTreeMap;

use domain::brex_vendor::{Action, State, decide};
use serde_json::{Value, json};
use store::BrexVendorRow;
use uuid::Uuid;

use super::{look, read, wanted};
use crate::app::{App, Connection};
use crate::stop::Stop;

/// What would happen to one vendor.
pub struct Step {
    /// The vendor.
    pub row: BrexVendorRow,
    /// `create`, `link`, `update`, `delete`, `settle` or `hold`.
    pub verb: &'static str,
    /// The details.
    pub detail: Value,
}

/// More pages than any directory has.
const MAX_PAGES: usize = 10_000;

/// Works out what a run over everything would do.
pub async fn plan(app: &App, connection: &Connection) -> Result<Vec<Step>, Stop> {
    let Some(identity) = connection.identity() else { return Ok(Vec::new()) };
    let settings = &connection.settings.directory;
    let read = read::fetch_all(connection, &identity).await?;
    let rows = app.store.brex_vendors().list(&connection.id).await?;
    let mut rows: BTreeMap<Uuid, BrexVendorRow> = rows.into_iter().map(|row| (row.bc_id, row)).collect();
    let now_ms = app.now_ms();
    read::merge(&mut rows, &read, settings, true, now_ms);
    let mut rows: Vec<BrexVendorRow> = rows.into_values().collect();
    let mut vendors = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = connection.brex.list_vendors(cursor.as_deref()).await?;
        vendors.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let was: Vec<Option<String>> = rows.iter().map(|row| row.brex_id.clone()).collect();
    look::sight(&mut rows, &vendors, now_ms);
    let there: std::collections::HashSet<&str> = vendors.iter().map(|vendor| vendor.id.as_str()).collect();
    let policy = settings.policy();
    let mut steps = Vec::new();
    for (mut row, was) in rows.into_iter().zip(was) {
        if row.brex_id.as_deref().is_some_and(|id| !there.contains(id)) {
            row.seen = None;
        }
        if was.is_none()
            && let Some(id) = row.brex_id.clone()
        {
            let detail = json!({ "brex_id": id, "name": row.seen.as_ref().map(|seen| seen.name.clone()) });
            steps.push(Step { row: row.clone(), verb: "link", detail });
        }
        steps.extend(step(row, policy));
    }
    steps.sort_by(|a, b| (&a.row.number, a.row.bc_id).cmp(&(&b.row.number, b.row.bc_id)));
    Ok(steps)
}

fn step(row: BrexVendorRow, policy: domain::brex_vendor::Policy) -> Option<Step> {
    let wanted = wanted(&row);
    let facts = domain::brex_vendor::Facts {
        presence: row.presence,
        // Every name has been looked for by now.
        state: if matches!(row.state, State::New | State::Removed) { State::Absent } else { row.state },
        ours: row.ours,
        wanted: &wanted,
        written: row.written.as_ref(),
        seen: row.seen.as_ref(),
    };
    let (verb, detail) = match decide(&facts, policy) {
        Action::Nothing => return None,
        Action::Look | Action::Create => ("create", json!(wanted)),
        Action::Settle => ("settle", json!(row.sent)),
        Action::Update(changes) => ("update", json!({ "changes": changes, "was": row.seen })),
        Action::Delete => ("delete", json!({ "brex_id": row.brex_id })),
        Action::Hold(hold) => ("hold", json!({ "code": hold.as_str(), "sentence": hold.sentence() })),
    };
    Some(Step { row, verb, detail })
}
