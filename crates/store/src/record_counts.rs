//! The tables `record_counts` and `export_days`: how many records stand where, and how many were exported on each day. They are kept
//! by the transaction that writes the records, so that they are never wrong, and reading them costs the same beside a million.

use std::collections::BTreeMap;

use domain::id::ConnectionId;
use domain::stage::Stage;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::dialect::{CHUNK, Statement};
use crate::error::Error;
use crate::record_list::Exports;
use crate::records::{Count, RecordRow, Records};
use crate::row::{Columns, Table, from_str};

const COUNTS: Table = Table { name: "record_counts", key: &["connection", "stage", "hold_code"] };
const DAYS: Table = Table { name: "export_days", key: &["connection", "day"] };
const DAY_MS: i64 = 86_400_000;

/// What counts of a record.
pub(crate) struct Counted {
    stage: String,
    hold_code: String,
    first_seen_ms: i64,
    exported_ms: Option<i64>,
}

impl Counted {
    /// The columns that it is read from.
    pub(crate) const COLUMNS: &'static str = "stage, hold_code, first_seen_ms, exported_ms";

    pub(crate) fn read(row: &Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            stage: row.text("stage")?,
            hold_code: row.optional_text("hold_code")?.unwrap_or_default(),
            first_seen_ms: row.integer("first_seen_ms")?,
            exported_ms: row.optional_integer("exported_ms")?,
        })
    }

    /// Of a row that was read.
    pub(crate) fn of(row: &RecordRow) -> Self {
        Self::written(row, None)
    }

    /// Of a row as it is written in place of `before`; when it was first seen stays what it was.
    fn written(row: &RecordRow, before: Option<&Self>) -> Self {
        Self {
            stage: row.stage.as_str().to_owned(),
            hold_code: row.hold.as_ref().map_or("", |hold| hold.code.as_str()).to_owned(),
            first_seen_ms: before.map_or(row.first_seen_ms, |before| before.first_seen_ms),
            exported_ms: row.exported_ms,
        }
    }
}

/// What a batch changes.
#[derive(Default)]
pub(crate) struct Changes {
    places: BTreeMap<(String, String), i64>,
    days: BTreeMap<i64, (i64, i64)>,
}

impl Changes {
    /// A row takes the place of what was there before.
    pub(crate) fn note(&mut self, row: &RecordRow, before: Option<&Counted>) {
        self.add(&Counted::written(row, before), 1);
        if let Some(before) = before {
            self.add(before, -1);
        }
    }

    fn add(&mut self, counted: &Counted, records: i64) {
        *self.places.entry((counted.stage.clone(), counted.hold_code.clone())).or_default() += records;
        if let Some(exported_ms) = counted.exported_ms {
            let day = self.days.entry(exported_ms / DAY_MS).or_default();
            day.0 += records;
            day.1 += records * exported_ms.saturating_sub(counted.first_seen_ms);
        }
    }

    /// Writes them. Always in the same order, so that two writers never wait for each other.
    pub(crate) async fn write(self, tx: &mut AnyConnection, connection: &ConnectionId) -> Result<(), Error> {
        let places: Vec<_> = self.places.into_iter().filter(|(_, records)| *records != 0).collect();
        for places in places.chunks(CHUNK) {
            Statement::new("INSERT INTO record_counts (connection, stage, hold_code, records) ")
                .push_rows(places, |((stage, hold_code), records), tuple| {
                    tuple.bind(connection.as_str()).bind(stage.as_str()).bind(hold_code.as_str()).bind(*records);
                })
                .push(
                    " ON CONFLICT (connection, stage, hold_code) DO UPDATE \
                     SET records = record_counts.records + excluded.records",
                )
                .execute(tx)
                .await?;
        }
        let days: Vec<_> = self.days.into_iter().filter(|(_, changed)| *changed != (0, 0)).collect();
        for days in days.chunks(CHUNK) {
            Statement::new("INSERT INTO export_days (connection, day, records, took_ms) ")
                .push_rows(days, |(day, (records, took_ms)), tuple| {
                    tuple.bind(connection.as_str()).bind(*day).bind(*records).bind(*took_ms);
                })
                .push(
                    " ON CONFLICT (connection, day) DO UPDATE SET records = export_days.records + excluded.records, \
                     took_ms = export_days.took_ms + excluded.took_ms",
                )
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

impl Records<'_> {
    /// How many records stand where.
    pub async fn counts(&self, connection: &ConnectionId) -> Result<Vec<Count>, Error> {
        let statement = Statement::new(
            "SELECT connection, stage, hold_code, records FROM record_counts \
             WHERE connection = $1 AND records > 0 ORDER BY stage, hold_code",
        );
        self.db.rows(statement.bind(connection.as_str())).await?.iter().map(read_count).collect()
    }

    /// Exports by day since the day (UTC) of `since_ms`, the oldest day first.
    pub async fn exports_by_day(&self, connection: &ConnectionId, since_ms: i64) -> Result<Vec<Exports>, Error> {
        let statement = Statement::new(
            "SELECT connection, day, records, took_ms FROM export_days \
             WHERE connection = $1 AND day >= $2 AND records > 0 ORDER BY day",
        );
        let read = |row| {
            let row = DAYS.row(row);
            let [day, records, took_ms] = ["day", "records", "took_ms"].map(|column| row.integer(column));
            Ok(Exports { day: day?, records: records?, took_ms: took_ms? })
        };
        let statement = statement.bind(connection.as_str()).bind(since_ms.div_euclid(DAY_MS));
        self.db.rows(statement).await?.iter().map(read).collect()
    }
}

fn read_count(row: &AnyRow) -> Result<Count, Error> {
    let row = COUNTS.row(row);
    let hold_code = row.text("hold_code")?;
    let is_held = !hold_code.is_empty();
    Ok(Count {
        stage: row.parsed::<Stage>("stage", from_str)?,
        hold_code: if is_held { Some(row.parsed("hold_code", from_str)?) } else { None },
        records: row.integer("records")?,
    })
}
