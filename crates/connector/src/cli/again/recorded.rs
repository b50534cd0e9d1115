//! What is recorded of a record: what Brex sent, and everything that the decision was made with.

use domain::directory::Directory;
use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;
use serde_json::{Value, json};
use store::{ConnectionRow, RecordRow, Store, ValueMeaning, VendorLink};

use super::super::{Exit, Failure};
use super::Outcome;
use crate::config::{Config, ConnectionConfig, Source};
use crate::flow::map;
use crate::mirror;
use crate::vendors::judgement::Asked;

/// The inputs of one record.
pub(super) struct Recorded {
    /// The connection as configured now.
    pub(super) settings: ConnectionConfig,
    /// Who was at either end.
    pub(super) ends: ConnectionRow,
    /// The record as it stands.
    pub(super) row: RecordRow,
    /// What Brex sent, ready for export as it was then.
    pub(super) payload: String,
    /// When it came.
    pub(super) received_ms: i64,
    /// Master data as last mirrored.
    pub(super) directory: Directory,
    /// What people answered about merchants.
    pub(super) links: Vec<VendorLink>,
    /// What people said about coded values.
    pub(super) meanings: Vec<ValueMeaning>,
    /// What the matcher was asked, if it was.
    pub(super) asked: Option<Asked>,
}

impl Recorded {
    /// Reads everything from the database.
    pub(super) async fn read(config: &Config, store: &Store, record: &RecordId) -> Result<Self, Failure> {
        let missing = |what: &str| Failure::new(Exit::NotFound, format!("{what}, so {record} cannot be run again"));
        let found = store.records().find_anywhere(record).await?;
        let Some((connection, row)) = found.into_iter().next() else {
            return Err(Failure::new(Exit::NotFound, format!("the record {record} is not known here")));
        };
        let settings = config.connections.iter().find(|settings| settings.name == connection.as_str());
        let settings = settings.ok_or_else(|| missing("its connection is not in the configuration"))?.clone();
        if settings.brex.source == Source::Expenses {
            return Err(missing("it was made of an expense, and the sandbox takes accounting records only"));
        }
        let ends = store.connections().get(&connection).await?.filter(|ends| ends.bc_company_id.is_some());
        let kept = store.payloads().get_many(&connection, &[(record.clone(), row.version)]).await?;
        let kept = kept.into_iter().next().ok_or_else(|| missing("what Brex sent is not kept any more"))?;
        let directory = mirror::stored(store, &connection).await?;
        Ok(Self {
            settings,
            ends: ends.ok_or_else(|| missing("the connection was never made"))?,
            payload: as_it_was(&kept.payload, row.stage),
            received_ms: kept.received_ms,
            directory: directory.ok_or_else(|| missing("the company was never mirrored"))?,
            links: store.vendor_links().list(&connection).await?,
            meanings: store.value_meanings().list(&connection).await?,
            asked: asked(store, &connection, &row).await?,
            row,
        })
    }

    /// Where the record stands.
    pub(super) fn outcome(&self) -> Outcome {
        outcome(&self.row)
    }
}

/// Where a record stands; what was learnt about dimensions on the way counts for nothing.
pub(super) fn outcome(row: &RecordRow) -> Outcome {
    Outcome {
        stage: row.stage.to_string(),
        hold: row.hold.as_ref().map(|hold| hold.code.to_string()),
        document: map::plan_of(row).map(domain::document::PlannedDocument::at_once),
    }
}

async fn asked(store: &Store, connection: &ConnectionId, row: &RecordRow) -> Result<Option<Asked>, Failure> {
    let matched = store.vendor_matches().find_many(connection, std::slice::from_ref(&row.id)).await?;
    let matched = matched.into_iter().find(|matched| matched.version == row.version);
    Ok(matched.and_then(|matched| serde_json::from_str(&matched.asked).ok()))
}

/// Once a record is exported, Brex sends it as exported; when it was decided about it was ready.
fn as_it_was(payload: &str, stage: Stage) -> String {
    let Ok(mut record) = serde_json::from_str::<Value>(payload) else { return payload.to_owned() };
    if stage != Stage::Waiting && record["review_status"] == "EXPORTED" {
        record["review_status"] = json!("READY_FOR_EXPORT");
    }
    record.to_string()
}
