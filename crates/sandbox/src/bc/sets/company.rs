//! `companies` and the set-up that can be read: general ledger, company information, accounting periods.

use serde_json::{Value, json};
use uuid::Uuid;

use super::codes::Writes;
use super::reads::{Reads, anywhere, nothing};
use super::{EntitySet, Scope};
use crate::bc::error::Refusal;
use crate::bc::input::Scalar;
use crate::bc::schema::Kind::{Bool, Code, Date, DateTime, Guid, Int64, Text};
use crate::bc::schema::{self, Schema, r, w};
use crate::bc::table::{Information, Row, Setup, Tables};
use crate::company::AccountingPeriod;

/// The platform's list of companies.
pub(crate) struct Companies;

static COMPANIES: Schema = Schema {
    set: "companies",
    entity: "company",
    fields: &[
        r("id", Guid),
        r("systemVersion", Text(50)),
        r("timestamp", Int64),
        r("name", Text(30)),
        r("displayName", Text(250)),
        r("businessProfileId", Text(250)),
        r("systemCreatedAt", DateTime),
        r("systemCreatedBy", Guid),
        r("systemModifiedAt", DateTime),
        r("systemModifiedBy", Guid),
    ],
};

impl EntitySet for Companies {
    fn schema(&self) -> &'static Schema {
        &COMPANIES
    }

    fn keys(&self, tables: &Tables, _scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        Ok(if exact.is_none_or(|id| id == tables.company_id) { vec![tables.company_id] } else { Vec::new() })
    }

    fn cell(&self, tables: &Tables, _scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        match field {
            "id" => schema::guid(id),
            "systemVersion" => crate::bc::VERSION.into(),
            "timestamp" => 1846.into(),
            "name" => tables.company_name.as_str().into(),
            "displayName" => tables.company_display_name.as_str().into(),
            "businessProfileId" => "".into(),
            "systemCreatedAt" | "systemModifiedAt" => schema::moment(tables.created),
            "systemCreatedBy" | "systemModifiedBy" => "00000000-0000-0000-0000-000000000001".into(),
            _ => Value::Null,
        }
    }

    /// The platform's entity comes without an ETag.
    fn etag(&self, _tables: &Tables, _scope: &Scope<'_>, _id: Uuid) -> Option<String> {
        None
    }
}

pub(crate) static SETUP: Reads<Setup> = Reads {
    schema: &Schema {
        set: "generalLedgerSetup",
        entity: "generalLedgerSetup",
        fields: &[
            r("id", Guid),
            r("allowPostingFrom", Date),
            r("allowPostingTo", Date),
            r("additionalReportingCurrency", Code(10)),
            r("localCurrencyCode", Code(10)),
            r("localCurrencySymbol", Text(10)),
            r("lastModifiedDateTime", DateTime),
            r("allowQueryFromConsolidation", Bool),
            r("shortcutDimension1Code", Code(20)),
            r("shortcutDimension2Code", Code(20)),
            r("shortcutDimension3Code", Code(20)),
            r("shortcutDimension4Code", Code(20)),
            r("shortcutDimension5Code", Code(20)),
            r("shortcutDimension6Code", Code(20)),
            r("shortcutDimension7Code", Code(20)),
            r("shortcutDimension8Code", Code(20)),
        ],
    },
    table: |tables| &tables.setup,
    cell: setup_cell,
    below: anywhere,
    navigation: nothing,
};

fn setup_cell(_tables: &Tables, id: Uuid, row: &Row<Setup>, field: &str) -> Value {
    let setup = &row.value;
    let shortcut = |index: usize| setup.shortcut_dimensions.get(index).map_or("", String::as_str).into();
    match field {
        "id" => schema::guid(id),
        "allowPostingFrom" => schema::date(setup.allow_posting_from),
        "allowPostingTo" => schema::date(setup.allow_posting_to),
        "localCurrencyCode" => setup.local_currency.as_str().into(),
        "localCurrencySymbol" => "$".into(),
        "additionalReportingCurrency" => "".into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        "allowQueryFromConsolidation" => false.into(),
        "shortcutDimension1Code" => setup.global_dimensions[0].as_str().into(),
        "shortcutDimension2Code" => setup.global_dimensions[1].as_str().into(),
        "shortcutDimension3Code" => shortcut(0),
        "shortcutDimension4Code" => shortcut(1),
        "shortcutDimension5Code" => shortcut(2),
        "shortcutDimension6Code" => shortcut(3),
        "shortcutDimension7Code" => shortcut(4),
        "shortcutDimension8Code" => shortcut(5),
        _ => Value::Null,
    }
}

pub(crate) static INFORMATION: Writes<Information> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "companyInformation",
            entity: "companyInformation",
            fields: &[
                r("id", Guid),
                w("displayName", Text(100)),
                w("addressLine1", Text(100)),
                w("addressLine2", Text(50)),
                w("city", Text(30)),
                w("state", Text(30)),
                w("country", Code(10)),
                w("postalCode", Code(20)),
                w("phoneNumber", Text(30)),
                w("faxNumber", Text(30)),
                w("email", Text(80)),
                w("website", Text(255)),
                w("taxRegistrationNumber", Text(50)).computed(),
                r("currencyCode", Code(10)).computed(),
                r("currentFiscalYearStartDate", Date).computed(),
                w("industry", Text(30)),
                r("experience", Text(30)).computed(),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.information,
        cell: information_cell,
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.information,
    caption: "Company Information",
    key: None,
    blank: None,
    set: set_information,
};

fn set_information(_tables: &Tables, row: &mut Information, field: &str, value: &Scalar) -> Result<(), Refusal> {
    let Scalar::Text(text) = value else {
        return Err(Refusal::read_only(field));
    };
    let place = match field {
        "displayName" => &mut row.name,
        "addressLine1" => &mut row.address.line1,
        "addressLine2" => &mut row.address.line2,
        "city" => &mut row.address.city,
        "state" => &mut row.address.state,
        "country" => &mut row.address.country,
        "postalCode" => &mut row.address.postal_code,
        "phoneNumber" => &mut row.phone,
        "faxNumber" => &mut row.fax,
        "email" => &mut row.email,
        "website" => &mut row.website,
        "taxRegistrationNumber" => &mut row.tax_number,
        "industry" => &mut row.industry,
        _ => return Err(Refusal::read_only(field)),
    };
    text.clone_into(place);
    Ok(())
}

fn information_cell(tables: &Tables, id: Uuid, row: &Row<Information>, field: &str) -> Value {
    let information = &row.value;
    let address = &information.address;
    match field {
        "id" => schema::guid(id),
        "displayName" => information.name.as_str().into(),
        "addressLine1" => address.line1.as_str().into(),
        "addressLine2" => address.line2.as_str().into(),
        "city" => address.city.as_str().into(),
        "state" => address.state.as_str().into(),
        "country" => address.country.as_str().into(),
        "postalCode" => address.postal_code.as_str().into(),
        "phoneNumber" => information.phone.as_str().into(),
        "faxNumber" => information.fax.as_str().into(),
        "email" => information.email.as_str().into(),
        "website" => information.website.as_str().into(),
        "taxRegistrationNumber" => information.tax_number.as_str().into(),
        "currencyCode" => tables.setup().local_currency.as_str().into(),
        "currentFiscalYearStartDate" => schema::date(Some(information.fiscal_year_start)),
        "industry" => information.industry.as_str().into(),
        "experience" => "Essential".into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}

pub(crate) static PERIODS: Reads<AccountingPeriod> = Reads {
    schema: &Schema {
        set: "accountingPeriods",
        entity: "accountingPeriod",
        fields: &[
            r("id", Guid),
            r("startingDate", Date),
            r("name", Text(10)),
            r("newFiscalYear", Bool),
            r("closed", Bool),
            r("dateLocked", Bool),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.periods,
    cell: |_, id, row, field| match field {
        "id" => schema::guid(id),
        "startingDate" => schema::date(Some(row.value.starting_date)),
        "name" => row.value.name.as_str().into(),
        "newFiscalYear" => row.value.new_fiscal_year.into(),
        "closed" | "dateLocked" => row.value.closed.into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => json!(null),
    },
    below: anywhere,
    navigation: nothing,
};
