//! `transfers create`: the plan to pay open invoices, and with `--yes` the orders.

use std::collections::BTreeSet;
use std::path::Path;

use comfy_table::{ContentArrangement, Table};
use domain::id::ConnectionId;
use domain::transfer::dollars;
use serde_json::{Value, json};
use store::TransferOrder;

use super::orders::{as_json as order_json, failure};
use super::{CreateArgs, connection_of, one_connection};
use crate::app::{App, Connection};
use crate::cli::run::first_contact;
use crate::cli::{Common, Exit, Failure, open, print_json};
use crate::mirror;
use crate::stop::Stop;
use crate::transfers::pay::plan::{Line, Plan, Request, plan};
use crate::transfers::pay::word::{Person, order};

pub(super) async fn create(common: &Common, args: &CreateArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let name = one_connection(&config, args.connection.as_deref())?;
    let requests = requests(args)?;
    let app = open::planning(&config).await?;
    let done = planned(common, args, &app, &name, &requests).await;
    app.store.close().await;
    done
}

async fn planned(
    common: &Common,
    args: &CreateArgs,
    app: &App,
    name: &ConnectionId,
    requests: &[Request],
) -> Result<Exit, Failure> {
    let connection = connection_of(app, name)?;
    if !connection.settings.transfers.pay.enabled {
        let text = "this connection does not pay through Brex: set transfers.pay.enabled (docs/transfers.md)";
        return Err(Failure::new(Exit::NotTaken, text));
    }
    // Who may not order is told before anything is read.
    let person = match args.by.as_deref().filter(|_| args.yes) {
        Some(by) => Some(Person::who_orders(&app.store, connection, by).await.map_err(failure)?),
        None => None,
    };
    first_contact(app).await?;
    connection.set_directory(mirror::look(connection).await?);
    let despite: BTreeSet<String> = args.despite.iter().map(|id| id.trim().to_owned()).collect();
    let plan = plan(app, connection, requests, &despite).await.map_err(Stop::from)?;
    let ordered = match (plan.orders(), &person) {
        (Some(orders), Some(person)) => {
            Some(order(&app.store, connection, &orders, person, app.now_ms()).await.map_err(failure)?)
        }
        _ => None,
    };
    show(common, connection, &plan, ordered.as_deref(), args.yes);
    Ok(if plan.orders().is_some() { Exit::Done } else { Exit::NotTaken })
}

/// The invoices that are named, on the command line and in the file.
fn requests(args: &CreateArgs) -> Result<Vec<Request>, Failure> {
    let instrument = args.instrument.clone();
    let named = args
        .invoices
        .iter()
        .map(|invoice| Request { invoice: invoice.trim().to_owned(), instrument: instrument.clone() });
    let mut requests: Vec<Request> = named.collect();
    if let Some(file) = &args.file {
        requests.extend(read(file, instrument.as_deref())?);
    }
    if requests.is_empty() {
        return Err(Failure::new(Exit::Usage, "no invoice is named"));
    }
    Ok(requests)
}

fn read(file: &Path, instrument: Option<&str>) -> Result<Vec<Request>, Failure> {
    let wrong = |why: String| Failure::new(Exit::Usage, format!("{}: {why}", file.display()));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_path(file)
        .map_err(|error| wrong(error.to_string()))?;
    let mut requests = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let invoice = row.get(0).unwrap_or_default();
        let is_heading = line == 1 && invoice.eq_ignore_ascii_case("invoice");
        if is_heading || (invoice.is_empty() && row.len() == 1) {
            continue;
        }
        if invoice.is_empty() || row.len() > 2 {
            return Err(wrong(format!("line {line} must be an invoice, and perhaps a comma and a payment instrument")));
        }
        let own = row.get(1).filter(|text| !text.is_empty()).or(instrument).map(str::to_owned);
        requests.push(Request { invoice: invoice.to_owned(), instrument: own });
    }
    Ok(requests)
}

fn show(common: &Common, connection: &Connection, plan: &Plan, ordered: Option<&[TransferOrder]>, asked: bool) {
    if common.json {
        let orders =
            ordered.map(|rows| rows.iter().map(|row| order_json(&connection.id, row, None)).collect::<Value>());
        print_json(&json!({
            "connection": connection.id.as_str(),
            "invoices": plan.lines.iter().map(line_json).collect::<Vec<_>>(),
            "total": dollars(plan.total),
            "account": plan.account,
            "available": plan.available.map(dollars),
            "unposted_payments_readable": plan.has_lines,
            "ordered": orders,
        }));
        return;
    }
    println!("{}", table(plan));
    for line in plan.lines.iter().filter(|line| !line.against.is_empty()) {
        println!("{}:", line.asked);
        for objection in &line.against {
            println!("  {}: {}", objection.code, objection.text);
        }
    }
    let account = plan.account.as_deref().unwrap_or("none");
    let available = plan.available.map_or_else(|| "unknown".to_owned(), dollars);
    println!("total {}, from the account {account} (available: {available})", dollars(plan.total));
    if !plan.has_lines {
        println!("unposted payments in Business Central cannot be read with these permissions: look there yourself");
    }
    println!("{}", ending(connection, plan, ordered, asked));
}

fn ending(connection: &Connection, plan: &Plan, ordered: Option<&[TransferOrder]>, asked: bool) -> String {
    let settings = &connection.settings.transfers.pay;
    match ordered {
        Some(rows) if settings.four_eyes => {
            let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            format!("ordered: another person agrees with: transfers approve {} --by PERSON", ids.join(" | "))
        }
        Some(_) => "ordered: sent within seconds if ml-connector runs, else with the next run; transfers orders shows \
                    what becomes of it"
            .to_owned(),
        None if plan.orders().is_none() => "nothing was ordered: something stands against it".to_owned(),
        None if asked => "nothing was ordered".to_owned(),
        None => "nothing was ordered: add --yes --by PERSON to order it".to_owned(),
    }
}

fn table(plan: &Plan) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["invoice", "vendor", "amount", "by", "memo", "approval in Brex", "against"]);
    for line in &plan.lines {
        let codes: Vec<&str> = line.against.iter().map(|objection| objection.code).collect();
        let order = line.order.as_ref();
        table.add_row([
            line.asked.clone(),
            line.vendor.clone(),
            order.map_or_else(String::new, |order| dollars(order.cents)),
            order.map_or_else(String::new, |order| order.way.rail.clone()),
            order.map_or_else(String::new, |order| order.memo.clone()),
            order
                .map_or("", |order| if order.is_manual { "by a person" } else { "by the account's policy" })
                .to_owned(),
            codes.join(", "),
        ]);
    }
    table
}

fn line_json(line: &Line) -> Value {
    let against: Vec<Value> =
        line.against.iter().map(|objection| json!({ "code": objection.code, "text": objection.text })).collect();
    let order = line.order.as_ref();
    json!({
        "asked": line.asked,
        "vendor": line.vendor,
        "invoice_id": order.map(|order| order.invoice),
        "number": order.map(|order| &order.number),
        "amount": order.map(|order| dollars(order.cents)),
        "brex_vendor": order.map(|order| &order.brex_vendor),
        "instrument": order.map(|order| &order.way.instrument),
        "rail": order.map(|order| &order.way.rail),
        "memo": order.map(|order| &order.memo),
        "manual_approval": order.map(|order| order.is_manual),
        "against": against,
    })
}
