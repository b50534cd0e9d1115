//! Reads the transfers of Brex and what was settled on the cash accounts. The list has no filters (brex.md 4.2): it is read
//! until everything on a page is known and over, if the newest come first, and to its end otherwise.

use std::collections::{BTreeMap, BTreeSet};

use clients::brex::{Transfer, TransfersPage};
use clients::{Error, Kind};
use domain::audit::Note;
use domain::money::Currency;
use domain::transfer::{Facts, Settled};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use store::TransferRow;

use super::Halt;
use crate::app::{App, Connection};

/// More pages than any account has; a list that goes on is an error.
const MAX_PAGES: usize = 10_000;
/// Between two full walks the cash accounts are read this far back: longer than any transfer takes.
const CASH_DAYS: i64 = 45;

/// Reads what is new, or everything.
pub async fn run(app: &App, connection: &Connection, is_full: bool) -> Result<(), Halt> {
    let known: BTreeMap<String, TransferRow> =
        app.store.transfers().list(&connection.id).await?.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut seen = BTreeSet::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = connection.brex.list_transfers(cursor.as_deref()).await?;
        seen.extend(page.items.iter().map(|transfer| transfer.id.clone()));
        keep(app, connection, &known, &page.items).await?;
        let is_enough =
            !is_full && is_newest_first(&page) && page.items.iter().all(|transfer| is_over(&known, transfer));
        cursor = page.next_cursor.filter(|_| !is_enough);
        if cursor.is_none() {
            break;
        }
    }
    // Those under way that the walk did not reach.
    for id in known.values().filter(|row| row.facts.is_under_way() && !seen.contains(&row.id)).map(|row| &row.id) {
        if let Some(transfer) = connection.brex.get_transfer(id).await? {
            keep(app, connection, &known, &[transfer]).await?;
        }
    }
    settle(app, connection, is_full).await
}

/// Writes what Brex said about one transfer, so that it is followed from now on.
pub async fn keep_one(app: &App, connection: &Connection, transfer: &Transfer) -> Result<(), Halt> {
    let rows = app.store.transfers().list(&connection.id).await?;
    let known = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    keep(app, connection, &known, std::slice::from_ref(transfer)).await
}

fn is_newest_first(page: &TransfersPage) -> bool {
    let first = page.items.first().and_then(|transfer| transfer.created_at);
    first > page.items.last().and_then(|transfer| transfer.created_at)
}

fn is_over(known: &BTreeMap<String, TransferRow>, transfer: &Transfer) -> bool {
    known.get(&transfer.id).is_some_and(|row| !row.facts.is_under_way() && row.facts.status == transfer.status)
}

/// Writes what is new or has changed.
async fn keep(
    app: &App,
    connection: &Connection,
    known: &BTreeMap<String, TransferRow>,
    transfers: &[Transfer],
) -> Result<(), Halt> {
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    let now_ms = app.now_ms();
    for transfer in transfers {
        let Some(facts) = facts_of(transfer, &connection.rules.zone) else {
            tracing::warn!(connection = %connection.id, transfer = transfer.id, "a transfer has no currency that can be read");
            continue;
        };
        let before = known.get(&transfer.id);
        if before.is_some_and(|row| row.facts == facts) {
            continue;
        }
        let mut history = before.map(|row| row.history.clone()).unwrap_or_default();
        let was = history.last().map(|(_, status)| status.clone());
        if was.as_ref() != Some(&facts.status) {
            history.push((now_ms, facts.status.clone()));
            notes.push(Note {
                action: if was.is_none() { "transfer_imported" } else { "transfer_status" }.to_owned(),
                subject: format!("transfer {}", transfer.id),
                before: was,
                after: Some(facts.status.clone()),
                detail: json!({ "amount": facts.amount, "currency": facts.currency, "to": facts.name, "memo": facts.memo,
                                "why": facts.cancellation }),
            });
        }
        rows.push(TransferRow {
            id: transfer.id.clone(),
            facts,
            history,
            settled: None,
            returned_by: None,
            standing: None,
            suggestion: None,
            first_ms: before.map_or(now_ms, |row| row.first_ms),
            updated_ms: now_ms,
        });
    }
    app.store.transfers().put(&connection.id, now_ms, &app.actor(), &rows, &notes).await?;
    Ok(())
}

fn facts_of(transfer: &Transfer, zone: &TimeZone) -> Option<Facts> {
    let day = |at: Option<Timestamp>| at.map(|at| day_of(at, zone));
    let vendor = transfer.counterparty.as_ref().filter(|other| other.kind == "VENDOR");
    Some(Facts {
        status: transfer.status.clone(),
        payment_type: transfer.payment_type.clone(),
        amount: transfer.amount.amount,
        currency: Currency::new(transfer.amount.currency.as_deref().unwrap_or("USD")).ok()?,
        brex_vendor: vendor.and_then(|vendor| vendor.id.clone()),
        name: transfer.display_name.clone(),
        instrument: vendor.and_then(|vendor| vendor.payment_instrument_id.clone()),
        memo: transfer.external_memo.clone(),
        description: transfer.description.clone(),
        account: transfer.originating_account.as_ref().map(|account| account.id.clone()),
        process_date: day(transfer.process_date),
        created: day(transfer.created_at),
        cancellation: transfer.cancellation_reason.clone(),
    })
}

/// A date that Brex sends as such is that date (ADR 9); an instant falls on a day of the company.
fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let utc = at.to_zoned_datetime(TimeZone::UTC);
    let is_date = utc.time() == jiff::civil::Time::midnight();
    if is_date { utc.date() } else { at.to_zoned_datetime(zone.clone()).date() }
}

/// Amount and date of what was settled. A token that may not read the accounts leaves it unknown.
async fn settle(app: &App, connection: &Connection, is_full: bool) -> Result<(), Halt> {
    let start = if is_full { Timestamp::UNIX_EPOCH } else { crate::clock::timestamp(app.now_ms()) };
    let since = if is_full { start } else { start.checked_sub((CASH_DAYS * 24).hours()).unwrap_or(start) };
    let found = match read_cash(connection, since).await {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::Unauthorized | Kind::NotFound) => {
            tracing::warn!(connection = %connection.id, error = %error, "the cash accounts cannot be read: no settled amounts");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let rows = app.store.transfers().list(&connection.id).await?;
    let settled = |row: TransferRow| {
        let settled = found.get(&row.id).copied();
        (settled.is_some() && settled != row.settled).then_some(TransferRow { settled, ..row })
    };
    let rows: Vec<TransferRow> = rows.into_iter().filter_map(settled).collect();
    app.store.transfers().put(&connection.id, app.now_ms(), &app.actor(), &rows, &[]).await?;
    Ok(())
}

/// What each transfer moved on the accounts. Which sign means out is not documented, so it does not count.
async fn read_cash(connection: &Connection, since: Timestamp) -> Result<BTreeMap<String, Settled>, Error> {
    let mut sums: BTreeMap<String, (i64, Date)> = BTreeMap::new();
    for account in connection.brex.list_cash_accounts().await? {
        for transaction in connection.brex.list_cash_transactions(&account.id, since).await? {
            let posted = transaction.posted_at_date.map(|at| day_of(at, &connection.rules.zone));
            let (Some(transfer), Some(amount), Some(date)) = (transaction.transfer_id, transaction.amount, posted)
            else {
                continue;
            };
            let sum = sums.entry(transfer).or_insert((0, date));
            *sum = (sum.0.saturating_add(amount.amount), sum.1.max(date));
        }
    }
    let settled = |(id, (sum, date)): (String, (i64, Date))| (id, Settled { amount: sum.saturating_abs(), date });
    Ok(sums.into_iter().map(settled).collect())
}
