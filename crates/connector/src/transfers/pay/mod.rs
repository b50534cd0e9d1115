//! Pays open invoices of Business Central through Brex: what may be paid is [`plan`]ned, people [`word`] it, and [`send`]
//! makes each transfer once. One order is one transfer for one invoice; plan and worker ask the same questions of the same
//! kind of reading, so that what changed in between is noticed before anything is sent.

pub mod plan;
pub mod send;
pub mod word;

use std::collections::{BTreeMap, BTreeSet};

use clients::bc::VendorPayment;
use clients::brex::CashAccount;
use clients::{Error, Kind};
use domain::transfer::{Case, Match, Movement, Payable, Payment, Refusal, Way, decide_payment};
use store::{BrexVendorRow, Lease, OrderState, RecordRow, TransferOrder, TransferRow};
use uuid::Uuid;

use super::{Halt, WALKED, reconcile};
use crate::app::{App, Connection};

/// Both sides as they were at one moment, with what only paying needs.
pub struct Reading {
    /// Documents, transfers and payments, compared.
    pub report: reconcile::Report,
    /// What is matched, and what may be.
    pub matches: Vec<Match>,
    /// The transfers as they are kept.
    pub transfers: Vec<TransferRow>,
    /// The cash accounts.
    pub accounts: Vec<CashAccount>,
    /// Unposted payment lines in BC; none if they cannot be read.
    pub lines: Option<Vec<VendorPayment>>,
    /// Every order.
    pub orders: Vec<TransferOrder>,
    links: Vec<BrexVendorRow>,
}

impl Reading {
    /// Reads and compares now. The comparison is kept, under the lease if the worker does it.
    pub async fn now(app: &App, connection: &Connection, lease: Option<&Lease>) -> Result<Self, Halt> {
        // The newest page says enough only once all transfers were read; after a lost database they were not.
        let is_full = app.store.cursors().get(&connection.id, WALKED).await?.is_none();
        let report = super::run(app, connection, lease, is_full).await?;
        let matches = report.outcome.matches.iter().chain(&report.outcome.suggestions).cloned().collect();
        Ok(Self {
            report,
            matches,
            transfers: app.store.transfers().list(&connection.id).await?,
            accounts: connection.brex.list_cash_accounts().await?,
            lines: payment_lines(connection).await?,
            orders: app.store.transfer_orders().list(&connection.id).await?,
            links: app.store.brex_vendors().list(&connection.id).await?,
        })
    }

    /// The cash account that is paid from: the configured one, else the primary one.
    pub fn account(&self, configured: &str) -> Option<&CashAccount> {
        let is_it =
            |account: &&CashAccount| if configured.is_empty() { account.primary } else { account.id == configured };
        self.accounts.iter().find(is_it)
    }

    /// The Brex vendors that are linked to a BC vendor.
    pub fn links(&self, vendor: Uuid) -> Vec<String> {
        let linked = self.links.iter().filter(|row| row.bc_id == vendor);
        linked.filter_map(|row| row.brex_id.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether an invoice may be paid, and how.
    pub fn judge(&self, connection: &Connection, asked: &Asked<'_>) -> Result<Payment, Vec<Refusal>> {
        let payable = asked.payable;
        let directory = connection.directory();
        let pays = |line: &&VendorPayment| line.applies_to_invoice_id.is_some_and(|id| id.to_string() == payable.id);
        let lines = self.lines.iter().flatten().filter(pays);
        let lines: Vec<String> = lines.map(|line| line.external_document_number.clone()).collect();
        let others = self.orders.iter().filter(|order| order.order.invoice.to_string() != payable.id);
        let elsewhere = others.filter_map(|order| order.transfer.clone()).collect();
        decide_payment(&Case {
            payable,
            payables: &self.report.books.payables,
            record: asked.record.map(|row| (row.id.as_str(), row.source_type.as_str())),
            vendor: directory.vendor(&payable.vendor.to_string()),
            links: &self.links(payable.vendor),
            ways: asked.ways,
            chosen: asked.chosen,
            transfers: &self.report.books.transfers,
            matches: &self.matches,
            lines: &lines,
            elsewhere: &elsewhere,
            days_before: i32::from(connection.settings.transfers.days_before),
            despite: asked.despite,
        })
    }
}

/// What is asked about one invoice.
pub struct Asked<'a> {
    /// The invoice.
    pub payable: &'a Payable,
    /// The Brex record that it was made for.
    pub record: Option<&'a RecordRow>,
    /// How its linked Brex vendor may be paid; none if Brex does not know it.
    pub ways: Option<&'a [Way]>,
    /// The instrument that a person chose.
    pub chosen: Option<&'a str>,
    /// Transfers that a person said do not pay it.
    pub despite: &'a BTreeSet<String>,
}

/// Unposted payment lines of all journals. Without the permission nobody can tell.
async fn payment_lines(connection: &Connection) -> Result<Option<Vec<VendorPayment>>, Error> {
    let Some(identity) = connection.identity() else { return Ok(None) };
    let company = connection.bc.company(identity.bc_company).with_fresh_reads();
    let journals = match company.list_payment_journals().await {
        Ok(journals) => journals,
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    for journal in journals {
        lines.extend(company.list_vendor_payments(journal.id).await?);
    }
    Ok(Some(lines))
}

/// How these Brex vendors may be paid.
pub async fn ways_of(
    connection: &Connection,
    vendors: &BTreeSet<String>,
) -> Result<BTreeMap<String, Option<Vec<Way>>>, Error> {
    let mut ways = BTreeMap::new();
    for vendor in vendors {
        let found = connection.brex.list_instruments(vendor).await?;
        let way = |instrument: clients::brex::Instrument| Way { instrument: instrument.id, rail: instrument.rail };
        ways.insert(vendor.clone(), found.map(|found| found.into_iter().map(way).collect()));
    }
    Ok(ways)
}

/// Whether the order's transfer failed or came back: it pays nothing.
pub fn is_dead(order: &TransferOrder, transfers: &[TransferRow]) -> bool {
    let row = order.transfer.as_ref().and_then(|id| transfers.iter().find(|row| row.id == *id));
    matches!(row.map(TransferRow::movement), Some(Movement::Failed | Movement::Returned))
}

/// The order that stands for an invoice, if there is one: whatever may still pay it or has paid it. An order whose transfer
/// failed or came back pays nothing.
pub fn standing<'a>(
    orders: &'a [TransferOrder],
    transfers: &[TransferRow],
    invoice: Uuid,
) -> Option<&'a TransferOrder> {
    orders.iter().filter(|order| order.order.invoice == invoice).find(|order| match order.state {
        OrderState::Declined | OrderState::Refused => false,
        OrderState::Created => !is_dead(order, transfers),
        OrderState::Proposed | OrderState::Approved | OrderState::Sending | OrderState::Held => true,
    })
}
