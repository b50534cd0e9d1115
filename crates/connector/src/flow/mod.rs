//! The way of a record, stage by stage. Read the files in this order:
//!
//! [`poll`] → [`receive`] → [`resolve_vendor`] → [`map`] → [`draft`] (with [`sending`] for many at once, in a [`turn`],
//! `create` for the calls, and [`probe`] for unclear answers) →
//! [`verify`] (with `late` for dimensions that a draft could not carry when it was made) → [`attach`] → ([`post`]) →
//! [`mark_exported`]. `legal_entity` says first whose a purchase is. [`recheck`] looks again at what is held, [`operator`] does
//! what a person asked for, [`revise`] brings a draft in line with a later version, [`drift`] watches the documents of exported
//! records, [`changes`] takes what Business Central notifies, [`clearing`] prepares payments of posted card invoices, and
//! [`plan`] shows beforehand what would be made.
//!
//! Each stage takes a batch of due records and goes *load → decide → do → apply*: the decision is a pure function of
//! `domain`, and apply is one transaction that writes the new stage, the audit entries and the next due time. A stage may
//! run twice at any time; running it twice changes nothing.

pub mod attach;
pub(crate) mod bisect;
mod booked;
pub mod changes;
pub mod clearing;
mod create;
pub mod draft;
pub mod drift;
mod expense;
pub mod failures;
mod late;
pub(crate) mod legal_entity;
pub mod map;
pub mod mark_exported;
pub mod operator;
pub mod plan;
pub mod poll;
pub mod post;
pub mod probe;
pub mod receive;
mod recent;
pub mod recheck;
mod refund;
pub mod resolve_vendor;
pub mod revise;
pub mod sending;
pub(crate) mod source;
pub mod step;
pub mod turn;
pub mod verify;
mod wire;

use std::sync::Arc;

use domain::audit::Actor;
use domain::directory::Directory;
use domain::id::{JobId, RecordId};
use domain::pace::retry_delay_ms;
use domain::record::Record;
use domain::rules::Rules;
use domain::stage::Stage;
use store::{Applied, Change, Lease, RecordRow};

use crate::app::{App, Connection, Identity};
pub use crate::stop::{Stop, asked_ms};
use crate::{leased, meanings};
use step::Step;
use wire::UnreadableRecord;

pub use recent::{Recent, Records};
pub use wire::{found_document, new_document, read_record};

/// How many records a stage takes at once. Fifty document numbers keep a look-up's address below 4 kB, and one look-up
/// for fifty records keeps the calls per record near one.
pub const BATCH: i64 = 50;

/// How many records a stage takes at once that looks nothing up in Business Central, or asks Brex for all of them with few calls.
const LARGE_BATCH: i64 = 200;

/// How many records a stage takes at once.
pub fn batch(stage: Stage) -> i64 {
    match stage {
        Stage::Map | Stage::MarkExported => LARGE_BATCH,
        _ => BATCH,
    }
}

pub use crate::vendors::RECHECK;

/// What a stage works with: one connection under the lease of its lane.
pub struct Lane<'a> {
    /// The process.
    pub app: &'a App,
    /// The connection.
    pub connection: &'a Connection,
    /// The lease; every write carries its epoch.
    pub lease: &'a Lease,
    /// Who is at either end.
    pub identity: Arc<Identity>,
    /// Master data as of the start of the pass.
    pub directory: Arc<Directory>,
    /// The rules of the configuration with what people said about coded values, as of the start of the pass.
    pub rules: Arc<Rules>,
    /// Records that were read in this pass.
    pub recent: Recent,
}

impl<'a> Lane<'a> {
    /// The lane as it is now.
    pub async fn now(
        app: &'a App,
        connection: &'a Connection,
        lease: &'a Lease,
        identity: Arc<Identity>,
    ) -> Result<Self, store::Error> {
        let rules = meanings::rules(&app.store, connection).await?;
        let directory = connection.directory();
        Ok(Self { app, connection, lease, identity, directory, rules, recent: Recent::default() })
    }
}

impl Lane<'_> {
    /// Whether the master data are still those that the pass began with.
    pub fn has_current_directory(&self) -> bool {
        Arc::ptr_eq(&self.directory, &self.connection.directory())
    }

    /// Whether master data and rules are still those that the pass began with.
    pub async fn is_current(&self) -> Result<bool, store::Error> {
        if !self.has_current_directory() {
            return Ok(false);
        }
        Ok(meanings::rules(&self.app.store, self.connection).await?.meanings == self.rules.meanings)
    }

    /// The time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.app.now_ms()
    }

    /// Identity of the work on a record.
    pub fn job(&self, record: &RecordId) -> JobId {
        JobId::new(&self.identity.brex_company, record, self.identity.bc_company)
    }

    /// The company in Business Central.
    pub fn company(&self) -> clients::bc::Company {
        leased::company(self.app, self.connection, self.lease, self.identity.bc_company)
    }

    /// When to try again after `attempts` tries.
    pub fn retry_at(&self, attempts: i64, asked_ms: Option<i64>) -> i64 {
        self.now_ms().saturating_add(retry_delay_ms(attempts, asked_ms, self.app.chance.next()))
    }

    /// Commits the steps in one transaction. Rows that changed meanwhile are left alone: their next pass decides anew.
    pub async fn apply(&self, steps: Vec<Step>) -> Result<Vec<Applied>, store::Error> {
        self.apply_as(&self.app.actor(), steps).await
    }

    /// The same; gives the rows that were written, as they stand now.
    pub async fn apply_kept(&self, steps: Vec<Step>) -> Result<Vec<RecordRow>, store::Error> {
        let rows: Vec<RecordRow> = steps.iter().map(|step| step.row.clone()).collect();
        let applied = self.apply(steps).await?;
        let kept = rows.into_iter().zip(applied).filter(|(_, applied)| *applied == Applied::Done);
        Ok(kept.map(|(row, _)| row.written()).collect())
    }

    /// The same on behalf of somebody.
    pub async fn apply_as(&self, actor: &Actor, steps: Vec<Step>) -> Result<Vec<Applied>, store::Error> {
        let changes: Vec<Change> = steps.into_iter().map(Step::into_change).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.app.store;
        let applied = store.records().apply(self.lease, &self.connection.id, self.now_ms(), actor, &changes).await?;
        for change in changes.iter().filter(|change| change.payload.is_some()) {
            self.recent.forget(&(change.row.id.clone(), change.row.version));
        }
        failures::nudge(self, changes.iter().map(|change| &change.row)).await?;
        Ok(applied)
    }

    /// Reads a record as Brex sent it and the connection treats it.
    fn read_record(&self, json: &str) -> Result<Record, UnreadableRecord> {
        source::read(self.connection, json)
    }

    /// The newest payload of each row, decoded. Rows whose payload is missing or unreadable are left out.
    pub async fn records(&self, rows: &[RecordRow]) -> Result<Records, Stop> {
        let wanted = rows.iter().map(|row| (row.id.clone(), row.version)).collect();
        let (mut found, unknown) = self.recent.find(wanted);
        let payloads = self.app.store.payloads().get_many(&self.connection.id, &unknown.wanted).await?;
        source::learn(self.connection, payloads.iter().map(|payload| payload.payload.as_str())).await?;
        for payload in payloads {
            let Ok(record) = self.read_record(&payload.payload) else { continue };
            let record = Arc::new(record);
            self.recent.keep(&unknown, (payload.record_id.clone(), payload.version), Arc::clone(&record));
            found.insert(payload.record_id, record);
        }
        Ok(found)
    }

    /// Runs one stage on a batch of due records.
    pub async fn run_stage(&self, stage: Stage, rows: Vec<RecordRow>) -> Result<(), Stop> {
        match stage {
            Stage::ResolveVendor => resolve_vendor::run(self, rows).await,
            Stage::Map => map::run(self, rows).await,
            Stage::Draft => draft::run(self, rows).await,
            Stage::Revise => revise::run(self, rows).await,
            Stage::Verify => verify::run(self, rows).await,
            Stage::Attach => attach::run(self, rows).await,
            Stage::Post => post::run(self, rows).await,
            Stage::MarkExported => mark_exported::run(self, rows).await,
            Stage::Waiting | Stage::Exported | Stage::NotSpend | Stage::Elsewhere | Stage::Skipped => Ok(()),
        }
    }
}
