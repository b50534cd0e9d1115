//! The connections that are open: a limited number. When one more comes, the one that has asked for nothing for the longest time
//! makes room, so that senders who only hold connections keep nobody out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How many may come, and for how long one may ask for nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at once.
    pub(super) connections: usize,
    /// From the start of a connection to its first request, TLS included; and for the head of each request.
    pub(super) head: Duration,
    /// From the end of a request to the next.
    pub(super) rest: Duration,
}

/// All places.
pub(super) struct Room {
    limits: Limits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// Counts what happens, so that it is known who has been quiet for longest.
    events: u64,
    places: BTreeMap<u64, State>,
}

struct State {
    /// Requests that came whole and are not answered yet.
    at_hand: usize,
    /// The event that it is quiet since.
    event: u64,
    /// When it has been quiet for too long.
    end: Instant,
    leave: CancellationToken,
}

/// One connection's place; free again when it is dropped.
pub(super) struct Place {
    room: Arc<Room>,
    id: u64,
    leave: CancellationToken,
}

/// A request that is not answered yet; answered when it is dropped. Until all of it has come, its connection counts as quiet.
pub(super) struct Asked {
    place: Arc<Place>,
    is_whole: AtomicBool,
}

impl Room {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place. If all are taken, the one that was quiet for longest is told to leave; nothing if every one is at work.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Arc<Place>> {
        let mut taken = self.lock();
        if taken.places.len() >= self.limits.connections {
            let quiet = taken.places.iter().filter(|(_, state)| state.at_hand == 0);
            let id = quiet.min_by_key(|(_, state)| state.event).map(|(id, _)| *id)?;
            // A request that comes just now is lost with it: its sender gets no answer and sends it again.
            taken.places.remove(&id)?.leave.cancel();
        }
        let id = taken.next_event();
        let (leave, end) = (CancellationToken::new(), Instant::now() + self.limits.head);
        taken.places.insert(id, State { at_hand: 0, event: id, end, leave: leave.clone() });
        Some(Arc::new(Place { room: Arc::clone(self), id, leave }))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn next_event(&mut self) -> u64 {
        self.events = self.events.wrapping_add(1);
        self.events
    }
}

impl Place {
    /// The head of a request has come. For how long its body may take is the routes' business.
    pub(super) fn asked(self: &Arc<Self>) -> Arc<Asked> {
        if let Some(state) = self.room.lock().places.get_mut(&self.id) {
            state.end = Instant::now() + self.room.limits.rest;
        }
        Arc::new(Asked { place: Arc::clone(self), is_whole: AtomicBool::new(false) })
    }

    /// Returns when the connection has to end: another needs the place, or it has asked for nothing for too long.
    pub(super) async fn over(&self) {
        while let Some(end) = self.end() {
            if timeout_at(end, self.leave.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// When to look again; nothing if the time has passed.
    fn end(&self) -> Option<Instant> {
        let (now, taken) = (Instant::now(), self.room.lock());
        let state = taken.places.get(&self.id)?;
        if state.at_hand > 0 { Some(now + self.room.limits.rest) } else { Some(state.end).filter(|end| *end > now) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().places.remove(&self.id);
    }
}

impl Asked {
    /// All of it has come: from now on it is worked at.
    pub(super) fn whole(&self) {
        if self.is_whole.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(state) = self.place.room.lock().places.get_mut(&self.place.id) {
            state.at_hand = state.at_hand.saturating_add(1);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let room = &self.place.room;
        let mut taken = room.lock();
        let event = taken.next_event();
        if let Some(state) = taken.places.get_mut(&self.place.id) {
            let was_at_hand = usize::from(self.is_whole.load(Ordering::Relaxed));
            state.at_hand = state.at_hand.saturating_sub(was_at_hand);
            (state.event, state.end) = (event, Instant::now() + room.limits.rest);
        }
    }
}
