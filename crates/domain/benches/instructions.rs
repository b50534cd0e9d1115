//! How many instructions the pure parts of a record take. The count is the same whatever else the machine does, so that a change of a
//! percent shows. `cargo bench -p domain --bench instructions` needs valgrind and `cargo install gungraun-runner` in the version of the crate.

#![expect(clippy::unwrap_used, missing_docs, reason = "a benchmark, of which macros make public items")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/decisions/made.rs"]
mod made;
mod sample;

use std::hint::black_box;

use domain::audit::{Entry, Verifier, genesis};
use domain::document::PlannedDocument;
use domain::record::Record;
use gungraun::{library_benchmark, library_benchmark_group, main};

use crate::made::Company;
use crate::sample::{coded_record, entry};

fn planned() -> PlannedDocument {
    let (company, record) = coded_record();
    company.plan(&record).unwrap()
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
#[bench::of_a_trail(entry(1, genesis()))]
fn verify_entry(entry: Entry) {
    Verifier::new("main").check(black_box(&entry)).unwrap();
}

library_benchmark_group!(name = record; benchmarks = plan, hash_plan, verify_entry);
main!(library_benchmark_groups = record);
