//! `purchaseInvoices` and `purchaseCreditMemos`: shapes and reading; the rules are in [`crate::bc::document`].

use serde_json::{Map, Value};
use uuid::Uuid;

use super::attachments::{ATTACHMENTS, DOCUMENT_ATTACHMENTS};
use super::dimension_set_lines::DimensionSetLines;
use super::lines;
use super::pdf::PdfDocument;
use super::{EntitySet, Following, Scope, Work};
use crate::bc::document::{Document, DocumentKind, DocumentStatus, header, ledger, post};
use crate::bc::error::Refusal;
use crate::bc::index::Key;
use crate::bc::schema::Kind::{Bool, Code, Date, DateTime, Decimal, Enum, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::{Row, Table, Tables};

/// One face of the purchase documents.
pub(crate) struct Documents {
    pub(crate) kind: DocumentKind,
    schema: &'static Schema,
}

pub(crate) static INVOICES: Documents = Documents {
    kind: DocumentKind::Invoice,
    schema: &Schema {
        set: "purchaseInvoices",
        entity: "purchaseInvoice",
        fields: &[
            r("id", Guid),
            r("number", Code(20)),
            w("postingDate", Date),
            w("invoiceDate", Date),
            w("dueDate", Date),
            w("vendorInvoiceNumber", Code(35)),
            w("vendorId", Guid),
            w("vendorNumber", Code(20)),
            r("vendorName", Text(100)),
            r("payToName", Text(100)),
            r("payToContact", Text(100)),
            w("payToVendorId", Guid),
            w("payToVendorNumber", Code(20)),
            w("shipToName", Text(100)),
            w("shipToContact", Text(100)),
            w("buyFromAddressLine1", Text(100)),
            w("buyFromAddressLine2", Text(50)),
            w("buyFromCity", Text(30)),
            w("buyFromCountry", Code(10)),
            w("buyFromState", Text(30)),
            w("buyFromPostCode", Code(20)),
            w("shipToAddressLine1", Text(100)),
            w("shipToAddressLine2", Text(50)),
            w("shipToCity", Text(30)),
            w("shipToCountry", Code(10)),
            w("shipToState", Text(30)),
            w("shipToPostCode", Code(20)),
            r("payToAddressLine1", Text(100)),
            r("payToAddressLine2", Text(50)),
            r("payToCity", Text(30)),
            r("payToCountry", Code(10)),
            r("payToState", Text(30)),
            r("payToPostCode", Code(20)),
            w("shortcutDimension1Code", Code(20)),
            w("shortcutDimension2Code", Code(20)),
            w("currencyId", Guid),
            w("currencyCode", Text(10)).computed(),
            r("orderId", Guid),
            r("orderNumber", Code(20)),
            w("purchaser", Code(20)),
            w("pricesIncludeTax", Bool),
            w("discountAmount", Decimal),
            r("discountAppliedBeforeTax", Bool),
            r("totalAmountExcludingTax", Decimal),
            r("totalTaxAmount", Decimal),
            r("totalAmountIncludingTax", Decimal),
            r("status", Enum(DocumentStatus::NAMES)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
};

pub(crate) static CREDIT_MEMOS: Documents = Documents {
    kind: DocumentKind::CreditMemo,
    schema: &Schema {
        set: "purchaseCreditMemos",
        entity: "purchaseCreditMemo",
        fields: &[
            r("id", Guid),
            r("number", Code(20)),
            w("creditMemoDate", Date),
            w("postingDate", Date),
            w("dueDate", Date),
            w("vendorId", Guid),
            w("vendorNumber", Code(20)),
            r("vendorName", Text(100)),
            w("vendorCreditMemoNumber", Code(35)),
            w("payToVendorId", Guid),
            w("payToVendorNumber", Code(20)),
            r("payToName", Text(100)),
            w("buyFromAddressLine1", Text(100)),
            w("buyFromAddressLine2", Text(50)),
            w("buyFromCity", Text(30)),
            w("buyFromCountry", Code(10)),
            w("buyFromState", Text(30)),
            w("buyFromPostCode", Code(20)),
            w("payToAddressLine1", Text(100)),
            w("payToAddressLine2", Text(50)),
            w("payToCity", Text(30)),
            w("payToCountry", Code(10)),
            w("payToState", Text(30)),
            w("payToPostCode", Code(20)),
            w("shortcutDimension1Code", Code(20)),
            w("shortcutDimension2Code", Code(20)),
            w("currencyId", Guid),
            w("currencyCode", Text(10)).computed(),
            w("paymentTermsId", Guid),
            w("shipmentMethodId", Guid),
            w("purchaser", Code(20)),
            r("pricesIncludeTax", Bool),
            w("discountAmount", Decimal),
            r("discountAppliedBeforeTax", Bool),
            r("totalAmountExcludingTax", Decimal),
            r("totalTaxAmount", Decimal),
            r("totalAmountIncludingTax", Decimal),
            r("status", Enum(DocumentStatus::NAMES)),
            r("lastModifiedDateTime", DateTime),
            w("invoiceId", Guid).computed(),
            w("invoiceNumber", Code(20)),
            w("vendorReturnReasonId", Guid),
        ],
    },
};

impl Documents {
    /// The set of a kind.
    pub(crate) fn of(kind: DocumentKind) -> &'static Self {
        match kind {
            DocumentKind::Invoice => &INVOICES,
            DocumentKind::CreditMemo => &CREDIT_MEMOS,
        }
    }

    /// The document date's name.
    pub(crate) fn date_field(&self) -> &'static str {
        match self.kind {
            DocumentKind::Invoice => "invoiceDate",
            DocumentKind::CreditMemo => "creditMemoDate",
        }
    }

    /// The lines' navigation property.
    pub(crate) fn lines_set(&self) -> &'static str {
        lines::of(self.kind).name()
    }

    fn row<'a>(&self, tables: &'a Tables, id: Uuid) -> Option<&'a Row<Document>> {
        tables.documents.row(id).filter(|row| row.value.kind == self.kind)
    }
}

impl EntitySet for Documents {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        match name {
            "dimensionSetLines" => Some(&DimensionSetLines),
            "documentAttachments" => Some(&DOCUMENT_ATTACHMENTS),
            "attachments" => Some(&ATTACHMENTS),
            "pdfDocument" => Some(&PdfDocument),
            _ if name == self.lines_set() => Some(lines::of(self.kind)),
            _ => None,
        }
    }

    fn single(&self, name: &str) -> Option<(&'static str, &'static dyn EntitySet)> {
        Some(match name {
            "vendor" => ("vendorId", &super::vendor::Vendors),
            "currency" => ("currencyId", &super::codes::CURRENCIES),
            "paymentTerm" if self.kind == DocumentKind::CreditMemo => ("paymentTermsId", &super::codes::PAYMENT_TERMS),
            _ => return None,
        })
    }

    fn keys(&self, tables: &Tables, _scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        if let Some(id) = exact {
            return Ok(self.row(tables, id).map(|_| id).into_iter().collect());
        }
        let ours = tables.documents.iter().filter(|(_, document)| document.kind == self.kind);
        Ok(ours.map(|(id, _)| id).collect())
    }

    fn following<'a>(&self, tables: &'a Tables, after: Option<Uuid>) -> Option<Following<'a>> {
        let kind = self.kind;
        let rows = tables.documents.following(after).filter(move |(_, document)| document.kind == kind);
        Some(Box::new(rows.map(|(id, _)| id)))
    }

    fn lookup(&self, tables: &Tables, field: &str, value: &str) -> Option<Vec<Uuid>> {
        let key = match field {
            "id" => {
                let id = Uuid::try_parse(value).ok()?;
                return Some(self.row(tables, id).map(|_| id).into_iter().collect());
            }
            "number" => Key::Number(value.to_owned()),
            "vendorInvoiceNumber" | "vendorCreditMemoNumber" => Key::External(value.to_owned()),
            "vendorId" => Key::Vendor(Uuid::try_parse(value).ok()?),
            "vendorNumber" => Key::Vendor(tables.vendor_by_number(value)?.0),
            _ => return None,
        };
        let ours = tables.documents.with(key).filter(|(_, document)| document.kind == self.kind);
        Some(ours.map(|(id, _)| id).collect())
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        self.row(tables, id).map_or(Value::Null, |row| cell(tables, id, row, field))
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        self.row(tables, id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, _scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        header::insert(work, Self::of(self.kind), body)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        header::update(work, Self::of(self.kind), id, body)
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        header::delete(work, self.kind, id)
    }

    fn act(&self, work: &mut Work<'_>, id: Uuid, action: &str) -> Result<(), Refusal> {
        match (action, self.kind) {
            ("post", kind) => post::post(work, kind, id),
            ("cancel", DocumentKind::CreditMemo) => post::cancel(work, self.kind, id),
            _ => Err(Refusal::no_segment(&format!("Microsoft.NAV.{action}"))),
        }
    }
}

fn cell(tables: &Tables, id: Uuid, row: &Row<Document>, field: &str) -> Value {
    let document = &row.value;
    let number = |vendor: Uuid| tables.vendors.get(vendor).map_or("", |row| row.base.number.as_str()).into();
    let dimension = |index: usize| {
        let code = &tables.setup().global_dimensions[index];
        document.dimensions.get(code).map_or("", String::as_str).into()
    };
    match field {
        "id" => schema::guid(id),
        "number" => document.number.as_str().into(),
        "postingDate" => schema::date(Some(document.posting_date)),
        "invoiceDate" | "creditMemoDate" => schema::date(Some(document.dated)),
        "dueDate" => schema::date(document.due_date),
        "vendorInvoiceNumber" | "vendorCreditMemoNumber" => document.external_number.as_str().into(),
        "vendorId" => schema::guid(document.vendor),
        "vendorNumber" => number(document.vendor),
        "vendorName" => document.vendor_name.as_str().into(),
        "payToName" => document.pay_to_name.as_str().into(),
        "payToVendorId" => schema::guid(document.pay_to),
        "payToVendorNumber" => number(document.pay_to),
        "shipToName" => document.ship_to_name.as_str().into(),
        "shipToContact" => document.ship_to_contact.as_str().into(),
        "shortcutDimension1Code" => dimension(0),
        "shortcutDimension2Code" => dimension(1),
        "currencyId" | "currencyCode" => currency_cells(tables, &document.currency, field),
        "paymentTermsId" => schema::guid(table_id(&tables.payment_terms, |term| term.code == document.payment_terms)),
        "orderId" | "shipmentMethodId" | "vendorReturnReasonId" => schema::guid(Uuid::nil()),
        "payToContact" | "orderNumber" => "".into(),
        "purchaser" => document.purchaser.as_str().into(),
        "pricesIncludeTax" => document.prices_include_tax.into(),
        "discountAppliedBeforeTax" => false.into(),
        "discountAmount" => schema::decimal(document.invoice_discount),
        "totalAmountExcludingTax" => {
            let figures = document.figures(tables);
            schema::decimal(figures.total - figures.tax)
        }
        "totalAmountIncludingTax" => schema::decimal(document.figures(tables).total),
        "totalTaxAmount" => schema::decimal(document.figures(tables).tax),
        // A released credit memo shows as Open, a released invoice as Draft.
        "status" if document.released && document.kind == DocumentKind::CreditMemo && !document.is_posted() => {
            DocumentStatus::Open.name().into()
        }
        "status" => document.status.name().into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        "invoiceId" => schema::guid(document.applies_to.unwrap_or_default()),
        "invoiceNumber" => {
            let invoice = document.applies_to.and_then(|id| tables.documents.get(id));
            invoice.map_or("", |invoice| invoice.number.as_str()).into()
        }
        _ => address_cell(document, field),
    }
}

fn address_cell(document: &Document, field: &str) -> Value {
    let parts = [("buyFrom", &document.buy_from), ("shipTo", &document.ship_to), ("payTo", &document.pay_to_address)];
    for (prefix, address) in parts {
        let text = match field.strip_prefix(prefix) {
            Some("AddressLine1") => &address.line1,
            Some("AddressLine2") => &address.line2,
            Some("City") => &address.city,
            Some("Country") => &address.country,
            Some("State") => &address.state,
            Some("PostCode") => &address.postal_code,
            _ => continue,
        };
        return text.as_str().into();
    }
    Value::Null
}

/// `currencyId` and `currencyCode`: the company's own currency has the zero id and shows its code.
pub(super) fn currency_cells(tables: &Tables, code: &str, field: &str) -> Value {
    if field == "currencyId" {
        schema::guid(table_id(&tables.currencies, |currency| currency.code == code))
    } else {
        ledger::shown_currency(tables, code).into()
    }
}

/// The id of the row that fits, or the zero id.
pub(super) fn table_id<T: Clone>(table: &Table<T>, wanted: impl Fn(&T) -> bool) -> Uuid {
    table.find(wanted).map_or_else(Uuid::nil, |(id, _)| id)
}
