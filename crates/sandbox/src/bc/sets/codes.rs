//! Sets over one table whose rows can be created, changed and deleted: currencies, payment terms and methods, tax groups
//! and areas. Bank accounts and the company information have their fields elsewhere and their writing here.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::reads::{Reads, anywhere, nothing};
use super::{EntitySet, Scope, Work};
use crate::bc::document::formula;
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::rules::TaxSystem;
use crate::bc::schema::Kind::{self, Bool, Code, DateTime, Enum, Guid, Text};
use crate::bc::schema::{self, Field, Schema, r, w};
use crate::bc::table::{Table, Tables};
use crate::company::{Currency, PaymentTerm, TaxGroup};

/// The caption of a primary key, and how to read it.
type Key<T> = (&'static str, fn(&T) -> &str);

/// A table that is read and written.
pub(crate) struct Writes<T: 'static> {
    pub(crate) reads: Reads<T>,
    pub(crate) table: fn(&mut Tables) -> &mut Table<T>,
    /// The table's caption in error texts.
    pub(crate) caption: &'static str,
    /// The caption and value of the primary key; none if there is one row, which cannot be renamed.
    pub(crate) key: Option<Key<T>>,
    /// A new row; none if rows are neither added nor deleted.
    pub(crate) blank: Option<fn(Uuid) -> T>,
    pub(crate) set: fn(&Tables, &mut T, &str, &Scalar) -> Result<(), Refusal>,
}

impl<T: Clone> Writes<T> {
    /// Validates the fields one by one and stores the row.
    fn store(&self, work: &mut Work<'_>, id: Uuid, mut row: T, input: &Input) -> Result<(), Refusal> {
        for (name, value) in &input.fields {
            (self.set)(work.tables, &mut row, name, value)?;
        }
        if let Some((field, key)) = self.key {
            let key_of_row = key(&row);
            if key_of_row.is_empty() {
                return Err(Refusal::field(format!(
                    "{field} must have a value in {}: {field}=. It cannot be zero or empty.",
                    self.caption
                )));
            }
            if (self.reads.table)(work.tables).iter().any(|(other, found)| other != id && key(found) == key_of_row) {
                return Err(Refusal::same_key(self.caption, field, key_of_row));
            }
        }
        work.tables.put(self.table, id, row, work.now);
        Ok(())
    }
}

impl<T: Clone + Sync + 'static> EntitySet for Writes<T> {
    fn schema(&self) -> &'static Schema {
        self.reads.schema
    }

    fn navigation(&self, name: &str) -> Option<&'static dyn EntitySet> {
        (self.reads.navigation)(name)
    }

    fn keys(&self, tables: &Tables, scope: &Scope<'_>, exact: Option<Uuid>) -> Result<Vec<Uuid>, Refusal> {
        self.reads.keys(tables, scope, exact)
    }

    fn cell(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid, field: &str) -> Value {
        self.reads.cell(tables, scope, id, field)
    }

    fn etag(&self, tables: &Tables, scope: &Scope<'_>, id: Uuid) -> Option<String> {
        self.reads.etag(tables, scope, id)
    }

    fn insert(&self, work: &mut Work<'_>, scope: &Scope<'_>, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
        let blank = self.blank.ok_or_else(|| Refusal::verb("POST", self.reads.schema.set, "Entity"))?;
        let id = work.ids.guid();
        let mut body = body.clone();
        if let Some(parent) = scope.parent {
            // Below a parent, its id comes from the path.
            body.insert(format!("{}Id", parent.set.schema().entity), schema::guid(parent.id));
        }
        let input = Input::read(&self.reads, &body, true)?;
        if !input.nested.is_empty() {
            return Err(Refusal::bad_request("Create the nested rows with requests of their own."));
        }
        self.store(work, id, blank(id), &input)?;
        Ok(id)
    }

    fn update(
        &self,
        work: &mut Work<'_>,
        _scope: &Scope<'_>,
        id: Uuid,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let input = Input::read(&self.reads, body, false)?;
        let row = (self.reads.table)(work.tables).get(id).cloned();
        let row = row.ok_or_else(|| Refusal::no_segment(self.reads.schema.set))?;
        if input.fields.is_empty() { Ok(()) } else { self.store(work, id, row, &input) }
    }

    fn delete(&self, work: &mut Work<'_>, _scope: &Scope<'_>, id: Uuid) -> Result<(), Refusal> {
        if self.blank.is_none() {
            return Err(Refusal::verb("DELETE", self.reads.schema.set, "Entity"));
        }
        (self.table)(work.tables).remove(id);
        Ok(())
    }
}

/// A row with a code and a name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Coded {
    pub(crate) code: String,
    pub(crate) name: String,
}

impl Coded {
    pub(crate) fn of(code: &str, name: &str) -> Self {
        Self { code: code.to_owned(), name: name.to_owned() }
    }
}

pub(crate) const FIRST_PAYMENT_METHODS: &[(&str, &str)] =
    &[("BANK", "Bank transfer"), ("CARD", "Card payment"), ("CHECK", "Check payment")];
pub(crate) const FIRST_TAX_AREAS: &[(&str, &str)] = &[("ATLANTA, GA", "Atlanta, GA"), ("CHICAGO, IL", "Chicago, IL")];

/// `code` and `displayName`.
fn set_named(code: &mut String, name: &mut String, field: &str, value: &Scalar) -> Result<(), Refusal> {
    match (field, value) {
        ("code", Scalar::Text(text)) => text.clone_into(code),
        ("displayName", Scalar::Text(text)) => text.clone_into(name),
        _ => return Err(Refusal::read_only(field)),
    }
    Ok(())
}

const TAX_FIELDS: &[Field] = &[
    r("id", Guid),
    w("code", Code(20)),
    w("displayName", Text(100)),
    r("taxType", Enum(&["Sales_x0020_Tax", "VAT"])),
    r("lastModifiedDateTime", DateTime),
];

pub(crate) static PAYMENT_METHODS: Writes<Coded> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "paymentMethods",
            entity: "paymentMethod",
            fields: &[
                r("id", Guid),
                w("code", Code(10)),
                w("displayName", Text(100)),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.payment_methods,
        cell: |_, id, row, field| named_cell(id, &row.value.code, &row.value.name, row.modified, field),
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.payment_methods,
    caption: "Payment Method",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|_| Coded::default()),
    set: |_, row, field, value| set_named(&mut row.code, &mut row.name, field, value),
};

pub(crate) static TAX_AREAS: Writes<Coded> = Writes {
    reads: Reads {
        schema: &Schema { set: "taxAreas", entity: "taxArea", fields: TAX_FIELDS },
        table: |tables| &tables.tax_areas,
        cell: |tables, id, row, field| match field {
            "taxType" => tax_type(tables),
            _ => named_cell(id, &row.value.code, &row.value.name, row.modified, field),
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.tax_areas,
    caption: "Tax Area",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|_| Coded::default()),
    set: |_, row, field, value| set_named(&mut row.code, &mut row.name, field, value),
};

pub(crate) static TAX_GROUPS: Writes<TaxGroup> = Writes {
    reads: Reads {
        schema: &Schema { set: "taxGroups", entity: "taxGroup", fields: TAX_FIELDS },
        table: |tables| &tables.tax_groups,
        cell: |tables, id, row, field| match field {
            "taxType" => tax_type(tables),
            _ => named_cell(id, &row.value.code, &row.value.name, row.modified, field),
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.tax_groups,
    caption: "Tax Group",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|id| TaxGroup { id, code: String::new(), name: String::new() }),
    set: |_, row, field, value| set_named(&mut row.code, &mut row.name, field, value),
};

fn tax_type(tables: &Tables) -> Value {
    match tables.rules.tax {
        TaxSystem::SalesTax => "Sales_x0020_Tax".into(),
        TaxSystem::Vat => "VAT".into(),
    }
}

fn named_cell(id: Uuid, code: &str, name: &str, modified: jiff::Timestamp, field: &str) -> Value {
    match field {
        "id" => schema::guid(id),
        "code" => code.into(),
        "displayName" => name.into(),
        "lastModifiedDateTime" => schema::moment(modified),
        _ => Value::Null,
    }
}

pub(crate) static CURRENCIES: Writes<Currency> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "currencies",
            entity: "currency",
            fields: &[
                r("id", Guid),
                w("code", Code(10)),
                w("displayName", Text(30)),
                w("symbol", Text(10)),
                w("amountDecimalPlaces", Text(5)),
                w("amountRoundingPrecision", Kind::Decimal),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.currencies,
        cell: |_, id, row, field| match field {
            "symbol" => row.value.symbol.as_str().into(),
            "amountDecimalPlaces" => row.value.decimal_places.as_str().into(),
            "amountRoundingPrecision" => schema::decimal(row.value.amount_precision),
            _ => named_cell(id, &row.value.code, &row.value.name, row.modified, field),
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.currencies,
    caption: "Currency",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|id| Currency {
        id,
        code: String::new(),
        name: String::new(),
        symbol: String::new(),
        amount_precision: Decimal::new(1, 2),
        decimal_places: "2:2".to_owned(),
    }),
    set: |_, row, field, value| match (field, value) {
        ("symbol", Scalar::Text(text)) => {
            text.clone_into(&mut row.symbol);
            Ok(())
        }
        ("amountDecimalPlaces", Scalar::Text(text)) => {
            text.clone_into(&mut row.decimal_places);
            Ok(())
        }
        ("amountRoundingPrecision", Scalar::Decimal(precision)) if *precision > Decimal::ZERO => {
            row.amount_precision = *precision;
            Ok(())
        }
        ("amountRoundingPrecision", _) => {
            Err(Refusal::field(format!("Invoice Rounding Precision must be positive in Currency: Code={}.", row.code)))
        }
        _ => set_named(&mut row.code, &mut row.name, field, value),
    },
};

pub(crate) static PAYMENT_TERMS: Writes<PaymentTerm> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "paymentTerms",
            entity: "paymentTerm",
            fields: &[
                r("id", Guid),
                w("code", Code(10)),
                w("displayName", Text(100)),
                w("dueDateCalculation", Text(32)),
                w("discountDateCalculation", Text(32)),
                w("discountPercent", Kind::Decimal),
                w("calculateDiscountOnCreditMemos", Bool),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.payment_terms,
        cell: |_, id, row, field| match field {
            "dueDateCalculation" => row.value.due_date_formula.as_str().into(),
            "discountDateCalculation" => row.value.discount_formula.as_str().into(),
            "discountPercent" => schema::decimal(row.value.discount_percent),
            "calculateDiscountOnCreditMemos" => row.value.discount_on_credit_memos.into(),
            _ => named_cell(id, &row.value.code, &row.value.name, row.modified, field),
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.payment_terms,
    caption: "Payment Terms",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|id| PaymentTerm {
        id,
        code: String::new(),
        name: String::new(),
        due_date_formula: String::new(),
        discount_formula: String::new(),
        discount_percent: Decimal::ZERO,
        discount_on_credit_memos: false,
    }),
    set: |_, row, field, value| {
        match (field, value) {
            ("dueDateCalculation", Scalar::Text(text)) => row.due_date_formula = date_formula(text)?,
            ("discountDateCalculation", Scalar::Text(text)) => row.discount_formula = date_formula(text)?,
            ("discountPercent", Scalar::Decimal(percent)) => row.discount_percent = *percent,
            ("calculateDiscountOnCreditMemos", Scalar::Bool(given)) => row.discount_on_credit_memos = *given,
            _ => return set_named(&mut row.code, &mut row.name, field, value),
        }
        Ok(())
    },
};

/// A date formula in capitals, if it is one.
fn date_formula(text: &str) -> Result<String, Refusal> {
    let formula = text.trim().to_uppercase();
    match formula::apply(&formula, jiff::civil::date(2026, 1, 1)) {
        Some(_) => Ok(formula),
        None => Err(Refusal::not_evaluated(text, "DateFormula")),
    }
}
