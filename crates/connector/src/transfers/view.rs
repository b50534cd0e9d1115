//! Transfers and documents as people see them: in tables, JSON and CSV alike.

use std::collections::BTreeMap;

use domain::id::ConnectionId;
use domain::money::Currency;
use domain::transfer::{AgeBucket, Match, Movement, PayableKind, Reason, Standing, Verdict, money_of};
use jiff::civil::Date;
use serde::Serialize;
use store::{DocumentRow, MatchRow, PaymentLine, Store, TransferRow};
use utoipa::ToSchema;

use crate::payment_lines::TRANSFER;

/// Everything that is known about the transfers of a connection.
pub struct View {
    /// The transfers, by id.
    pub transfers: Vec<SeenTransfer>,
    /// The documents, by id.
    pub documents: Vec<SeenDocument>,
    /// When both sides were last compared (milliseconds).
    pub reconciled_ms: Option<i64>,
}

/// A transfer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Transfer)]
pub struct SeenTransfer {
    /// Brex's id.
    pub transfer: String,
    /// Brex's status.
    pub status: String,
    /// The rail.
    pub payment_type: String,
    /// The amount; negative if it came in.
    pub amount: String,
    /// The currency.
    pub currency: String,
    /// The other side.
    pub to: String,
    /// When it settled or was processed.
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<Date>,
    /// What left the account, if it is known.
    pub settled: Option<String>,
    /// What the payee reads.
    pub memo: String,
    /// `matched`, `partly`, `unmatched`, `set_aside`; none before the first comparison.
    pub verdict: Option<&'static str>,
    /// The code of the reason.
    pub reason: Option<&'static str>,
    /// The same in words.
    pub why: Option<&'static str>,
    /// What is not accounted for.
    pub left: String,
    /// Days since its date, as a bucket, if it is not matched.
    pub age: Option<&'static str>,
    /// The payment of BC that stands for it.
    pub booked_as: Option<String>,
    /// The transfer that brought it back.
    pub returned_by: Option<String>,
    /// What it is matched with.
    #[serde(rename = "match")]
    pub found: Option<SeenMatch>,
    /// What may be confirmed.
    pub suggestion: Option<SeenMatch>,
    /// The payment line that is prepared for it.
    pub payment: Option<SeenPayment>,
    /// The order that it was made for.
    pub order: Option<i64>,
    /// Each status that was seen.
    #[schema(value_type = Vec<Vec<String>>)]
    pub history: Vec<(String, String)>,
}

/// A match.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TransferMatch)]
pub struct SeenMatch {
    /// High, Medium or Low.
    #[schema(value_type = String)]
    pub confidence: domain::transfer::Confidence,
    /// Why.
    #[schema(value_type = Vec<String>)]
    pub why: Vec<domain::transfer::Why>,
    /// The documents.
    pub documents: Vec<SeenPart>,
    /// The fee.
    pub fee: String,
    /// Who made it; nobody if it was found.
    pub by: Option<String>,
    /// Why a person made it.
    pub reason: Option<String>,
}

/// A payment line in a journal.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TransferPayment)]
pub struct SeenPayment {
    /// The journal.
    pub journal: String,
    /// `wanted`, `sending`, `prepared`, `gone`, `unwanted`, `removed`, `held`.
    pub state: &'static str,
    /// What a person has to look at.
    pub note: Option<String>,
}

/// Money on a document.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TransferPart)]
pub struct SeenPart {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// The money, negative on a credit memo.
    pub amount: String,
}

/// A document.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Payable)]
pub struct SeenDocument {
    /// BC's id.
    pub id: String,
    /// `invoice` or `credit_memo`.
    #[schema(value_type = String)]
    pub kind: PayableKind,
    /// BC's number.
    pub number: String,
    /// The supplier's number.
    pub supplier_number: String,
    /// The vendor's id.
    #[schema(value_type = String)]
    pub vendor: uuid::Uuid,
    /// The total.
    pub total: String,
    /// What BC has open.
    pub remaining: String,
    /// Whether that is known to the cent.
    pub is_certain: bool,
    /// The currency.
    pub currency: String,
    /// When it is due.
    #[schema(value_type = String, format = Date)]
    pub due: Date,
    /// `matched`, `partly`, `unmatched`, `set_aside`.
    pub verdict: &'static str,
    /// The code of the reason.
    pub reason: Option<&'static str>,
    /// The same in words.
    pub why: Option<&'static str>,
    /// What no transfer accounts for.
    pub left: String,
    /// Days since it was due, as a bucket, if it is not matched.
    pub age: Option<&'static str>,
    /// The transfers that pay it.
    pub transfers: Vec<String>,
}

impl View {
    /// Reads what is stored, with ages as of a day.
    pub async fn load(store: &Store, connection: &ConnectionId, today: Date) -> Result<Self, store::Error> {
        let rows = store.transfers().list(connection).await?;
        let documents = store.transfers().documents(connection).await?;
        let said = store.transfers().said(connection).await?;
        let numbers: BTreeMap<&str, String> =
            documents.iter().map(|row| (row.payable.id.as_str(), number(row))).collect();
        let matches: BTreeMap<&str, &MatchRow> =
            said.matches.iter().map(|row| (row.found.transfer.as_str(), row)).collect();
        let lines = store.payment_lines().list(connection).await?;
        let lines: BTreeMap<&str, &PaymentLine> = lines
            .iter()
            .filter(|line| line.owner_kind == TRANSFER)
            .map(|line| (line.owner_id.as_str(), line))
            .collect();
        let orders = store.transfer_orders().list(connection).await?;
        let orders: BTreeMap<&str, i64> =
            orders.iter().filter_map(|order| Some((order.transfer.as_deref()?, order.id))).collect();
        let transfers = rows.iter().map(|row| SeenTransfer {
            payment: lines.get(row.id.as_str()).map(|line| payment(line)),
            order: orders.get(row.id.as_str()).copied(),
            ..transfer(row, matches.get(row.id.as_str()).copied(), &numbers, today)
        });
        let mut paid_by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for row in &said.matches {
            for part in &row.found.parts {
                paid_by.entry(&part.payable).or_default().push(row.found.transfer.clone());
            }
        }
        let seen = |row: &DocumentRow| document(row, paid_by.get(row.payable.id.as_str()).cloned(), today);
        Ok(Self {
            transfers: transfers.collect(),
            documents: documents.iter().map(seen).collect(),
            reconciled_ms: said.reconciled_ms,
        })
    }
}

/// The number that people know a document by: the supplier's.
fn number(row: &DocumentRow) -> String {
    row.payable.numbers.first().cloned().unwrap_or_else(|| row.payable.id.clone())
}

fn shown(minor: i64, currency: &Currency) -> String {
    let money = money_of(minor, currency);
    format!("{:.*}", usize::try_from(currency.decimals()).unwrap_or(2), money.amount)
}

fn waits(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| matches!(standing.verdict, Verdict::Unmatched | Verdict::Partly))
}

fn transfer(
    row: &TransferRow,
    stands: Option<&MatchRow>,
    numbers: &BTreeMap<&str, String>,
    today: Date,
) -> SeenTransfer {
    let facts = &row.facts;
    let date = facts.date(row.settled);
    let standing = row.standing.as_ref();
    let reason = standing.and_then(|standing| standing.reason);
    let is_paid = row.movement() == Movement::Completed;
    let left = standing.map_or(if is_paid { facts.amount } else { 0 }, |standing| standing.left);
    let seen = |found: &Match, by: Option<&MatchRow>| seen_match(found, by, &facts.currency, numbers);
    SeenTransfer {
        transfer: row.id.clone(),
        status: facts.status.clone(),
        payment_type: facts.payment_type.clone(),
        amount: shown(facts.amount, &facts.currency),
        currency: facts.currency.to_string(),
        to: facts.name.clone().unwrap_or_default(),
        date,
        settled: row.settled.map(|settled| shown(settled.amount, &facts.currency)),
        memo: facts.memo.clone().unwrap_or_default(),
        verdict: standing.map(|standing| standing.verdict.as_str()),
        reason: reason.map(Reason::as_str),
        why: reason.map(Reason::sentence),
        left: shown(left, &facts.currency),
        age: date.filter(|_| waits(standing)).map(|date| AgeBucket::of(date, today).as_str()),
        booked_as: standing.and_then(|standing| standing.booked_as.clone()),
        returned_by: row.returned_by.clone(),
        found: stands.map(|stands| seen(&stands.found, Some(stands))),
        suggestion: row.suggestion.as_ref().map(|found| seen(found, None)),
        payment: None,
        order: None,
        history: row
            .history
            .iter()
            .map(|(ms, status)| (crate::clock::timestamp(*ms).to_string(), status.clone()))
            .collect(),
    }
}

fn payment(line: &PaymentLine) -> SeenPayment {
    SeenPayment { journal: line.journal.clone(), state: line.state.as_str(), note: line.note.clone() }
}

fn seen_match(
    found: &Match,
    by: Option<&MatchRow>,
    currency: &Currency,
    numbers: &BTreeMap<&str, String>,
) -> SeenMatch {
    let part = |part: &domain::transfer::Part| SeenPart {
        id: part.payable.clone(),
        number: numbers.get(part.payable.as_str()).cloned().unwrap_or_default(),
        amount: shown(part.amount, currency),
    };
    SeenMatch {
        confidence: found.confidence,
        why: found.why.clone(),
        documents: found.parts.iter().map(part).collect(),
        fee: shown(found.fee, currency),
        by: by.and_then(|row| row.person.clone()),
        reason: by.and_then(|row| row.reason.clone()),
    }
}

fn document(row: &DocumentRow, paid_by: Option<Vec<String>>, today: Date) -> SeenDocument {
    let (payable, standing) = (&row.payable, &row.standing);
    SeenDocument {
        id: payable.id.clone(),
        kind: payable.kind,
        number: payable.numbers.last().cloned().unwrap_or_default(),
        supplier_number: number(row),
        vendor: payable.vendor,
        total: shown(payable.total, &payable.currency),
        remaining: shown(payable.remaining, &payable.currency),
        is_certain: payable.is_certain,
        currency: payable.currency.to_string(),
        due: payable.due,
        verdict: standing.verdict.as_str(),
        reason: standing.reason.map(Reason::as_str),
        why: standing.reason.map(Reason::sentence),
        left: shown(standing.left, &payable.currency),
        age: waits(Some(standing)).then(|| AgeBucket::of(payable.due, today).as_str()),
        transfers: paid_by.unwrap_or_default(),
    }
}
