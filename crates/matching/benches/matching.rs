//! How long one merchant takes against lists of vendors: `cargo bench -p matching`.

use std::hint::black_box;

use criterion::Criterion;
use matching::{Index, Memory, Merchant, Vendor};

const FIRST: [&str; 12] = [
    "Zelkova",
    "Bright Harbor",
    "Summit",
    "Cascade",
    "Ironwood",
    "Lakeside",
    "Pinnacle",
    "Riverbend",
    "Stonegate",
    "Union",
    "Vantage",
    "Westfield",
];
const TRADE: [&str; 10] = [
    "Coffee Roasters",
    "Consulting",
    "Freight",
    "Hardware",
    "Legal",
    "Office Supply",
    "Printing",
    "Software",
    "Travel",
    "Utilities",
];

fn vendors(number: usize) -> Index {
    Index::build((0..number).map(|place| Vendor {
        id: format!("V{place:05}"),
        name: format!(
            "{} {} {} LLC",
            FIRST[place % FIRST.len()],
            TRADE[place / FIRST.len() % TRADE.len()],
            place / 120
        ),
        city: "Omaha".to_owned(),
        country: "US".to_owned(),
        ..Vendor::default()
    }))
}

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let memory = Memory::new();
    for number in [200, 5_000, 50_000] {
        let index = vendors(number);
        for descriptor in ["SQ *ZELKOVA COFFEE ROA OMAHA NE", "AMZN Mktp US*2K4XY1", "NOBODY KNOWS THIS ONE 0042"] {
            let merchant = Merchant { descriptor: descriptor.to_owned(), ..Merchant::default() };
            criterion.bench_function(&format!("{descriptor} among {number}"), |b| {
                b.iter(|| index.decide(black_box(&merchant), &memory));
            });
        }
    }
    criterion.final_summary();
}
