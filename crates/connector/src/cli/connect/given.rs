//! What `connect` is told: from a file or stdin, and what is no secret from flags. A secret is never an argument, where other users of
//! the machine would see it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use zeroize::Zeroizing;

use super::super::{Exit, Failure};
use crate::config::secret::read_private_file;
use crate::config::stray;
use crate::connect::answers::Answers;

/// Where the answers come from. What is given neither way is asked on a terminal.
#[derive(Clone, Debug, Args)]
pub(super) struct Given {
    /// File with the answers, readable by its owner only; `-` reads them from stdin. docs/connect.md lists them.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Name of the connection.
    #[arg(long)]
    name: Option<String>,
    /// Microsoft Entra tenant: its id or a verified domain.
    #[arg(long)]
    tenant: Option<String>,
    /// Application (client) id.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Environment of Business Central, such as production.
    #[arg(long)]
    environment: Option<String>,
    /// Company in Business Central: its name, display name or id.
    #[arg(long)]
    company: Option<String>,
    /// Cut-over date, such as 2026-01-31: what Brex last changed before it is not looked at.
    #[arg(long, value_name = "DATE")]
    start_date: Option<Date>,
    /// Time zone of the company, such as America/New_York.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Name that Brex gave to this integration, if it gave one.
    #[arg(long, value_name = "NAME")]
    integration_vendor: Option<String>,
}

/// The answers that were given. A flag counts more than the file.
pub(super) fn read(given: &Given) -> Result<Answers, Failure> {
    let mut answers = given.from.as_deref().map_or_else(|| Ok(Answers::default()), parse)?;
    let fill = |place: &mut Option<String>, flag: &Option<String>| {
        if flag.is_some() {
            place.clone_from(flag);
        }
    };
    fill(&mut answers.name, &given.name);
    fill(&mut answers.time_zone, &given.time_zone);
    fill(&mut answers.entra.tenant, &given.tenant);
    fill(&mut answers.entra.client_id, &given.client_id);
    fill(&mut answers.bc.environment, &given.environment);
    fill(&mut answers.bc.company, &given.company);
    fill(&mut answers.brex.integration_vendor, &given.integration_vendor);
    answers.start_date = given.start_date.or(answers.start_date);
    answers.brex.integration_vendor = answers.brex.integration_vendor.filter(|name| !name.trim().is_empty());
    if answers.entra.is_signed() {
        answers.entra.sign_in()?;
    }
    Ok(answers)
}

/// Refuses answers that are not complete, where nobody can be asked.
pub(super) fn refuse_missing(answers: &Answers, given: &Given) -> Result<(), Failure> {
    let missing = answers.missing();
    if missing.is_empty() {
        return Ok(());
    }
    let text = if given.from.is_some() {
        format!("the answers lack {}: add them (docs/connect.md lists all)", missing.join(", "))
    } else {
        "there is no terminal to ask on: give the answers with --from FILE, or --from - for stdin (docs/connect.md lists them)"
            .to_owned()
    };
    Err(Failure::new(Exit::Config, text))
}

/// Reads the file. What is wrong with it is told by line, never by the text, which holds secrets.
fn parse(from: &Path) -> Result<Answers, Failure> {
    let text = if from == Path::new("-") {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        Zeroizing::new(read_private_file("--from", from)?)
    };
    toml::from_str(&text).map_err(|error| {
        let (line, what) = stray::complaint(&text, &error);
        let text = format!("the answers do not parse: line {line}: {what} (docs/connect.md lists what is needed)");
        Failure::new(Exit::Config, text)
    })
}
