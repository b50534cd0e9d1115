//! Asks a person on the terminal for what was not given, question by question. Each answer is checked at once, with the system that it
//! is for, and asked again when it is wrong. Nothing is written here.

use std::path::Path;

use clients::{Error, Kind, bc, brex};
use domain::id::ConnectionId;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use uuid::Uuid;

use super::super::{Common, Exit, Failure};
use super::prompt;
use crate::clock::{Clock as _, SystemClock, timestamp};
use crate::config::ConnectionConfig;
use crate::config::secret::read_private_file;
use crate::connect::answers::{Answers, EntraAnswers};
use crate::connect::systems::{Joined, Tenant, brex_client, company_of, find_company, names, none_seen};
use crate::connect::{file, systems};

/// Completes the answers and finds both sides.
pub(super) async fn ask(common: &Common, answers: &mut Answers) -> Result<Joined, Failure> {
    eprintln!("Each answer is checked at once. Nothing is written before the end; Ctrl-C leaves everything as it is.");
    name(common, answers)?;
    let (brex, brex_company) = brex(common, answers).await?;
    let tenant = sign_in(common, answers).await?;
    ends(&mut answers.entra)?;
    let (environment, client, companies) = environment(answers, &tenant).await?;
    let (company, bc_company) = company(answers, &companies)?;
    dates(answers)?;
    let is_new = file::known(&common.config, answers.name())?.is_none();
    if is_new && answers.brex.integration_vendor.is_none() {
        let question = "Name that Brex gave to this integration (empty if it gave none)";
        answers.brex.integration_vendor = optional(question, |answer| Ok(answer.to_owned()))?;
    }
    Ok(Joined { brex, brex_company, environment, company, bc: client.company(bc_company.id), bc_company })
}

/// What will be done, without any secret.
pub(super) fn summary(common: &Common, answers: &Answers, joined: &Joined) {
    let or_none = |answer: &Option<String>| answer.clone().unwrap_or_else(|| "none".to_owned());
    let entra = &answers.entra;
    let (way, ends) = match entra.certificate {
        Some(_) => ("certificate", entra.certificate_ends),
        None => ("client secret", entra.client_secret_ends),
    };
    let until = ends.map_or_else(String::new, |day| format!(" until {day}"));
    eprintln!("\n  connection        {}", answers.name());
    eprintln!("  Brex              {} ({})", joined.brex_company.legal_name, joined.brex_company.id);
    eprintln!("  Entra ID          tenant {}, application {}", or_none(&entra.tenant), or_none(&entra.client_id));
    eprintln!("                    {way}{until}");
    eprintln!("  Business Central  {} in {}", joined.bc_company.display_name(), joined.environment);
    let start = answers.start_date.map_or_else(String::new, |day| day.to_string());
    eprintln!("  start date        {start}, {}", or_none(&answers.time_zone));
    eprintln!("  name in Brex      {}", or_none(&answers.brex.integration_vendor));
    eprintln!("  configuration     {}\n", common.config.display());
}

/// The connection as far as it is known, its hosts checked by the configuration's own rules: no secret goes to another one.
fn draft(common: &Common, answers: &Answers) -> Result<ConnectionConfig, Failure> {
    let config = file::candidate(&common.config, answers)?;
    Ok(file::settings(&config, answers.name())?.clone())
}

/// The name. Of a connection that is there already, only the secrets are left to ask.
fn name(common: &Common, answers: &mut Answers) -> Result<(), Failure> {
    let check = |name: &str| ConnectionId::new(name).map(|_| name.to_owned()).map_err(|why| why.to_string());
    let given = answers.name.take();
    let name = match given.as_deref().map(check) {
        Some(Ok(name)) => name,
        Some(Err(why)) => {
            eprintln!("{why}");
            prompt::line("Name of the connection", Some("main"), check)?
        }
        None => prompt::line("Name of the connection", Some("main"), check)?,
    };
    if let Some(known) = file::known(&common.config, &name)? {
        answers.keep_source_of(Some(&known));
        eprintln!("{name} is in {} already: it stays what it is and gets new secrets.", common.config.display());
        let fill = |place: &mut Option<String>, is: String| {
            place.get_or_insert(is);
        };
        fill(&mut answers.entra.tenant, known.entra.tenant);
        fill(&mut answers.entra.client_id, known.entra.client_id);
        fill(&mut answers.bc.environment, known.bc.environment);
        fill(&mut answers.bc.company, known.bc.company);
        fill(&mut answers.time_zone, known.time_zone);
        answers.start_date.get_or_insert(known.start_date);
        answers.brex.integration_vendor =
            answers.brex.integration_vendor.take().or(known.coding_lists.integration_vendor);
    }
    answers.name = Some(name);
    Ok(())
}

async fn brex(common: &Common, answers: &mut Answers) -> Result<(brex::Client, brex::Company), Failure> {
    loop {
        let token = match answers.brex.token.take() {
            Some(token) => token,
            None => prompt::hidden("Brex user token")?,
        };
        let client = brex_client(&draft(common, answers)?, &token)?;
        match company_of(&client, answers.brex.source).await {
            Ok(company) => {
                eprintln!("Brex: {} ({})", company.legal_name, company.id);
                answers.brex.token = Some(token);
                return Ok((client, company));
            }
            Err(error) if is_away(&error) => {
                again(error)?;
                answers.brex.token = Some(token);
            }
            Err(error) => eprintln!("{}", refused(error).sentence),
        }
    }
}

/// Signs in at Entra ID; asks again for what it refuses.
async fn sign_in(common: &Common, answers: &mut Answers) -> Result<Tenant, Failure> {
    let (mut last_tenant, mut last_client) = (None::<String>, None::<String>);
    // A connection that is there keeps its way to sign in.
    let mut is_certificate =
        file::known(&common.config, answers.name())?.map(|known| known.entra.certificate.is_some());
    loop {
        if answers.entra.tenant.is_none() {
            let question = "Microsoft Entra tenant (id or domain)";
            answers.entra.tenant = Some(prompt::text(question, last_tenant.as_deref())?);
        }
        if answers.entra.client_id.is_none() {
            let check = |id: &str| match Uuid::parse_str(id) {
                Ok(_) => Ok(id.to_owned()),
                Err(_) => Err("this is no id like 00000000-0000-0000-0000-000000000000".to_owned()),
            };
            answers.entra.client_id = Some(prompt::line("Application (client) id", last_client.as_deref(), check)?);
        }
        if !answers.entra.is_signed() {
            secret(&mut answers.entra, &mut is_certificate)?;
        }
        let tenant = Tenant::new(&draft(common, answers)?, answers.entra.credential()?)?;
        let Err(error) = tenant.tokens.token().await else {
            eprintln!("Entra ID: signed in");
            return Ok(tenant);
        };
        let code = error.code().unwrap_or_default().to_owned();
        if is_away(&error) {
            again(error)?;
            continue;
        }
        eprintln!("{}", refused(error).sentence);
        // The tenant is unknown; or it has no such application, and either may be wrong.
        let (is_tenant, is_application) = (code == "AADSTS90002", code == "AADSTS700016");
        if is_tenant || is_application {
            last_tenant = answers.entra.tenant.take();
        }
        if is_application {
            last_client = answers.entra.client_id.take();
        }
        if !is_tenant && !is_application {
            (answers.entra.client_secret, answers.entra.certificate) = (None, None);
        }
    }
}

/// What the application signs in with; which of the two is asked once.
fn secret(entra: &mut EntraAnswers, is_certificate: &mut Option<bool>) -> Result<(), Failure> {
    let is_certificate = if let Some(known) = *is_certificate {
        known
    } else {
        let ways = ["client secret", "certificate"].map(str::to_owned);
        *is_certificate.insert(prompt::choose("The application signs in with a", &ways)? == ways[1])
    };
    if !is_certificate {
        entra.client_secret = Some(prompt::hidden("Client secret, its value")?);
        return Ok(());
    }
    let check = |path: &str| {
        let text = read_private_file("the certificate", Path::new(path)).map_err(|why| crate::worker::chain(&why))?;
        let read = EntraAnswers { certificate: Some(SecretString::from(text)), ..EntraAnswers::default() };
        read.credential().map_err(|why| why.sentence())?;
        Ok(read.certificate)
    };
    entra.certificate = prompt::line("File with the certificate and its private key (PEM)", None, check)?;
    Ok(())
}

fn ends(entra: &mut EntraAnswers) -> Result<(), Failure> {
    let (place, of) = match entra.certificate {
        Some(_) => (&mut entra.certificate_ends, "certificate"),
        None => (&mut entra.client_secret_ends, "client secret"),
    };
    if place.is_none() {
        *place = optional(&format!("Last day of the {of}, such as 2027-11-30 (empty if unknown)"), day)?;
    }
    Ok(())
}

/// The environment, and the companies in it.
async fn environment(
    answers: &mut Answers,
    tenant: &Tenant,
) -> Result<(String, bc::Client, Vec<bc::CompanyName>), Failure> {
    loop {
        let name = match answers.bc.environment.take() {
            Some(name) => name,
            None => match tenant.list_environments().await {
                Ok(found) if found.is_empty() => {
                    eprintln!("{}", none_seen("bc.environment"));
                    prompt::text("Environment", None)?
                }
                Ok(found) => prompt::choose("Environment", &found)?,
                Err(error) => {
                    eprintln!("{}", refused(error).sentence);
                    prompt::text("Environment", Some("production"))?
                }
            },
        };
        let client = tenant.environment(&name);
        match client.list_companies().await {
            Ok(found) if found.is_empty() => {
                eprintln!("{}", none_seen("bc.company"));
                keep_on(Exit::NotFound, none_seen("bc.company"))?;
            }
            Ok(found) => {
                answers.bc.environment = Some(name.clone());
                return Ok((name, client, found));
            }
            Err(error) => again(error)?,
        }
    }
}

fn company(answers: &mut Answers, companies: &[bc::CompanyName]) -> Result<(String, bc::CompanyName), Failure> {
    loop {
        let name = match answers.bc.company.take() {
            Some(name) => name,
            None => prompt::choose("Company", &names(companies))?,
        };
        match find_company(companies, &name) {
            Ok(found) => {
                answers.bc.company = Some(name.clone());
                return Ok((name, found));
            }
            Err(why) => eprintln!("{}", why.sentence()),
        }
    }
}

fn dates(answers: &mut Answers) -> Result<(), Failure> {
    let zone = |name: &str| match TimeZone::get(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(format!("{name:?} is no time zone; write it like America/New_York")),
    };
    if let Some(Err(why)) = answers.time_zone.as_deref().map(zone) {
        eprintln!("{why}");
        answers.time_zone = None;
    }
    let here = TimeZone::system();
    if answers.start_date.is_none() {
        let today = timestamp(SystemClock.now_ms()).to_zoned_datetime(here.clone()).date();
        let first = today.first_of_month().to_string();
        answers.start_date =
            Some(prompt::line("Start date: what Brex last changed before is left alone", Some(&first), day)?);
    }
    if answers.time_zone.is_none() {
        let name = here.iana_name().filter(|name| zone(name).is_ok()).unwrap_or("UTC");
        answers.time_zone = Some(prompt::line("Time zone of the company", Some(name), zone)?);
    }
    Ok(())
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{text:?} is no day; write it like 2026-01-31"))
}

fn optional<T>(question: &str, check: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
    prompt::line(question, None, |answer| match answer {
        "" => Ok(None),
        answer => check(answer).map(Some),
    })
}

/// What an error means.
fn refused(error: Error) -> Failure {
    systems::refused(error).into()
}

/// Whether it says nothing about the answer.
fn is_away(error: &Error) -> bool {
    use Kind::{ConnectionLost, Redirected, ServerError, Throttled, TimedOut, TooLarge, Unreachable, Unreadable};
    let away = [Unreachable, TimedOut, ConnectionLost, Throttled, ServerError, Unreadable, Redirected, TooLarge];
    away.contains(&error.kind())
}

/// Says what is wrong, and ends it unless a person wants to go on.
fn again(error: Error) -> Result<(), Failure> {
    let why = refused(error);
    eprintln!("{}", why.sentence);
    keep_on(why.exit, why.sentence)
}

fn keep_on(exit: Exit, sentence: String) -> Result<(), Failure> {
    if prompt::yes("Try again", "yes")? { Ok(()) } else { Err(Failure::new(exit, sentence)) }
}
