//! Asks both real systems for everything that the connector needs, and says what was tried, what came of it and what to do, in words an
//! IT person can act on. It writes nothing to either system. The command `doctor`, the console and the API show it.

mod legal_entities;
mod transfers;
mod webhooks;

use clients::brex::{RecordsQuery, ReviewStatus, SourceType};
use clients::entra::{NEEDED, NOT_NEEDED, permissions_of};
use clients::{Error, Kind, Retry, bc};
use serde::Serialize;

use crate::app::{App, BuildError, Connection};
use crate::clock::{DAY_MS, timestamp};
use crate::config::Source;
use crate::stop::Stop;
use crate::words::counted;
use crate::worker::POLL;
use crate::{identity, problem, secrets};

/// Webhooks are refused when clocks differ by five minutes; a minute is worth a word.
const SKEW_MS: i64 = 60_000;
/// Brex's pages say that a token dies after 30 or 90 days without a call.
const IDLE_DAYS: i64 = 20;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something should be done about it.
    Warning,
    /// It does not work.
    Failed,
}

impl Verdict {
    /// For people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "WARNING",
            Self::Failed => "FAILED",
        }
    }
}

/// What came of one check.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The connection.
    pub connection: String,
    /// What was tried.
    pub check: &'static str,
    /// How it came out.
    pub result: Verdict,
    /// What was found, and what to do.
    pub said: String,
    /// The code of the problem that it is, if it is one (docs/codes).
    #[serde(skip)]
    pub code: Option<String>,
}

/// The findings about one connection.
struct Patient<'a> {
    app: &'a App,
    connection: &'a Connection,
    findings: Vec<Finding>,
}

/// Examines a connection: every check that can be made, with what came of it.
pub async fn examine(app: &App, connection: &Connection) -> Result<Vec<Finding>, store::Error> {
    let mut patient = Patient { app, connection, findings: Vec::new() };
    patient.examine().await?;
    Ok(patient.findings)
}

impl Patient<'_> {
    fn note(&mut self, check: &'static str, result: Verdict, said: impl Into<String>, code: Option<String>) {
        let connection = self.connection.id.to_string();
        self.findings.push(Finding { connection, check, result, said: said.into(), code });
    }

    /// Notes what a call came to. True if it was answered.
    fn answered<T>(&mut self, check: &'static str, answer: Result<T, Error>, fine: impl FnOnce(T) -> String) -> bool {
        match answer {
            Ok(value) => {
                self.note(check, Verdict::Ok, fine(value), None);
                true
            }
            Err(error) => {
                let (said, code) = match problem::of_error(&error) {
                    Some(problem) if problem.code == "brex_forbidden" => {
                        (brex_forbidden(check, &error), Some(problem.code))
                    }
                    Some(problem) => (problem.sentence, Some(problem.code)),
                    None if error.retry() != Retry::Never => (
                        format!(
                            "{}: it is busy, being upgraded or in trouble; run doctor again in some minutes",
                            crate::worker::chain(&error)
                        ),
                        None,
                    ),
                    None => (
                        format!("{}: an answer that nobody expected; keep the log", crate::worker::chain(&error)),
                        None,
                    ),
                };
                self.note(check, Verdict::Failed, said, code);
                false
            }
        }
    }

    async fn examine(&mut self) -> Result<(), store::Error> {
        // Who is at either end is needed to see connections that get in each other's way.
        for connection in &self.app.connections {
            if connection.identity().is_none() {
                identity::recall(self.app, connection).await?;
            }
        }
        if self.brex().await {
            self.source().await?;
            self.brex_scopes().await;
        }
        if let Some(permissions) = self.sign_in().await? {
            self.permitted(permissions);
            self.business_central().await;
        }
        self.webhooks().await?;
        self.clock();
        self.secrets().await?;
        self.idle().await
    }

    /// Signs in anew, with the secret as it is now: a token that is at hand says nothing about it. Gives what it permits, if it was issued.
    async fn sign_in(&mut self) -> Result<Option<Option<Vec<String>>>, store::Error> {
        const CHECK: &str = "Entra ID: sign in";
        let (app, connection) = (self.app, self.connection);
        let settings = &connection.settings;
        let secret = match secrets::fetch(settings, &app.folder, &app.vault(), &app.clock).await {
            Ok(secrets) => secrets.entra,
            Err(BuildError::Store(error)) => return Err(error),
            Err(error) => {
                self.note(CHECK, Verdict::Failed, crate::worker::chain(&error), Some("entra_refused".to_owned()));
                return Ok(None);
            }
        };
        let token = connection.tokens_with(secret).token().await;
        let permissions = token.as_ref().ok().and_then(|token| permissions_of(token));
        let is_issued = self.answered(CHECK, token, |_| "a token for Business Central was issued".to_owned());
        Ok(is_issued.then_some(permissions))
    }

    async fn brex(&mut self) -> bool {
        let company = self.connection.brex.get_company().await;
        self.answered("Brex: token and companies.readonly", company, |company| format!("Brex company {}", company.id))
    }

    /// Whether records may come from where the configuration says, and what that source cannot do.
    async fn source(&mut self) -> Result<(), store::Error> {
        const CHECK: &str = "Brex: source";
        match (identity::check_source(self.app, self.connection).await, self.connection.settings.brex.source.limits()) {
            (Err(Stop::Connection(problem)), _) => {
                self.note(CHECK, Verdict::Failed, problem.sentence, Some(problem.code));
            }
            (Err(Stop::Store(error)), _) => return Err(error),
            (Err(Stop::Later { error, .. }), _) => drop(self.answered(CHECK, Err::<(), _>(*error), |()| String::new())),
            (Ok(()), Some(limits)) => self.note(CHECK, Verdict::Warning, limits, None),
            (Ok(()), None) => {}
        }
        Ok(())
    }

    /// Each scope by what a call that needs it is answered.
    async fn brex_scopes(&mut self) {
        let connection = self.connection;
        let query = RecordsQuery {
            review_status: Some(ReviewStatus::ReadyForExport),
            source_type: Some(SourceType::Card),
            limit: Some(1),
            ..RecordsQuery::default()
        };
        let is_by_expenses = connection.settings.brex.source == Source::Expenses;
        if !is_by_expenses {
            let records = connection.brex.list_records(&query).await;
            self.answered("Brex: accounting.record.read", records, |_| "records can be read".to_owned());
        }
        let expense = connection.brex.get_expense("expense_none").await;
        match expense {
            // Whether Brex looks for such an id or refuses it at once: the scope was there.
            Err(error) if error.kind() == Kind::Refused => {
                self.note("Brex: expenses.card.readonly", Verdict::Ok, "expenses can be read", None);
            }
            Err(error) if error.kind() == Kind::Forbidden && !is_by_expenses => {
                let text = "the token lacks expenses.card.readonly: merchants are matched by their name alone";
                self.note("Brex: expenses.card.readonly", Verdict::Warning, text, None);
            }
            other => {
                self.answered("Brex: expenses.card.readonly", other, |_| "expenses can be read".to_owned());
            }
        }
        if is_by_expenses {
            self.coding().await;
        }
        self.legal_entities().await;
        self.transfers().await;
        let hooks = connection.brex.list_subscriptions().await;
        self.answered("Brex: webhooks", hooks, |list| counted(list.len(), "subscription"));
    }

    /// What an administrator consented to, as the token tells it.
    fn permitted(&mut self, permissions: Option<Vec<String>>) {
        const CHECK: &str = "Entra ID: permissions";
        let Some(permissions) = permissions else { return };
        let has = |name: &str| permissions.iter().any(|permission| permission == name);
        if !has(NEEDED) {
            let text = format!(
                "the token lacks {NEEDED}: add it as an application permission, and have an administrator consent"
            );
            self.note(CHECK, Verdict::Failed, text, Some("entra_refused".to_owned()));
        } else if has(NOT_NEEDED) {
            let text = format!(
                "{NOT_NEEDED} is granted and not needed: take it away, so that the secret opens no more than it must"
            );
            self.note(CHECK, Verdict::Warning, text, None);
        } else {
            self.note(CHECK, Verdict::Ok, format!("{NEEDED}, and nothing wider"), None);
        }
    }

    /// Without the Fields API the coding of expenses is read by names.
    async fn coding(&mut self) {
        const CHECK: &str = "Brex: fields.read, field_values.read";
        let brex = &self.connection.brex;
        let read = async || {
            let fields = brex.list_fields().await?;
            match fields.first() {
                Some(field) => brex.find_field_values(&field.brex_id, &["efo_none".to_owned()]).await.map(drop),
                None => Ok(()),
            }
        };
        match read().await {
            Err(error) if error.kind() == Kind::Forbidden => {
                let text = "the token may not read fields: accounts and dimensions are recognised by the names of fields and options \
                            alone; give it fields.read and field_values.read (docs/permissions.md)";
                self.note(CHECK, Verdict::Warning, text, None);
            }
            other => drop(self.answered(CHECK, other, |()| "fields can be read".to_owned())),
        }
    }

    async fn business_central(&mut self) {
        let connection = self.connection;
        let companies = match connection.bc.list_companies().await {
            Ok(companies) => companies,
            Err(error) => {
                self.answered("BC: environment", Err::<(), _>(error), |()| String::new());
                return;
            }
        };
        let environment = &connection.settings.bc.environment;
        self.note(
            "BC: environment",
            Verdict::Ok,
            format!("{environment} has {}", counted(companies.len(), "company")),
            None,
        );
        let Some(company) = identity::find_company(&companies, &connection.settings.bc.company) else {
            let names: Vec<String> = companies.iter().map(|company| company.display_name().to_owned()).collect();
            let problem = problem::company_unknown(&connection.settings.bc.company, &names);
            self.note("BC: company", Verdict::Failed, problem.sentence, Some(problem.code));
            return;
        };
        self.note("BC: company", Verdict::Ok, format!("{} ({})", company.display_name(), company.id), None);
        self.permissions(&connection.bc.company(company.id)).await;
    }

    /// Each right by a read that needs it.
    async fn permissions(&mut self, company: &bc::Company) {
        let readable = |()| "can be read".to_owned();
        let setup = company.get_general_ledger_setup().await.map(drop);
        self.answered("BC: General Ledger Setup", setup, readable);
        for (check, read) in [
            ("BC: Vendor", first(company.list_vendors(None)).await),
            ("BC: G/L Account", first(company.list_accounts(None)).await),
            ("BC: Dimension", first(company.list_dimensions()).await),
            ("BC: Dimension Value", first(company.list_dimension_values(None)).await),
        ] {
            self.answered(check, read, readable);
        }
        let currencies = company.list_currencies().await.map(drop);
        self.answered("BC: Currency", currencies, readable);
        for (check, kind) in [
            ("BC: purchase invoices", bc::DocumentKind::Invoice),
            ("BC: purchase credit memos", bc::DocumentKind::CreditMemo),
        ] {
            let found = company.find_documents_by_numbers(kind, &["BRX-DOCTOR"]).await.map(drop);
            self.answered(check, found, readable);
        }
    }

    /// What time the other sides have, by the `Date` of their last answers.
    fn clock(&mut self) {
        for (system, date) in self.connection.traffic.dates() {
            let skew_ms = self.app.now_ms().saturating_sub(date.as_millisecond());
            // The header has whole seconds, and the answer is a moment old.
            if skew_ms.abs() < SKEW_MS {
                continue;
            }
            let text = format!(
                "this machine's clock is {} s {} that of {system}: webhooks are refused beyond 300 s; switch on time synchronisation (NTP)",
                skew_ms.abs() / 1_000,
                if skew_ms > 0 { "ahead of" } else { "behind" },
            );
            self.note("clock", Verdict::Failed, text, Some("clock".to_owned()));
            return;
        }
        self.note("clock", Verdict::Ok, "agrees with the other side to the minute", None);
    }

    async fn secrets(&mut self) -> Result<(), store::Error> {
        for secret in self.app.vault().list(&self.connection.id).await? {
            let Some(expires_ms) = secret.expires_ms else { continue };
            let days = expires_ms.saturating_sub(self.app.now_ms()).div_euclid(DAY_MS);
            let day = timestamp(expires_ms).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
            let (verdict, text) = match days {
                ..0 => (
                    Verdict::Failed,
                    format!(
                        "the {} {} ended on {day}: make a new one and run connect again",
                        secret.system, secret.purpose
                    ),
                ),
                0..=3 => (
                    Verdict::Warning,
                    format!("ends on {day}, in {}: make a new one now and run connect again", counted(days, "day")),
                ),
                4..=14 => (Verdict::Warning, format!("ends on {day}, in {days} days: make a new one this week")),
                15..=30 => (Verdict::Warning, format!("ends on {day}, in {days} days: plan a new one")),
                _ => (Verdict::Ok, format!("ends on {day}, in {days} days")),
            };
            self.note("secret's end", verdict, text, None);
        }
        Ok(())
    }

    /// A token that nobody uses dies; the poll uses it.
    async fn idle(&mut self) -> Result<(), store::Error> {
        let jobs = self.app.store.jobs().list(&self.connection.id).await?;
        let polled = jobs.iter().find(|job| job.kind == POLL).and_then(|job| job.finished_ms);
        let Some(polled) = polled else { return Ok(()) };
        let days = self.app.now_ms().saturating_sub(polled).div_euclid(DAY_MS);
        if days >= IDLE_DAYS {
            let text = format!(
                "Brex was last polled {days} days ago, and a token that is not used for 30 days dies: start ml-connector run"
            );
            self.note("Brex: token in use", Verdict::Warning, text, None);
        } else {
            self.note("Brex: token in use", Verdict::Ok, format!("last polled {} ago", counted(days, "day")), None);
        }
        Ok(())
    }
}

/// Brex says 403 both for a token that has died of old age and for one without the scope that the check is named after.
fn brex_forbidden(check: &str, error: &Error) -> String {
    let said = error.api_message().unwrap_or_default();
    if said.to_lowercase().contains("expired") {
        return format!(
            "the Brex token has expired: make a new one in the dashboard (Developer, Settings) and run connect again. It says: {said}"
        );
    }
    let scope = check.rsplit(' ').next().unwrap_or(check);
    format!(
        "the Brex token lacks the scope {scope}: make one that has it (docs/permissions.md) and run connect again. It says: {said}"
    )
}

/// Reads the first page.
async fn first<T: serde::de::DeserializeOwned>(pages: Result<bc::Pages<T>, Error>) -> Result<(), Error> {
    pages?.next_page().await.map(drop)
}
