//! Sends what is due: at once when something happens, later by the sandbox's clock.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::outbox::{Delivery, DeliveryState, Forgotten};
use super::secrets::{WebhookSecret, signature};
use super::subscriptions::{Subscription, SubscriptionStatus};
use crate::brex::Brex;
use crate::brex::state::State;
use crate::clock::Clock;
use crate::fault::{Faults, WebhookFault};
use crate::ids::Ids;
use crate::meter::Side;
use crate::world::World;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
const AT_ONCE: usize = 8;
const SHORTEST_NAP: Duration = Duration::from_millis(50);
const LONGEST_NAP: Duration = Duration::from_hours(1);

/// The HTTP client, and the means to call the sender task.
#[derive(Debug, Default)]
pub(in crate::brex) struct Sender {
    client: OnceCell<reqwest::Client>,
    /// One pass at a time, so that whoever asks for a delivery finds it done afterwards.
    pass: tokio::sync::Mutex<()>,
    wake: Notify,
    pub(in crate::brex) faults: Arc<Faults>,
}

/// How a pass went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryCount {
    /// Answered 2xx.
    pub delivered: usize,
    /// Not answered, or not with 2xx.
    pub failed: usize,
}

/// Everything about webhooks.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookReport {
    /// Who wants to be told what.
    pub subscriptions: Vec<Subscription>,
    /// The secrets that sign, and those that did.
    pub secrets: Vec<WebhookSecret>,
    /// What was sent, is still to be sent, or was lost.
    pub deliveries: Vec<Delivery>,
    /// How many older ones there were.
    pub forgotten: Forgotten,
}

struct Parcel {
    number: u64,
    url: Option<String>,
    message_id: String,
    timestamp: i64,
    signatures: String,
    body: String,
    /// How often it is sent; the last answer counts.
    times: u8,
}

impl Parcel {
    /// A signature with a key that nobody has.
    fn forged_signature(&self) -> String {
        let foreign = WebhookSecret::new(&Ids::new(u64::MAX).stream(&self.message_id));
        signature(&foreign.secret, &self.message_id, self.timestamp, self.body.as_bytes()).unwrap_or_default()
    }
}

impl State {
    /// What is due, signed with the secrets and the time of this attempt.
    fn due_parcels(&self, now: Timestamp) -> Vec<Parcel> {
        let due = self.outbox.iter().filter(|delivery| delivery.is_due(now));
        due.map(|delivery| self.parcel(delivery, now)).collect()
    }

    fn parcel(&self, delivery: &Delivery, now: Timestamp) -> Parcel {
        let timestamp = now.as_second();
        let subscription = self.subscriptions.iter().find(|subscription| subscription.id == delivery.subscription_id);
        let mut parcel = Parcel {
            number: delivery.number,
            url: subscription.map(|subscription| subscription.url.clone()),
            message_id: delivery.message_id.clone(),
            timestamp,
            signatures: String::new(),
            body: delivery.body.clone(),
            times: 1,
        };
        parcel.signatures = if delivery.forged {
            parcel.forged_signature()
        } else {
            self.signatures(&delivery.message_id, timestamp, delivery.body.as_bytes())
        };
        parcel
    }
}

impl State {
    /// Notes what became of an attempt. Says whether the event was delivered, unless it is forgotten.
    fn note(&mut self, number: u64, subscribed: bool, status: Option<u16>, now: Timestamp) -> Option<bool> {
        let settings = &self.settings.webhooks;
        let delivery = self.outbox.get_mut(number)?;
        delivery.note(now, status, settings.retries);
        if !subscribed {
            delivery.state = DeliveryState::GivenUp;
        }
        if settings.given_up_is_error && delivery.state == DeliveryState::GivenUp && !delivery.forged {
            let id = delivery.subscription_id.clone();
            for subscription in self.subscriptions.iter_mut().filter(|subscription| subscription.id == id) {
                subscription.status = SubscriptionStatus::Error;
            }
        }
        Some(delivery.state == DeliveryState::Delivered)
    }
}

impl Brex {
    /// Sends everything that is due by the clock, and returns when the receivers have answered.
    pub async fn deliver_due(&self, clock: &Clock) -> DeliveryCount {
        let _pass = self.sender.pass.lock().await;
        let now = clock.now();
        let due = {
            let mut state = self.lock();
            state.settle(now);
            state.due_parcels(now)
        };
        let [first, last] = self.disturbed(due, now);
        let mut count = self.deliver(first, now).await;
        let late = self.deliver(last, now).await;
        count.delivered += late.delivered;
        count.failed += late.failed;
        count
    }

    /// Lets the plan disturb what is due: what is left to send first, and what after that.
    fn disturbed(&self, parcels: Vec<Parcel>, now: Timestamp) -> [Vec<Parcel>; 2] {
        let mut first = Vec::new();
        let mut last = Vec::new();
        for mut parcel in parcels {
            let url = parcel.url.as_deref().unwrap_or_default();
            match self.sender.faults.hit_webhook(Side::Brex, url, now) {
                None => first.push(parcel),
                Some(WebhookFault::Drop) => self.put_off(&parcel, DeliveryState::Dropped),
                Some(WebhookFault::Late { seconds }) => {
                    let due_at = now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(now);
                    self.put_off(&parcel, DeliveryState::Pending { due_at });
                }
                Some(WebhookFault::Double) => {
                    parcel.times = 2;
                    first.push(parcel);
                }
                Some(WebhookFault::Reorder) => last.push(parcel),
                Some(WebhookFault::Forge) => {
                    parcel.signatures = parcel.forged_signature();
                    first.push(parcel);
                }
            }
        }
        [first, last]
    }

    fn put_off(&self, parcel: &Parcel, until: DeliveryState) {
        if let Some(delivery) = self.lock().outbox.get_mut(parcel.number) {
            delivery.state = until;
        }
    }

    async fn deliver(&self, parcels: Vec<Parcel>, now: Timestamp) -> DeliveryCount {
        let mut count = DeliveryCount::default();
        let mut answers = futures::stream::iter(parcels)
            .map(|parcel| async move {
                for _ in 1..parcel.times {
                    self.send(&parcel).await;
                }
                (parcel.number, parcel.url.is_some(), self.send(&parcel).await)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((number, subscribed, status)) = answers.next().await {
            match self.lock().note(number, subscribed, status, now) {
                None => {}
                Some(true) => count.delivered += 1,
                Some(false) => count.failed += 1,
            }
        }
        count
    }

    /// The status of the answer, if there was one.
    async fn send(&self, parcel: &Parcel) -> Option<u16> {
        let url = parcel.url.as_deref()?;
        let client = match self.sender.client.get_or_try_init(async || client()).await {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "no HTTP client for webhooks");
                return None;
            }
        };
        let sent = client
            .post(url)
            .header("Content-Type", "application/json")
            .header("Webhook-Id", &parcel.message_id)
            .header("Webhook-Timestamp", parcel.timestamp.to_string())
            .header("Webhook-Signature", &parcel.signatures)
            .body(parcel.body.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => Some(answer.status().as_u16()),
            Err(error) => {
                tracing::debug!(%error, "a webhook was not answered");
                None
            }
        }
    }

    /// Subscriptions, secrets and deliveries.
    pub fn webhooks(&self) -> WebhookReport {
        let state = self.lock();
        WebhookReport {
            subscriptions: state.subscriptions.clone(),
            secrets: state.secrets.clone(),
            deliveries: state.outbox.iter().cloned().collect(),
            forgotten: state.outbox.forgotten,
        }
    }

    pub(in crate::brex) fn wake_sender(&self) {
        self.sender.wake.notify_one();
    }

    /// How long the sender task may sleep; none while there is nothing for it to do.
    fn nap(&self, now: Timestamp) -> Option<Duration> {
        let state = self.lock();
        let transfer = state.transfers.next_due().map(|(due_at, _)| due_at);
        let due_at = state.outbox.next_due().into_iter().chain(transfer).min().filter(|_| !state.outbox.paused)?;
        let nap = Duration::try_from(due_at.duration_since(now)).unwrap_or(Duration::ZERO);
        Some(nap.clamp(SHORTEST_NAP, LONGEST_NAP))
    }
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build()
}

/// The task that sends webhooks until `stop` is cancelled.
///
/// A new event goes out at once. A retry waits by the sandbox's clock; when that stands still and is moved by hand,
/// call [`Brex::deliver_due`].
#[expect(clippy::disallowed_methods, reason = "the sender task naps until the next retry is due")]
pub fn spawn_deliveries(world: Arc<World>, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let nap = world.brex.nap(world.clock.now());
            let rest = async {
                match nap {
                    Some(nap) => tokio::time::sleep(nap).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = world.brex.sender.wake.notified() => {}
                () = rest => {}
            }
            if world.brex.lock().outbox.paused {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = world.brex.deliver_due(&world.clock) => {}
            }
        }
    })
}
