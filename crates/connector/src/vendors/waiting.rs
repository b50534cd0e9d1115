//! The records whose vendor a person must say, each with what the matcher suggests.

use domain::hold::HoldCode;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use store::{RecordRow, Store, VendorMatch};

use super::judgement::{Asked, Judgement};

/// Rows read at once.
const PAGE: i64 = 500;

/// A record with what the matcher said about it.
pub struct Waiting {
    /// The record.
    pub row: RecordRow,
    /// Whether a new vendor may be proposed for it, where the connection allows that.
    pub may_be_new: bool,
    /// What was asked and said.
    pub judged: Option<(Asked, Judgement)>,
}

/// All of a connection, by id.
pub async fn list(store: &Store, connection: &ConnectionId) -> Result<Vec<Waiting>, store::Error> {
    let codes = [HoldCode::VendorReview, HoldCode::VendorNotFound, HoldCode::VendorAmbiguous];
    let (mut waiting, mut after) = (Vec::new(), None);
    loop {
        let page =
            store.records().list_held_in(connection, &[Stage::ResolveVendor, Stage::Map], after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(waiting) };
        after = Some(last.id.clone());
        let rows: Vec<RecordRow> =
            page.into_iter().filter(|row| row.hold.as_ref().is_some_and(|hold| codes.contains(&hold.code))).collect();
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id.clone()).collect();
        let mut matches = store.vendor_matches().find_many(connection, &ids).await?;
        for row in rows {
            let at = matches.iter().position(|matched| matched.record_id == row.id && matched.version == row.version);
            let judged = at.map(|at| matches.swap_remove(at)).and_then(|matched| read(&matched));
            let may_be_new = row.hold.as_ref().is_some_and(|hold| hold.code != HoldCode::VendorAmbiguous);
            waiting.push(Waiting { row, may_be_new, judged });
        }
    }
}

/// What was asked and said about a record in its version of now, if it was.
pub async fn judged(store: &Store, row: &RecordRow) -> Result<Option<(Asked, Judgement)>, store::Error> {
    let matches = store.vendor_matches().find_many(&row.connection, std::slice::from_ref(&row.id)).await?;
    Ok(matches.iter().find(|matched| matched.version == row.version).and_then(read))
}

/// What a record's merchant was asked about as; none if the record is not known here.
pub async fn asked_of(
    store: &Store,
    connection: &ConnectionId,
    record: &RecordId,
) -> Result<Option<Asked>, store::Error> {
    let Some(row) = store.records().get(connection, record).await? else { return Ok(None) };
    let judged = judged(store, &row).await?;
    Ok(Some(judged.map_or_else(|| Asked::name(row.merchant.as_deref().unwrap_or_default()), |(asked, _)| asked)))
}

/// What was asked and said, if this version can read it.
fn read(matched: &VendorMatch) -> Option<(Asked, Judgement)> {
    Some((serde_json::from_str(&matched.asked).ok()?, serde_json::from_str(&matched.decision).ok()?))
}
