//! The configuration with the new connection in it: as text, checked by its own rules, and written whole or not at all.

use std::path::Path;

use serde_json::json;
use url::Url;

use super::answers::Answers;
use super::{Refusal, Why};
use crate::config::{Config, ConnectionConfig, Source};

/// What stands in a new configuration, so that whoever runs it has somewhere to look.
const CONSOLE: &str =
    "# Pages for people, on this machine only (docs/console.md).\n[console]\nlisten = \"127.0.0.1:8461\"\n\n";

/// What stands in a draft, whose hosts are checked before a secret is sent to one, for what is not known yet.
const OPEN: &str = "to be chosen";

/// The folder of the configuration.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The configuration as it would be.
pub(crate) fn candidate(path: &Path, answers: &Answers) -> Result<Config, Refusal> {
    let text = text_with(path, answers)?.0;
    Ok(Config::parse(&text, folder(path))?)
}

/// The connection in it.
pub(crate) fn settings<'a>(config: &'a Config, name: &str) -> Result<&'a ConnectionConfig, Refusal> {
    let found = config.connections.iter().find(|connection| connection.name == name);
    found.ok_or_else(|| Refusal::new(Why::Config, format!("the configuration has no connection {name:?}")))
}

/// The connection of this name that is there already.
pub(crate) fn known(path: &Path, name: &str) -> Result<Option<ConnectionConfig>, Refusal> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(Config::load(path)?.connections.into_iter().find(|connection| connection.name == name))
}

/// The text of the configuration with the connection in it, and whether that is another text than before. A connection that is there
/// stays as it is if it joins the same two, and is refused otherwise: records were booked for it.
fn text_with(path: &Path, answers: &Answers) -> Result<(String, bool), Refusal> {
    if !path.exists() {
        let hosts = match answers.allow_hosts.as_slice() {
            [] => String::new(),
            hosts => format!("allow_hosts = {}\n\n", json!(hosts)),
        };
        return Ok((format!("{hosts}{CONSOLE}{}", section(answers)), true));
    }
    let known = known(path, answers.name())?;
    let text = std::fs::read_to_string(path)?;
    let Some(known) = known else {
        return Ok((format!("{}\n\n{}", text.trim_end(), section(answers)), true));
    };
    if is_same(&known, answers) {
        return Ok((text, false));
    }
    let text = format!(
        "the configuration has a connection {:?} already, with another tenant, application, way to sign in, environment, company, start \
         date, time zone, source or name of the integration in Brex: change it there, or connect under another name",
        answers.name()
    );
    Err(Refusal::new(Why::NotTaken, text))
}

/// Whether the answers, as far as they are given, say what is there.
fn is_same(known: &ConnectionConfig, answers: &Answers) -> bool {
    fn fits<T: PartialEq>(answer: Option<&T>, is: &T) -> bool {
        answer.is_none_or(|answer| answer == is)
    }
    let vendor = &answers.brex.integration_vendor;
    fits(answers.entra.tenant.as_ref(), &known.entra.tenant)
        && fits(answers.entra.client_id.as_ref(), &known.entra.client_id)
        && (!answers.entra.is_signed() || known.entra.certificate.is_some() == answers.entra.certificate.is_some())
        && fits(answers.bc.environment.as_ref(), &known.bc.environment)
        && fits(answers.bc.company.as_ref(), &known.bc.company)
        && fits(answers.start_date.as_ref(), &known.start_date)
        && fits(answers.time_zone.as_ref(), &known.time_zone)
        && fits(answers.brex.source.as_ref(), &known.brex.source)
        && (vendor.is_none() || *vendor == known.coding_lists.integration_vendor)
}

/// `[[connection]]` for the answers; without `token` and `client_secret` these are in the vault, and so is a certificate.
fn section(answers: &Answers) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let url = |url: &Option<Url>| {
        url.as_ref().map_or_else(String::new, |url| format!("base_url = {}\n", quoted(url.as_str())))
    };
    let or_open = |answer: &Option<String>| quoted(answer.as_deref().unwrap_or(OPEN));
    let vendor = answers.brex.integration_vendor.as_deref().map_or_else(String::new, |vendor| {
        format!("\n[connection.coding_lists]\nintegration_vendor = {}\n", quoted(vendor))
    });
    let source = match answers.brex.source {
        Some(Source::Expenses) => "source = \"expenses\"\n",
        Some(Source::Accounting) | None => "",
    };
    format!(
        "[[connection]]\nname = {}\nstart_date = \"{}\"\ntime_zone = {}\n\n[connection.brex]\n{}{source}\n[connection.entra]\n{}tenant = {}\n\
         client_id = {}\n{}\n[connection.bc]\n{}environment = {}\ncompany = {}\n{vendor}",
        quoted(answers.name()),
        answers.start_date.unwrap_or(jiff::civil::date(2000, 1, 1)),
        quoted(answers.time_zone.as_deref().unwrap_or("UTC")),
        url(&answers.brex.base_url),
        url(&answers.entra.base_url),
        or_open(&answers.entra.tenant),
        or_open(&answers.entra.client_id),
        if answers.entra.certificate.is_some() { "certificate = { vault = true }\n" } else { "" },
        url(&answers.bc.base_url),
        or_open(&answers.bc.environment),
        or_open(&answers.bc.company),
    )
}

/// Writes the configuration, whole or not at all. True if it changed.
pub(crate) fn write(path: &Path, answers: &Answers) -> Result<bool, Refusal> {
    let (text, changed) = text_with(path, answers)?;
    if changed {
        let file = tempfile::Builder::new().prefix(".ml-connector-").tempfile_in(folder(path))?;
        std::fs::write(file.path(), &text)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(std::io::Error::from)?;
    }
    Ok(changed)
}
