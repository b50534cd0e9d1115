//! `vendors`: shape and reading. Writing is in [`super::vendor_write`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::default_dimensions::DefaultDimensions;
use super::documents::{currency_cells, table_id};
use super::{EntitySet, Following, Scope, Work, vendor_write};
use crate::bc::error::Refusal;
use crate::bc::schema::Kind::{Bool, Code, DateTime, Decimal, Enum, Guid, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::{Row, Tables};
use crate::company::{self, Blocked};

/// A vendor as BC stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vendor {
    pub(crate) base: company::Vendor,
    pub(crate) tax_number: String,
    pub(crate) irs1099_code: String,
    pub(crate) tax_liable: bool,
    pub(crate) payment_method: String,
    pub(crate) privacy_blocked: bool,
    /// Gen. Bus. Posting Group.
    pub(crate) business_group: String,
    pub(crate) posting_group: String,
    #[serde(default)]
    pub(crate) invoice_discount: Option<InvoiceDiscount>,
}

/// "Vendor Invoice Discounts": what is taken off an invoice as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceDiscount {
    /// The lines must add up to this.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub minimum: rust_decimal::Decimal,
    /// Percent of the lines.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub percent: rust_decimal::Decimal,
}

impl Vendor {
    pub(crate) fn of(base: &company::Vendor) -> Self {
        Self {
            base: base.clone(),
            tax_number: String::new(),
            irs1099_code: String::new(),
            tax_liable: false,
            payment_method: String::new(),
            privacy_blocked: false,
            business_group: "DOMESTIC".to_owned(),
            posting_group: "DOMESTIC".to_owned(),
            invoice_discount: None,
        }
    }
}

/// The set.
pub(crate) struct Vendors;

static SCHEMA: Schema = Schema {
    set: "vendors",
    entity: "vendor",
    fields: &[
        r("id", Guid),
        w("number", Code(20)),
        w("displayName", Text(100)),
        w("addressLine1", Text(100)),
        w("addressLine2", Text(50)),
        w("city", Text(30)),
        w("state", Text(30)),
        w("country", Code(10)),
        w("postalCode", Code(20)),
        w("phoneNumber", Text(30)),
        w("email", Text(80)),
        w("website", Text(255)),
        w("taxRegistrationNumber", Text(50)).computed(),
        w("currencyId", Guid),
        w("currencyCode", Code(10)).computed(),
        w("irs1099Code", Code(10)).computed(),
        w("paymentTermsId", Guid),
        w("paymentMethodId", Guid),
        w("taxLiable", Bool),
        w("blocked", Enum(&[schema::BLANK, "Payment", "All"])),
        r("balance", Decimal),
        r("lastModifiedDateTime", DateTime),
    ],
};

impl EntitySet for Vendors {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        match name {
            "documentAttachments" => Some(&super::attachments::DOCUMENT_ATTACHMENTS),
            "defaultDimensions" => Some(&DefaultDimensions),
            "agedAccountsPayable" => Some(&super::payables::AgedPayables),
            _ => None,
        }
    }

    fn single(&self, name: &str) -> Option<(&'static str, &'static dyn EntitySet)> {
        Some(match name {
            "currency" => ("currencyId", &super::codes::CURRENCIES),
            "paymentTerm" => ("paymentTermsId", &super::codes::PAYMENT_TERMS),
            "paymentMethod" => ("paymentMethodId", &super::codes::PAYMENT_METHODS),
            _ => return None,
        })
    }

    fn keys(&self, tables: &Tables, _scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        Ok(match exact {
            Some(id) => tables.vendors.get(id).map(|_| id).into_iter().collect(),
            None => tables.vendors.ids(),
        })
    }

    fn following<'a>(&self, tables: &'a Tables, after: Option<Uuid>) -> Option<Following<'a>> {
        Some(Box::new(tables.vendors.following(after).map(|(id, _)| id)))
    }

    fn lookup(&self, tables: &Tables, field: &str, value: &str) -> Option<Vec<Uuid>> {
        (field == "number").then(|| tables.vendor_by_number(value).map(|(id, _)| id).into_iter().collect())
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        tables.vendors.row(id).map_or(Value::Null, |row| cell(tables, id, row, field))
    }

    fn etag(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid) -> Option<String> {
        tables.vendors.row(id).map(|row| Tables::etag(id, row.version))
    }

    fn insert(&self, work: &mut Work<'_>, _scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        vendor_write::insert(work, body)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        vendor_write::update(work, id, body)
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        vendor_write::delete(work, id)
    }
}

fn cell(tables: &Tables, id: Uuid, row: &Row<Vendor>, field: &str) -> Value {
    let vendor = &row.value.base;
    match field {
        "id" => schema::guid(id),
        "number" => vendor.number.as_str().into(),
        "displayName" => vendor.name.as_str().into(),
        "addressLine1" => vendor.address.line1.as_str().into(),
        "addressLine2" => vendor.address.line2.as_str().into(),
        "city" => vendor.address.city.as_str().into(),
        "state" => vendor.address.state.as_str().into(),
        "country" => vendor.address.country.as_str().into(),
        "postalCode" => vendor.address.postal_code.as_str().into(),
        "phoneNumber" => vendor.phone.as_str().into(),
        "email" => vendor.email.as_str().into(),
        "website" => vendor.website.as_str().into(),
        "taxRegistrationNumber" => row.value.tax_number.as_str().into(),
        "currencyId" | "currencyCode" => currency_cells(tables, &vendor.currency, field),
        "irs1099Code" => row.value.irs1099_code.as_str().into(),
        "paymentTermsId" => schema::guid(table_id(&tables.payment_terms, |term| term.code == vendor.payment_terms)),
        "paymentMethodId" => {
            schema::guid(table_id(&tables.payment_methods, |method| method.code == row.value.payment_method))
        }
        "taxLiable" => row.value.tax_liable.into(),
        "blocked" => blocked(vendor.blocked).into(),
        "balance" => schema::decimal(tables.ledger.balance(id)),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}

fn blocked(blocked: Blocked) -> &'static str {
    match blocked {
        Blocked::No => schema::BLANK,
        Blocked::Payment => "Payment",
        Blocked::All => "All",
    }
}
