//! `Idempotency-Key`: a repeated POST or PUT does its work once.
//!
//! Brex says that a repeat is "recognised as a duplicate and ignored" and nothing more, so what the repeat gets, what
//! another body under the same key does, and how long a key is known are settings. Refused calls use up no key.

use std::collections::{HashMap, VecDeque};

use axum::extract::FromRequestParts;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::error::{Api, Refusal};
use super::state::State;
use crate::clock::hours;

const HEADER: &str = "idempotency-key";
/// Longer ones are refused, so that the memory for keys stays bounded.
const LONGEST: usize = 255;

/// What a repeat with the same key gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The first answer once more.
    Replayed,
    /// 200 without a body.
    Ignored,
}

/// What the same key with another body gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherBody {
    /// It counts as a repeat: only the key is looked at.
    Repeat,
    /// 400.
    Refused,
}

/// How keys work; see the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// What a repeat gets.
    pub repeat: Repeat,
    /// What the same key with another body gets.
    pub other_body: OtherBody,
    /// For how many hours a key is known.
    pub hours: i64,
    /// How many keys are known; the oldest are forgotten first.
    pub count: usize,
    /// Whether keys count in the Accounting API, which does not document them, too.
    #[serde(default)]
    pub accounting: bool,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self { repeat: Repeat::Replayed, other_body: OtherBody::Repeat, hours: 24, count: 10_000, accounting: false }
    }
}

/// The key of a call, if it has one. It counts for its method and path only.
#[derive(Debug)]
pub(super) struct Key(Option<String>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(HEADER) else {
            return Ok(Self(None));
        };
        let key = value.to_str().ok().filter(|key| !key.trim().is_empty() && key.len() <= LONGEST);
        let Some(key) = key else {
            // The Accounting API does not document the header.
            return match Api::of(parts.uri.path()) {
                Api::Accounting => Ok(Self(None)),
                Api::Platform => Err(Refusal::bad_request("Idempotency-Key header is invalid")),
            };
        };
        Ok(Self(Some(format!("{} {} {key}", parts.method, parts.uri.path()))))
    }
}

impl Key {
    /// The key in the Accounting API, if keys count there.
    pub(super) fn of_accounting(self, settings: &KeySettings) -> Self {
        Self(self.0.filter(|_| settings.accounting))
    }

    /// Refuses a call without a key.
    pub(super) fn required(self) -> Result<Self, Refusal> {
        match self.0 {
            Some(_) => Ok(self),
            None => Err(Refusal::bad_request("Idempotency-Key header is required")),
        }
    }
}

/// The first answer under a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct First {
    key: String,
    at: Timestamp,
    body: String,
    answer: String,
}

/// The keys that are known, oldest first.
#[derive(Debug, Default)]
pub(super) struct Keys {
    firsts: HashMap<String, First>,
    order: VecDeque<String>,
}

impl Keys {
    fn find(&self, key: &str) -> Option<&First> {
        self.firsts.get(key)
    }

    fn insert(&mut self, first: First) {
        self.order.push_back(first.key.clone());
        self.firsts.insert(first.key.clone(), first);
    }

    fn forget(&mut self, settings: &KeySettings, now: Timestamp) {
        let life = hours(settings.hours);
        while let Some(oldest) = self.order.front() {
            let expired = self.firsts.get(oldest).is_none_or(|first| now.duration_since(first.at) >= life);
            if !expired && self.order.len() <= settings.count {
                break;
            }
            self.firsts.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl State {
    /// Runs `work` unless its key was used before, and answers 200 with what it made.
    pub(super) fn once(
        &mut self,
        key: &Key,
        body: &[u8],
        now: Timestamp,
        work: impl FnOnce(&mut Self) -> Result<Value, Refusal>,
    ) -> Result<Response, Refusal> {
        let settings = self.settings.idempotency.clone();
        self.keys.forget(&settings, now);
        let Some(key) = &key.0 else {
            return Ok(json(work(self)?.to_string()));
        };
        let digest = HEXLOWER.encode(&Sha256::digest(body));
        if let Some(first) = self.keys.find(key) {
            if first.body != digest && settings.other_body == OtherBody::Refused {
                return Err(Refusal::bad_request("Idempotency-Key was used for another request"));
            }
            return Ok(match settings.repeat {
                Repeat::Replayed => json(first.answer.clone()),
                Repeat::Ignored => ().into_response(),
            });
        }
        let answer = work(self)?.to_string();
        self.keys.insert(First { key: key.clone(), at: now, body: digest, answer: answer.clone() });
        self.keys.forget(&settings, now);
        Ok(json(answer))
    }
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.order.iter().filter_map(|key| self.firsts.get(key)))
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut keys = Self::default();
        for first in Vec::<First>::deserialize(deserializer)? {
            keys.insert(first);
        }
        Ok(keys)
    }
}
