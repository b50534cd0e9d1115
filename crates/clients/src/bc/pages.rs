//! Walking through a list of Business Central page by page, by the link that each page gives.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Client;
use crate::call::Call;
use crate::error::Error;
use crate::page::{PageGuard, next_link};

/// Rows per page that are asked for; Business Central allows 20,000, which would be tens of megabytes.
const PAGE_SIZE: &str = "odata.maxpagesize=5000";

const MAX_PAGES: usize = 10_000;

/// A list that is read page by page.
#[derive(Debug)]
pub struct Pages<T> {
    client: Client,
    call: Call,
    done: bool,
    guard: PageGuard,
    rows: PhantomData<fn() -> T>,
}

#[derive(Deserialize)]
struct PageBody<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(super) fn new(client: Client, call: Call) -> Self {
        let call = call.header("prefer", PAGE_SIZE);
        Self { client, call, done: false, guard: PageGuard::new(MAX_PAGES), rows: PhantomData }
    }

    /// The next page, or nothing after the last. A page can be empty and yet not be the last. After an error the same
    /// page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>, Error> {
        if self.done {
            return Ok(None);
        }
        let answer = self.client.send(self.call.clone()).await?;
        let page: PageBody<T> = answer.json()?;
        match page.next_link.filter(|link| !link.is_empty()) {
            None => self.done = true,
            Some(link) => self.follow(&link)?,
        }
        Ok(Some(page.value))
    }

    /// All rows of the pages that are left.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        while let Some(page) = self.next_page().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    fn follow(&mut self, link: &str) -> Result<(), Error> {
        let asked = self.call.asked();
        let next = next_link(self.call.url(), link).map_err(|error| Error::unreadable(asked, error))?;
        self.guard.admit(next.as_str()).map_err(|error| Error::unreadable(asked, error))?;
        self.call = self.call.clone().with_url(next);
        Ok(())
    }
}
