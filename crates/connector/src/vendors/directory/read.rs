//! What BC says: its vendors, those that changed or all of them, merged into the map; and the names they get.

use std::collections::{BTreeMap, HashSet};

use clients::bc;
use domain::brex_vendor::name::{self, Named, plan_names};
use domain::brex_vendor::{Presence, State};
use serde_json::json;
use store::{BrexVendorChange, BrexVendorRow};
use uuid::Uuid;

use super::{Halt, MODIFIED, Turn, note, wanted};
use crate::app::{Connection, Identity};
use crate::config::{DirectorySection, Which};

/// Reads look back this far behind the newest change, for changes that became visible late.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;

/// What was read.
pub struct Read {
    /// The vendors.
    pub vendors: Vec<bc::Vendor>,
    /// Those with purchase invoices, if only they count.
    pub buying: Option<HashSet<Uuid>>,
    /// Whether these are all there are.
    pub all: bool,
}

/// Reads and merges. Returns how many vendors nobody has looked for in Brex yet.
pub(super) async fn run(turn: &Turn<'_>, full: bool) -> Result<usize, Halt> {
    let since = turn.number(MODIFIED).await?.filter(|_| !full);
    let read = fetch(turn.connection, turn.identity, since).await?;
    let newest =
        read.vendors.iter().filter_map(|vendor| vendor.last_modified).map(jiff::Timestamp::as_millisecond).max();
    let rows = turn.app.store.brex_vendors().list(&turn.connection.id).await?;
    let mut rows: BTreeMap<Uuid, BrexVendorRow> = rows.into_iter().map(|row| (row.bc_id, row)).collect();
    let changes = merge(&mut rows, &read, &turn.connection.settings.directory, full, turn.now_ms());
    turn.apply(&changes).await?;
    if let Some(newest) = newest.max(since) {
        turn.set(MODIFIED, &newest.to_string()).await?;
    }
    Ok(rows.values().filter(|row| row.state == State::New && row.due_ms.is_some()).count())
}

/// The vendors of BC since an instant. Which vendors have purchases shows only in the invoices, so then all are read.
async fn fetch(connection: &Connection, identity: &Identity, since_ms: Option<i64>) -> Result<Read, clients::Error> {
    let company = connection.bc.company(identity.bc_company);
    let only_buying = connection.settings.directory.which == Which::WithPurchases;
    let since = since_ms.filter(|_| !only_buying).map(|ms| crate::clock::timestamp(ms.saturating_sub(OVERLAP_MS)));
    let vendors = company.list_vendors(since)?.all().await?;
    let buying = if only_buying {
        let invoices = company.list_invoice_vendors()?.all().await?;
        Some(invoices.into_iter().filter_map(|invoice| invoice.vendor_id).collect())
    } else {
        None
    };
    Ok(Read { vendors, buying, all: since.is_none() })
}

/// All vendors of BC.
pub(super) async fn fetch_all(connection: &Connection, identity: &Identity) -> Result<Read, clients::Error> {
    fetch(connection, identity, None).await
}

/// Merges what BC says into the map. `again` also takes up what waits for a person. Gives the rows that changed.
pub(super) fn merge(
    rows: &mut BTreeMap<Uuid, BrexVendorRow>,
    read: &Read,
    settings: &DirectorySection,
    again: bool,
    now_ms: i64,
) -> Vec<BrexVendorChange> {
    let before = rows.clone();
    let mut present = HashSet::new();
    for vendor in &read.vendors {
        present.insert(vendor.id);
        let presence = presence(vendor, read, settings);
        match rows.get_mut(&vendor.id) {
            Some(row) => take(row, vendor, presence),
            None if presence == Presence::Outside => {}
            None => {
                let mut row = new_row(vendor.id, now_ms);
                take(&mut row, vendor, presence);
                rows.insert(vendor.id, row);
            }
        }
    }
    if read.all {
        for row in rows.values_mut().filter(|row| !present.contains(&row.bc_id)) {
            row.presence = Presence::Gone;
        }
    }
    name(rows, settings);
    let changed = rows.values_mut().filter_map(|row| changed(row, before.get(&row.bc_id), again, now_ms));
    changed.collect()
}

/// Makes due what differs from before, and tells what the trail should know about the name.
fn changed(
    row: &mut BrexVendorRow,
    before: Option<&BrexVendorRow>,
    again: bool,
    now_ms: i64,
) -> Option<BrexVendorChange> {
    let renamed = before.and_then(|before| before.name.as_ref()) != row.name.as_ref();
    if renamed && row.state == State::Absent {
        row.state = State::New;
    }
    // What a policy or a person may have changed shows in no row: it is decided anew.
    let is_settled = match row.state {
        State::Here => row.presence == Presence::Active && row.seen == Some(wanted(row)),
        _ => row.presence != Presence::Active,
    };
    let waits = again && (row.hold.is_some() || !is_settled);
    if before == Some(&*row) && !waits {
        return None;
    }
    (row.hold, row.hold_text) = (None, None);
    row.due_ms = Some(row.due_ms.map_or(now_ms, |due| due.min(now_ms)));
    let mut notes = Vec::new();
    if renamed && let Some(planned) = row.name.as_ref().filter(|planned| **planned != row.bc_name) {
        let detail = json!({ "in_bc": row.bc_name, "in_brex": planned, "number": row.number });
        notes.push(note(row, "brex_vendor_named", detail));
    }
    Some(BrexVendorChange { row: row.clone(), notes })
}

fn new_row(id: Uuid, now_ms: i64) -> BrexVendorRow {
    BrexVendorRow {
        bc_id: id,
        number: String::new(),
        bc_name: String::new(),
        email: None,
        phone: None,
        presence: Presence::Outside,
        name: None,
        state: State::New,
        brex_id: None,
        ours: false,
        sent: None,
        written: None,
        seen: None,
        attempt: 1,
        tries: 0,
        hold: None,
        hold_text: None,
        due_ms: None,
        looked_ms: None,
        created_ms: now_ms,
        updated_ms: now_ms,
    }
}

fn take(row: &mut BrexVendorRow, vendor: &bc::Vendor, presence: Presence) {
    row.number.clone_from(&vendor.number);
    row.bc_name.clone_from(&vendor.display_name);
    row.email = name::email(&vendor.email);
    row.phone = name::phone(&vendor.phone_number);
    row.presence = presence;
}

fn presence(vendor: &bc::Vendor, read: &Read, settings: &DirectorySection) -> Presence {
    let buys = read.buying.as_ref().is_none_or(|buying| buying.contains(&vendor.id));
    if !buys || !settings.fits(&vendor.number, &vendor.country) {
        Presence::Outside
    } else if vendor.blocked == bc::Blocked::No {
        Presence::Active
    } else {
        // A member of a newer version may forbid payments: treated as blocked until it is known.
        Presence::Blocked
    }
}

/// Plans the names of all that are in Brex or are to be.
fn name(rows: &mut BTreeMap<Uuid, BrexVendorRow>, settings: &DirectorySection) {
    let policy = settings.policy();
    let needs =
        |row: &BrexVendorRow| row.presence == Presence::Active || matches!(row.state, State::Here | State::Creating);
    let ids: Vec<(Uuid, String)> =
        rows.values().filter(|row| needs(row)).map(|row| (row.bc_id, row.bc_id.to_string())).collect();
    let named: Vec<Named<'_>> = ids
        .iter()
        .filter_map(|(id, text)| rows.get(id).map(|row| (row, text)))
        .map(|(row, text)| Named {
            id: text,
            number: &row.number,
            name: &row.bc_name,
            mark: policy.mark(row.presence),
            kept: row.name.as_deref(),
            in_brex: row.seen.as_ref().or(row.sent.as_ref()).map(|fields| fields.name.as_str()),
        })
        .collect();
    let planned = plan_names(&named);
    for row in rows.values_mut().filter(|row| !needs(row)) {
        row.name = None;
    }
    for ((id, _), name) in ids.iter().zip(planned) {
        if let Some(row) = rows.get_mut(id) {
            row.name = Some(name);
        }
    }
}
