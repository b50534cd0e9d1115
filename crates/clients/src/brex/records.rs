//! Asking for accounting records. Records come as raw JSON, so that one that cannot be read does not hide the others and
//! can be kept as it came. <https://developer.brex.com/openapi/accounting_api/>

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::record::{ReviewStatus, SourceType, record_id};
use super::{Client, asked};
use crate::call::Call;
use crate::error::Error;
use crate::kind::{Access, Kind, System};
use crate::page::{PageGuard, PagingError};

/// The most ids in one request, and the longest query: the documented limit is 500 ids, but many servers and proxies
/// refuse an address over 8 kB.
const MAX_IDS: usize = 500;
const MAX_IDS_BYTES: usize = 6 * 1024;

/// Records per page: the general maximum. None is documented for records (brex.md §2.3), so that where this is refused, pages are of the
/// documented default from then on.
pub(super) const LARGE_PAGE: u32 = 1_000;
const SMALL_PAGE: u32 = 100;
const MAX_PAGES: usize = 100_000;

/// Without a start the server silently applies a narrow window of its own and hides older records.
const BEGINNING: Timestamp = Timestamp::UNIX_EPOCH;

/// What to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsQuery {
    /// Only these records; at most 500.
    pub ids: Vec<String>,
    /// Only this status. Brex supports it for cards and reimbursements.
    pub review_status: Option<ReviewStatus>,
    /// Only this source.
    pub source_type: Option<SourceType>,
    /// Only records that changed at or after this instant; all if not given.
    pub updated_after: Option<Timestamp>,
    /// Only records that changed before this instant.
    pub updated_before: Option<Timestamp>,
    /// Records per page; as many as Brex gives if not given.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A page of records.
#[derive(Debug)]
pub struct RecordsPage {
    /// The records as they came; see [`AccountingRecord::from_json`](super::AccountingRecord::from_json).
    pub items: Vec<Box<RawValue>>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_next_page: bool,
}

/// The outcome of asking for records by id.
#[derive(Debug, Default)]
pub struct RecordsById {
    /// The records that exist, as they came.
    pub items: Vec<Box<RawValue>>,
    /// The ids that Brex does not know.
    pub missing: Vec<String>,
}

/// A list of records that is read page by page.
#[derive(Debug)]
pub struct RecordPages {
    client: Client,
    query: RecordsQuery,
    done: bool,
    guard: PageGuard,
}

impl Client {
    /// One page of records.
    pub async fn list_records(&self, query: &RecordsQuery) -> Result<RecordsPage, Error> {
        const OPERATION: &str = "list_records";
        #[derive(Deserialize)]
        struct Body {
            items: Vec<Box<RawValue>>,
            #[serde(default)]
            next_cursor: Option<String>,
            #[serde(default)]
            has_next_page: Option<bool>,
        }
        let ask = async |limit| {
            let mut url = self.url(asked(OPERATION, Access::Read), &["v3", "accounting", "records"])?;
            query.write_to(&mut url, limit);
            self.send(Call::get(System::Brex, OPERATION, url)).await
        };
        let largest = &self.shared.page_of_records;
        let limit = query.limit.unwrap_or_else(|| largest.load(Ordering::Relaxed));
        let answer = match ask(limit).await {
            Err(error)
                if query.limit.is_none()
                    && limit > SMALL_PAGE
                    && matches!(error.kind(), Kind::TimedOut | Kind::ServerError) =>
            {
                // Perhaps it was too much: the next one asks for less.
                largest.store(SMALL_PAGE, Ordering::Relaxed);
                return Err(error);
            }
            Err(error)
                if query.limit.is_none()
                    && limit > SMALL_PAGE
                    && matches!(error.kind(), Kind::Refused | Kind::TooLarge) =>
            {
                // Only if the smaller page is taken was it the size that was refused.
                let answer = ask(SMALL_PAGE).await?;
                largest.store(SMALL_PAGE, Ordering::Relaxed);
                answer
            }
            answer => answer?,
        };
        let body: Body = answer.json()?;
        let next_cursor = body.next_cursor.filter(|cursor| !cursor.is_empty());
        let has_next_page = body.has_next_page.unwrap_or(next_cursor.is_some());
        if has_next_page && next_cursor.is_none() {
            return Err(Error::unreadable(asked(OPERATION, Access::Read), PagingError::NoCursor));
        }
        Ok(RecordsPage { items: body.items, next_cursor, has_next_page })
    }

    /// A walk through all pages of `query`.
    pub fn records(&self, query: RecordsQuery) -> RecordPages {
        RecordPages { client: self.clone(), query, done: false, guard: PageGuard::new(MAX_PAGES) }
    }

    /// One record as it came, or nothing if Brex does not know it.
    pub async fn get_record(&self, id: &str) -> Result<Option<Box<RawValue>>, Error> {
        let answer = self.send(self.get("get_record", &["v3", "accounting", "records", id])?).await;
        match answer {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// These records, however many. What the list leaves out is asked for one by one before it counts as missing: the
    /// list's hidden time window may apply to ids as well.
    pub async fn list_records_by_ids<S: AsRef<str>>(&self, ids: &[S]) -> Result<RecordsById, Error> {
        let mut found = RecordsById::default();
        let mut seen = HashSet::new();
        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).filter(|id| seen.insert(*id)).collect();
        for part in split(&ids) {
            let mut open: HashSet<&str> = part.iter().copied().collect();
            let ids = part.iter().map(ToString::to_string).collect();
            let mut pages = self.records(RecordsQuery { ids, ..RecordsQuery::default() });
            while let Some(items) = pages.next_page().await? {
                for item in items {
                    if record_id(item.get()).is_some_and(|id| open.remove(id.as_str())) {
                        found.items.push(item);
                    }
                }
            }
            for id in part.iter().filter(|id| open.contains(**id)) {
                match self.get_record(id).await? {
                    Some(item) => found.items.push(item),
                    None => found.missing.push((*id).to_owned()),
                }
            }
        }
        Ok(found)
    }
}

impl RecordPages {
    /// The next page, or nothing after the last. After an error the same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Error> {
        if self.done {
            return Ok(None);
        }
        let page = self.client.list_records(&self.query).await?;
        match page.next_cursor.filter(|_| page.has_next_page) {
            None => self.done = true,
            Some(cursor) => {
                let admitted = self.guard.admit(&cursor);
                admitted.map_err(|error| Error::unreadable(asked("list_records", Access::Read), error))?;
                self.query.cursor = Some(cursor);
            }
        }
        Ok(Some(page.items))
    }
}

impl RecordsQuery {
    fn write_to(&self, url: &mut Url, limit: u32) {
        let mut pairs = url.query_pairs_mut();
        for id in &self.ids {
            pairs.append_pair("ids", id);
        }
        if let Some(status) = &self.review_status {
            pairs.append_pair("review_status", status.as_str());
        }
        if let Some(source) = &self.source_type {
            pairs.append_pair("source_type", source.as_str());
        }
        pairs.append_pair("updated_at[gte]", &self.updated_after.unwrap_or(BEGINNING).to_string());
        if let Some(before) = self.updated_before {
            pairs.append_pair("updated_at[lt]", &before.to_string());
        }
        pairs.append_pair("limit", &limit.to_string());
        if let Some(cursor) = &self.cursor {
            pairs.append_pair("cursor", cursor);
        }
    }
}

/// The ids in parts that fit into one request.
fn split<'a>(ids: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut length = 0;
    for id in ids {
        let added = "&ids=".len() + byte_serialize(id.as_bytes()).map(str::len).sum::<usize>();
        match parts.last_mut() {
            Some(part) if part.len() < MAX_IDS && length + added <= MAX_IDS_BYTES => {
                part.push(id);
                length += added;
            }
            _ => {
                parts.push(vec![id]);
                length = added;
            }
        }
    }
    parts
}
