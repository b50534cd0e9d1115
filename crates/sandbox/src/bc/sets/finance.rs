//! Master data that documents refer to and the API only reads: accounts, dimensions, exchange rates.

use serde_json::Value;
use uuid::Uuid;

use super::EntitySet;
use super::reads::{Reads, anywhere, nothing};
use crate::bc::schema::Kind::{Bool, Code, Date, DateTime, Enum, Guid, Text};
use crate::bc::schema::{self, Schema, r};
use crate::bc::table::{Row, Tables};
use crate::company::{Account, AccountCategory, AccountKind, Dimension, DimensionValue, ExchangeRate};

const CATEGORIES: &[&str] =
    &[schema::BLANK, "Assets", "Liabilities", "Equity", "Income", "Cost_x0020_of_x0020_Goods_x0020_Sold", "Expense"];
const ACCOUNT_TYPES: &[&str] = &["Posting", "Heading", "Total", "Begin_x002D_Total", "End_x002D_Total"];
const TRANSLATIONS: &[&str] = &[
    "Average_x0020_Rate_x0020__x0028_Manual_x0029_",
    "Closing_x0020_Rate",
    "Historical_x0020_Rate",
    "Composite_x0020_Rate",
    "Equity_x0020_Rate",
];

pub(crate) static ACCOUNTS: Reads<Account> = Reads {
    schema: &Schema {
        set: "accounts",
        entity: "account",
        fields: &[
            r("id", Guid),
            r("number", Code(20)),
            r("displayName", Text(100)),
            r("category", Enum(CATEGORIES)),
            r("subCategory", Text(80)),
            r("blocked", Bool),
            r("accountType", Enum(ACCOUNT_TYPES)),
            r("directPosting", Bool),
            r("netChange", schema::Kind::Decimal),
            r("consolidationTranslationMethod", Enum(TRANSLATIONS)),
            r("consolidationDebitAccount", Code(20)),
            r("consolidationCreditAccount", Code(20)),
            r("excludeFromConsolidation", Bool),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.accounts,
    cell: account_cell,
    below: anywhere,
    navigation: nothing,
};

fn account_cell(tables: &Tables, id: Uuid, row: &Row<Account>, field: &str) -> Value {
    let account = &row.value;
    match field {
        "id" => schema::guid(id),
        "number" => account.number.as_str().into(),
        "displayName" => account.name.as_str().into(),
        "category" => match account.category {
            AccountCategory::Assets => "Assets",
            AccountCategory::Liabilities => "Liabilities",
            AccountCategory::Equity => "Equity",
            AccountCategory::Income => "Income",
            AccountCategory::CostOfGoodsSold => "Cost_x0020_of_x0020_Goods_x0020_Sold",
            AccountCategory::Expense => "Expense",
        }
        .into(),
        "subCategory" => account.sub_category.as_str().into(),
        "blocked" => account.blocked.into(),
        "accountType" => account_type(account.kind).into(),
        "directPosting" => account.direct_posting.into(),
        "netChange" => schema::decimal(tables.ledger.net_change(id)),
        "consolidationTranslationMethod" => TRANSLATIONS[0].into(),
        "consolidationDebitAccount" | "consolidationCreditAccount" => "".into(),
        "excludeFromConsolidation" => false.into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    }
}

fn account_type(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Posting => "Posting",
        AccountKind::Heading => "Heading",
        AccountKind::Total => "Total",
        AccountKind::BeginTotal => "Begin_x002D_Total",
        AccountKind::EndTotal => "End_x002D_Total",
    }
}

pub(crate) static DIMENSIONS: Reads<Dimension> = Reads {
    schema: &Schema {
        set: "dimensions",
        entity: "dimension",
        fields: &[
            r("id", Guid),
            r("code", Code(20)),
            r("displayName", Text(30)),
            r("consolidationCode", Code(20)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.dimensions,
    cell: |_, id, row, field| match field {
        "id" => schema::guid(id),
        "code" => row.value.code.as_str().into(),
        "displayName" => row.value.name.as_str().into(),
        "consolidationCode" => "".into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    },
    below: anywhere,
    navigation: |name| (name == "dimensionValues").then_some(&DIMENSION_VALUES as &dyn EntitySet),
};

/// Blocked and heading values are listed like any other.
pub(crate) static DIMENSION_VALUES: Reads<(Uuid, DimensionValue)> = Reads {
    schema: &Schema {
        set: "dimensionValues",
        entity: "dimensionValue",
        fields: &[
            r("id", Guid),
            r("code", Code(20)),
            r("dimensionId", Guid),
            r("displayName", Text(50)),
            r("consolidationCode", Code(20)),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.dimension_values,
    cell: |_, id, row, field| match field {
        "id" => schema::guid(id),
        "code" => row.value.1.code.as_str().into(),
        "dimensionId" => schema::guid(row.value.0),
        "displayName" => row.value.1.name.as_str().into(),
        "consolidationCode" => "".into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    },
    below: |row, parent| row.0 == parent.id,
    navigation: nothing,
};

pub(crate) static EXCHANGE_RATES: Reads<ExchangeRate> = Reads {
    schema: &Schema {
        set: "currencyExchangeRates",
        entity: "currencyExchangeRate",
        fields: &[
            r("id", Guid),
            r("currencyCode", Code(10)),
            r("startingDate", Date),
            r("exchangeRateAmount", schema::Kind::Decimal),
            r("relationalCurrencyCode", Code(10)),
            r("relationalExchangeRateAmount", schema::Kind::Decimal),
            r("lastModifiedDateTime", DateTime),
        ],
    },
    table: |tables| &tables.exchange_rates,
    cell: |_, id, row, field| match field {
        "id" => schema::guid(id),
        "currencyCode" => row.value.currency.as_str().into(),
        "startingDate" => schema::date(Some(row.value.starting_date)),
        "exchangeRateAmount" => schema::decimal(row.value.amount),
        "relationalCurrencyCode" => "".into(),
        "relationalExchangeRateAmount" => schema::decimal(row.value.relational_amount),
        "lastModifiedDateTime" => schema::moment(row.modified),
        _ => Value::Null,
    },
    below: anywhere,
    navigation: nothing,
};
