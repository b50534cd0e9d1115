//! Transfer orders: what people ordered to be paid, and what others say to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::{OrderState, TransferOrder};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Body, Params, Place};
use super::guard::Caller;
use super::problem::{Code, Problem};
use super::said::dollars;
use super::show::{Reason, etag, matches, tag, time};
use crate::app::Connection;
use crate::transfers::pay::word::{self, PayError, Person, Refused};

/// Which orders are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrdersQuery {
    /// Also those that are over.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
}

/// What people ordered.
#[derive(Serialize, ToSchema)]
pub(super) struct Orders {
    /// The orders, by number.
    orders: Vec<Order>,
}

impl Orders {
    pub(super) fn of(rows: impl IntoIterator<Item = TransferOrder>) -> Self {
        Self { orders: rows.into_iter().map(shown).collect() }
    }
}

/// A transfer that somebody ordered.
#[derive(Serialize, ToSchema)]
#[schema(as = TransferOrder)]
pub(super) struct Order {
    /// Its number.
    id: i64,
    /// What `If-Match` takes.
    #[schema(example = "\"1\"")]
    etag: String,
    /// `proposed`, `approved`, `sending`, `created`, `declined`, `refused` or `held`.
    state: &'static str,
    /// The supplier's number of the invoice that is paid.
    invoice: String,
    /// Its id in Business Central.
    invoice_id: String,
    /// The number of the vendor.
    vendor_number: String,
    /// The vendor's name.
    vendor_name: String,
    /// How much, in US dollars.
    #[schema(example = "250.00")]
    amount: String,
    /// Who ordered it.
    ordered_by: String,
    /// When.
    #[schema(format = DateTime)]
    ordered: String,
    /// Who approved or declined it.
    decided_by: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    decided: Option<String>,
    /// Why it was declined, what Brex refused, or what a person has to look at.
    note: Option<String>,
    /// The transfer in Brex, once it is there.
    transfer: Option<String>,
}

fn shown(row: TransferOrder) -> Order {
    Order {
        id: row.id,
        etag: tag(row.rev),
        state: row.state.as_str(),
        invoice: row.order.number,
        invoice_id: row.order.invoice.to_string(),
        vendor_number: row.order.vendor_number,
        vendor_name: row.order.vendor_name,
        amount: dollars(row.order.cents),
        ordered_by: row.proposed_by,
        ordered: time(row.proposed_ms),
        decided_by: row.decided_by,
        decided: row.decided_ms.map(time),
        note: row.note,
        transfer: row.transfer,
    }
}

fn answer(row: TransferOrder) -> Response {
    (etag(row.rev), Json(shown(row))).into_response()
}

/// List ordered transfers.
///
/// Those that wait or are under way; with `all` also those that are over.
#[utoipa::path(get, path = "/connections/{connection}/transfer-orders", operation_id = "list_transfer_orders",
    tag = "transfers", params(OrdersQuery), responses((status = 200, description = "The orders.", body = Orders)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<OrdersQuery>,
) -> Result<Json<Orders>, Problem> {
    let rows = api.app.store.transfer_orders().list(&api.connection(&name)?.id).await?;
    let is_over = |row: &TransferOrder| row.state.is_void() || row.state == OrderState::Created;
    let rows = rows.into_iter().filter(|row| query.all || !is_over(row));
    Ok(Json(Orders::of(rows)))
}

async fn find(api: &Api, connection: &Connection, id: i64) -> Result<TransferOrder, Problem> {
    let rows = api.app.store.transfer_orders().list(&connection.id).await?;
    let found = rows.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| Problem::not_found(format!("There is no order {id}.")))
}

pub(super) fn refused(error: PayError) -> Problem {
    match error {
        PayError::Refused(why @ (Refused::NoUser(_) | Refused::NotAllowed { .. })) => {
            Problem::new(Code::Role, format!("{why}."))
        }
        PayError::Refused(why) => Problem::refused(why),
        PayError::Store(error) => error.into(),
    }
}

/// Approve an ordered transfer.
///
/// The worker sends it. Where two people are needed, who ordered it may not approve it: a token counts as its user. The same
/// approval again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/transfer-orders/{id}/approve",
    operation_id = "approve_transfer_order", tag = "transfers",
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 200, description = "Approved.", body = Order, headers(("ETag" = String, description = "The version of the order."))),
        (status = 409, description = "The same person ordered it, it is too late, or a limit stands against it."),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn approve(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, id)): Place<(String, i64)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (app, connection, by) = (&api.app, api.connection(&name)?, caller.user()?);
    let row = find(&api, connection, id).await?;
    let is_agreed = matches!(row.state, OrderState::Approved | OrderState::Sending | OrderState::Created);
    if is_agreed && row.decided_by.as_deref() == Some(by) {
        return Ok(answer(row));
    }
    matches(&headers, row.rev)?;
    let person = Person::who_approves(&app.store, by).await.map_err(refused)?;
    caller.note(&api, &connection.id, "approve", format!("transfer_order {id}")).await?;
    let said = word::approve(&app.store, connection, id, &person, app.now_ms()).await.map_err(refused)?;
    app.bell.notify_waiters();
    Ok(answer(said))
}

/// Decline an ordered transfer.
///
/// Nothing is sent for it. The same word again changes nothing.
#[utoipa::path(post, path = "/connections/{connection}/transfer-orders/{id}/decline",
    operation_id = "decline_transfer_order", tag = "transfers", request_body = Reason,
    params(("If-Match" = Option<String>, Header, description = "The version that was looked at.")),
    responses((status = 200, description = "Declined.", body = Order, headers(("ETag" = String, description = "The version of the order."))),
        (status = 409, description = "It is too late."),
        (status = 412, description = "It has changed since.")))]
pub(super) async fn decline(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Place((name, id)): Place<(String, i64)>,
    headers: HeaderMap,
    Body(reason): Body<Reason>,
) -> Result<Response, Problem> {
    let (app, connection, by) = (&api.app, api.connection(&name)?, caller.user()?);
    let reason = reason.text()?;
    let row = find(&api, connection, id).await?;
    let is_same = row.decided_by.as_deref() == Some(by) && row.note.as_deref() == Some(reason);
    if row.state == OrderState::Declined && is_same {
        return Ok(answer(row));
    }
    matches(&headers, row.rev)?;
    let person = Person::who_declines(&app.store, by).await.map_err(refused)?;
    caller.note(&api, &connection.id, "decline", format!("transfer_order {id}")).await?;
    let said = word::decline(&app.store, connection, id, reason, &person, app.now_ms()).await.map_err(refused)?;
    app.bell.notify_waiters();
    Ok(answer(said))
}
