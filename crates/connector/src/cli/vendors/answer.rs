//! `vendors confirm | reject | link | unlink | forget`: a person's answer about a record's merchant, or any merchant.

use domain::hold::HoldCode;
use domain::id::{ConnectionId, RecordId};
use serde_json::json;
use store::{Store, Verdict};

use super::super::{Common, Exit, Failure, open, print_json};
use super::{AnswerArgs, mirror_of, one_connection};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::vendors::answer::{Answer, AnswerError, give, words};
use crate::vendors::judgement::Asked;
use crate::vendors::waiting::judged;

/// What an answer is about.
pub(super) struct Subject {
    pub(super) connection: ConnectionId,
    pub(super) asked: Asked,
    pub(super) record: Option<RecordId>,
    pub(super) hold: Option<HoldCode>,
    suggestion: Option<String>,
}

pub(super) async fn answer(common: &Common, verdict: Verdict, args: &AnswerArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let subject = subject(&store, &config, &args.merchant, args.connection.as_deref()).await?;
    let directory = mirror_of(&store, &subject.connection).await?;
    let needs_vendor = matches!(verdict, Verdict::Confirmed | Verdict::Rejected | Verdict::SetByHand);
    let vendor = if needs_vendor { args.vendor.clone().or(subject.suggestion) } else { None };
    if needs_vendor && vendor.is_none() {
        return Err(Failure::new(Exit::Usage, "no vendor is suggested for it: name one with --vendor"));
    }
    let answer = Answer { asked: subject.asked, verdict, vendor, person: args.by.clone(), record: subject.record };
    let link = give(&store, &subject.connection, &directory, &answer, SystemClock.now_ms()).await.map_err(failure)?;
    store.close().await;
    let none = matches!(verdict, Verdict::Rejected | Verdict::NoneOfOurs)
        .then(|| policy_for_none(&config, &subject.connection));
    if common.json {
        print_json(&json!({
            "connection": subject.connection.as_str(), "descriptor": link.descriptor, "verdict": verdict.as_str(),
            "vendor": link.bc_vendor_id, "vendor_name": link.vendor_name, "by": link.decided_by, "if_none_fits": none,
        }));
    } else {
        let vendor = if link.vendor_name.is_empty() { String::new() } else { format!(": {}", link.vendor_name) };
        println!("{} {}{vendor}", link.descriptor, words(verdict));
        if let Some(policy) = none {
            let when = if verdict == Verdict::Rejected { "if no other vendor is like it, " } else { "" };
            println!("{when}it counts as none of our vendors: {policy}");
        }
        println!("records that wait for it go on within seconds if ml-connector runs, else with the next run");
    }
    Ok(Exit::Done)
}

/// What happens to records whose merchant is none of the vendors.
fn policy_for_none(config: &Config, connection: &ConnectionId) -> String {
    let settings = config.connections.iter().find(|settings| settings.name == connection.as_str());
    match settings.and_then(|settings| settings.default_vendor.as_deref()) {
        Some(number) => format!("its records are booked on the default vendor {number}"),
        None => "its records are held (vendor_not_found)".to_owned(),
    }
}

fn failure(error: AnswerError) -> Failure {
    match error {
        AnswerError::NotTaken(why) => Failure::new(Exit::NotTaken, why.to_string()),
        AnswerError::Store(error) => error.into(),
    }
}

/// The record of this id, or else the merchant of this name.
pub(super) async fn subject(
    store: &Store,
    config: &Config,
    merchant: &str,
    named: Option<&str>,
) -> Result<Subject, Failure> {
    let record = RecordId::new(merchant);
    let mut found = store.records().find_anywhere(&record).await?;
    found.retain(|(connection, _)| named.is_none_or(|name| name == connection.as_str()));
    if found.len() > 1 {
        let text = format!("the record {record} is in several connections: name one with --connection");
        return Err(Failure::new(Exit::Usage, text));
    }
    let Some((connection, row)) = found.pop() else {
        if merchant.starts_with("accr_") {
            return Err(Failure::new(Exit::NotFound, format!("the record {record} is not known here")));
        }
        let connection = one_connection(config, named)?;
        let asked = Asked::name(merchant.trim());
        return Ok(Subject { connection, asked, record: None, hold: None, suggestion: None });
    };
    let judged = judged(store, &row).await?;
    let suggestion = judged.as_ref().and_then(|(_, said)| said.candidates.first()).map(|first| first.vendor.clone());
    let name = row.merchant.as_deref().unwrap_or_default();
    let asked = judged.map_or_else(|| Asked::name(name), |(asked, _)| asked);
    let hold = row.hold.map(|hold| hold.code);
    Ok(Subject { connection, asked, record: Some(record), hold, suggestion })
}
