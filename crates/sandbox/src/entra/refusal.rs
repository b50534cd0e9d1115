//! AADSTS errors: codes, statuses and texts in one place, and the body they come in.

use std::fmt::Write as _;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::door::escaped;
use super::settings::Description;
use crate::ids::Ids;

const ASSERTION_PAGE: &str =
    "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";

/// A login that is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self { status, error, code, text: text.into() }
    }

    fn request(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, text)
    }

    fn client(code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", code, text)
    }

    pub(super) fn tenant(error: &'static str, tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        Self::request(error, 90002, text)
    }

    pub(super) fn missing(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::request("invalid_request", 900_144, text)
    }

    pub(super) fn no_credential() -> Self {
        Self::client(
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )
    }

    pub(super) fn grant(grant: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        Self::request("unsupported_grant_type", 70003, text)
    }

    pub(super) fn app(client_id: &str, directory: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        );
        Self::request("unauthorized_client", 700_016, text)
    }

    pub(super) fn secret(client_id: Uuid) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
        );
        Self::client(7_000_215, text)
    }

    pub(super) fn expired(client_id: Uuid) -> Self {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
        );
        Self::client(7_000_222, text)
    }

    pub(super) fn scope(scope: &str) -> Self {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        Self::request("invalid_scope", 70011, text)
    }

    pub(super) fn not_default(scope: &str) -> Self {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Self::request("invalid_scope", 1_002_012, text)
    }

    pub(super) fn resource(resource: &str, directory: &str) -> Self {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {directory}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
        );
        Self::request("invalid_resource", 500_011, text)
    }

    pub(super) fn malformed() -> Self {
        Self::request("invalid_request", 50027, "JWT token is invalid or malformed.")
    }

    /// No certificate of the app has this thumbprint.
    pub(super) fn unknown_key(thumbprint: Option<&str>, client_id: Uuid) -> Self {
        let used = thumbprint.map(|used| format!("Thumbprint of key used by client: '{used}', ")).unwrap_or_default();
        let text = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., {used}{}",
            configured_keys(client_id)
        );
        Self::client(700_027, text)
    }

    /// A certificate that is registered, but does not do.
    pub(super) fn bad_key(reason: &str, thumbprint: &str, (start, end): (Timestamp, Timestamp), app: Uuid) -> Self {
        let day = |moment: Timestamp| moment.strftime("%m/%d/%Y %H:%M:%S");
        let text = format!(
            "Client assertion failed signature validation. [Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', Found key 'Start={}, End={}', {}",
            day(start),
            day(end),
            configured_keys(app)
        );
        Self::client(700_027, text)
    }

    pub(super) fn not_in_time(now: Timestamp, from: Timestamp, until: Timestamp) -> Self {
        let exact = |moment: Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%S%.7fZ");
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. {ASSERTION_PAGE}",
            exact(now),
            exact(from),
            exact(until)
        );
        Self::client(700_024, text)
    }

    pub(super) fn audience() -> Self {
        let text = format!("Client assertion audience claim does not match Realm issuer. {ASSERTION_PAGE}");
        Self::client(700_023, text)
    }

    pub(super) fn subject() -> Self {
        let text =
            format!("Client assertion application identifier doesn't match 'client_id' parameter. {ASSERTION_PAGE}");
        Self::client(700_021, text)
    }

    pub(super) fn redirect(redirect: &str) -> Self {
        let text = format!(
            "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error."
        );
        Self::request("invalid_request", 50011, text)
    }

    pub(super) fn response_type() -> Self {
        Self::request(
            "unsupported_response_type",
            700_054,
            "response_type 'id_token' is not enabled for the application.",
        )
    }

    pub(super) fn no_openid() -> Self {
        Self::request("invalid_request", 90_014, "The required field 'scope' is missing the value 'openid'.")
    }

    pub(super) fn challenge_method() -> Self {
        Self::request("invalid_request", 501_491, "Invalid size of Code_Challenge parameter.")
    }

    pub(super) fn bad_code() -> Self {
        Self::request("invalid_grant", 9_002_313, "Invalid request. Request is malformed or invalid.")
    }

    pub(super) fn redeemed() -> Self {
        Self::request(
            "invalid_grant",
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        )
    }

    pub(super) fn old_code() -> Self {
        Self::request(
            "invalid_grant",
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        )
    }

    pub(super) fn other_redirect(sent: &str, asked: &str) -> Self {
        let text = format!(
            "The reply address '{sent}' does not match the reply address '{asked}' provided when requesting Authorization code."
        );
        Self::request("invalid_client", 500_112, text)
    }

    pub(super) fn verifier() -> Self {
        Self::request(
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )
    }

    /// The page that a browser sees.
    pub(super) fn page(&self) -> Response {
        let text = format!("AADSTS{}: {}", self.code, escaped(&self.text));
        let page = format!(
            "<!doctype html><title>Sign in to your account</title><h1>Sorry, but we’re having trouble signing you in.</h1><p>{text}</p>"
        );
        (StatusCode::BAD_REQUEST, Html(page)).into_response()
    }

    pub(super) fn answer(&self, description: Description, ids: &Ids, now: Timestamp) -> Response {
        let (trace, correlation) = (ids.guid(), ids.guid());
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let between = match description {
            Description::Spaces => " ",
            Description::Lines => "\r\n",
        };
        let mut text = format!("AADSTS{}: {}", self.code, self.text);
        for (name, value) in [
            ("Trace ID", trace.to_string()),
            ("Correlation ID", correlation.to_string()),
            ("Timestamp", timestamp.clone()),
        ] {
            // Writing to a string cannot fail.
            let _ = write!(text, "{between}{name}: {value}");
        }
        let body = json!({
            "error": self.error,
            "error_description": text,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        (self.status, Json(body)).into_response()
    }
}

fn configured_keys(client_id: Uuid) -> String {
    format!(
        "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{client_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{client_id}']."
    )
}
