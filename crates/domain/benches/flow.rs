//! What a record costs where nothing is called: a document is planned, and its entries are hashed into the audit trail.
//! `cargo bench -p domain --bench flow`.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/decisions/made.rs"]
mod made;
mod sample;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use domain::audit::{Entry, Verifier, genesis};

use crate::sample::{coded_record, entry};

fn plan(c: &mut Criterion) {
    let (company, record) = coded_record();
    c.bench_function("a document of two lines is planned", |b| b.iter(|| company.plan(black_box(&record)).unwrap()));
    let plan = company.plan(&record).unwrap();
    c.bench_function("a plan is hashed", |b| b.iter(|| black_box(&plan).hash()));
}

fn trail(c: &mut Criterion) {
    let mut previous = genesis();
    let entries: Vec<Entry> = (1..=1_000)
        .map(|seq| {
            let entry = entry(seq, previous.clone());
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
