//! Webhooks from many connections at once: how many are kept per second, and whether each that was answered with 2xx is there after
//! the process was killed. Beside it, how many commits the same disk makes one after the other.

use std::sync::Arc;
use std::time::Duration;

use clients::brex::webhook_signature::sign;
use reqwest::{Client, Method};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{Delivery, Store};
use tokio::task::JoinSet;

use super::super::{Exit, Failure};
use super::connector::Connector;
use super::other_side::OtherSide;
use super::pass::round;
use super::{BenchArgs, real_time, stored, waiting};
use crate::clock::{Clock as _, SystemClock};

const CONNECTIONS: [usize; 2] = [20, 200];
const BYTES: [usize; 2] = [300, 20_000];

/// What a sender needs.
struct Sender {
    http: Client,
    url: String,
    secret: SecretString,
    company: String,
    end: std::time::Instant,
}

/// What one connection came to.
#[derive(Default)]
struct Sent {
    accepted: Vec<String>,
    refused: usize,
    took_us: Vec<u128>,
}

pub(super) async fn run(args: &BenchArgs) -> Result<Value, Failure> {
    let mut rounds = Vec::new();
    let mut lost_of_all = 0;
    for bytes in BYTES {
        for connections in CONNECTIONS {
            // A sandbox of its own: Brex remembers where the round before was delivered to, which may be the same port.
            let other = OtherSide::start(60, false).await?;
            let mut connector = Connector::set_up(&other.ready, &waiting::set_up(args))?;
            let commits = commits_per_second(&connector).await?;
            waiting::until_ready(&mut connector).await?;
            let url = subscribed(&other, &connector).await?;
            let (sent, seconds) = send(args, &other, url, connections, bytes).await?;
            connector.kill().await?;
            let accepted: Vec<&String> = sent.iter().flat_map(|sent| &sent.accepted).collect();
            if accepted.is_empty() {
                return Err(Failure::new(Exit::Unexpected, "the connector takes no delivery"));
            }
            let lost = not_kept(&connector, &accepted).await?;
            lost_of_all += lost;
            rounds.push(report(&sent, accepted.len(), seconds, commits, (connections, bytes), lost));
        }
    }
    Ok(json!({ "rounds": rounds, "lost": lost_of_all }))
}

/// How often one caller that waits for each can keep a delivery in a database of its own on the same disk.
async fn commits_per_second(connector: &Connector) -> Result<f64, Failure> {
    let path = connector.file().with_file_name("commits.db");
    let store = Store::open(&format!("sqlite:{}", path.display())).await?;
    let id = stored::connection()?;
    let started = real_time::now();
    let mut commits = 0_u32;
    while started.elapsed() < Duration::from_secs(2) {
        let delivery =
            Delivery { event_id: format!("one_{commits}"), body_hash: String::new(), payload: "x".repeat(300) };
        store.inbox().put(&id, "brex", &[delivery], i64::from(commits)).await?;
        commits += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    store.close().await;
    Ok(f64::from(commits) / seconds)
}

/// The address that Brex delivers to, once the connector has asked for it.
async fn subscribed(other: &OtherSide, connector: &Connector) -> Result<String, Failure> {
    let own = format!("http://{}/", connector.listen);
    for _ in 0..200 {
        let webhooks = other.control(Method::GET, "brex/webhooks", None).await?;
        let subscriptions = webhooks.get("subscriptions").and_then(Value::as_array);
        let urls = subscriptions.into_iter().flatten().filter_map(|subscription| subscription.get("url")?.as_str());
        if let Some(url) = urls.into_iter().find(|url| url.starts_with(&own)) {
            return Ok(url.to_owned());
        }
        real_time::pause(50).await;
    }
    Err(Failure::new(Exit::Unexpected, "the connector asks for no webhooks"))
}

async fn send(
    args: &BenchArgs,
    other: &OtherSide,
    url: String,
    connections: usize,
    bytes: usize,
) -> Result<(Vec<Sent>, f64), Failure> {
    let text = |path: &str| other.ready.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let http = Client::builder().no_proxy().pool_max_idle_per_host(connections).build();
    let started = real_time::now();
    let sender = Arc::new(Sender {
        http: http.map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?,
        url,
        secret: SecretString::from(text("/brex/webhook_secret")),
        company: text("/brex/company_id"),
        end: started + Duration::from_secs(args.seconds),
    });
    let mut tasks = JoinSet::new();
    for connection in 0..connections {
        tasks.spawn(deliver(Arc::clone(&sender), connection, bytes));
    }
    let mut sent = Vec::new();
    while let Some(done) = tasks.join_next().await {
        sent.push(done.map_err(|panic| Failure::new(Exit::Unexpected, panic.to_string()))?);
    }
    Ok((sent, started.elapsed().as_secs_f64()))
}

/// Delivers one after the other.
async fn deliver(sender: Arc<Sender>, connection: usize, bytes: usize) -> Sent {
    let mut sent = Sent::default();
    let mut number = 0_usize;
    while real_time::now() < sender.end {
        let id = format!("msg_{connection}_{number}");
        number += 1;
        let event = json!({
            "event_type": "EXPENSE_PAYMENT_UPDATED", "expense_id": format!("expense_{id}"), "company_id": sender.company, "note": "",
        });
        let body = event.to_string();
        let filler = "x".repeat(bytes.saturating_sub(body.len()));
        let body = body.replace("\"note\":\"\"", &format!("\"note\":\"{filler}\""));
        let timestamp = (SystemClock.now_ms() / 1_000).to_string();
        let Ok(signature) = sign(&sender.secret, &id, &timestamp, body.as_bytes()) else {
            sent.refused += 1;
            continue;
        };
        let request = sender.http.post(&sender.url).header("webhook-id", &id).header("webhook-timestamp", timestamp);
        let request = request.header("webhook-signature", signature).header("content-type", "application/json");
        let began = real_time::now();
        match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => {
                sent.took_us.push(began.elapsed().as_micros());
                sent.accepted.push(id);
            }
            Ok(_) | Err(_) => sent.refused += 1,
        }
    }
    sent
}

/// How many of these are not in the inbox.
async fn not_kept(connector: &Connector, accepted: &[&String]) -> Result<usize, Failure> {
    let (_, store) = stored::open(connector).await?;
    let id = stored::connection()?;
    let mut lost = 0;
    for event in accepted {
        lost += usize::from(!store.inbox().holds(&id, "brex", event).await?);
    }
    store.close().await;
    Ok(lost)
}

fn report(
    sent: &[Sent],
    accepted: usize,
    seconds: f64,
    commits: f64,
    (connections, bytes): (usize, usize),
    lost: usize,
) -> Value {
    let mut took: Vec<u128> = sent.iter().flat_map(|sent| sent.took_us.iter().copied()).collect();
    took.sort_unstable();
    let at = |percent: usize| {
        let us = took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).copied().unwrap_or(0);
        round(f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1_000.0)
    };
    let per_second = f64::from(u32::try_from(accepted).unwrap_or(u32::MAX)) / seconds;
    json!({
        "connections": connections, "bytes": bytes, "seconds": round(seconds), "accepted": accepted,
        "accepted_per_second": round(per_second), "refused": sent.iter().map(|sent| sent.refused).sum::<usize>(),
        "p50_ms": at(50), "p99_ms": at(99), "single_commits_per_second": round(commits),
        "of_single_commits": round(per_second / commits), "lost_after_kill": lost,
    })
}
