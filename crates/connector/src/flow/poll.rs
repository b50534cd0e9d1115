//! Asks Brex what is there. Schedule and webhook come here alike; whatever is found goes to [`super::receive`].

use clients::brex::webhook_event::WebhookEvent;
use domain::audit::Note;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::json;

use super::bisect::ask;
use super::receive::{Origin, receive};
use super::{Lane, Stop, source};
use crate::app::Connection;
use crate::config::Source;
use crate::identity;

/// Cursor that holds the newest `updated_at` seen (milliseconds).
pub const WATERMARK: &str = "records.updated_at";

/// Each poll looks back this far behind the watermark, for records that became visible late.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;

/// How many nudges are taken from the inbox at once.
const NUDGES: i64 = 200;

/// What part of the past a poll asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// What changed since the last poll.
    SinceLast,
    /// Everything since an instant.
    From(Timestamp),
}

/// Asks for everything in the window. Returns how many records came.
pub async fn poll(lane: &Lane<'_>, window: Window) -> Result<usize, Stop> {
    let cursors = lane.app.store.cursors();
    let watermark: Option<i64> = cursors.get(&lane.connection.id, WATERMARK).await?.and_then(|text| text.parse().ok());
    let start = start_of(lane.connection)?;
    let after = match (window, watermark) {
        (Window::From(from), _) => from.max(start),
        (Window::SinceLast, Some(ms)) => crate::clock::timestamp(ms.saturating_sub(OVERLAP_MS)).max(start),
        (Window::SinceLast, None) => start,
    };
    identity::keep_source(lane.app, lane.connection, lane.lease).await?;
    let started_ms = lane.now_ms();
    let mut seen = 0_usize;
    let mut newest = watermark.unwrap_or(i64::MIN);
    let mut lists = source::changed(lane.connection, after);
    // The first pages of all lists at the same time, since most polls have no others.
    let first = try_join_all(lists.iter_mut().map(source::Pages::next_page)).await?;
    let mut has_taken_long = false;
    for ((mut page, mut pages), anew) in first.into_iter().zip(lists).zip(source::changed(lane.connection, after)) {
        if has_taken_long {
            // Its first page is as old as the walk through the lists before.
            pages = anew;
            page = pages.next_page().await?;
        }
        while let Some(items) = page {
            seen = seen.saturating_add(items.len());
            let received = receive(lane, &items, Origin::Poll).await?;
            newest = newest.max(received.newest_ms.unwrap_or(i64::MIN));
            page = pages.next_page().await?;
            has_taken_long |= page.is_some();
        }
    }
    // What changed while this poll was under way may belong to a query that was answered before.
    newest = newest.min(started_ms);
    if newest > watermark.unwrap_or(i64::MIN) {
        cursors.set(lane.lease, &lane.connection.id, WATERMARK, &newest.to_string()).await?;
    }
    Ok(seen)
}

/// The first instant of the cut-over date in the company's zone.
pub(crate) fn start_of(connection: &Connection) -> Result<Timestamp, Stop> {
    let zoned = connection.settings.start_date.to_zoned_datetime(connection.rules.zone.clone());
    zoned.map(|zoned| zoned.timestamp()).map_err(|_| {
        Stop::Connection(store::Problem {
            code: "start_date_unusable".to_owned(),
            sentence: "start_date is outside the range of dates: correct it in the configuration".to_owned(),
        })
    })
}

/// Takes the nudges that webhooks left in the inbox: fetches the records they name, then marks them handled.
pub async fn take_nudges(lane: &Lane<'_>) -> Result<usize, Stop> {
    let inbox = lane.app.store.inbox();
    let events = inbox.list_unhandled(&lane.connection.id, "brex", NUDGES).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let mut ids: Vec<String> = Vec::new();
    let mut strange: Vec<Note> = Vec::new();
    for event in &events {
        match WebhookEvent::from_json(event.payload.as_bytes()) {
            Ok(WebhookEvent::RecordsReady { .. }) if lane.connection.settings.brex.source == Source::Expenses => {
                strange.push(ignored(&event.event_id, "this connection takes expenses, not accounting records"));
            }
            Ok(WebhookEvent::RecordsReady { record_ids, company_id }) if company_id == lane.identity.brex_company => {
                ids.extend(record_ids);
            }
            Ok(WebhookEvent::RecordsReady { company_id, .. }) => {
                strange.push(ignored(&event.event_id, &format!("it is for the company {company_id}")));
            }
            Ok(WebhookEvent::Transfer { transfer_id, return_for_id, company_id, .. })
                if company_id == lane.identity.brex_company =>
            {
                crate::transfers::heard(lane.app, lane.connection, &transfer_id, return_for_id.as_deref()).await?;
            }
            Ok(WebhookEvent::Transfer { .. } | WebhookEvent::Other { .. }) => {}
            Err(_) => strange.push(ignored(&event.event_id, "its body cannot be read")),
        }
    }
    ids.sort();
    ids.dedup();
    let brex = &lane.connection.brex;
    let call = |ids: Vec<String>| {
        let brex = brex.clone();
        async move { brex.list_records_by_ids(&ids).await.map(|found| vec![found]) }
    };
    let asked = ask(ids, call).await?;
    for found in asked.answers {
        receive(lane, &found.items, Origin::Webhook).await?;
        strange.extend(found.missing.iter().map(|id| ignored(id, "Brex does not know the record")));
    }
    strange.extend(asked.refused.iter().map(|(id, _)| ignored(id, "Brex refuses to look it up")));
    if !strange.is_empty() {
        let audit = lane.app.store.audit();
        audit.append(lane.lease, &lane.connection.id, lane.now_ms(), &lane.app.actor(), &strange).await?;
    }
    let handled: Vec<(String, String)> = events.iter().map(|e| (e.source.clone(), e.event_id.clone())).collect();
    inbox.mark_handled(lane.lease, &lane.connection.id, &handled, lane.now_ms()).await?;
    Ok(events.len())
}

fn ignored(subject: &str, why: &str) -> Note {
    Note {
        action: "webhook_ignored".to_owned(),
        subject: subject.to_owned(),
        before: None,
        after: None,
        detail: json!({ "why": why }),
    }
}
