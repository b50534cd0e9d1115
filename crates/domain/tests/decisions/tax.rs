//! Tax: which code a line carries and why, whether prices include it, and what a document that comes back must show.

use domain::compare::{compare, hold_of};
use domain::defaults::DefaultRule;
use domain::document::PlannedDocument;
use domain::hold::HoldCode;
use domain::tax::{PlannedTax, TaxCode, TaxSetup, TaxSystem};
use domain::why::{By, Source};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::generators::as_created;
use crate::made::{Company, card, coded, company, gl, guid, held, line, named, refund, simple_card};

fn taxed(system: TaxSystem) -> Company {
    let code =
        |id, code: &str, name: &str| TaxCode { id: Uuid::from_u128(id), code: code.to_owned(), name: name.to_owned() };
    let mut company = company();
    company.setup.tax = TaxSetup {
        system: Some(system),
        codes: vec![
            code(0xa1, "SUPPLIES", "Taxable supplies"),
            code(0xa2, "LABOR", "Taxable labor"),
            code(0xa3, "NONTAXABLE", "Nontaxable"),
        ],
    };
    company
}

fn with(tax: domain::record::CodedField) -> domain::record::Record {
    card("10.00 USD", vec![line("10.00 USD", vec![gl("61300"), tax])])
}

/// The tax code of the only line, and where it comes from.
fn code(company: &Company, record: &domain::record::Record) -> (Option<String>, Option<Source>) {
    let planned = company.plan_with_reasons(record).unwrap();
    (planned.document.lines[0].tax_code.clone(), planned.reasons.lines[0].tax.clone())
}

#[test]
fn without_any_word_about_tax_the_gross_amount_is_booked_without_a_code() {
    for system in [TaxSystem::SalesTax, TaxSystem::Vat] {
        let planned = taxed(system).plan_with_reasons(&simple_card("10.00 USD")).unwrap();
        assert_eq!(planned.document.tax, None);
        assert_eq!(planned.document.lines[0].tax_code, None);
        assert_eq!(planned.reasons.tax, "no tax code; the gross amount is the unit cost");
        let stored = serde_json::to_string(&planned.document).unwrap();
        assert!(!stored.contains("tax"), "plans without tax are stored as ever: {stored}");
    }
}

#[test]
fn a_coded_tax_code_is_understood_by_id_code_and_name_and_by_the_table() {
    let mut company = taxed(TaxSystem::Vat);
    let table = [("Reduced".to_owned(), "labor".to_owned())].into();
    company.rules.values.insert("TAX_CODE".to_owned(), table);
    let by = |by| Some(Source::Coded { field: "TAX_CODE".to_owned(), by });
    for (field, wanted, source) in [
        (coded("TAX_CODE", &guid(0xa1)), "SUPPLIES", by(By::Id)),
        (coded("TAX_CODE", " supplies "), "SUPPLIES", by(By::Number)),
        (named("TAX_CODE", "taxable labor"), "LABOR", by(By::Name)),
        (
            named("TAX_CODE", "Reduced"),
            "LABOR",
            Some(Source::Table { field: "TAX_CODE".to_owned(), value: "Reduced".to_owned() }),
        ),
    ] {
        assert_eq!(code(&company, &with(field)), (Some(wanted.to_owned()), source));
    }
}

#[test]
fn what_is_coded_comes_before_the_rules_and_these_before_the_connection() {
    let mut company = taxed(TaxSystem::SalesTax);
    company.rules.tax.default = Some("Nontaxable".to_owned());
    let plain = simple_card("10.00 USD");
    assert_eq!(code(&company, &plain), (Some("NONTAXABLE".to_owned()), Some(Source::Connection)));
    let silent = DefaultRule { account: Some("61300".to_owned()), ..DefaultRule::default() };
    let speaking = DefaultRule { tax: Some("labor".to_owned()), ..DefaultRule::default() };
    company.rules.defaults = vec![silent, speaking];
    assert_eq!(code(&company, &plain), (Some("LABOR".to_owned()), Some(Source::Rule { number: 2 })));
    let coded = with(coded("TAX_CODE", "SUPPLIES"));
    assert_eq!(code(&company, &coded).0, Some("SUPPLIES".to_owned()));
}

#[test]
fn a_code_that_is_not_there_is_held_wherever_it_comes_from() {
    let mut company = taxed(TaxSystem::Vat);
    let sentence = "tax_code_unknown: the tax code VAT7 is not in Business Central";
    assert_eq!(held(company.plan(&with(coded("TAX_CODE", "VAT7")))), sentence);
    assert_eq!(held(company.plan(&with(named("Tax Code", "VAT7")))), sentence);
    company.rules.tax.default = Some("VAT7".to_owned());
    assert_eq!(held(company.plan(&simple_card("10.00 USD"))), sentence);
    company.rules.fields.tax.clear();
    company.rules.tax.default = None;
    assert_eq!(code(&company, &with(coded("TAX_CODE", "VAT7"))).0, None, "no field holds tax codes");
}

#[test]
fn two_tax_codes_on_one_line_contradict_each_other() {
    let company = taxed(TaxSystem::Vat);
    let fields = vec![gl("61300"), coded("TAX_CODE", "SUPPLIES"), named("Tax Code", "LABOR")];
    let record = card("10.00 USD", vec![line("10.00 USD", fields)]);
    assert_eq!(
        held(company.plan(&record)),
        "coding_contradicts: the line over 10.00 USD is coded to two tax codes: SUPPLIES and LABOR"
    );
}

#[test]
fn prices_include_tax_only_with_vat_and_never_on_credit_memos() {
    let mut company = taxed(TaxSystem::Vat);
    company.rules.tax.prices_include_tax = true;
    let gross = Some(PlannedTax { system: TaxSystem::Vat, prices_include_tax: true });
    assert_eq!(company.plan(&simple_card("10.00 USD")).unwrap().tax, gross);
    assert_eq!(company.plan(&refund("10.00 USD")).unwrap().tax, None);
    let reasons = company.plan_with_reasons(&refund("10.00 USD")).unwrap().reasons;
    assert!(reasons.tax.contains("decides by the vendor"), "{}", reasons.tax);
    for (system, is) in [(Some(TaxSystem::SalesTax), "sales tax"), (None, "no tax code at all")] {
        company.setup.tax.system = system;
        assert_eq!(
            held(company.plan(&simple_card("10.00 USD"))),
            format!(
                "prices_exclude_tax: the connection says that prices include tax, which is possible with VAT only: the \
                 company has {is}"
            )
        );
    }
}

/// A plan of two lines with one tax code.
fn plan(system: TaxSystem, gross: bool) -> PlannedDocument {
    let mut company = taxed(system);
    company.rules.tax.prices_include_tax = gross;
    let coding = || vec![gl("61300"), coded("TAX_CODE", "SUPPLIES")];
    company.plan(&card("30.00 USD", vec![line("10.00 USD", coding()), line("20.00 USD", coding())])).unwrap()
}

fn fields(plan: &PlannedDocument, found: &domain::document::FoundDocument) -> Vec<String> {
    compare(plan, found, "USD").into_iter().map(|difference| difference.field).collect()
}

#[test]
fn a_sales_tax_company_must_answer_the_code_and_a_vat_company_one_identifier_per_code() {
    let sales = plan(TaxSystem::SalesTax, false);
    let mut found = as_created(&sales);
    assert_eq!(fields(&sales, &found), Vec::<String>::new());
    found.lines[1].tax_code = "LABOR".to_owned();
    assert_eq!(fields(&sales, &found), ["line 2 tax code"]);

    let vat = plan(TaxSystem::Vat, true);
    let mut found = as_created(&vat);
    for line in &mut found.lines {
        line.tax_code = "VAT19".to_owned();
    }
    assert_eq!(fields(&vat, &found), Vec::<String>::new());
    found.lines[1].tax_code = "VAT7".to_owned();
    assert_eq!(fields(&vat, &found), ["line 2 tax code"]);
    found.lines[1].tax_code = "VAT19".to_owned();
    found.prices_include_tax = false;
    assert_eq!(fields(&vat, &found), ["Prices Including VAT"]);
}

#[test]
fn a_cent_of_tax_too_much_is_held_with_both_sums() {
    let plan = plan(TaxSystem::Vat, true);
    let mut found = as_created(&plan);
    found.tax = "4.80".parse().unwrap();
    assert_eq!(fields(&plan, &found), Vec::<String>::new(), "tax inside what was paid is no difference");
    found.total += Decimal::new(1, 2);
    let hold = hold_of(&plan, &found, &compare(&plan, &found, "USD"));
    assert_eq!(hold.code, HoldCode::TaxDiffers);
    assert_eq!(
        hold.sentence,
        "purchase invoice 108001 comes to 30.01 USD in Business Central, 4.80 USD of it tax; the record says 30.00 USD"
    );
    found.vendor_number = "V20000".to_owned();
    let hold = hold_of(&plan, &found, &compare(&plan, &found, "USD"));
    assert_eq!(hold.code, HoldCode::DocumentDiffers, "not only tax");
    assert!(hold.sentence.contains("planned 30, found 30.01"), "{}", hold.sentence);
}
