//! What would be paid, invoice by invoice, with everything that stands against it. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use domain::transfer::{Limits, Order, Payable, Refusal, Way, check_limits, dollars, order_key, order_memo};
use sha2::{Digest as _, Sha256};
use store::{DocumentRow, RecordRow, TransferOrder};
use uuid::Uuid;

use super::{Asked, Reading, standing, ways_of};
use crate::app::{App, Connection};
use crate::config::Approval;
use crate::transfers::{Halt, say};

/// An invoice that somebody wants to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number (the supplier's or BC's) or id.
    pub invoice: String,
    /// How, if the vendor can be paid in several ways.
    pub instrument: Option<String>,
}

/// What is planned.
#[derive(Debug)]
pub struct Plan {
    /// One per invoice, in the order in which they were named.
    pub lines: Vec<Line>,
    /// The cash account.
    pub account: Option<String>,
    /// What it has available, in US cents, if Brex tells it.
    pub available: Option<i64>,
    /// What would be paid, in US cents.
    pub total: i64,
    /// Whether unposted payments in BC could be read.
    pub has_lines: bool,
}

impl Plan {
    /// The orders, if nothing stands against any of them.
    pub fn orders(&self) -> Option<Vec<Order>> {
        self.lines.iter().map(|line| line.order.clone().filter(|_| line.against.is_empty())).collect()
    }

    /// The mark of what would be sent, if nothing stands against it: a digest of everything in it and nothing else, so that another
    /// account of a payee is another mark.
    pub fn mark(&self) -> Option<String> {
        Some(mark_of(&self.orders()?))
    }
}

/// The mark of orders as they were planned.
pub fn mark_of<'o>(orders: impl IntoIterator<Item = &'o Order>) -> String {
    let mut hash = Sha256::new();
    for order in orders {
        let parts = [
            &order.key.to_string(),
            &order.cents.to_string(),
            &order.brex_vendor,
            &order.way.instrument,
            &order.account,
        ];
        for part in parts {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    HEXLOWER.encode(&hash.finalize())
}

/// One invoice.
#[derive(Debug)]
pub struct Line {
    /// As it was named.
    pub asked: String,
    /// Whom it is owed to, as far as that is known.
    pub vendor: String,
    /// What would be ordered.
    pub order: Option<Order>,
    /// What stands against it.
    pub against: Vec<Objection>,
}

/// Something that stands against paying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Stable code.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

impl From<Refusal> for Objection {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), text: refusal.to_string() }
    }
}

/// Plans to pay these invoices. `despite` are transfers that a person says do not pay them.
pub async fn plan(
    app: &App,
    connection: &Connection,
    requests: &[Request],
    despite: &BTreeSet<String>,
) -> Result<Plan, Halt> {
    let reading = Reading::now(app, connection, None).await?;
    let documents = app.store.transfers().documents(&connection.id).await?;
    let found: Vec<_> = requests.iter().map(|request| (request, say::document(&documents, &request.invoice))).collect();
    let ids: Vec<Uuid> = found.iter().filter_map(|(_, found)| found.as_ref().ok()?.payable.id.parse().ok()).collect();
    let records = app.store.records().find_by_documents(&connection.id, &ids).await?;
    let vendors: BTreeSet<Uuid> =
        found.iter().filter_map(|(_, found)| found.as_ref().ok()).map(|row| row.payable.vendor).collect();
    let payees: BTreeSet<String> = vendors.iter().flat_map(|vendor| reading.links(*vendor)).collect();
    let draft = Draft {
        connection,
        account: reading.account(&connection.settings.transfers.pay.account).map(|account| account.id.clone()),
        ways: ways_of(connection, &payees).await?,
        reading,
        records,
        despite,
    };
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for (request, found) in found {
        match found {
            Err(why) => lines.push(unknown(app, connection, request, &why).await?),
            Ok(row) if seen.insert(row.payable.id.clone()) => lines.push(draft.line(request, row)),
            Ok(_) => {}
        }
    }
    Ok(draft.finish(lines, app.now_ms()))
}

/// What is not among the documents that transfers pay: perhaps it is an invoice of card spend.
async fn unknown(
    app: &App,
    connection: &Connection,
    request: &Request,
    why: &say::Refused,
) -> Result<Line, store::Error> {
    let named = app.store.records().search(&connection.id, &request.invoice, 1).await?;
    let is_it = |row: &RecordRow| {
        [&row.document_key, &row.document_no].into_iter().flatten().any(|no| no.eq_ignore_ascii_case(&request.invoice))
    };
    let objection = match (named.into_iter().find(is_it), why) {
        (Some(row), _) => Refusal::PaidByBrex(row.id.to_string(), row.source_type).into(),
        (None, say::Refused::SeveralDocuments(..)) => Objection { code: "several_documents", text: why.to_string() },
        (None, _) => {
            let (invoice, days) = (&request.invoice, connection.settings.transfers.closed_days);
            let text = format!(
                "Business Central has no posted document {invoice:?} that is open or was closed in the last {days} days"
            );
            Objection { code: "unknown_invoice", text }
        }
    };
    Ok(Line { asked: request.invoice.clone(), vendor: String::new(), order: None, against: vec![objection] })
}

/// A plan in the making.
struct Draft<'a> {
    connection: &'a Connection,
    reading: Reading,
    account: Option<String>,
    ways: BTreeMap<String, Option<Vec<Way>>>,
    records: Vec<RecordRow>,
    despite: &'a BTreeSet<String>,
}

impl Draft<'_> {
    fn line(&self, request: &Request, row: &DocumentRow) -> Line {
        let payable = &row.payable;
        let links = self.reading.links(payable.vendor);
        let ways = links.first().and_then(|link| self.ways.get(link)).and_then(Option::as_deref);
        let chosen = request.instrument.as_deref();
        let invoice = payable.id.parse::<Uuid>().unwrap_or_default();
        let record = self.records.iter().find(|row| row.document_id == Some(invoice));
        let asked = Asked { payable, record, ways, chosen, despite: self.despite };
        let judged = self.reading.judge(self.connection, &asked);
        let mut against: Vec<Objection> = Vec::new();
        if let Some(earlier) = standing(&self.reading.orders, &self.reading.transfers, invoice) {
            against.push(Refusal::Ordered(earlier.id, earlier.state.as_str()).into());
        }
        let directory = self.connection.directory();
        let vendor = directory.vendor(&payable.vendor.to_string());
        let order = match (judged, &self.account) {
            (Err(refusals), _) => {
                against.extend(refusals.into_iter().map(Objection::from));
                None
            }
            (Ok(_), None) => {
                let text = "Brex shows no such cash account (transfers.pay.account)".to_owned();
                against.push(Objection { code: "no_account", text });
                None
            }
            (Ok(payment), Some(account)) => {
                let place = self.reading.orders.iter().filter(|order| order.order.invoice == invoice).count();
                let key = order_key(invoice, place);
                let number = number_of(payable);
                Some(Order {
                    invoice,
                    memo: order_memo(&number, &payment.way.rail, key),
                    number,
                    vendor: payable.vendor,
                    vendor_number: vendor.map(|vendor| vendor.number.clone()).unwrap_or_default(),
                    vendor_name: vendor.map(|vendor| vendor.name.clone()).unwrap_or_default(),
                    brex_vendor: payment.brex_vendor,
                    way: payment.way,
                    account: account.clone(),
                    cents: payment.cents,
                    is_manual: self.connection.settings.transfers.pay.approval == Approval::Manual,
                    despite: self.despite.clone(),
                    key,
                })
            }
        };
        let vendor = vendor.map_or_else(String::new, |vendor| format!("{} {}", vendor.number, vendor.name));
        Line { asked: request.invoice.clone(), vendor, order, against }
    }

    /// Adds what is about all of them together: the balance of the account, and the limits of the day.
    fn finish(self, mut lines: Vec<Line>, now_ms: i64) -> Plan {
        let settings = &self.connection.settings.transfers.pay;
        let account = self.reading.account(&settings.account);
        let available = account.and_then(|account| account.available_balance.as_ref()).map(|money| money.amount);
        let mut today = ordered_today(&self.reading.orders, &self.connection.rules.zone, now_ms);
        let mut total = 0_i64;
        for line in &mut lines {
            let Some(order) = &line.order else { continue };
            total = total.saturating_add(order.cents);
            if let Err(refusal) = check_limits(&settings.limits(), &today, order.vendor, order.cents) {
                line.against.push(refusal.into());
            }
            today.push((order.vendor, order.cents));
            let needed = total.saturating_add(not_sent(&self.reading.orders));
            if let Some(available) = available.filter(|available| *available < needed) {
                let (available, needed) = (dollars(available), dollars(needed));
                line.against.push(Refusal::Balance { available, needed }.into());
            }
        }
        Plan { lines, account: self.account, available, total, has_lines: self.reading.lines.is_some() }
    }
}

/// The number that the vendor knows it by.
fn number_of(payable: &Payable) -> String {
    payable.numbers.first().cloned().unwrap_or_else(|| payable.id.clone())
}

/// Cents that are ordered and of which Brex knows nothing yet.
fn not_sent(orders: &[TransferOrder]) -> i64 {
    let waits = orders.iter().filter(|order| !order.state.is_void() && order.transfer.is_none());
    waits.fold(0, |sum, order| sum.saturating_add(order.order.cents))
}

/// Vendor and cents of each order of this day that pays or may pay.
pub(super) fn ordered_today(orders: &[TransferOrder], zone: &jiff::tz::TimeZone, now_ms: i64) -> Vec<(Uuid, i64)> {
    let day = |ms: i64| crate::clock::day(ms, zone);
    let is_today = |order: &&TransferOrder| day(order.decided_ms.unwrap_or(order.proposed_ms)) == day(now_ms);
    let counted = orders.iter().filter(|order| !order.state.is_void()).filter(is_today);
    counted.map(|order| (order.order.vendor, order.order.cents)).collect()
}

/// Whether these orders stay within the limits of the day, one after the other.
pub(super) fn within_limits(limits: &Limits, mut today: Vec<(Uuid, i64)>, orders: &[Order]) -> Result<(), Refusal> {
    for order in orders {
        check_limits(limits, &today, order.vendor, order.cents)?;
        today.push((order.vendor, order.cents));
    }
    Ok(())
}
