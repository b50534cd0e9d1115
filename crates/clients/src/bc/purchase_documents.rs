//! Making, finding, posting and deleting purchase invoices and credit memos. The API has no idempotency key and accepts
//! duplicate drafts: whoever creates must look first and, after an unclear answer, only look.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_purchaseinvoice>

use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::Method;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::document::Document;
use super::new_document::{DocumentKind, HeaderBody, HeaderChange, LineBody, NewDocument, NewLine, PlacedLine};
use super::odata::{Filter, Literal, Query, split};
use super::{Company, Pages, failure};
use crate::call::CREATE_TIMEOUT;
use crate::error::Error;
use crate::wire::{id_or_none, instant_or_none};

/// Documents that are looked up with one request.
const MAX_LOOKUPS: usize = 50;

/// Whose invoice it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceVendor {
    /// BC's id of the vendor; none while a draft has none.
    #[serde(default, deserialize_with = "id_or_none")]
    pub vendor_id: Option<Uuid>,
}

/// A document that changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangedDocument {
    /// The id.
    pub id: Uuid,
    /// The last change.
    #[serde(default, rename = "lastModifiedDateTime", deserialize_with = "instant_or_none")]
    pub last_modified: Option<Timestamp>,
}

impl DocumentKind {
    /// What a document is read with: its lines, and the dimensions of both.
    pub(super) const fn expansion(self) -> &'static str {
        match self {
            Self::Invoice => "purchaseInvoiceLines($expand=dimensionSetLines),dimensionSetLines",
            Self::CreditMemo => "purchaseCreditMemoLines($expand=dimensionSetLines),dimensionSetLines",
        }
    }

    /// Numbers, dates and totals.
    const fn totals(self) -> &'static str {
        match self {
            Self::Invoice => {
                "id,number,vendorInvoiceNumber,invoiceDate,postingDate,currencyCode,totalAmountIncludingTax,status"
            }
            Self::CreditMemo => {
                "id,number,vendorCreditMemoNumber,creditMemoDate,postingDate,currencyCode,totalAmountIncludingTax,status"
            }
        }
    }

    pub(super) fn one(self, id: Uuid) -> String {
        format!("{}({id})", self.set())
    }
}

/// A line of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineOf {
    /// Kind of the document.
    pub kind: DocumentKind,
    /// The id of the document.
    pub document: Uuid,
    /// The id of the line.
    pub line: Uuid,
}

impl LineOf {
    fn path(self) -> [String; 2] {
        [self.kind.one(self.document), format!("{}({})", self.kind.lines(), self.line)]
    }
}

/// Whose dimensions: those of a document's header, or of one of its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DimensionsOf {
    /// Kind of the document.
    pub kind: DocumentKind,
    /// The id of the document.
    pub document: Uuid,
    /// The id of the line; none for the header.
    pub line: Option<Uuid>,
}

impl DimensionsOf {
    /// The address of all of them, or of one.
    fn path(self, one: Option<Uuid>) -> Vec<String> {
        let line = self.line.map(|line| format!("{}({line})", self.kind.lines()));
        let set = one.map_or_else(|| "dimensionSetLines".to_owned(), |id| format!("dimensionSetLines({id})"));
        std::iter::once(self.kind.one(self.document)).chain(line).chain([set]).collect()
    }
}

fn segments(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

impl Company {
    /// Creates a draft with its lines and dimensions in one transaction. The answer has no lines: read the document
    /// again to compare it.
    pub async fn create_document(&self, kind: DocumentKind, document: &NewDocument) -> Result<Document, Error> {
        let call = self
            .write("create_document", Method::POST, &[kind.set()])?
            .timeout(CREATE_TIMEOUT)
            .json(&document.body(kind))?;
        self.client.send(call).await?.json()
    }

    /// The ids of the documents that changed after `modified_since`, by a line or by posting too, and when each did. Deleted
    /// ones are not among them.
    pub fn list_changed_documents(
        &self,
        kind: DocumentKind,
        modified_since: Timestamp,
    ) -> Result<Pages<ChangedDocument>, Error> {
        let changed = Filter::after("lastModifiedDateTime", modified_since);
        let query = Query::default().select("id,lastModifiedDateTime").filter(Some(&changed));
        self.pages("list_changed_documents", &[kind.set()], &query)
    }

    /// All documents, drafts and posted, that carry one of these Vendor Invoice Nos. (Vendor Cr. Memo Nos.), of any
    /// vendor, with lines and dimensions. Numbers are compared as Business Central stores them: trimmed, in upper case.
    pub async fn find_documents_by_numbers<S: AsRef<str>>(
        &self,
        kind: DocumentKind,
        numbers: &[S],
    ) -> Result<Vec<Document>, Error> {
        let values: Vec<_> =
            numbers.iter().map(|number| Literal::Text(number.as_ref().trim().to_uppercase())).collect();
        self.find_documents("find_documents_by_numbers", kind, kind.number_field(), &values).await
    }

    /// The documents with these ids that exist, with lines and dimensions, in no particular order.
    pub async fn get_documents(&self, kind: DocumentKind, ids: &[Uuid]) -> Result<Vec<Document>, Error> {
        let values: Vec<_> = ids.iter().copied().map(Literal::Id).collect();
        self.find_documents("get_documents", kind, "id", &values).await
    }

    /// All documents, drafts and posted, with a Posting Date from one day to another, with lines and dimensions.
    pub fn list_documents_between(&self, kind: DocumentKind, from: Date, to: Date) -> Result<Pages<Document>, Error> {
        self.pages("list_documents_between", &[kind.set()], &lookup(kind, &Filter::between("postingDate", from, to)))
    }

    /// All documents, drafts and posted, with a Posting Date on this day or later: numbers, dates and totals only, since there
    /// may be many.
    pub fn list_documents_since(&self, kind: DocumentKind, from: Date) -> Result<Pages<Document>, Error> {
        let since = Filter::since("postingDate", from);
        let query = Query::default().select(kind.totals()).filter(Some(&since));
        self.pages("list_documents_since", &[kind.set()], &query)
    }

    /// The vendors of all purchase invoices, drafts and posted, one entry per invoice.
    pub fn list_invoice_vendors(&self) -> Result<Pages<InvoiceVendor>, Error> {
        self.pages("list_invoice_vendors", &[DocumentKind::Invoice.set()], &Query::default().select("id,vendorId"))
    }

    /// The document with this id, with lines and dimensions.
    pub async fn get_document(&self, kind: DocumentKind, id: Uuid) -> Result<Option<Document>, Error> {
        let query = Query::default().expand(kind.expansion());
        self.find_row(self.read("get_document", &[&kind.one(id)], &query)?).await
    }

    /// Posts a draft. The id stays, the number changes. After an unclear answer the status tells: no longer a draft
    /// means posted.
    pub async fn post_document(&self, kind: DocumentKind, id: Uuid) -> Result<(), Error> {
        let call = self.write("post_document", Method::POST, &[&kind.one(id), "Microsoft.NAV.post"])?;
        self.client.send(call.timeout(CREATE_TIMEOUT)).await?;
        Ok(())
    }

    /// Changes dates and number of a draft, if it is still the version with this etag.
    pub async fn change_header(
        &self,
        kind: DocumentKind,
        id: Uuid,
        etag: &str,
        change: &HeaderChange,
    ) -> Result<(), Error> {
        let call = self.write("change_header", Method::PATCH, &[&kind.one(id)])?.header_text("if-match", etag)?;
        self.client.send(call.json(&HeaderBody(kind, change))?).await?;
        Ok(())
    }

    /// Adds a line to a draft at a place of its own: a place that is taken is refused, so sending again adds none.
    pub async fn add_line(
        &self,
        kind: DocumentKind,
        document: Uuid,
        sequence: i64,
        line: &NewLine,
    ) -> Result<(), Error> {
        let path = [&kind.one(document), kind.lines()];
        let call = self.write("add_line", Method::POST, &path)?.json(&PlacedLine(sequence, line))?;
        self.client.send(call).await?;
        Ok(())
    }

    /// Changes text and cost of a line of a draft. Lines have no dependable etag (business-central.md §5.5).
    pub async fn change_line(&self, line: LineOf, description: &str, unit_cost: Decimal) -> Result<(), Error> {
        let [document, of_line] = line.path();
        let call = self.write("change_line", Method::PATCH, &[&document, &of_line])?.header("if-match", "*");
        self.client.send(call.json(&LineBody { description, unit_cost })?).await?;
        Ok(())
    }

    /// Deletes a line of a draft. That it is already gone counts as deleted.
    pub async fn remove_line(&self, line: LineOf) -> Result<(), Error> {
        let [document, of_line] = line.path();
        let call = self.write("remove_line", Method::DELETE, &[&document, &of_line])?.header("if-match", "*");
        match self.client.send(call).await {
            Err(error) if !failure::is_absent(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Adds a dimension to the header or a line of a draft. One that is there already, by default for instance, is refused.
    /// What is added to the header does not reach lines that are there (business-central.md §5.2). All three work on posted
    /// documents, too, whose ledger entries would not follow: never to be done.
    /// <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/resources/dynamics_dimensionsetline>
    pub async fn add_dimension(&self, place: DimensionsOf, code: &str, value_code: &str) -> Result<(), Error> {
        let body = json!({ "code": code, "valueCode": value_code });
        let call = self.write("add_dimension", Method::POST, &segments(&place.path(None)))?.json(&body)?;
        self.client.send(call).await?;
        Ok(())
    }

    /// Changes the value of a dimension that is on the header or a line of a draft.
    pub async fn change_dimension(&self, place: DimensionsOf, dimension: Uuid, value_code: &str) -> Result<(), Error> {
        let call = self.write("change_dimension", Method::PATCH, &segments(&place.path(Some(dimension))))?;
        let call = call.header("if-match", "*").json(&json!({ "valueCode": value_code }))?;
        self.client.send(call).await?;
        Ok(())
    }

    /// Takes a dimension off the header or a line of a draft. That it is already gone counts as done.
    pub async fn remove_dimension(&self, place: DimensionsOf, dimension: Uuid) -> Result<(), Error> {
        let call = self.write("remove_dimension", Method::DELETE, &segments(&place.path(Some(dimension))))?;
        match self.client.send(call.header("if-match", "*")).await {
            Err(error) if !failure::is_absent(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Deletes a draft, if it is still the version with this etag. That it is already gone counts as deleted.
    pub async fn delete_document(&self, kind: DocumentKind, id: Uuid, etag: &str) -> Result<(), Error> {
        let call = self.write("delete_document", Method::DELETE, &[&kind.one(id)])?.header_text("if-match", etag)?;
        match self.client.send(call).await {
            Err(error) if !failure::is_absent(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn find_documents(
        &self,
        operation: &'static str,
        kind: DocumentKind,
        field: &'static str,
        values: &[Literal],
    ) -> Result<Vec<Document>, Error> {
        let mut documents = Vec::new();
        for part in split(field, values, MAX_LOOKUPS) {
            // `split` gives no empty parts, so there always is a filter.
            let Some(filter) = Filter::any_of(field, &part) else { continue };
            documents.extend(self.pages(operation, &[kind.set()], &lookup(kind, &filter))?.all().await?);
        }
        Ok(documents)
    }
}

fn lookup(kind: DocumentKind, filter: &Filter) -> Query {
    Query::default().filter(Some(filter)).expand(kind.expansion())
}
