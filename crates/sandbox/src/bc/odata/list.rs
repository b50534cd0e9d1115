//! Lists with filter, order, count and server-driven paging.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::error::Refusal;
use super::super::sets::{EntitySet, Scope};
use super::super::table::Tables;
use super::path::Target;
use super::query::Options;
use super::render;

/// The most rows of one page.
pub(crate) const PAGE_MAXIMUM: usize = 20_000;

/// Where a list was asked for, to tell where it goes on.
pub(crate) struct Place<'a> {
    /// `{base}/api/v2.0`
    pub(crate) service: &'a str,
    /// The path and query as they were sent.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// `odata.maxpagesize`
    pub(crate) page_size: Option<usize>,
}

/// The rows that pass the filter, ordered.
pub(crate) fn matching(
    set: &'static dyn EntitySet,
    tables: &Tables,
    scope: &Scope<'_>,
    options: &Options,
) -> Result<Vec<Uuid>, Refusal> {
    let mut ids = candidates(set, tables, scope, options)?;
    if let Some(filter) = &options.filter {
        ids.retain(|id| filter.accepts(&|field| set.cell(tables, scope, *id, field.name)));
    }
    if !options.order.is_empty() {
        let mut keyed: Vec<(Vec<Value>, Uuid)> = ids
            .into_iter()
            .map(|id| (options.order.iter().map(|(field, _)| set.cell(tables, scope, id, field.name)).collect(), id))
            .collect();
        keyed.sort_by(|left, right| in_order(&left.0, &right.0, options));
        ids = keyed.into_iter().map(|(_, id)| id).collect();
    }
    Ok(ids)
}

/// The rows that the filter is tried on: all of the scope, unless an index knows better.
fn candidates(
    set: &'static dyn EntitySet,
    tables: &Tables,
    scope: &Scope<'_>,
    options: &Options,
) -> Result<Vec<Uuid>, Refusal> {
    let lookup = |field: &str, value: &str| set.lookup(tables, field, value);
    match options.filter.as_ref().filter(|_| scope.parent.is_none()).and_then(|filter| filter.candidates(&lookup)) {
        Some(ids) => Ok(ids),
        None => set.keys(tables, scope, exact_id(options)),
    }
}

fn exact_id(options: &Options) -> Option<Uuid> {
    match options.filter.as_ref()?.required("id")? {
        super::filter::Operand::Text(text) => Uuid::try_parse(text).ok(),
        _ => None,
    }
}

fn in_order(left: &[Value], right: &[Value], options: &Options) -> Ordering {
    for ((left, right), (_, descending)) in left.iter().zip(right).zip(&options.order) {
        let order = compare(left, right);
        if order != Ordering::Equal {
            return if *descending { order.reverse() } else { order };
        }
    }
    Ordering::Equal
}

fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let number = |value: &serde_json::Number| value.to_string().parse::<Decimal>().unwrap_or_default();
            number(left).cmp(&number(right))
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}

/// The JSON of a collection.
pub(crate) fn list(target: &Target, tables: &Tables, options: &Options, place: &Place<'_>) -> Result<Value, Refusal> {
    let scope = Scope { parent: target.parent, filter: options.filter.as_ref() };
    let page = place.page_size.map_or(PAGE_MAXIMUM, |size| size.min(PAGE_MAXIMUM));
    let (ids, count) = match only_page(target, tables, options, page) {
        Some(ids) => (ids, None),
        None => rest(target.set, tables, &scope, options)?,
    };
    let wanted = options.top.unwrap_or(usize::MAX).min(ids.len());
    let shown = wanted.min(page);
    let mut body = Map::new();
    let context =
        format!("{}/$metadata#{}{}", place.service, target.context, render::context_fields(&options.projection));
    body.insert("@odata.context".to_owned(), context.into());
    if let Some(count) = count.filter(|_| options.count) {
        body.insert("@odata.count".to_owned(), count.into());
    }
    let rows = ids[..shown]
        .iter()
        .map(|id| render::row(target.set, tables, &scope, *id, &options.projection).map(Value::Object))
        .collect::<Result<Vec<_>, _>>()?;
    body.insert("value".to_owned(), Value::Array(rows));
    if let (true, Some(last)) = (shown < wanted, ids[..shown].last()) {
        let top = options.top.map(|top| top - shown);
        body.insert("@odata.nextLink".to_owned(), next_link(place, *last, top).into());
    }
    Ok(Value::Object(body))
}

/// The rows of one page and the one after it, where neither filter, order nor count needs the others.
fn only_page(target: &Target, tables: &Tables, options: &Options, page: usize) -> Option<Vec<Uuid>> {
    let whole = options.filter.is_none() && options.order.is_empty() && target.parent.is_none();
    if !whole || options.count || tables.settings.strict_skip_token {
        return None;
    }
    let skipped = if options.skip_token.is_some() { 0 } else { options.skip };
    Some(target.set.following(tables, options.skip_token)?.skip(skipped).take(page + 1).collect())
}

/// All rows from the skip token on, or after those that are skipped, and how many pass the filter.
fn rest(
    set: &'static dyn EntitySet,
    tables: &Tables,
    scope: &Scope<'_>,
    options: &Options,
) -> Result<(Vec<Uuid>, Option<usize>), Refusal> {
    let mut ids = matching(set, tables, scope, options)?;
    let count = ids.len();
    match options.skip_token {
        Some(last) => ids = after(ids, last, options, tables.settings.strict_skip_token)?,
        None => drop(ids.drain(..options.skip.min(count))),
    }
    Ok((ids, Some(count)))
}

/// The rows after the last one of the page before. Without an order, rows that vanished meanwhile do not matter.
fn after(ids: Vec<Uuid>, last: Uuid, options: &Options, strict: bool) -> Result<Vec<Uuid>, Refusal> {
    if let Some(index) = ids.iter().position(|id| *id == last) {
        return Ok(ids[index + 1..].to_vec());
    }
    if !strict && options.order.is_empty() && ids.is_sorted() {
        return Ok(ids.into_iter().filter(|id| *id > last).collect());
    }
    Err(Refusal::stale_skip_token())
}

fn next_link(place: &Place<'_>, last: Uuid, top: Option<usize>) -> String {
    let kept = place.query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default().replace("%24", "$");
        !pair.is_empty() && !matches!(name.as_str(), "aid" | "$skiptoken" | "$top" | "$skip")
    });
    let mut parts: Vec<String> = kept.map(ToOwned::to_owned).collect();
    parts.extend(top.map(|top| format!("$top={top}")));
    parts.push("aid=FIN".to_owned());
    parts.push(format!("$skiptoken={last}"));
    format!("{}/{}?{}", place.service, place.path, parts.join("&"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::bc::odata::query::Pairs;
    use crate::bc::sets::top_level;
    use crate::company::Company;
    use crate::ids::Ids;

    #[test]
    fn a_filter_on_numbers_is_tried_on_the_rows_of_those_numbers_only() {
        let ids = Ids::new(1);
        let company = Company::new(&ids, 10_000, jiff::civil::date(2026, 3, 2));
        let tables = Tables::new(&company, &ids, jiff::Timestamp::UNIX_EPOCH);
        let set = top_level("vendors").unwrap();
        let tried = |filter: &str| {
            let options = Options::of(&Pairs::parse(&format!("$filter={filter}")), set, false).unwrap();
            candidates(set, &tables, &Scope { parent: None, filter: options.filter.as_ref() }, &options).unwrap().len()
        };
        assert_eq!(tried("number eq 'V00001'"), 1);
        assert_eq!(tried("number eq 'V00001' or number eq 'V00002'"), 2);
        assert_eq!(tried("displayName ne '' and number eq 'V00001'"), 1);
        assert!(tried("number eq 'V0*'") >= 10_000);
    }

    #[test]
    fn a_page_of_a_whole_set_visits_its_own_rows_only() {
        let ids = Ids::new(1);
        let company = Company::new(&ids, 10_000, jiff::civil::date(2026, 3, 2));
        let tables = Tables::new(&company, &ids, jiff::Timestamp::UNIX_EPOCH);
        let target = Target {
            set: top_level("vendors").unwrap(),
            parent: None,
            rest: crate::bc::odata::path::Rest::Collection,
            context: String::new(),
        };
        let visited = |query: &str| {
            let options = Options::of(&Pairs::parse(query), target.set, false).unwrap();
            only_page(&target, &tables, &options, 100)
        };
        let all = tables.vendors.ids();
        assert_eq!(visited("$skip=7"), Some(all[7..108].to_vec()));
        assert_eq!(visited(&format!("$skiptoken={}", all[500])), Some(all[501..602].to_vec()));
        assert_eq!(visited(&format!("$skiptoken={}", all[all.len() - 3])), Some(all[all.len() - 2..].to_vec()));
        assert_eq!(visited("$count=true"), None);
        assert_eq!(visited("$filter=number ne ''"), None);
    }
}
