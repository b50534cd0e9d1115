//! Receipts behind presigned links: good for 15 minutes, without a token, as on S3.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::records::Pairs;
use crate::world::World;

/// Stands in a kept record where the served one has a link to this sandbox.
pub(super) const PLACEHOLDER: &str = "https://receipts.invalid/";
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Makes the links of one answer.
#[derive(Debug)]
pub(super) struct Links<'a> {
    host: &'a str,
    signed_at: Timestamp,
    seed: u64,
}

impl<'a> Links<'a> {
    pub(super) fn new(world: &World, host: &'a str) -> Self {
        Self { host, signed_at: world.clock.now(), seed: world.options.seed }
    }

    /// The text with a fresh link in each receipt's place.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut parts = text.split(PLACEHOLDER);
        let mut signed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
            signed.push_str(&self.link(name));
            signed.push_str(rest);
        }
        signed
    }

    fn link(&self, name: &str) -> String {
        self.to("receipts", name, LIFETIME)
    }

    /// A link for one purpose, good for `lifetime`.
    pub(super) fn to(&self, purpose: &str, name: &str, lifetime: SignedDuration) -> String {
        let date = self.signed_at.as_second();
        format!(
            "http://{}/{purpose}/{name}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires={}\
             &X-Amz-SignedHeaders=host&X-Amz-Signature={}",
            self.host,
            lifetime.as_secs(),
            signature(self.seed, &format!("{purpose}/{name}"), date),
        )
    }
}

/// When a link was signed, if it was.
pub(super) fn signed_at(world: &World, purpose: &str, name: &str, pairs: &Pairs) -> Option<Timestamp> {
    let date = pairs.all("X-Amz-Date").next().and_then(|date| date.parse().ok())?;
    let genuine = signature(world.options.seed, &format!("{purpose}/{name}"), date);
    Timestamp::from_second(date).ok().filter(|_| pairs.all("X-Amz-Signature").next() == Some(genuine.as_str()))
}

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/receipts/{name}", get(download))
}

async fn download(
    State(world): State<Arc<World>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return refused(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one auth mechanism allowed");
    }
    let Path(name) = path.unwrap_or_else(|_| Path(String::new()));
    let Some(signed_at) = signed_at(&world, "receipts", &name, &Pairs::parse(query.as_deref())) else {
        return refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", "The signature does not match");
    };
    if world.clock.now().duration_since(signed_at) > LIFETIME {
        return refused(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    }
    ([(CONTENT_TYPE, "application/pdf")], pdf(&name)).into_response()
}

pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn signature(seed: u64, name: &str, date: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&seed.to_be_bytes()).expect("a key of any length fits");
    mac.update(format!("{name}.{date}").as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// A one-page document that names the receipt, with a correct cross-reference table.
fn pdf(name: &str) -> String {
    let label: String = name.chars().filter(|character| !"()\\".contains(*character)).collect();
    let content = format!("BT /F1 14 Tf 40 100 Td (Receipt {label}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 200] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (index, object) in objects.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = file.len();
    let _ = write!(
        file,
        "xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    file
}
