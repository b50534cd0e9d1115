//! Card expenses: what is asked for, page by page and one by one.

use clients::Kind;
use clients::brex::ExpensesQuery;

use crate::server::{Seen, Server, json};

#[tokio::test]
async fn card_expenses_are_walked_through_with_their_coding_from_an_instant() {
    let server = Server::start(|place, _| {
        let next = if place == 0 { "\"expense_1\"" } else { "null" };
        json(200, &format!(r#"{{"items":[{{"id":"expense_{place}"}}],"next_cursor":{next}}}"#))
    })
    .await;
    let updated_after = Some("2026-06-01T00:00:00Z".parse().unwrap());
    let query = ExpensesQuery { statuses: vec!["APPROVED", "SETTLED"], updated_after };
    let mut pages = server.brex().expenses(query);
    let mut seen = Vec::new();
    while let Some(items) = pages.next_page().await.unwrap() {
        seen.extend(items.iter().map(|item| item.get().to_owned()));
    }
    assert_eq!(seen, [r#"{"id":"expense_0"}"#, r#"{"id":"expense_1"}"#]);
    let [first, second]: [Seen; 2] = server.seen().try_into().unwrap();
    let asked = "load_custom_fields=true&expand%5B%5D=merchant&expand%5B%5D=user&expense_type%5B%5D=CARD&status%5B%5D=APPROVED\
                 &status%5B%5D=SETTLED&updated_at_start=2026-06-01T00%3A00%3A00Z&limit=100";
    assert_eq!((first.uri.path(), first.uri.query()), ("/v1/expenses", Some(asked)));
    assert_eq!(second.option("cursor").as_deref(), Some("expense_1"));
    let server = Server::start(|_, _| json(200, r#"{"items":[],"next_cursor":"a"}"#)).await;
    let mut pages = server.brex().expenses(ExpensesQuery::default());
    pages.next_page().await.unwrap();
    assert_eq!(pages.next_page().await.unwrap_err().kind(), Kind::Unreadable, "a list that repeats itself has no end");
}

#[tokio::test]
async fn expenses_by_id_are_asked_for_one_by_one_and_an_unknown_one_is_missing() {
    let server = Server::start(|_, seen| match seen.uri.path() {
        "/v1/expenses/expense_b" => json(404, r#"{"type":"NOT_FOUND","message":"Not Found"}"#),
        path => json(200, &format!(r#"{{"id":"{}"}}"#, path.trim_start_matches("/v1/expenses/"))),
    })
    .await;
    let found = server.brex().list_expenses_by_ids(&["expense_a", "expense_b", "expense_c"]).await.unwrap();
    let ids: Vec<&str> = found.items.iter().map(|item| item.get()).collect();
    assert_eq!(
        (ids, found.missing),
        (vec![r#"{"id":"expense_a"}"#, r#"{"id":"expense_c"}"#], vec!["expense_b".to_owned()])
    );
    assert_eq!(server.brex().list_expense_receipts("expense_b").await.unwrap(), None);
}
