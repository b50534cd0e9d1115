//! Prepares one vendor payment line in Business Central exactly once for whoever asks: [`Desk::ensure`] says what is wanted,
//! [`Desk::turn`] makes it so, [`Desk::remove`] takes it back, [`Desk::probe`] tells what became of a prepared one.
//!
//! Lines are never posted from here. Business Central has no key for them and checks no duplicates (business-central.md §6.3),
//! so a line is recognised by vendor and External Document No.; the attempt is committed in `payment_lines` before it is sent,
//! and after an unclear answer the line is only looked for until the settle window has passed. Amounts are in the company's
//! own currency: the API has no field for another.

mod make;

use std::collections::HashSet;

use clients::bc::{Company, PaymentJournal, VendorPayment};
use clients::{Error, Kind};
use domain::pace::{NextProbe, next_probe, retry_delay_ms};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use store::{AppliedTo, Lease, PaymentLine, PaymentLineChange, PaymentLineState as State};
use uuid::Uuid;

use crate::app::{App, Connection};
use crate::flow::step::error_detail;
use crate::stop::{Stop, asked_ms};
use crate::{leased, problem};

/// After so many attempts without an outcome a person has to look.
const MOST_ATTEMPTS: i64 = 5;

/// What is said of a line that had left the journal before it could be taken back.
const LEFT_EARLIER: &str =
    "it is no longer wanted, and had left the journal before it could be deleted: reverse it if it was posted";

/// The owner of lines that book transfers.
pub const TRANSFER: &str = "transfer";

/// A line that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What asks for it: `record`, `transfer`, …
    pub owner_kind: &'static str,
    /// Which one; the trail tells about the line under this name.
    pub owner_id: String,
    /// Code of the vendor payment journal.
    pub journal: String,
    /// External Document No., at most 35 characters; nobody else may use it for this vendor.
    pub external_number: String,
    /// Number of the BC vendor.
    pub vendor_number: String,
    /// Posting Date.
    pub posting_date: jiff::civil::Date,
    /// Positive: a payment to the vendor, in the company's own currency.
    pub amount: Decimal,
    /// The company's own currency.
    pub currency: String,
    /// The posted invoice that it pays.
    pub applies_to: Option<Uuid>,
    /// The posted documents that it pays together, if they are several.
    pub applies_to_many: Vec<AppliedTo>,
    /// Text of the line, at most 100 characters.
    pub description: String,
}

/// What this works with.
pub struct Desk<'a> {
    app: &'a App,
    connection: &'a Connection,
    lease: &'a Lease,
    company: Company,
}

impl<'a> Desk<'a> {
    /// None while the company is not known.
    pub fn new(app: &'a App, connection: &'a Connection, lease: &'a Lease) -> Option<Self> {
        let identity = connection.identity()?;
        let company = leased::company(app, connection, lease, identity.bc_company);
        Some(Self { app, connection, lease, company })
    }

    /// The line of this owner as it stands; one that is not known yet is stored as wanted. What is stored is never changed,
    /// so that an owner that wants another line finds the first one here, unless it was removed: then it is made anew.
    pub async fn ensure(&self, wanted: Wanted) -> Result<PaymentLine, Stop> {
        let row = PaymentLine {
            owner_kind: wanted.owner_kind.to_owned(),
            owner_id: wanted.owner_id,
            rev: 0,
            journal: wanted.journal,
            external_number: wanted.external_number.trim().to_uppercase(),
            vendor_number: wanted.vendor_number,
            posting_date: wanted.posting_date.to_string(),
            amount: wanted.amount,
            currency: wanted.currency,
            applies_to: wanted.applies_to,
            applies_to_many: wanted.applies_to_many,
            description: wanted.description,
            state: State::Wanted,
            attempt: 0,
            epoch: self.lease.epoch,
            settle_until_ms: None,
            probes: 0,
            tries: 0,
            due_ms: Some(self.app.now_ms()),
            line_id: None,
            note: None,
        };
        let lines = self.app.store.payment_lines();
        if let Some(known) = lines.find(&self.connection.id, &row.owner_kind, &row.owner_id).await? {
            if known.state != State::Removed {
                return Ok(known);
            }
            let row = PaymentLine { rev: known.rev, attempt: known.attempt, ..row };
            return self.written(row, "payment_line_wanted", Value::Null).await;
        }
        let kept = self.apply(row.clone(), "payment_line_wanted", Value::Null).await?;
        Ok(kept.unwrap_or(row))
    }

    /// Stores that a line can never be made, so that it is told once.
    pub async fn refuse(&self, wanted: Wanted, why: &str) -> Result<PaymentLine, Stop> {
        let row = self.ensure(wanted).await?;
        match row.state {
            State::Wanted if row.attempt == 0 => self.hold(row, why).await,
            _ => Ok(row),
        }
    }

    /// The line is no longer wanted: one that is not posted yet is deleted.
    pub async fn remove(&self, row: PaymentLine) -> Result<PaymentLine, Stop> {
        if matches!(row.state, State::Removed | State::Gone | State::Unwanted) {
            return Ok(row);
        }
        let row = PaymentLine { state: State::Unwanted, tries: 0, due_ms: Some(self.app.now_ms()), ..row };
        self.written(row, "payment_line_unwanted", Value::Null).await
    }

    /// A held line is tried again: a person said so, or its cause is gone.
    pub async fn again(&self, row: PaymentLine) -> Result<PaymentLine, Stop> {
        if row.state != State::Held {
            return Ok(row);
        }
        let row = PaymentLine { state: State::Wanted, note: None, tries: 0, due_ms: Some(self.app.now_ms()), ..row };
        self.written(row, "payment_line_again", Value::Null).await
    }

    /// A held line is set aside for good.
    pub async fn set_aside(&self, row: PaymentLine) -> Result<PaymentLine, Stop> {
        let row = PaymentLine { state: State::Removed, due_ms: None, ..row };
        self.written(row, "payment_line_set_aside", Value::Null).await
    }

    /// Why nothing may be prepared in a journal: it is not there, or another account than `account` balances it, so that the
    /// payment would be booked somewhere else. An empty account is not compared; `named` is it as people are told of it.
    pub async fn journal_problem(&self, code: &str, account: &str, named: &str) -> Result<Option<String>, Error> {
        let account = account.trim();
        Ok(match self.company.find_payment_journal(code).await? {
            None => Some(format!("Business Central has no vendor payment journal {code}")),
            Some(_) if account.is_empty() => None,
            Some(journal) if journal.balancing_account_number.eq_ignore_ascii_case(account) => None,
            Some(journal) => Some(format!(
                "the vendor payment journal {code} is balanced by {:?} and not by {named}",
                journal.balancing_account_number
            )),
        })
    }

    /// The lines that stand in a journal now, by id; none if there is no such journal.
    pub async fn there(&self, journal: &str) -> Result<Option<HashSet<Uuid>>, Error> {
        let Some(journal) = self.company.find_payment_journal(journal).await? else { return Ok(None) };
        let lines = self.company.list_vendor_payments(journal.id).await?;
        Ok(Some(lines.into_iter().map(|line| line.id).collect()))
    }

    /// Says something about a line that needs nothing of us any more, once.
    pub async fn remark(&self, row: PaymentLine, note: &str) -> Result<PaymentLine, Stop> {
        if row.note.as_deref() == Some(note) {
            return Ok(row);
        }
        self.written(PaymentLine { note: Some(note.to_owned()), ..row }, "payment_line_remark", Value::Null).await
    }

    /// Does what is due for one line. The line as it became, if there was one.
    pub async fn turn(&self) -> Result<Option<PaymentLine>, Stop> {
        let due = self.app.store.payment_lines().list_due(&self.connection.id, self.app.now_ms(), 1).await?;
        let Some(row) = due.into_iter().next() else { return Ok(None) };
        self.probe(row).await.map(Some)
    }

    /// Looks for the line in its journal and does what its state asks for.
    pub async fn probe(&self, row: PaymentLine) -> Result<PaymentLine, Stop> {
        let journal = match self.company.find_payment_journal(&row.journal).await {
            Ok(Some(journal)) => journal,
            Ok(None) => {
                let why = format!("Business Central has no vendor payment journal {}", row.journal);
                return self.hold(row, &why).await;
            }
            Err(error) => return self.cannot_look(row, error).await,
        };
        let lines = match self.company.list_vendor_payments(journal.id).await {
            Ok(lines) => lines,
            Err(error) => return self.cannot_look(row, error).await,
        };
        let same = |line: &&VendorPayment| line.external_document_number.eq_ignore_ascii_case(&row.external_number);
        let ours: Vec<VendorPayment> = lines.iter().filter(same).cloned().collect();
        match row.state {
            State::Wanted => self.want(row, &journal, &lines, &ours).await,
            State::Sending if ours.is_empty() => self.still_absent(row).await,
            State::Sending => self.settle(row, journal.id, &ours).await,
            State::Prepared => self.prepared(row, &ours).await,
            State::Unwanted => self.delete(row, &journal, &ours).await,
            State::Gone | State::Removed | State::Held => {
                self.written(PaymentLine { due_ms: None, ..row }, "payment_line_rests", Value::Null).await
            }
        }
    }

    /// A prepared line that is gone was posted or deleted by a person.
    async fn prepared(&self, row: PaymentLine, ours: &[VendorPayment]) -> Result<PaymentLine, Stop> {
        let is_there = ours.iter().any(|line| Some(line.id) == row.line_id);
        let row = PaymentLine { due_ms: None, ..row };
        if is_there {
            Ok(row)
        } else {
            self.written(PaymentLine { state: State::Gone, ..row }, "payment_line_gone", Value::Null).await
        }
    }

    /// Deletes what is there. Nothing is certain before a request that may still come true is settled.
    async fn delete(
        &self,
        row: PaymentLine,
        journal: &PaymentJournal,
        ours: &[VendorPayment],
    ) -> Result<PaymentLine, Stop> {
        if ours.is_empty() && row.line_id.is_some() && row.tries == 0 {
            let row = PaymentLine { state: State::Gone, due_ms: None, note: Some(LEFT_EARLIER.to_owned()), ..row };
            return self.written(row, "payment_line_remark", Value::Null).await;
        }
        if ours.iter().any(|line| !is_as_wanted(&row, line)) {
            let why = "it is no longer wanted, and a person changed it in the journal: delete it there if it is wrong";
            return self.hold(row, why).await;
        }
        for line in ours {
            if !self.app.store.lanes().holds(self.lease, self.app.now_ms()).await? {
                return Err(store::Error::LostLease.into());
            }
            if let Err(error) = self.company.delete_vendor_payment(journal.id, line.id, &line.etag).await {
                let row = self.postponed(row, &error);
                return self.written(row, "payment_line_postponed", error_detail(&error)).await;
            }
        }
        if let Some(until) = row.settle_until_ms.filter(|until| *until > self.app.now_ms()) {
            return self
                .written(PaymentLine { due_ms: Some(until), ..row }, "payment_line_looked_for", Value::Null)
                .await;
        }
        let row = PaymentLine { state: State::Removed, due_ms: None, line_id: None, ..row };
        self.written(row, "payment_line_removed", json!({ "deleted": ours.len() })).await
    }

    /// Not there yet: the next look, or, once the settle window has passed, one new attempt. The window of a former holder of
    /// the lane starts with this first look, since nobody knows when it sent.
    async fn still_absent(&self, row: PaymentLine) -> Result<PaymentLine, Stop> {
        let (now_ms, window_ms) = (self.app.now_ms(), self.connection.settings.settle_window_ms());
        if row.epoch != self.lease.epoch {
            let why = json!("the process that sent it is gone; looking starts anew");
            return self.written(self.looking(row), "payment_line_looked_for", why).await;
        }
        let settle_until_ms = row.settle_until_ms.unwrap_or(now_ms);
        let probes = row.probes.saturating_add(1);
        let due_ms = match next_probe(settle_until_ms.saturating_sub(window_ms), probes, window_ms) {
            NextProbe::At(ms) => ms.max(now_ms.saturating_add(1)),
            NextProbe::Settled if now_ms < settle_until_ms => settle_until_ms,
            NextProbe::Settled if row.attempt % MOST_ATTEMPTS == 0 => {
                let attempts = row.attempt;
                let why = format!("Business Central gave no clear answer in {attempts} attempts, and there is no line");
                return self.hold(row, &why).await;
            }
            NextProbe::Settled => {
                let row = PaymentLine { state: State::Wanted, due_ms: Some(now_ms), settle_until_ms: None, ..row };
                return self.written(row, "payment_line_settled_as_absent", Value::Null).await;
            }
        };
        let row = PaymentLine { probes, due_ms: Some(due_ms), ..row };
        self.written(row, "payment_line_looked_for", json!({ "probes": probes, "next_ms": due_ms })).await
    }

    /// The row with a plan of look-ups that starts now.
    fn looking(&self, row: PaymentLine) -> PaymentLine {
        let (now_ms, window_ms) = (self.app.now_ms(), self.connection.settings.settle_window_ms());
        let due_ms = match next_probe(now_ms, 0, window_ms) {
            NextProbe::At(ms) => ms,
            NextProbe::Settled => now_ms,
        };
        let settle_until_ms = Some(now_ms.saturating_add(window_ms));
        PaymentLine { epoch: self.lease.epoch, settle_until_ms, probes: 0, due_ms: Some(due_ms), ..row }
    }

    /// Perhaps made: from now on it is only looked for.
    async fn unclear(&self, row: PaymentLine, error: &Error) -> Result<PaymentLine, Stop> {
        self.written(self.looking(row), "payment_line_unclear", error_detail(error)).await
    }

    /// Nothing is decided while nobody can look. What is about all calls makes the connection wait.
    async fn cannot_look(&self, row: PaymentLine, error: Error) -> Result<PaymentLine, Stop> {
        if problem::of_error(&error).is_some() || error.kind() == Kind::Throttled {
            return Err(error.into());
        }
        let row = self.postponed(row, &error);
        self.written(row, "payment_line_postponed", error_detail(&error)).await
    }

    fn postponed(&self, row: PaymentLine, error: &Error) -> PaymentLine {
        let delay = retry_delay_ms(row.tries, asked_ms(error), self.app.chance.next());
        let due_ms = Some(self.app.now_ms().saturating_add(delay));
        PaymentLine { due_ms, tries: row.tries.saturating_add(1), ..row }
    }

    async fn hold(&self, row: PaymentLine, why: &str) -> Result<PaymentLine, Stop> {
        let row = PaymentLine { state: State::Held, note: Some(why.to_owned()), due_ms: None, ..row };
        self.written(row, "payment_line_held", Value::Null).await
    }

    /// Writes the row and gives it as it stands; the row as it was meant if somebody else wrote meanwhile.
    async fn written(&self, row: PaymentLine, action: &str, detail: Value) -> Result<PaymentLine, Stop> {
        Ok(self.apply(row.clone(), action, detail).await?.unwrap_or(row))
    }

    async fn apply(&self, row: PaymentLine, action: &str, detail: Value) -> Result<Option<PaymentLine>, Stop> {
        let change = PaymentLineChange { row, action: action.to_owned(), detail };
        let (lines, id) = (self.app.store.payment_lines(), &self.connection.id);
        let is_written = lines.apply(self.lease, id, self.app.now_ms(), &self.app.actor(), &change).await?;
        let rev = change.row.rev.saturating_add(1);
        Ok(is_written.then_some(PaymentLine { rev, ..change.row }))
    }
}

fn is_as_wanted(row: &PaymentLine, line: &VendorPayment) -> bool {
    line.vendor_number.eq_ignore_ascii_case(&row.vendor_number)
        && line.amount == row.amount
        && line.applies_to_invoice_id == row.applies_to
}
