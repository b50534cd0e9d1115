//! `match-vendors VENDORS MERCHANTS OUT [CORRECTIONS]`: the CSV contract as a program.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    let (vendors, merchants, out, corrections) = match arguments.as_slice() {
        [vendors, merchants, out] => (vendors, merchants, out, None),
        [vendors, merchants, out, corrections] => (vendors, merchants, out, Some(corrections)),
        _ => {
            eprintln!("usage: match-vendors VENDORS MERCHANTS OUT [CORRECTIONS]");
            return ExitCode::from(2);
        }
    };
    match run(vendors.as_ref(), merchants.as_ref(), out.as_ref(), corrections.map(AsRef::as_ref)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = error.source();
            while let Some(source) = cause {
                eprint!(": {source}");
                cause = source.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn run(vendors: &Path, merchants: &Path, out: &Path, corrections: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let open = |path: &Path| File::open(path).map_err(|error| format!("{}: {error}", path.display()));
    let corrections = corrections.map(open).transpose()?;
    let output = File::create(out).map_err(|error| format!("{}: {error}", out.display()))?;
    matching::contract::run(open(vendors)?, open(merchants)?, corrections, BufWriter::new(output))?;
    Ok(())
}
