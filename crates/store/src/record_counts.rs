//! The tables `record_counts`, `export_days` and `draft_days`: how many records stand where, how many were exported on each day, and how
//! long drafts took. They are kept by the transaction that writes the records, with `spend`, so that they are never wrong, and reading
//! them costs the same beside a million.

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
use crate::spend::SpendChanges;

const COUNTS: Table = Table { name: "record_counts", key: &["connection", "stage", "hold_code"] };
const DAYS: Table = Table { name: "export_days", key: &["connection", "day"] };
const DRAFTS: Table = Table { name: "draft_days", key: &["connection", "day", "step"] };
const DAY_MS: i64 = 86_400_000;

/// The steps by which it is told how long a draft took from when its record was first seen ready: less than the first, less than the
/// second, and so on, in milliseconds; what took longer than the last is a step of its own.
pub const DRAFT_STEPS_MS: [i64; 4] = [60_000, 600_000, 3_600_000, DAY_MS];

/// Drafts of one day (UTC) that took about as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drafts {
    /// Days since 1970.
    pub day: i64,
    /// Which of [`DRAFT_STEPS_MS`] it stayed below; their number if it took longer.
    pub step: usize,
    /// Number of records.
    pub records: i64,
}

/// What counts of a record.
pub(crate) struct Counted {
    stage: String,
    hold_code: String,
    first_seen_ms: i64,
    exported_ms: Option<i64>,
    has_document: bool,
    /// Of an exported one.
    plan: Option<String>,
}

impl Counted {
    /// The columns that it is read from.
    pub(crate) const COLUMNS: &'static str = "stage, hold_code, first_seen_ms, exported_ms, document_id, \
         CASE WHEN exported_ms IS NULL THEN NULL ELSE plan END AS plan";

    pub(crate) fn read(row: &Columns<'_>) -> Result<Self, Error> {
        Ok(Self {
            stage: row.text("stage")?,
            hold_code: row.optional_text("hold_code")?.unwrap_or_default(),
            first_seen_ms: row.integer("first_seen_ms")?,
            exported_ms: row.optional_integer("exported_ms")?,
            has_document: row.optional_text("document_id")?.is_some(),
            plan: row.optional_text("plan")?,
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
            has_document: row.document_id.is_some(),
            plan: row.plan.as_ref().filter(|_| row.exported_ms.is_some()).cloned(),
        }
    }
}

/// What a batch changes.
#[derive(Default)]
pub(crate) struct Changes {
    places: BTreeMap<(String, String), i64>,
    days: BTreeMap<i64, (i64, i64)>,
    drafts: BTreeMap<(i64, usize), i64>,
    spend: SpendChanges,
}

impl Changes {
    /// A row takes the place of what was there before.
    pub(crate) fn note(&mut self, row: &RecordRow, before: Option<&Counted>, now_ms: i64) {
        let after = Counted::written(row, before);
        self.add(&after, 1);
        if let Some(before) = before {
            self.add(before, -1);
        }
        if after.has_document && !before.is_some_and(|before| before.has_document) {
            let took_ms = now_ms.saturating_sub(after.first_seen_ms);
            let step = DRAFT_STEPS_MS.iter().take_while(|most| took_ms >= **most).count();
            *self.drafts.entry((now_ms / DAY_MS, step)).or_default() += 1;
        }
        let plan_before = before.and_then(|before| before.plan.as_deref());
        if plan_before != after.plan.as_deref() {
            self.spend.add(after.plan.as_deref(), 1);
            self.spend.add(plan_before, -1);
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
        let drafts: Vec<_> = self.drafts.into_iter().collect();
        for drafts in drafts.chunks(CHUNK) {
            Statement::new("INSERT INTO draft_days (connection, day, step, records) ")
                .push_rows(drafts, |((day, step), records), tuple| {
                    let step = i64::try_from(*step).unwrap_or(i64::MAX);
                    tuple.bind(connection.as_str()).bind(*day).bind(step).bind(*records);
                })
                .push(
                    " ON CONFLICT (connection, day, step) DO UPDATE SET records = draft_days.records + excluded.records",
                )
                .execute(tx)
                .await?;
        }
        self.spend.write(tx, connection).await
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

    /// Drafts by day and by how long they took, since the day (UTC) of `since_ms`, the oldest day first.
    pub async fn drafts_by_day(&self, connection: &ConnectionId, since_ms: i64) -> Result<Vec<Drafts>, Error> {
        let statement = Statement::new(
            "SELECT connection, day, step, records FROM draft_days WHERE connection = $1 AND day >= $2 ORDER BY day, step",
        );
        let read = |row| {
            let row = DRAFTS.row(row);
            let step = row.integer("step")?;
            Ok(Drafts {
                day: row.integer("day")?,
                step: usize::try_from(step).unwrap_or(0),
                records: row.integer("records")?,
            })
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
