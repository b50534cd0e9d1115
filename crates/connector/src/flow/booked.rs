//! Finds what else Brex has about the expense of a record, so that one expense is not booked twice. What that means is decided in
//! `domain::booked`.

use std::collections::HashMap;

use domain::booked::{Other, decide_booked};
use domain::document::DocumentKind;
use domain::hold::Hold;
use domain::id::RecordId;
use domain::record::{Record, Treatment};
use domain::stage::Stage;
use store::RecordRow;

use super::{Lane, Records};

/// The hold of each record whose expense is booked by another.
pub(super) async fn booked(lane: &Lane<'_>, records: &Records) -> Result<HashMap<RecordId, Hold>, store::Error> {
    let documents = records.values().filter(|record| record.treatment().document().is_some());
    let sources: Vec<&str> = documents.filter_map(|record| record.source_id.as_deref()).collect();
    if sources.is_empty() {
        return Ok(HashMap::new());
    }
    let store = lane.app.store.records();
    let mut about: HashMap<String, Vec<Other>> = HashMap::new();
    for row in store.list_about(&lane.connection.id, &sources).await? {
        if let (Some(source), Some(other)) = (row.source_id.clone(), other(lane, &row)) {
            about.entry(source).or_default().push(other);
        }
    }
    // Other connections that ever worked between the same two companies, whether or not the configuration still has them.
    let identity = &lane.identity;
    let connections = lane.app.store.connections();
    let ever = connections.list_between(&identity.brex_company, identity.bc_company).await?;
    for connection in ever.into_iter().filter(|id| *id != lane.connection.id) {
        for row in store.list_about(&connection, &sources).await? {
            if let Some(source) = row.source_id.clone().filter(|_| !row.stage.is_before_document()) {
                let other = Other {
                    record: row.id,
                    type_name: row.record_type,
                    has_document: true,
                    is_of_another_connection: true,
                };
                about.entry(source).or_default().push(other);
            }
        }
    }
    let hold = |record: &Record| decide_booked(record, about.get(record.source_id.as_deref()?)?);
    Ok(records.values().filter_map(|record| Some((record.id.clone(), hold(record)?))).collect())
}

/// A row that is a purchase or may become one. What is not ready for export may never be.
fn other(lane: &Lane<'_>, row: &RecordRow) -> Option<Other> {
    let treatment = Treatment::among(&lane.connection.rules.types, &row.record_type, &row.source_type);
    let has_document = !row.stage.is_before_document();
    let may_become = matches!(row.stage, Stage::ResolveVendor | Stage::Map);
    let is_purchase = treatment.document() == Some(DocumentKind::Invoice);
    (has_document || (may_become && is_purchase)).then(|| Other {
        record: row.id.clone(),
        type_name: row.record_type.clone(),
        has_document,
        is_of_another_connection: false,
    })
}
