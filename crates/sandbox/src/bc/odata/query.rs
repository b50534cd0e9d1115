//! Query options: `$filter`, `$select`, `$expand`, `$orderby`, `$top`, `$skip`, `$count`, `$skiptoken`.

use uuid::Uuid;

use super::super::error::Refusal;
use super::super::schema::{Field, Schema};
use super::super::sets::EntitySet;
use super::filter::{Expr, Grammar};

/// What to show of each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    /// All fields if absent.
    pub(crate) select: Option<Vec<&'static Field>>,
    pub(crate) expand: Vec<Expansion>,
}

/// A navigation property shown within each row.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) name: String,
    pub(crate) set: &'static dyn EntitySet,
    /// The field that holds the id of the only row, if it is single-valued.
    pub(crate) key: Option<&'static str>,
    pub(crate) options: Options,
}

/// The options of a request, or of one expansion.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) filter: Option<Expr>,
    pub(crate) projection: Projection,
    /// Field and whether descending.
    pub(crate) order: Vec<(&'static Field, bool)>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) count: bool,
    pub(crate) skip_token: Option<Uuid>,
}

/// The decoded query string, in its order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Options {
    /// The options of a request on a set.
    pub(crate) fn of(pairs: &Pairs, set: &'static dyn EntitySet, negation: bool) -> Result<Self, Refusal> {
        let grammar = Grammar { extended: pairs.get("$schemaversion") == Some("2.1"), negation };
        let mut options = Self::default();
        for (index, (name, value)) in pairs.0.iter().enumerate() {
            if name.starts_with('$') && pairs.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad_request(format!(
                    "Query option '{name}' was specified more than once, but it must be specified at most once."
                )));
            }
            options.read(name, value, set, grammar)?;
        }
        Ok(options)
    }

    fn read(&mut self, name: &str, value: &str, set: &'static dyn EntitySet, grammar: Grammar) -> Result<(), Refusal> {
        let schema = set.schema();
        match name {
            "$filter" => self.filter = Some(Expr::parse(value, schema, grammar)?),
            "$select" => self.projection.select = Some(select(value, set)?),
            "$expand" => self.projection.expand = expand(value, set, grammar)?,
            "$orderby" => self.order = order(value, schema)?,
            "$top" => self.top = Some(count(name, value)?),
            "$skip" => self.skip = count(name, value)?,
            "$count" => self.count = value.parse().map_err(|_| Refusal::invalid_argument(name, value))?,
            "$skiptoken" => {
                self.skip_token = Some(Uuid::try_parse(value).map_err(|_| Refusal::invalid_argument(name, value))?);
            }
            "$schemaversion" => {}
            _ if name.starts_with('$') => {
                return Err(Refusal::bad_request(format!("The query parameter '{name}' is not supported.")));
            }
            _ => {}
        }
        Ok(())
    }
}

fn count(name: &str, value: &str) -> Result<usize, Refusal> {
    value.parse().map_err(|_| Refusal::invalid_argument(name, value))
}

/// Fields by name; navigation properties may be named too, they are shown by `$expand` only.
fn select(value: &str, set: &dyn EntitySet) -> Result<Vec<&'static Field>, Refusal> {
    let schema = set.schema();
    let mut fields = Vec::new();
    for name in value.split(',').map(str::trim) {
        match schema.field(name) {
            Some(field) => fields.push(field),
            None if name == "*" => fields.extend(schema.fields),
            None if set.navigation(name).is_some() || set.single(name).is_some() => {}
            None => return Err(Refusal::unknown_in_query(name, schema.entity)),
        }
    }
    Ok(fields)
}

fn order(value: &str, schema: &'static Schema) -> Result<Vec<(&'static Field, bool)>, Refusal> {
    let mut order = Vec::new();
    for part in value.split(',') {
        let mut words = part.split_whitespace();
        let name = words.next().ok_or_else(Refusal::syntax)?;
        let field = schema.field(name).ok_or_else(|| Refusal::unknown_in_query(name, schema.entity))?;
        if !field.stored {
            return Err(Refusal::not_implemented(format!("Ordering by '{name}' is not supported.")));
        }
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Refusal::syntax()),
        };
        order.push((field, descending));
    }
    Ok(order)
}

fn expand(value: &str, set: &dyn EntitySet, grammar: Grammar) -> Result<Vec<Expansion>, Refusal> {
    let mut expansions = Vec::new();
    for part in split(value, ',')? {
        let part = part.trim();
        let (name, inner) = match part.split_once('(') {
            None => (part, None),
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')').ok_or_else(Refusal::syntax)?)),
        };
        let many = set.navigation(name).map(|nav| (None, nav));
        let found = many.or_else(|| set.single(name).map(|(key, nav)| (Some(key), nav)));
        let (key, nav) = found.ok_or_else(|| Refusal::unknown_in_query(name, set.schema().entity))?;
        let mut options = Options::default();
        for option in inner.map(|inner| split(inner, ';')).transpose()?.unwrap_or_default() {
            let (key, value) = option.split_once('=').ok_or_else(Refusal::syntax)?;
            options.read(key.trim(), value, nav, grammar)?;
        }
        expansions.push(Expansion { name: name.to_owned(), set: nav, key, options });
    }
    Ok(expansions)
}

/// Splits at a separator outside parentheses and quotes.
fn split(text: &str, separator: char) -> Result<Vec<&str>, Refusal> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    for (index, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.checked_sub(1).ok_or_else(Refusal::syntax)?,
            _ if character == separator && depth == 0 && !quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if depth != 0 || quoted {
        return Err(Refusal::syntax());
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    Ok(parts)
}
