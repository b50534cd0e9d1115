//! Both systems, asked with the secrets that were given and through clients that refuse to write.

use clients::bc::{self, CompanyName};
use clients::brex::{RecordsQuery, ReviewStatus};
use clients::entra::{Credential, TokenSource};
use clients::{Error, Http, Kind, Pace, System, brex};
use secrecy::SecretString;

use super::answers::Answers;
use super::{Refusal, Why};
use crate::config::{ConnectionConfig, Source};
use crate::stop::Stop;
use crate::{identity, problem};

/// Both sides, found.
pub(crate) struct Joined {
    pub(crate) brex: brex::Client,
    pub(crate) brex_company: brex::Company,
    pub(crate) environment: String,
    /// The company in the words of the answers, or by the name that it shows.
    pub(crate) company: String,
    pub(crate) bc: bc::Company,
    pub(crate) bc_company: CompanyName,
}

/// A client for Brex that refuses to write.
pub(crate) fn brex_client(settings: &ConnectionConfig, token: &SecretString) -> Result<brex::Client, Refusal> {
    let http = Http::new(Pace::BREX).map_err(|error| setup(&error))?.read_only();
    Ok(brex::Client::new(http, settings.brex.base_url.clone(), token.clone()))
}

/// The company of a token, which must be allowed to read what is to be booked. Whether it may report is known only by doing it.
pub(crate) async fn company_of(brex: &brex::Client, source: Option<Source>) -> Result<brex::Company, Error> {
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
pub(crate) struct Tenant {
    http: Http,
    settings: ConnectionConfig,
    pub(crate) tokens: TokenSource,
}

impl Tenant {
    pub(crate) fn new(settings: &ConnectionConfig, credential: Credential) -> Result<Self, Refusal> {
        let http = Http::new(Pace::BUSINESS_CENTRAL).map_err(|error| setup(&error))?.read_only();
        let sign_in = Http::new(Pace::ENTRA).map_err(|error| setup(&error))?;
        let entra = &settings.entra;
        let (tenant, client_id) = (entra.tenant.clone(), entra.client_id.clone());
        let tokens = TokenSource::new(sign_in, entra.base_url.clone(), tenant, client_id, credential);
        Ok(Self { http, settings: settings.clone(), tokens })
    }

    /// One of its environments.
    pub(crate) fn environment(&self, name: &str) -> bc::Client {
        let (base_url, tenant) = (self.settings.bc.base_url.clone(), self.settings.entra.tenant.clone());
        bc::Client::new(self.http.clone(), base_url, tenant, name, self.tokens.clone())
    }

    /// The names of all environments that the application can see.
    pub(crate) async fn list_environments(&self) -> Result<Vec<String>, Error> {
        let found = self.environment("").list_environments().await?;
        Ok(found.into_iter().map(|environment| environment.name).collect())
    }
}

/// Asks both sides with complete answers; `pick` chooses among several environments or companies.
pub(crate) async fn join<E: From<Refusal>>(
    settings: &ConnectionConfig,
    answers: &Answers,
    pick: impl Fn(&str, Vec<String>) -> Result<String, E>,
) -> Result<Joined, E> {
    let brex = brex_client(settings, answers.token()?)?;
    let brex_company = company_of(&brex, answers.brex.source).await.map_err(refused)?;
    let tenant = Tenant::new(settings, answers.entra.credential()?)?;
    let environment = match &answers.bc.environment {
        Some(name) => name.clone(),
        None => pick("bc.environment", tenant.list_environments().await.map_err(refused)?)?,
    };
    let client = tenant.environment(&environment);
    let companies = client.list_companies().await.map_err(refused)?;
    let company = match &answers.bc.company {
        Some(wanted) => wanted.clone(),
        None => pick("bc.company", names(&companies))?,
    };
    let bc_company = find_company(&companies, &company)?;
    Ok(Joined { brex, brex_company, environment, company, bc: client.company(bc_company.id), bc_company })
}

/// The company with this name or id, or the sentence that there is none.
pub(crate) fn find_company(companies: &[CompanyName], wanted: &str) -> Result<CompanyName, Refusal> {
    let unknown = || Refusal::from(Stop::Connection(problem::company_unknown(wanted, &names(companies))));
    identity::find_company(companies, wanted).cloned().ok_or_else(unknown)
}

pub(crate) fn names(companies: &[CompanyName]) -> Vec<String> {
    companies.iter().map(|company| company.display_name().to_owned()).collect()
}

/// The only one there is; several are listed for whoever tells.
pub(crate) fn only(key: &str, mut names: Vec<String>) -> Result<String, Refusal> {
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => Err(Refusal::new(Why::NotFound, none_seen(key))),
        _ => Err(Refusal::new(Why::Config, format!("{key} is missing; choose one of: {}", names.join(", ")))),
    }
}

pub(crate) fn none_seen(key: &str) -> String {
    format!("{key}: the application can see none: add it on the page Microsoft Entra applications")
}

/// What an error means, as the sentence of the problem that it is.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
pub(crate) fn refused(error: Error) -> Refusal {
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
        return Refusal::new(Why::Refused, format!("brex: {advice}. It says: {}", problem::said(&error)));
    }
    match problem::of_error(&error) {
        Some(problem) => Stop::Connection(problem).into(),
        None if matches!(error.kind(), Kind::Refused | Kind::Conflict) => {
            let text = format!("{} refused it: {}", error.system().name(), problem::said(&error));
            Refusal::new(Why::Refused, text)
        }
        None => Refusal::new(Why::Unreachable, crate::worker::chain(&error)),
    }
}

pub(crate) fn setup(error: &clients::SetupError) -> Refusal {
    Refusal::new(Why::Unexpected, crate::worker::chain(error))
}
