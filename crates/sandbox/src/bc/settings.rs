//! What can be switched where the real behaviour is not known or differs between tenants.

use serde::{Deserialize, Serialize};

use super::error::Refusal;
use super::language;
use super::latency::Latency;
use super::permissions::Lacks;

/// The switches of Business Central. The defaults are the recorded, the strict or the odd ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "switches of independent points")]
pub struct Settings {
    /// The app's card on the page "Microsoft Entra applications".
    pub app_state: AppState,
    /// Whether the environment is being upgraded: its APIs answer 503, and the admin centre says so.
    pub upgrading: bool,
    /// Whether reads with `Data-Access-Intent: ReadOnly` miss the last write.
    pub replica_lags: bool,
    /// What the permission sets on that card do not give.
    pub lacks: Lacks,
    /// Status of a missing permission: 400, or 401 or 403.
    pub permission_status: u16,
    /// Status of `BadRequest_MethodNotAllowed`: 405 or 400.
    pub method_not_allowed_status: u16,
    /// Status of `Internal_EntityWithSameKeyExists`: 400 or 409.
    pub same_key_status: u16,
    /// Status of `Internal_RecordNotFound`: 404 or 400.
    pub record_not_found_status: u16,
    /// What becomes of an `id` that is sent with a new document, line or vendor.
    pub client_id: ClientId,
    /// How the blank member of an enum may be written in a body.
    pub blank_enum: BlankEnum,
    /// Whether the totals in the answer to a deep insert include the lines.
    pub deep_insert_totals: bool,
    /// Whether dimension errors at posting name the document and the line first.
    pub dimension_context: bool,
    /// Status of `Internal_DataNotFoundFilter`: 404 or 400.
    pub data_not_found_status: u16,
    /// What a well-formed key without a row is answered with.
    pub missing_row: MissingRow,
    /// Whether filters understand `not`.
    pub negation: bool,
    /// Whether a `$skiptoken` is stale as soon as its row is gone, even without an order.
    pub strict_skip_token: bool,
    /// The language of the app's user: that of errors without `Accept-Language`.
    pub user_language: String,
    /// How the platform limits and paces requests.
    pub limits: LimitSettings,
    /// How long requests take.
    pub latency: Latency,
    /// Whether a batch counts as its parts, or as one request.
    pub batch_counts_parts: bool,
    /// How notifications are sent.
    pub webhooks: WebhookSettings,
}

/// How far the app is set up in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// State = Enabled.
    Enabled,
    /// State = Disabled.
    Disabled,
    /// There is no card, or consent was never given.
    Missing,
}

impl AppState {
    pub(crate) fn is_enabled(self) -> bool {
        self == Self::Enabled
    }
}

/// The answer to a well-formed key without a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRow {
    /// `BadRequest_ResourceNotFound`
    ResourceNotFound,
    /// `Internal_RecordNotFound`
    RecordNotFound,
}

/// What becomes of an `id` in a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientId {
    /// As a read-only control.
    Refused,
    /// The row gets another one.
    Ignored,
    /// The row gets it.
    Stored,
}

/// How the blank member of an enum may be written in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankEnum {
    /// Either way.
    Both,
    /// `_x0020_`
    Escaped,
    /// One space.
    Readable,
}

/// Rates, queues and durations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Requests in any window.
    pub requests_per_window: usize,
    /// Length of the window.
    pub window_seconds: i64,
    /// Requests that are worked on at once.
    pub at_once: usize,
    /// Requests that may wait.
    pub waiting: usize,
    /// Requests that are worked on or wait.
    pub connections: usize,
    /// How long one may wait, in real time, before 503.
    pub longest_wait_ms: u64,
    /// `Retry-After` on a 429; not documented.
    pub retry_after_seconds: Option<u64>,
    /// `Retry-After` on a 503.
    pub unavailable_retry_after_seconds: Option<u64>,
    /// The largest request body.
    pub body_bytes: u64,
    /// The longest URL; the real limit is not published.
    pub url_bytes: usize,
    /// How long one operation may take before it is cancelled with 408.
    pub operation_ms: u64,
    /// How long the gateway waits before it answers 504.
    pub gateway_ms: u64,
}

/// Subscriptions and what they send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// The method of the handshake.
    pub handshake_method: HandshakeMethod,
    /// How long the receiver may take for the handshake.
    pub handshake_timeout_ms: u64,
    /// Wait after the first change.
    pub delay_seconds: i64,
    /// More pending notifications of one subscription than this become one `collection`.
    pub collection_threshold: usize,
    /// When refused notifications come again.
    pub retries: RetrySchedule,
    /// Life of a subscription.
    pub expiry_hours: i64,
    /// Subscriptions of the environment.
    pub maximum: usize,
    /// Whether the same URL may subscribe to the same resource twice.
    pub duplicates_allowed: bool,
    /// Whether DELETE needs `If-Match`.
    pub delete_needs_if_match: bool,
    /// What goes wrong on the way.
    pub disorder: Disorder,
}

/// What goes wrong with notifications on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disorder {
    /// Nothing.
    None,
    /// Each payload goes out twice, as after a lost answer.
    Twice,
    /// The entries of a payload come in reverse order.
    Reversed,
}

/// The method of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HandshakeMethod {
    /// As observed by a user.
    Post,
    /// As often assumed.
    Get,
}

/// When refused notifications come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrySchedule {
    /// 60, 60, 600, 6,000 and 60,000 seconds, as in the AL source: about 18.5 hours.
    Source,
    /// The same with one more wait of 60,000 seconds, for the 36 hours of the documentation.
    Documentation,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_state: AppState::Enabled,
            upgrading: false,
            replica_lags: false,
            lacks: Lacks::default(),
            permission_status: 400,
            method_not_allowed_status: 405,
            same_key_status: 400,
            record_not_found_status: 404,
            client_id: ClientId::Refused,
            blank_enum: BlankEnum::Both,
            deep_insert_totals: true,
            dimension_context: false,
            data_not_found_status: 404,
            missing_row: MissingRow::ResourceNotFound,
            negation: false,
            strict_skip_token: false,
            user_language: "en-US".to_owned(),
            limits: LimitSettings::default(),
            latency: Latency::default(),
            batch_counts_parts: true,
            webhooks: WebhookSettings::default(),
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests_per_window: 6_000,
            window_seconds: 300,
            at_once: 5,
            waiting: 95,
            connections: 100,
            longest_wait_ms: 480_000,
            retry_after_seconds: None,
            unavailable_retry_after_seconds: Some(30),
            body_bytes: 350 * 1024 * 1024,
            url_bytes: 8 * 1024,
            operation_ms: 480_000,
            gateway_ms: 600_000,
        }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            handshake_method: HandshakeMethod::Post,
            handshake_timeout_ms: 5_000,
            delay_seconds: 30,
            collection_threshold: 1_000,
            retries: RetrySchedule::Source,
            expiry_hours: 72,
            maximum: 200,
            duplicates_allowed: true,
            delete_needs_if_match: true,
            disorder: Disorder::None,
        }
    }
}

impl Settings {
    /// The refusal with the status that is switched on for its code, in the language that was asked for.
    pub(crate) fn adapt(&self, mut refusal: Refusal, accepted: Option<&str>) -> Refusal {
        if refusal.missing_row && self.missing_row == MissingRow::RecordNotFound {
            refusal.code = "Internal_RecordNotFound";
            "The record does not exist.".clone_into(&mut refusal.message);
        }
        if !language::is_english(accepted, &self.user_language) {
            refusal.translate();
        }
        let status = match refusal.code {
            _ if refusal.missing_permission => self.permission_status,
            "BadRequest_MethodNotAllowed" => self.method_not_allowed_status,
            "Internal_EntityWithSameKeyExists" => self.same_key_status,
            "Internal_RecordNotFound" => self.record_not_found_status,
            "Internal_DataNotFoundFilter" => self.data_not_found_status,
            _ => return refusal,
        };
        // Anything but an error status is a slip of whoever set it.
        if let (true, Ok(status)) = ((400..600).contains(&status), axum::http::StatusCode::from_u16(status)) {
            refusal.status = status;
        }
        refusal
    }
}
