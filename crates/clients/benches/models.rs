//! How long it takes to read what Brex and Business Central send: `cargo bench -p clients`.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use clients::bc::Document;
use clients::brex::AccountingRecord;
use criterion::Criterion;

const RECORD: &str = include_str!("../tests/fixtures/brex/record_card.json");
const INVOICE: &str = include_str!("../tests/fixtures/bc/invoice_created.json");

fn main() {
    let mut criterion = Criterion::default().sample_size(50).configure_from_args();
    criterion.bench_function("an accounting record", |b| {
        b.iter(|| AccountingRecord::from_json(black_box(RECORD)).unwrap());
    });
    criterion.bench_function("a purchase invoice", |b| {
        b.iter(|| serde_json::from_str::<Document>(black_box(INVOICE)).unwrap());
    });
    criterion.final_summary();
}
