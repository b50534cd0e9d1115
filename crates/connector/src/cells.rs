//! Cells of CSV files that spreadsheets open: what could be taken for a formula is made harmless, and comes back as it was.

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet takes for a formula: an apostrophe goes in front of what could be one.
pub fn safe(cell: &str) -> String {
    let risky = cell.trim_start_matches('\'').starts_with(FORMULA);
    if risky { format!("'{cell}") } else { cell.to_owned() }
}

/// A line of cells, each of which was made [`safe`] if somebody else wrote it.
pub fn line<C: AsRef<[u8]>>(cells: impl IntoIterator<Item = C>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let written = writer.write_record(cells);
    written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default()
}

/// The cell without the apostrophe that [`safe`] put in front.
pub fn plain(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FORMULA, plain, safe};

    proptest! {
        #[test]
        fn a_cell_comes_back_as_it_was_and_is_never_a_formula(cell in "['=+@\\-\ta-z ]{0,8}") {
            prop_assert_eq!(plain(&safe(&cell)), cell.clone());
            prop_assert!(!safe(&cell).starts_with(FORMULA));
        }
    }
}
