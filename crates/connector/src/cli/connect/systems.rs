//! Both systems, asked with the secrets that were given and through clients that refuse to write.

use clients::bc::{self, CompanyName};
use clients::brex::{RecordsQuery, ReviewStatus};
use clients::entra::{Credential, TokenSource};
use clients::{Error, Http, Kind, Pace, System, brex};
use secrecy::SecretString;

use super::super::{Exit, Failure};
use super::answers::Answers;
use super::prompt;
use crate::config::{ConnectionConfig, Source};
use crate::stop::Stop;
use crate::{identity, problem};

/// Both sides, found.
pub(super) struct Joined {
    pub(super) brex: brex::Client,
    pub(super) brex_company: brex::Company,
    pub(super) environment: String,
    /// The company in the words of the answers, or by the name that it shows.
    pub(super) company: String,
    pub(super) bc: bc::Company,
    pub(super) bc_company: CompanyName,
}

/// A client for Brex that refuses to write.
pub(super) fn brex_client(settings: &ConnectionConfig, token: &SecretString) -> Result<brex::Client, Failure> {
    let http = Http::new(Pace::BREX).map_err(|error| setup(&error))?.read_only();
    Ok(brex::Client::new(http, settings.brex.base_url.clone(), token.clone()))
}

/// The company of a token, which must be allowed to read what is to be booked. Whether it may report is known only by doing it.
pub(super) async fn company_of(brex: &brex::Client, source: Option<Source>) -> Result<brex::Company, Error> {
    let company = brex.get_company().await?;
    match source.unwrap_or_default() {
        Source::Accounting => {
            let review_status = Some(ReviewStatus::ReadyForExport);
            let query = RecordsQuery { review_status, limit: Some(1), ..RecordsQuery::default() };
            brex.list_records(&query).await?;
        }
        Source::Expenses => match brex.get_expense("expense_none").await {
            // Whether Brex looks for such an id or refuses it at once: the scope was there.
            Err(error) if error.kind() != Kind::Refused => return Err(error),
            _ => {}
        },
    }
    Ok(company)
}

/// Business Central, of which the environment is not chosen yet.
pub(super) struct Tenant {
    http: Http,
    settings: ConnectionConfig,
    pub(super) tokens: TokenSource,
}

impl Tenant {
    pub(super) fn new(settings: &ConnectionConfig, credential: Credential) -> Result<Self, Failure> {
        let http = Http::new(Pace::BUSINESS_CENTRAL).map_err(|error| setup(&error))?.read_only();
        let sign_in = Http::new(Pace::ENTRA).map_err(|error| setup(&error))?;
        let entra = &settings.entra;
        let (tenant, client_id) = (entra.tenant.clone(), entra.client_id.clone());
        let tokens = TokenSource::new(sign_in, entra.base_url.clone(), tenant, client_id, credential);
        Ok(Self { http, settings: settings.clone(), tokens })
    }

    /// One of its environments.
    pub(super) fn environment(&self, name: &str) -> bc::Client {
        let (base_url, tenant) = (self.settings.bc.base_url.clone(), self.settings.entra.tenant.clone());
        bc::Client::new(self.http.clone(), base_url, tenant, name, self.tokens.clone())
    }

    /// The names of all environments that the application can see.
    pub(super) async fn list_environments(&self) -> Result<Vec<String>, Error> {
        let found = self.environment("").list_environments().await?;
        Ok(found.into_iter().map(|environment| environment.name).collect())
    }
}

/// Asks both sides with complete answers.
pub(super) async fn join(settings: &ConnectionConfig, answers: &Answers) -> Result<Joined, Failure> {
    let brex = brex_client(settings, answers.token()?)?;
    let brex_company = company_of(&brex, answers.brex.source).await.map_err(refused)?;
    let tenant = Tenant::new(settings, answers.entra.credential()?)?;
    let environment = match &answers.bc.environment {
        Some(name) => name.clone(),
        None => choose("bc.environment", tenant.list_environments().await.map_err(refused)?)?,
    };
    let client = tenant.environment(&environment);
    let companies = client.list_companies().await.map_err(refused)?;
    let company = match &answers.bc.company {
        Some(wanted) => wanted.clone(),
        None => choose("bc.company", names(&companies))?,
    };
    let bc_company = find_company(&companies, &company)?;
    Ok(Joined { brex, brex_company, environment, company, bc: client.company(bc_company.id), bc_company })
}

/// The company with this name or id, or the sentence that there is none.
pub(super) fn find_company(companies: &[CompanyName], wanted: &str) -> Result<CompanyName, Failure> {
    let unknown = || Failure::from(Stop::Connection(problem::company_unknown(wanted, &names(companies))));
    identity::find_company(companies, wanted).cloned().ok_or_else(unknown)
}

pub(super) fn names(companies: &[CompanyName]) -> Vec<String> {
    companies.iter().map(|company| company.display_name().to_owned()).collect()
}

/// The only one there is; several are listed to choose from, by whoever can be asked.
fn choose(key: &str, mut names: Vec<String>) -> Result<String, Failure> {
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => Err(Failure::new(Exit::NotFound, none_seen(key))),
        _ if prompt::is_terminal() => prompt::choose(key, &names),
        _ => Err(Failure::new(Exit::Config, format!("{key} is missing; choose one of: {}", names.join(", ")))),
    }
}

pub(super) fn none_seen(key: &str) -> String {
    format!("{key}: the application can see none: add it on the page Microsoft Entra applications")
}

/// What an error means, as the sentence of the problem that it is.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
pub(super) fn refused(error: Error) -> Failure {
    let advice = match (error.system(), error.kind(), error.operation()) {
        (System::Brex, Kind::Forbidden, "list_records") => {
            "the token lacks the scope accounting.record.read: make one that has it (docs/permissions.md), or, where Brex does not grant \
             the accounting API, answer source = \"expenses\" (docs/expenses-source.md)"
        }
        (System::Brex, Kind::Forbidden, "get_expense") => {
            "the token lacks the scope expenses.card.readonly: make one that has it (docs/permissions.md)"
        }
        _ => "",
    };
    if !advice.is_empty() {
        return Failure::new(Exit::Refused, format!("brex: {advice}. It says: {}", problem::said(&error)));
    }
    match problem::of_error(&error) {
        Some(problem) => Stop::Connection(problem).into(),
        None if matches!(error.kind(), Kind::Refused | Kind::Conflict) => {
            let text = format!("{} refused it: {}", error.system().name(), problem::said(&error));
            Failure::new(Exit::Refused, text)
        }
        None => Failure::new(Exit::Unreachable, crate::worker::chain(&error)),
    }
}

pub(super) fn setup(error: &clients::SetupError) -> Failure {
    Failure::new(Exit::Unexpected, crate::worker::chain(error))
}
