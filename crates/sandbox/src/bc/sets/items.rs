//! `items`, `itemVariants` and `unitsOfMeasure`: as much of them as lines of purchase documents need.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::EntitySet;
use super::codes::Writes;
use super::documents::table_id;
use super::reads::{Reads, anywhere, nothing};
use crate::bc::error::Refusal;
use crate::bc::input::Scalar;
use crate::bc::schema::Kind::{Bool, Code, DateTime, Enum, Guid, Text};
use crate::bc::schema::{self, Kind, Schema, r, w};
use crate::bc::table::{Row, Tables};

const KINDS: &[&str] = &["Inventory", "Service", "Non_x002D_Inventory"];
const GENERAL_GROUPS: &[&str] = &["MISC", "RETAIL", "SERVICES"];
const INVENTORY_GROUPS: &[&str] = &["RESALE"];

/// An item.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) name2: String,
    /// One of [`KINDS`].
    kind: String,
    pub(crate) blocked: bool,
    gtin: String,
    unit_price: Decimal,
    price_includes_tax: bool,
    pub(crate) unit_cost: Decimal,
    pub(crate) tax_group: String,
    /// Code of the base unit of measure.
    pub(crate) unit: String,
    general_group: String,
    inventory_group: String,
}

/// A variant of an item.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Variant {
    pub(crate) item: Uuid,
    pub(crate) code: String,
    description: String,
    /// Item number and code, as the text about a duplicate names them after "Item No.='".
    key: String,
}

/// A unit of measure.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) code: String,
    name: String,
    standard: String,
    symbol: String,
}

impl Item {
    fn blank() -> Self {
        Self { kind: KINDS[0].to_owned(), ..Self::default() }
    }

    /// The ones that every company starts with.
    pub(crate) fn first() -> impl Iterator<Item = Self> {
        [
            ("1000", "Packing tape", 0, "PCS", 250),
            ("1010", "Shipping box", 0, "PCS", 120),
            ("SUPPORT", "Support", 1, "HOUR", 9000),
        ]
        .into_iter()
        .map(|(number, name, kind, unit, cents)| Self {
            number: number.to_owned(),
            name: name.to_owned(),
            kind: KINDS[kind].to_owned(),
            unit: unit.to_owned(),
            unit_cost: Decimal::new(cents, 2),
            general_group: "RETAIL".to_owned(),
            inventory_group: if kind == 0 { "RESALE".to_owned() } else { String::new() },
            ..Self::default()
        })
    }
}

impl Unit {
    /// The ones that every company starts with.
    pub(crate) fn first() -> impl Iterator<Item = Self> {
        [("PCS", "Piece", "EA"), ("HOUR", "Hour", "HUR")].into_iter().map(|(code, name, standard)| Self {
            code: code.to_owned(),
            name: name.to_owned(),
            standard: standard.to_owned(),
            symbol: String::new(),
        })
    }
}

pub(crate) static ITEMS: Writes<Item> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "items",
            entity: "item",
            fields: &[
                r("id", Guid),
                w("number", Code(20)),
                w("displayName", Text(100)),
                w("displayName2", Text(50)),
                w("type", Enum(KINDS)),
                w("itemCategoryId", Guid),
                w("itemCategoryCode", Code(20)),
                w("blocked", Bool),
                w("gtin", Code(14)),
                w("inventory", Kind::Decimal).computed(),
                w("unitPrice", Kind::Decimal),
                w("priceIncludesTax", Bool),
                w("unitCost", Kind::Decimal),
                w("taxGroupId", Guid),
                w("taxGroupCode", Code(20)),
                w("baseUnitOfMeasureId", Guid),
                w("baseUnitOfMeasureCode", Code(10)),
                w("generalProductPostingGroupId", Guid),
                w("generalProductPostingGroupCode", Code(20)),
                w("inventoryPostingGroupId", Guid),
                w("inventoryPostingGroupCode", Code(20)),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.items,
        cell: item_cell,
        below: anywhere,
        navigation: |name| (name == "itemVariants").then_some(&VARIANTS as &dyn EntitySet),
    },
    table: |tables| &mut tables.items,
    caption: "Item",
    key: Some(("No.", |row| &row.number)),
    blank: Some(|_| Item::blank()),
    set: set_item,
};

fn item_cell(tables: &Tables, id: Uuid, row: &Row<Item>, field: &str) -> Value {
    let item = &row.value;
    match field {
        "id" => schema::guid(id),
        "number" => item.number.as_str().into(),
        "displayName" => item.name.as_str().into(),
        "displayName2" => item.name2.as_str().into(),
        "type" => item.kind.as_str().into(),
        "blocked" => item.blocked.into(),
        "gtin" => item.gtin.as_str().into(),
        "inventory" => 0.into(),
        "unitPrice" => schema::decimal(item.unit_price),
        "priceIncludesTax" => item.price_includes_tax.into(),
        "unitCost" => schema::decimal(item.unit_cost),
        "taxGroupId" => schema::guid(table_id(&tables.tax_groups, |group| group.code == item.tax_group)),
        "taxGroupCode" => item.tax_group.as_str().into(),
        "baseUnitOfMeasureId" => schema::guid(table_id(&tables.units, |unit| unit.code == item.unit)),
        "baseUnitOfMeasureCode" => item.unit.as_str().into(),
        "generalProductPostingGroupCode" => item.general_group.as_str().into(),
        "inventoryPostingGroupCode" => item.inventory_group.as_str().into(),
        "lastModifiedDateTime" => schema::moment(row.modified),
        "itemCategoryCode" => "".into(),
        "itemCategoryId" | "generalProductPostingGroupId" | "inventoryPostingGroupId" => schema::guid(Uuid::nil()),
        _ => Value::Null,
    }
}

fn set_item(tables: &Tables, item: &mut Item, field: &str, value: &Scalar) -> Result<(), Refusal> {
    match (field, value) {
        ("number", Scalar::Text(text)) => item.number.clone_from(text),
        ("displayName", Scalar::Text(text)) => item.name.clone_from(text),
        ("displayName2", Scalar::Text(text)) => item.name2.clone_from(text),
        ("type", Scalar::Text(text)) => item.kind.clone_from(text),
        ("gtin", Scalar::Text(text)) => item.gtin.clone_from(text),
        ("blocked", Scalar::Bool(blocked)) => item.blocked = *blocked,
        ("priceIncludesTax", Scalar::Bool(includes)) => item.price_includes_tax = *includes,
        ("unitPrice", Scalar::Decimal(price)) => item.unit_price = *price,
        ("unitCost", Scalar::Decimal(cost)) => item.unit_cost = *cost,
        ("inventory", Scalar::Decimal(inventory)) if inventory.is_zero() => {}
        ("inventory", _) => return Err(Refusal::dialog("Inventory cannot be changed during on insert.")),
        (_, Scalar::Text(code)) => set_code(tables, item, field, code)?,
        (_, Scalar::Guid(id)) => set_id(tables, item, field, *id)?,
        _ => return Err(Refusal::read_only(field)),
    }
    Ok(())
}

/// A code of another table; a blank one clears.
fn set_code(tables: &Tables, item: &mut Item, field: &str, code: &str) -> Result<(), Refusal> {
    let (slot, known, refusal) = match field {
        "taxGroupCode" => (
            &mut item.tax_group,
            tables.tax_groups.find(|row| row.code == code).is_some(),
            Refusal::dialog("The \"taxGroupCode\" does not match to a Tax Group."),
        ),
        "baseUnitOfMeasureCode" => (
            &mut item.unit,
            tables.units.find(|row| row.code == code).is_some(),
            Refusal::dialog("The unit of measure values do not match to a specific Unit of Measure."),
        ),
        "generalProductPostingGroupCode" => (
            &mut item.general_group,
            GENERAL_GROUPS.contains(&code),
            Refusal::relation("Gen. Prod. Posting Group", "Item", code, "Gen. Product Posting Group"),
        ),
        "inventoryPostingGroupCode" => (
            &mut item.inventory_group,
            INVENTORY_GROUPS.contains(&code),
            Refusal::relation("Inventory Posting Group", "Item", code, "Inventory Posting Group"),
        ),
        // There are no categories.
        _ if code.is_empty() => return Ok(()),
        _ => return Err(Refusal::dialog("The \"itemCategoryCode\" does not match to a Item Category.")),
    };
    if !code.is_empty() && !known {
        return Err(refusal);
    }
    code.clone_into(slot);
    Ok(())
}

/// The same by id; the zero id clears.
fn set_id(tables: &Tables, item: &mut Item, field: &str, id: Uuid) -> Result<(), Refusal> {
    let (slot, found, refusal) = match field {
        "taxGroupId" => (
            &mut item.tax_group,
            tables.tax_groups.get(id).map(|row| row.code.clone()),
            "The \"taxGroupId\" does not match to a Tax Group.",
        ),
        "baseUnitOfMeasureId" => (
            &mut item.unit,
            tables.units.get(id).map(|row| row.code.clone()),
            "The \"baseUnitOfMeasureId\" does not match to a Unit of Measure.",
        ),
        // The ids of posting groups are not shown, and there are no categories.
        _ if id.is_nil() => return Ok(()),
        "itemCategoryId" => {
            return Err(Refusal::dialog("The \"itemCategoryId\" does not match to a specific Item Category group."));
        }
        _ => return Err(Refusal::relation(field, "Item", &id.to_string(), "Posting Group")),
    };
    match found {
        None if !id.is_nil() => return Err(Refusal::dialog(refusal)),
        found => *slot = found.unwrap_or_default(),
    }
    Ok(())
}

pub(crate) static VARIANTS: Writes<Variant> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "itemVariants",
            entity: "itemVariant",
            fields: &[
                r("id", Guid),
                w("itemId", Guid),
                w("itemNumber", Code(20)),
                w("code", Code(10)),
                w("description", Text(100)),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.variants,
        cell: |tables, id, row, field| match field {
            "id" => schema::guid(id),
            "itemId" => schema::guid(row.value.item),
            "itemNumber" => tables.items.get(row.value.item).map_or("", |item| item.number.as_str()).into(),
            "code" => row.value.code.as_str().into(),
            "description" => row.value.description.as_str().into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            _ => Value::Null,
        },
        below: |row, parent| row.item == parent.id,
        navigation: nothing,
    },
    table: |tables| &mut tables.variants,
    caption: "Item Variant",
    key: Some(("Item No.", |row| &row.key)),
    blank: Some(|_| Variant::default()),
    set: set_variant,
};

fn set_variant(tables: &Tables, row: &mut Variant, field: &str, value: &Scalar) -> Result<(), Refusal> {
    let other = |found: Uuid| !row.item.is_nil() && row.item != found;
    let differ = || Err(Refusal::dialog("The item values do not match to a specific Item."));
    match (field, value) {
        ("itemId", Scalar::Guid(id)) => match tables.items.get(*id) {
            None => return Err(Refusal::dialog("The \"itemId\" does not match to an Item.")),
            Some(_) if other(*id) => return differ(),
            Some(_) => row.item = *id,
        },
        ("itemNumber", Scalar::Text(number)) => match tables.items.find(|item| item.number == *number) {
            None => return Err(Refusal::dialog("The \"itemNumber\" does not match to an Item.")),
            Some((id, _)) if other(id) => return differ(),
            Some((id, _)) => row.item = id,
        },
        ("code", Scalar::Text(code)) => row.code.clone_from(code),
        ("description", Scalar::Text(text)) => row.description.clone_from(text),
        _ => return Err(Refusal::read_only(field)),
    }
    row.key = match tables.items.get(row.item) {
        Some(item) if !row.code.is_empty() => format!("{}',Code='{}", item.number, row.code),
        _ => String::new(),
    };
    Ok(())
}

pub(crate) static UNITS: Writes<Unit> = Writes {
    reads: Reads {
        schema: &Schema {
            set: "unitsOfMeasure",
            entity: "unitOfMeasure",
            fields: &[
                r("id", Guid),
                w("code", Code(10)),
                w("displayName", Text(50)),
                w("internationalStandardCode", Code(10)),
                w("symbol", Text(10)),
                r("lastModifiedDateTime", DateTime),
            ],
        },
        table: |tables| &tables.units,
        cell: |_, id, row, field| match field {
            "id" => schema::guid(id),
            "code" => row.value.code.as_str().into(),
            "displayName" => row.value.name.as_str().into(),
            "internationalStandardCode" => row.value.standard.as_str().into(),
            "symbol" => row.value.symbol.as_str().into(),
            "lastModifiedDateTime" => schema::moment(row.modified),
            _ => Value::Null,
        },
        below: anywhere,
        navigation: nothing,
    },
    table: |tables| &mut tables.units,
    caption: "Unit of Measure",
    key: Some(("Code", |row| &row.code)),
    blank: Some(|_| Unit::default()),
    set: |_, row, field, value| {
        let slot = match field {
            "code" => &mut row.code,
            "displayName" => &mut row.name,
            "internationalStandardCode" => &mut row.standard,
            "symbol" => &mut row.symbol,
            _ => return Err(Refusal::read_only(field)),
        };
        if let Scalar::Text(text) = value {
            slot.clone_from(text);
        }
        Ok(())
    },
};
