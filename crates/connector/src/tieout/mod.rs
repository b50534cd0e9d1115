//! Reads what the tie-out of a period compares: every record of Brex since the cut-over date, every document of ours in
//! Business Central, and what the database says. Reads only; the comparison is `domain::tieout`.

mod bridge;
mod page;
mod table;
mod transfers;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clients::bc::{Company, DocumentKind as WireKind};
use domain::calendar::day_of;
use domain::document::{DocumentKind, FoundDocument, MARKER};
use domain::id::{JobId, RecordId};
use domain::legal_entity::Whose;
use domain::mapping::booked;
use domain::money::{Currency, Money};
use domain::record::{Record, Review, Treatment};
use domain::stage::Stage;
use domain::tieout::{BcDocument, BcLine, BrexRecord, OurRecord, Period, Sides, Standing, TieOut, tie_out};
use store::RecordRow;
use uuid::Uuid;

use crate::app::{App, Connection, Identity};
use crate::config::Source;
use crate::flow::{Stop, found_document, legal_entity, poll, source};

pub use bridge::{Line, lines};
pub use page::page;
pub use table::write_csv;
pub use transfers::transfers;

/// Rows read at once.
const PAGE: i64 = 1_000;

/// The tie-out of a connection.
pub async fn make(app: &App, connection: &Connection, identity: &Identity, period: Period) -> Result<TieOut, Stop> {
    let mut sides = Sides::default();
    read_brex(connection, &mut sides).await?;
    let rows = read_rows(app, connection).await?;
    sides.ours = rows.iter().map(|row| (row.id.clone(), ours(row))).collect();
    find_elsewhere(app, connection, period, &mut sides).await?;
    let company = connection.bc.company(identity.bc_company).with_fresh_reads();
    let mut reader = Documents { company, identity, jobs: jobs(identity, &sides), seen: BTreeSet::new() };
    reader.read_period(period, &mut sides).await?;
    let of_period = |row: &&RecordRow| sides.brex.get(&row.id).is_some_and(|record| period.contains(record.day));
    let rows: Vec<RecordRow> = rows.iter().filter(of_period).cloned().collect();
    reader.read_rows(&rows, &mut sides).await?;
    Ok(tie_out(period, &sides))
}

async fn read_brex(connection: &Connection, sides: &mut Sides) -> Result<(), Stop> {
    let after = poll::start_of(connection)?;
    for mut pages in source::everything(connection, after) {
        while let Some(items) = pages.next_page().await? {
            for item in items {
                match source::read(connection, item.get()) {
                    Ok(record) => {
                        sides.brex.insert(record.id.clone(), in_brex(connection, &record));
                    }
                    Err(error) => {
                        let id = id_of(item.get()).unwrap_or_else(|| RecordId::new("a record without an id"));
                        sides.unreadable.insert(id, error.to_string());
                    }
                }
            }
        }
    }
    Ok(())
}

/// The id of a record of which not everything can be read.
fn id_of(json: &str) -> Option<RecordId> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    value.get("id")?.as_str().map(RecordId::new)
}

fn in_brex(connection: &Connection, record: &Record) -> BrexRecord {
    let treatment = record.treatment();
    let money = booked(&record.amount, record.original_amount.as_ref(), &connection.rules);
    BrexRecord {
        id: record.id.clone(),
        source: record.source_id.clone(),
        type_name: record.type_name.clone(),
        merchant: record.merchant.as_ref().map(|merchant| merchant.name.clone()),
        day: day_of(record.posting_at, &connection.rules.zone),
        money: signed(treatment.document(), Money::new(money.abs(), money.currency.clone())),
        is_spend: treatment != Treatment::NotSpend,
        standing: match &record.review {
            Review::Exported => Standing::Exported,
            _ if record.is_ready() => Standing::Ready,
            _ => Standing::Open,
        },
        has_status: treatment != Treatment::Bill && connection.settings.brex.source == Source::Accounting,
    }
}

fn signed(kind: Option<DocumentKind>, money: Money) -> Money {
    match kind {
        Some(DocumentKind::CreditMemo) => Money::new(-money.amount, money.currency),
        Some(DocumentKind::Invoice) | None => money,
    }
}

async fn read_rows(app: &App, connection: &Connection) -> Result<Vec<RecordRow>, Stop> {
    let mut rows: Vec<RecordRow> = Vec::new();
    loop {
        let page = app.store.records().list(&connection.id, rows.last().map(|row| &row.id), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// What another connection of the same Brex account exported before this one looked at it; and what was set aside as another's, is
/// still open in Brex, and belongs here by now.
async fn find_elsewhere(app: &App, connection: &Connection, period: Period, sides: &mut Sides) -> Result<(), Stop> {
    let entities = legal_entity::entities(app, connection);
    if !entities.matter() {
        return Ok(());
    }
    let stage = |record: &BrexRecord| sides.ours.get(&record.id).map(|ours| ours.stage);
    let is_asked = |record: &&BrexRecord| {
        let is_open = match stage(record) {
            None => record.standing == Standing::Exported,
            Some(stage) => stage == Stage::Elsewhere && record.standing == Standing::Ready,
        };
        record.is_spend && period.contains(record.day) && is_open
    };
    let asked: Vec<&BrexRecord> = sides.brex.values().filter(is_asked).collect();
    let calls = asked
        .iter()
        .map(|record| legal_entity::whose(connection, &entities, record.source.as_deref(), record.type_name == BILL));
    let whose = futures::future::try_join_all(calls).await?;
    let decided = asked.iter().zip(whose);
    let decided: Vec<(RecordId, bool)> =
        decided.map(|(record, whose)| (record.id.clone(), matches!(whose, Whose::Elsewhere(_)))).collect();
    for (id, is_elsewhere) in decided {
        match sides.ours.get_mut(&id) {
            None if is_elsewhere => drop(sides.elsewhere.insert(id)),
            // The next full poll takes it up.
            Some(ours) if !is_elsewhere => ours.stage = Stage::ResolveVendor,
            _ => {}
        }
    }
    Ok(())
}

/// Bills may have no expense.
const BILL: &str = "BILL_EXPENSE";

fn ours(row: &RecordRow) -> OurRecord {
    OurRecord { id: row.id.clone(), stage: row.stage, hold: row.hold.as_ref().map(|hold| hold.code) }
}

/// The job of every record that is known on either side: the marker of a document names it.
fn jobs(identity: &Identity, sides: &Sides) -> HashMap<String, RecordId> {
    let ids = sides.brex.keys().chain(sides.unreadable.keys()).chain(sides.ours.keys());
    ids.map(|id| (job(identity, id), id.clone())).collect()
}

fn job(identity: &Identity, record: &RecordId) -> String {
    JobId::new(&identity.brex_company, record, identity.bc_company).to_string()
}

/// Reads documents and puts those of ours to the sides, each once.
struct Documents<'a> {
    company: Company,
    identity: &'a Identity,
    jobs: HashMap<String, RecordId>,
    seen: BTreeSet<Uuid>,
}

const KINDS: [(DocumentKind, WireKind); 2] =
    [(DocumentKind::Invoice, WireKind::Invoice), (DocumentKind::CreditMemo, WireKind::CreditMemo)];

impl Documents<'_> {
    /// Whatever has a Posting Date in the period.
    async fn read_period(&mut self, period: Period, sides: &mut Sides) -> Result<(), Stop> {
        for (kind, wire) in KINDS {
            let mut pages = self.company.list_documents_between(wire, period.from, period.to)?;
            while let Some(documents) = pages.next_page().await? {
                for document in &documents {
                    self.take(&found_document(kind, document), sides);
                }
            }
        }
        Ok(())
    }

    /// The documents of the records of the period, wherever their Posting Date lies: by id and by number.
    async fn read_rows(&mut self, rows: &[RecordRow], sides: &mut Sides) -> Result<(), Stop> {
        for (kind, wire) in KINDS {
            let of_kind = || rows.iter().filter(move |row| row.document_kind == Some(kind));
            let ids: Vec<Uuid> =
                of_kind().filter_map(|row| row.document_id).filter(|id| !self.seen.contains(id)).collect();
            let mut documents = self.company.get_documents(wire, &ids).await?;
            let absent = |row: &&RecordRow| !sides.documents.contains_key(&row.id);
            let numbers: Vec<&str> = of_kind().filter(absent).filter_map(|row| row.document_key.as_deref()).collect();
            documents.extend(self.company.find_documents_by_numbers(wire, &numbers).await?);
            for document in &documents {
                self.take(&found_document(kind, document), sides);
            }
        }
        Ok(())
    }

    fn take(&mut self, found: &FoundDocument, sides: &mut Sides) {
        let Some(record) = self.record_of(found) else { return };
        if self.seen.insert(found.id)
            && let Some(document) = in_bc(found, record)
        {
            sides.documents.entry(document.record.clone()).or_default().push(document);
        }
    }

    /// The record that the marker names, if it is one of this connection: other connections may write to the same company.
    fn record_of(&self, found: &FoundDocument) -> Option<RecordId> {
        let comments = found.lines.iter().filter(|line| line.line_type == "Comment");
        let named = |text: &str| {
            let (job_id, record) = text.strip_prefix(MARKER)?.split_once(" record ")?;
            let by_job = self.jobs.get(job_id).cloned();
            by_job.or_else(|| Some(RecordId::new(record)).filter(|record| job(self.identity, record) == job_id))
        };
        comments.map(|line| line.description.as_str()).find_map(named)
    }
}

fn in_bc(found: &FoundDocument, record: RecordId) -> Option<BcDocument> {
    // Business Central names the currency of every document, its own included.
    let currency = Currency::new(&found.currency).ok()?;
    let money = |amount| signed(Some(found.kind), Money::new(amount, currency.clone()));
    let lines = found.lines.iter().filter(|line| !line.account.is_empty()).map(|line| BcLine {
        account: line.account.clone(),
        money: money(line.amount),
        dimensions: line.dimensions.clone(),
    });
    Some(BcDocument {
        id: found.id,
        number: found.number.clone(),
        kind: found.kind,
        status: found.status.clone(),
        vendor: found.vendor_number.clone(),
        record,
        posting_date: found.posting_date,
        money: money(found.total),
        lines: lines.collect(),
    })
}

/// One line of a table of sums: currency by currency.
fn by_currency(sums: &BTreeMap<String, rust_decimal::Decimal>) -> String {
    let shown = sums.iter().filter_map(|(code, sum)| Some(Money::new(*sum, Currency::new(code).ok()?).to_string()));
    shown.collect::<Vec<_>>().join(", ")
}
