//! Close: is the month ready? The tie-out of a period, what waits, and the page to print and sign.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::tieout::{Period, TieOut};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, message, render};
use super::show::stamp;
use crate::app::{App, Connection, Identity};
use crate::tieout::{self, Line};

#[derive(Template)]
#[template(path = "console/close.html")]
struct Page {
    frame: Frame,
    from: Date,
    to: Date,
    tied: Option<Compared>,
}

/// What was compared.
struct Compared {
    tied: TieOut,
    lines: Vec<Line>,
    transfers: Vec<Line>,
    limits: Option<&'static str>,
}

#[derive(Deserialize)]
pub(super) struct CloseQuery {
    from: Option<Date>,
    to: Option<Date>,
}

/// The days that were asked for, or last month.
fn period(query: &CloseQuery, connection: &Connection, now_ms: i64) -> Result<Period, Oops> {
    let today = crate::clock::day(now_ms, &connection.rules.zone);
    let last = today.first_of_month().saturating_sub(1.day());
    let period = Period { from: query.from.unwrap_or(last.first_of_month()), to: query.to.unwrap_or(last) };
    if period.from > period.to {
        return Err(Oops::Unusable("The first day is after the last.".to_owned()));
    }
    Ok(period)
}

/// Compared only once days were chosen: it reads both systems.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(query): Query<CloseQuery>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let period = period(&query, connection, console.app.now_ms())?;
    let tied = if query.from.is_some() {
        let tied = tieout::make(&console.app, connection, &*identity(&console.app, connection).await?, period).await?;
        let transfers = tieout::transfers(&console.app.store, &connection.id, period).await?;
        Some(Compared {
            lines: tieout::lines(&tied),
            transfers,
            tied,
            limits: connection.settings.brex.source.limits(),
        })
    } else {
        None
    };
    let frame = Frame::new(&console, person, "close", Some(connection));
    Ok(render(&Page { frame, from: period.from, to: period.to, tied }))
}

/// Who is at either end, also when another process found that out since.
async fn identity(app: &App, connection: &Connection) -> Result<Arc<Identity>, Oops> {
    let text =
        || Oops::Unusable("This connection was not made yet: see Connections for what stands in its way.".to_owned());
    crate::identity::known(app, connection).await?.ok_or_else(text)
}

/// The page to print and sign, as `tieout --page` writes it.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    Query(query): Query<CloseQuery>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let period = period(&query, connection, console.app.now_ms())?;
    let identity = identity(&console.app, connection).await?;
    let tied = tieout::make(&console.app, connection, &identity, period).await?;
    let transfers = tieout::transfers(&console.app.store, &connection.id, period).await?;
    let at = stamp(console.app.now_ms(), &connection.rules.zone);
    let made = format!("{} ({})", at.shown, connection.settings.time_zone);
    let page = tieout::page(
        &tied,
        &transfers,
        connection.id.as_str(),
        &identity.bc_company_name,
        &made,
        connection.settings.brex.source.limits(),
    );
    Ok(match page {
        Ok(text) => ([(header::CONTENT_SECURITY_POLICY, policy(&text))], Html(text)).into_response(),
        Err(error) => message(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made", &error.to_string()),
    })
}

/// The page is complete in itself, so that it can be kept as a file: its one style is let in by its hash, and nothing else.
fn policy(page: &str) -> String {
    let style =
        page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(style, _)| style);
    let hash = data_encoding::BASE64.encode(&Sha256::digest(style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
