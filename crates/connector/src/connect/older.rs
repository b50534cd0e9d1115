//! Compares what Brex has since the start date with what Business Central has and is not ours: an older connector, or a person, may have
//! booked it already. A warning, never a refusal: only a person can tell a likeness from the same purchase.

use std::collections::BTreeSet;

use clients::bc::{self, DocumentKind as WireKind, LineType};
use clients::brex::{self, ExpensesQuery, RecordsQuery, ReviewStatus, SourceType};
use domain::calendar::day_of;
use domain::document::{DocumentKind, MARKER};
use domain::id::OWN_PREFIX;
use domain::mapping::booked;
use domain::money::{Currency, Money};
use domain::older::{Foreign, Likeness, Purchase, WINDOW_DAYS, alike};
use domain::record::{Record, Review};
use domain::rules::Rules;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::systems::{Joined, refused};
use super::{Refusal, Why};
use crate::choices::Choices;
use crate::config::{ConnectionConfig, Source};
use crate::flow::read_record;
use crate::flow::source::read_as;
use crate::words::counted;

/// The most records and documents that are read; more would take longer than anybody waits.
const MOST_RECORDS: usize = 10_000;
const MOST_DOCUMENTS: usize = 20_000;
/// The most documents that are looked at line by line for our marker; our numbers are seen without.
const MOST_LINES: usize = 1_000;
/// How long before the start date a document is looked for: a record that changed since may be of a day before.
const EARLIER_DAYS: i32 = 92;
/// The pairs that are shown.
const SHOWN: usize = 10;

const KINDS: [(DocumentKind, WireKind); 2] =
    [(DocumentKind::Invoice, WireKind::Invoice), (DocumentKind::CreditMemo, WireKind::CreditMemo)];

/// What came of the comparison.
pub(crate) struct Older {
    pub(crate) json: Value,
    /// Line by line.
    pub(crate) words: Vec<String>,
}

/// Compares; if it cannot, says why.
pub(crate) async fn look(joined: &Joined, settings: &ConnectionConfig) -> Older {
    match compare(joined, settings).await {
        Ok(compared) => Older { json: compared.json(), words: compared.words(settings.start_date) },
        Err(why) => {
            let why = why.sentence();
            let words = format!("what an older connector may have booked was not compared: {why}");
            Older { json: json!({ "compared": false, "why": why }), words: vec![words] }
        }
    }
}

struct Compared {
    purchases: Vec<Purchase>,
    documents: usize,
    alike: Vec<Likeness>,
    /// Whether there was more than is read.
    is_cut: bool,
}

async fn compare(joined: &Joined, settings: &ConnectionConfig) -> Result<Compared, Refusal> {
    let rules = settings.rules()?;
    let start = settings.start_date.to_zoned_datetime(rules.zone.clone());
    let start = start.map_err(|_| Refusal::new(Why::Config, "start_date is outside the range of dates"))?;
    let mut compared = Compared { purchases: Vec::new(), documents: 0, alike: Vec::new(), is_cut: false };
    match settings.brex.source {
        Source::Accounting => read_purchases(&joined.brex, &rules, start.timestamp(), &mut compared).await?,
        Source::Expenses => read_expenses(&joined.brex, &rules, start.timestamp(), &mut compared).await?,
    }
    let Some(first) = compared.purchases.iter().map(|purchase| purchase.day).min() else { return Ok(compared) };
    let from = first.saturating_sub(WINDOW_DAYS.days()).max(settings.start_date.saturating_sub(EARLIER_DAYS.days()));
    let mut documents = read_documents(&joined.bc, from, &mut compared).await?;
    compared.documents = documents.len();
    let mut seen = BTreeSet::new();
    loop {
        compared.alike = alike(&compared.purchases, &documents);
        let unseen = compared.alike.iter().map(|pair| pair.document).filter(|id| !seen.contains(id));
        let unseen: BTreeSet<Uuid> = unseen.take(MOST_LINES.saturating_sub(seen.len())).collect();
        if unseen.is_empty() {
            return Ok(compared);
        }
        let ours = marked(&joined.bc, &documents, &unseen).await?;
        documents.retain(|document| !ours.contains(&document.id));
        seen.extend(unseen);
    }
}

/// What the connector would take, and what Brex says is exported.
async fn read_purchases(
    client: &brex::Client,
    rules: &Rules,
    start: Timestamp,
    compared: &mut Compared,
) -> Result<(), Refusal> {
    for query in queries(start) {
        let mut pages = client.records(query);
        while let Some(items) = pages.next_page().await.map_err(refused)? {
            let records = items.iter().filter_map(|item| read_record(item.get()).ok());
            compared.purchases.extend(records.filter_map(|record| purchase(record.under(&rules.types), rules)));
            if compared.purchases.len() > MOST_RECORDS {
                compared.purchases.truncate(MOST_RECORDS);
                compared.is_cut = true;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The same of card expenses, where they are what is booked.
async fn read_expenses(
    client: &brex::Client,
    rules: &Rules,
    start: Timestamp,
    compared: &mut Compared,
) -> Result<(), Refusal> {
    let mut pages = client.expenses(ExpensesQuery { statuses: Vec::new(), updated_after: Some(start) });
    // What they are coded with does not matter here.
    let choices = Choices::default();
    while let Some(items) = pages.next_page().await.map_err(refused)? {
        let read = |json: &str| read_as(Source::Expenses, &rules.types, &choices, json).ok();
        let records = items.iter().filter_map(|item| read(item.get()));
        compared.purchases.extend(records.filter_map(|record| purchase(record, rules)));
        if compared.purchases.len() > MOST_RECORDS {
            compared.purchases.truncate(MOST_RECORDS);
            compared.is_cut = true;
            return Ok(());
        }
    }
    Ok(())
}

/// What may still be booked comes first. Bills have no review status in a query.
fn queries(start: Timestamp) -> [RecordsQuery; 5] {
    let of = |source_type, review_status| RecordsQuery {
        review_status,
        source_type: Some(source_type),
        updated_after: Some(start),
        ..RecordsQuery::default()
    };
    [
        of(SourceType::Card, Some(ReviewStatus::ReadyForExport)),
        of(SourceType::Reimbursement, Some(ReviewStatus::ReadyForExport)),
        of(SourceType::Bill, None),
        of(SourceType::Card, Some(ReviewStatus::Exported)),
        of(SourceType::Reimbursement, Some(ReviewStatus::Exported)),
    ]
}

fn purchase(record: Record, rules: &Rules) -> Option<Purchase> {
    let is_exported = record.review == Review::Exported;
    if !is_exported && !record.is_ready() {
        return None;
    }
    let money = booked(&record.amount, record.original_amount.as_ref(), rules);
    Some(Purchase {
        kind: record.treatment().document()?,
        money: Money::new(money.abs(), money.currency.clone()),
        day: day_of(record.posting_at, &rules.zone),
        is_exported,
        record: record.id,
    })
}

/// The documents since a day that do not carry our numbers.
async fn read_documents(company: &bc::Company, from: Date, compared: &mut Compared) -> Result<Vec<Foreign>, Refusal> {
    let mut found = Vec::new();
    for (kind, wire) in KINDS {
        let mut pages = company.list_documents_since(wire, from).map_err(refused)?;
        while let Some(documents) = pages.next_page().await.map_err(refused)? {
            found.extend(documents.iter().filter_map(|document| foreign(kind, document)));
            if found.len() > MOST_DOCUMENTS {
                found.truncate(MOST_DOCUMENTS);
                compared.is_cut = true;
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn foreign(kind: DocumentKind, document: &bc::Document) -> Option<Foreign> {
    if document.vendor_document_number.starts_with(OWN_PREFIX) {
        return None;
    }
    // Business Central names the currency of every document, its own included.
    let currency = Currency::new(&document.currency_code).ok()?;
    Some(Foreign {
        id: document.id,
        number: document.number.clone(),
        kind,
        money: Money::new(document.total_amount_including_tax, currency),
        document_date: document.document_date,
        posting_date: document.posting_date,
    })
}

/// Which of these documents have our marker among their lines.
async fn marked(company: &bc::Company, documents: &[Foreign], ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>, Refusal> {
    let mut ours = BTreeSet::new();
    for (kind, wire) in KINDS {
        let of_kind = documents.iter().filter(|document| document.kind == kind && ids.contains(&document.id));
        let of_kind: Vec<Uuid> = of_kind.map(|document| document.id).collect();
        for document in company.get_documents(wire, &of_kind).await.map_err(refused)? {
            let is_marker =
                |line: &bc::DocumentLine| line.line_type == LineType::Comment && line.description.starts_with(MARKER);
            if document.lines.iter().any(is_marker) {
                ours.insert(document.id);
            }
        }
    }
    Ok(ours)
}

impl Compared {
    fn exported(&self) -> usize {
        self.purchases.iter().filter(|purchase| purchase.is_exported).count()
    }

    fn would_be_taken(&self) -> usize {
        self.alike.iter().filter(|pair| !pair.purchase.is_exported).count()
    }

    fn json(&self) -> Value {
        let pair = |pair: &Likeness| {
            json!({
                "record": pair.purchase.record.as_str(), "document": pair.number, "amount": pair.purchase.money.amount.to_string(),
                "currency": pair.purchase.money.currency.as_str(), "date": pair.purchase.day.to_string(),
                "exported": pair.purchase.is_exported,
            })
        };
        let pairs: Vec<Value> = self.alike.iter().take(SHOWN).map(pair).collect();
        json!({
            "compared": true, "records": self.purchases.len(), "documents": self.documents, "complete": !self.is_cut,
            "exported": self.exported(), "looks_booked": self.alike.len(), "would_be_booked_again": self.would_be_taken(),
            "pairs": pairs,
        })
    }

    fn words(&self, start: Date) -> Vec<String> {
        let mut lines = vec![format!(
            "since {start} Brex has {} ready or exported, {} of them exported already; {} look booked in Business Central by documents \
             that are not the connector's",
            counted(self.purchases.len(), "record"),
            self.exported(),
            self.alike.len()
        )];
        lines.extend(self.alike.iter().take(SHOWN).map(|pair| {
            let (purchase, number) = (&pair.purchase, &pair.number);
            let stands = if purchase.is_exported { "exported" } else { "ready" };
            format!("  {} ({stands})  document {number}  {}  {}", purchase.record, purchase.money, purchase.day)
        }));
        let more = self.alike.len().saturating_sub(SHOWN);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        match self.would_be_taken() {
            0 => (),
            again => lines.push(format!(
                "{again} of them are ready for export and would be booked again: if they are the same purchases, choose a later start \
                 date, or skip these records"
            )),
        }
        if self.is_cut {
            lines.push(format!(
                "there is more than was compared (at most {MOST_RECORDS} records with {MOST_DOCUMENTS} documents): a later start date \
                 makes it whole"
            ));
        }
        lines
    }
}
