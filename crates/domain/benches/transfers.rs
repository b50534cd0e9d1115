//! How long reconciling takes with 10,000 transfers and 10,000 documents and more: `cargo bench -p domain`.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/transfers/world.rs"]
mod world;

use criterion::Criterion;
use domain::transfer::{Said, Settings, reconcile};

use crate::world::{World, transfer, vendor};

fn large(c: &mut Criterion) {
    // Many vendors with few documents each, and few with many, where the search has most to try.
    for vendors in [3_000, 300, 30] {
        let world = World::generate(7, 7_000, vendors);
        let sizes = (world.books.transfers.len(), world.books.payables.len());
        let name = format!("{} transfers, {} documents, {vendors} vendors", sizes.0, sizes.1);
        c.bench_function(&name, |b| b.iter(|| reconcile(&world.books, &Said::default(), &Settings::default())));
    }
    let mut world = World::generate(7, 7_000, 30);
    for (place, payable) in world.books.payables.iter_mut().enumerate() {
        payable.vendor = vendor(u64::try_from(place % 30).unwrap());
        payable.numbers.clear();
    }
    let books = &mut world.books;
    let dates: Vec<_> = books.payables.iter().map(|payable| payable.date).collect();
    books.transfers = (0..10_000)
        .map(|n| {
            transfer(
                &format!("t{n}"),
                vendor(n % 30),
                1_000_003,
                dates[usize::try_from(n).unwrap() % dates.len()],
                "Payment",
            )
        })
        .collect();
    let books = &world.books;
    c.bench_function("nothing fits and nothing is named", |b| {
        b.iter(|| reconcile(books, &Said::default(), &Settings::default()));
    });
}

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    large(&mut criterion);
    criterion.final_summary();
}
