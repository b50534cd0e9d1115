//! `match`: merchants against vendors, from file to file, without configuration, database or network.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Common, Exit, Failure, print_json};

#[derive(Clone, Debug, Args)]
pub(super) struct MatchArgs {
    /// CSV with vendor_id,name and, if known, city,country,website,blocked.
    vendors: PathBuf,
    /// CSV with descriptor and, if known, clean_name,website,mcc,country,city.
    merchants: PathBuf,
    /// Where the decisions go: descriptor,decision,vendor_id,score,reason,candidates.
    out: PathBuf,
    /// CSV with descriptor,clean_name,vendor_id: what people answered; an empty id means none of the vendors.
    corrections: Option<PathBuf>,
}

pub(super) fn run(common: &Common, args: &MatchArgs) -> Result<Exit, Failure> {
    let open = |path: &Path| File::open(path).map_err(|error| no_file(path, &error));
    let corrections = args.corrections.as_deref().map(open).transpose()?;
    let (vendors, merchants) = (open(&args.vendors)?, open(&args.merchants)?);
    let output = File::create(&args.out).map_err(|error| no_file(&args.out, &error))?;
    matching::contract::run(vendors, merchants, corrections, BufWriter::new(output))
        .map_err(|error| Failure::new(Exit::Usage, crate::worker::chain(&error)))?;
    if common.json {
        print_json(&serde_json::json!({ "out": args.out }));
    }
    Ok(Exit::Done)
}

fn no_file(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::NotFound, format!("{}: {error}", path.display()))
}
