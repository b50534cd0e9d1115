//! Asking for card expenses as they came, like [`records`](super::records): by their change, and by id.
//! <https://developer.brex.com/openapi/expenses_api/>

use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::records::RecordsById;
use super::{Client, Expense, Receipt, asked};
use crate::call::Call;
use crate::error::Error;
use crate::kind::{Access, Kind, System};
use crate::page::PageGuard;

/// The most that Brex gives on one page since 2026-02.
const PAGE: &str = "100";
const MAX_PAGES: usize = 100_000;
/// How many are asked for at the same time; the pace of the account holds beside it.
const AT_ONCE: usize = 8;

/// Which card expenses are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpensesQuery {
    /// Only those with one of these statuses; all if empty.
    pub statuses: Vec<&'static str>,
    /// Only those that changed at or after this instant.
    pub updated_after: Option<Timestamp>,
}

/// A list of card expenses that is read page by page.
#[derive(Debug)]
pub struct ExpensePages {
    client: Client,
    query: ExpensesQuery,
    cursor: Option<String>,
    done: bool,
    guard: PageGuard,
}

impl Client {
    /// A walk through all card expenses of `query`, with coding, merchant and spender.
    pub fn expenses(&self, query: ExpensesQuery) -> ExpensePages {
        ExpensePages { client: self.clone(), query, cursor: None, done: false, guard: PageGuard::new(MAX_PAGES) }
    }

    /// One expense as the list gives it, or nothing if Brex does not know it.
    pub async fn get_expense_as_listed(&self, id: &str) -> Result<Option<Box<RawValue>>, Error> {
        let mut call = self.get("get_expense", &["v1", "expenses", id])?;
        write_view(&mut call.url);
        match self.send(call).await {
            Ok(answer) => answer.json().map(Some),
            // Of one that it refuses to show no other has to wait.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// These expenses, however many: Brex has no list by id, so that each is a call.
    pub async fn list_expenses_by_ids<S: AsRef<str>>(&self, ids: &[S]) -> Result<RecordsById, Error> {
        let mut found = RecordsById::default();
        for part in ids.chunks(AT_ONCE) {
            let calls = part.iter().map(|id| self.get_expense_as_listed(id.as_ref()));
            for (id, item) in part.iter().zip(try_join_all(calls).await?) {
                match item {
                    Some(item) => found.items.push(item),
                    None => found.missing.push(id.as_ref().to_owned()),
                }
            }
        }
        Ok(found)
    }

    /// The receipts of an expense with links that are good for 15 minutes; nothing if Brex does not know the expense.
    pub async fn list_expense_receipts(&self, id: &str) -> Result<Option<Vec<Receipt>>, Error> {
        let call = self.get("list_expense_receipts", &["v1", "expenses", id])?;
        match self.send(call.query_pair("expand[]", "receipts.download_uris")).await {
            Ok(answer) => answer.json::<Expense>().map(|expense| Some(expense.receipts)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ExpensePages {
    /// The next page, or nothing after the last. After an error the same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Error> {
        const OPERATION: &str = "list_expenses";
        #[derive(Deserialize)]
        struct Body {
            items: Vec<Box<RawValue>>,
            #[serde(default)]
            next_cursor: Option<String>,
        }
        if self.done {
            return Ok(None);
        }
        let mut url = self.client.url(asked(OPERATION, Access::Read), &["v1", "expenses"])?;
        self.query.write_to(&mut url);
        if let Some(cursor) = &self.cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let body: Body = self.client.send(Call::get(System::Brex, OPERATION, url)).await?.json()?;
        match body.next_cursor.filter(|cursor| !cursor.is_empty()) {
            None => self.done = true,
            Some(cursor) => {
                let admitted = self.guard.admit(&cursor);
                admitted.map_err(|error| Error::unreadable(asked(OPERATION, Access::Read), error))?;
                self.cursor = Some(cursor);
            }
        }
        Ok(Some(body.items))
    }
}

impl ExpensesQuery {
    fn write_to(&self, url: &mut Url) {
        write_view(url);
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("expense_type[]", "CARD");
        for status in &self.statuses {
            pairs.append_pair("status[]", status);
        }
        if let Some(after) = self.updated_after {
            pairs.append_pair("updated_at_start", &after.to_string());
        }
        pairs.append_pair("limit", PAGE);
    }
}

/// What is to be shown of each.
fn write_view(url: &mut Url) {
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("load_custom_fields", "true");
    for name in ["merchant", "user"] {
        pairs.append_pair("expand[]", name);
    }
}
