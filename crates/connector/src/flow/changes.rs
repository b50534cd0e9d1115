//! Looks at what changed in Business Central: vendors go into the mirror, documents of exported records to the watch.
//! Notification and schedule come here alike: a notification names a row, the schedule asks for everything since the last
//! change it saw.

use std::collections::BTreeSet;

use clients::bc::{ChangedDocument, DocumentKind};
use domain::stage::Stage;
use jiff::Timestamp;
use store::Event;
use uuid::Uuid;

use super::recheck::{self, Scope};
use super::{BATCH, Lane, Stop, drift};
use crate::mirror::{self, MASTER_DATA};
use crate::subscriptions::change::Change;

/// The job that asks for everything since the last change.
pub const CHANGES: &str = "changes";
/// Its argument when something may be gone, or changes may have gone untold: what is gone shows only by its absence.
pub const EVERYTHING: &str = "everything";

/// How many notifications are taken from the inbox at once; one payload has no more of a set.
const NOTIFICATIONS: i64 = 1_000;
/// More vendors than this are asked for together, by the time of their change.
const SINGLE_VENDORS: usize = 20;
/// Each look goes back this far behind the last change seen, for rows that became visible late and for clocks that differ.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;
/// Changes of accounts are gathered this long, since the whole mirror is refreshed for them.
const GATHER_MS: i64 = 60 * 1_000;

/// Asks for everything that changed since the last look.
pub async fn run(lane: &Lane<'_>, everything: bool) -> Result<(), Stop> {
    if everything {
        request(lane, MASTER_DATA, 0).await?;
        drift::run(lane).await?;
    }
    changed_vendors(lane).await?;
    for (kind, cursor) in
        [(DocumentKind::Invoice, "changes.purchaseInvoices"), (DocumentKind::CreditMemo, "changes.purchaseCreditMemos")]
    {
        changed_documents(lane, kind, cursor).await?;
    }
    Ok(())
}

async fn changed_vendors(lane: &Lane<'_>) -> Result<(), Stop> {
    let (cursor, started_ms) = ("changes.vendors", lane.now_ms());
    let seen_ms = seen(lane, cursor).await?;
    let mut pages = lane.company().list_vendors(Some(since(seen_ms)))?;
    let mut newest_ms = None;
    while let Some(vendors) = pages.next_page().await? {
        newest_ms = newest_ms.max(vendors.iter().filter_map(|vendor| vendor.last_modified).max());
        take_in(lane, vendors).await?;
    }
    remember(lane, cursor, seen_ms, newest_ms, started_ms).await
}

async fn changed_documents(lane: &Lane<'_>, kind: DocumentKind, cursor: &str) -> Result<(), Stop> {
    let started_ms = lane.now_ms();
    let seen_ms = seen(lane, cursor).await?;
    let mut pages = lane.company().list_changed_documents(kind, since(seen_ms))?;
    let mut newest_ms = None;
    while let Some(documents) = pages.next_page().await? {
        newest_ms = newest_ms.max(documents.iter().filter_map(|document| document.last_modified).max());
        let ids: Vec<Uuid> = documents.iter().map(|ChangedDocument { id, .. }| *id).collect();
        look_at_documents(lane, &ids).await?;
    }
    remember(lane, cursor, seen_ms, newest_ms, started_ms).await
}

async fn seen(lane: &Lane<'_>, cursor: &str) -> Result<i64, Stop> {
    let kept = lane.app.store.cursors().get(&lane.connection.id, cursor).await?;
    Ok(kept.and_then(|text| text.parse().ok()).unwrap_or_else(|| lane.now_ms()))
}

fn since(seen_ms: i64) -> Timestamp {
    crate::clock::timestamp(seen_ms.saturating_sub(OVERLAP_MS))
}

/// Moves the mark on to the newest change by Business Central's clock; where nothing changed, to shortly before this look.
async fn remember(
    lane: &Lane<'_>,
    cursor: &str,
    seen_ms: i64,
    newest: Option<Timestamp>,
    started_ms: i64,
) -> Result<(), Stop> {
    let newest_ms = newest.map_or(i64::MIN, Timestamp::as_millisecond);
    let mark = newest_ms.max(started_ms.saturating_sub(OVERLAP_MS)).max(seen_ms);
    Ok(lane.app.store.cursors().set(lane.lease, &lane.connection.id, cursor, &mark.to_string()).await?)
}

/// Takes what notifications left in the inbox, then marks it handled. Returns how many there were.
pub async fn take(lane: &Lane<'_>) -> Result<usize, Stop> {
    let inbox = lane.app.store.inbox();
    let events = inbox.list_unhandled(&lane.connection.id, "bc", NOTIFICATIONS).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let (mut vendors, mut documents) = (BTreeSet::new(), BTreeSet::new());
    for change in events.iter().filter_map(|event| Change::from_json(&event.payload).ok()) {
        match (change.set.as_str(), change.row, change.may_be_deleted) {
            // What is gone shows only in the whole list, and accounts are few.
            ("vendors", _, true) | ("accounts", ..) => request(lane, MASTER_DATA, GATHER_MS).await?,
            ("vendors", Some(row), false) => drop(vendors.insert(row)),
            ("purchaseInvoices" | "purchaseCreditMemos", Some(row), _) => drop(documents.insert(row)),
            ("purchaseInvoices" | "purchaseCreditMemos", None, true) => ask_everything(lane).await?,
            ("vendors" | "purchaseInvoices" | "purchaseCreditMemos", None, false) => request(lane, CHANGES, 0).await?,
            _ => {}
        }
    }
    if vendors.len() > SINGLE_VENDORS {
        request(lane, CHANGES, 0).await?;
    } else {
        fetch_vendors(lane, &vendors).await?;
    }
    look_at_documents(lane, &documents.into_iter().collect::<Vec<_>>()).await?;
    let handled: Vec<(String, String)> =
        events.into_iter().map(|Event { source, event_id, .. }| (source, event_id)).collect();
    inbox.mark_handled(lane.lease, &lane.connection.id, &handled, lane.now_ms()).await?;
    Ok(handled.len())
}

async fn fetch_vendors(lane: &Lane<'_>, ids: &BTreeSet<Uuid>) -> Result<(), Stop> {
    let mut found = Vec::new();
    for id in ids {
        match lane.company().get_vendor(*id).await? {
            Some(vendor) => found.push(vendor),
            None => request(lane, MASTER_DATA, GATHER_MS).await?,
        }
    }
    take_in(lane, found).await
}

/// Takes vendors into the mirror; what was held because of one of them goes on.
async fn take_in(lane: &Lane<'_>, vendors: Vec<clients::bc::Vendor>) -> Result<(), Stop> {
    if vendors.is_empty() || !mirror::take_in(lane.app, lane.connection, lane.lease, vendors).await? {
        return Ok(());
    }
    let Lane { app, connection, lease, identity, .. } = lane;
    let now = Lane::now(app, connection, lease, identity.clone()).await?;
    let lane = Lane { recent: lane.recent.clone(), ..now };
    recheck::run(&lane, Scope::Mapping).await?;
    Ok(())
}

/// The watch looks at the documents that are ours; all others are nobody's business.
async fn look_at_documents(lane: &Lane<'_>, ids: &[Uuid]) -> Result<(), Stop> {
    if lane.connection.settings.drift.days == 0 || ids.is_empty() {
        return Ok(());
    }
    let mut rows = lane.app.store.records().find_by_documents(&lane.connection.id, ids).await?;
    rows.retain(|row| row.stage == Stage::Exported);
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(usize::try_from(BATCH).unwrap_or(1)));
        drift::look_at(lane, std::mem::replace(&mut rows, rest)).await?;
    }
    Ok(())
}

/// Asks for a job as well as for whatever else it was asked for.
async fn request(lane: &Lane<'_>, job: &str, in_ms: i64) -> Result<(), Stop> {
    Ok(lane.app.store.jobs().nudge(&lane.connection.id, job, lane.now_ms().saturating_add(in_ms)).await?)
}

async fn ask_everything(lane: &Lane<'_>) -> Result<(), Stop> {
    let jobs = lane.app.store.jobs();
    Ok(jobs.request(&lane.connection.id, CHANGES, Some(EVERYTHING), lane.now_ms()).await?)
}
