//! Overview: is everything fine?

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::Response;
use domain::hold::HoldCode;
use domain::stage::Stage;
use jiff::civil::Date;
use store::{Count, Exports};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, render};
use super::show::{Stamp, duration, stage_words, stamp};
use crate::app::Connection;

/// Days of the chart.
const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;
/// Height of the chart's tallest bar.
const TALLEST: i64 = 60;

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
    /// How long an exported record took on average, in words.
    took: Option<String>,
    last_poll: Option<Stamp>,
    next_poll: Option<Stamp>,
    failing: Vec<(String, String)>,
}

/// A day of the chart.
struct Bar {
    day: Date,
    records: i64,
    height: i64,
    x: usize,
    y: i64,
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
    let since_ms = app.now_ms().saturating_sub((DAYS - 1) * DAY_MS);
    let exports = app.store.records().exports_by_day(id, since_ms).await?;
    let jobs = app.store.jobs().list(id).await?;
    let poll = jobs.iter().find(|job| job.kind == crate::worker::POLL);
    let failing = jobs.iter().filter_map(|job| Some((job.kind.clone(), job.error.clone()?)));
    let held = held(&counts);
    Ok(Card {
        name: id.to_string(),
        company: row.as_ref().and_then(|row| row.bc_company_name.clone()).unwrap_or_default(),
        problem: row.and_then(|row| row.problem).map(|problem| (problem.code, problem.sentence)),
        exported: counts.iter().filter(|count| count.stage == Stage::Exported).map(|count| count.records).sum(),
        under_way: under_way(&counts),
        held_sum: held.iter().map(|(_, _, records)| records).sum(),
        held,
        bars: bars(&exports, app.now_ms() / DAY_MS),
        took: average(&exports),
        last_poll: poll.and_then(|job| job.finished_ms).map(|ms| stamp(ms, zone)),
        next_poll: poll.and_then(|job| job.due_ms).map(|ms| stamp(ms, zone)),
        failing: failing.collect(),
    })
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

fn bars(exports: &[Exports], today: i64) -> Vec<Bar> {
    let most = exports.iter().map(|exports| exports.records).max().unwrap_or(0).max(1);
    let of_day = |day| exports.iter().find(|exports| exports.day == day).map_or(0, |exports| exports.records);
    let bar = |(place, day): (usize, i64)| {
        let records = of_day(day);
        // A day with anything at all is seen.
        let height = (records * TALLEST / most).max(i64::from(records > 0) * 2);
        Bar { day: date(day), records, height, x: place * 12, y: TALLEST - height }
    };
    (today - DAYS + 1..=today).enumerate().map(bar).collect()
}

fn date(day: i64) -> Date {
    crate::clock::timestamp(day.saturating_mul(DAY_MS)).to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

fn average(exports: &[Exports]) -> Option<String> {
    let records: i64 = exports.iter().map(|exports| exports.records).sum();
    let took_ms: i64 = exports.iter().map(|exports| exports.took_ms).sum();
    took_ms.checked_div(records).map(duration)
}

#[cfg(test)]
mod tests {
    use store::Exports;

    use super::{average, bars};

    #[test]
    fn the_chart_has_a_bar_for_each_day_and_shows_the_smallest() {
        let exports =
            [Exports { day: 99, records: 1, took_ms: 4_000 }, Exports { day: 100, records: 300, took_ms: 600_000 }];
        let bars = bars(&exports, 100);
        assert_eq!(bars.len(), 30);
        let last: Vec<_> = bars.iter().rev().take(3).map(|bar| (bar.records, bar.height, bar.y)).collect();
        assert_eq!(last, [(300, 60, 0), (1, 2, 58), (0, 0, 60)]);
        assert_eq!(bars[29].day.to_string(), "1970-04-11");
        assert_eq!(average(&exports).as_deref(), Some("2 s"));
        assert_eq!(average(&[]), None);
    }
}
