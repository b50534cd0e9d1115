//! Records of which something is kept that can be erased.

use domain::id::{ConnectionId, RecordId};
use domain::stage::Stage;

use crate::dialect::{CHUNK, Statement};
use crate::error::Error;
use crate::records::{RecordRow, Records, TABLE, of_connection};

/// A stretch of records that was looked through.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Those that can be erased.
    pub rows: Vec<RecordRow>,
    /// The last one that was looked at, whether it can or not; none at the end.
    pub last: Option<(i64, RecordId)>,
}

impl Records<'_> {
    /// Looks through the next records at a stage, the first seen first, for those that were last written before an instant and of which
    /// something is kept. It looks at few at once, so that it costs the same beside a million that are erased already.
    pub async fn kept_since(
        &self,
        connection: &ConnectionId,
        stage: Stage,
        before_ms: i64,
        after: Option<&(i64, RecordId)>,
    ) -> Result<Kept, Error> {
        let (after_ms, after_id) = after.map_or((i64::MIN, ""), |(ms, id)| (*ms, id.as_str()));
        // Nothing was written before it was first seen.
        let statement = Statement::new(
            "SELECT connection, id, first_seen_ms FROM records WHERE connection = $1 AND stage = $2 \
             AND first_seen_ms < $3 AND (first_seen_ms, id) > ($4, $5) ORDER BY first_seen_ms, id LIMIT $6",
        )
        .bind(connection.as_str())
        .bind(stage.as_str())
        .bind(before_ms)
        .bind(after_ms)
        .bind(after_id)
        .bind(i64::try_from(CHUNK).unwrap_or(i64::MAX));
        let mut looked_at = Vec::new();
        for row in self.db.rows(statement).await? {
            let row = TABLE.row(&row);
            looked_at.push((row.integer("first_seen_ms")?, RecordId::new(row.text("id")?)));
        }
        let Some(last) = looked_at.last().cloned() else { return Ok(Kept::default()) };
        let statement = of_connection(connection)
            .push(" AND updated_ms < ")
            .push_bind(before_ms)
            .push(
                " AND hold_code IS NULL AND EXISTS (SELECT 1 FROM payloads WHERE payloads.connection = records.connection \
                 AND payloads.record_id = records.id) AND id IN ",
            )
            .push_list(looked_at.iter().map(|(_, id)| id.as_str()))
            .push(" ORDER BY first_seen_ms, id");
        Ok(Kept { rows: self.read(statement).await?, last: Some(last) })
    }
}
