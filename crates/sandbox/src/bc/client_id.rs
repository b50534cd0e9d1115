//! An id that a client sends with a new row: refused, ignored or stored, because nobody knows which.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Refusal;
use super::sets::Work;
use super::settings::ClientId;

/// The id of a new row, and the body without the one that was sent.
pub(crate) fn new_id(work: &Work<'_>, body: &Map<String, Value>) -> Result<(Uuid, Map<String, Value>), Refusal> {
    let mut body = body.clone();
    if work.tables.settings.client_id == ClientId::Refused {
        // The body still holds it and is refused as soon as it is read.
        return Ok((work.ids.guid(), body));
    }
    let Some(sent) = body.remove("id").filter(|_| work.tables.settings.client_id == ClientId::Stored) else {
        return Ok((work.ids.guid(), body));
    };
    let text = sent.as_str().unwrap_or_default();
    let id = Uuid::try_parse(text).map_err(|_| Refusal::not_convertible(&sent.to_string(), "Edm.Guid"))?;
    let tables = &work.tables;
    let lines = tables.documents.iter().flat_map(|(_, document)| &document.lines);
    let used = tables.documents.get(id).is_some() || tables.vendors.get(id).is_some();
    if used || lines.into_iter().any(|line| line.id == id) {
        return Err(Refusal::same_key("record", "SystemId", &id.to_string()));
    }
    Ok((id, body))
}
