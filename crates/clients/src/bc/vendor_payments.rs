//! Vendor payment journals and their lines: payments that are prepared, never posted from here. The API has no key, and
//! Business Central does not check payments for duplicates: whoever creates must look first and, after an unclear answer,
//! only look.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_vendorpaymentjournal>

use jiff::civil::Date;
use reqwest::Method;
use rust_decimal::Decimal;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::odata::{Filter, Literal, Query};
use super::payables::EntryKind;
use super::{Company, failure, names};
use crate::call::CREATE_TIMEOUT;
use crate::decimal::{Exact, exact_or_zero};
use crate::error::Error;
use crate::wire::{date_or_none, id_or_none, or_default};

/// A batch of vendor payments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentJournal {
    /// The id.
    pub id: Uuid,
    /// The name of the batch.
    #[serde(default, deserialize_with = "or_default")]
    pub code: String,
    /// The account that balances its lines; blank where there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub balancing_account_number: String,
}

/// A line of a batch: a payment that is not posted yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VendorPayment {
    /// The version of the row.
    #[serde(rename = "@odata.etag", default, deserialize_with = "or_default")]
    pub etag: String,
    /// The id.
    pub id: Uuid,
    /// The number of the vendor.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_number: String,
    /// The date in the ledger.
    #[serde(default, deserialize_with = "date_or_none")]
    pub posting_date: Option<Date>,
    /// Business Central's own number.
    #[serde(default, deserialize_with = "or_default")]
    pub document_number: String,
    /// The number that it is recognised by.
    #[serde(default, deserialize_with = "or_default")]
    pub external_document_number: String,
    /// Positive: a payment to the vendor.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub amount: Decimal,
    /// The posted invoice that it pays.
    #[serde(default, deserialize_with = "id_or_none")]
    pub applies_to_invoice_id: Option<Uuid>,
}

/// An open entry of the vendor of a line, which the line may be applied to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyEntry {
    /// The id.
    pub id: Uuid,
    /// Whether this line is applied to it.
    #[serde(default, deserialize_with = "or_default")]
    pub applied: bool,
    /// What it stands for.
    #[serde(deserialize_with = "names::member")]
    pub document_type: EntryKind,
    /// Business Central's number of the document.
    #[serde(default, deserialize_with = "or_default")]
    pub document_number: String,
}

/// A line to prepare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVendorPayment {
    /// The number of the vendor.
    pub vendor_number: String,
    /// The date in the ledger.
    pub posting_date: Date,
    /// At most 35 characters, stored in upper case.
    pub external_document_number: String,
    /// Positive: a payment to the vendor, in the company's own currency.
    pub amount: Decimal,
    /// The posted invoice that it pays.
    pub applies_to_invoice_id: Option<Uuid>,
    /// The text, at most 100 characters.
    pub description: String,
}

/// Field by field in the order of the wire: the vendor comes before what is checked against it.
impl Serialize for NewVendorPayment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("vendorNumber", &self.vendor_number)?;
        map.serialize_entry("postingDate", &self.posting_date)?;
        map.serialize_entry("externalDocumentNumber", &self.external_document_number)?;
        map.serialize_entry("amount", &Exact(self.amount))?;
        if let Some(invoice) = &self.applies_to_invoice_id {
            map.serialize_entry("appliesToInvoiceId", invoice)?;
        }
        map.serialize_entry("description", &self.description)?;
        map.end()
    }
}

fn lines_of(journal: Uuid) -> [String; 2] {
    [format!("vendorPaymentJournals({journal})"), "vendorPayments".to_owned()]
}

fn entries_of(journal: Uuid, line: Uuid) -> [String; 3] {
    let [journal, lines] = lines_of(journal);
    [journal, format!("{lines}({line})"), "applyVendorEntries".to_owned()]
}

impl Company {
    /// The vendor payment journal with this name.
    pub async fn find_payment_journal(&self, code: &str) -> Result<Option<PaymentJournal>, Error> {
        let filter = Filter::equals("code", &Literal::Text(code.trim().to_uppercase()));
        let query = Query::default().filter(Some(&filter));
        let rows =
            self.pages::<PaymentJournal>("find_payment_journal", &["vendorPaymentJournals"], &query)?.all().await?;
        Ok(rows.into_iter().find(|row| row.code.eq_ignore_ascii_case(code.trim())))
    }

    /// Every vendor payment journal.
    pub async fn list_payment_journals(&self) -> Result<Vec<PaymentJournal>, Error> {
        self.pages("list_payment_journals", &["vendorPaymentJournals"], &Query::default())?.all().await
    }

    /// All lines of a journal that are not posted yet.
    pub async fn list_vendor_payments(&self, journal: Uuid) -> Result<Vec<VendorPayment>, Error> {
        let [journal, lines] = lines_of(journal);
        self.pages::<VendorPayment>("list_vendor_payments", &[&journal, &lines], &Query::default())?.all().await
    }

    /// Prepares a line.
    pub async fn create_vendor_payment(&self, journal: Uuid, line: &NewVendorPayment) -> Result<VendorPayment, Error> {
        let [journal, lines] = lines_of(journal);
        let call = self.write("create_vendor_payment", Method::POST, &[&journal, &lines])?;
        self.client.send(call.timeout(CREATE_TIMEOUT).json(line)?).await?.json()
    }

    /// The open entries of the line's vendor.
    pub async fn list_apply_entries(&self, journal: Uuid, line: Uuid) -> Result<Vec<ApplyEntry>, Error> {
        let [journal, line, entries] = entries_of(journal, line);
        let path = [journal.as_str(), line.as_str(), entries.as_str()];
        self.pages::<ApplyEntry>("list_apply_entries", &path, &Query::default())?.all().await
    }

    /// Has the line applied to an entry. Doing it twice changes nothing.
    pub async fn apply_to_entry(&self, journal: Uuid, line: Uuid, entry: Uuid) -> Result<(), Error> {
        let [journal, line, entries] = entries_of(journal, line);
        let path = [journal, line, format!("{entries}({entry})")];
        let call = self.write("apply_to_entry", Method::PATCH, &path.each_ref().map(String::as_str))?;
        self.client.send(call.header("if-match", "*").json(&json!({ "applied": true }))?).await?;
        Ok(())
    }

    /// Deletes a line that is not posted, if it is still the version with this etag. That it is already gone counts as
    /// deleted.
    pub async fn delete_vendor_payment(&self, journal: Uuid, line: Uuid, etag: &str) -> Result<(), Error> {
        let [journal, _] = lines_of(journal);
        let one = format!("vendorPayments({line})");
        let call =
            self.write("delete_vendor_payment", Method::DELETE, &[&journal, &one])?.header_text("if-match", etag)?;
        match self.client.send(call).await {
            Err(error) if !failure::is_absent(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
