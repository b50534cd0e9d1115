//! `config check`: reads the file, the secrets and the rules, and says what was found.

use std::sync::Arc;

use serde_json::json;

use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::secrets;
use crate::words::counted;

/// Checks and prints a summary without secrets.
pub(super) fn check(common: &Common) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    if let Some(operations) = &config.operations {
        operations.read_token(&config.folder)?;
    }
    let mut connections = Vec::new();
    for settings in &config.connections {
        let key = |rest: &str| format!("connection {:?}: {rest}", settings.name);
        settings.brex.token.read(&key("brex.token"), &config.folder)?;
        match &settings.entra.certificate {
            None => drop(settings.entra.client_secret.read(&key("entra.client_secret"), &config.folder)?),
            Some(source) => {
                let clock: Arc<dyn Clock> = Arc::new(SystemClock);
                if let Some(pem) = source.read(&key("entra.certificate"), &config.folder)? {
                    secrets::certificate(&key("entra.certificate"), pem, &clock)?;
                }
            }
        }
        let rules = settings.rules()?;
        connections.push(json!({
            "name": settings.name,
            "brex": settings.brex.base_url.as_str(),
            "bc": settings.bc.base_url.as_str(),
            "environment": settings.bc.environment,
            "company": settings.bc.company,
            "start_date": settings.start_date.to_string(),
            "rules": rules.version,
        }));
    }
    if common.json {
        print_json(&json!({ "ok": true, "database": config.database.scheme(), "connections": connections }));
    } else {
        println!("{} is fine: {}", common.config.display(), counted(connections.len(), "connection"));
        for connection in &connections {
            let text = |key: &str| connection[key].as_str().unwrap_or_default().to_owned();
            println!(
                "  {}: {} in {}, from {}, rules {}",
                text("name"),
                text("company"),
                text("environment"),
                text("start_date"),
                text("rules")
            );
        }
    }
    Ok(Exit::Done)
}
