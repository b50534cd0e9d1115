//! API groups, lists of environments, and companies.

use crate::bc::caller::{Caller, answer, error};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn each_api_group_has_its_own_sets_and_context() {
    let caller = Caller::start().await;
    let company = caller.sandbox.ready().bc.company_id;
    let runtime = caller.service().replace("/api/v2.0", "/api/microsoft/runtime/beta");
    let url = format!("{runtime}/companies({company})/webhookSupportedResources?$filter=resource eq 'v2.0*'");
    let (status, body) = answer(caller.request(Method::GET, &url)).await;
    assert_eq!(status, 200, "{body}");
    let context = body["@odata.context"].as_str().unwrap();
    assert_eq!(context, format!("{runtime}/$metadata#companies({company})/webhookSupportedResources"));
    let rows = body["value"].as_array().unwrap();
    assert!(rows.contains(&json!({"resource": "v2.0/purchaseInvoices"})), "{body}");
    assert!(!rows.contains(&json!({"resource": "v2.0/purchaseInvoiceLines"})), "{body}");
    assert_eq!(caller.get("webhookSupportedResources").await.0, 404);
    let vendors = format!("{runtime}/companies({company})/vendors");
    let (status, body) = answer(caller.request(Method::GET, &vendors)).await;
    assert_eq!((status.as_u16(), error(&body).0.as_str()), (404, "BadRequest_ResourceNotFound"));
}

#[tokio::test]
async fn the_companies_are_there_in_every_group() {
    let caller = Caller::start().await;
    for group in ["microsoft/reportsFinance/beta", "microsoft/runtime/beta", "microsoft/automation/v2.0"] {
        let service = caller.service().replace("/api/v2.0", &format!("/api/{group}"));
        let (status, body) = answer(caller.request(Method::GET, &format!("{service}/companies"))).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["@odata.context"], format!("{service}/$metadata#companies"));
    }
}

#[tokio::test]
async fn a_group_that_nobody_published_is_no_resource() {
    let caller = Caller::start().await;
    for group in ["contoso/app/v1.0", "v3.0", "microsoft/runtime", "microsoft/reportsFinance/v1.0"] {
        let url = format!("{}/companies", caller.service().replace("/api/v2.0", &format!("/api/{group}")));
        let (status, body) = answer(caller.request(Method::GET, &url)).await;
        let text = format!("No HTTP resource was found that matches the request URI '{url}'.");
        assert_eq!((status.as_u16(), error(&body)), (404, ("BadRequest_NotFound".to_owned(), text)));
    }
}

#[tokio::test]
async fn the_list_of_environments_names_the_only_one() {
    let caller = Caller::start().await;
    let ready = caller.sandbox.ready().clone();
    let url = format!("{}/environments/v1.2", ready.bc.base_url);
    let (status, body) = answer(caller.request(Method::GET, &url)).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["value"][0],
        json!({
            "aadTenantId": ready.entra.tenant_id, "applicationFamily": "BusinessCentral", "type": "Production",
            "name": "Production", "countryCode": "US", "webServiceUrl": ready.bc.base_url,
            "webClientLoginUrl": format!("{}/{}/Production", ready.bc.base_url, ready.entra.tenant_id),
            "ringName": "Production",
        })
    );
    assert_eq!(answer(caller.client.get(&url)).await.0, 401);
}

#[tokio::test]
async fn the_admin_centre_adds_status_and_version() {
    let caller = Caller::start().await;
    let url = format!("{}/admin/v2.24/applications/environments", caller.sandbox.ready().bc.base_url);
    let (status, body) = answer(caller.request(Method::GET, &url)).await;
    assert_eq!(status, 200);
    assert_eq!(body["value"][0]["status"], "Active");
    assert_eq!(body["value"][0]["versionDetails"]["version"], "28.0.41000.0");
    let (status, body) = answer(caller.client.get(&url)).await;
    assert_eq!((status.as_u16(), &body["code"]), (401, &json!("Unauthorized")));
    assert!(body.get("error").is_none() && body.get("extensionData").is_some(), "{body}");
}

#[tokio::test]
async fn companies_are_read_only() {
    let caller = Caller::start().await;
    let url = format!("{}/companies", caller.service());
    let (_, body) = answer(caller.request(Method::GET, &url)).await;
    let keys: Vec<&String> = body["value"][0].as_object().unwrap().keys().collect();
    let wanted = "id systemVersion timestamp name displayName businessProfileId systemCreatedAt systemCreatedBy systemModifiedAt systemModifiedBy";
    assert_eq!(keys, wanted.split(' ').collect::<Vec<_>>());
    let (status, body) = answer(caller.request(Method::POST, &url).json(&json!({"name": "New"}))).await;
    let text = "'POST' requests for 'companies' of EdmType 'Entity' are not allowed within Microsoft Dynamics 365 Business Central OData web services.";
    assert_eq!((status.as_u16(), error(&body)), (405, ("BadRequest_MethodNotAllowed".to_owned(), text.to_owned())));
    caller.sandbox.world().bc.configure(|settings| settings.method_not_allowed_status = 400);
    assert_eq!(answer(caller.request(Method::POST, &url).json(&json!({"name": "New"}))).await.0, 400);
}
