//! A small PDF of a purchase document: one page of text.

use std::fmt::Write as _;

use super::document::{Document, currency, ledger, totals};
use super::table::Tables;

/// What fits on the page.
const LINES: usize = 60;

/// The document's number, vendor, lines and total as a valid PDF 1.4.
pub(crate) fn render(tables: &Tables, document: &Document) -> Vec<u8> {
    let precision = currency::precision(tables, &document.currency);
    let code = ledger::shown_currency(tables, &document.currency);
    let mut lines = vec![
        format!("Purchase {} {}", document.kind.caption(), document.number),
        format!("Vendor: {}", document.vendor_name),
        format!("Vendor document number: {}", document.external_number),
        format!("Posting date: {}", document.posting_date),
    ];
    lines.extend(document.lines.iter().map(|line| {
        format!("{}  {}  {}", line.number, line.description, totals::line_amount(line, precision).normalize())
    }));
    lines.truncate(LINES);
    lines.push(format!("Total {code} {}", document.figures(tables).total.normalize()));
    assembled(&content(&lines))
}

fn content(lines: &[String]) -> String {
    let mut text = "BT /F1 10 Tf 50 800 Td 12 TL\n".to_owned();
    for line in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "({}) Tj T*", escaped(line));
    }
    text + "ET"
}

/// ASCII only; parentheses and backslashes are the string syntax.
fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        if matches!(c, '(' | ')' | '\\') {
            text.push('\\');
        }
        text.push(if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    }
    text
}

/// The objects with their cross-reference table.
fn assembled(content: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        offsets.push(file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}
