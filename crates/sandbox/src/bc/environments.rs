//! Lists of environments: `/environments/v1.2`, and the admin centre's list.

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{ENVIRONMENT, auth};
use crate::world::World;

/// The answer, if the path is one of a list of environments.
pub(super) fn answer(world: &World, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    let version = path.strip_prefix("/admin/").and_then(|rest| rest.strip_suffix("/applications/environments"));
    let admin = version.is_some_and(|version| version.starts_with("v2.") && !version.contains('/'));
    if !admin && path != "/environments/v1.2" {
        return None;
    }
    if auth::bearer(world, headers).is_err() {
        let refused = |code: &str, message: &str| json!({"code": code, "message": message, "target": null, "extensionData": null, "clientError": []});
        let text = "The server has rejected the client credentials.";
        let body = if admin {
            refused("Unauthorized", text)
        } else {
            super::error::Refusal::not_logged_in().body(world.bc.ids.guid())
        };
        return Some((StatusCode::UNAUTHORIZED, Json(body)).into_response());
    }
    if method != Method::GET {
        return Some(StatusCode::METHOD_NOT_ALLOWED.into_response());
    }
    Some(Json(json!({"value": [environment(world, headers, admin)]})).into_response())
}

fn environment(world: &World, headers: &HeaderMap, admin: bool) -> Value {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let tenant = world.entra.tenant_id();
    let mut environment = json!({
        "aadTenantId": tenant,
        "applicationFamily": "BusinessCentral",
        "type": "Production",
        "name": ENVIRONMENT,
        "countryCode": "US",
        "webServiceUrl": format!("http://{host}"),
        "webClientLoginUrl": format!("http://{host}/{tenant}/{ENVIRONMENT}"),
        "ringName": "Production",
    });
    if admin {
        environment["friendlyName"] = ENVIRONMENT.into();
        environment["status"] = if world.bc.settings().upgrading { "Upgrading" } else { "Active" }.into();
        environment["locationName"] = "East US".into();
        environment["geoName"] = "United States".into();
        environment["versionDetails"] = json!({
            "version": super::VERSION,
            "gracePeriodStartDate": "2026-12-01T00:00:00Z",
            "enforcedUpdatePeriodStartDate": "2027-01-01T00:00:00Z",
        });
    }
    environment
}
