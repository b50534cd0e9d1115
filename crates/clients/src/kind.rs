//! The words in which a failed call is described: who, what, whether to repeat it, whether it may have been executed, and
//! what each HTTP status means in these words.

use reqwest::StatusCode;

/// The other side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// The Brex API.
    Brex,
    /// Microsoft Entra ID, which issues the tokens for Business Central.
    Entra,
    /// The Business Central API.
    BusinessCentral,
    /// Our own receivers, tried from outside.
    Own,
}

impl System {
    /// The name as it appears in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Brex => "brex",
            Self::Entra => "entra",
            Self::BusinessCentral => "business central",
            Self::Own => "our own address",
        }
    }

    /// The name as it appears in metrics: stable, and one word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Brex => "brex",
            Self::Entra => "entra",
            Self::BusinessCentral => "bc",
            Self::Own => "own",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request was never made: name resolution, connection, TLS, or an address that cannot be used.
    Unreachable,
    /// No complete answer in time, or the system answered that it gave up (408).
    TimedOut,
    /// The connection broke before an answer began.
    ConnectionLost,
    /// The system refused because of its limits (429).
    Throttled,
    /// The credential was refused (401).
    Unauthorized,
    /// The credential is valid but not allowed to do this (403, or Business Central's 400 for missing permissions).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// The request conflicts with the current state (409).
    Conflict,
    /// The request was refused for what it says (every other 4xx).
    Refused,
    /// The system failed (5xx).
    ServerError,
    /// An answer came that is truncated or does not have the expected form.
    Unreadable,
    /// The system pointed elsewhere (3xx); redirects are never followed.
    Redirected,
    /// The answer is larger than the limit.
    TooLarge,
    /// A write was asked of a read-only client; nothing was sent.
    ReadOnly,
    /// The caller's right to send was over when its turn came; nothing was sent.
    Withheld,
}

impl Kind {
    /// The name as it appears in metrics: stable, and one word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::ConnectionLost => "connection_lost",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::ServerError => "server_error",
            Self::Unreadable => "unreadable",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::ReadOnly => "read_only",
            Self::Withheld => "withheld",
        }
    }

    /// What happened, as the middle of a sentence.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Unreachable => "could not be reached",
            Self::TimedOut => "did not answer in time",
            Self::ConnectionLost => "closed the connection before answering",
            Self::Throttled => "limited the request rate",
            Self::Unauthorized => "refused the credential",
            Self::Forbidden => "does not permit this",
            Self::NotFound => "found nothing there",
            Self::Conflict => "reported a conflict",
            Self::Refused => "refused the request",
            Self::ServerError => "failed",
            Self::Unreadable => "gave an answer that cannot be read",
            Self::Redirected => "redirected the request, which is not followed",
            Self::TooLarge => "gave an answer over the size limit",
            Self::ReadOnly => "was not called because this client is read-only",
            Self::Withheld => "was not called because another process may be at work by now",
        }
    }
}

/// Whether repeating the same call can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: something has to change first.
    Never,
    /// Yes, after the caller's own backoff.
    Soon,
    /// Yes, but not before this many milliseconds have passed: the system said so.
    After(u64),
}

/// Whether the call may have changed something on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Surely not executed. Reads are always here.
    None,
    /// Perhaps executed: look before doing it again.
    Unknown,
}

/// Whether a call changes something on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Changes nothing.
    Read,
    /// May change something.
    Write,
}

/// Who was asked to do what: the part of an error that is known before the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) system: System,
    pub(crate) operation: &'static str,
    pub(crate) access: Access,
}

/// Kind, whether to retry, and the effect on a write, for a status outside 2xx.
pub(crate) fn classify(status: StatusCode) -> (Kind, bool, Effect) {
    match status.as_u16() {
        401 => (Kind::Unauthorized, false, Effect::None),
        403 => (Kind::Forbidden, false, Effect::None),
        404 => (Kind::NotFound, false, Effect::None),
        408 => (Kind::TimedOut, true, Effect::Unknown),
        409 => (Kind::Conflict, true, Effect::Unknown),
        429 => (Kind::Throttled, true, Effect::None),
        400..=499 => (Kind::Refused, false, Effect::None),
        501 => (Kind::ServerError, false, Effect::Unknown),
        500..=599 => (Kind::ServerError, true, Effect::Unknown),
        300..=399 => (Kind::Redirected, false, Effect::Unknown),
        _ => (Kind::Unreadable, true, Effect::Unknown),
    }
}
