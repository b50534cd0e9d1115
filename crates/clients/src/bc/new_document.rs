//! A draft purchase invoice or credit memo as it is sent. Business Central validates field by field in the order it
//! receives them, so the order here matters: vendor before dates, posting date before document date, line type before
//! number, quantity before cost, prices including tax before lines.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::ser::{SerializeMap, SerializeSeq as _};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::decimal::Exact;

/// Which of the two purchase documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A purchase invoice.
    Invoice,
    /// A purchase credit memo.
    CreditMemo,
}

impl DocumentKind {
    /// The name of the set of documents.
    pub(super) const fn set(self) -> &'static str {
        match self {
            Self::Invoice => "purchaseInvoices",
            Self::CreditMemo => "purchaseCreditMemos",
        }
    }

    /// The name of the lines below a document.
    pub(super) const fn lines(self) -> &'static str {
        match self {
            Self::Invoice => "purchaseInvoiceLines",
            Self::CreditMemo => "purchaseCreditMemoLines",
        }
    }

    /// The field with the vendor's (or our) document number.
    pub(super) const fn number_field(self) -> &'static str {
        match self {
            Self::Invoice => "vendorInvoiceNumber",
            Self::CreditMemo => "vendorCreditMemoNumber",
        }
    }

    const fn date_field(self) -> &'static str {
        match self {
            Self::Invoice => "invoiceDate",
            Self::CreditMemo => "creditMemoDate",
        }
    }
}

/// A document to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// The number of the vendor.
    pub vendor_number: String,
    /// The date in the ledger.
    pub posting_date: Date,
    /// The date on the document.
    pub document_date: Date,
    /// The due date; from the vendor's payment terms if not given.
    pub due_date: Option<Date>,
    /// Vendor Invoice No. or Vendor Cr. Memo No., at most 35 characters, stored in upper case.
    pub number: String,
    /// The currency; the company's own if not given.
    pub currency_code: Option<String>,
    /// Whether unit costs include VAT; not sent for credit memos, where it is read-only, nor if it does not matter.
    pub prices_include_tax: Option<bool>,
    /// Dimensions of the document, as code and value code; lines inherit them.
    pub dimensions: Vec<(String, String)>,
    /// The lines, in order.
    pub lines: Vec<NewLine>,
    /// The posted invoice that a credit memo applies to; not sent for invoices.
    pub applies_to_invoice_id: Option<Uuid>,
}

/// A line to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewLine {
    /// An amount on a G/L account.
    Account {
        /// The number of the account.
        account_number: String,
        /// The text, at most 100 characters.
        description: String,
        /// The quantity; Business Central's own default is zero.
        quantity: Decimal,
        /// The cost of one unit.
        unit_cost: Decimal,
        /// Tax group, or VAT product posting group in VAT countries.
        tax_code: Option<String>,
        /// Dimensions of the line, as code and value code.
        dimensions: Vec<(String, String)>,
    },
    /// A line with text only.
    Comment {
        /// The text, at most 100 characters.
        description: String,
    },
}

/// New dates and number of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChange {
    /// The date in the ledger.
    pub posting_date: Date,
    /// The date on the document.
    pub document_date: Date,
    /// The due date; as Business Central computes it from the vendor's payment terms if not given.
    pub due_date: Option<Date>,
    /// Vendor Invoice No. or Vendor Cr. Memo No.
    pub number: String,
}

/// A change of a draft's header with its kind, in the order of the wire: each date may move the ones after it.
pub(super) struct HeaderBody<'a>(pub(super) DocumentKind, pub(super) &'a HeaderChange);

impl Serialize for HeaderBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(kind, change) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("postingDate", &change.posting_date)?;
        map.serialize_entry(kind.date_field(), &change.document_date)?;
        if let Some(due_date) = &change.due_date {
            map.serialize_entry("dueDate", due_date)?;
        }
        map.serialize_entry(kind.number_field(), &change.number)?;
        map.end()
    }
}

/// A line with its place in the document.
pub(super) struct PlacedLine<'a>(pub(super) i64, pub(super) &'a NewLine);

impl Serialize for PlacedLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &self.0)?;
        self.1.entries(&mut map)?;
        map.end()
    }
}

/// New text and cost of a line.
pub(super) struct LineBody<'a> {
    pub(super) description: &'a str,
    pub(super) unit_cost: Decimal,
}

impl Serialize for LineBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("description", self.description)?;
        map.serialize_entry("unitCost", &Exact(self.unit_cost))?;
        map.end()
    }
}

impl NewDocument {
    /// The body as it is sent, for instance to keep its hash with the intent.
    pub fn to_json(&self, kind: DocumentKind) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.body(kind))
    }

    pub(super) fn body(&self, kind: DocumentKind) -> Body<'_> {
        Body { kind, document: self }
    }
}

/// A document with its kind, in the order of the wire.
pub(super) struct Body<'a> {
    kind: DocumentKind,
    document: &'a NewDocument,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, document } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("vendorNumber", &document.vendor_number)?;
        map.serialize_entry("postingDate", &document.posting_date)?;
        map.serialize_entry(kind.date_field(), &document.document_date)?;
        if let Some(due_date) = &document.due_date {
            map.serialize_entry("dueDate", due_date)?;
        }
        map.serialize_entry(kind.number_field(), &document.number)?;
        if let Some(currency_code) = &document.currency_code {
            map.serialize_entry("currencyCode", currency_code)?;
        }
        if let (DocumentKind::Invoice, Some(include)) = (kind, document.prices_include_tax) {
            map.serialize_entry("pricesIncludeTax", &include)?;
        }
        if let (DocumentKind::CreditMemo, Some(invoice_id)) = (kind, &document.applies_to_invoice_id) {
            map.serialize_entry("invoiceId", invoice_id)?;
        }
        if !document.dimensions.is_empty() {
            map.serialize_entry("dimensionSetLines", &Dimensions(&document.dimensions))?;
        }
        map.serialize_entry(kind.lines(), &document.lines)?;
        map.end()
    }
}

impl Serialize for NewLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

impl NewLine {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Account { account_number, description, quantity, unit_cost, tax_code, dimensions } => {
                map.serialize_entry("lineType", "Account")?;
                map.serialize_entry("lineObjectNumber", account_number)?;
                map.serialize_entry("description", description)?;
                map.serialize_entry("quantity", &Exact(*quantity))?;
                map.serialize_entry("unitCost", &Exact(*unit_cost))?;
                if let Some(tax_code) = tax_code {
                    map.serialize_entry("taxCode", tax_code)?;
                }
                if !dimensions.is_empty() {
                    map.serialize_entry("dimensionSetLines", &Dimensions(dimensions))?;
                }
            }
            Self::Comment { description } => {
                map.serialize_entry("lineType", "Comment")?;
                map.serialize_entry("description", description)?;
            }
        }
        Ok(())
    }
}

struct Dimensions<'a>(&'a [(String, String)]);

impl Serialize for Dimensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Line<'a> {
            code: &'a str,
            value_code: &'a str,
        }
        let mut lines = serializer.serialize_seq(Some(self.0.len()))?;
        for (code, value_code) in self.0 {
            lines.serialize_element(&Line { code, value_code })?;
        }
        lines.end()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn document() -> NewDocument {
        NewDocument {
            vendor_number: "20000".to_owned(),
            posting_date: "2026-03-01".parse().unwrap(),
            document_date: "2026-02-27".parse().unwrap(),
            due_date: Some("2026-03-31".parse().unwrap()),
            number: "BRX-107001".to_owned(),
            currency_code: Some("EUR".to_owned()),
            prices_include_tax: Some(true),
            dimensions: vec![("DEPARTMENT".to_owned(), "ADM".to_owned())],
            lines: vec![
                NewLine::Account {
                    account_number: "60500".to_owned(),
                    description: "SaaS subscription".to_owned(),
                    quantity: Decimal::ONE,
                    unit_cost: "125.40".parse().unwrap(),
                    tax_code: Some("NONTAXABLE".to_owned()),
                    dimensions: vec![("PROJECT".to_owned(), "P-14".to_owned())],
                },
                NewLine::Comment { description: "Brex expense 123".to_owned() },
            ],
            applies_to_invoice_id: Some(Uuid::nil()),
        }
    }

    #[test]
    fn an_invoice_is_sent_in_the_order_that_business_central_validates() {
        insta::assert_snapshot!(document().to_json(DocumentKind::Invoice).unwrap(), @r#"{"vendorNumber":"20000","postingDate":"2026-03-01","invoiceDate":"2026-02-27","dueDate":"2026-03-31","vendorInvoiceNumber":"BRX-107001","currencyCode":"EUR","pricesIncludeTax":true,"dimensionSetLines":[{"code":"DEPARTMENT","valueCode":"ADM"}],"purchaseInvoiceLines":[{"lineType":"Account","lineObjectNumber":"60500","description":"SaaS subscription","quantity":1,"unitCost":125.40,"taxCode":"NONTAXABLE","dimensionSetLines":[{"code":"PROJECT","valueCode":"P-14"}]},{"lineType":"Comment","description":"Brex expense 123"}]}"#);
    }

    #[test]
    fn a_credit_memo_has_its_own_names_and_can_apply_to_an_invoice() {
        let mut memo = document();
        memo.lines.truncate(0);
        memo.dimensions.clear();
        memo.due_date = None;
        memo.currency_code = None;
        insta::assert_snapshot!(memo.to_json(DocumentKind::CreditMemo).unwrap(), @r#"{"vendorNumber":"20000","postingDate":"2026-03-01","creditMemoDate":"2026-02-27","vendorCreditMemoNumber":"BRX-107001","invoiceId":"00000000-0000-0000-0000-000000000000","purchaseCreditMemoLines":[]}"#);
    }
}
