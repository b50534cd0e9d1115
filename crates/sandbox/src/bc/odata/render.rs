//! Rows as JSON: annotations, fields in the page's order, expanded navigation properties.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::error::Refusal;
use super::super::schema::Kind;
use super::super::sets::{EntitySet, Parent, Scope};
use super::super::table::Tables;
use super::list::matching;
use super::query::Projection;

/// One row of a set.
pub(crate) fn row(
    set: &'static dyn EntitySet,
    tables: &Tables,
    scope: &Scope<'_>,
    id: Uuid,
    projection: &Projection,
) -> Result<Map<String, Value>, Refusal> {
    let mut row = Map::new();
    if let Some(etag) = set.etag(tables, scope, id) {
        row.insert("@odata.etag".to_owned(), etag.into());
    }
    for field in set.schema().fields {
        if projection.select.as_ref().is_none_or(|select| select.contains(&field)) {
            if field.kind == Kind::Stream {
                // Completed by `absolute`, which knows where the service is.
                let link = format!("companies({})/{}({id})/{}", tables.company_id, set.schema().set, field.name);
                for kind in [EDIT_LINK, READ_LINK] {
                    row.insert(format!("{}{kind}", field.name), link.as_str().into());
                }
                continue;
            }
            row.insert(field.name.to_owned(), set.cell(tables, scope, id, field.name));
        }
    }
    let parent = Parent { set, id };
    for expansion in &projection.expand {
        if let Some(key) = expansion.key {
            let value = set.cell(tables, scope, id, key);
            let other = value.as_str().and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
            let scope = Scope::default();
            let value = match expansion.set.keys(tables, &scope, Some(other))?.first() {
                Some(id) => self::row(expansion.set, tables, &scope, *id, &expansion.options.projection)?.into(),
                None => Value::Null,
            };
            row.insert(expansion.name.clone(), value);
            continue;
        }
        let scope = Scope { parent: Some(parent), filter: expansion.options.filter.as_ref() };
        let mut ids = matching(expansion.set, tables, &scope, &expansion.options)?;
        let skip = expansion.options.skip.min(ids.len());
        ids.drain(..skip);
        ids.truncate(expansion.options.top.unwrap_or(usize::MAX));
        let rows = ids
            .into_iter()
            .map(|id| self::row(expansion.set, tables, &scope, id, &expansion.options.projection).map(Value::Object))
            .collect::<Result<Vec<_>, _>>()?;
        row.insert(expansion.name.clone(), Value::Array(rows));
    }
    Ok(row)
}

const EDIT_LINK: &str = "@odata.mediaEditLink";
const READ_LINK: &str = "@odata.mediaReadLink";

/// Whether rows carry links to streams.
pub(crate) fn has_links(set: &dyn EntitySet, projection: &Projection) -> bool {
    set.schema().fields.iter().any(|field| field.kind == Kind::Stream)
        || projection.expand.iter().any(|nested| has_links(nested.set, &nested.options.projection))
}

/// Puts the service before the links to streams.
pub(crate) fn absolute(value: &mut Value, service: &str) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| absolute(value, service)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(link) if name.ends_with(EDIT_LINK) || name.ends_with(READ_LINK) => {
                        *link = format!("{service}/{link}");
                    }
                    _ => absolute(value, service),
                }
            }
        }
        _ => {}
    }
}

/// The selected fields as `@odata.context` names them: `(id,number)`, or nothing.
pub(crate) fn context_fields(projection: &Projection) -> String {
    let mut names: Vec<String> = projection.select.iter().flatten().map(|field| field.name.to_owned()).collect();
    if !names.is_empty() {
        names.extend(projection.expand.iter().map(|expansion| format!("{}()", expansion.name)));
    }
    if names.is_empty() { String::new() } else { format!("({})", names.join(",")) }
}
