//! Pay: what would be paid through Brex and what stands against it; what was ordered, and what others say to that.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use domain::access::Need;
use domain::transfer::{Order, dollars};
use serde::Deserialize;
use store::{OrderState, TransferOrder};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, Said, connection, done, render};
use super::records::reason;
use super::show::{Stamp, stamp};
use crate::app::Connection;
use crate::mirror::recall_if_missing;
use crate::stop::Stop;
use crate::transfers::pay::plan::{Line, Objection, Plan, Request, plan};
use crate::transfers::pay::word::{self, PayError};
use crate::transfers::view::{SeenDocument, View};

/// Open invoices that are shown, those that are due first.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "console/pay.html")]
struct Page {
    frame: Frame,
    is_enabled: bool,
    four_eyes: bool,
    may_order: bool,
    open: Vec<Open>,
    hidden: usize,
    plan: Option<Shown>,
    orders: Vec<Ordered>,
}

/// An invoice that may be chosen.
struct Open {
    seen: SeenDocument,
    vendor: String,
    is_chosen: bool,
}

/// A plan as the page shows it.
struct Shown {
    lines: Vec<ShownLine>,
    /// What the order has to say again: a digest of everything that would be sent.
    digest: String,
    total: String,
    account: String,
    available: Option<String>,
    reads_payments: bool,
    is_clear: bool,
}

struct ShownLine {
    invoice: String,
    number: String,
    vendor: String,
    amount: String,
    payee: String,
    memo: String,
    by_hand: bool,
    against: Vec<Objection>,
}

struct Ordered {
    row: TransferOrder,
    amount: String,
    payee: String,
    despite: String,
    at: Stamp,
    /// Whether this person may say yes to it.
    may_approve: bool,
    may_decline: bool,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Query(said): Query<Said>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Oops> {
    let (app, connection) = (&console.app, connection(&console, &name)?);
    recall_if_missing(&console.app, connection).await?;
    let settings = &connection.settings.transfers.pay;
    let today = crate::clock::day(app.now_ms(), &connection.rules.zone);
    let mut documents = View::load(&app.store, &connection.id, today).await?.documents;
    documents.sort_by_key(|seen| seen.due);
    let chosen = invoices(&query);
    // Planning asks both systems.
    let planned = if chosen.is_empty() || !settings.enabled || !person.may(Need::Work) {
        None
    } else {
        Some(shown(planned(&console, connection, &chosen).await?, &documents))
    };
    documents.retain(|seen| matches!(seen.verdict, "unmatched" | "partly"));
    let hidden = documents.len().saturating_sub(SHOWN);
    let directory = connection.directory();
    let open = documents.into_iter().take(SHOWN).map(|seen| Open {
        vendor: directory.vendor(&seen.vendor.to_string()).map_or_else(String::new, |vendor| vendor.name.clone()),
        is_chosen: chosen.contains(&seen.id),
        seen,
    });
    let open = open.collect();
    let orders = app.store.transfer_orders().list(&connection.id).await?;
    let orders = orders.into_iter().rev().map(|row| ordered(row, connection, &person)).collect();
    let said = match said.said.as_str() {
        "ordered" if settings.four_eyes => Some("Ordered. Another person has to approve it."),
        "ordered" => Some("Ordered. It is sent to Brex within seconds."),
        "approved" => Some("Approved. It is sent to Brex within seconds."),
        "declined" => Some("Declined. Nothing is sent for it."),
        _ => None,
    };
    let may_order = person.may(if settings.four_eyes { Need::Work } else { Need::Approve });
    Ok(render(&Page {
        frame: Frame::new(&console, person, "pay", Some(connection)).saying(said.map(str::to_owned)),
        is_enabled: settings.enabled,
        four_eyes: settings.four_eyes,
        may_order,
        open,
        hidden,
        plan: planned,
        orders,
    }))
}

/// The invoices that a form or an address names.
fn invoices(fields: &[(String, String)]) -> BTreeSet<String> {
    fields.iter().filter(|(name, _)| name == "invoice").map(|(_, id)| id.clone()).collect()
}

async fn planned(console: &Console, connection: &Connection, invoices: &BTreeSet<String>) -> Result<Plan, Oops> {
    let request = |invoice: &String| Request { invoice: invoice.clone(), instrument: None };
    let requests: Vec<Request> = invoices.iter().map(request).collect();
    plan(&console.app, connection, &requests, &BTreeSet::new()).await.map_err(|halt| Stop::from(halt).into())
}

/// To whom in Brex, and by which of the payee's accounts.
fn payee(order: &Order) -> String {
    format!("{} to {} of {}, from {}", order.way.rail, order.way.instrument, order.brex_vendor, order.account)
}

fn shown(plan: Plan, documents: &[SeenDocument]) -> Shown {
    let mark = plan.mark();
    let is_clear = mark.is_some();
    let number = |id: &str| documents.iter().find(|seen| seen.id == id).map(|seen| seen.supplier_number.clone());
    let line = |line: Line| {
        let order = line.order;
        let text = |of: fn(&Order) -> String| order.as_ref().map(of).unwrap_or_default();
        ShownLine {
            number: number(&line.asked).unwrap_or_else(|| line.asked.clone()),
            amount: text(|order| dollars(order.cents)),
            payee: text(payee),
            memo: text(|order| order.memo.clone()),
            by_hand: order.as_ref().is_some_and(|order| order.is_manual),
            invoice: line.asked,
            vendor: line.vendor,
            against: line.against,
        }
    };
    Shown {
        lines: plan.lines.into_iter().map(line).collect(),
        digest: mark.unwrap_or_default(),
        total: dollars(plan.total),
        account: plan.account.unwrap_or_else(|| "none".to_owned()),
        available: plan.available.map(dollars),
        reads_payments: plan.has_lines,
        is_clear,
    }
}

fn ordered(row: TransferOrder, connection: &Connection, person: &Person) -> Ordered {
    let settings = &connection.settings.transfers.pay;
    let is_asked = matches!(row.state, OrderState::Proposed | OrderState::Held);
    let is_another = !settings.four_eyes || row.proposed_by != person.name;
    Ordered {
        amount: dollars(row.order.cents),
        payee: payee(&row.order),
        despite: row.order.despite.iter().cloned().collect::<Vec<_>>().join(", "),
        at: stamp(row.proposed_ms, &connection.rules.zone),
        may_approve: is_asked && is_another && person.may(Need::Approve),
        may_decline: (is_asked || row.state == OrderState::Approved) && person.may(Need::Work),
        row,
    }
}

/// Orders what was planned, all of it or nothing: the plan is made again, and has to come to the same.
pub(super) async fn order(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Oops> {
    let (app, connection) = (&console.app, connection(&console, &name)?);
    let seen = form.iter().find(|(name, _)| name == "plan").map_or("", |(_, digest)| digest.as_str());
    let invoices = invoices(&form);
    if invoices.is_empty() {
        return Err(Oops::Unusable("No invoice was chosen.".to_owned()));
    }
    recall_if_missing(&console.app, connection).await?;
    let who = word::Person::who_orders(&app.store, connection, &person.name).await.map_err(refused)?;
    let plan = planned(&console, connection, &invoices).await?;
    let Some(orders) = plan.orders().filter(|_| plan.mark().as_deref() == Some(seen)) else {
        return Err(Oops::Unusable(
            "Nothing was ordered: something has changed since this was planned. Plan it again.".to_owned(),
        ));
    };
    word::order(&app.store, connection, &orders, &who, app.now_ms()).await.map_err(refused)?;
    Ok(done(&console, &name, "pay", "ordered"))
}

#[derive(Deserialize)]
pub(super) struct Decision {
    id: i64,
    #[serde(default)]
    reason: String,
}

pub(super) async fn approve(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(decision): Form<Decision>,
) -> Result<Response, Oops> {
    let (app, connection) = (&console.app, connection(&console, &name)?);
    let who = word::Person::who_approves(&app.store, &person.name).await.map_err(refused)?;
    word::approve(&app.store, connection, decision.id, &who, app.now_ms()).await.map_err(refused)?;
    Ok(done(&console, &name, "pay", "approved"))
}

pub(super) async fn decline(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    Form(decision): Form<Decision>,
) -> Result<Response, Oops> {
    let (app, connection) = (&console.app, connection(&console, &name)?);
    let reason = reason(&decision.reason)?;
    let who = word::Person::who_declines(&app.store, &person.name).await.map_err(refused)?;
    word::decline(&app.store, connection, decision.id, reason, &who, app.now_ms()).await.map_err(refused)?;
    Ok(done(&console, &name, "pay", "declined"))
}

fn refused(error: PayError) -> Oops {
    match error {
        PayError::Refused(why) => Oops::Unusable(format!("{why}.")),
        PayError::Store(error) => error.into(),
    }
}
