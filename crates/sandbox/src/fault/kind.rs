//! What can go wrong with a request or with a webhook, and how each is written in JSON.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bc::Contention;

/// What goes wrong. In JSON a kind without parameters is its name, `"drop_after"`; one with parameters is an object with
/// the name as its key, `{"late_commit": {"seconds": 540, "status": 504}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Answers without acting.
    Status {
        /// HTTP status.
        status: u16,
        /// JSON body, empty if absent.
        #[serde(default)]
        body: Option<Value>,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Answers without acting, with any headers and any text.
    Answer {
        /// HTTP status.
        status: u16,
        /// By name.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body as it is.
        #[serde(default)]
        text: String,
    },
    /// Answers without acting that another session has the row, in Business Central's words. Only on that side.
    Contention {
        /// What it says.
        form: Contention,
        /// 409, or 400.
        #[serde(default = "conflict")]
        status: u16,
    },
    /// Answers without acting: look there instead.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// `Location`.
        location: String,
    },
    /// Waits, then acts.
    Delay {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// Closes the connection without acting.
    DropBefore,
    /// Acts, then closes the connection without an answer.
    DropAfter,
    /// Answers now and acts when the sandbox's clock has moved on.
    LateCommit {
        /// How long after the request.
        seconds: u32,
        /// Answered now; the connection closes without an answer if absent.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Acts, and answers that it did not: an extension that commits and then fails.
    #[serde(rename = "commit_then_400")]
    CommitThen400 {
        /// The text of the error.
        #[serde(default = "dialog_text")]
        message: String,
    },
    /// Acts, announces the whole answer, sends the first part of it and closes the connection.
    TruncatedBody {
        /// Bytes that are sent; half of them if absent.
        #[serde(default)]
        keep: Option<usize>,
    },
    /// Acts on a whole batch, and answers only its first parts.
    PartOfBatch {
        /// Parts that are answered.
        keep: usize,
    },
    /// Acts and answers with the right status and a page of HTML.
    NotJson,
    /// Acts and answers with the right status and nothing else.
    EmptyBody,
    /// Acts and answers with the right status and a JSON text of this size, made while it is sent.
    HugeBody {
        /// Size of the body.
        bytes: u64,
    },
    /// Acts and sends the answer piece by piece.
    SlowDrip {
        /// Bytes of a piece.
        bytes: usize,
        /// Milliseconds of real time before each piece.
        every_ms: u64,
    },
    /// Acts and answers, and closes the connection when the next request on it arrives.
    StaleConnection,
    /// Takes back every token of that side, then acts on the request.
    RevokeToken,
    /// Moves the sandbox's clock, then acts.
    MoveClock {
        /// May be negative.
        seconds: i64,
    },
    /// Disturbs a webhook that this side sends, instead of a request that it gets.
    Webhook(WebhookFault),
}

/// What goes wrong with one attempt to deliver a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WebhookFault {
    /// It is never sent.
    Drop,
    /// It is sent twice, with the same id.
    Double,
    /// It is sent after all others that are due.
    Reorder,
    /// It is sent later.
    Late {
        /// By the sandbox's clock.
        seconds: u32,
    },
    /// It carries a signature, or for Business Central a client state, that nobody knows.
    Forge,
}

impl FaultKind {
    /// The name under which it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Answer { .. } => "answer",
            Self::Contention { .. } => "contention",
            Self::Redirect { .. } => "redirect",
            Self::Delay { .. } => "delay",
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::LateCommit { .. } => "late_commit",
            Self::CommitThen400 { .. } => "commit_then_400",
            Self::TruncatedBody { .. } => "truncated_body",
            Self::PartOfBatch { .. } => "part_of_batch",
            Self::NotJson => "not_json",
            Self::EmptyBody => "empty_body",
            Self::HugeBody { .. } => "huge_body",
            Self::SlowDrip { .. } => "slow_drip",
            Self::StaleConnection => "stale_connection",
            Self::RevokeToken => "revoke_token",
            Self::MoveClock { .. } => "move_clock",
            Self::Webhook(WebhookFault::Drop) => "webhook_drop",
            Self::Webhook(WebhookFault::Double) => "webhook_double",
            Self::Webhook(WebhookFault::Reorder) => "webhook_reorder",
            Self::Webhook(WebhookFault::Late { .. }) => "webhook_late",
            Self::Webhook(WebhookFault::Forge) => "webhook_forge",
        }
    }

    /// Why it cannot happen, if it cannot.
    pub(super) fn problem(&self) -> Option<String> {
        let status =
            |status: u16| (!(200..1_000).contains(&status)).then(|| format!("{status} is no HTTP status of an answer"));
        match self {
            Self::Status { status: code, .. } | Self::LateCommit { status: Some(code), .. } => status(*code),
            Self::Answer { status: code, headers, .. } => status(*code).or_else(|| {
                let bad = |(name, value): &(&String, &String)| {
                    HeaderName::try_from(*name).is_err() || HeaderValue::try_from(*value).is_err()
                };
                headers.iter().find(bad).map(|(name, _)| format!("{name} cannot be sent as a header"))
            }),
            Self::Contention { status, .. } => {
                (!matches!(status, 400 | 409)).then(|| "contention is answered with 409 or 400".to_owned())
            }
            Self::Redirect { status: code, location } => {
                if !matches!(code, 301 | 302 | 307 | 308) {
                    return Some("a redirect is 301, 302, 307 or 308".to_owned());
                }
                HeaderValue::try_from(location).err().map(|_| "location cannot be sent as a header".to_owned())
            }
            Self::SlowDrip { bytes: 0, .. } => Some("a piece has at least one byte".to_owned()),
            _ => None,
        }
    }
}

fn conflict() -> u16 {
    409
}

fn dialog_text() -> String {
    "The operation was stopped by an extension after it had been saved.".to_owned()
}
