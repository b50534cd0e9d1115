//! Amounts: sums, signs, precision, and which currency a document is in.

use domain::record::{Line, Record, Side};
use domain::rules::CurrencyRule;
use rust_decimal::Decimal;

use crate::made::{Company, card, company, company_that_books, gl, held, line, money, refund, simple_card};

fn books_original() -> Company {
    company_that_books(CurrencyRule::Original)
}

/// A purchase of 185.19 EUR billed as 200.00 USD.
fn abroad() -> Record {
    let mut record = simple_card("200.00 USD");
    record.original_amount = Some(money("185.19 EUR"));
    for line in &mut record.lines {
        line.original_amount = Some(money("185.19 EUR"));
    }
    record
}

/// Total, currency and first line's amount of the plan.
fn booked(company: &Company, record: &Record) -> (String, Option<String>, String) {
    let plan = company.plan(record).unwrap();
    (plan.total.to_string(), plan.currency, plan.lines[0].amount.to_string())
}

#[test]
fn the_billed_amount_is_booked_in_the_companys_currency() {
    assert_eq!(booked(&company(), &abroad()), ("200.00".to_owned(), None, "200.00".to_owned()));
}

#[test]
fn the_original_amount_is_booked_if_the_rules_say_so() {
    let expected = ("185.19".to_owned(), Some("EUR".to_owned()), "185.19".to_owned());
    assert_eq!(booked(&books_original(), &abroad()), expected);
}

#[test]
fn without_an_original_amount_the_billed_one_is_booked() {
    let record = simple_card("200.00 USD");
    assert_eq!(booked(&books_original(), &record), ("200.00".to_owned(), None, "200.00".to_owned()));
}

#[test]
fn an_original_amount_in_the_companys_own_currency_is_sent_as_blank() {
    let mut company = books_original();
    company.setup.local_currency = "EUR".to_owned();
    assert_eq!(booked(&company, &abroad()).1, None);
}

#[test]
fn a_negative_original_amount_of_a_refund_is_booked_without_its_sign() {
    let mut record = refund("-200.00 USD");
    record.original_amount = Some(money("-185.19 EUR"));
    for line in &mut record.lines {
        line.original_amount = Some(money("185.19 EUR"));
    }
    assert_eq!(booked(&books_original(), &record).0, "185.19");
}

#[test]
fn an_original_amount_on_the_record_but_not_on_a_line_is_held() {
    let mut record = abroad();
    record.lines[0].original_amount = None;
    let sentence = "line_sum_mismatch: a line is in USD and the record in EUR";
    assert_eq!(held(books_original().plan(&record)), sentence);
    record = abroad();
    record.lines[1].original_amount = None;
    assert_eq!(held(books_original().plan(&record)), sentence, "the card's side counts too");
    assert!(company().plan(&record).is_ok(), "the billed amounts agree");
}

#[test]
fn original_amounts_that_were_rounded_apart_are_held() {
    let mut record = abroad();
    record.original_amount = Some(money("185.20 EUR"));
    assert_eq!(
        held(books_original().plan(&record)),
        "line_sum_mismatch: the expense lines add up to 185.19 EUR, the record says 185.20 EUR"
    );
}

#[test]
fn billing_in_a_foreign_currency_needs_business_central_to_know_it() {
    assert_eq!(booked(&company(), &simple_card("10.00 EUR")).1, Some("EUR".to_owned()));
    assert_eq!(
        held(company().plan(&simple_card("10.00 GBP"))),
        "currency_unknown: Business Central does not know the currency GBP"
    );
    let mut record = abroad();
    record.original_amount = Some(money("150 GBP"));
    record.lines.iter_mut().for_each(|line| line.original_amount = Some(money("150 GBP")));
    assert!(company().plan(&record).is_ok(), "a currency that is not booked does not matter");
}

#[test]
fn precision_is_that_of_the_currency() {
    for fine in ["100 JPY", "100.00 JPY", "1.234 KWD", "1.2340 KWD", "10.5 USD", "10.500 USD", "0.01 EUR"] {
        assert!(company().plan(&simple_card(fine)).is_ok(), "{fine}");
    }
    for (amount, shown) in [
        ("100.5 JPY", "100.5 JPY"),
        ("1.2345 KWD", "1.2345 KWD"),
        ("10.005 USD", "10.005 USD"),
        ("0.001 EUR", "0.001 EUR"),
    ] {
        let expected = format!("amount_precision: {shown} has more decimals than the currency allows");
        assert_eq!(held(company().plan(&simple_card(amount))), expected);
    }
}

#[test]
fn splits_with_too_many_decimals_are_held_although_they_add_up() {
    let half = || line("0.005 USD", vec![gl("61300")]);
    assert_eq!(
        held(company().plan(&card("0.01 USD", vec![half(), half()]))),
        "amount_precision: 0.005 USD has more decimals than the currency allows"
    );
}

#[test]
fn nothing_is_booked_for_zero() {
    for amount in ["0 USD", "0.00 USD", "-0.00 USD", "0 JPY"] {
        assert_eq!(held(company().plan(&simple_card(amount))), "amount_zero: the amount of the record is zero");
    }
    let mut record = abroad();
    record.original_amount = Some(money("0 EUR"));
    assert_eq!(held(books_original().plan(&record)), "amount_zero: the amount of the record is zero");
}

#[test]
fn a_zero_split_beside_a_full_one_keeps_its_line() {
    let lines = vec![line("10.00 USD", vec![gl("61300")]), line("0.00 USD", vec![gl("64100")])];
    assert_eq!(company().plan(&card("10.00 USD", lines)).unwrap().lines.len(), 2);
}

#[test]
fn one_side_alone_is_enough_if_it_is_the_expense() {
    let mut record = simple_card("10.00 USD");
    record.lines.truncate(1);
    assert_eq!(booked(&company(), &record).0, "10.00");

    record = simple_card("10.00 USD");
    record.lines.remove(0);
    assert_eq!(
        held(company().plan(&record)),
        "line_sum_mismatch: the expense lines add up to 0.00 USD, the record says 10.00 USD"
    );
    record.lines.clear();
    assert!(held(company().plan(&record)).starts_with("line_sum_mismatch: the expense lines add up to 0.00 USD"));
}

#[test]
fn lines_that_do_not_add_up_are_held_with_both_sums() {
    let split = |second: &str| vec![line("4.00 USD", vec![gl("61300")]), line(second, vec![gl("64100")])];
    for (second, sum) in [("5.99 USD", "9.99 USD"), ("6.01 USD", "10.01 USD"), ("60 USD", "64.00 USD")] {
        assert_eq!(
            held(company().plan(&card("10.00 USD", split(second)))),
            format!("line_sum_mismatch: the expense lines add up to {sum}, the record says 10.00 USD")
        );
    }
    let mut record = card("10.00 USD", split("6.00 USD"));
    record.lines[2].amount = money("9.00 USD");
    assert_eq!(
        held(company().plan(&record)),
        "line_sum_mismatch: the balancing lines add up to 9.00 USD, the record says 10.00 USD"
    );
}

#[test]
fn several_balancing_lines_add_up_together() {
    let mut record = simple_card("10.00 USD");
    record.lines[1].amount = money("7.00 USD");
    record.lines.push(Line { side: Side::Credit, ..line("3.00 USD", vec![]) });
    assert!(company().plan(&record).is_ok());
}

#[test]
fn a_line_in_another_currency_is_held() {
    let lines = vec![line("4.00 USD", vec![gl("61300")]), line("6.00 EUR", vec![gl("61300")])];
    assert_eq!(
        held(company().plan(&card("10.00 USD", lines))),
        "line_sum_mismatch: a line is in EUR and the record in USD"
    );
}

#[test]
fn a_sum_beyond_any_number_is_held() {
    let mut huge = line("1 JPY", vec![gl("61300")]);
    huge.amount.amount = Decimal::MAX;
    let sentence = held(company().plan(&card("10 JPY", vec![huge.clone(), huge])));
    assert!(sentence.starts_with("line_sum_mismatch: "), "{sentence}");
}

#[test]
fn ten_thousand_lines_are_planned_to_the_cent() {
    let lines = (0..10_000).map(|_| line("0.01 USD", vec![gl("61300")])).collect();
    let plan = company().plan(&card("100.00 USD", lines)).unwrap();
    assert_eq!((plan.lines.len(), plan.total), (10_000, plan.lines.iter().map(|line| line.amount).sum()));
}
