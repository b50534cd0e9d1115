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
/// Bodies of one address that are read at once; one address cannot use up the memory of all.
const AT_ONCE: usize = 64;
/// Those of one address that wait for their turn; more are refused. One address cannot use up the connections of all.
const WAITING: usize = 64;
/// Deliveries of one address a minute: far more than an account makes, and far less than would keep a processor busy.
const DELIVERIES: u32 = 120_000;
/// Entries a minute in the trail about refused deliveries.
const NOTES: u32 = 10;
/// Fetches of secrets a minute because of a signature that does not fit.
const REFETCHES: u32 = 1;

/// The limits of one address.
pub(super) struct Gate {
    at_hand: Semaphore,
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
    /// Too many deliveries in this minute, or too many slow ones.
    Flood,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            at_hand: Semaphore::new(AT_ONCE + WAITING),
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
        let _at_hand = self.at_hand.try_acquire().map_err(|_| Unread::Flood)?;
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::convert::Infallible;

    use futures::stream::{self, FuturesUnordered};
    use tokio::time::Instant;

    use super::*;

    /// A body that begins and never ends.
    fn dripping() -> Body {
        Body::from_stream(stream::once(async { Ok::<_, Infallible>("{") }).chain(stream::pending()))
    }

    async fn read(gate: &Gate, body: Body) -> Result<Bytes, Unread> {
        gate.read(&HeaderMap::new(), body, 1_000, 0).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up_and_takes_the_place_of_no_other_for_longer() {
        let (gate, began) = (Gate::new(), Instant::now());
        assert_eq!(read(&gate, dripping()).await, Err(Unread::Late));
        assert_eq!(began.elapsed(), BODY_DEADLINE);
        let slow: FuturesUnordered<_> = (0..=AT_ONCE + WAITING).map(|_| read(&gate, dripping())).collect();
        let ends: Vec<_> = slow.collect().await;
        let refused = ends.iter().filter(|end| **end == Err(Unread::Flood)).count();
        assert_eq!((refused, ends.len()), (1, AT_ONCE + WAITING + 1), "one too many is refused at once");
        assert_eq!(began.elapsed(), BODY_DEADLINE * 2, "those that wait wait no longer than those that are read");
        assert_eq!(read(&gate, Body::from("{}")).await.unwrap(), "{}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_the_limit_is_refused_whatever_it_announces() {
        let gate = Gate::new();
        let endless = Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>("0123456789")));
        assert_eq!(read(&gate, endless).await, Err(Unread::TooLarge));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, 1_001.into());
        assert_eq!(gate.read(&headers, dripping(), 1_000, 0).await, Err(Unread::TooLarge), "nothing is waited for");
    }

    #[tokio::test]
    async fn an_address_that_used_up_its_minute_takes_nothing_from_another() {
        let minute = || Gate { deliveries: Limit::per_minute(1), ..Gate::new() };
        let (flooded, other) = (minute(), minute());
        assert!(read(&flooded, Body::from("1")).await.is_ok());
        assert_eq!(read(&flooded, Body::from("2")).await, Err(Unread::Flood));
        assert!(read(&other, Body::from("3")).await.is_ok());
    }
}
