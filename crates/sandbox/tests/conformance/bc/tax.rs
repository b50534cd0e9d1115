//! Sales tax and VAT on purchase documents.

use std::collections::BTreeMap;

use crate::bc::caller::{Caller, error, invoice};
use sandbox::bc::{Rules, SumBy, TaxCode, TaxSystem};
use serde_json::{Value, json};

fn codes() -> BTreeMap<String, TaxCode> {
    let code = |percent: i64, identifier: &str| TaxCode { percent: percent.into(), identifier: identifier.to_owned() };
    BTreeMap::from([
        ("SUPPLIES".to_owned(), code(19, "VAT19")),
        ("LABOR".to_owned(), code(7, "")),
        ("NONTAXABLE".to_owned(), code(0, "")),
    ])
}

fn vat() -> Rules {
    Rules { tax: TaxSystem::Vat, tax_codes: codes(), ..Rules::default() }
}

fn lines(rows: &[(&str, &str)]) -> Value {
    let line = |(code, cost): &(&str, &str)| {
        let cost: Value = cost.parse().unwrap();
        json!({"lineType": "Account", "lineObjectNumber": "60500", "quantity": 1, "unitCost": cost, "taxCode": code})
    };
    rows.iter().map(line).collect()
}

async fn draft(caller: &Caller, gross: bool, rows: &[(&str, &str)]) -> Value {
    let body = json!({
        "vendorNumber": "V00001", "vendorInvoiceNumber": "T-1", "pricesIncludeTax": gross, "purchaseInvoiceLines": lines(rows),
    });
    let (status, draft) = caller.post("purchaseInvoices", body).await;
    assert_eq!(status, 201, "{draft}");
    draft
}

fn texts(row: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| row[name].to_string()).collect()
}

const TOTALS: [&str; 3] = ["totalAmountExcludingTax", "totalTaxAmount", "totalAmountIncludingTax"];

async fn line(caller: &Caller, draft: &Value, index: usize) -> Value {
    let path = format!("purchaseInvoices({})/purchaseInvoiceLines", draft["id"].as_str().unwrap());
    caller.rows(&path).await[index].clone()
}

#[tokio::test]
async fn a_sales_tax_company_books_gross_unless_vendor_area_and_group_say_otherwise() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    let untaxed = draft(&caller, true, &[("SUPPLIES", "100")]).await;
    assert_eq!(texts(&untaxed, &TOTALS), ["100", "0", "100"]);
    assert_eq!(untaxed["pricesIncludeTax"], false);
    bc.set_rules(Rules { tax_codes: codes(), tax_area: "ATLANTA, GA".to_owned(), ..Rules::default() });
    assert_eq!(texts(&draft(&caller, true, &[("SUPPLIES", "100")]).await, &TOTALS), ["100", "0", "100"]);
    let path = format!("vendors({})", caller.id_of("vendors", "V00001").await);
    assert_eq!(caller.patch(&path, "*", json!({"taxLiable": true})).await.0, 200);
    let taxed = draft(&caller, true, &[("SUPPLIES", "100"), ("NONTAXABLE", "50"), ("", "10")]).await;
    assert_eq!(texts(&taxed, &TOTALS), ["160", "19", "179"]);
    assert_eq!(taxed["pricesIncludeTax"], false);
    assert_eq!(line(&caller, &taxed, 0).await["taxCode"], "SUPPLIES");
}

#[tokio::test]
async fn vat_is_added_to_net_prices_and_taken_out_of_gross_ones() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.set_rules(vat());
    let names =
        ["amountExcludingTax", "taxPercent", "totalTaxAmount", "amountIncludingTax", "netAmount", "netTaxAmount"];
    let net = draft(&caller, false, &[("SUPPLIES", "100")]).await;
    assert_eq!(texts(&net, &TOTALS), ["100", "19", "119"]);
    let row = line(&caller, &net, 0).await;
    assert_eq!(texts(&row, &names), ["100", "19", "19", "119", "100", "19"]);
    assert_eq!(row["taxCode"], "VAT19", "reads show the identifier");
    let gross = draft(&caller, true, &[("SUPPLIES", "119")]).await;
    assert_eq!(gross["pricesIncludeTax"], true);
    assert_eq!(texts(&gross, &TOTALS), ["100", "19", "119"]);
    assert_eq!(texts(&line(&caller, &gross, 0).await, &names), ["100", "19", "19", "119", "100", "19"]);
    let path = format!("purchaseInvoices({})", gross["id"].as_str().unwrap());
    let (_, changed) = caller.patch(&path, "*", json!({"discountAmount": 11.9})).await;
    assert_eq!(texts(&changed, &TOTALS), ["90", "17.1", "107.1"]);
    let row = line(&caller, &gross, 0).await;
    assert_eq!(texts(&row, &["amountExcludingTax", "netAmount", "netAmountIncludingTax"]), ["100", "90", "107.1"]);
}

#[tokio::test]
async fn tax_is_rounded_once_per_percentage_and_can_miss_the_sum_by_cents() {
    let caller = Caller::start().await;
    caller.sandbox.world().bc.set_rules(vat());
    let rows = [("LABOR", "0.50"), ("LABOR", "0.50"), ("LABOR", "0.50")];
    let draft = draft(&caller, false, &rows).await;
    assert_eq!(texts(&draft, &TOTALS), ["1.5", "0.11", "1.61"]);
    let mut taxes = Vec::new();
    for index in 0..3 {
        let row = line(&caller, &draft, index).await;
        assert_eq!(row["totalTaxAmount"].to_string(), "0.04");
        taxes.push(row["netTaxAmount"].to_string());
    }
    assert_eq!(taxes, ["0.04", "0.03", "0.04"]);
}

#[tokio::test]
async fn posted_tax_stands_on_its_own_account_and_the_entries_balance() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    bc.set_rules(vat());
    let draft = draft(&caller, true, &[("SUPPLIES", "119"), ("NONTAXABLE", "10")]).await;
    assert_eq!(caller.post_document("purchaseInvoices", draft["id"].as_str().unwrap()).await.0, 204);
    let sums = bc.entry_sums(SumBy::Account);
    let sum = |account: &str| sums[account].normalize().to_string();
    assert_eq!([sum("60500"), sum("22100"), sum("20100")], ["110", "19", "-129"]);
    bc.set_rules(Rules::default());
    let (_, posted) = caller.get(&format!("purchaseInvoices({})", draft["id"].as_str().unwrap())).await;
    assert_eq!(texts(&posted, &TOTALS), ["110", "19", "129"], "rates of posted lines stay");
}

#[tokio::test]
async fn tax_groups_say_which_tax_it_is_and_unknown_codes_are_refused_its_way() {
    let caller = Caller::start().await;
    let bc = &caller.sandbox.world().bc;
    for (rules, shown, field) in
        [(Rules::default(), "Sales_x0020_Tax", "Tax Group Code"), (vat(), "VAT", "VAT Prod. Posting Group")]
    {
        bc.set_rules(rules);
        for set in ["taxGroups", "taxAreas"] {
            assert!(caller.rows(set).await.iter().all(|row| row["taxType"] == shown), "{set}");
        }
        let mut body = invoice("A-1");
        body["purchaseInvoiceLines"] = lines(&[("NONE", "1")]);
        let (status, body) = caller.post("purchaseInvoices", body).await;
        let (code, text) = error(&body);
        assert_eq!((status.as_u16(), code.as_str()), (400, "Internal_InvalidTableRelation"));
        assert!(text.contains(&format!("The field {field} of table Purchase Line contains a value (NONE)")), "{text}");
    }
}
