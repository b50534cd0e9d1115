//! `transfers orders | approve | decline`: the transfers that were ordered, and what people say about them.

use comfy_table::{ContentArrangement, Table};
use domain::id::ConnectionId;
use domain::transfer::{Movement, dollars};
use serde_json::{Value, json};
use store::{OrderState, TransferOrder, TransferRow};

use super::{connection_of, one_connection};
use crate::app::{App, Connection};
use crate::cli::{Common, Exit, Failure, open, print_json};
use crate::clock::timestamp;
use crate::config::Config;
use crate::transfers::pay::word::{self, PayError, Person, Refused};

pub(super) async fn list(common: &Common, connection: Option<&str>, all: bool) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let store = open::store(&config).await?;
    let mut shown = Vec::new();
    for known in store.connections().list().await?.iter().filter(|known| names.contains(&known.id.as_str())) {
        let transfers = store.transfers().list(&known.id).await?;
        let orders = store.transfer_orders().list(&known.id).await?;
        for row in &orders {
            let transfer = row.transfer.as_ref().and_then(|id| transfers.iter().find(|seen| seen.id == *id)).cloned();
            let is_followed = orders.iter().any(|later| later.id > row.id && later.order.invoice == row.order.invoice);
            if all || !(is_followed || is_over(row, transfer.as_ref())) {
                shown.push((known.id.clone(), row.clone(), transfer));
            }
        }
    }
    store.close().await;
    if common.json {
        let rows: Vec<Value> = shown.iter().map(|(id, row, transfer)| as_json(id, row, transfer.as_ref())).collect();
        print_json(&json!({ "orders": rows }));
    } else {
        print(&config, &shown)?;
    }
    Ok(Exit::Done)
}

/// A person declined it, or it has arrived. What Brex refused, what failed and what came back is shown until it is ordered anew.
fn is_over(row: &TransferOrder, transfer: Option<&TransferRow>) -> bool {
    let has_arrived = |seen: &TransferRow| seen.movement() == Movement::Completed;
    row.state == OrderState::Declined || (row.state == OrderState::Created && transfer.is_some_and(has_arrived))
}

/// An order as data; with its transfer, if that is known.
pub(super) fn as_json(connection: &ConnectionId, row: &TransferOrder, transfer: Option<&TransferRow>) -> Value {
    let order = &row.order;
    json!({
        "connection": connection.as_str(), "id": row.id, "state": row.state.as_str(), "invoice": order.number,
        "invoice_id": order.invoice, "vendor": order.vendor_number, "vendor_name": order.vendor_name,
        "amount": dollars(order.cents), "brex_vendor": order.brex_vendor, "instrument": order.way.instrument,
        "rail": order.way.rail, "memo": order.memo, "manual_approval": order.is_manual, "key": order.key,
        "proposed_by": row.proposed_by, "proposed_at": timestamp(row.proposed_ms).to_string(),
        "decided_by": row.decided_by, "decided_at": row.decided_ms.map(|ms| timestamp(ms).to_string()),
        "note": row.note, "attempts": row.attempts, "transfer": row.transfer,
        "transfer_status": transfer.map(|transfer| &transfer.facts.status),
        "came_back_with": transfer.and_then(|transfer| transfer.returned_by.as_ref()),
    })
}

fn print(config: &Config, shown: &[(ConnectionId, TransferOrder, Option<TransferRow>)]) -> Result<(), Failure> {
    if shown.is_empty() {
        println!("no ordered transfer waits; --all shows those that are over, too");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "id",
        "state",
        "invoice",
        "vendor",
        "amount",
        "ordered",
        "approved or declined",
        "in Brex",
        "note",
    ]);
    for (connection, row, transfer) in shown {
        let zone = open::zone(config, connection.as_str())?;
        let who = |person: &str, ms: i64| format!("{person}, {}", open::shown_time(ms, &zone));
        table.add_row([
            row.id.to_string(),
            row.state.as_str().to_owned(),
            row.order.number.clone(),
            format!("{} {}", row.order.vendor_number, row.order.vendor_name),
            dollars(row.order.cents),
            who(&row.proposed_by, row.proposed_ms),
            row.decided_by.as_deref().zip(row.decided_ms).map_or_else(String::new, |(person, ms)| who(person, ms)),
            in_brex(row, transfer.as_ref()),
            row.note.clone().unwrap_or_default(),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn in_brex(row: &TransferOrder, transfer: Option<&TransferRow>) -> String {
    let Some(id) = &row.transfer else { return String::new() };
    match transfer.map(|seen| (seen.movement(), &seen.facts.status)) {
        Some((Movement::Returned, _)) => format!("{id} came back"),
        Some((_, status)) => format!("{id} {status}"),
        None => id.clone(),
    }
}

pub(super) async fn approve(common: &Common, connection: Option<&str>, id: i64, by: &str) -> Result<Exit, Failure> {
    let next = "sent within seconds if ml-connector runs, else with the next run";
    say(common, connection, next, async |app, connection| {
        let person = Person::who_approves(&app.store, by).await?;
        word::approve(&app.store, connection, id, &person, app.now_ms()).await
    })
    .await
}

pub(super) async fn decline(
    common: &Common,
    connection: Option<&str>,
    id: i64,
    reason: &str,
    by: &str,
) -> Result<Exit, Failure> {
    say(common, connection, "nothing is sent for it", async |app, connection| {
        let person = Person::who_declines(&app.store, by).await?;
        word::decline(&app.store, connection, id, reason, &person, app.now_ms()).await
    })
    .await
}

async fn say(
    common: &Common,
    connection: Option<&str>,
    next: &str,
    word: impl AsyncFnOnce(&App, &Connection) -> Result<TransferOrder, PayError>,
) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let name = one_connection(&config, connection)?;
    let app = open::planning(&config).await?;
    let said = word(&app, connection_of(&app, &name)?).await;
    app.store.close().await;
    let row = said.map_err(failure)?;
    if common.json {
        print_json(&as_json(&name, &row, None));
    } else {
        println!(
            "order {} ({} to {}): {}",
            row.id,
            dollars(row.order.cents),
            row.order.vendor_name,
            row.state.as_str()
        );
        println!("{next}");
    }
    Ok(Exit::Done)
}

/// Why nothing was written, with its exit code.
pub(super) fn failure(error: PayError) -> Failure {
    match error {
        PayError::Refused(why @ (Refused::Unknown(_) | Refused::NoUser(_))) => {
            Failure::new(Exit::NotFound, why.to_string())
        }
        PayError::Refused(why @ Refused::NoReason) => Failure::new(Exit::Usage, why.to_string()),
        PayError::Refused(why) => Failure::new(Exit::NotTaken, why.to_string()),
        PayError::Store(error) => error.into(),
    }
}
