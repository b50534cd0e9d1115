//! Paying open invoices: what would be paid and what stands against it, and the order for exactly that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use domain::transfer::Order;
use serde::{Deserialize, Serialize};
use store::TransferOrder;
use utoipa::ToSchema;

use super::Api;
use super::extract::{Body, Place};
use super::guard::Caller;
use super::orders::{self, Orders};
use super::problem::Problem;
use super::said::dollars;
use crate::app::Connection;
use crate::stop::Stop;
use crate::transfers::pay::plan::{self, Line, Objection, Plan, Request};
use crate::transfers::pay::word::{self, Person};

/// Most invoices of one plan.
const MANY: usize = 200;

/// Invoices to be paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ToPay {
    /// The invoices, each once.
    #[schema(min_items = 1, max_items = 200)]
    invoices: Vec<ToPayInvoice>,
    /// Ids of transfers that look as if they paid one of them, and do not.
    #[serde(default)]
    #[schema(max_items = 200)]
    despite: Vec<String>,
}

/// An invoice to be paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ToPayInvoice {
    /// The supplier's number, Business Central's, or its id there.
    #[schema(max_length = 500)]
    invoice: String,
    /// Which of the payee's accounts in Brex, where there are several.
    #[schema(max_length = 500)]
    instrument: Option<String>,
}

/// What would be paid.
#[derive(Serialize, ToSchema)]
#[schema(as = TransferPlan)]
pub(super) struct Planned {
    /// What an order has to say again: another amount, payee or account is another plan. None while something stands against it.
    plan: Option<String>,
    /// What would be paid in all, in US dollars.
    #[schema(example = "250.00")]
    total: String,
    /// The cash account in Brex.
    account: Option<String>,
    /// What that has available, in US dollars, if Brex tells it.
    available: Option<String>,
    /// Whether payments in Business Central that are not posted yet could be read.
    reads_payments: bool,
    /// One per invoice.
    lines: Vec<PlannedLine>,
}

/// An invoice of a plan.
#[derive(Serialize, ToSchema)]
#[schema(as = TransferPlanLine)]
struct PlannedLine {
    /// As it was named.
    invoice: String,
    /// To whom it is owed, as far as that is known.
    vendor: String,
    /// How much, in US dollars.
    amount: Option<String>,
    /// The payee in Brex.
    payee: Option<String>,
    /// Which of its accounts.
    instrument: Option<String>,
    /// How the money moves.
    rail: Option<String>,
    /// What the payee reads.
    memo: Option<String>,
    /// What stands against paying it.
    against: Vec<Against>,
}

/// Something that stands against paying.
#[derive(Serialize, ToSchema)]
#[schema(as = TransferPlanObjection)]
struct Against {
    /// Stable code.
    code: &'static str,
    /// In words.
    text: String,
}

impl From<Objection> for Against {
    fn from(Objection { code, text }: Objection) -> Self {
        Self { code, text }
    }
}

fn line(line: Line) -> PlannedLine {
    let order = line.order.as_ref();
    let text = |of: fn(&Order) -> String| order.map(of);
    PlannedLine {
        amount: text(|order| dollars(order.cents)),
        payee: text(|order| order.brex_vendor.clone()),
        instrument: text(|order| order.way.instrument.clone()),
        rail: text(|order| order.way.rail.clone()),
        memo: text(|order| order.memo.clone()),
        invoice: line.asked,
        vendor: line.vendor,
        against: line.against.into_iter().map(Against::from).collect(),
    }
}

async fn planned(api: &Api, connection: &Connection, to_pay: &ToPay) -> Result<Plan, Problem> {
    if to_pay.invoices.is_empty() || to_pay.invoices.len() > MANY || to_pay.despite.len() > MANY {
        return Err(Problem::unusable(format!("Name 1 to {MANY} invoices, and at most {MANY} transfers.")));
    }
    crate::mirror::recall_if_missing(&api.app, connection).await?;
    let request =
        |one: &ToPayInvoice| Request { invoice: one.invoice.trim().to_owned(), instrument: one.instrument.clone() };
    let requests: Vec<Request> = to_pay.invoices.iter().map(request).collect();
    let despite: BTreeSet<String> = to_pay.despite.iter().cloned().collect();
    plan::plan(&api.app, connection, &requests, &despite).await.map_err(|halt| match Stop::from(halt) {
        Stop::Store(error) => error.into(),
        Stop::Connection(problem) => Problem::refused(problem.sentence),
        stop @ Stop::Later { .. } => Problem::refused(crate::worker::chain(&stop)),
    })
}

/// Plan to pay open invoices.
///
/// Asks both systems and writes nothing. An order takes the plan's mark.
#[utoipa::path(post, path = "/connections/{connection}/transfer-plans", operation_id = "plan_transfers", tag = "transfers",
    request_body = ToPay, responses((status = 200, description = "The plan.", body = Planned),
        (status = 409, description = "The connection does not pay, or a system did not answer.")))]
pub(super) async fn make(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Body(to_pay): Body<ToPay>,
) -> Result<Json<Planned>, Problem> {
    let connection = api.connection(&name)?;
    word::is_on(connection).map_err(Problem::refused)?;
    let plan = planned(&api, connection, &to_pay).await?;
    Ok(Json(Planned {
        plan: plan.mark(),
        total: dollars(plan.total),
        account: plan.account,
        available: plan.available.map(dollars),
        reads_payments: plan.has_lines,
        lines: plan.lines.into_iter().map(line).collect(),
    }))
}

/// What was planned, to be ordered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ToOrder {
    /// The mark of the plan.
    #[schema(max_length = 64)]
    plan: String,
    /// The invoices that were planned.
    #[schema(min_items = 1, max_items = 200)]
    invoices: Vec<ToPayInvoice>,
    /// The transfers that were named.
    #[serde(default)]
    #[schema(max_items = 200)]
    despite: Vec<String>,
}

/// Order what was planned, all of it or nothing.
///
/// The plan is made again and has to come to the same. With four eyes, another person has to approve the orders. The same order of the same
/// person again is answered with what was ordered, as it stands now.
#[utoipa::path(post, path = "/connections/{connection}/transfer-orders", operation_id = "order_transfers", tag = "transfers",
    request_body = ToOrder, responses((status = 201, description = "Ordered.", body = Orders),
        (status = 409, description = "Something has changed since the plan, or stands against it.")))]
pub(super) async fn order(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place(name): Place<String>,
    Body(ToOrder { plan, invoices, despite }): Body<ToOrder>,
) -> Result<(StatusCode, Json<Orders>), Problem> {
    let (app, connection, by) = (&api.app, api.connection(&name)?, caller.user()?);
    let person = Person::who_orders(&app.store, connection, by).await.map_err(orders::refused)?;
    let before = ordered_before(&api, connection, by, &plan).await?;
    if !before.is_empty() {
        return Ok((StatusCode::CREATED, Json(Orders::of(before))));
    }
    let again = planned(&api, connection, &ToPay { invoices, despite }).await?;
    let ordered = again.orders().filter(|_| again.mark().as_deref() == Some(plan.as_str()));
    let Some(ordered) = ordered else {
        return Err(Problem::refused(
            "nothing was ordered: something has changed since this was planned; plan it again",
        ));
    };
    for one in &ordered {
        caller.note(&api, &connection.id, "order", format!("invoice {}", one.number)).await?;
    }
    let rows = word::order(&app.store, connection, &ordered, &person, app.now_ms()).await.map_err(orders::refused)?;
    app.bell.notify_waiters();
    Ok((StatusCode::CREATED, Json(Orders::of(rows))))
}

/// What this person ordered by this very plan, if that was so.
async fn ordered_before(
    api: &Api,
    connection: &Connection,
    by: &str,
    plan: &str,
) -> Result<Vec<TransferOrder>, Problem> {
    // What is ordered together is written together.
    let mut together: BTreeMap<i64, Vec<TransferOrder>> = BTreeMap::new();
    for row in api.app.store.transfer_orders().list(&connection.id).await? {
        if row.proposed_by == by {
            together.entry(row.proposed_ms).or_default().push(row);
        }
    }
    let is_it = |rows: &Vec<TransferOrder>| plan::mark_of(rows.iter().map(|row| &row.order)) == plan;
    Ok(together.into_values().rev().find(is_it).unwrap_or_default())
}
