//! Receivers of webhooks on the control port: they answer handshakes, answer deliveries as told, and keep what came.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

const MOST_RECEIVERS: usize = 100;
const MOST_RECEIPTS: usize = 200;
/// Longer bodies are cut.
const LONGEST_BODY: usize = 256 * 1024;

/// How a receiver answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Status of the answer to a delivery.
    pub status: u16,
    /// Answer to `?validationToken=`.
    pub handshake: Handshake,
}

impl Default for Script {
    fn default() -> Self {
        Self { status: 200, handshake: Handshake::Echo }
    }
}

/// What is answered to a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handshake {
    /// The token, as it should be.
    Echo,
    /// Another token.
    Wrong,
    /// Nothing, with status 200.
    Empty,
    /// 500.
    Fail,
}

/// One request that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Method.
    pub method: String,
    /// Query as it was sent.
    pub query: String,
    /// By name in lower case; of several with one name the last.
    pub headers: BTreeMap<String, String>,
    /// The body as text, at most 256 KiB of it.
    pub body: String,
    /// What was answered.
    pub answered: u16,
}

/// All receivers, by name. They come into being with their first request.
#[derive(Debug, Default)]
pub struct Receivers {
    by_name: Mutex<BTreeMap<String, Receiver>>,
}

#[derive(Debug, Default)]
struct Receiver {
    script: Script,
    receipts: VecDeque<Receipt>,
}

impl Receivers {
    /// What came to this name, oldest first; at most the last 200.
    pub fn receipts(&self, name: &str) -> Vec<Receipt> {
        self.lock().get(name).map(|receiver| receiver.receipts.iter().cloned().collect()).unwrap_or_default()
    }

    /// How this name answers from now on. False if there are too many receivers.
    pub fn script(&self, name: &str, script: Script) -> bool {
        self.with(name, |receiver| receiver.script = script).is_some()
    }

    /// Forgets everything about a name.
    pub fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Takes a request in; answers status and body. None if there are too many receivers.
    pub(crate) fn receive(&self, name: &str, token: Option<&str>, mut receipt: Receipt) -> Option<(u16, String)> {
        self.with(name, |receiver| {
            let (status, body) = match (token, receiver.script.handshake) {
                (None, _) => (receiver.script.status, String::new()),
                (Some(token), Handshake::Echo) => (200, token.to_owned()),
                (Some(token), Handshake::Wrong) => (200, format!("not-{token}")),
                (Some(_), Handshake::Empty) => (200, String::new()),
                (Some(_), Handshake::Fail) => (500, String::new()),
            };
            receipt.answered = status;
            let end = receipt.body.floor_char_boundary(LONGEST_BODY);
            receipt.body.truncate(end);
            if receiver.receipts.len() == MOST_RECEIPTS {
                receiver.receipts.pop_front();
            }
            receiver.receipts.push_back(receipt);
            (status, body)
        })
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Receiver) -> T) -> Option<T> {
        let mut by_name = self.lock();
        if by_name.len() >= MOST_RECEIVERS && !by_name.contains_key(name) {
            return None;
        }
        Some(act(by_name.entry(name.to_owned()).or_default()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Receiver>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
