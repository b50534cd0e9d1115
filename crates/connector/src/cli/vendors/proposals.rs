//! `vendors propose | proposals | approve | decline`: a new vendor for a merchant that is none of the vendors, agreed to by two
//! people.

use clap::Args;
use comfy_table::{ContentArrangement, Table};
use domain::hold::HoldCode;
use domain::id::ConnectionId;
use serde_json::{Value, json};
use store::{ProposalState, Store, VendorProposal};

use super::super::{Common, Exit, Failure, open, print_json};
use super::answer::subject;
use super::{mirror_of, one_connection};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::vendors::proposal::{
    ProposalError, Refused, Wanted, approve as agree, decline as refuse, propose as suggest,
};

/// A new vendor.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct ProposeArgs {
    /// A held record (accr_…), or the merchant's name or descriptor.
    merchant: String,
    /// Name of the new vendor, at most 100 characters.
    #[arg(long)]
    name: String,
    /// Its country code.
    #[arg(long, default_value = "")]
    country: String,
    /// Its mail address.
    #[arg(long, default_value = "")]
    email: String,
    /// Why it is needed; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
    /// Who proposes it.
    #[arg(long, visible_alias = "person", env = "USER", default_value = "unknown")]
    by: String,
}

/// Which proposal, and who agrees.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct ApproveArgs {
    /// Number of the proposal.
    id: i64,
    /// Who approves it: another person than the one who proposed it.
    #[arg(long, visible_alias = "person")]
    by: String,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
}

/// Which proposal, and why not.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct DeclineArgs {
    /// Number of the proposal.
    id: i64,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
    /// Who declines it.
    #[arg(long, visible_alias = "person", env = "USER", default_value = "unknown")]
    by: String,
    /// The connection, if there are several.
    #[arg(long)]
    connection: Option<String>,
}

pub(super) async fn propose(common: &Common, args: &ProposeArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let about = subject(&store, &config, &args.merchant, args.connection.as_deref()).await?;
    let is_waiting = matches!(about.hold, Some(HoldCode::VendorNotFound | HoldCode::VendorReview));
    if let Some(record) = about.record.as_ref().filter(|_| !is_waiting) {
        let text = format!("the record {record} does not wait for its vendor (vendor_not_found or vendor_review)");
        return Err(Failure::new(Exit::NotTaken, text));
    }
    let directory = mirror_of(&store, &about.connection).await?;
    let wanted = Wanted {
        asked: about.asked,
        record: about.record,
        name: args.name.clone(),
        country: args.country.clone(),
        email: args.email.clone(),
        reason: args.reason.clone(),
        person: args.by.clone(),
    };
    let said = suggest(&store, &about.connection, &directory, &wanted, SystemClock.now_ms()).await;
    let next = |row: &VendorProposal| format!("another person agrees with: vendors approve {} --by PERSON", row.id);
    end(common, store, &about.connection, said, next).await
}

pub(super) async fn approve(common: &Common, args: &ApproveArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let connection = one_connection(&config, args.connection.as_deref())?;
    let directory = mirror_of(&store, &connection).await?;
    let said = agree(&store, &connection, &directory, args.id, &args.by, SystemClock.now_ms()).await;
    let next = |_: &VendorProposal| {
        "it is created within seconds if ml-connector runs, else with the next run, blocked with type All: complete and \
         unblock it in Business Central"
            .to_owned()
    };
    end(common, store, &connection, said, next).await
}

pub(super) async fn decline(common: &Common, args: &DeclineArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let connection = one_connection(&config, args.connection.as_deref())?;
    let said = refuse(&store, &connection, args.id, &args.reason, &args.by, SystemClock.now_ms()).await;
    end(common, store, &connection, said, |_| "no vendor is created".to_owned()).await
}

/// Prints the proposal as it stands now and what comes next, or why it was not taken.
async fn end(
    common: &Common,
    store: Store,
    connection: &ConnectionId,
    said: Result<VendorProposal, ProposalError>,
    next: impl Fn(&VendorProposal) -> String,
) -> Result<Exit, Failure> {
    store.close().await;
    let row = said.map_err(|error| match error {
        ProposalError::Refused(why @ Refused::Unknown(_)) => Failure::new(Exit::NotFound, why.to_string()),
        ProposalError::Refused(why) => Failure::new(Exit::NotTaken, why.to_string()),
        ProposalError::Store(error) => error.into(),
    })?;
    if common.json {
        print_json(&as_json(connection, &row));
    } else {
        println!("proposal {} ({} for {:?}): {}", row.id, row.name, row.descriptor, row.state.as_str());
        println!("{}", next(&row));
    }
    Ok(Exit::Done)
}

pub(super) async fn list(common: &Common, connection: Option<&str>, all: bool) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, connection)?;
    let store = open::store(&config).await?;
    let mut shown = Vec::new();
    for known in store.connections().list().await?.iter().filter(|known| names.contains(&known.id.as_str())) {
        let rows = store.vendor_proposals().list(&known.id).await?;
        shown.extend(rows.into_iter().filter(|row| all || !row.state.is_done()).map(|row| (known.id.clone(), row)));
    }
    store.close().await;
    if common.json {
        let rows: Vec<Value> = shown.iter().map(|(connection, row)| as_json(connection, row)).collect();
        print_json(&json!({ "proposals": rows }));
    } else {
        print(&config, &shown)?;
    }
    Ok(Exit::Done)
}

fn as_json(connection: &ConnectionId, row: &VendorProposal) -> Value {
    let time = |ms: i64| crate::clock::timestamp(ms).to_string();
    json!({
        "connection": connection.as_str(), "id": row.id, "state": row.state.as_str(), "merchant": row.descriptor,
        "record": row.record_id, "name": row.name, "country": row.country, "email": row.email, "reason": row.reason,
        "proposed_by": row.proposed_by, "proposed_at": time(row.proposed_ms), "decided_by": row.decided_by,
        "decided_at": row.decided_ms.map(time), "note": row.note, "vendor": row.vendor_number,
        "vendor_id": row.bc_vendor_id,
    })
}

fn print(config: &Config, shown: &[(ConnectionId, VendorProposal)]) -> Result<(), Failure> {
    if shown.is_empty() {
        println!("no proposal waits");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["id", "state", "merchant", "new vendor", "proposed", "why", "decided"]);
    for (connection, row) in shown {
        let zone = open::zone(config, connection.as_str())?;
        let who = |person: &str, ms: i64| format!("{person}, {}", open::shown_time(ms, &zone));
        let decided = row.decided_by.as_deref().zip(row.decided_ms).map(|(person, ms)| who(person, ms));
        let vendor = row.vendor_number.as_deref().map_or_else(String::new, |number| format!("{number} "));
        table.add_row([
            row.id.to_string(),
            row.state.as_str().to_owned(),
            row.descriptor.clone(),
            format!("{vendor}{}", row.name),
            who(&row.proposed_by, row.proposed_ms),
            row.reason.clone(),
            [decided, row.note.clone()].into_iter().flatten().collect::<Vec<_>>().join(": "),
        ]);
    }
    println!("{table}");
    if shown.iter().any(|(_, row)| matches!(row.state, ProposalState::Proposed | ProposalState::Held)) {
        println!("vendors approve ID --by PERSON | vendors decline ID --reason TEXT");
    }
    Ok(())
}
