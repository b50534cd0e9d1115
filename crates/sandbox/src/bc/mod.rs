//! Business Central: API v2.0 over one company, on a generic OData layer.
//!
//! Read `call` first: it turns one request into one answer. `odata/` knows the language, `sets/` the entities,
//! `document/` the rules of purchase documents.

mod attachment;
mod auth;
mod batch;
mod by_hand;
mod call;
mod client_id;
mod contention;
pub(crate) mod document;
mod environments;
mod error;
mod group;
mod http;
mod index;
mod input;
mod journal;
mod language;
mod latency;
mod ledger;
mod limits;
mod odata;
mod page;
mod pdf;
pub(crate) mod permissions;
mod rows;
mod rules;
mod schema;
mod sets;
mod settings;
mod table;
mod upload;
mod user;
mod user_setup;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::Options;
use crate::company::Company;
use crate::fault::Faults;
use crate::ids::Ids;

pub use self::by_hand::{AttachmentView, NewJournal, NewJournalLine, Payment, SumBy};
pub use self::contention::Contention;
pub use self::document::ledger::{LedgerDocument, LedgerLine};
pub use self::document::{DocumentKind, DocumentStatus};
pub use self::http::router;
pub use self::latency::Latency;
pub use self::ledger::EntryType;
pub use self::ledger::view::LedgerEntry;
pub use self::odata::read_back::Understood;
pub use self::permissions::{Lacks, Right};
pub use self::rules::{Combination, PostingSetup, Rules, TaxCode, TaxSystem};
pub use self::sets::default_dimensions::Validation;
pub use self::sets::vendor::InvoiceDiscount;
pub use self::settings::{
    AppState, BlankEnum, ClientId, Disorder, HandshakeMethod, LimitSettings, MissingRow, RetrySchedule, Settings,
    WebhookSettings,
};
pub use self::user::{AccountChange, ChangeRefused, DocumentAction, DocumentChange, SetupChange, VendorChange};
pub use self::user_setup::DefaultChange;
pub use self::webhooks::{HookReport, Sent, Subscription, spawn_deliveries};

use self::limits::Limits;
use self::table::Tables;

/// The only environment.
pub const ENVIRONMENT: &str = "Production";
/// The version that the platform says it has.
pub(crate) const VERSION: &str = "28.0.41000.0";

/// The Business Central side.
pub struct Bc {
    state: Mutex<State>,
    ids: Ids,
    limits: Limits,
    sender: webhooks::Sender,
}

/// The tables, and what a read replica still shows.
struct State {
    tables: Tables,
    /// The tables before the last write, if the replica lags.
    replica: Option<Tables>,
}

impl Bc {
    /// A Business Central with the company in it and no documents yet.
    pub fn new(options: &Options, company: &Company, ids: &Ids, now: Timestamp) -> Self {
        let tables = Tables::new(company, &ids.stream("bc tables"), now);
        Self {
            state: Mutex::new(State { tables, replica: None }),
            ids: ids.stream("bc rows"),
            limits: Limits::new(options.bc_limits, options.bc_latency_ms),
            sender: webhooks::Sender::default(),
        }
    }

    pub(crate) fn with_faults(mut self, faults: Arc<Faults>) -> Self {
        self.sender.faults = faults;
        self
    }

    /// All tables, for a state file.
    pub fn snapshot(&self, now: Timestamp) -> Result<Value, serde_json::Error> {
        let tables = &mut self.lock().tables;
        // The logs of the tables are not saved, what is made of them is.
        tables.record(now);
        serde_json::to_value(&*tables)
    }

    /// Takes over the tables of a [`Bc::snapshot`].
    pub fn restore(&self, snapshot: Value) -> Result<(), serde_json::Error> {
        let mut tables: Tables = serde_json::from_value(snapshot)?;
        tables.reindex();
        // Ids drawn before the snapshot must not be drawn again.
        self.ids.skip_to(tables.version());
        tables.watch();
        self.lock().tables = tables;
        Ok(())
    }

    /// The switches as they stand.
    pub fn settings(&self) -> Settings {
        self.lock().tables.settings.clone()
    }

    /// Changes the switches.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().tables.settings);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The tables that a request may read.
    fn readable(&self, read_only: bool) -> &Tables {
        match &self.replica {
            Some(replica) if read_only && self.tables.settings.replica_lags => replica,
            _ => &self.tables,
        }
    }

    /// The tables to write to; the replica stays where they are now.
    fn writable(&mut self) -> &mut Tables {
        self.replica = self.tables.settings.replica_lags.then(|| self.tables.clone());
        &mut self.tables
    }
}
