//! What becomes of a record that could be read: a document whose lines are the total, or a reason to hold it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use clients::bc::DocumentKind;
use connector::config::Config;
use connector::flow::new_document;
use domain::calendar::PostingRange;
use domain::directory::{Account, CompanySetup, Directory};
use domain::document::DocumentKind as Kind;
use domain::id::JobId;
use domain::mapping::decide_document;
use domain::money::sum;
use domain::record::Record;
use domain::rules::Rules;
use domain::tax::TaxSetup;
use serde_json::Value;
use uuid::Uuid;

use crate::peer::COMPANY;

const LOCAL_CURRENCY: &str = "USD";

/// The rules of the example, and a company with one account.
static COMPANY_AND_RULES: LazyLock<(Directory, Rules)> = LazyLock::new(|| {
    let text = include_str!("../../../config.example.toml");
    let config = Config::parse(text, Path::new(".")).expect("the example");
    let rules = config.connections[0].rules().expect("the example");
    let account = Account {
        id: Uuid::from_u128(0x613),
        number: "61300".to_owned(),
        name: "Advertising".to_owned(),
        account_type: "Posting".to_owned(),
        direct_posting: true,
        blocked: false,
    };
    let setup = CompanySetup {
        local_currency: LOCAL_CURRENCY.to_owned(),
        posting: PostingRange::default(),
        closed: Vec::new(),
        currencies: BTreeSet::from(["EUR", "JPY"].map(str::to_owned)),
        dimensions: BTreeSet::new(),
        tax: TaxSetup::default(),
    };
    (Directory::new(Vec::new(), vec![account], Vec::new(), setup), rules)
});

/// Plans the document of a record.
pub(crate) fn plan(record: &Record) {
    let (directory, rules) = &*COMPANY_AND_RULES;
    let job = JobId::new("cuacc_1", &record.id, COMPANY);
    match decide_document(record, "V10000", job, rules, directory) {
        Ok(planned) => {
            let document = planned.document;
            assert_eq!(sum(document.lines.iter().map(|line| line.amount)), Some(document.total), "{document:?}");
            let (kind, field) = match document.kind {
                Kind::Invoice => (DocumentKind::Invoice, "vendorInvoiceNumber"),
                Kind::CreditMemo => (DocumentKind::CreditMemo, "vendorCreditMemoNumber"),
            };
            let sent = new_document(&document, LOCAL_CURRENCY).to_json(kind).expect("JSON");
            let sent: Value = serde_json::from_str(&sent).expect("what was written");
            assert_eq!(sent[field], document.number.as_str());
        }
        Err(hold) => assert!(!hold.sentence.is_empty(), "{hold:?}"),
    }
}
