//! Overview: is everything fine?

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use domain::hold::HoldCode;
use domain::stage::Stage;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{Count, Exports};

use super::Console;
use super::charts::{self, Bar, DAYS, Spent, Took};
use super::guard::Person;
use super::page::{Frame, Oops, connection, csv_file, render};
use super::show::{Stamp, duration, stage_words, stamp};
use crate::app::Connection;
use crate::cells::{line, safe};
use crate::clock::DAY_MS;
use crate::mirror::recall_if_missing;

/// Months whose spend is shown, this one among them.
const MONTHS: i32 = 12;

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Page {
    frame: Frame,
    cards: Vec<Card>,
}

/// A connection.
struct Card {
    name: String,
    company: String,
    problem: Option<(String, String)>,
    exported: i64,
    under_way: Vec<(&'static str, &'static str, i64)>,
    held: Vec<(&'static str, &'static str, i64)>,
    held_sum: i64,
    bars: Vec<Bar>,
    most_exported: i64,
    drafts: Took,
    spent: Vec<Spent>,
    /// How long an exported record took on average, in words.
    took: Option<String>,
    last_poll: Option<Stamp>,
    next_poll: Option<Stamp>,
    failing: Vec<(String, String)>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
) -> Result<Response, Oops> {
    let mut cards = Vec::new();
    for connection in &console.app.connections {
        cards.push(card(&console, connection).await?);
    }
    Ok(render(&Page { frame: Frame::new(&console, person, "overview", None), cards }))
}

async fn card(console: &Console, connection: &Connection) -> Result<Card, Oops> {
    let (app, id, zone) = (&console.app, &connection.id, &connection.rules.zone);
    let row = app.store.connections().get(id).await?;
    let counts = app.store.records().counts(id).await?;
    let (today, since_ms) = (app.now_ms() / DAY_MS, app.now_ms().saturating_sub((DAYS - 1) * DAY_MS));
    let exports = app.store.records().exports_by_day(id, since_ms).await?;
    let drafts = app.store.records().drafts_by_day(id, since_ms).await?;
    let spend = app.store.records().spend_since(id, since(console, connection)).await?;
    recall_if_missing(&console.app, connection).await?;
    let jobs = app.store.jobs().list(id).await?;
    let poll = jobs.iter().find(|job| job.kind == crate::worker::POLL);
    let failing = jobs.iter().filter_map(|job| Some((job.kind.clone(), job.error.clone()?)));
    let held = held(&counts);
    let bars = charts::exports(&exports, today);
    Ok(Card {
        name: id.to_string(),
        company: row.as_ref().and_then(|row| row.bc_company_name.clone()).unwrap_or_default(),
        problem: row.and_then(|row| row.problem).map(|problem| (problem.code, problem.sentence)),
        exported: counts.iter().filter(|count| count.stage == Stage::Exported).map(|count| count.records).sum(),
        under_way: under_way(&counts),
        held_sum: held.iter().map(|(_, _, records)| records).sum(),
        held,
        most_exported: bars.iter().map(|bar| bar.records).max().unwrap_or(0),
        bars,
        drafts: charts::took(&drafts, today),
        spent: charts::spent(&spend, &connection.directory()),
        took: average(&exports),
        last_poll: poll.and_then(|job| job.finished_ms).map(|ms| stamp(ms, zone)),
        next_poll: poll.and_then(|job| job.due_ms).map(|ms| stamp(ms, zone)),
        failing: failing.collect(),
    })
}

/// The first day of the months whose spend is shown.
fn since(console: &Console, connection: &Connection) -> Date {
    let today = crate::clock::day(console.app.now_ms(), &connection.rules.zone).first_of_month();
    today.saturating_sub((MONTHS - 1).months())
}

/// What was spent, a line for each month and account or dimension value.
pub(super) async fn spend_csv(State(console): State<Arc<Console>>, Path(name): Path<String>) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    recall_if_missing(&console.app, connection).await?;
    let spend = console.app.store.records().spend_since(&connection.id, Date::ZERO).await?;
    let local = &connection.directory().setup.local_currency;
    let header = ["month", "currency", "dimension", "value", "amount"];
    let mut text = line(header);
    for one in spend {
        let currency = one.currency.unwrap_or_else(|| local.clone());
        let [dimension, value] = [one.dimension.unwrap_or_default(), one.value].map(|cell| safe(&cell));
        text.extend(line([one.month, safe(&currency), dimension, value, one.amount.normalize().to_string()]));
    }
    Ok(csv_file(&format!("spend-{name}"), text.into()))
}

/// Stage, its words and its number of records that are neither held nor done.
fn under_way(counts: &[Count]) -> Vec<(&'static str, &'static str, i64)> {
    let moving = |count: &&Count| count.hold_code.is_none() && count.stage != Stage::Exported;
    counts.iter().filter(moving).map(|c| (c.stage.as_str(), stage_words(c.stage.as_str()), c.records)).collect()
}

/// Code, who can fix it, and number of records.
fn held(counts: &[Count]) -> Vec<(&'static str, &'static str, i64)> {
    let shown = |(code, records): (HoldCode, i64)| (code.as_str(), code.fixer().as_str(), records);
    let mut held: Vec<_> = Count::by_hold(counts).into_iter().map(shown).collect();
    held.sort_by_key(|(code, _, records)| (std::cmp::Reverse(*records), *code));
    held
}

fn average(exports: &[Exports]) -> Option<String> {
    let records: i64 = exports.iter().map(|exports| exports.records).sum();
    let took_ms: i64 = exports.iter().map(|exports| exports.took_ms).sum();
    took_ms.checked_div(records).map(duration)
}

#[cfg(test)]
mod tests {
    use store::Exports;

    use super::average;

    #[test]
    fn the_average_is_over_records_and_not_over_days() {
        let exports =
            [Exports { day: 99, records: 1, took_ms: 4_000 }, Exports { day: 100, records: 300, took_ms: 600_000 }];
        assert_eq!(average(&exports).as_deref(), Some("2 s"));
        assert_eq!(average(&[]), None);
    }
}
