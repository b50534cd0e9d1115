//! The records of a tie-out as CSV, one line per record and one per thing without a record of the period.

use std::io::Write;

use domain::id::RecordId;
use domain::tieout::TieOut;

use crate::cells::safe;

const COLUMNS: [&str; 11] =
    ["day", "record", "type", "from", "amount", "currency", "end", "hold", "document", "posted_outside", "unexplained"];

/// The place of the amount among the columns.
const AMOUNT: usize = 4;

/// Writes the lines. Cells that a spreadsheet would take for formulas are made harmless.
pub fn write_csv(tied: &TieOut, output: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(COLUMNS)?;
    let unexplained = |record: &RecordId| {
        let found = tied.unexplained.iter().filter(|found| found.record.as_ref() == Some(record));
        found.map(|found| format!("{}: {}", found.reason.as_str(), found.sentence)).collect::<Vec<_>>().join("; ")
    };
    for item in &tied.items {
        let hold = match &item.end {
            domain::tieout::End::Held(code) => code.as_str(),
            _ => "",
        };
        let cells = [
            item.day.to_string(),
            item.record.to_string(),
            item.record_type.clone(),
            item.merchant.clone().unwrap_or_default(),
            item.money.amount.to_string(),
            item.money.currency.to_string(),
            item.end.as_str().to_owned(),
            hold.to_owned(),
            item.document.clone().unwrap_or_default(),
            item.posted_outside.map(|day| day.to_string()).unwrap_or_default(),
            unexplained(&item.record),
        ];
        // A negative amount is a number and stays one.
        let safe = |(place, cell): (usize, &String)| if place == AMOUNT { cell.clone() } else { safe(cell) };
        writer.write_record(cells.iter().enumerate().map(safe))?;
    }
    for found in tied
        .unexplained
        .iter()
        .filter(|found| tied.items.iter().all(|item| Some(&item.record) != found.record.as_ref()))
    {
        let record = found.record.as_ref().map(RecordId::to_string).unwrap_or_default();
        let document = found.document.clone().unwrap_or_default();
        let why = format!("{}: {}", found.reason.as_str(), found.sentence);
        let cells = ["", &record, "", "", "", "", "unexplained", "", &document, "", &why];
        writer.write_record(cells.map(safe))?;
    }
    writer.flush().map_err(csv::Error::from)
}
