//! The walk through the Brex directory, one page per turn: what a person changed there, and which vendors are there already
//! under the name of a BC vendor. Those are linked, never made a second time.

use std::collections::HashMap;

use clients::brex::BrexVendor;
use domain::brex_vendor::name::name_key;
use domain::brex_vendor::{Presence, State};
use serde_json::json;
use store::{BrexVendorChange, BrexVendorRow};

use super::{Halt, Turn, note, seen};

/// Reads one page. Returns where the next one starts.
pub(super) async fn page(turn: &Turn<'_>, began_ms: i64, cursor: Option<&str>) -> Result<Option<String>, Halt> {
    let page = turn.connection.brex.list_vendors(cursor).await?;
    let (map, id, now_ms) = (turn.app.store.brex_vendors(), &turn.connection.id, turn.now_ms());
    let ids: Vec<String> = page.items.iter().map(|vendor| vendor.id.clone()).collect();
    let names: Vec<String> = page.items.iter().map(|vendor| vendor.company_name.clone()).collect();
    let mut rows = map.list_matching(id, &ids, &names).await?;
    let changes = sight(&mut rows, &page.items, now_ms);
    turn.apply(&changes).await?;
    map.mark_seen(turn.lease, id, &ids, now_ms.max(began_ms)).await?;
    if page.next_cursor.is_none() {
        map.finish_look(turn.lease, id, began_ms, now_ms).await?;
    }
    Ok(page.next_cursor)
}

/// Puts what was seen into the rows. Gives those that changed.
pub(super) fn sight(rows: &mut [BrexVendorRow], vendors: &[BrexVendor], now_ms: i64) -> Vec<BrexVendorChange> {
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(id) = &row.brex_id {
            by_id.insert(id.clone(), index);
        } else if let Some(name) = row.name.as_deref().filter(|_| can_be_linked(row)) {
            by_name.insert(name_key(name), index);
        }
    }
    let mut changes = Vec::new();
    for vendor in vendors {
        let known = by_id.get(&vendor.id).copied();
        let named = || by_name.remove(&name_key(&vendor.company_name));
        let Some(row) = known.or_else(named).and_then(|index| rows.get_mut(index)) else { continue };
        let fields = seen(vendor);
        if row.brex_id.is_none() {
            changes.push(link(row, vendor, false, now_ms));
        } else if row.state == State::Here && row.seen.as_ref() != Some(&fields) {
            let was = row.seen.replace(fields.clone());
            (row.due_ms, row.looked_ms) = (Some(now_ms), Some(now_ms));
            let note = note(row, "brex_vendor_changed_in_brex", json!({ "was": was, "is": fields }));
            changes.push(BrexVendorChange { row: row.clone(), notes: vec![note] });
        }
    }
    changes
}

fn can_be_linked(row: &BrexVendorRow) -> bool {
    row.presence == Presence::Active && matches!(row.state, State::New | State::Absent | State::Removed)
}

/// The vendor in Brex stands for this row from now on. `ours` tells that we made it.
pub(super) fn link(row: &mut BrexVendorRow, vendor: &BrexVendor, ours: bool, now_ms: i64) -> BrexVendorChange {
    row.written = row.sent.take().filter(|_| ours);
    (row.state, row.ours, row.tries) = (State::Here, ours, 0);
    (row.brex_id, row.seen) = (Some(vendor.id.clone()), Some(seen(vendor)));
    (row.hold, row.hold_text) = (None, None);
    (row.due_ms, row.looked_ms) = (Some(now_ms), Some(now_ms));
    let action = if ours { "brex_vendor_adopted" } else { "brex_vendor_linked" };
    let note = note(row, action, json!({ "brex_id": vendor.id, "name": vendor.company_name }));
    BrexVendorChange { row: row.clone(), notes: vec![note] }
}
