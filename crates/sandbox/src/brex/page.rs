//! The page at `/`: the records as a bookkeeper sees them in Brex, with a button to export.
//!
//! Plain HTML without scripts. It asks for no login, since the sandbox listens on loopback only.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::export::Outcome;
use super::records::{ChangeRefused, PREPARE, Pairs, REVIEW, Stored};
use crate::world::World;

/// Rows on one page; the newest come first.
const ROWS: usize = 200;
const STYLE: &str = include_str!("page.css");

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/", get(records)).route("/page/export/{id}", post(export))
}

async fn records(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Html<String> {
    let pairs = Pairs::parse(query.as_deref());
    let page: usize = pairs.all("page").next().and_then(|page| page.parse().ok()).unwrap_or(0);
    let state = world.brex.lock();
    let total = state.journal.iter().count();
    let mut rows = String::new();
    for record in state.journal.iter().rev().skip(page.saturating_mul(ROWS)).take(ROWS) {
        row(&mut rows, record, page);
    }
    let company = escaped(&state.legal_name);
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Brex sandbox</title>\
         <style>{STYLE}</style></head><body><header><h1>Accounting records</h1>\
         <p>{company}, {total} records. This is a sandbox: nothing here is real.</p></header>\
         <main><table><thead><tr><th>Posting date</th><th>Type</th><th>Merchant</th><th class=\"amount\">Amount</th>\
         <th>Coding</th><th>Status</th><th>Export</th></tr></thead><tbody>{rows}</tbody></table>{}</main></body></html>",
        links(page, total)
    ))
}

async fn export(State(world): State<Arc<World>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    match world.brex.make_ready(&[&id], world.clock.now()) {
        Ok(()) => {
            let pairs = Pairs::parse(query.as_deref());
            let page: usize = pairs.all("page").next().and_then(|page| page.parse().ok()).unwrap_or(0);
            Redirect::to(&format!("/?page={page}#{id}")).into_response()
        }
        Err(error @ ChangeRefused::Unknown(_)) => (StatusCode::NOT_FOUND, error.to_string()).into_response(),
        Err(error) => (StatusCode::CONFLICT, error.to_string()).into_response(),
    }
}

fn row(rows: &mut String, stored: &Stored, page: usize) {
    let record = stored.value();
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let date = record["erp_posting_date"].as_str().unwrap_or_default();
    let amount = &record["amount"];
    let figure = amount["amount"].as_number().map(ToString::to_string).unwrap_or_default();
    let payee = match record["vendor"]["name"].as_str() {
        Some(name) => escaped(name),
        None => text(&record["user"]["email"]),
    };
    // Writing to a string cannot fail.
    let _ = write!(
        rows,
        "<tr id=\"{id}\"><td>{date}</td><td><code>{kind}</code></td><td>{payee}<small>{memo}</small></td>\
         <td class=\"amount\">{figure} {currency}</td><td>{coding}</td><td><span class=\"status\">{status}</span></td>\
         <td>{export}</td></tr>",
        id = escaped(&stored.face.id),
        date = escaped(date.get(..10).unwrap_or(date)),
        kind = escaped(&stored.face.record_type).replace('_', "_<wbr>"),
        memo = text(&record["memo"]),
        figure = escaped(&figure),
        currency = text(&amount["currency"]),
        coding = coding(&record),
        status = escaped(&stored.face.review_status),
        export = export_cell(stored, page),
    );
}

/// The fields of each coded line.
fn coding(record: &Value) -> String {
    let mut cell = String::new();
    let lines = record["line_items"].as_array();
    for line in lines.into_iter().flatten() {
        let values = line["accounting_field_values"].as_array();
        for value in values.into_iter().flatten() {
            let shown = value["field_value_name"]
                .as_str()
                .or(value["remote_field_value_id"].as_str())
                .map_or_else(|| "<em>not coded</em>".to_owned(), escaped);
            let field = value["field_name"].as_str().unwrap_or("Field");
            // Writing to a string cannot fail.
            let _ = write!(cell, "<small>{}: {shown}</small>", escaped(field));
        }
    }
    cell
}

fn export_cell(stored: &Stored, page: usize) -> String {
    let result = stored.exports.last().map(|result| match &result.outcome {
        Outcome::Success { reference_id, deep_link_url } => success(reference_id.as_deref(), deep_link_url.as_deref()),
        Outcome::Failure { error_message } => format!("<span class=\"error\">{}</span>", escaped(error_message)),
    });
    let button = matches!(stored.face.review_status.as_str(), PREPARE | REVIEW).then(|| {
        format!(
            "<form method=\"post\" action=\"/page/export/{}?page={page}\"><button>Export</button></form>",
            escaped(&stored.face.id)
        )
    });
    format!("{}{}", result.unwrap_or_default(), button.unwrap_or_default())
}

/// Only a web link becomes a link.
fn success(reference: Option<&str>, link: Option<&str>) -> String {
    let reference = escaped(reference.unwrap_or("exported"));
    match link.filter(|link| link.starts_with("https://") || link.starts_with("http://")) {
        Some(link) => format!("<a href=\"{}\" rel=\"noreferrer\">{reference}</a>", escaped(link)),
        None => reference,
    }
}

fn links(page: usize, total: usize) -> String {
    let newer = (page > 0).then(|| format!("<a href=\"/?page={}\">Newer</a>", page.saturating_sub(1)));
    let more = page.saturating_add(1).saturating_mul(ROWS) < total;
    let older = more.then(|| format!("<a href=\"/?page={}\">Older</a>", page + 1));
    format!("<nav>{}{}</nav>", newer.unwrap_or_default(), older.unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
