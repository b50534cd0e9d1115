//! What a record costs where nothing is called: a document is planned, and its entries are hashed into the audit trail.
//! `cargo bench -p domain --bench flow`.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/decisions/made.rs"]
mod made;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use domain::audit::{Entry, Seal, Verifier, genesis};

use crate::made::{card, coded, company, gl, line};

fn plan(c: &mut Criterion) {
    let booth = vec![gl("61300"), coded("VENDOR", "V10000"), coded("DIM_DEPARTMENT", "MKT")];
    let record = card("248.37 USD", vec![line("200.00 USD", booth), line("48.37 USD", vec![gl("64100")])]);
    let company = company();
    c.bench_function("a document of two lines is planned", |b| b.iter(|| company.plan(black_box(&record)).unwrap()));
    let plan = company.plan(&record).unwrap();
    c.bench_function("a plan is hashed", |b| b.iter(|| black_box(&plan).hash()));
}

fn trail(c: &mut Criterion) {
    let mut previous = genesis();
    let entries: Vec<Entry> = (1..=1_000)
        .map(|seq| {
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
                previous: previous.clone(),
                hash: String::new(),
            };
            entry.seal = Some(Seal::over(&entry.detail, format!("{seq:032x}")));
            entry.hash = entry.expected_hash("main");
            previous.clone_from(&entry.hash);
            entry
        })
        .collect();
    let mut group = c.benchmark_group("audit trail");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("a thousand entries are verified", |b| {
        b.iter(|| {
            let mut verifier = Verifier::new("main");
            for entry in &entries {
                verifier.check(entry).unwrap();
            }
            verifier.head().0
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    plan(&mut criterion);
    trail(&mut criterion);
    criterion.final_summary();
}
