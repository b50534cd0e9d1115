//! Events on their way: what is to be sent when, by the sandbox's clock, and what became of it.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kinds;
use super::subscriptions::SubscriptionStatus;
use super::{RECORD_READY, Subscription};
use crate::brex::Brex;
use crate::brex::state::State;

/// The waits between attempts of one delivery, the Svix ones; after the last the delivery is given up.
const WAITS: [SignedDuration; 7] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(10),
];
/// How many deliveries are remembered after they ended, so that a long run needs no memory.
const ENDED: usize = 1_000;
/// How many are kept in all. If as many wait, nobody listens, and the oldest is given up.
const MOST: usize = 10_000;

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Goes out at this moment.
    Pending {
        /// By the sandbox's clock.
        due_at: Timestamp,
    },
    /// The receiver answered 2xx.
    Delivered,
    /// Refused too often, or the subscription is gone.
    GivenUp,
    /// Lost on purpose; it was never sent.
    Dropped,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When, by the sandbox's clock.
    pub at: Timestamp,
    /// The receiver's answer; none if there was none.
    pub status: Option<u16>,
}

/// One event for one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its place among all deliveries since the start; parcels name it.
    #[serde(skip)]
    pub(super) number: u64,
    /// `Webhook-Id`: the same on every attempt.
    pub message_id: String,
    /// The subscription that it is for.
    pub subscription_id: String,
    /// The exact bytes that are signed.
    pub body: String,
    /// True if it is signed with a key that nobody has.
    pub forged: bool,
    /// What became of it.
    pub state: DeliveryState,
    /// What was tried.
    pub attempts: Vec<Attempt>,
}

/// How deliveries ended that are not remembered any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Answered with 2xx.
    pub delivered: u64,
    /// Refused too often, or too many waited.
    pub given_up: u64,
    /// Lost on purpose.
    pub dropped: u64,
}

/// The newest deliveries, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::brex) struct Outbox {
    #[serde(deserialize_with = "numbered")]
    deliveries: VecDeque<Delivery>,
    #[serde(default)]
    pub(super) forgotten: Forgotten,
    /// While paused, only a call to deliver sends.
    pub(super) paused: bool,
}

fn numbered<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<Delivery>, D::Error> {
    let mut deliveries = VecDeque::<Delivery>::deserialize(deserializer)?;
    for (number, delivery) in (0..).zip(&mut deliveries) {
        delivery.number = number;
    }
    Ok(deliveries)
}

impl Outbox {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter()
    }

    /// The delivery of that number, unless it is forgotten.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Delivery> {
        let index = self.deliveries.binary_search_by_key(&number, |delivery| delivery.number).ok()?;
        self.deliveries.get_mut(index)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.iter().filter_map(Delivery::due_at).min()
    }

    /// Adds one and forgets the oldest that has ended, if there are too many.
    fn push(&mut self, delivery: Delivery) {
        let number = self.deliveries.back().map_or(0, |last| last.number + 1);
        self.deliveries.push_back(Delivery { number, ..delivery });
        let mut ended = (0..).zip(&self.deliveries).filter(|(_, delivery)| delivery.due_at().is_none());
        let oldest = ended.next().map(|(index, _)| index).filter(|_| ended.count() >= ENDED);
        if let Some(delivery) = oldest.and_then(|index| self.deliveries.remove(index)) {
            self.forget(&delivery.state);
        }
        if self.deliveries.len() > MOST
            && let Some(delivery) = self.deliveries.pop_front()
        {
            self.forget(&delivery.state);
        }
    }

    fn forget(&mut self, state: &DeliveryState) {
        match state {
            DeliveryState::Delivered => self.forgotten.delivered += 1,
            DeliveryState::Pending { .. } | DeliveryState::GivenUp => self.forgotten.given_up += 1,
            DeliveryState::Dropped => self.forgotten.dropped += 1,
        }
    }
}

impl Delivery {
    fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Pending { due_at } => Some(due_at),
            _ => None,
        }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due_at| due_at <= now)
    }

    /// Notes an attempt and plans the next one.
    pub(super) fn note(&mut self, at: Timestamp, status: Option<u16>, retries: usize) {
        let wait = WAITS.get(self.attempts.len()).copied().filter(|_| self.attempts.len() < retries);
        self.attempts.push(Attempt { at, status });
        let delivered = status.is_some_and(|status| (200..300).contains(&status));
        self.state = match wait.and_then(|wait| at.checked_add(wait).ok()) {
            _ if delivered => DeliveryState::Delivered,
            // A forger does not come back.
            Some(due_at) if !self.forged => DeliveryState::Pending { due_at },
            _ => DeliveryState::GivenUp,
        };
    }
}

impl State {
    /// One event for all records of one export action, to everyone who wants it.
    pub(in crate::brex) fn announce_ready(&mut self, record_ids: &[String], now: Timestamp) {
        let body = self.ready_event(record_ids);
        self.announce(RECORD_READY, &body, now);
    }

    /// An event to everyone who wants its type, if the token may know; some are lost on purpose.
    pub(in crate::brex) fn announce(&mut self, event_type: &str, body: &Value, now: Timestamp) {
        let needed = kinds::scopes(event_type);
        if !self.tokens.iter().any(|token| needed.iter().any(|&scope| token.scopes.contains(scope))) {
            return;
        }
        let ids = self.draw();
        let state = if ids.chance(self.settings.webhook_drop_percent) {
            DeliveryState::Dropped
        } else {
            DeliveryState::Pending { due_at: now }
        };
        self.enqueue(&ids.alphanumeric(24), event_type, body, &state, false);
    }

    fn ready_event(&self, record_ids: &[String]) -> Value {
        json!({
            "event_type": RECORD_READY,
            "accountingRecordIds": record_ids,
            "companyId": self.company_id,
        })
    }

    fn enqueue(&mut self, message: &str, event_type: &str, body: &Value, state: &DeliveryState, forged: bool) {
        let body = body.to_string();
        let wants = |subscription: &&Subscription| {
            subscription.status == SubscriptionStatus::Active
                && subscription.event_types.iter().any(|kind| kind == event_type)
        };
        for subscription in self.subscriptions.iter().filter(wants) {
            self.outbox.push(Delivery {
                number: 0,
                message_id: format!("msg_{message}"),
                subscription_id: subscription.id.clone(),
                body: body.clone(),
                forged,
                state: state.clone(),
                attempts: Vec::new(),
            });
        }
    }
}

impl Brex {
    /// The deliveries that are remembered, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.lock().outbox.iter().cloned().collect()
    }

    /// All subscriptions.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.lock().subscriptions.clone()
    }

    /// Every delivery that was sent and is remembered goes out once more with the same `Webhook-Id`. Says how many.
    pub fn repeat_deliveries(&self, now: Timestamp) -> usize {
        let mut state = self.lock();
        let again: Vec<Delivery> = state
            .outbox
            .iter()
            .filter(|delivery| delivery.state == DeliveryState::Delivered)
            .map(|delivery| Delivery {
                state: DeliveryState::Pending { due_at: now },
                attempts: Vec::new(),
                ..delivery.clone()
            })
            .collect();
        let count = again.len();
        for delivery in again {
            state.outbox.push(delivery);
        }
        drop(state);
        self.wake_sender();
        count
    }

    /// The event that a click on Export sends about these records, without the click.
    pub fn announce(&self, record_ids: &[String], now: Timestamp) {
        self.lock().announce_ready(record_ids, now);
        self.wake_sender();
    }

    /// An event about these records that is signed with a wrong key.
    pub fn forge_event(&self, record_ids: &[String], now: Timestamp) {
        let mut state = self.lock();
        let message = state.draw().alphanumeric(24);
        let body = state.ready_event(record_ids);
        state.enqueue(&message, RECORD_READY, &body, &DeliveryState::Pending { due_at: now }, true);
        drop(state);
        self.wake_sender();
    }

    /// Loses everything that is still to be sent. Says how many.
    pub fn drop_pending(&self) -> usize {
        let mut state = self.lock();
        let mut count = 0;
        for delivery in &mut state.outbox.deliveries {
            if matches!(delivery.state, DeliveryState::Pending { .. }) {
                delivery.state = DeliveryState::Dropped;
                count += 1;
            }
        }
        count
    }

    /// Stops or starts the sender task. While it is stopped, [`Brex::deliver_due`] still sends.
    pub fn pause_deliveries(&self, paused: bool) {
        self.lock().outbox.paused = paused;
        self.wake_sender();
    }
}
