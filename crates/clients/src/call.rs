//! One request as it is put together: address, headers, body, deadline. Sending is for [`crate::http`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use crate::error::Error;
use crate::kind::{Access, Asked, Effect, Kind, Retry, System};

/// The deadline of an ordinary call, from sending to the last byte of the answer.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// The deadline of a call that makes or posts documents: longer than Business Central's own limit of ten minutes, so
/// that a slow call usually ends in a real answer.
pub(crate) const CREATE_TIMEOUT: Duration = Duration::from_secs(630);

/// What a request carries.
#[derive(Clone)]
pub(crate) enum Body {
    /// As it is.
    Bytes(Vec<u8>),
    /// A file that is read while it is sent, with its size.
    File(PathBuf, u64),
}

/// One request, ready to be sent (and sent again).
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) asked: Asked,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Body>,
    pub(crate) timeout: Duration,
    /// As how many calls it counts for the pace.
    pub(crate) counts_as: usize,
    /// What it signs in with: never kept from an answer that says it back.
    pub(crate) secrets: Vec<SecretString>,
}

impl Call {
    /// A request that changes nothing.
    pub(crate) fn get(system: System, operation: &'static str, url: Url) -> Self {
        Self::new(Asked { system, operation, access: Access::Read }, Method::GET, url)
    }

    /// A request that may change something.
    pub(crate) fn write(system: System, operation: &'static str, method: Method, url: Url) -> Self {
        Self::new(Asked { system, operation, access: Access::Write }, method, url)
    }

    pub(crate) fn new(asked: Asked, method: Method, url: Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self { asked, method, url, headers, body: None, timeout: CALL_TIMEOUT, counts_as: 1, secrets: Vec::new() }
    }

    pub(crate) fn asked(&self) -> Asked {
        self.asked
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn with_url(mut self, url: Url) -> Self {
        self.url = url;
        self
    }

    pub(crate) fn query_pair(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// It is made of so many parts, each of which counts (business-central.md §3.4: whether they do is not stated).
    pub(crate) fn counting_as(mut self, calls: usize) -> Self {
        self.counts_as = calls;
        self
    }

    pub(crate) fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(value).map_err(|error| unsendable(self.asked, error))?;
        Ok(self.body(body, "application/json"))
    }

    pub(crate) fn body(mut self, body: Vec<u8>, content_type: &'static str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Some(Body::Bytes(body));
        self
    }

    /// A file of `bytes` bytes, which is never in memory as a whole.
    pub(crate) fn file(mut self, path: &Path, bytes: u64) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        self.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
        self.body = Some(Body::File(path.to_owned(), bytes));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub(crate) fn header_text(mut self, name: &'static str, value: &str) -> Result<Self, Error> {
        let value = HeaderValue::from_str(value).map_err(|error| unsendable(self.asked, error))?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    pub(crate) fn bearer(mut self, token: &SecretString) -> Result<Self, Error> {
        let text = format!("Bearer {}", token.expose_secret());
        let mut value = HeaderValue::from_str(&text).map_err(|error| unsendable(self.asked, error))?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(self.hiding(token.clone()))
    }

    /// This secret goes along, and is left out of whatever the answer says about a failure.
    pub(crate) fn hiding(mut self, secret: SecretString) -> Self {
        self.secrets.push(secret);
        self
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("asked", &self.asked).field("method", &self.method).finish_non_exhaustive()
    }
}

/// `base` with path segments added, each escaped.
pub(crate) fn endpoint<S: AsRef<str>>(
    asked: Asked,
    base: &Url,
    segments: impl IntoIterator<Item = S>,
) -> Result<Url, Error> {
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut path) => {
            path.pop_if_empty().extend(segments);
        }
        Err(()) => return Err(unsendable(asked, "the base address cannot have a path")),
    }
    Ok(url)
}

/// The request could not even be built.
pub(crate) fn unsendable(asked: Asked, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(asked, Kind::Unreachable, Retry::Never, Effect::None).with_source(source)
}
