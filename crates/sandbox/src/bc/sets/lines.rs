//! `purchaseInvoiceLines` and `purchaseCreditMemoLines`: shapes and reading.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::dimension_set_lines::DimensionSetLines;
use super::documents::table_id;
use super::{EntitySet, Scope, Work};
use crate::bc::document::{Document, DocumentKind, Line, LineKind, header, line};
use crate::bc::error::Refusal;
use crate::bc::index::Key;
use crate::bc::odata::filter::Operand;
use crate::bc::rules::TaxSystem;
use crate::bc::schema::Kind::{Bool, Code, Date, Decimal, Enum, Guid, Int, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::Tables;

/// The lines of one kind of document.
pub(crate) struct Lines {
    kind: DocumentKind,
    schema: &'static Schema,
}

pub(crate) static INVOICE_LINES: Lines = Lines {
    kind: DocumentKind::Invoice,
    schema: &Schema {
        set: "purchaseInvoiceLines",
        entity: "purchaseInvoiceLine",
        fields: &[
            r("id", Guid),
            w("documentId", Guid),
            w("sequence", Int),
            w("itemId", Guid),
            w("accountId", Guid),
            w("lineType", Enum(LineKind::NAMES)),
            w("lineObjectNumber", Code(20)),
            w("description", Text(100)),
            w("description2", Text(50)),
            w("unitOfMeasureId", Guid),
            w("unitOfMeasureCode", Code(10)),
            w("unitCost", Decimal),
            w("quantity", Decimal),
            w("discountAmount", Decimal),
            w("discountPercent", Decimal),
            r("discountAppliedBeforeTax", Bool),
            w("amountExcludingTax", Decimal),
            w("taxCode", Code(50)),
            r("taxPercent", Decimal),
            r("totalTaxAmount", Decimal),
            w("amountIncludingTax", Decimal),
            w("invoiceDiscountAllocation", Decimal),
            w("netAmount", Decimal),
            w("netTaxAmount", Decimal),
            w("netAmountIncludingTax", Decimal),
            w("expectedReceiptDate", Date),
            w("itemVariantId", Guid),
            w("locationId", Guid),
        ],
    },
};

pub(crate) static CREDIT_MEMO_LINES: Lines = Lines {
    kind: DocumentKind::CreditMemo,
    schema: &Schema {
        set: "purchaseCreditMemoLines",
        entity: "purchaseCreditMemoLine",
        fields: &[
            r("id", Guid),
            w("documentId", Guid),
            w("sequence", Int),
            w("itemId", Guid),
            w("accountId", Guid),
            w("lineType", Enum(LineKind::NAMES)),
            w("lineObjectNumber", Code(20)),
            w("description", Text(100)),
            w("unitOfMeasureId", Guid),
            w("unitOfMeasureCode", Code(10)),
            w("unitCost", Decimal),
            w("quantity", Decimal),
            w("discountAmount", Decimal),
            w("discountPercent", Decimal),
            r("discountAppliedBeforeTax", Bool),
            r("amountExcludingTax", Decimal),
            w("taxCode", Code(50)),
            r("taxPercent", Decimal),
            r("totalTaxAmount", Decimal),
            r("amountIncludingTax", Decimal),
            r("invoiceDiscountAllocation", Decimal),
            r("netAmount", Decimal),
            r("netTaxAmount", Decimal),
            r("netAmountIncludingTax", Decimal),
            w("itemVariantId", Guid),
            w("locationId", Guid),
        ],
    },
};

/// The lines of a kind.
pub(crate) fn of(kind: DocumentKind) -> &'static Lines {
    match kind {
        DocumentKind::Invoice => &INVOICE_LINES,
        DocumentKind::CreditMemo => &CREDIT_MEMO_LINES,
    }
}

/// A line by its id, with its document's.
pub(crate) fn find(tables: &Tables, kind: DocumentKind, id: Uuid) -> Option<(Uuid, &Line)> {
    let mut ours = tables.documents.with(Key::Line(id)).filter(|(_, document)| document.kind == kind);
    ours.find_map(|(document_id, document)| Some((document_id, document.line(id)?)))
}

/// The document that a scope names, by its path or by a filter on `documentId`.
fn document_id(scope: &Scope<'_>) -> Option<Uuid> {
    if let Some(parent) = scope.parent {
        return Some(parent.id);
    }
    match scope.filter?.required("documentId")? {
        Operand::Text(text) => Uuid::try_parse(text).ok(),
        _ => None,
    }
}

impl Lines {
    pub(crate) fn name(&self) -> &'static str {
        self.schema.set
    }

    fn document<'a>(&self, tables: &'a Tables, scope: &Scope<'_>, line: Uuid) -> Option<(Uuid, &'a Document)> {
        let id = document_id(scope).or_else(|| find(tables, self.kind, line).map(|(id, _)| id))?;
        tables.documents.get(id).filter(|document| document.kind == self.kind).map(|document| (id, document))
    }
}

impl EntitySet for Lines {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        (name == "dimensionSetLines").then_some(&DimensionSetLines as &dyn EntitySet)
    }

    fn single(&self, name: &str) -> Option<(&'static str, &'static dyn EntitySet)> {
        Some(match name {
            "account" => ("accountId", &super::finance::ACCOUNTS),
            "item" => ("itemId", &super::items::ITEMS),
            "itemVariant" => ("itemVariantId", &super::items::VARIANTS),
            "unitOfMeasure" => ("unitOfMeasureId", &super::items::UNITS),
            "purchaseInvoice" if self.kind == DocumentKind::Invoice => ("documentId", &super::documents::INVOICES),
            "purchaseCreditMemo" if self.kind == DocumentKind::CreditMemo => {
                ("documentId", &super::documents::CREDIT_MEMOS)
            }
            _ => return None,
        })
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        if let Some(id) = document_id(scope) {
            let document = tables.documents.get(id).filter(|document| document.kind == self.kind);
            return Ok(document
                .map(|document| document.lines.iter().map(|line| line.id).collect())
                .unwrap_or_default());
        }
        let word = if self.kind == DocumentKind::Invoice { "Id" } else { "id" };
        let missing = || Refusal::dialog(format!("You must specify an {word} or a Document Id to get the lines."));
        let id = exact.ok_or_else(missing)?;
        Ok(find(tables, self.kind, id).map(|_| id).into_iter().collect())
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        let found = self.document(tables, scope, id).and_then(|(document_id, document)| {
            let index = document.place(id)?;
            Some(cell(tables, document_id, document, index, field))
        });
        found.unwrap_or(Value::Null)
    }

    /// Lines have no version of their own: the document's stands for it.
    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String> {
        let (document, _) = self.document(tables, scope, id)?;
        tables.documents.row(document).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        let sent = body.get("documentId").and_then(Value::as_str).and_then(|text| Uuid::try_parse(text).ok());
        let id = scope.parent.map(|parent| parent.id).or(sent).filter(|id| !id.is_nil());
        let id = id.ok_or_else(|| Refusal::dialog("You must specify a document id to get the lines."))?;
        if work.tables.documents.get(id).is_none_or(|document| document.kind != self.kind) {
            return Err(Refusal::dialog("No document with the specified ID exists."));
        }
        let mut document = header::draft(work.tables, self.kind, id)?;
        let line = line::add(work, self.kind, &mut document, body)?;
        work.tables.put(|tables| &mut tables.documents, id, document, work.now);
        Ok(line)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        line::update(work, self.kind, id, body)
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        line::delete(work, self.kind, id)
    }
}

fn cell(tables: &Tables, document_id: Uuid, document: &Document, index: usize, field: &str) -> Value {
    let line = &document.lines[index];
    let amounts = || document.figures(tables).amounts[index];
    match field {
        "id" => schema::guid(line.id),
        "documentId" => schema::guid(document_id),
        "sequence" => line.sequence.into(),
        "itemId" => schema::guid(line.item),
        "itemVariantId" => schema::guid(line.variant),
        "unitOfMeasureId" => schema::guid(table_id(&tables.units, |unit| unit.code == line.unit)),
        "locationId" => schema::guid(Uuid::nil()),
        "accountId" => schema::guid(line.account),
        "lineType" => line.kind.name().into(),
        "lineObjectNumber" => line.number.as_str().into(),
        "description" => line.description.as_str().into(),
        "description2" => line.description2.as_str().into(),
        "unitOfMeasureCode" => line.unit.as_str().into(),
        "unitCost" => schema::decimal(line.unit_cost),
        "quantity" => schema::decimal(line.quantity),
        "discountAmount" => schema::decimal(line.discount_amount),
        "discountPercent" => schema::decimal(line.discount_percent),
        "discountAppliedBeforeTax" => false.into(),
        "amountExcludingTax" => schema::decimal(amounts().excluding),
        "amountIncludingTax" => schema::decimal(amounts().including),
        "taxCode" => shown_tax_code(tables, &line.tax_code).into(),
        "taxPercent" => schema::decimal(line.tax_percent),
        "totalTaxAmount" => schema::decimal(amounts().including - amounts().excluding),
        "netTaxAmount" => schema::decimal(amounts().net_tax),
        "invoiceDiscountAllocation" => schema::decimal(amounts().allocated),
        "netAmount" => schema::decimal(amounts().net),
        "netAmountIncludingTax" => schema::decimal(amounts().net + amounts().net_tax),
        "expectedReceiptDate" => schema::date(line.expected_receipt_date),
        _ => Value::Null,
    }
}

/// A VAT company shows the VAT identifier instead of the product posting group that was sent.
fn shown_tax_code<'a>(tables: &'a Tables, code: &'a str) -> &'a str {
    let identifier = tables.rules.tax_codes.get(code).map(|code| code.identifier.as_str());
    identifier.filter(|text| tables.rules.tax == TaxSystem::Vat && !text.is_empty()).unwrap_or(code)
}
