//! The sandbox's Business Central, asked anything: it answers each path and query with rows or with a refusal of its own, never with a
//! fault, and the same twice.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, Uri};
use futures::FutureExt as _;
use sandbox::{Options, World, routers};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::parts::Parts;

thread_local! {
    static SIDE: Side = Side::start();
}

struct Side {
    runtime: Runtime,
    bc: axum::Router,
    token: String,
    company: String,
}

/// A path below the company, a line feed, and a query.
pub fn sandbox_odata(data: &[u8]) {
    let mut parts = Parts::new(data);
    let (path, query) = (parts.text(), String::from_utf8_lossy(parts.rest()).into_owned());
    SIDE.with(|side| {
        let target = format!("{}/{path}?{query}", side.company);
        // Whatever is no address does not get as far as this.
        let Ok(uri) = target.parse::<Uri>() else { return };
        let (status, body) = side.get(uri.clone());
        assert!(status.as_u16() < 500 || status == StatusCode::NOT_IMPLEMENTED, "{status} for {target}: {body}");
        if status.is_success() && path.starts_with("vendors") && !path.contains(['/', '(', '%']) {
            assert!(body["value"].is_array(), "{body}");
            assert_eq!(side.get(uri), (status, body), "{target}");
        }
    });
}

impl Side {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = Options {
            records: 3,
            vendors: 12,
            start: Some("2026-03-02T10:00:00Z".parse().expect("a moment")),
            bc_limits: false,
            ..Options::default()
        };
        let world: Arc<World> = runtime.block_on(async { World::open(options) }).expect("a world");
        let sides = routers(&world);
        let (entra, bc) = (&sides.ready.entra, &sides.ready.bc);
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fapi.businesscentral.dynamics.com%2F.default",
            entra.client_id,
            url::form_urlencoded::byte_serialize(entra.client_secret.as_bytes()).collect::<String>(),
        );
        let request = Request::post(format!("/{}/oauth2/v2.0/token", entra.tenant_id))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .expect("a request");
        let (status, answer) = runtime.block_on(answered(sides.entra.clone(), request));
        assert_eq!(status, StatusCode::OK, "{answer}");
        let token = answer["access_token"].as_str().expect("a token").to_owned();
        let company = format!("/v2.0/{}/{}/api/v2.0/companies({})", entra.tenant_id, bc.environment, bc.company_id);
        Self { runtime, bc: sides.bc.clone(), token, company }
    }

    fn get(&self, uri: Uri) -> (StatusCode, Value) {
        let request = Request::get(uri)
            .header("host", "bc.sandbox.invalid")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .expect("a request");
        self.runtime.block_on(answered(self.bc.clone(), request))
    }
}

async fn answered(router: axum::Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.oneshot(request).map(|answer| answer.unwrap_or_else(|never| match never {})).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
