//! Transfers: what was paid through Brex and what Business Central is owed, as they were last compared.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Params, Place};
use super::problem::Problem;
use super::show::{cursor, limit, place, time};
use crate::app::Connection;
use crate::transfers::view::{SeenDocument, SeenTransfer, View};

/// Which transfers are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransfersQuery {
    /// Only those that stand like this.
    #[param(inline)]
    only: Option<Only>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
}

/// How a transfer or a document stands.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Only {
    /// It is matched.
    Matched,
    /// It is matched in part.
    Partly,
    /// It is not matched.
    Unmatched,
    /// It needs no match.
    SetAside,
}

impl Only {
    fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Partly => "partly",
            Self::Unmatched => "unmatched",
            Self::SetAside => "set_aside",
        }
    }
}

/// A page of transfers, by id.
#[derive(Serialize, ToSchema)]
pub(super) struct TransferPage {
    /// The transfers.
    transfers: Vec<SeenTransfer>,
    /// What `cursor` takes for the next page; none if this is the last.
    next: Option<String>,
    /// When both sides were last compared.
    #[schema(format = DateTime)]
    compared: Option<String>,
}

/// List transfers.
///
/// With what each is matched with, and what is suggested.
#[utoipa::path(get, path = "/connections/{connection}/transfers", operation_id = "list_transfers", tag = "transfers",
    params(TransfersQuery), responses((status = 200, description = "A page of transfers.", body = TransferPage)))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<TransfersQuery>,
) -> Result<Json<TransferPage>, Problem> {
    let (limit, after) = (limit(query.limit)?, query.cursor.as_deref().map(place::<String>).transpose()?);
    let view = view(&api, api.connection(&name)?).await?;
    let is_asked = |seen: &SeenTransfer| query.only.is_none_or(|only| seen.verdict == Some(only.as_str()));
    let is_after = |seen: &SeenTransfer| after.as_ref().is_none_or(|after| seen.transfer > *after);
    let mut transfers: Vec<SeenTransfer> =
        view.transfers.into_iter().filter(|seen| is_asked(seen) && is_after(seen)).collect();
    transfers.sort_by(|a, b| a.transfer.cmp(&b.transfer));
    let has_more = transfers.len() > limit;
    transfers.truncate(limit);
    let next = transfers.last().filter(|_| has_more).and_then(|last| cursor(&last.transfer));
    Ok(Json(TransferPage { transfers, next, compared: view.reconciled_ms.map(time) }))
}

/// A transfer with the documents that it may pay.
#[derive(Serialize, ToSchema)]
pub(super) struct WholeTransfer {
    /// The transfer.
    transfer: SeenTransfer,
    /// The documents that it is matched with or that are suggested.
    documents: Vec<SeenDocument>,
}

/// Show one transfer.
///
/// With the documents that it is matched with or that are suggested.
#[utoipa::path(get, path = "/connections/{connection}/transfers/{transfer}", operation_id = "get_transfer",
    tag = "transfers", responses((status = 200, description = "The transfer.", body = WholeTransfer)))]
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Place((name, id)): Place<(String, String)>,
) -> Result<Json<WholeTransfer>, Problem> {
    let view = view(&api, api.connection(&name)?).await?;
    let transfer = view.transfers.into_iter().find(|seen| seen.transfer == id);
    let transfer = transfer.ok_or_else(|| Problem::not_found(format!("The transfer {id:?} is not known here.")))?;
    let parts = transfer.found.iter().chain(&transfer.suggestion).flat_map(|found| &found.documents);
    let ids: Vec<&str> = parts.map(|part| part.id.as_str()).collect();
    let documents = view.documents.into_iter().filter(|seen| ids.contains(&seen.id.as_str())).collect();
    Ok(Json(WholeTransfer { transfer, documents }))
}

/// Which documents are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PayablesQuery {
    /// Only those that stand like this.
    #[param(inline)]
    only: Option<Only>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
}

/// A page of documents, by id.
#[derive(Serialize, ToSchema)]
pub(super) struct PayablePage {
    /// The documents.
    payables: Vec<SeenDocument>,
    /// What `cursor` takes for the next page; none if this is the last.
    next: Option<String>,
}

/// List posted documents that transfers may pay.
///
/// Invoices and credit memos of Business Central, with what no transfer accounts for.
#[utoipa::path(get, path = "/connections/{connection}/payables", operation_id = "list_payables", tag = "transfers",
    params(PayablesQuery), responses((status = 200, description = "A page of documents.", body = PayablePage)))]
pub(super) async fn payables(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<PayablesQuery>,
) -> Result<Json<PayablePage>, Problem> {
    let (limit, after) = (limit(query.limit)?, query.cursor.as_deref().map(place::<String>).transpose()?);
    let view = view(&api, api.connection(&name)?).await?;
    let is_asked = |seen: &SeenDocument| query.only.is_none_or(|only| seen.verdict == only.as_str());
    let is_after = |seen: &SeenDocument| after.as_ref().is_none_or(|after| seen.id > *after);
    let mut payables: Vec<SeenDocument> =
        view.documents.into_iter().filter(|seen| is_asked(seen) && is_after(seen)).collect();
    payables.sort_by(|a, b| a.id.cmp(&b.id));
    let has_more = payables.len() > limit;
    payables.truncate(limit);
    let next = payables.last().filter(|_| has_more).and_then(|last| cursor(&last.id));
    Ok(Json(PayablePage { payables, next }))
}

async fn view(api: &Api, connection: &Connection) -> Result<View, Problem> {
    let zone = connection.rules.zone.clone();
    let today = crate::clock::timestamp(api.app.now_ms()).to_zoned_datetime(zone).date();
    Ok(View::load(&api.app.store, &connection.id, today).await?)
}
