//! Resource paths: `companies(id)/purchaseInvoices(id)/purchaseInvoiceLines(id)/dimensionSetLines`, actions and `$count`.

use serde_json::Value;
use uuid::Uuid;

use super::super::error::Refusal;
use super::super::group::Group;
use super::super::schema::Kind;
use super::super::sets::{self, EntitySet, Parent};
use super::super::table::Tables;

/// What a path leads to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) set: &'static dyn EntitySet,
    pub(crate) parent: Option<Parent>,
    pub(crate) rest: Rest,
    /// The path as `@odata.context` shows it, `companies(...)/vendors`.
    pub(crate) context: String,
}

/// The end of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    Collection,
    Count,
    Entity(Uuid),
    /// A stream property.
    Stream(Uuid, String),
    /// The part after `Microsoft.NAV.`.
    Action(Uuid, String),
}

/// A path segment with its key.
struct Segment<'a> {
    name: &'a str,
    key: Option<Uuid>,
    /// What follows the id within the key, as sent.
    more: Option<&'a str>,
}

/// Follows a path below a group. `company` is what the query option or the header names.
pub(crate) fn resolve(path: &str, company: Option<&str>, tables: &Tables, group: &Group) -> Result<Target, Refusal> {
    let mut segments = path.trim_matches('/').split('/').filter(|segment| !segment.is_empty()).peekable();
    let first = segment(segments.peek().copied().unwrap_or_default())?;
    let mut context = String::new();
    if first.name == "companies" {
        segments.next();
        if segments.peek().is_none() || segments.peek() == Some(&"$count") {
            return companies(&first, segments.next().is_some());
        }
        let id = first.key.ok_or_else(Refusal::syntax)?;
        if id != tables.company_id {
            return Err(Refusal::no_company());
        }
        context = format!("companies({id})/");
    } else if (group.set)(first.name).is_some() {
        find_company(company, tables)?;
    }
    follow(segments.collect(), context, tables, group)
}

fn companies(segment: &Segment<'_>, counted: bool) -> Result<Target, Refusal> {
    let rest = match (segment.key, counted) {
        (None, false) => Rest::Collection,
        (None, true) => Rest::Count,
        (Some(id), false) => Rest::Entity(id),
        (Some(_), true) => return Err(Refusal::syntax()),
    };
    Ok(Target { set: &sets::company::Companies, parent: None, rest, context: "companies".to_owned() })
}

fn find_company(company: Option<&str>, tables: &Tables) -> Result<(), Refusal> {
    let company = company.ok_or_else(Refusal::no_company)?.trim_matches('\'');
    let found = company.eq_ignore_ascii_case(&tables.company_name)
        || Uuid::try_parse(company).is_ok_and(|id| id == tables.company_id);
    if found { Ok(()) } else { Err(Refusal::no_company()) }
}

fn follow(segments: Vec<&str>, mut context: String, tables: &Tables, group: &Group) -> Result<Target, Refusal> {
    let mut parent: Option<Parent> = None;
    let mut set: Option<&'static dyn EntitySet> = None;
    let mut key: Option<Uuid> = None;
    let count = segments.len();
    for (index, text) in segments.into_iter().enumerate() {
        let last = index + 1 == count;
        if let (Some(found), true) = (set, last)
            && let Some(rest) = stream(found, text, key).map_or_else(|| ending(text, key), |rest| Ok(Some(rest)))?
        {
            return Ok(Target { set: found, parent, rest, context });
        }
        let step = segment(text)?;
        let next = match set {
            None => (group.set)(step.name),
            Some(before) => {
                let id = key.ok_or_else(Refusal::syntax)?;
                if !before.keys(tables, &sets::Scope { parent, filter: None }, Some(id))?.contains(&id) {
                    return Err(Refusal::no_row(before.schema().set));
                }
                parent = Some(Parent { set: before, id });
                context.push('/');
                before.navigation(step.name)
            }
        };
        set = Some(next.ok_or_else(|| Refusal::no_segment(step.name))?);
        if let (Some(found), Some(id)) = (set, step.key) {
            check_key(found, tables, id, step.more)?;
        }
        let only = parent.filter(|_| set.is_some_and(EntitySet::is_single));
        key = step.key.or(only.map(|parent| parent.id));
        context.push_str(step.name);
        if let (Some(id), false) = (key, last) {
            context = format!("{context}({id})");
        }
    }
    let set = set.ok_or_else(Refusal::syntax)?;
    let rest = key.map_or(Rest::Collection, Rest::Entity);
    Ok(Target { set, parent, rest, context })
}

/// A stream property, if the segment is one.
fn stream(set: &dyn EntitySet, text: &str, key: Option<Uuid>) -> Option<Rest> {
    set.schema().field(text).filter(|field| field.kind == Kind::Stream)?;
    key.map(|id| Rest::Stream(id, text.to_owned()))
}

/// `$count` or an action, if the segment is one.
fn ending(text: &str, key: Option<Uuid>) -> Result<Option<Rest>, Refusal> {
    if text == "$count" {
        return if key.is_none() { Ok(Some(Rest::Count)) } else { Err(Refusal::syntax()) };
    }
    let Some((namespace, action)) = text.rsplit_once('.') else {
        return Ok(None);
    };
    if !namespace.eq_ignore_ascii_case("Microsoft.NAV") {
        return Ok(None);
    }
    let id = key.ok_or_else(|| Refusal::no_segment(text))?;
    Ok(Some(Rest::Action(id, action.to_ascii_lowercase())))
}

/// A name, or a name with a bare GUID in parentheses.
fn segment(text: &str) -> Result<Segment<'_>, Refusal> {
    let Some((name, rest)) = text.split_once('(') else {
        return Ok(Segment { name: text, key: None, more: None });
    };
    let key = rest.strip_suffix(')').ok_or_else(Refusal::syntax)?;
    let (key, more) = key.split_once(',').map_or((key, None), |(key, more)| (key, Some(more)));
    // Quotes and braces around the GUID are not understood.
    if key.len() != 36 {
        return Err(Refusal::syntax());
    }
    let key = Uuid::try_parse(key).map_err(|_| Refusal::syntax())?;
    Ok(Segment { name, key: Some(key), more })
}

/// Checks the parts of a key behind the id: as many as the set has, with the values that its row has.
fn check_key(set: &dyn EntitySet, tables: &Tables, id: Uuid, more: Option<&str>) -> Result<(), Refusal> {
    let fields = set.more_keys();
    let texts = fields.iter().map(|field| match set.cell(tables, &sets::Scope::default(), id, field) {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    });
    let expected = texts.collect::<Vec<_>>().join(",");
    match more {
        None if fields.is_empty() => Ok(()),
        Some(more) if !fields.is_empty() && more.contains(',') => {
            if decoded(more) == expected {
                Ok(())
            } else {
                Err(Refusal::no_row(set.schema().set))
            }
        }
        _ => Err(Refusal::number_of_keys(set.schema().entity)),
    }
}

/// A part of a path without its percent encoding; `+` stands for itself there.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
