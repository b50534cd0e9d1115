//! A purchase invoice or credit memo as it is read: draft or posted, with its lines and dimensions where they were asked
//! for. <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_purchaseinvoice>

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::names;
use crate::decimal::exact_or_zero;
use crate::wire::{date_or_none, id_or_none, instant_or_none, open_enum, or_default};

open_enum! {
    /// Where a document stands.
    pub enum DocumentStatus {
        /// Not set.
        Blank = "",
        /// Not posted.
        Draft = "Draft",
        /// Not posted, waiting for approval (credit memos).
        InReview = "In Review",
        /// Posted and not yet cleared. A released draft of a credit memo shows this too.
        Open = "Open",
        /// Posted and cleared.
        Paid = "Paid",
        /// Posted and cancelled.
        Canceled = "Canceled",
        /// Posted, and it corrects another document.
        Corrective = "Corrective",
    }
}

open_enum! {
    /// What a line stands for.
    pub enum LineType {
        /// Text only.
        Comment = "Comment",
        /// A G/L account.
        Account = "Account",
        /// An item.
        Item = "Item",
        /// A resource.
        Resource = "Resource",
        /// A fixed asset.
        FixedAsset = "Fixed Asset",
        /// An item charge.
        Charge = "Charge",
        /// An allocation account, split when posting.
        AllocationAccount = "Allocation Account",
    }
}

/// A purchase document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The version of the row, to delete it only if nobody changed it.
    #[serde(rename = "@odata.etag", default, deserialize_with = "or_default")]
    pub etag: String,
    /// The id, which posting does not change.
    pub id: Uuid,
    /// The number in Business Central; posting replaces it.
    #[serde(default, deserialize_with = "or_default")]
    pub number: String,
    /// The id of the vendor.
    #[serde(default, deserialize_with = "id_or_none")]
    pub vendor_id: Option<Uuid>,
    /// The number of the vendor.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_number: String,
    /// The name of the vendor.
    #[serde(default, deserialize_with = "or_default")]
    pub vendor_name: String,
    /// Vendor Invoice No. or Vendor Cr. Memo No.
    #[serde(
        rename = "vendorInvoiceNumber",
        alias = "vendorCreditMemoNumber",
        default,
        deserialize_with = "or_default"
    )]
    pub vendor_document_number: String,
    /// The date in the ledger.
    #[serde(default, deserialize_with = "date_or_none")]
    pub posting_date: Option<Date>,
    /// The date on the document.
    #[serde(rename = "invoiceDate", alias = "creditMemoDate", default, deserialize_with = "date_or_none")]
    pub document_date: Option<Date>,
    /// The due date.
    #[serde(default, deserialize_with = "date_or_none")]
    pub due_date: Option<Date>,
    /// The currency; the company's own is named too.
    #[serde(default, deserialize_with = "or_default")]
    pub currency_code: String,
    /// Whether unit costs include tax.
    #[serde(default, deserialize_with = "or_default")]
    pub prices_include_tax: bool,
    /// The total without tax.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub total_amount_excluding_tax: Decimal,
    /// The tax.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub total_tax_amount: Decimal,
    /// The total with tax. Whether the answer to a create already has it is not certain: read again with lines.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub total_amount_including_tax: Decimal,
    /// Where it stands.
    #[serde(default = "no_status", deserialize_with = "names::member")]
    pub status: DocumentStatus,
    /// The posted invoice that a credit memo applies to.
    #[serde(rename = "invoiceId", default, deserialize_with = "id_or_none")]
    pub applies_to_invoice_id: Option<Uuid>,
    /// The last change of the document or its lines.
    #[serde(rename = "lastModifiedDateTime", default, deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
    /// The dimensions of the document; empty in the answer to a create.
    #[serde(rename = "dimensionSetLines", default, deserialize_with = "or_default")]
    pub dimensions: Vec<DimensionSetLine>,
    /// The lines by sequence; empty in the answer to a create.
    #[serde(
        rename = "purchaseInvoiceLines",
        alias = "purchaseCreditMemoLines",
        default,
        deserialize_with = "lines_in_order"
    )]
    pub lines: Vec<DocumentLine>,
}

/// A line of a purchase document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentLine {
    /// The id, which posting does not change.
    #[serde(default, deserialize_with = "id_or_none")]
    pub id: Option<Uuid>,
    /// Its place in the document.
    #[serde(default, deserialize_with = "or_default")]
    pub sequence: i64,
    /// What it stands for.
    #[serde(default = "comment", deserialize_with = "names::member")]
    pub line_type: LineType,
    /// The number of the account (or item, resource and so on).
    #[serde(rename = "lineObjectNumber", default, deserialize_with = "or_default")]
    pub account_number: String,
    /// The id of the account.
    #[serde(default, deserialize_with = "id_or_none")]
    pub account_id: Option<Uuid>,
    /// The text.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// The quantity.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub quantity: Decimal,
    /// The cost of one unit.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub unit_cost: Decimal,
    /// The discount.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub discount_amount: Decimal,
    /// The amount without tax.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub amount_excluding_tax: Decimal,
    /// The tax.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub total_tax_amount: Decimal,
    /// The amount with tax.
    #[serde(default, deserialize_with = "exact_or_zero")]
    pub amount_including_tax: Decimal,
    /// Tax group, or VAT identifier in VAT countries (where the posting group was written).
    #[serde(default, deserialize_with = "or_default")]
    pub tax_code: String,
    /// The dimensions of the line.
    #[serde(rename = "dimensionSetLines", default, deserialize_with = "or_default")]
    pub dimensions: Vec<DimensionSetLine>,
}

/// A dimension with its value on a document or line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DimensionSetLine {
    /// The id of the dimension.
    #[serde(default, deserialize_with = "id_or_none")]
    pub id: Option<Uuid>,
    /// The code of the dimension.
    pub code: String,
    /// The id of the value.
    #[serde(default, deserialize_with = "id_or_none")]
    pub value_id: Option<Uuid>,
    /// The code of the value.
    #[serde(default, deserialize_with = "or_default")]
    pub value_code: String,
}

impl Document {
    /// Whether the document is surely a draft.
    pub fn is_draft(&self) -> bool {
        matches!(self.status, DocumentStatus::Draft | DocumentStatus::InReview)
    }
}

fn no_status() -> DocumentStatus {
    DocumentStatus::Blank
}

fn comment() -> LineType {
    LineType::Comment
}

fn lines_in_order<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<DocumentLine>, D::Error> {
    let mut lines: Vec<DocumentLine> = or_default(deserializer)?;
    lines.sort_by_key(|line| line.sequence);
    Ok(lines)
}
