//! Finds the purchases that refunds may belong to, and their invoices as Business Central holds them now. What that means is
//! decided in `domain::refund`.

use std::collections::HashMap;

use domain::document::DocumentKind;
use domain::id::RecordId;
use domain::record::{Record, Treatment};
use domain::refund::Purchase;
use store::RecordRow;

use super::verify::documents_of;
use super::wire::found_document;
use super::{Lane, Records, Stop};

/// The purchases on the expense of each record that becomes a credit memo; Business Central is asked only if there are some.
pub(super) async fn purchases(lane: &Lane<'_>, records: &Records) -> Result<HashMap<RecordId, Vec<Purchase>>, Stop> {
    let refunds: Vec<&Record> = records.values().map(AsRef::as_ref).filter(|record| is_refund(record)).collect();
    let sources: Vec<&str> = refunds.iter().filter_map(|record| record.source_id.as_deref()).collect();
    if sources.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = lane.app.store.records().list_about(&lane.connection.id, &sources).await?;
    let rows: Vec<RecordRow> = rows.into_iter().filter(|row| is_purchase(lane, row)).collect();
    let documents = documents_of(lane, &rows).await?;
    let purchase = |row: &RecordRow| {
        let found = row.document_id.and_then(|id| documents.get(&id));
        Purchase { record: row.id.clone(), invoice: found.map(|(kind, document)| found_document(*kind, document)) }
    };
    let of = |refund: &Record| {
        let same = |row: &&RecordRow| row.source_id == refund.source_id && row.id != refund.id;
        rows.iter().filter(same).map(purchase).collect::<Vec<_>>()
    };
    Ok(refunds.into_iter().map(|refund| (refund.id.clone(), of(refund))).collect())
}

/// Also one that has no document yet: beside it, another is not certain.
fn is_purchase(lane: &Lane<'_>, row: &RecordRow) -> bool {
    let treatment = Treatment::among(&lane.connection.rules.types, &row.record_type, &row.source_type);
    let kind = row.document_kind.or_else(|| treatment.document());
    kind == Some(DocumentKind::Invoice)
}

fn is_refund(record: &Record) -> bool {
    record.treatment().document() == Some(DocumentKind::CreditMemo)
}
