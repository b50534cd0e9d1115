//! Dimensions of documents and lines: defaults, what a nested line may add, and what posting demands.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{DimensionSet, Document, LineKind};
use crate::bc::error::Refusal;
use crate::bc::input::Input;
use crate::bc::rules::Combination;
use crate::bc::sets::default_dimensions::Validation;
use crate::bc::sets::dimension_set_lines::DimensionSetLines;
use crate::bc::table::Tables;
use crate::company::DimensionValueKind;

/// Adds default dimensions of a vendor or an account that name a value; whether they win over what is there is a rule.
pub(crate) fn apply_defaults(tables: &Tables, set: &mut DimensionSet, owner: Uuid, win: bool) {
    for (_, default) in tables.default_dimensions.iter().filter(|(_, default)| default.owner == owner) {
        let (code, value) = default.codes(tables);
        if !value.is_empty() && (win || !set.contains_key(&code)) {
            set.insert(code, value);
        }
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
pub(crate) fn usable(tables: &Tables, dimension: &str, id: Uuid) -> Result<String, Refusal> {
    let Some((_, value)) = tables.dimension_values.get(id) else {
        return Err(Refusal::dialog(format!("Dimension Value {dimension} is missing.")));
    };
    let code = &value.code;
    if tables.rules.blocked_dimensions.iter().any(|blocked| blocked == dimension) {
        return Err(Refusal::dialog(format!("Dimension {dimension} is blocked.")));
    }
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

/// What posting demands: usable values, no forbidden combinations, and what the defaults of vendor and accounts say.
pub(crate) fn check(tables: &Tables, document: &Document) -> Result<(), Refusal> {
    let place = format!("{} {}", document.kind.caption(), document.number);
    let vendor = tables.vendors.get(document.vendor).map(|row| (document.vendor, "Vendor", row.base.number.as_str()));
    check_set(tables, &document.dimensions, &place, vendor)?;
    for line in &document.lines {
        let account = tables.accounts.get(line.account).filter(|_| line.kind == LineKind::Account);
        let owner = account.map(|account| (line.account, "G/L Account", account.number.as_str()));
        let place = format!("{place}, line no. {}", line.sequence);
        check_set(tables, &line.dimensions, &place, owner)?;
    }
    Ok(())
}

/// One set, with the place before the text if that is switched on.
fn check_set(
    tables: &Tables,
    set: &DimensionSet,
    place: &str,
    owner: Option<(Uuid, &str, &str)>,
) -> Result<(), Refusal> {
    let context = |mut refusal: Refusal, start: &str, end: &str| {
        if tables.settings.dimension_context {
            refusal.message = format!("The {start} used in {place} {end}. {}", refusal.message);
        }
        refusal
    };
    let invalid = |refusal| context(refusal, "dimensions", "are invalid");
    for (code, value) in set {
        let dimension = tables.dimensions.find(|dimension| dimension.code == *code).map(|(id, _)| id);
        let found = tables.dimension_values.find(|(parent, row)| Some(*parent) == dimension && row.code == *value);
        let missing = || invalid(Refusal::dialog(format!("Dimension Value {code} - {value} is missing.")));
        usable(tables, code, found.ok_or_else(missing)?.0).map_err(invalid)?;
    }
    combined(&tables.rules.combinations, set)
        .map_err(|refusal| context(refusal, "combination of dimensions", "is blocked"))?;
    match owner {
        Some((id, table, number)) => demanded(tables, id, set, table, number).map_err(invalid),
        None => Ok(()),
    }
}

fn combined(combinations: &[Combination], set: &DimensionSet) -> Result<(), Refusal> {
    let fits = |(code, value): &(String, String)| set.get(code).is_some_and(|used| value.is_empty() || used == value);
    let Some(Combination { first, second }) =
        combinations.iter().find(|combination| fits(&combination.first) && fits(&combination.second))
    else {
        return Ok(());
    };
    Err(Refusal::dialog(if first.1.is_empty() && second.1.is_empty() {
        format!("Dimensions {} and {} can't be used concurrently.", first.0, second.0)
    } else {
        format!(
            "Dimension combinations {} - {} and {} - {} can't be used concurrently.",
            first.0, first.1, second.0, second.1
        )
    }))
}

/// "Value Posting" of the default dimensions of a vendor or an account.
pub(crate) fn demanded(
    tables: &Tables,
    owner: Uuid,
    set: &DimensionSet,
    table: &str,
    number: &str,
) -> Result<(), Refusal> {
    for (_, default) in tables.default_dimensions.iter().filter(|(_, default)| default.owner == owner) {
        let (code, wanted) = default.codes(tables);
        let used = set.get(&code).map(String::as_str);
        let refusal = match (default.validation, used) {
            (Validation::CodeMandatory, None) => {
                format!("Select a Dimension Value Code for the Dimension Code {code} for {table} {number}.")
            }
            (Validation::SameCode, None) if !wanted.is_empty() => {
                format!(
                    "The Dimension Code {code} with Dimension Value Code {wanted} is required for {table} {number}."
                )
            }
            (Validation::SameCode, None) => format!(
                "The {code} dimension is the default dimension, and it must have a value. You can set the value on the Default Dimensions page."
            ),
            (Validation::SameCode, Some(used)) if used != wanted => format!(
                "The Dimension Value Code must be {wanted} for Dimension Code {code} for {table} {number}. Currently it's {used}."
            ),
            (Validation::NoCode, Some(_)) => format!("Dimension Code {code} must be blank for {table} {number}."),
            (_, Some(used)) if !default.allowed.is_empty() && !default.allowed.iter().any(|value| value == used) => {
                format!("Dimension value {code}, {used} is not allowed for {table}, {number}.")
            }
            _ => continue,
        };
        return Err(Refusal::dialog(refusal));
    }
    Ok(())
}
