//! Where the records of a connection come from: Brex's accounting API, or card expenses where that is not granted
//! (docs/expenses-source.md). Nothing else in the flow knows the difference, except where Brex is told something.

use std::collections::BTreeMap;

use clients::Error;
use clients::brex::{
    AccountingRecord, Expense, ExpensePages, ExpensesQuery, Receipt, RecordPages, RecordsById, RecordsQuery,
    ReviewStatus, SourceType,
};
use domain::record::{Record, TypePolicy};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::expense::{self, STATUSES};
use super::wire::{UnreadableRecord, read_record};
use crate::app::Connection;
use crate::choices::Choices;
use crate::config::Source;

/// A list of what a connection books, page by page.
pub(crate) enum Pages<'a> {
    /// Accounting records.
    Records(RecordPages),
    /// Card expenses.
    Expenses(&'a Connection, ExpensePages),
}

impl Pages<'_> {
    /// The next page, or nothing after the last.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Error> {
        match self {
            Self::Records(pages) => pages.next_page().await,
            Self::Expenses(connection, pages) => {
                let page = pages.next_page().await?;
                learn(connection, page.iter().flatten().map(|item| item.get())).await?;
                Ok(page)
            }
        }
    }
}

/// What changed since an instant and may be booked.
///
/// Records of cards and reimbursements are asked for by review status, bills by their change (brex.md §2.3, §2.5), always with
/// an explicit window, since Brex silently narrows a query without one.
pub(crate) fn changed(connection: &Connection, after: Timestamp) -> Vec<Pages<'_>> {
    if connection.settings.brex.source == Source::Expenses {
        return vec![expenses(connection, &STATUSES, after)];
    }
    let ready = |source_type| RecordsQuery {
        review_status: Some(ReviewStatus::ReadyForExport),
        source_type: Some(source_type),
        updated_after: Some(after),
        ..RecordsQuery::default()
    };
    let queries = [ready(SourceType::Card), ready(SourceType::Reimbursement), all(SourceType::Bill, after)];
    queries.map(|query| Pages::Records(connection.brex.records(query))).into()
}

/// Everything that changed since an instant, whatever its state.
pub(crate) fn everything(connection: &Connection, after: Timestamp) -> Vec<Pages<'_>> {
    if connection.settings.brex.source == Source::Expenses {
        return vec![expenses(connection, &[], after)];
    }
    let queries = [SourceType::Card, SourceType::Reimbursement, SourceType::Bill].map(|source| all(source, after));
    queries.map(|query| Pages::Records(connection.brex.records(query))).into()
}

fn all(source_type: SourceType, after: Timestamp) -> RecordsQuery {
    RecordsQuery { source_type: Some(source_type), updated_after: Some(after), ..RecordsQuery::default() }
}

fn expenses<'a>(connection: &'a Connection, statuses: &[&'static str], after: Timestamp) -> Pages<'a> {
    let query = ExpensesQuery { statuses: statuses.to_vec(), updated_after: Some(after) };
    Pages::Expenses(connection, connection.brex.expenses(query))
}

/// These records as Brex has them now.
pub(crate) async fn by_ids<S: AsRef<str>>(connection: &Connection, ids: &[S]) -> Result<RecordsById, Error> {
    match connection.settings.brex.source {
        Source::Accounting => connection.brex.list_records_by_ids(ids).await,
        Source::Expenses => {
            let found = connection.brex.list_expenses_by_ids(ids).await?;
            learn(connection, found.items.iter().map(|item| item.get())).await?;
            Ok(found)
        }
    }
}

/// Finds out what these expenses are coded with, before they are read. Records say it themselves.
pub(crate) async fn learn<'a>(connection: &Connection, items: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    match connection.settings.brex.source {
        Source::Accounting => Ok(()),
        Source::Expenses => connection.choices.learn(&connection.brex, items).await,
    }
}

/// Reads a record as Brex sent it and the connection treats it.
pub(crate) fn read(connection: &Connection, json: &str) -> Result<Record, UnreadableRecord> {
    read_as(connection.settings.brex.source, &connection.rules.types, &connection.choices, json)
}

/// The same with what is known of a connection that is not at work.
pub(crate) fn read_as(
    source: Source,
    types: &BTreeMap<String, TypePolicy>,
    choices: &Choices,
    json: &str,
) -> Result<Record, UnreadableRecord> {
    let record = match source {
        Source::Accounting => read_record(json)?,
        Source::Expenses => {
            let expense = Expense::from_json(json)?;
            let coding = choices.coding(&expense.custom_fields);
            expense::record(expense, coding, types)?
        }
    };
    Ok(record.under(types))
}

/// The receipts of a record with links that are good for 15 minutes; nothing if Brex does not show the record.
pub(crate) async fn fresh_receipts(connection: &Connection, id: &str) -> Result<Option<Vec<Receipt>>, Error> {
    if connection.settings.brex.source == Source::Expenses {
        return connection.brex.list_expense_receipts(id).await;
    }
    let found = connection.brex.get_record(id).await?;
    Ok(found.and_then(|text| AccountingRecord::from_json(text.get()).ok()).map(|record| record.receipts))
}
