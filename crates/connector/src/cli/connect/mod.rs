//! `connect`: joins two systems. Everything is checked before anything is written; then the secrets are sealed and the connection is
//! added to the configuration. Run twice, it changes nothing. What is not given is asked on a terminal.

mod given;
mod guided;
mod prompt;

use clap::Args;
use serde_json::json;

use self::given::{Given, read, refuse_missing};
use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::connect::answers::Answers;
use crate::connect::integration::{self, Outcome};
use crate::connect::older::{self, Older};
use crate::connect::systems::{self, Joined};
use crate::connect::{self as joining, file};
use crate::keys;
use crate::words::counted;

#[derive(Clone, Debug, Args)]
pub(super) struct ConnectArgs {
    #[command(flatten)]
    given: Given,
    /// Disconnect another accounting integration that is active in Brex, after saving what it left there.
    #[arg(long)]
    replace_integration: bool,
}

pub(super) async fn connect(common: &Common, args: &ConnectArgs) -> Result<Exit, Failure> {
    let mut answers = read(&args.given)?;
    answers.keep_source_of(file::known(&common.config, answers.name.as_deref().unwrap_or_default())?.as_ref());
    let is_guided = !answers.missing().is_empty() && prompt::is_terminal();
    let joined = if is_guided {
        guided::ask(common, &mut answers).await?
    } else {
        refuse_missing(&answers, &args.given)?;
        // The hosts are checked by the configuration's own rules before any secret is sent to one.
        let draft = file::candidate(&common.config, &answers)?;
        systems::join(file::settings(&draft, answers.name())?, &answers, choose).await?
    };
    answers.bc.environment = Some(joined.environment.clone());
    answers.bc.company = Some(joined.company.clone());
    let config = file::candidate(&common.config, &answers)?;
    let settings = file::settings(&config, answers.name())?;
    if args.replace_integration && settings.coding_lists.integration_vendor.is_none() {
        let text =
            "--replace-integration needs the name that Brex gave to this integration: give --integration-vendor too";
        return Err(Failure::new(Exit::Config, text));
    }
    if is_guided {
        eprintln!("Comparing what both systems have since {} ...", settings.start_date);
    }
    let older = older::look(&joined, settings).await;
    older.words.iter().for_each(|line| eprintln!("{line}"));
    if is_guided {
        guided::summary(common, &answers, &joined);
        if !prompt::yes("Write this", "yes")? {
            return Err(Failure::new(Exit::NotTaken, "nothing was written"));
        }
    }
    let agree = |other: &str| {
        if args.replace_integration || !is_guided {
            return Ok(args.replace_integration);
        }
        prompt::yes(&format!("In Brex, {other} is active. Save what it left there, and replace it"), "no")
    };
    let folder = file::folder(&common.config);
    let integration = integration::activate(settings, &joined, answers.token()?, folder, agree).await?;
    let sealed = seal(&config, &answers).await?;
    let is_written = file::write(&common.config, &answers)?;
    tell(common, &answers, &joined, &Done { older, integration, sealed, is_written });
    Ok(Exit::Done)
}

/// What was done.
struct Done {
    older: Older,
    integration: Outcome,
    sealed: u32,
    is_written: bool,
}

fn tell(common: &Common, answers: &Answers, joined: &Joined, done: &Done) {
    if common.json {
        print_json(&json!({
            "connection": answers.name(), "brex_company": joined.brex_company.id, "environment": joined.environment,
            "company": joined.company, "start_date": answers.start_date.map(|day| day.to_string()), "secrets_sealed": done.sealed,
            "configuration_changed": done.is_written, "integration": done.integration.json, "older": done.older.json,
        }));
        return;
    }
    let Joined { brex_company, company, environment, .. } = joined;
    println!("{}: Brex company {} is joined with {company} in {environment}", answers.name(), brex_company.id);
    println!("{}", done.integration.words);
    let written = if done.is_written { "was written" } else { "stays as it is" };
    println!("{} sealed; {} {written}", counted(done.sealed, "secret"), common.config.display());
    println!("next: ml-connector doctor, then ml-connector run");
}

/// Seals what is not sealed already; tells how many.
async fn seal(config: &Config, answers: &Answers) -> Result<u32, Failure> {
    let settings = file::settings(config, answers.name())?;
    let store = open::store(config).await?;
    let ring = keys::ring(config, &store).await?;
    let sealed = joining::seal(&store.vault(&ring), settings, answers, SystemClock.now_ms()).await?;
    store.close().await;
    Ok(sealed)
}

/// The only one there is; among several, whoever is at the terminal chooses.
fn choose(key: &str, names: Vec<String>) -> Result<String, Failure> {
    if names.len() > 1 && prompt::is_terminal() {
        return prompt::choose(key, &names);
    }
    Ok(systems::only(key, names)?)
}
