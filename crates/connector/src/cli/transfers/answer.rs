//! `transfers match` and `transfers unmatch`.

use domain::money::{Currency, Money};
use domain::transfer::{Match, minor_units};
use serde_json::json;

use super::{AnswerArgs, one_connection};
use crate::cli::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::config::ConnectionConfig;
use crate::transfers::TRANSFERS;
use crate::transfers::say::{self, Named, Refused, SayError, Word};

pub(super) async fn together(common: &Common, args: &AnswerArgs, documents: &[String]) -> Result<Exit, Failure> {
    let named = documents.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>()?;
    answer(common, args, Some(&named)).await
}

pub(super) async fn apart(common: &Common, args: &AnswerArgs) -> Result<Exit, Failure> {
    answer(common, args, None).await
}

/// `INV-1` or `INV-1=250.00`. Transfers are in US dollars.
fn read(text: &str) -> Result<Named, Failure> {
    let Some((document, amount)) = text.rsplit_once('=') else {
        return Ok(Named { document: text.trim().to_owned(), amount: None });
    };
    let amount = amount.trim().parse().ok().and_then(|amount| minor_units(&Money::new(amount, Currency::usd())));
    match amount {
        Some(amount) => Ok(Named { document: document.trim().to_owned(), amount: Some(amount) }),
        None => Err(Failure::new(Exit::Usage, format!("{text:?} has no amount: write it like INV-1=250.00"))),
    }
}

async fn answer(common: &Common, args: &AnswerArgs, together: Option<&[Named]>) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let connection = one_connection(&config, args.connection.as_deref())?;
    let store = open::store(&config).await?;
    let word = Word { transfer: args.transfer.clone(), person: args.by.clone(), reason: args.reason.clone() };
    let now_ms = SystemClock.now_ms();
    let said = match together {
        Some(named) => say::together(&store, &connection, &word, named, now_ms).await,
        None => say::apart(&store, &connection, &word, now_ms).await,
    };
    let is_enabled = |settings: &ConnectionConfig| settings.name == connection.as_str() && settings.transfers.enabled;
    if said.is_ok() && config.connections.iter().any(is_enabled) {
        store.jobs().nudge(&connection, TRANSFERS, now_ms).await?;
    }
    store.close().await;
    let found = said.map_err(|error| match error {
        SayError::Refused(why @ (Refused::UnknownTransfer(_) | Refused::UnknownDocument(_))) => {
            Failure::new(Exit::NotFound, why.to_string())
        }
        SayError::Refused(Refused::Unsigned) => Failure::new(Exit::Usage, Refused::Unsigned.to_string()),
        SayError::Refused(why) => Failure::new(Exit::NotTaken, why.to_string()),
        SayError::Store(error) => error.into(),
    })?;
    tell(common, args, &found, together.is_some());
    Ok(Exit::Done)
}

fn tell(common: &Common, args: &AnswerArgs, found: &Match, is_together: bool) {
    let word = if is_together { "matched" } else { "unmatched" };
    if common.json {
        print_json(&json!({ "transfer": args.transfer, "said": word, "match": found, "by": args.by }));
    } else {
        println!("{} {word} by {}; transfers reconcile shows how everything stands now", args.transfer, args.by);
    }
}
