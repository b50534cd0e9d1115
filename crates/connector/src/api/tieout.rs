//! Tie-out: is the period ready? Reads both systems.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::tieout::{End, Item, Period, Unexplained};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Params, Place};
use super::problem::Problem;
use crate::identity;
use crate::tieout::{self, Line};

/// Which period.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TieOutQuery {
    /// The first day.
    #[param(value_type = String, format = Date, example = "2026-06-01")]
    from: Date,
    /// The last day.
    #[param(value_type = String, format = Date, example = "2026-06-30")]
    to: Date,
    /// Also each record of the period.
    #[serde(default)]
    #[param(default = false)]
    items: bool,
}

/// The comparison of a period.
#[derive(Serialize, ToSchema)]
#[schema(as = TieOut)]
pub(super) struct Tied {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// Whether everything is explained.
    holds: bool,
    /// Whether, beyond that, nothing waits.
    closed: bool,
    /// From the records of the period to its documents.
    lines: Vec<TieOutLine>,
    /// The transfers of the period, as they were last compared.
    transfers: Vec<TieOutLine>,
    /// What does not fit.
    unexplained: Vec<Misfit>,
    /// Each record of the period, if asked for.
    items: Option<Vec<TiedRecord>>,
    /// What the source of the records cannot tell.
    limits: Option<&'static str>,
}

/// A line of a comparison.
#[derive(Serialize, ToSchema)]
pub(super) struct TieOutLine {
    /// What it counts.
    name: String,
    /// How many.
    count: usize,
    /// What they come to, currency by currency.
    amount: String,
    /// Whether the lines above add up to it.
    sum: bool,
}

impl From<Line> for TieOutLine {
    fn from(Line { name, count, amount, sum }: Line) -> Self {
        Self { name, count, amount, sum }
    }
}

/// Something that does not fit.
#[derive(Serialize, ToSchema)]
pub(super) struct Misfit {
    /// The record.
    record: Option<String>,
    /// The number of the document.
    document: Option<String>,
    /// The code of the reason.
    reason: &'static str,
    /// The facts, in a sentence.
    sentence: String,
    /// What to do.
    what_to_do: &'static str,
}

impl From<&Unexplained> for Misfit {
    fn from(found: &Unexplained) -> Self {
        Self {
            record: found.record.as_ref().map(ToString::to_string),
            document: found.document.clone(),
            reason: found.reason.as_str(),
            sentence: found.sentence.clone(),
            what_to_do: found.reason.what_to_do(),
        }
    }
}

/// A record of the period.
#[derive(Serialize, ToSchema)]
pub(super) struct TiedRecord {
    /// Its id.
    record: String,
    /// Its type, as Brex spells it.
    #[serde(rename = "type")]
    kind: String,
    /// The merchant or payee.
    merchant: Option<String>,
    /// Its day, in the company's time zone.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// Its amount, negative for what comes back.
    amount: String,
    /// The currency.
    currency: String,
    /// What it ends as.
    end: &'static str,
    /// The code of its hold.
    hold: Option<&'static str>,
    /// The number of its document.
    document: Option<String>,
}

impl From<&Item> for TiedRecord {
    fn from(item: &Item) -> Self {
        let hold = match &item.end {
            End::Held(code) => Some(code.as_str()),
            _ => None,
        };
        Self {
            record: item.record.to_string(),
            kind: item.record_type.clone(),
            merchant: item.merchant.clone(),
            day: item.day,
            amount: item.money.amount.to_string(),
            currency: item.money.currency.to_string(),
            end: item.end.as_str(),
            hold,
            document: item.document.clone(),
        }
    }
}

/// Compare a period.
///
/// Brex, Business Central and the database: every record is one thing, or it is told. Reads both systems.
#[utoipa::path(get, path = "/connections/{connection}/tie-out", operation_id = "get_tie_out", tag = "close",
    params(TieOutQuery), responses((status = 200, description = "The comparison.", body = Tied),
        (status = 409, description = "The connection was not made yet.")))]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<TieOutQuery>,
) -> Result<Json<Tied>, Problem> {
    let (app, connection) = (&api.app, api.connection(&name)?);
    let period = Period { from: query.from, to: query.to };
    if period.from > period.to {
        return Err(Problem::unusable("The first day is after the last."));
    }
    let identity = identity::known(app, connection).await?;
    let identity = identity.ok_or_else(|| Problem::refused("this connection was not made yet"))?;
    let tied = tieout::make(app, connection, &identity, period).await?;
    let transfers = tieout::transfers(&app.store, &connection.id, period).await?;
    Ok(Json(Tied {
        from: period.from,
        to: period.to,
        holds: tied.holds(),
        closed: tied.is_closed(),
        lines: tieout::lines(&tied).into_iter().map(TieOutLine::from).collect(),
        transfers: transfers.into_iter().map(TieOutLine::from).collect(),
        unexplained: tied.unexplained.iter().map(Misfit::from).collect(),
        items: query.items.then(|| tied.items.iter().map(TiedRecord::from).collect()),
        limits: connection.settings.brex.source.limits(),
    }))
}
