//! Push subscriptions: the resource, what is recorded when tables change, and what is sent when.

mod queue;
mod record;
mod resource;
mod sender;

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::queue::Queue;

pub(in crate::bc) use self::record::WATCHED;
pub(super) use self::resource::{Request, answer};
pub(super) use self::sender::Sender;
pub use self::sender::spawn_deliveries;

/// How many past payloads are remembered.
const REMEMBERED: usize = 200;

/// A subscription with what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Where notifications go.
    pub notification_url: String,
    /// As registered.
    pub resource: String,
    /// The set that the resource names.
    pub set: String,
    /// Sent back with each notification.
    pub client_state: String,
    /// Moves with each renewal.
    pub version: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was created or renewed.
    pub modified: Timestamp,
    /// After this it produces nothing and is deleted.
    pub expires: Timestamp,
    queue: Queue,
}

/// A payload that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// By the sandbox's clock.
    pub at: Timestamp,
    /// Where to.
    pub url: String,
    /// How many notifications were in it.
    pub notifications: usize,
    /// The answer; none if there was none.
    pub status: Option<u16>,
}

/// Everything about subscriptions, for an inspector.
#[derive(Debug, Clone, Serialize)]
pub struct HookReport {
    /// Who wants to be told what.
    pub subscriptions: Vec<Subscription>,
    /// The last payloads, oldest first.
    pub sent: VecDeque<Sent>,
    /// Whether the sender task rests.
    pub paused: bool,
}

/// What the environment knows about subscriptions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Hooks {
    subscriptions: Vec<Subscription>,
    sent: VecDeque<Sent>,
    paused: bool,
}

impl Hooks {
    fn remember(&mut self, sent: Sent) {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
    }

    fn find(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.id == id)
    }
}

impl super::Bc {
    /// Subscriptions and the last payloads.
    pub fn webhooks(&self) -> HookReport {
        let hooks = self.lock().tables.hooks.clone();
        HookReport { subscriptions: hooks.subscriptions, sent: hooks.sent, paused: hooks.paused }
    }

    /// Loses every notification that is still to be sent. Says how many.
    pub fn drop_notifications(&self, now: Timestamp) -> usize {
        let mut state = self.lock();
        state.tables.record(now);
        state
            .tables
            .hooks
            .subscriptions
            .iter_mut()
            .map(|subscription| std::mem::take(&mut subscription.queue).len())
            .sum()
    }

    /// Stops or starts the sender task. While it is stopped, `deliver_due` still sends.
    pub fn pause_notifications(&self, paused: bool) {
        self.lock().tables.hooks.paused = paused;
        self.sender.wake();
    }

    /// A copied environment has the same data and no subscriptions.
    pub fn copy_environment(&self) {
        let tables = &mut self.lock().tables;
        tables.hooks.subscriptions.clear();
        tables.watch();
    }

    /// Sends a notification about a row with a client state that nobody gave. Says how many receivers there were.
    pub async fn forge_notification(&self, row: Uuid, now: Timestamp) -> usize {
        let subscriptions = self.lock().tables.hooks.subscriptions.clone();
        for subscription in &subscriptions {
            self.sender.forge(subscription, row, self.ids.guid(), now).await;
        }
        subscriptions.len()
    }
}
