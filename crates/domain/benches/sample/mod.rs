//! What both kinds of benchmarks measure: a coded purchase of two lines, and an entry of the trail.

use domain::audit::{Entry, Seal};
use domain::record::Record;

use crate::made::{Company, card, coded, company, gl, line};

pub(crate) fn coded_record() -> (Company, Record) {
    let booth = vec![gl("61300"), coded("VENDOR", "V10000"), coded("DIM_DEPARTMENT", "MKT")];
    (company(), card("248.37 USD", vec![line("200.00 USD", booth), line("48.37 USD", vec![gl("64100")])]))
}

/// The entry with this number in the trail `main`, after one with the hash `previous`.
pub(crate) fn entry(seq: i64, previous: String) -> Entry {
    let mut entry = Entry {
        seq,
        at_ms: 1_000 * seq,
        actor: "engine:0.1.0".to_owned(),
        action: "document_created".to_owned(),
        subject: format!("accr_{seq}"),
        before: Some("draft".to_owned()),
        after: Some("verify".to_owned()),
        detail: r#"{"id":"8a3f2c1e-0000-4000-8000-000000000000","number":"108001","attempt":1}"#.to_owned(),
        seal: None,
        previous,
        hash: String::new(),
    };
    entry.seal = Some(Seal::over(&entry.detail, format!("{seq:032x}")));
    entry.hash = entry.expected_hash("main");
    entry
}
