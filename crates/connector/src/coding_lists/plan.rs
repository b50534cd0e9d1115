//! The dry run: reads both sides and says what would be sent. Nothing is written, here or there.

use domain::coding_list::{Difference, compare};

use super::axis::{self, Axis};
use super::send::{field_of, kept};
use crate::app::Connection;
use crate::mirror;
use crate::stop::Stop;

/// What would happen to one list.
#[derive(Debug)]
pub struct Step {
    /// The list.
    pub axis: Axis,
    /// Whether the field has to be made first.
    pub makes_field: bool,
    /// What differs.
    pub difference: Difference,
}

/// Works out what a run over everything would do.
pub async fn plan(connection: &Connection) -> Result<Vec<Step>, Stop> {
    let fields = connection.brex.list_fields().await?;
    let directory = mirror::look(connection).await?;
    let axes = axis::wanted(&connection.settings.coding_lists, &connection.rules.fields, &directory);
    let mut steps = Vec::new();
    for axis in axes {
        let field = field_of(&axis, &fields);
        let values = match field {
            Some(field) => kept(connection.brex.list_field_values(&field.brex_id).await?),
            None => Vec::new(),
        };
        steps.push(Step { makes_field: field.is_none(), difference: compare(&axis.values, &values), axis });
    }
    Ok(steps)
}
