//! Makes one line: what is looked at before, the attempt, what an answer means, and the documents that it is applied to.

use clients::bc::{
    ApplyEntry, DocumentKind, DocumentStatus, EntryKind, NewVendorPayment, PaymentJournal, VendorPayment,
};
use clients::{Effect, Error, Kind};
use serde_json::{Value, json};
use store::{AppliedTo, PaymentLine, PaymentLineState as State};
use uuid::Uuid;

use super::{Desk, TRANSFER, is_as_wanted};
use crate::flow::step::error_detail;
use crate::problem::{self, said};
use crate::stop::Stop;

impl Desk<'_> {
    pub(super) async fn want(
        &self,
        row: PaymentLine,
        journal: &PaymentJournal,
        lines: &[VendorPayment],
        ours: &[VendorPayment],
    ) -> Result<PaymentLine, Stop> {
        if !ours.is_empty() {
            return self.settle(row, journal.id, ours).await;
        }
        let twins = self.app.store.payment_lines().list_by_number(&self.connection.id, &row.external_number).await?;
        if let Some(twin) = twins.iter().find(|other| is_rival(&row, other)) {
            let why = format!("the number {} is used by {} {}", row.external_number, twin.owner_kind, twin.owner_id);
            return self.hold(row, &why).await;
        }
        match self.elsewhere(&row, journal.id).await {
            Err(error) => return self.cannot_look(row, error).await,
            Ok(Some(other)) => {
                let why = format!("the journal {other} already has a line {}", row.external_number);
                return self.hold(row, &why).await;
            }
            Ok(None) => {}
        }
        if let Some(invoice) = row.applies_to {
            for other in lines.iter().filter(|line| line.applies_to_invoice_id == Some(invoice)) {
                let number = &other.external_document_number;
                if !self.is_part_of(&row, number).await? {
                    let why = format!("the journal already has a payment of this invoice, with the number {number:?}");
                    return self.hold(row, &why).await;
                }
            }
            match self.company.get_document(DocumentKind::Invoice, invoice).await {
                Err(error) => return self.cannot_look(row, error).await,
                Ok(Some(invoice)) if invoice.status == DocumentStatus::Open => {}
                Ok(Some(invoice)) if invoice.status == DocumentStatus::Paid => {
                    let row = PaymentLine { state: State::Gone, due_ms: None, ..row };
                    return self.written(row, "payment_line_needless", json!("the invoice is paid")).await;
                }
                Ok(_) => return self.hold(row, "the invoice is no longer open in Business Central").await,
            }
        }
        self.create(row, journal).await
    }

    /// Another journal that has a transfer's line: from before another one was configured, or the database was lost.
    async fn elsewhere(&self, row: &PaymentLine, journal: Uuid) -> Result<Option<String>, Error> {
        if row.owner_kind != TRANSFER {
            return Ok(None);
        }
        for other in self.company.list_payment_journals().await?.into_iter().filter(|other| other.id != journal) {
            let lines = self.company.list_vendor_payments(other.id).await?;
            if lines.iter().any(|line| line.external_document_number.eq_ignore_ascii_case(&row.external_number)) {
                return Ok(Some(other.code));
            }
        }
        Ok(None)
    }

    /// Whether a line in the journal pays another part of the same invoice: one that a transfer has, too.
    async fn is_part_of(&self, row: &PaymentLine, number: &str) -> Result<bool, Stop> {
        let number = number.trim().to_uppercase();
        let known = self.app.store.payment_lines().list_by_number(&self.connection.id, &number).await?;
        let is_other = |other: &PaymentLine| other.owner_kind == row.owner_kind && other.owner_id != row.owner_id;
        Ok(row.owner_kind == TRANSFER && known.iter().any(is_other))
    }

    /// Commits the attempt, checks the lease again, and sends.
    async fn create(&self, row: PaymentLine, journal: &PaymentJournal) -> Result<PaymentLine, Stop> {
        let Ok(posting_date) = row.posting_date.parse() else {
            return self.hold(row, "its posting date cannot be read").await;
        };
        let line = NewVendorPayment {
            vendor_number: row.vendor_number.clone(),
            posting_date,
            external_document_number: row.external_number.clone(),
            amount: row.amount,
            applies_to_invoice_id: row.applies_to,
            description: row.description.clone(),
        };
        let row = PaymentLine { state: State::Sending, attempt: row.attempt.saturating_add(1), tries: 0, ..row };
        let row = self.looking(row);
        let Some(row) = self.apply(row.clone(), "payment_line_committed", Value::Null).await? else { return Ok(row) };
        if !self.app.store.lanes().holds(self.lease, self.app.now_ms()).await? {
            return Err(store::Error::LostLease.into());
        }
        match self.company.create_vendor_payment(journal.id, &line).await {
            Ok(made) => self.settle(row, journal.id, &[made]).await,
            Err(error) => self.not_created(row, journal, error).await,
        }
    }

    async fn not_created(&self, row: PaymentLine, journal: &PaymentJournal, error: Error) -> Result<PaymentLine, Stop> {
        let is_refused = matches!(error.kind(), Kind::Refused | Kind::NotFound) && problem::of_error(&error).is_none();
        match error.effect() {
            Effect::Unknown => self.unclear(row, &error).await,
            Effect::None if error.kind() == Kind::Forbidden => {
                let text =
                    "Business Central does not let the application write payment lines (insert on Gen. Journal Line)";
                self.hold(row, &format!("{text}: {}", said(&error))).await
            }
            // An extension may commit and then fail, so a refusal is believed only after one look.
            Effect::None if is_refused => match self.company.list_vendor_payments(journal.id).await {
                Err(_) => self.unclear(row, &error).await,
                Ok(lines) => {
                    let same = |line: &VendorPayment| line.external_document_number == row.external_number;
                    let ours: Vec<VendorPayment> = lines.into_iter().filter(same).collect();
                    if ours.is_empty() {
                        self.hold(row, &format!("Business Central refused the payment line: {}", said(&error))).await
                    } else {
                        self.settle(row, journal.id, &ours).await
                    }
                }
            },
            Effect::None => {
                let row = self.postponed(PaymentLine { state: State::Wanted, ..row }, &error);
                self.apply(row, "payment_line_postponed", error_detail(&error)).await?;
                Err(error.into())
            }
        }
    }

    /// What a look for a line that may have been sent means.
    pub(super) async fn settle(
        &self,
        row: PaymentLine,
        journal: Uuid,
        ours: &[VendorPayment],
    ) -> Result<PaymentLine, Stop> {
        match ours {
            [only] if is_as_wanted(&row, only) => {
                if let Some(row) = self.mark(&row, journal, only.id).await? {
                    return Ok(row);
                }
                let row = PaymentLine {
                    state: State::Prepared,
                    line_id: Some(only.id),
                    due_ms: None,
                    note: None,
                    settle_until_ms: None,
                    ..row
                };
                let detail = json!({ "document_number": only.document_number });
                self.written(row, "payment_line_prepared", detail).await
            }
            [other] => {
                let (amount, vendor) = (other.amount, &other.vendor_number);
                let why = format!("the journal has a line {} over {amount} of vendor {vendor}", row.external_number);
                self.hold(row, &why).await
            }
            several => {
                let why = format!("the journal has {} lines with the number {}", several.len(), row.external_number);
                self.hold(row, &why).await
            }
        }
    }

    /// Applies a line to each of its documents, if they are several: entry by entry, as often as it takes. The row as it became,
    /// if that was not possible.
    async fn mark(&self, row: &PaymentLine, journal: Uuid, line: Uuid) -> Result<Option<PaymentLine>, Stop> {
        if row.applies_to_many.is_empty() {
            return Ok(None);
        }
        for is_last in [false, true] {
            let entries = match self.company.list_apply_entries(journal, line).await {
                Ok(entries) => entries,
                Err(error) => return self.cannot_look(row.clone(), error).await.map(Some),
            };
            let mut open = Vec::new();
            for wanted in &row.applies_to_many {
                match entries.iter().find(|entry| is_entry_of(entry, wanted)) {
                    None => {
                        let why = format!("{} has no open entry to apply the payment to", wanted.number);
                        return self.hold(row.clone(), &why).await.map(Some);
                    }
                    Some(entry) if !entry.applied => open.push(entry.id),
                    Some(_) => {}
                }
            }
            if open.is_empty() {
                return Ok(None);
            }
            if is_last {
                break;
            }
            for entry in open {
                if !self.app.store.lanes().holds(self.lease, self.app.now_ms()).await? {
                    return Err(store::Error::LostLease.into());
                }
                if let Err(error) = self.company.apply_to_entry(journal, line, entry).await {
                    return self.cannot_look(row.clone(), error).await.map(Some);
                }
            }
        }
        let why = "Business Central took the line, and does not show it as applied to all of its documents";
        self.hold(row.clone(), why).await.map(Some)
    }
}

fn is_entry_of(entry: &ApplyEntry, wanted: &AppliedTo) -> bool {
    let kind = if wanted.is_credit_memo { EntryKind::CreditMemo } else { EntryKind::Invoice };
    entry.document_type == kind && entry.document_number.eq_ignore_ascii_case(&wanted.number)
}

/// Another owner's line with the same number for the same vendor.
fn is_rival(row: &PaymentLine, other: &PaymentLine) -> bool {
    (&other.owner_kind, &other.owner_id) != (&row.owner_kind, &row.owner_id)
        && other.vendor_number == row.vendor_number
        && other.state != State::Removed
}
