//! Sends what is due by the sandbox's clock: one payload per URL, with all subscriptions that have it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::schema::moment;
use super::super::settings::{Disorder, HandshakeMethod};
use super::super::table::Tables;
use super::super::{Bc, sets};
use super::queue::Queue;
use super::{Sent, Subscription};
use crate::clock::Clock;
use crate::fault::{Faults, WebhookFault};
use crate::meter::Side;
use crate::world::World;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often the task looks whether a table has changed.
const NAP: Duration = Duration::from_secs(1);
/// A collection's filter begins this long before the first change.
const EARLIER: SignedDuration = SignedDuration::from_millis(50);

/// The HTTP client, and the means to call the sender task.
#[derive(Debug, Default)]
pub(in crate::bc) struct Sender {
    client: OnceCell<reqwest::Client>,
    /// One pass at a time, so that whoever asks for a delivery finds it done afterwards.
    pass: tokio::sync::Mutex<()>,
    wake: Notify,
    pub(in crate::bc) faults: Arc<Faults>,
}

struct Payload {
    url: String,
    value: Vec<Value>,
    /// What is in it, to be put back if it is refused.
    queues: Vec<(String, Queue)>,
    times: usize,
}

/// Notifications by time, and the queues that they come from.
type Gathered = (Vec<(Timestamp, Value)>, Vec<(String, Queue)>);

impl Sender {
    pub(in crate::bc) fn wake(&self) {
        self.wake.notify_one();
    }

    async fn client(&self) -> Option<&reqwest::Client> {
        let build = async || {
            reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build()
        };
        match self.client.get_or_try_init(build).await {
            Ok(client) => Some(client),
            Err(error) => {
                tracing::error!(%error, "no HTTP client for notifications");
                None
            }
        }
    }

    /// True if the receiver answers 200 with the token.
    pub(super) async fn handshake(&self, url: &str, token: &str, method: HandshakeMethod, timeout: Duration) -> bool {
        let (Some(client), Ok(mut url)) = (self.client().await, url::Url::parse(url)) else {
            return false;
        };
        url.query_pairs_mut().append_pair("validationToken", token);
        let request = match method {
            HandshakeMethod::Post => client.post(url).header("Content-Length", "0"),
            HandshakeMethod::Get => client.get(url),
        };
        let Ok(answer) = request.timeout(timeout).send().await else {
            return false;
        };
        answer.status().as_u16() == 200 && answer.text().await.is_ok_and(|body| body == token)
    }

    async fn send(&self, url: &str, value: &[Value], id: Uuid) -> Option<u16> {
        let id = id.to_string();
        let sent = self
            .client()
            .await?
            .post(url)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .header("clientRequestId", &id)
            .header("x-ms-correlation-id", &id)
            .body(json!({"value": value}).to_string())
            .send()
            .await;
        sent.ok().map(|answer| answer.status().as_u16())
    }

    pub(super) async fn forge(&self, subscription: &Subscription, row: Uuid, id: Uuid, now: Timestamp) {
        let mut value = notification(subscription, &format!("({row})"), "updated", now);
        value["clientState"] = format!("forged-{id}").into();
        // Nobody waits for what the receiver says to a forger.
        let _ = self.send(&subscription.notification_url, &[value], id).await;
    }
}

fn notification(subscription: &Subscription, suffix: &str, change: &str, at: Timestamp) -> Value {
    json!({
        "subscriptionId": subscription.id,
        "clientState": subscription.client_state,
        "expirationDateTime": subscription.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "resource": format!("{}{suffix}", subscription.resource),
        "changeType": change,
        "lastModifiedDateTime": moment(at),
    })
}

/// What one subscription has to tell, with the time that it is ordered by.
fn notifications(subscription: &Subscription, queue: &Queue) -> Vec<(Timestamp, Value)> {
    let Some(collected) = &queue.collected else {
        let one = |entry: &super::queue::Entry| {
            (entry.at, notification(subscription, &format!("({})", entry.row), entry.kind.name(), entry.at))
        };
        return queue.entries.iter().map(one).collect();
    };
    let dated =
        sets::top_level(&subscription.set).is_some_and(|set| set.schema().field("lastModifiedDateTime").is_some());
    let suffix = if collected.deleted || !dated {
        String::new()
    } else {
        let first = collected.first.saturating_sub(EARLIER).unwrap_or(Timestamp::MIN);
        format!("?$filter=lastModifiedDateTime%20gt%20{}", moment(first).as_str().unwrap_or_default())
    };
    vec![(collected.last, notification(subscription, &suffix, "collection", collected.last))]
}

impl Tables {
    /// Takes out what is due; expired subscriptions go without a word.
    fn due_payloads(&mut self, now: Timestamp) -> Vec<Payload> {
        self.record(now);
        self.hooks.subscriptions.retain(|subscription| now < subscription.expires);
        self.watch();
        let due = |subscription: &Subscription| subscription.queue.due.is_some_and(|due| due <= now);
        let urls: Vec<String> =
            self.hooks.subscriptions.iter().filter(|one| due(one)).map(|one| one.notification_url.clone()).collect();
        let mut gathered: BTreeMap<String, Gathered> = BTreeMap::new();
        for subscription in &mut self.hooks.subscriptions {
            if subscription.queue.len() > 0 && urls.contains(&subscription.notification_url) {
                let queue = std::mem::take(&mut subscription.queue);
                let (value, queues) = gathered.entry(subscription.notification_url.clone()).or_default();
                value.extend(notifications(subscription, &queue));
                queues.push((subscription.id.clone(), queue));
            }
        }
        let disorder = self.settings.webhooks.disorder;
        let payload = |(url, (mut value, queues)): (String, Gathered)| {
            value.sort_by_key(|(at, _)| *at);
            let mut value: Vec<Value> = value.into_iter().map(|(_, value)| value).collect();
            if disorder == Disorder::Reversed {
                value.reverse();
            }
            Payload { url, value, queues, times: if disorder == Disorder::Twice { 2 } else { 1 } }
        };
        gathered.into_iter().map(payload).collect()
    }

    /// Puts a payload back until `due`, before what came meanwhile.
    fn put_off(&mut self, payload: Payload, due: Timestamp) {
        let threshold = self.settings.webhooks.collection_threshold;
        for (id, queue) in payload.queues {
            if let Some(subscription) = self.hooks.find(&id) {
                subscription.queue.put_off(queue, threshold, due);
            }
        }
        self.watch();
    }

    /// What the answer means for the subscriptions of a payload.
    fn settle(&mut self, payload: Payload, status: Option<u16>, now: Timestamp) {
        let sent = Sent { at: now, url: payload.url, notifications: payload.value.len(), status };
        self.hooks.remember(sent);
        let settings = &self.settings.webhooks;
        let again = status.is_none_or(|status| matches!(status, 408 | 429 | 500..=599));
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        for (id, queue) in payload.queues {
            let kept = again
                && self.hooks.find(&id).is_none_or(|subscription| {
                    subscription.queue.put_back(queue, settings.retries, settings.collection_threshold, now)
                });
            if !kept {
                self.hooks.subscriptions.retain(|subscription| subscription.id != id);
            }
        }
        self.watch();
    }
}

impl Bc {
    /// Sends everything that is due by the clock, and returns when the receivers have answered. Says how many payloads.
    pub async fn deliver_due(&self, clock: &Clock) -> usize {
        let _pass = self.sender.pass.lock().await;
        let now = clock.now();
        let payloads = self.lock().tables.due_payloads(now);
        let count = payloads.len();
        let [first, last] = self.disturbed(payloads, now);
        for payload in first.into_iter().chain(last) {
            for _ in 1..payload.times {
                // Only the last answer counts, as if the earlier ones had been lost.
                let _ = self.sender.send(&payload.url, &payload.value, self.ids.guid()).await;
            }
            let status = self.sender.send(&payload.url, &payload.value, self.ids.guid()).await;
            self.lock().tables.settle(payload, status, now);
        }
        count
    }

    /// Lets the plan disturb what is due: what is left to send first, and what after that.
    fn disturbed(&self, payloads: Vec<Payload>, now: Timestamp) -> [Vec<Payload>; 2] {
        let mut first = Vec::new();
        let mut last = Vec::new();
        for mut payload in payloads {
            match self.sender.faults.hit_webhook(Side::Bc, &payload.url, now) {
                None => first.push(payload),
                Some(WebhookFault::Drop) => {}
                Some(WebhookFault::Late { seconds }) => {
                    let due = now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(now);
                    self.lock().tables.put_off(payload, due);
                }
                Some(WebhookFault::Double) => {
                    payload.times = 2;
                    first.push(payload);
                }
                Some(WebhookFault::Reorder) => {
                    payload.value.reverse();
                    last.push(payload);
                }
                Some(WebhookFault::Forge) => {
                    for notification in &mut payload.value {
                        notification["clientState"] = format!("forged-{}", self.ids.guid()).into();
                    }
                    first.push(payload);
                }
            }
        }
        [first, last]
    }

    /// How long the sender task may sleep; none while nobody has subscribed.
    fn nap(&self) -> Option<Duration> {
        let hooks = &self.lock().tables.hooks;
        (!hooks.paused && !hooks.subscriptions.is_empty()).then_some(NAP)
    }
}

/// The task that sends notifications until `stop` is cancelled. When the clock stands still and is moved by hand, call
/// [`Bc::deliver_due`].
#[expect(clippy::disallowed_methods, reason = "the sender task naps until it looks again")]
pub fn spawn_deliveries(world: Arc<World>, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let nap = world.bc.nap();
            let rest = async {
                match nap {
                    Some(nap) => tokio::time::sleep(nap).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = world.bc.sender.wake.notified() => {}
                () = rest => {}
            }
            if world.bc.nap().is_none() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = world.bc.deliver_due(&world.clock) => {}
            }
        }
    })
}
