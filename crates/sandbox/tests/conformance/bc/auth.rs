//! Logging in at Entra ID, and who Business Central lets in.

use crate::bc::caller::{Caller, answer, error};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::Value;

pub(crate) const SCOPE: &str = "https://api.businesscentral.dynamics.com/.default";

pub(crate) async fn token(caller: &Caller, tenant: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", caller.sandbox.ready().entra.base_url);
    answer(caller.client.post(url).form(form)).await
}

pub(crate) async fn login(caller: &Caller, change: (&str, &str)) -> (StatusCode, Value) {
    let entra = caller.sandbox.ready().entra.clone();
    let (tenant, client) = (entra.tenant_id.to_string(), entra.client_id.to_string());
    let pick = |name: &str, value: &str| if change.0 == name { change.1.to_owned() } else { value.to_owned() };
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", pick("client_id", &client)),
        ("client_secret", pick("client_secret", &entra.client_secret)),
        ("scope", pick("scope", SCOPE)),
    ];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    token(caller, &pick("tenant", &tenant), &form).await
}

#[tokio::test]
async fn client_credentials_give_a_token_that_opens_business_central() {
    let caller = Caller::start().await;
    let (status, body) = login(&caller, ("", "")).await;
    assert_eq!(status, 200);
    assert_eq!(body["token_type"], "Bearer");
    let url = format!("{}/companies", caller.service());
    let request = caller.client.request(Method::GET, url).bearer_auth(body["access_token"].as_str().unwrap());
    assert_eq!(answer(request).await.0, 200);
}

#[tokio::test]
async fn each_login_error_has_its_own_code() {
    let caller = Caller::start().await;
    let cases = [
        (("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (("tenant", "00000000-0000-0000-0000-00000000ffff"), 400, "invalid_request", 90002),
        (("client_id", "00000000-0000-0000-0000-00000000ffff"), 400, "unauthorized_client", 700_016),
        (("scope", "https://api.businesscentral.dynamics.com/user_impersonation"), 400, "invalid_scope", 70011),
        (("client_secret", ""), 400, "invalid_request", 900_144),
    ];
    for (change, status, error, code) in cases {
        let (found, body) = login(&caller, change).await;
        assert_eq!(found, status, "{change:?}");
        assert_eq!(body["error"], error, "{change:?}");
        assert_eq!(body["error_codes"][0], code, "{change:?}");
        assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
    }
    caller.sandbox.world().entra.configure(|settings| settings.secret_expired = true);
    let (status, body) = login(&caller, ("", "")).await;
    assert_eq!((status.as_u16(), &body["error_codes"][0]), (401, &7_000_222.into()));
}

#[tokio::test]
async fn the_tenant_can_be_named_by_its_domain() {
    let caller = Caller::start().await;
    assert_eq!(login(&caller, ("tenant", "northwindsupply.onmicrosoft.com")).await.0, 200);
}

#[tokio::test]
async fn a_wrong_or_expired_token_is_rejected() {
    let caller = Caller::start().await;
    let url = format!("{}/companies", caller.service());
    let (status, body) = answer(caller.client.get(&url).bearer_auth("nonsense")).await;
    assert_eq!(status, 401);
    let message = "The server has rejected the client credentials.".to_owned();
    assert_eq!(error(&body), ("Authentication_InvalidCredentials".to_owned(), message));
    assert_eq!(answer(caller.client.get(&url)).await.0, 401);
    caller.sandbox.world().clock.advance(SignedDuration::from_mins(91));
    assert_eq!(answer(caller.request(Method::GET, &url)).await.0, 401);
}

#[tokio::test]
async fn an_unknown_environment_is_not_found() {
    let caller = Caller::start().await;
    let url = caller.service().replace("/Production/", "/Nowhere/");
    let (status, body) = answer(caller.request(Method::GET, &format!("{url}/companies"))).await;
    assert_eq!(status, 404);
    assert_eq!(body["error"]["code"], "NoEnvironment");
    assert_eq!(body["error"]["message"], "Environment does not exist.");
}

#[tokio::test]
async fn the_tenant_may_be_left_out_of_the_path() {
    let caller = Caller::start().await;
    let url = format!("{}/v2.0/Production/api/v2.0/companies", caller.sandbox.ready().bc.base_url);
    let (status, body) = answer(caller.request(Method::GET, &url)).await;
    assert_eq!(status, 200);
    assert_eq!(body["value"][0]["name"], "Northwind Supply, Inc.");
}

#[tokio::test]
async fn the_ready_line_has_exactly_the_agreed_keys() {
    let caller = Caller::start().await;
    let line = serde_json::to_value(caller.sandbox.ready()).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&line), ["brex", "entra", "bc", "control"]);
    assert_eq!(keys(&line["brex"]), ["base_url", "token", "company_id", "webhook_secret"]);
    assert_eq!(keys(&line["entra"]), ["base_url", "tenant_id", "client_id", "client_secret"]);
    assert_eq!(keys(&line["bc"]), ["base_url", "environment", "company_id", "company_name"]);
    assert_eq!(keys(&line["control"]), ["base_url"]);
}
