//! The entity sets. Each says its shape, its rows and what may be written; the OData layer does the rest.

pub(crate) mod apply_vendor_entries;
pub(crate) mod attachments;
pub(crate) mod banks;
pub(crate) mod codes;
pub(crate) mod company;
pub(crate) mod default_dimensions;
pub(crate) mod dimension_set_lines;
pub(crate) mod documents;
pub(crate) mod entries;
pub(crate) mod finance;
pub(crate) mod items;
pub(crate) mod journal_lines;
pub(crate) mod journals;
pub(crate) mod lines;
pub(crate) mod payables;
pub(crate) mod pdf;
pub(crate) mod reads;
pub(crate) mod vendor;
mod vendor_write;
pub(crate) mod webhook_resources;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Refusal;
use super::odata::filter::Expr;
use super::schema::Schema;
use super::table::Tables;
use super::upload::Upload;
use crate::ids::Ids;

/// A row that others hang below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) set: &'static dyn EntitySet,
    pub(crate) id: Uuid,
}

/// Which rows of a set are meant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) parent: Option<Parent>,
    pub(crate) filter: Option<&'a Expr>,
}

impl Scope<'_> {
    pub(crate) fn below(parent: Option<Parent>) -> Self {
        Self { parent, filter: None }
    }
}

/// A write: the tables, and what else it depends on.
pub(crate) struct Work<'a> {
    pub(crate) tables: &'a mut Tables,
    pub(crate) ids: &'a Ids,
    pub(crate) now: Timestamp,
}

impl Work<'_> {
    pub(crate) fn today(&self) -> Date {
        jiff::tz::Offset::UTC.to_datetime(self.now).date()
    }
}

/// Keys in the order of listings.
pub(crate) type Following<'a> = Box<dyn Iterator<Item = Uuid> + 'a>;

/// One entity set of API v2.0.
pub(crate) trait EntitySet: Sync {
    fn schema(&self) -> &'static Schema;

    /// The fields that make up the key together with an id.
    fn more_keys(&self) -> &'static [&'static str] {
        &[]
    }

    /// The set behind a navigation property.
    fn navigation(&self, _name: &str) -> Option<&'static dyn EntitySet> {
        None
    }

    /// The set behind a single-valued navigation property, and the field that holds the id.
    fn single(&self, _name: &str) -> Option<(&'static str, &'static dyn EntitySet)> {
        None
    }

    /// The keys within a scope, in the order of listings. If only one row is `exact`ly wanted, the others may be absent.
    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal>;

    /// The keys after one, or all, in the order of listings and one by one, where a page need not visit all.
    fn following<'a>(&self, _tables: &'a Tables, _after: Option<Uuid>) -> Option<Following<'a>> {
        None
    }

    /// The rows whose field may have a value, where an index knows them, in the order of listings.
    fn lookup(&self, _tables: &Tables, _field: &str, _value: &str) -> Option<Vec<Uuid>> {
        None
    }

    /// The value of one field of one row.
    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value;

    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String>;

    fn insert(&self, _work: &mut Work<'_>, _scope: &Scope<'_>, _body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        Err(Refusal::verb("POST", self.schema().set, "Entity"))
    }

    fn update(
        &self,
        _work: &mut Work<'_>,
        _scope: &Scope<'_>,
        _id: Uuid,
        _body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        Err(Refusal::verb("PATCH", self.schema().set, "Entity"))
    }

    fn delete(&self, _work: &mut Work<'_>, _scope: &Scope<'_>, _id: Uuid) -> Result<(), Refusal> {
        Err(Refusal::verb("DELETE", self.schema().set, "Entity"))
    }

    /// Whether there is one row below each parent, addressed without a key.
    fn is_single(&self) -> bool {
        false
    }

    /// The contents of a stream property, and their type.
    fn stream(&self, _tables: &Tables, _id: Uuid, name: &str) -> Result<(Vec<u8>, &'static str), Refusal> {
        Err(Refusal::no_segment(name))
    }

    fn set_stream(&self, _work: &mut Work<'_>, _id: Uuid, _content: Upload) -> Result<(), Refusal> {
        Err(Refusal::verb("PATCH", self.schema().set, "Stream"))
    }

    /// A bound action; its name is in lower case.
    fn act(&self, _work: &mut Work<'_>, _id: Uuid, action: &str) -> Result<(), Refusal> {
        Err(Refusal::no_segment(&format!("Microsoft.NAV.{action}")))
    }
}

impl std::fmt::Debug for dyn EntitySet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.schema().set)
    }
}

/// The sets of `/api/microsoft/reportsFinance/beta`.
pub(crate) fn reports_finance(name: &str) -> Option<&'static dyn EntitySet> {
    Some(match name {
        "vendorLedgerEntries" => &entries::VENDOR_ENTRIES,
        "detailedVendorLedgerEntries" => &entries::DETAILED_ENTRIES,
        "generalLedgerEntries" => &entries::REPORT_GL_ENTRIES,
        "dimensionSetEntries" => &entries::SET_ENTRIES,
        _ => return None,
    })
}

/// The sets of `/api/microsoft/runtime/beta`.
pub(crate) fn runtime(name: &str) -> Option<&'static dyn EntitySet> {
    (name == "webhookSupportedResources").then_some(&webhook_resources::WebhookResources as _)
}

/// A group without sets of its own.
pub(crate) fn nothing(_name: &str) -> Option<&'static dyn EntitySet> {
    None
}

/// The set of a name directly below the company in API v2.0.
pub(crate) fn top_level(name: &str) -> Option<&'static dyn EntitySet> {
    Some(match name {
        "vendors" => &vendor::Vendors,
        "accounts" => &finance::ACCOUNTS,
        "dimensions" => &finance::DIMENSIONS,
        "dimensionValues" => &finance::DIMENSION_VALUES,
        "currencies" => &codes::CURRENCIES,
        "defaultDimensions" => &default_dimensions::DefaultDimensions,
        "bankAccounts" => &banks::BANK_ACCOUNTS,
        "paymentMethods" => &codes::PAYMENT_METHODS,
        "taxAreas" => &codes::TAX_AREAS,
        "currencyExchangeRates" => &finance::EXCHANGE_RATES,
        "paymentTerms" => &codes::PAYMENT_TERMS,
        "taxGroups" => &codes::TAX_GROUPS,
        "agedAccountsPayables" => &payables::AgedPayables,
        "vendorPurchases" => &payables::VendorPurchases,
        "items" => &items::ITEMS,
        "itemVariants" => &items::VARIANTS,
        "unitsOfMeasure" => &items::UNITS,
        "generalLedgerSetup" => &company::SETUP,
        "companyInformation" => &company::INFORMATION,
        "accountingPeriods" => &company::PERIODS,
        "purchaseInvoices" => &documents::INVOICES,
        "purchaseCreditMemos" => &documents::CREDIT_MEMOS,
        "purchaseInvoiceLines" => &lines::INVOICE_LINES,
        "purchaseCreditMemoLines" => &lines::CREDIT_MEMO_LINES,
        "documentAttachments" => &attachments::DOCUMENT_ATTACHMENTS,
        "attachments" => &attachments::ATTACHMENTS,
        "pdfDocument" => &pdf::PdfDocument,
        "journals" => &journals::JOURNALS,
        "journalLines" => &journal_lines::JOURNAL_LINES,
        "vendorPaymentJournals" => &journals::VENDOR_PAYMENT_JOURNALS,
        "vendorPayments" => &journal_lines::VENDOR_PAYMENTS,
        "applyVendorEntries" => &apply_vendor_entries::ApplyVendorEntries,
        "generalLedgerEntries" => &entries::GL_ENTRIES,
        "dimensionSetLines" => &dimension_set_lines::DimensionSetLines,
        _ => return None,
    })
}
