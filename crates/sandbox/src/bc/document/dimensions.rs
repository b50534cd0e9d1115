//! Dimensions of documents and lines: defaults, what a nested line may add, and what posting demands.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{DimensionSet, Document, LineKind};
use crate::bc::error::Refusal;
use crate::bc::input::Input;
use crate::bc::sets::dimension_set_lines::DimensionSetLines;
use crate::bc::table::Tables;
use crate::company::{DefaultDimension, DimensionValueKind};

/// Adds default dimensions that name a value; they win over what is there.
pub(crate) fn apply_defaults(set: &mut DimensionSet, defaults: &[DefaultDimension]) {
    for default in defaults.iter().filter(|default| !default.value.is_empty()) {
        set.insert(default.dimension.clone(), default.value.clone());
    }
}

/// Adds one dimension set line, refusing a dimension that is already there.
pub(crate) fn add(tables: &Tables, set: &mut DimensionSet, body: &Map<String, Value>) -> Result<Uuid, Refusal> {
    let input = Input::read(&DimensionSetLines, body, false)?;
    let (id, code) = dimension(tables, &input)?;
    if set.contains_key(&code) {
        return Err(Refusal::dialog(
            "The dimension set line already exists. Check existing dimension set lines and the default dimension set lines on the parent.",
        ));
    }
    let value = value(tables, id, &code, &input)?
        .ok_or_else(|| Refusal::dialog("The \"valueId\" or \"valueCode\" field must be filled in."))?;
    set.insert(code, value);
    Ok(id)
}

/// Changes the value of a dimension that is there.
pub(crate) fn change(
    tables: &Tables,
    set: &mut DimensionSet,
    id: Uuid,
    body: &Map<String, Value>,
) -> Result<(), Refusal> {
    let input = Input::read(&DimensionSetLines, body, false)?;
    let code = tables.dimensions.get(id).map(|dimension| dimension.code.clone()).unwrap_or_default();
    let moved = input.guid("id").is_some_and(|sent| sent != id) || input.text("code").is_some_and(|sent| sent != code);
    if moved {
        return Err(Refusal::dialog("The \"id\" and \"code\" fields cannot be modified."));
    }
    if let Some(value) = value(tables, id, &code, &input)? {
        set.insert(code, value);
    }
    Ok(())
}

/// Sets or clears a dimension by its code, as the shortcut fields do.
pub(crate) fn set_shortcut(tables: &Tables, set: &mut DimensionSet, code: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        set.remove(code);
        return Ok(());
    }
    let dimension = tables.dimensions.find(|dimension| dimension.code == code).map(|(id, _)| id);
    let found = tables.dimension_values.find(|(parent, row)| Some(*parent) == dimension && row.code == value);
    let Some((id, _)) = found else {
        return Err(Refusal::relation(&format!("{code} Code"), "Purchase Header", value, "Dimension Value"));
    };
    usable(tables, code, id)?;
    set.insert(code.to_owned(), value.to_owned());
    Ok(())
}

fn dimension(tables: &Tables, input: &Input) -> Result<(Uuid, String), Refusal> {
    let by_id = match input.guid("id").filter(|id| !id.is_nil()) {
        None => None,
        Some(id) => {
            let found = tables.dimensions.get(id);
            Some(found.ok_or_else(|| Refusal::dialog("The \"id\" does not match to a Dimension."))?)
        }
    };
    let by_code = match input.text("code").filter(|code| !code.is_empty()) {
        None => None,
        Some(code) => {
            let found = tables.dimensions.find(|dimension| dimension.code == code).map(|(_, dimension)| dimension);
            Some(found.ok_or_else(|| Refusal::dialog("The \"code\" does not match to a Dimension."))?)
        }
    };
    match (by_id, by_code) {
        (None, None) => Err(Refusal::dialog("The \"id\" or \"code\" field must be filled in.")),
        (Some(left), Some(right)) if left.id != right.id => {
            Err(Refusal::dialog("The dimension field values do not match to a specific Dimension."))
        }
        (Some(found), _) | (None, Some(found)) => Ok((found.id, found.code.clone())),
    }
}

/// The value code that was sent, by id or by code.
fn value(tables: &Tables, dimension: Uuid, code: &str, input: &Input) -> Result<Option<String>, Refusal> {
    let by_id = match input.guid("valueId").filter(|id| !id.is_nil()) {
        None => None,
        Some(id) => {
            let found = tables.dimension_values.get(id).filter(|(parent, _)| *parent == dimension);
            found.ok_or_else(|| Refusal::dialog("The \"valueId\" does not match to a Dimension Value."))?;
            Some(id)
        }
    };
    let by_code = match input.text("valueCode").filter(|value| !value.is_empty()) {
        None => None,
        Some(value) => {
            let found = tables.dimension_values.find(|(parent, row)| *parent == dimension && row.code == value);
            let (id, _) =
                found.ok_or_else(|| Refusal::dialog("The \"valueCode\" does not match to a Dimension Value."))?;
            Some(id)
        }
    };
    if let (Some(left), Some(right)) = (by_id, by_code)
        && left != right
    {
        return Err(Refusal::dialog("The dimension value field values do not match to a specific Dimension Value."));
    }
    by_id.or(by_code).map(|id| usable(tables, code, id)).transpose()
}

/// The code of a value that is neither blocked nor a heading.
fn usable(tables: &Tables, dimension: &str, id: Uuid) -> Result<String, Refusal> {
    let Some((_, value)) = tables.dimension_values.get(id) else {
        return Err(Refusal::dialog(format!("Dimension Value {dimension} is missing.")));
    };
    let code = &value.code;
    if value.blocked {
        return Err(Refusal::dialog(format!("Dimension Value {dimension} - {code} is blocked.")));
    }
    let kind = match value.kind {
        DimensionValueKind::Standard => return Ok(code.clone()),
        DimensionValueKind::Heading => "Heading",
        DimensionValueKind::Total => "Total",
    };
    Err(Refusal::dialog(format!("Dimension Value Type for Dimension Value {dimension} - {code} must not be {kind}.")))
}

/// What posting demands: a value for each mandatory dimension of the vendor and of the lines' accounts.
pub(crate) fn check_mandatory(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    if let Some(vendor) = tables.vendors.get(document.vendor) {
        mandatory(&vendor.base.default_dimensions, &document.dimensions, "Vendor", &vendor.base.number)?;
    }
    for line in document.lines.iter().filter(|line| line.kind == LineKind::Account) {
        if let Some(account) = tables.accounts.get(line.account) {
            mandatory(&account.default_dimensions, &line.dimensions, "G/L Account", &account.number)?;
        }
    }
    Ok(())
}

/// A value for each mandatory dimension.
pub(crate) fn mandatory(
    defaults: &[DefaultDimension],
    set: &DimensionSet,
    table: &str,
    number: &str,
) -> Result<(), Refusal> {
    match defaults.iter().find(|default| default.mandatory && !set.contains_key(&default.dimension)) {
        None => Ok(()),
        Some(default) => Err(Refusal::dialog(format!(
            "Select a Dimension Value Code for the Dimension Code {} for {table} {number}.",
            default.dimension
        ))),
    }
}
