//! What stands before a receiver's code: how much of a body is read, for how long, for how many at once, and how often
//! outsiders can make us do something.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures::StreamExt as _;
use tokio::sync::Semaphore;

use super::limit::Limit;

/// A sender gets this long for a whole body, waiting for its turn included.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// Bodies of one address that are read at once; more wait. One address cannot use up the memory of all.
const AT_ONCE: usize = 64;
/// Deliveries of one address a minute: far more than an account makes, and far less than would keep a processor busy.
const DELIVERIES: u32 = 120_000;
/// Entries a minute in the trail about refused deliveries.
const NOTES: u32 = 10;
/// Fetches of secrets a minute because of a signature that does not fit.
const REFETCHES: u32 = 1;

/// The limits of one address.
pub(super) struct Gate {
    at_once: Semaphore,
    deliveries: Limit,
    /// Of entries in the trail.
    pub(super) notes: Limit,
    /// Of fetches of secrets.
    pub(super) refetches: Limit,
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is over the limit.
    TooLarge,
    /// It did not come in time, or the sender went away.
    Late,
    /// Too many deliveries in this minute.
    Flood,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            at_once: Semaphore::new(AT_ONCE),
            deliveries: Limit::per_minute(DELIVERIES),
            notes: Limit::per_minute(NOTES),
            refetches: Limit::per_minute(REFETCHES),
        }
    }

    /// Reads a body. Nothing of one that is over the limit is kept; a length that is announced is not believed, only
    /// refused early.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        max_bytes: usize,
        now_ms: i64,
    ) -> Result<Bytes, Unread> {
        if !self.deliveries.allows(now_ms) {
            return Err(Unread::Flood);
        }
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max_bytes) {
            return Err(Unread::TooLarge);
        }
        let reading = async {
            let _turn = self.at_once.acquire().await.map_err(|_| Unread::Late)?;
            let mut chunks = body.into_data_stream();
            let mut read = Vec::new();
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|_| Unread::Late)?;
                if read.len().saturating_add(chunk.len()) > max_bytes {
                    return Err(Unread::TooLarge);
                }
                read.extend_from_slice(&chunk);
            }
            Ok(Bytes::from(read))
        };
        tokio::time::timeout(BODY_DEADLINE, reading).await.unwrap_or(Err(Unread::Late))
    }
}
