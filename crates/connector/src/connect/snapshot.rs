//! What stands in Brex before another accounting integration is disconnected: fields, their values, vendors. Kept beside the
//! configuration and never overwritten.

use std::path::{Path, PathBuf};

use clients::{Error, Kind, brex};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::systems::refused;
use super::{Refusal, Why};
use crate::problem;

/// More files of one day than anybody makes.
const MOST: u32 = 1_000;
/// More pages of vendors than any directory has; each holds a thousand.
const MOST_PAGES: usize = 1_000;

/// A file that was written.
pub(crate) struct Snapshot {
    pub(crate) path: PathBuf,
    /// What Brex does not let this token at.
    pub(crate) not_read: Vec<String>,
}

/// Reads everything that may be read and writes it.
pub(crate) async fn save(
    client: &brex::Client,
    folder: &Path,
    connection: &str,
    replaced: &Value,
    now: Timestamp,
) -> Result<Snapshot, Refusal> {
    let mut not_read = Vec::new();
    let fields = readable("fields", fields(client, &mut not_read).await, &mut not_read)?;
    let vendors = readable("vendors", vendors(client).await, &mut not_read)?;
    let content = json!({
        "connection": connection, "made_at": now.to_string(), "replaced": replaced, "fields": fields, "vendors": vendors,
        "not_read": not_read,
    });
    let text = format!("{content:#}\n");
    let day = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    for number in 1..=MOST {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{connection}-brex-{day}{suffix}.json"));
        if write(folder, &path, &text)? {
            return Ok(Snapshot { path, not_read });
        }
    }
    let text = format!("{} has {MOST} snapshots of {day} already: move them elsewhere", folder.display());
    Err(Refusal::new(Why::Unexpected, text))
}

/// Writes the file whole, for its owner only (what `tempfile` makes); false if there is one of that name.
fn write(folder: &Path, path: &Path, text: &str) -> Result<bool, Refusal> {
    let file = tempfile::Builder::new().prefix(".ml-connector-").tempfile_in(folder)?;
    std::fs::write(file.path(), text)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {
            std::fs::File::open(folder)?.sync_all()?;
            Ok(true)
        }
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error.into()),
    }
}

/// What was read; null where Brex does not let this token at it. Any other error is one: what could be read must not be missing.
fn readable(what: &str, read: Result<Vec<Value>, Error>, not_read: &mut Vec<String>) -> Result<Value, Refusal> {
    match read {
        Ok(rows) => Ok(Value::Array(rows)),
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound | Kind::Refused) => {
            not_read.push(format!("{what}: {}", problem::said(&error)));
            Ok(Value::Null)
        }
        Err(error) => Err(refused(error)),
    }
}

async fn fields(client: &brex::Client, not_read: &mut Vec<String>) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for field in client.list_fields().await? {
        let values = match client.list_field_values(&field.brex_id).await {
            Ok(values) => Value::Array(values.iter().map(value).collect()),
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound | Kind::Refused) => {
                not_read.push(format!("values of {}: {}", field.name, problem::said(&error)));
                Value::Null
            }
            Err(error) => return Err(error),
        };
        found.push(json!({
            "brex_id": field.brex_id, "name": field.name, "remote_id": field.remote_id, "is_disabled": field.is_disabled,
            "group": field.group, "values": values,
        }));
    }
    Ok(found)
}

fn value(value: &brex::FieldValue) -> Value {
    json!({
        "brex_id": value.brex_id, "value": value.value, "remote_id": value.remote_id, "value_id": value.value_id,
        "is_disabled": value.is_disabled,
    })
}

async fn vendors(client: &brex::Client) -> Result<Vec<Value>, Error> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let page = client.list_vendors(cursor.as_deref()).await?;
        found.extend(page.items.into_iter().map(|vendor| {
            json!({ "id": vendor.id, "company_name": vendor.company_name, "email": vendor.email, "phone": vendor.phone })
        }));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}
