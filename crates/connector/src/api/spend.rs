//! What was spent, as the overview shows it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::Spend;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::extract::{Params, Place};
use super::problem::Problem;

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SpendQuery {
    /// A day of the first month that is shown; everything if not given.
    #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
    since: Option<String>,
}

/// What was spent.
#[derive(Serialize, ToSchema)]
#[schema(as = Spend)]
pub(super) struct Spent {
    /// One line per month, currency, and account or dimension value.
    spend: Vec<SpentLine>,
}

/// What was spent in a month on an account, or under a value of a dimension.
#[derive(Serialize, ToSchema)]
#[schema(as = SpendLine)]
struct SpentLine {
    /// The month of the posting dates.
    #[schema(example = "2026-06")]
    month: String,
    /// The foreign currency; none means the company's own.
    currency: Option<String>,
    /// The code of the dimension; none means that `value` is a G/L account.
    dimension: Option<String>,
    /// Number of the account, or code of the value.
    value: String,
    /// How much; credit memos are less.
    #[schema(example = "1250.00")]
    amount: String,
}

fn line(spend: Spend) -> SpentLine {
    let Spend { month, currency, dimension, value, amount } = spend;
    SpentLine { month, currency, dimension, value, amount: amount.normalize().to_string() }
}

/// Show what was spent.
///
/// Lines of exported documents, by posting date.
#[utoipa::path(get, path = "/connections/{connection}/spend", operation_id = "show_spend", tag = "records",
    params(SpendQuery), responses((status = 200, description = "What was spent.", body = Spent)))]
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Place(name): Place<String>,
    Params(query): Params<SpendQuery>,
) -> Result<Json<Spent>, Problem> {
    let since = match query.since.as_deref().map(str::parse::<Date>) {
        None => Date::ZERO,
        Some(Ok(since)) => since,
        Some(Err(_)) => return Err(Problem::unusable("since is a day, as 2026-01-01.")),
    };
    let spend = api.app.store.records().spend_since(&api.connection(&name)?.id, since).await?;
    Ok(Json(Spent { spend: spend.into_iter().map(line).collect() }))
}
