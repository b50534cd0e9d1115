//! The Brex API: one account ([`Client`]), its resources in the files beside this one, and what its webhooks send
//! ([`webhook_signature`], [`webhook_event`]). <https://developer.brex.com>

mod cash;
mod company;
mod expense_list;
mod expenses;
mod export_results;
mod failure;
mod fields;
mod integration;
mod legal_entities;
mod receipts;
mod record;
mod records;
mod transfers;
mod vendors;
pub mod webhook_event;
pub mod webhook_signature;
mod webhooks;

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::answer::Answer;
use crate::call::{Call, endpoint};
use crate::error::Error;
use crate::http::Http;
use crate::kind::{Access, Asked, System};
use crate::page::PageGuard;

pub use self::cash::{CashAccount, CashTransaction};
pub use self::company::Company;
pub use self::expense_list::{ExpensePages, ExpensesQuery};
pub use self::expenses::{Choice, CustomField, Expense, LegalEntity, Merchant, MinorAmount, Spender};
pub use self::export_results::{ExportAnswer, ExportResult};
pub use self::fields::{Field, FieldValue, NewField, NewValue, VALUES_PER_CALL, ValueChange, ValueData};
pub use self::integration::{Integration, IntegrationAnswer, IntegrationStatus};
pub use self::legal_entities::ListedEntity;
pub use self::receipts::{Download, ReceiptHosts};
pub use self::record::{
    AccountingFieldValue, AccountingRecord, Amount, DecodeError, LineItem, LineItemType, Receipt, RecordType,
    ReviewStatus, SourceType, User, Vendor,
};
pub use self::records::{RecordPages, RecordsById, RecordsPage, RecordsQuery};
pub use self::transfers::{AccountRef, Counterparty, Instrument, NewTransfer, Transfer, TransfersPage};
pub use self::vendors::{BrexVendor, VendorFields, VendorsPage};
pub use self::webhooks::{NewSubscription, Subscription, SubscriptionStatus, WebhookSecret, WebhookSecretStatus};

/// One Brex account. Clones share connections and pace.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// One page of a list (brex.md §7.1).
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next_cursor: Option<String>,
}

struct Shared {
    http: Http,
    base_url: Url,
    token: RwLock<SecretString>,
    /// Records per page that Brex was found to take.
    page_of_records: AtomicU32,
}

impl Client {
    /// A client with a user token; `base_url` is `https://api.brex.com`.
    pub fn new(http: Http, base_url: Url, token: SecretString) -> Self {
        let page_of_records = AtomicU32::new(records::LARGE_PAGE);
        Self { shared: Arc::new(Shared { http, base_url, token: RwLock::new(token), page_of_records }) }
    }

    /// Uses this token from now on. True if it is another one than before.
    pub fn replace_token(&self, token: SecretString) -> bool {
        let mut current = self.shared.token.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.expose_secret() != token.expose_secret();
        *current = token;
        changed
    }

    fn token(&self) -> SecretString {
        self.shared.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, operation: &'static str, segments: &[&str]) -> Result<Call, Error> {
        let url = self.url(asked(operation, Access::Read), segments)?;
        Ok(Call::get(System::Brex, operation, url))
    }

    fn write(&self, operation: &'static str, method: Method, segments: &[&str]) -> Result<Call, Error> {
        let url = self.url(asked(operation, Access::Write), segments)?;
        Ok(Call::write(System::Brex, operation, method, url))
    }

    fn url(&self, asked: Asked, segments: &[&str]) -> Result<Url, Error> {
        endpoint(asked, &self.shared.base_url, segments)
    }

    /// Sends with the token and gives the answer, whatever its status.
    async fn exchange(&self, call: Call) -> Result<Answer, Error> {
        self.shared.http.exchange(&call.bearer(&self.token())?).await
    }

    /// Sends with the token; an answer that is not a success is an error.
    async fn send(&self, call: Call) -> Result<Answer, Error> {
        failure::success(self.exchange(call).await?)
    }

    /// Reads a list to its end, page by page.
    async fn walk<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        first: Call,
        max_pages: usize,
    ) -> Result<Vec<T>, Error> {
        let mut guard = PageGuard::new(max_pages);
        let mut found = Vec::new();
        let mut call = first.clone();
        loop {
            let page: Page<T> = self.send(call).await?.json()?;
            found.extend(page.items);
            let Some(cursor) = page.next_cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(found) };
            guard.admit(&cursor).map_err(|error| Error::unreadable(asked(operation, Access::Read), error))?;
            call = first.clone().query_pair("cursor", &cursor);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.shared.base_url.as_str()).finish_non_exhaustive()
    }
}

const fn asked(operation: &'static str, access: Access) -> Asked {
    Asked { system: System::Brex, operation, access }
}
