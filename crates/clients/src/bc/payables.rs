//! What is posted and owed: posted invoices and credit memos, vendor ledger entries, and what is due to each vendor. API v2.0
//! has no ledger entries of vendors: they come from the group reportsFinance, which not every environment has.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::document::{Document, DocumentStatus};
use super::new_document::DocumentKind;
use super::odata::{Filter, Literal, Query};
use super::{Company, Pages, asked, names};
use crate::call::{Call, endpoint};
use crate::decimal::exact_or_zero;
use crate::error::Error;
use crate::kind::{Access, Kind, System};
use crate::wire::{date_or_none, open_enum, or_default};

/// What is read of a posted document: no lines.
const FIELDS: &str = "id,number,vendorId,vendorNumber,vendorName,vendorInvoiceNumber,postingDate,invoiceDate,dueDate,\
                      currencyCode,totalAmountIncludingTax,status,lastModifiedDateTime";
const CREDIT_FIELDS: &str = "id,number,vendorId,vendorNumber,vendorName,vendorCreditMemoNumber,postingDate,creditMemoDate,\
                             dueDate,currencyCode,totalAmountIncludingTax,status,lastModifiedDateTime";

open_enum! {
    /// What a vendor ledger entry stands for.
    pub enum EntryKind {
        /// Nothing in particular.
        Blank = "",
        /// Money that we paid.
        Payment = "Payment",
        /// An invoice.
        Invoice = "Invoice",
        /// A credit memo.
        CreditMemo = "Credit Memo",
        /// Money that the vendor paid back.
        Refund = "Refund",
    }
}

/// A vendor ledger entry. What remains of it and what it is applied to is not told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VendorEntry {
    /// Its number.
    pub entry_number: i64,
    /// What it stands for.
    #[serde(default = "blank", deserialize_with = "names::member")]
    pub document_type: EntryKind,
    /// A text.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// The date in the ledger.
    #[serde(default, deserialize_with = "date_or_none")]
    pub posting_date: Option<Date>,
    /// The number of the document.
    #[serde(default, deserialize_with = "or_default")]
    pub document_number: String,
    /// The vendor's own number, or what the payment was given.
    #[serde(default, deserialize_with = "or_default")]
    pub external_document_number: String,
    /// The vendor.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_number: String,
    /// Whether anything of it is not applied.
    #[serde(default, deserialize_with = "or_default")]
    pub open: bool,
    /// The amount: negative for what we owe, positive for what we paid.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub amount: Decimal,
    /// The same in the company's own currency.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub amount_local_currency: Decimal,
    /// The currency; blank is the company's own.
    #[serde(default, deserialize_with = "or_default")]
    pub currency_code: String,
}

/// What is due to a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Due {
    /// The vendor.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_number: String,
    /// What is owed in the company's own currency.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub balance_due: Decimal,
}

fn blank() -> EntryKind {
    EntryKind::Blank
}

impl Company {
    /// The posted documents with this status, without lines; those that changed after an instant, or all. A released draft
    /// of a credit memo shows as `Open` too.
    pub fn list_posted(
        &self,
        kind: DocumentKind,
        status: &DocumentStatus,
        changed_after: Option<Timestamp>,
    ) -> Result<Pages<Document>, Error> {
        let status = Filter::equals("status", &Literal::Text(status.as_str().to_owned()));
        let changed = changed_after.map(|instant| Filter::after("lastModifiedDateTime", instant));
        let filter = changed.map_or_else(|| status.clone(), |changed| status.clone().and(&changed));
        let fields = match kind {
            DocumentKind::Invoice => FIELDS,
            DocumentKind::CreditMemo => CREDIT_FIELDS,
        };
        self.pages("list_posted", &[kind.set()], &Query::default().select(fields).filter(Some(&filter)))
    }

    /// Every vendor ledger entry, or nothing where the environment or the permissions do not have them.
    pub async fn list_vendor_entries(&self) -> Result<Option<Vec<VendorEntry>>, Error> {
        let asked = asked("list_vendor_entries", Access::Read);
        let shared = &self.client.shared;
        let company = format!("companies({})", self.id);
        let path =
            ["v2.0", &shared.tenant, &shared.environment, "api", "microsoft", "reportsFinance", "beta", &company];
        let url = endpoint(asked, &shared.base_url, path.iter().copied().chain(["vendorLedgerEntries"]))?;
        let pages: Pages<VendorEntry> =
            Pages::new(self.client.clone(), Call::get(System::BusinessCentral, asked.operation, url));
        match pages.all().await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden | Kind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is due to each vendor.
    pub async fn list_due(&self) -> Result<Vec<Due>, Error> {
        self.pages("list_due", &["agedAccountsPayables"], &Query::default())?.all().await
    }
}
