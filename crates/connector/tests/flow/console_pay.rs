//! Paying open invoices on the page: planned, ordered, approved by another, and declined.

use domain::access::Role;
use reqwest::StatusCode;
use rstest::rstest;
use store::OrderState;

use crate::app::TestApp;
use crate::database::Db;
use crate::pay::{assert_paid_once, orders, ready};
use crate::transfers::{compare, invoice};
use crate::visitor::{Visitor, location};

/// Everything between the quotes of a field of the page.
fn value<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split('"').next().unwrap()
}

async fn at_the_page(app: &mut TestApp) -> (Visitor, String) {
    compare(app).await;
    let kit = Visitor::signed_in(app, "kit", Role::Bookkeeper).await;
    let page = kit.text("/c/main/pay").await;
    let id = value(&page, "invoice").to_owned();
    (kit, id)
}

#[rstest]
#[tokio::test]
async fn one_plans_and_orders_and_another_approves(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let Some(mut app) = ready(db, "four_eyes = true\n").await else { return };
    let (kit, id) = at_the_page(&mut app).await;
    let planned = kit.text(&format!("/c/main/pay?invoice={id}")).await;
    assert!(planned.contains("Order 1 transfer, 1200.00 USD"), "{planned}");
    assert!(planned.contains("ACH to ") && planned.contains("from dpacc_"), "to whom, and from where: {planned}");
    let plan = value(&planned, "plan").to_owned();
    let order = [("invoice", id.as_str()), ("plan", plan.as_str())];
    assert_eq!(location(&kit.click("/c/main/pay/order", &order).await), "/c/main/pay?said=ordered");
    let again = kit.click("/c/main/pay/order", &order).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY, "it is ordered already");
    assert_eq!(kit.click("/c/main/pay/approve", &[("id", "1")]).await.status(), StatusCode::FORBIDDEN);
    assert!(kit.text("/c/main/pay").await.contains("proposed"));

    let pia = Visitor::signed_in(&app, "pia", Role::Approver).await;
    assert!(pia.text("/c/main/pay").await.contains("<button>Approve</button>"));
    assert_eq!(location(&pia.click("/c/main/pay/approve", &[("id", "1")]).await), "/c/main/pay?said=approved");
    app.run_until_idle().await;
    assert_paid_once(&app).await;
    assert!(kit.text("/c/main/pay").await.contains("approved by pia; in Brex"));
}

#[tokio::test]
async fn who_ordered_is_offered_no_approval_and_a_declined_order_says_why() {
    let Some(mut app) = ready(Db::Sqlite, "four_eyes = true\n").await else { return };
    let (_, id) = at_the_page(&mut app).await;
    let pia = Visitor::signed_in(&app, "pia", Role::Approver).await;
    let planned = pia.text(&format!("/c/main/pay?invoice={id}")).await;
    let order = [("invoice", id.as_str()), ("plan", value(&planned, "plan"))];
    pia.click("/c/main/pay/order", &order).await;
    assert!(!pia.text("/c/main/pay").await.contains("<button>Approve</button>"));
    let own = pia.click("/c/main/pay/approve", &[("id", "1")]).await;
    assert_eq!(own.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(own.text().await.unwrap().contains("another person has to approve it"));
    let unsaid = pia.click("/c/main/pay/decline", &[("id", "1"), ("reason", " ")]).await;
    assert_eq!(unsaid.status(), StatusCode::UNPROCESSABLE_ENTITY);
    pia.click("/c/main/pay/decline", &[("id", "1"), ("reason", "the goods were sent back")]).await;
    assert!(pia.text("/c/main/pay").await.contains("the goods were sent back"));
    assert_eq!(orders(&app).await[0].state, OrderState::Declined);
}

#[tokio::test]
async fn what_changed_since_the_plan_is_not_ordered_and_what_stands_against_it_is_shown() {
    let Some(mut app) = ready(Db::Sqlite, "vendor_daily_most = \"1500.00\"\n").await else { return };
    let big = invoice(&app, "INV-7002", 900_000).await.to_string();
    let (_, id) = at_the_page(&mut app).await;
    let pia = Visitor::signed_in(&app, "pia", Role::Approver).await;
    let page = pia.text(&format!("/c/main/pay?invoice={big}")).await;
    assert!(page.contains("limit") && !page.contains("Order 1 transfer"), "{page}");
    for (invoice, plan) in [(big.as_str(), ""), (id.as_str(), "another"), ("no such invoice", "")] {
        let refused = pia.click("/c/main/pay/order", &[("invoice", invoice), ("plan", plan)]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{invoice}");
    }
    let none = pia.click("/c/main/pay/order", &[("plan", "")]).await;
    assert!(none.text().await.unwrap().contains("No invoice was chosen."));
    assert_eq!(orders(&app).await.len(), 0);
    let viewer = Visitor::signed_in(&app, "val", Role::Viewer).await;
    let page = viewer.text(&format!("/c/main/pay?invoice={id}")).await;
    assert!(!page.contains("What would be paid") && !page.contains("type=\"checkbox\""), "a viewer only looks");
}
