//! The accounting integration: Brex has one active at a time and no way to ask for it but to make ours, which needs the name that Brex
//! gave to it. So it is asked last, when everything else is known to work. Another one stays unless a person says otherwise; then what
//! stands in Brex is saved, the other is disconnected, and ours is made.
//!
//! Whatever happens in between, the next `connect` ends the same: making ours twice gives the same one, a snapshot is another file, and
//! one that is disconnected is no longer in the way.

use std::path::Path;

use clients::brex::{self, Integration, IntegrationAnswer};
use clients::{Effect, Error, Http, Pace};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::snapshot::{self, Snapshot};
use super::systems::{Joined, refused, setup};
use super::{Refusal, Why};
use crate::clock::{Clock as _, SystemClock, timestamp};
use crate::config::ConnectionConfig;

/// What came of it.
pub(crate) struct Outcome {
    /// For programs.
    pub(crate) json: Value,
    /// For people.
    pub(crate) words: String,
}

/// The one that is in the way.
struct Other {
    id: Option<String>,
    words: String,
    json: Value,
}

/// Makes ours the active one; `agree` is asked before another one is replaced.
pub(crate) async fn activate<E: From<Refusal>>(
    settings: &ConnectionConfig,
    joined: &Joined,
    token: &SecretString,
    folder: &Path,
    agree: impl FnOnce(&str) -> Result<bool, E>,
) -> Result<Outcome, E> {
    let Some(vendor) = settings.coding_lists.integration_vendor.as_deref() else {
        let words = "whether another accounting integration is active in Brex was not asked: only an integration with a name from Brex \
             (brex.integration_vendor) can ask";
        return Ok(Outcome { json: json!({ "asked": false }), words: words.to_owned() });
    };
    let http = Http::new(Pace::BREX).map_err(|error| setup(&error))?;
    let client = brex::Client::new(http, settings.brex.base_url.clone(), token.clone());
    let account = joined.bc_company.id.to_string();
    let other = match create(&client, vendor, &account).await? {
        Ok(ours) => return Ok(active(&ours, &Value::Null, None)),
        Err(other) => other,
    };
    if !agree(&other.words)? {
        let text = format!(
            "{} is active in Brex, which has one at a time: nothing was changed. Disconnect it in Brex, or give \
             --replace-integration to save what it left there and to put ours in its place",
            other.words
        );
        return Err(Refusal::new(Why::NotTaken, text).into());
    }
    let id = other.id.as_deref().ok_or_else(|| {
        Refusal::new(
            Why::NotTaken,
            format!("{} is active in Brex, which does not tell its id: disconnect it there", other.words),
        )
    })?;
    let now = timestamp(SystemClock.now_ms());
    let saved = snapshot::save(&joined.brex, folder, &settings.name, &other.json, now).await?;
    client.disconnect_integration(id).await.map_err(failed)?;
    match create(&client, vendor, &account).await? {
        Ok(ours) => Ok(active(&ours, &other.json, Some(&saved))),
        Err(next) => {
            let text =
                format!("{} was disconnected, and now {} is active in Brex: look there", other.words, next.words);
            Err(Refusal::new(Why::NotTaken, text).into())
        }
    }
}

async fn create(client: &brex::Client, vendor: &str, account: &str) -> Result<Result<Integration, Other>, Refusal> {
    let or_unknown = |name: &Option<String>| name.clone().unwrap_or_else(|| "another product".to_owned());
    Ok(match client.create_integration(vendor, account).await.map_err(failed)? {
        IntegrationAnswer::Integration(ours) => Ok(ours),
        IntegrationAnswer::OtherVendorActive { integration_id, vendor } => Err(Other {
            words: format!("the accounting integration of {}", or_unknown(&vendor)),
            json: json!({ "integration_id": integration_id, "vendor": vendor }),
            id: integration_id,
        }),
        IntegrationAnswer::OtherAccountActive { integration_id, vendor_account_id } => Err(Other {
            words: format!("the accounting integration of {vendor} for the company {}", or_unknown(&vendor_account_id)),
            json: json!({ "integration_id": integration_id, "vendor": vendor, "vendor_account_id": vendor_account_id }),
            id: integration_id,
        }),
        IntegrationAnswer::NotActive { .. } => {
            return Err(Refusal::new(
                Why::Refused,
                "Brex says that the integration it just gave is not active: look there",
            ));
        }
    })
}

/// What an error means. One that leaves it open whether Brex did it is no reason to look there: the next run finds out.
fn failed(error: Error) -> Refusal {
    if error.effect() == Effect::None {
        return refused(error);
    }
    let text = format!(
        "{}: whether it was done is not clear; run connect again, which finds out",
        crate::worker::chain(&error)
    );
    Refusal::new(Why::Unreachable, text)
}

fn active(ours: &Integration, replaced: &Value, saved: Option<&Snapshot>) -> Outcome {
    let path = saved.map(|saved| saved.path.display().to_string());
    let not_read = saved.map(|saved| saved.not_read.as_slice()).unwrap_or_default();
    let kept =
        path.as_ref().map_or_else(String::new, |path| format!("; what the other one left there is saved in {path}"));
    let lacks = match not_read {
        [] => String::new(),
        _ => format!(", without what Brex does not let this token read: {}", not_read.join("; ")),
    };
    let words =
        format!("the accounting integration {} is active in Brex as {}{kept}{lacks}", ours.integration_id, ours.vendor);
    let json = json!({
        "asked": true, "integration_id": ours.integration_id, "replaced": replaced, "snapshot": path, "not_read": not_read,
    });
    Outcome { json, words }
}
