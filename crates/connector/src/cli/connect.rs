//! `connect --from FILE|-`: joins two systems. Everything is checked before anything is written; then the secrets are sealed and the
//! connection is added to the configuration. Run twice, it changes nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clients::entra::{ClientSecret, Credential, TokenSource};
use clients::{Error, Http, Pace, bc, brex};
use jiff::civil::Date;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::config::secret::read_private_file;
use crate::config::{Config, ConnectionConfig, Source};
use crate::stop::Stop;
use crate::{identity, keys, problem, secrets};

#[derive(Clone, Debug, Args)]
pub(super) struct ConnectArgs {
    /// File with the answers, readable by its owner only; `-` reads them from stdin. docs/connect.md lists them.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

/// What has to be known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    name: String,
    start_date: Date,
    time_zone: String,
    #[serde(default)]
    allow_hosts: Vec<String>,
    brex: BrexAnswers,
    entra: EntraAnswers,
    #[serde(default)]
    bc: BcAnswers,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BrexAnswers {
    token: SecretString,
    base_url: Option<Url>,
    #[serde(default)]
    source: Source,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntraAnswers {
    tenant: String,
    client_id: String,
    client_secret: Option<SecretString>,
    client_secret_ends: Option<Date>,
    certificate: Option<SecretString>,
    certificate_ends: Option<Date>,
    base_url: Option<Url>,
}

/// What the application signs in with.
struct SignIn<'a> {
    text: &'a SecretString,
    ends: Option<Date>,
    is_certificate: bool,
}

impl EntraAnswers {
    /// One of the two ways.
    fn sign_in(&self) -> Result<SignIn<'_>, Failure> {
        match (&self.client_secret, &self.certificate) {
            (Some(text), None) => Ok(SignIn { text, ends: self.client_secret_ends, is_certificate: false }),
            (None, Some(text)) => Ok(SignIn { text, ends: self.certificate_ends, is_certificate: true }),
            (None, None) => Err(Failure::new(Exit::Config, "entra: give client_secret or certificate")),
            (Some(_), Some(_)) => Err(Failure::new(Exit::Config, "entra: give client_secret or certificate, not both")),
        }
    }

    fn credential(&self) -> Result<Credential, Failure> {
        let SignIn { text, is_certificate, .. } = self.sign_in()?;
        if is_certificate {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            return Ok(secrets::certificate("entra.certificate", text.clone(), &clock)?);
        }
        Ok(ClientSecret::new(text.clone()).into())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BcAnswers {
    environment: Option<String>,
    company: Option<String>,
    base_url: Option<Url>,
}

pub(super) async fn connect(common: &Common, args: &ConnectArgs) -> Result<Exit, Failure> {
    let mut answers = read(&args.from)?;
    answers.entra.sign_in()?;
    // The hosts are checked by the configuration's own rules before any secret is sent to one.
    let draft = candidate(common, &answers)?;
    let settings = settings(&draft, &answers.name)?;
    let (environment, company, brex_company) = ask_both(settings, &answers).await?;
    answers.bc.environment = Some(environment);
    answers.bc.company = Some(company);
    let config = candidate(common, &answers)?;
    let sealed = seal(&config, &answers).await?;
    let written = write(common, &answers)?;
    let said = json!({
        "connection": answers.name, "brex_company": brex_company, "environment": answers.bc.environment,
        "company": answers.bc.company, "start_date": answers.start_date.to_string(), "secrets_sealed": sealed,
        "configuration_changed": written,
    });
    if common.json {
        print_json(&said);
    } else {
        println!(
            "{}: Brex company {} is joined with {} in {}",
            answers.name,
            super::text(&said["brex_company"]),
            super::text(&said["company"]),
            super::text(&said["environment"])
        );
        println!(
            "{sealed} secret(s) sealed; {} {}",
            common.config.display(),
            if written { "was written" } else { "stays as it is" }
        );
        println!("next: ml-connector doctor, then ml-connector run");
    }
    Ok(Exit::Done)
}

/// Reads the answers. What is wrong with them is told by line, never by the text, which holds secrets.
fn read(from: &Path) -> Result<Answers, Failure> {
    let text = if from == Path::new("-") {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        Zeroizing::new(read_private_file("--from", from)?)
    };
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let what = match error.message() {
            message if message.starts_with("missing field") || message.starts_with("unknown field") => message,
            _ => "it cannot be read as what docs/connect.md lists",
        };
        Failure::new(Exit::Config, format!("the answers do not parse: line {line}: {what}"))
    })
}

/// What stands in a new configuration, so that whoever runs it has somewhere to look.
const CONSOLE: &str =
    "# Pages for people, on this machine only (docs/console.md).\n[console]\nlisten = \"127.0.0.1:8461\"\n\n";

/// The configuration as it would be.
fn candidate(common: &Common, answers: &Answers) -> Result<Config, Failure> {
    let folder = common.config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = text_with(common, answers)?.0;
    Ok(Config::parse(&text, folder)?)
}

fn settings<'a>(config: &'a Config, name: &str) -> Result<&'a ConnectionConfig, Failure> {
    let found = config.connections.iter().find(|connection| connection.name == name);
    found.ok_or_else(|| Failure::new(Exit::Config, format!("the configuration has no connection {name:?}")))
}

/// The text of the configuration with the connection in it, and whether that is another text than before. A connection that is there
/// stays as it is if it joins the same two, and is refused otherwise: records were booked for it.
fn text_with(common: &Common, answers: &Answers) -> Result<(String, bool), Failure> {
    if !common.config.exists() {
        let hosts = match answers.allow_hosts.as_slice() {
            [] => String::new(),
            hosts => format!("allow_hosts = {}\n\n", json!(hosts)),
        };
        return Ok((format!("{hosts}{CONSOLE}{}", section(answers)), true));
    }
    let before = Config::load(&common.config)?;
    let text = std::fs::read_to_string(&common.config)?;
    let Some(known) = before.connections.iter().find(|connection| connection.name == answers.name) else {
        return Ok((format!("{}\n\n{}", text.trim_end(), section(answers)), true));
    };
    let same = known.entra.tenant == answers.entra.tenant
        && known.entra.client_id == answers.entra.client_id
        && known.entra.certificate.is_some() == answers.entra.certificate.is_some()
        && known.brex.source == answers.brex.source
        && answers.bc.environment.as_ref().is_none_or(|name| *name == known.bc.environment)
        && answers.bc.company.as_ref().is_none_or(|name| *name == known.bc.company)
        && known.start_date == answers.start_date
        && known.time_zone == answers.time_zone;
    if same {
        return Ok((text, false));
    }
    let text = format!(
        "the configuration has a connection {:?} already, with another tenant, application, way to sign in, environment, company, \
         source, start date or time zone: change it there, or connect under another name",
        answers.name
    );
    Err(Failure::new(Exit::NotTaken, text))
}

/// `[[connection]]` for the answers; without `token` and `client_secret` these are in the vault, and so is a certificate.
fn section(answers: &Answers) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let url = |url: &Option<Url>| {
        url.as_ref().map_or_else(String::new, |url| format!("base_url = {}\n", quoted(url.as_str())))
    };
    // Until both are chosen, the section is only a draft whose hosts are checked.
    let or_open = |name: &Option<String>| quoted(name.as_deref().unwrap_or("to be chosen"));
    format!(
        "[[connection]]\nname = {}\nstart_date = \"{}\"\ntime_zone = {}\n\n[connection.brex]\n{}{}\n[connection.entra]\n{}tenant = {}\n\
         client_id = {}\n{}\n[connection.bc]\n{}environment = {}\ncompany = {}\n",
        quoted(&answers.name),
        answers.start_date,
        quoted(&answers.time_zone),
        url(&answers.brex.base_url),
        match answers.brex.source {
            Source::Accounting => "",
            Source::Expenses => "source = \"expenses\"\n",
        },
        url(&answers.entra.base_url),
        quoted(&answers.entra.tenant),
        quoted(&answers.entra.client_id),
        if answers.entra.certificate.is_some() { "certificate = { vault = true }\n" } else { "" },
        url(&answers.bc.base_url),
        or_open(&answers.bc.environment),
        or_open(&answers.bc.company),
    )
}

/// Asks both sides with the secrets that were given: environment, company, and the Brex company.
async fn ask_both(settings: &ConnectionConfig, answers: &Answers) -> Result<(String, String, String), Failure> {
    let http = |pace: Pace| Http::new(pace).map(|http| http.read_only());
    let setup = |error| Failure::new(Exit::Unexpected, crate::worker::chain(&error));
    let token = answers.brex.token.clone();
    let brex = brex::Client::new(http(Pace::BREX).map_err(setup)?, settings.brex.base_url.clone(), token);
    let brex_company = brex.get_company().await.map_err(refused)?;
    let entra = &settings.entra;
    let secret = answers.entra.credential()?;
    let sign_in = Http::new(Pace::ENTRA).map_err(setup)?;
    let tokens =
        TokenSource::new(sign_in, entra.base_url.clone(), entra.tenant.clone(), entra.client_id.clone(), secret);
    let base_url = settings.bc.base_url.clone();
    let sender = http(Pace::BUSINESS_CENTRAL).map_err(setup)?;
    let client =
        |name: &str| bc::Client::new(sender.clone(), base_url.clone(), entra.tenant.clone(), name, tokens.clone());
    let environment = if let Some(name) = &answers.bc.environment {
        name.clone()
    } else {
        let found = client("").list_environments().await.map_err(refused)?;
        only_one("bc.environment", found.into_iter().map(|environment| environment.name).collect())?
    };
    let companies = client(&environment).list_companies().await.map_err(refused)?;
    let names = companies.iter().map(|company| company.display_name().to_owned()).collect::<Vec<_>>();
    let company = match &answers.bc.company {
        Some(wanted) => {
            let unknown = || Failure::from(Stop::Connection(problem::company_unknown(wanted, &names)));
            identity::find_company(&companies, wanted).map(|_| wanted.clone()).ok_or_else(unknown)?
        }
        None => only_one("bc.company", names)?,
    };
    Ok((environment, company, brex_company.id))
}

/// The only one there is; several are listed to choose from.
fn only_one(key: &str, mut names: Vec<String>) -> Result<String, Failure> {
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => Err(Failure::new(
            Exit::NotFound,
            format!("{key}: the application can see none: add it on the page Microsoft Entra applications"),
        )),
        _ => Err(Failure::new(Exit::Config, format!("{key} is missing; choose one of: {}", names.join(", ")))),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn refused(error: Error) -> Failure {
    match problem::of_error(&error) {
        Some(problem) => Stop::Connection(problem).into(),
        None => Failure::new(Exit::Unreachable, crate::worker::chain(&error)),
    }
}

/// Seals what is not sealed already; tells how many.
async fn seal(config: &Config, answers: &Answers) -> Result<u32, Failure> {
    let settings = settings(config, &answers.name)?;
    let SignIn { text: secret, ends, .. } = answers.entra.sign_in()?;
    let ends = ends.and_then(|day| day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    let ends_ms = ends.map(|end| end.timestamp().as_millisecond());
    let store = open::store(config).await?;
    let ring = keys::ring(config, &store).await?;
    let vault = store.vault(&ring);
    let (id, now_ms) = (settings.id()?, SystemClock.now_ms());
    let mut sealed = 0_u32;
    for (slot, secret, ends_ms) in
        [(secrets::brex_slot(settings), &answers.brex.token, None), (secrets::entra_slot(settings), secret, ends_ms)]
    {
        let trimmed = SecretString::from(secret.expose_secret().trim());
        sealed = sealed.saturating_add(u32::from(vault.seal(&id, &slot, &trimmed, ends_ms, now_ms).await?));
    }
    store.close().await;
    Ok(sealed)
}

/// Writes the configuration, whole or not at all. True if it changed.
fn write(common: &Common, answers: &Answers) -> Result<bool, Failure> {
    let (text, changed) = text_with(common, answers)?;
    if changed {
        let folder = common.config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".ml-connector-").tempfile_in(folder)?;
        std::fs::write(file.path(), &text)?;
        file.as_file().sync_all()?;
        file.persist(&common.config).map_err(std::io::Error::from)?;
    }
    Ok(changed)
}
