//! The CSV front: vendors and merchants in, one decision per merchant out, columns by header.

use std::io::{Read, Write};

use crate::decision::{Decision, Outcome};
use crate::fold::fold;
use crate::index::Index;
use crate::memory::{Confirmation, Memory};
use crate::query::Merchant;
use crate::vendor::Vendor;

/// What can be wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not CSV, or cannot be read or written.
    #[error("{file} is not readable as csv")]
    Csv {
        /// Which file: vendors, merchants, corrections or decisions.
        file: &'static str,
        /// What the reader said.
        #[source]
        source: csv::Error,
    },
    /// A column that must be there is missing.
    #[error("{file} has no column {column}")]
    Column {
        /// Which file.
        file: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// A CSV file read by header. Bytes that are not UTF-8 are replaced, never refused.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(file: &'static str, input: impl Read) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
        let mut rows = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|source| Error::Csv { file, source })?;
            rows.push(record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect::<Vec<_>>());
        }
        let header = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
        let header =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()).collect();
        Ok(Self { header, rows })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }

    fn must(&self, file: &'static str, column: &'static str) -> Result<usize, Error> {
        self.column(column).ok_or(Error::Column { file, column })
    }
}

fn field(row: &[String], at: Option<usize>) -> String {
    at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
}

/// Reads `vendor_id,name,city,country[,website,blocked]`.
pub fn read_vendors(input: impl Read) -> Result<Vec<Vendor>, Error> {
    let table = Table::read("vendors", input)?;
    let (id, name) = (table.must("vendors", "vendor_id")?, table.must("vendors", "name")?);
    let (city, country) = (table.column("city"), table.column("country"));
    let (website, blocked) = (table.column("website"), table.column("blocked"));
    let vendors = table.rows.iter().map(|row| Vendor {
        id: field(row, Some(id)).trim().to_owned(),
        name: field(row, Some(name)),
        city: field(row, city),
        country: field(row, country),
        website: field(row, website),
        blocked: matches!(fold(field(row, blocked).trim()).as_str(), "1" | "TRUE" | "YES" | "ALL" | "PAYMENT"),
    });
    Ok(vendors.filter(|vendor| !vendor.id.is_empty()).collect())
}

/// Reads `descriptor,clean_name[,website,mcc,country,city]`.
pub fn read_merchants(input: impl Read) -> Result<Vec<Merchant>, Error> {
    let table = Table::read("merchants", input)?;
    let descriptor = table.must("merchants", "descriptor")?;
    let [clean, website, mcc, country, city] =
        ["clean_name", "website", "mcc", "country", "city"].map(|name| table.column(name));
    let merchants = table.rows.iter().map(|row| Merchant {
        descriptor: field(row, Some(descriptor)),
        clean_name: field(row, clean),
        website: field(row, website),
        mcc: field(row, mcc),
        country: field(row, country),
        city: field(row, city),
    });
    Ok(merchants.collect())
}

/// Reads `descriptor,clean_name,vendor_id[,vendor_name,by_hand]` into a memory.
pub fn read_corrections(input: impl Read) -> Result<Memory, Error> {
    let table = Table::read("corrections", input)?;
    let (descriptor, vendor) = (table.must("corrections", "descriptor")?, table.must("corrections", "vendor_id")?);
    let [clean, name, hand] = ["clean_name", "vendor_name", "by_hand"].map(|name| table.column(name));
    let mut memory = Memory::new();
    for row in &table.rows {
        memory.confirm(&Confirmation {
            descriptor: field(row, Some(descriptor)),
            clean_name: field(row, clean),
            vendor_id: field(row, Some(vendor)).trim().to_owned(),
            vendor_name: field(row, name),
            by_hand: matches!(fold(field(row, hand).trim()).as_str(), "1" | "TRUE" | "YES"),
        });
    }
    Ok(memory)
}

/// Writes `descriptor,decision,vendor_id,score,reason,candidates`, one line per merchant in the same order.
pub fn write_decisions<'a>(
    output: impl Write,
    decisions: impl IntoIterator<Item = (&'a Merchant, Decision)>,
) -> Result<(), Error> {
    let broken = |source| Error::Csv { file: "decisions", source };
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(["descriptor", "decision", "vendor_id", "score", "reason", "candidates"]).map_err(broken)?;
    for (merchant, decision) in decisions {
        let outcome = match decision.outcome {
            Outcome::Auto => "auto",
            Outcome::Review => "review",
            Outcome::None => "none",
        };
        let vendor = decision.vendor.as_deref().unwrap_or_default();
        let (score, candidates) = (format!("{:.4}", decision.score), decision.candidates.join("|"));
        writer
            .write_record([&merchant.descriptor, outcome, vendor, &score, &decision.reason, &candidates])
            .map_err(broken)?;
    }
    writer.flush().map_err(|error| broken(error.into()))
}

/// The whole contract: reads vendors, merchants and, if given, corrections; writes the decisions.
pub fn run(
    vendors: impl Read,
    merchants: impl Read,
    corrections: Option<impl Read>,
    output: impl Write,
) -> Result<(), Error> {
    let index = Index::build(read_vendors(vendors)?);
    let memory = corrections.map(read_corrections).transpose()?.unwrap_or_default();
    let merchants = read_merchants(merchants)?;
    write_decisions(output, merchants.iter().map(|merchant| (merchant, index.decide(merchant, &memory))))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::run;

    #[test]
    fn columns_are_found_by_header_in_any_order() {
        let vendors = "city,name,vendor_id\nOmaha,Zeno Widgets LLC,V1\n";
        let merchants = "mcc,descriptor\n,ZENO WIDGETS OMAHA NE\n";
        let mut out = Vec::new();
        run(vendors.as_bytes(), merchants.as_bytes(), None::<&[u8]>, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().nth(1).unwrap().starts_with("ZENO WIDGETS OMAHA NE,auto,V1,"), "{text}");
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = run("id\n1\n".as_bytes(), "descriptor\n".as_bytes(), None::<&[u8]>, Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "vendors has no column vendor_id");
    }
}
