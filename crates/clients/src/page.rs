//! Bounded paging: a list that never ends, repeats itself or points to another host is an error, not an endless loop.

use std::collections::HashSet;

use url::Url;

/// Why a list cannot be read to its end.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PagingError {
    #[error("the list repeated a page it had already given")]
    Repeated,
    #[error("the list has more than {0} pages")]
    TooManyPages(usize),
    #[error("the list continues on another host")]
    OtherOrigin,
    #[error("the address of the next page cannot be read")]
    BadLink,
    #[error("the list says that it continues but not where")]
    NoCursor,
}

/// Watches one walk through a list.
#[derive(Debug)]
pub(crate) struct PageGuard {
    seen: HashSet<String>,
    max_pages: usize,
}

impl PageGuard {
    pub(crate) fn new(max_pages: usize) -> Self {
        Self { seen: HashSet::new(), max_pages }
    }

    /// Accepts the cursor or link of the page to read next.
    pub(crate) fn admit(&mut self, cursor: &str) -> Result<(), PagingError> {
        if !self.seen.insert(cursor.to_owned()) {
            return Err(PagingError::Repeated);
        }
        if self.seen.len() >= self.max_pages {
            return Err(PagingError::TooManyPages(self.max_pages));
        }
        Ok(())
    }
}

/// The address of the next page, which must lie on the same scheme, host and port as that of this one.
pub(crate) fn next_link(base: &Url, link: &str) -> Result<Url, PagingError> {
    let next = base.join(link).map_err(|_| PagingError::BadLink)?;
    if next.origin() != base.origin() || !next.username().is_empty() || next.password().is_some() {
        return Err(PagingError::OtherOrigin);
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_cursor_is_admitted_once() {
        let mut guard = PageGuard::new(10);
        assert_eq!(guard.admit("a"), Ok(()));
        assert_eq!(guard.admit("b"), Ok(()));
        assert_eq!(guard.admit("a"), Err(PagingError::Repeated));
    }

    #[test]
    fn a_list_without_an_end_is_given_up() {
        let mut guard = PageGuard::new(3);
        assert_eq!(guard.admit("1"), Ok(()));
        assert_eq!(guard.admit("2"), Ok(()));
        assert_eq!(guard.admit("3"), Err(PagingError::TooManyPages(3)));
    }

    #[test]
    fn a_next_link_must_stay_on_the_host() {
        let base = Url::parse("https://api.example.com/v2.0/t/e/api/v2.0/").unwrap();
        assert!(next_link(&base, "https://api.example.com/v2.0/t/e/api/v2.0/vendors?$skiptoken=x").is_ok());
        for elsewhere in [
            "https://other.example.com/v2.0/vendors",
            "http://api.example.com/v2.0/vendors",
            "https://api.example.com:444/v2.0/vendors",
            "https://user:word@api.example.com/v2.0/vendors",
            "//other.example.com/v2.0/vendors",
        ] {
            assert_eq!(next_link(&base, elsewhere), Err(PagingError::OtherOrigin), "{elsewhere}");
        }
    }
}
