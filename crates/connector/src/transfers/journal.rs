//! Books matched transfers, where the connection says so: one unposted vendor payment line each, applied to what the transfer
//! pays, with the transfer's id as External Document No. The line itself is the matter of [`crate::payment_lines`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::transfer::{Match, Movement, Payable, PayableKind, Standing, Transfer, Verdict, money_of};
use store::{AppliedTo, Lease, PaymentLine, PaymentLineState as State};
use uuid::Uuid;

use super::reconcile::Report;
use crate::app::{App, Connection};
use crate::config::Booking;
use crate::payment_lines::{Desk, TRANSFER, Wanted};
use crate::stop::Stop;

/// What is said of a line that was posted before its transfer came back or its match was taken apart.
const TO_REVERSE: &str = "its transfer no longer stands for this payment, which is posted or was deleted in Business Central: \
     reverse it there if it is posted";

/// Brings the prepared lines in step with what a comparison found. Once a day, with `anew`, held lines are tried again.
pub async fn keep(app: &App, connection: &Connection, lease: &Lease, report: &Report, anew: bool) -> Result<(), Stop> {
    let lines = app.store.payment_lines().list(&connection.id).await?;
    let mut lines: BTreeMap<String, PaymentLine> = lines
        .into_iter()
        .filter(|line| line.owner_kind == TRANSFER)
        .map(|line| (line.owner_id.clone(), line))
        .collect();
    let is_on = connection.settings.transfers.policy == Booking::Journal;
    let Some(desk) = Desk::new(app, connection, lease).filter(|_| is_on || !lines.is_empty()) else { return Ok(()) };
    if !is_on {
        // What was prepared before stays for a person to post, unless its money never went out; nothing is added.
        let is_back = |transfer: &&Transfer| matches!(transfer.movement, Movement::Failed | Movement::Returned);
        for transfer in report.books.transfers.iter().filter(is_back) {
            if let Some(line) = lines.remove(&transfer.id) {
                take_back(&desk, line).await?;
            }
        }
        return Ok(());
    }
    let books = Books::new(connection, report);
    let there = Prepared::look(&desk, lines.values()).await?;
    let settings = &connection.settings.transfers;
    let problem = desk.journal_problem(&settings.journal, &settings.account, settings.account.trim()).await?;
    for transfer in &report.books.transfers {
        match (books.wanted(transfer), lines.remove(&transfer.id)) {
            (Some(asked), None) => {
                new(&desk, asked, problem.as_deref()).await?;
            }
            (Some(asked), Some(line)) if there.has(&line) && is_same(&asked.wanted, &line) => {}
            (Some(asked), Some(line)) => again(&desk, asked, line, problem.as_deref(), anew).await?,
            (None, Some(line)) if books.is_booked(transfer) => {
                if line.state == State::Prepared && !there.has(&line) {
                    desk.probe(line).await?;
                }
            }
            (None, Some(line)) => take_back(&desk, line).await?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// A line that a transfer asks for, or why there can be none.
struct Asked {
    wanted: Wanted,
    refusal: Option<String>,
}

async fn new(desk: &Desk<'_>, asked: Asked, problem: Option<&str>) -> Result<PaymentLine, Stop> {
    match asked.refusal.as_deref().or(problem) {
        Some(why) => desk.refuse(asked.wanted, why).await,
        None => desk.ensure(asked.wanted).await,
    }
}

async fn again(
    desk: &Desk<'_>,
    asked: Asked,
    line: PaymentLine,
    problem: Option<&str>,
    anew: bool,
) -> Result<(), Stop> {
    if line.state == State::Removed {
        new(desk, asked, problem).await?;
    } else if !is_same(&asked.wanted, &line) {
        take_back(desk, line).await?;
    } else if line.state == State::Prepared {
        desk.probe(line).await?;
    } else if line.state == State::Held && anew && asked.refusal.is_none() && problem.is_none() {
        desk.again(line).await?;
    }
    Ok(())
}

fn is_same(wanted: &Wanted, line: &PaymentLine) -> bool {
    wanted.amount == line.amount
        && wanted.vendor_number == line.vendor_number
        && wanted.applies_to == line.applies_to
        && wanted.applies_to_many == line.applies_to_many
}

/// The prepared lines that still stand in their journals: looked for journal by journal, not line by line.
struct Prepared(BTreeMap<String, HashSet<Uuid>>);

impl Prepared {
    async fn look(desk: &Desk<'_>, lines: impl Iterator<Item = &PaymentLine>) -> Result<Self, Stop> {
        let prepared = lines.filter(|line| line.state == State::Prepared);
        let mut found = BTreeMap::new();
        for journal in prepared.map(|line| &line.journal).collect::<BTreeSet<_>>() {
            found.insert(journal.clone(), desk.there(journal).await?.unwrap_or_default());
        }
        Ok(Self(found))
    }

    fn has(&self, line: &PaymentLine) -> bool {
        let there = self.0.get(&line.journal).zip(line.line_id).is_some_and(|(there, id)| there.contains(&id));
        line.state == State::Prepared && there
    }
}

/// The transfer came back, or pays something else: what is not posted yet is deleted, what is posted is told.
async fn take_back(desk: &Desk<'_>, line: PaymentLine) -> Result<(), Stop> {
    let line = if line.state == State::Prepared { desk.probe(line).await? } else { line };
    match line.state {
        State::Gone => desk.remark(line, TO_REVERSE).await?,
        _ => desk.remove(line).await?,
    };
    Ok(())
}

/// What a comparison found, by transfer and document.
struct Books<'a> {
    connection: &'a Connection,
    matches: BTreeMap<&'a str, &'a Match>,
    standings: BTreeMap<&'a str, &'a Standing>,
    payables: BTreeMap<&'a str, &'a Payable>,
}

impl<'a> Books<'a> {
    fn new(connection: &'a Connection, report: &'a Report) -> Self {
        let outcome = &report.outcome;
        Self {
            connection,
            matches: outcome.matches.iter().map(|found| (found.transfer.as_str(), found)).collect(),
            standings: outcome.transfers.iter().map(|standing| (standing.id.as_str(), standing)).collect(),
            payables: report.books.payables.iter().map(|payable| (payable.id.as_str(), payable)).collect(),
        }
    }

    fn is_booked(&self, transfer: &Transfer) -> bool {
        self.standings.get(transfer.id.as_str()).is_some_and(|standing| standing.booked_as.is_some())
    }

    /// The line for a transfer that arrived, is matched to the last cent, and is not in Business Central yet.
    fn wanted(&self, transfer: &Transfer) -> Option<Asked> {
        let standing = self.standings.get(transfer.id.as_str())?;
        let found = self.matches.get(transfer.id.as_str())?;
        let is_whole = standing.verdict == Verdict::Matched && found.amount() == transfer.amount;
        if transfer.movement != Movement::Completed || standing.booked_as.is_some() || !is_whole {
            return None;
        }
        let parts: Option<Vec<(&Payable, i64)>> =
            found.parts.iter().map(|part| Some((*self.payables.get(part.payable.as_str())?, part.amount))).collect();
        let parts = parts?;
        let (first, _) = parts.first()?;
        let directory = self.connection.directory();
        let vendor = directory.vendor(&first.vendor.to_string());
        let (applies_to, applies_to_many) = match parts.as_slice() {
            [(only, _)] => (only.id.parse().ok(), Vec::new()),
            several => (None, several.iter().map(|(payable, _)| applied(payable)).collect()),
        };
        let own = &directory.setup.local_currency;
        let is_partial = parts.len() > 1 && parts.iter().any(|(payable, amount)| !is_all(payable, *amount));
        let refusal = if vendor.is_none() {
            Some("its vendor is not known in Business Central".to_owned())
        } else if !transfer.currency.as_str().eq_ignore_ascii_case(own) {
            Some(format!("the API prepares payments in {own} only"))
        } else if parts.iter().any(|(payable, _)| payable.remaining == 0) {
            Some("one of its documents is closed in Business Central".to_owned())
        } else if is_partial {
            Some("it pays a part of one of several documents, which the API cannot apply: enter it by hand".to_owned())
        } else {
            None
        };
        let numbers: Vec<&str> =
            parts.iter().filter_map(|(payable, _)| payable.numbers.first().map(String::as_str)).collect();
        let wanted = Wanted {
            owner_kind: TRANSFER,
            owner_id: transfer.id.clone(),
            journal: self.connection.settings.transfers.journal.clone(),
            external_number: transfer.id.clone(),
            vendor_number: vendor.map(|vendor| vendor.number.clone()).unwrap_or_default(),
            posting_date: transfer.date,
            amount: money_of(transfer.amount, &transfer.currency).amount,
            currency: transfer.currency.to_string(),
            applies_to,
            applies_to_many,
            description: domain::text::fitting(&format!("Brex transfer: {}", numbers.join(", ")), DESCRIPTION_MAX)
                .to_owned(),
        };
        Some(Asked { wanted, refusal })
    }
}

/// Longest text of a line (business-central.md §6.3).
const DESCRIPTION_MAX: usize = 100;

/// BC's own number is the last of a payable's numbers.
fn applied(payable: &Payable) -> AppliedTo {
    AppliedTo {
        number: payable.numbers.last().cloned().unwrap_or_default(),
        is_credit_memo: payable.kind == PayableKind::CreditMemo,
    }
}

/// Whether this is all that is left of a document.
fn is_all(payable: &Payable, amount: i64) -> bool {
    amount.saturating_abs() == payable.remaining.saturating_abs()
}
