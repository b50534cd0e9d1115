//! How many instructions the pure parts of a record take. The count is the same whatever else the machine does, so that a change of a
//! percent shows. `cargo bench -p domain --bench instructions` needs valgrind and `cargo install gungraun-runner` in the version of the crate.

#![expect(clippy::unwrap_used, missing_docs, reason = "a benchmark, of which macros make public items")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/decisions/made.rs"]
mod made;

use std::hint::black_box;

use domain::audit::{Entry, Seal, Verifier, genesis};
use domain::document::PlannedDocument;
use domain::record::Record;
use gungraun::{library_benchmark, library_benchmark_group, main};

use crate::made::{Company, card, coded, company, gl, line};

fn coded_record() -> (Company, Record) {
    let booth = vec![gl("61300"), coded("VENDOR", "V10000"), coded("DIM_DEPARTMENT", "MKT")];
    (company(), card("248.37 USD", vec![line("200.00 USD", booth), line("48.37 USD", vec![gl("64100")])]))
}

fn planned() -> PlannedDocument {
    let (company, record) = coded_record();
    company.plan(&record).unwrap()
}

fn entry() -> Entry {
    let mut entry = Entry {
        seq: 1,
        at_ms: 1_000,
        actor: "engine:0.1.0".to_owned(),
        action: "document_created".to_owned(),
        subject: "accr_1".to_owned(),
        before: Some("draft".to_owned()),
        after: Some("verify".to_owned()),
        detail: r#"{"id":"8a3f2c1e-0000-4000-8000-000000000000","number":"108001","attempt":1}"#.to_owned(),
        seal: None,
        previous: genesis(),
        hash: String::new(),
    };
    entry.seal = Some(Seal::over(&entry.detail, format!("{:032x}", 1)));
    entry.hash = entry.expected_hash("main");
    entry
}

#[library_benchmark]
#[bench::of_two_lines(coded_record())]
fn plan((company, record): (Company, Record)) -> PlannedDocument {
    black_box(company.plan(black_box(&record)).unwrap())
}

#[library_benchmark]
#[bench::of_two_lines(planned())]
fn hash_plan(plan: PlannedDocument) -> String {
    black_box(black_box(&plan).hash())
}

#[library_benchmark]
#[bench::of_a_trail(entry())]
fn verify_entry(entry: Entry) {
    Verifier::new("main").check(black_box(&entry)).unwrap();
}

library_benchmark_group!(name = record; benchmarks = plan, hash_plan, verify_entry);
main!(library_benchmark_groups = record);
