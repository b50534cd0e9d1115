//! Business Central API v2.0: one environment ([`Client`]), and one company in it ([`Company`]) with its resources in the
//! files beside this one. <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/>

mod accounts;
mod attachments;
mod batch;
mod companies;
mod deep_link;
mod dimensions;
mod document;
mod failure;
mod names;
mod new_document;
mod notification;
mod odata;
mod pages;
mod payables;
mod purchase_documents;
mod setup;
mod subscriptions;
mod vendor_payments;
mod vendors;

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use self::odata::Query;
use crate::answer::Answer;
use crate::call::{Call, endpoint};
use crate::entra::TokenSource;
use crate::error::Error;
use crate::http::{Http, Permit};
use crate::kind::{Access, Asked, System};

pub use self::accounts::{Account, AccountCategory, AccountType};
pub use self::attachments::Attachment;
pub use self::batch::{Batch, BatchAnswer, BatchMode, MAX_BATCH_OPERATIONS};
pub use self::companies::{CompanyName, Environment};
pub use self::deep_link::{DocumentPage, deep_link};
pub use self::dimensions::{Dimension, DimensionValue};
pub use self::document::{DimensionSetLine, Document, DocumentLine, DocumentStatus, LineType};
pub use self::new_document::{DocumentKind, HeaderChange, NewDocument, NewLine};
pub use self::notification::{ChangeType, Notification, NotificationError, Resource};
pub use self::pages::Pages;
pub use self::payables::{Due, EntryKind, VendorEntry};
pub use self::purchase_documents::{ChangedDocument, DimensionsOf, InvoiceVendor, LineOf};
pub use self::setup::{AccountingPeriod, CompanyInformation, Currency, GeneralLedgerSetup, TaxGroup, TaxType};
pub use self::subscriptions::{MAX_SUBSCRIPTIONS, NewSubscription, Subscription};
pub use self::vendor_payments::{ApplyEntry, NewVendorPayment, PaymentJournal, VendorPayment};
pub use self::vendors::{Blocked, NewVendor, Vendor};

/// One Business Central environment. Clones share connections, pace and token.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: Http,
    base_url: Url,
    tenant: String,
    environment: String,
    tokens: TokenSource,
}

impl Client {
    /// A client for `environment` of `tenant`; `base_url` is `https://api.businesscentral.dynamics.com`.
    pub fn new(
        http: Http,
        base_url: Url,
        tenant: impl Into<String>,
        environment: impl Into<String>,
        tokens: TokenSource,
    ) -> Self {
        let (tenant, environment) = (tenant.into(), environment.into());
        Self { shared: Arc::new(Shared { http, base_url, tenant, environment, tokens }) }
    }

    /// The same client, sending only what is permitted when its turn has come.
    #[must_use]
    pub fn permitted_by(&self, permit: Permit) -> Self {
        let Shared { http, base_url, tenant, environment, tokens } = &*self.shared;
        Self::new(http.permitted_by(permit), base_url.clone(), tenant, environment, tokens.clone())
    }

    /// The company with this id.
    pub fn company(&self, company_id: Uuid) -> Company {
        Company { client: self.clone(), id: company_id, fresh: false }
    }

    /// The address below `api/v2.0`.
    fn url(&self, asked: Asked, segments: &[&str]) -> Result<Url, Error> {
        let segments: Vec<&str> = ["api", "v2.0"].into_iter().chain(segments.iter().copied()).collect();
        self.environment_url(asked, &segments)
    }

    /// The address below the environment.
    fn environment_url(&self, asked: Asked, segments: &[&str]) -> Result<Url, Error> {
        let shared = &self.shared;
        let root = ["v2.0", &shared.tenant, &shared.environment];
        endpoint(asked, &shared.base_url, root.iter().chain(segments))
    }

    /// Sends with a token and in English; a refused token (which means not executed) is replaced once.
    async fn send(&self, call: Call) -> Result<Answer, Error> {
        let shared = &self.shared;
        let call = call.header("accept-language", "en-US");
        let token = shared.tokens.token().await?;
        let answer = shared.http.exchange(&call.clone().bearer(&token)?).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return failure::success(answer);
        }
        shared.tokens.invalidate(&token).await;
        let token = shared.tokens.token().await?;
        failure::success(shared.http.exchange(&call.bearer(&token)?).await?)
    }
}

/// One company. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Company {
    client: Client,
    id: Uuid,
    fresh: bool,
}

impl Company {
    /// The id of the company.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The same company, whose reads ask for the primary database (`Data-Access-Intent: ReadWrite`). Needed to look for
    /// the outcome of a write: a read replica lags behind. An administrator can still override it, so that something is
    /// not found shortly after a write is never proof.
    #[must_use]
    pub fn with_fresh_reads(&self) -> Self {
        Self { fresh: true, ..self.clone() }
    }

    fn url(&self, asked: Asked, segments: &[&str]) -> Result<Url, Error> {
        let company = format!("companies({})", self.id);
        let segments: Vec<&str> = std::iter::once(company.as_str()).chain(segments.iter().copied()).collect();
        self.client.url(asked, &segments)
    }

    fn read(&self, operation: &'static str, segments: &[&str], query: &Query) -> Result<Call, Error> {
        let asked = asked(operation, Access::Read);
        let mut url = self.url(asked, segments)?;
        if !query.as_str().is_empty() {
            url.set_query(Some(query.as_str()));
        }
        let call = Call::get(System::BusinessCentral, operation, url);
        Ok(if self.fresh { call.header("data-access-intent", "ReadWrite") } else { call })
    }

    fn write(&self, operation: &'static str, method: Method, segments: &[&str]) -> Result<Call, Error> {
        let url = self.url(asked(operation, Access::Write), segments)?;
        Ok(Call::write(System::BusinessCentral, operation, method, url))
    }

    /// The row, or nothing if it does not exist.
    async fn find_row<T: DeserializeOwned>(&self, call: Call) -> Result<Option<T>, Error> {
        match self.client.send(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if failure::is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A walk through the rows of `set`.
    fn pages<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        set: &[&str],
        query: &Query,
    ) -> Result<Pages<T>, Error> {
        Ok(Pages::new(self.client.clone(), self.read(operation, set, query)?))
    }
}

const fn asked(operation: &'static str, access: Access) -> Asked {
    Asked { system: System::BusinessCentral, operation, access }
}
