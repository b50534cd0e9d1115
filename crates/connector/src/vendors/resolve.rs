//! Decides the vendor of a batch of records, in this order: coded or the employee's; what people answered about the
//! merchant; a vendor of exactly that name; the matcher. Only the last may need a call to Brex.

use std::collections::HashMap;

use domain::directory::Directory;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::record::{Record, Treatment};
use domain::vendor::{ResolvedVendor, Why, decide_coded, decide_known, decide_named, decide_unmatched, merchant_of};
use matching::{Decision, Outcome, Veto, scrubbed_key};
use store::{RecordRow, VendorMatch};
use uuid::Uuid;

use super::judgement::{Asked, Judgement};
use super::{answers, facts};
use crate::app::Connection;
use crate::flow::{Lane, Records};
use crate::matcher::Known;
use crate::stop::Stop;

/// The outcome for one record.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The vendor, or why a person is needed.
    pub vendor: Result<ResolvedVendor, Hold>,
    /// What the matcher was asked and said, if it was.
    pub judged: Option<(Asked, Judgement)>,
}

impl Resolution {
    fn plain(vendor: Result<ResolvedVendor, Hold>) -> Self {
        Self { vendor, judged: None }
    }

    /// What is stored beside the record.
    pub fn matched(&self, row: &RecordRow, now_ms: i64) -> Option<VendorMatch> {
        let (asked, judgement) = self.judged.as_ref()?;
        Some(VendorMatch {
            record_id: row.id.clone(),
            version: row.version,
            asked: serde_json::to_string(asked).unwrap_or_default(),
            decision: serde_json::to_string(judgement).unwrap_or_default(),
            decided_ms: now_ms,
        })
    }

    /// The judgement for the trail.
    pub fn detail(&self) -> serde_json::Value {
        self.judged.as_ref().map_or(
            serde_json::Value::Null,
            |(asked, judgement)| serde_json::json!({ "asked": asked, "said": judgement }),
        )
    }
}

/// Decides for these rows; a row without its record is left out.
pub async fn resolve(
    lane: &Lane<'_>,
    rows: &[RecordRow],
    records: &Records,
) -> Result<HashMap<RecordId, Resolution>, Stop> {
    let Lane { app, connection, directory, .. } = lane;
    answers::refresh(app, connection, directory).await?;
    let mut done = HashMap::new();
    let mut open = Vec::new();
    for row in rows {
        let Some(record) = records.get(&row.id).map(AsRef::as_ref) else { continue };
        let known = connection.matcher.known();
        match without_matcher(lane, &known, record) {
            Some(resolution) => drop(done.insert(row.id.clone(), resolution)),
            None => open.push((row, record)),
        }
    }
    if open.is_empty() {
        return Ok(done);
    }
    let asked = facts::asked(app, connection, &open).await?;
    let known = connection.matcher.known();
    for (row, record) in open {
        let asked = asked.get(&row.id).cloned().unwrap_or_default();
        done.insert(row.id.clone(), by_matcher(connection, &known, record, asked, directory));
    }
    Ok(done)
}

/// Everything that needs neither the matcher nor a call. A type without a rule is held before anything else is said.
fn without_matcher(lane: &Lane<'_>, known: &Known, record: &Record) -> Option<Resolution> {
    let Lane { connection, directory, rules, .. } = lane;
    if record.treatment() == Treatment::Unknown {
        return Some(Resolution::plain(Err(record.without_rule())));
    }
    match decide_coded(record, rules, directory) {
        Ok(None) => {}
        Ok(Some(vendor)) => return Some(Resolution::plain(Ok(vendor))),
        Err(hold) => return Some(Resolution::plain(Err(hold))),
    }
    let Some(merchant) = merchant_of(record) else {
        return Some(Resolution::plain(decide_unmatched(record, rules, directory)));
    };
    if known.is_descriptor_first(merchant) {
        return None;
    }
    by_name(connection, known, record, merchant, directory)
}

/// What is decided by the merchant's name alone. A vendor of that name is not taken against what a person said.
fn by_name(
    connection: &Connection,
    known: &Known,
    record: &Record,
    merchant: &str,
    directory: &Directory,
) -> Option<Resolution> {
    let asked = Asked::name(merchant);
    let recalled = known.index.recall(&asked.merchant(), &known.memory);
    // A site's vendor is not decided by a name that says no site: the descriptor may.
    if let Some(decision) = recalled.filter(|decision| decision.veto != Some(Veto::SiteMissing)) {
        return Some(judged(known, record, asked, &decision, connection, directory));
    }
    match decide_named(merchant, directory) {
        Ok(None) => None,
        Err(hold) if hold.code == HoldCode::VendorAmbiguous => None,
        Ok(Some(vendor)) if known.is_rejected(merchant, &vendor.id.to_string()) => None,
        Ok(Some(vendor)) => Some(Resolution::plain(Ok(vendor))),
        Err(hold) => Some(Resolution::plain(Err(hold))),
    }
}

/// An answer about the descriptor comes before one about the name, and both before the matcher.
fn by_matcher(
    connection: &Connection,
    known: &Known,
    record: &Record,
    asked: Asked,
    directory: &Directory,
) -> Resolution {
    let merchant = merchant_of(record).unwrap_or_default();
    if known.index.recall(&asked.merchant(), &known.memory).is_some() {
        let decision = known.index.decide(&asked.merchant(), &known.memory);
        return judged(known, record, asked, &decision, connection, directory);
    }
    if let Some(mut resolution) = by_name(connection, known, record, merchant, directory) {
        if let Some((about, _)) = &mut resolution.judged {
            *about = asked;
        }
        return resolution;
    }
    let mut decision = known.index.decide(&asked.merchant(), &known.memory);
    let is_rejected = decision.vendor.as_deref().is_some_and(|vendor| known.is_rejected(merchant, vendor));
    if decision.outcome == Outcome::Auto && is_rejected {
        (decision.outcome, decision.veto) = (Outcome::Review, Some(Veto::Refused));
        decision.reason = format!("a person said that {merchant:?} is not this vendor");
    }
    judged(known, record, asked, &decision, connection, directory)
}

fn judged(
    known: &Known,
    record: &Record,
    asked: Asked,
    decision: &Decision,
    connection: &Connection,
    directory: &Directory,
) -> Resolution {
    let judgement = Judgement::of(decision, &asked, known, directory);
    let merchant = merchant_of(record).unwrap_or_default().to_owned();
    let id = decision.vendor.as_deref().and_then(|id| Uuid::parse_str(id).ok());
    let vendor = match (decision.outcome, id) {
        (Outcome::Auto, Some(id)) => decide_known(id, why(known, decision, &asked, merchant), directory),
        (Outcome::Auto | Outcome::Review, _) => {
            let unblocking = waits_for_unblocking(known, decision, &asked, directory);
            Err(unblocking.unwrap_or_else(|| judgement.hold(&asked.descriptor)))
        }
        (Outcome::None, _) if known.index.recall(&asked.merchant(), &known.memory).is_some() => {
            decide_unmatched(record, &connection.rules, directory)
        }
        (Outcome::None, _) => match decide_named(&merchant, directory) {
            Err(ambiguous) => Err(ambiguous),
            Ok(_) => decide_unmatched(record, &connection.rules, directory),
        },
    };
    Resolution { vendor, judged: Some((asked, judgement)) }
}

/// The hold of a merchant whose vendor was made for it and is still blocked, as it was made: nothing is left to be answered.
fn waits_for_unblocking(known: &Known, decision: &Decision, asked: &Asked, directory: &Directory) -> Option<Hold> {
    let id = decision.vendor.as_ref().filter(|_| decision.veto == Some(Veto::Blocked))?;
    let origin = known.origins.get(&(scrubbed_key(&asked.descriptor), id.clone()))?;
    let vendor = directory.vendor(id).filter(|_| origin.starts_with(answers::PROPOSED))?;
    let text = format!(
        "vendor {} {} was {origin} and waits to be completed and unblocked in Business Central",
        vendor.number, vendor.name
    );
    Some(Hold::new(HoldCode::VendorBlocked, text))
}

fn why(known: &Known, decision: &Decision, asked: &Asked, merchant: String) -> Why {
    if decision.explanation.is_some() {
        let percent = decision.score * 100.0;
        let reason = format!("{} (Match Confidence High, {percent:.1} %)", decision.reason);
        return Why::Matched {
            merchant: if merchant.is_empty() { asked.descriptor.clone() } else { merchant },
            reason,
        };
    }
    let key = (scrubbed_key(&asked.descriptor), decision.vendor.clone().unwrap_or_default());
    let origin = known.origins.get(&key).cloned().unwrap_or_else(|| decision.reason.clone());
    Why::Remembered { merchant: asked.descriptor.clone(), origin }
}
