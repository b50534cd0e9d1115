//! Lines of type Item: what the item brings along, its variant and its unit of measure.

use uuid::Uuid;

use super::line::{missing, set_text};
use super::{Document, Line, LineKind};
use crate::bc::error::Refusal;
use crate::bc::sets::items::Unit;
use crate::bc::table::Tables;

/// Makes an item the object of a line.
pub(super) fn set(tables: &Tables, document: &Document, line: &mut Line, id: Uuid) -> Result<(), Refusal> {
    let item = tables.items.get(id).ok_or_else(|| missing(LineKind::Item))?;
    check(tables, id)?;
    clear(line);
    line.account = Uuid::nil();
    line.item = id;
    line.number.clone_from(&item.number);
    line.description.clone_from(&item.name);
    line.description2.clone_from(&item.name2);
    line.unit.clone_from(&item.unit);
    line.unit_cost = item.unit_cost;
    line.dimensions = document.dimensions.clone();
    set_text(tables, document, line, "taxCode", &item.tax_group)
}

/// An item that is blocked can neither be put on a line nor be posted.
pub(super) fn check(tables: &Tables, id: Uuid) -> Result<(), Refusal> {
    let item = tables.items.get(id).ok_or_else(|| missing(LineKind::Item))?;
    if item.blocked {
        let number = &item.number;
        return Err(Refusal::field(format!(
            "Blocked must be equal to 'No'  in Item: No.={number}. Current value is 'Yes'."
        )));
    }
    Ok(())
}

/// Takes off what only items have.
pub(super) fn clear(line: &mut Line) {
    line.item = Uuid::nil();
    line.variant = Uuid::nil();
    line.unit.clear();
}

/// Sets a variant, which must be one of the line's item.
pub(super) fn set_variant(tables: &Tables, line: &mut Line, id: Uuid) -> Result<(), Refusal> {
    if line.kind != LineKind::Item {
        return Err(Refusal::dialog("Item Variant can be set only for lines with type Item."));
    }
    let found = tables.variants.get(id).filter(|variant| variant.item == line.item);
    found.ok_or_else(|| Refusal::relation("Variant Code", "Purchase Line", &id.to_string(), "Item Variant"))?;
    line.variant = id;
    Ok(())
}

/// Sets the unit of measure that `wanted` finds.
pub(super) fn set_unit(tables: &Tables, line: &mut Line, wanted: impl Fn(Uuid, &Unit) -> bool) -> Result<(), Refusal> {
    if line.kind != LineKind::Item {
        return Err(Refusal::dialog("Unit of Measure can be set only for lines with type Item."));
    }
    let found = tables.units.iter().find(|(id, unit)| wanted(*id, unit));
    let (_, unit) =
        found.ok_or_else(|| Refusal::relation("Unit of Measure Code", "Purchase Line", "", "Unit of Measure"))?;
    line.unit.clone_from(&unit.code);
    Ok(())
}
