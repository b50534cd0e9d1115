//! The Team API.

use serde_json::{Value, json};

use super::caller::Caller;

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

#[tokio::test]
async fn departments_and_locations_are_made_once_per_key_and_found_by_name() {
    let caller = Caller::start().await;
    for path in ["/v2/departments", "/v2/locations"] {
        let before = items(&caller.get(path).await.1).len();
        let ask = |key: &'static str, body: Value| {
            caller.send(caller.request("POST", path).header("Idempotency-Key", key).json(&body))
        };
        let (status, made) = ask("a", json!({ "name": "North", "description": "cold" })).await;
        assert_eq!((status, &made["description"]), (200, &json!("cold")));
        assert_eq!(ask("a", json!({ "name": "North" })).await.1, made);
        for bad in [json!({}), json!({ "name": "" }), json!({ "name": 1 }), json!({ "name": "Zürich" }), json!([])] {
            assert_eq!(ask("b", bad.clone()).await.0, 400, "{bad}");
        }
        assert_eq!(items(&caller.get(path).await.1).len(), before + 1);
        assert_eq!(items(&caller.get(&format!("{path}?name=North")).await.1), std::slice::from_ref(&made));
        assert_eq!(caller.get(&format!("{path}/{}", made["id"].as_str().unwrap())).await, (200, made));
        assert_eq!(caller.get(&format!("{path}/x")).await.0, 404);
        let (_, page) = caller.get(&format!("{path}?limit=1")).await;
        let (_, next) = caller.get(&format!("{path}?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).await;
        assert_ne!(page["items"], next["items"]);
        assert_eq!(caller.get(&format!("{path}?limit=1001")).await.0, 400);
        for method in ["PUT", "DELETE"] {
            assert_eq!(caller.send(caller.request(method, &format!("{path}/x"))).await.0, 404);
        }
    }
}

#[tokio::test]
async fn there_are_several_legal_entities_in_camel_case_and_expenses_name_the_default_one() {
    let caller = Caller::start().await;
    let (_, page) = caller.get("/v2/legal_entities").await;
    let defaults: Vec<&Value> = items(&page).iter().filter(|entity| entity["isDefault"] == true).collect();
    assert!(items(&page).len() > 1 && defaults.len() == 1, "{page}");
    let id = defaults[0]["id"].as_str().unwrap();
    assert_eq!(caller.get(&format!("/v2/legal_entities/{id}")).await.1, *defaults[0]);
    assert_eq!(caller.get("/v2/legal_entities/cuent_x").await.0, 404);
    let (_, expenses) = caller.get("/v1/expenses").await;
    for expense in items(&expenses) {
        assert_eq!(expense["spending_entity_id"], id);
        assert_eq!(expense["spending_entity"]["display_name"], defaults[0]["displayName"]);
    }
}

#[tokio::test]
async fn users_are_those_of_the_records_and_found_by_email_and_remote_id() {
    let caller = Caller::start().await;
    let mut seen = 0;
    for report in caller.world().brex.records() {
        let Some(id) = report.record["user"]["id"].as_str() else { continue };
        seen += 1;
        let (status, user) = caller.get(&format!("/v2/users/{id}")).await;
        assert_eq!(status, 200);
        // The names in records have spaces behind them, as the recorded ones do.
        for key in ["id", "email", "first_name", "last_name", "department_id"] {
            assert_eq!(user[key].as_str(), report.record["user"][key].as_str().map(str::trim), "{key}");
        }
        let department = user["department_id"].as_str().unwrap();
        let (_, department) = caller.get(&format!("/v2/departments/{department}")).await;
        assert_eq!(department["name"], report.record["user"]["department_name"]);
        for key in ["email", "remote_display_id"] {
            let (_, page) = caller.get(&format!("/v2/users?{key}={}", user[key].as_str().unwrap())).await;
            assert_eq!(items(&page), std::slice::from_ref(&user));
        }
    }
    assert!(seen > 0);
    let (_, me) = caller.get("/v2/users/me").await;
    assert_eq!(caller.get(&format!("/v2/users/{}", me["id"].as_str().unwrap())).await.1, me);
    let unknown = json!({ "type": "NOT_FOUND", "message": "Not Found", "code": "USER_NOT_FOUND" });
    assert_eq!(caller.get("/v2/users/cuuser_x").await, (404, unknown));
    assert_eq!(caller.get("/v2/users?expand[]=limit").await.0, 200);
    assert_eq!(caller.get("/v2/users?expand[]=cards").await.0, 400);
}

#[tokio::test]
async fn each_part_of_the_team_needs_its_own_scope() {
    let caller = Caller::start().await;
    for name in ["departments", "locations", "legal_entities", "users"] {
        let path = format!("/v2/{name}");
        caller.world().brex.set_scopes(&["openid"]);
        assert_eq!(caller.get(&path).await.0, 403, "{name}");
        caller.world().brex.set_scopes(&[&format!("{name}.readonly")]);
        assert_eq!(caller.get(&path).await.0, 200, "{name}");
        if ["departments", "locations"].contains(&name) {
            assert_eq!(caller.post(&path, &json!({ "name": "North" })).await.0, 403, "{name}");
        }
    }
}
