//! The page at `/`: the purchase documents as a bookkeeper sees them. Plain HTML, nothing to load, no scripts.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use super::document::ledger::{LedgerDocument, LedgerLine};
use super::{DocumentKind, ENVIRONMENT};
use crate::world::World;

const STYLE: &str = include_str!("page.css");

/// All documents, newest first.
pub(super) async fn documents(State(world): State<Arc<World>>) -> Html<String> {
    let mut documents = world.bc.ledger();
    documents.reverse();
    Html(page(&world.company.name, &documents))
}

fn page(company: &str, documents: &[LedgerDocument]) -> String {
    let company = escaped(company);
    let rows: String = documents.iter().map(row).collect();
    let summary = match documents.len() {
        0 => "No purchase documents yet.".to_owned(),
        1 => "1 purchase document.".to_owned(),
        count => format!("{count} purchase documents."),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Purchase documents - {company}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{company}: purchase documents</h1>\n<p>Business Central sandbox, environment {ENVIRONMENT}. {summary}</p>\n<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Kind</th><th scope=\"col\">No.</th><th scope=\"col\">Vendor No.</th><th scope=\"col\">Vendor Name</th><th scope=\"col\">Vendor Document No.</th><th scope=\"col\">Posting Date</th><th scope=\"col\">Currency</th><th scope=\"col\" class=\"amount\">Total</th><th scope=\"col\">Status</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n</main>\n</body>\n</html>\n"
    )
}

fn row(document: &LedgerDocument) -> String {
    let kind = match document.kind {
        DocumentKind::Invoice => "Invoice",
        DocumentKind::CreditMemo => "Credit Memo",
    };
    let status = format!("{:?}", document.status);
    let mut row = String::from("<tr>");
    for text in [kind, &document.number, &document.vendor_number] {
        cell(&mut row, "", text);
    }
    cell(&mut row, "name", &document.vendor_name);
    cell(&mut row, "", &document.external_number);
    cell(&mut row, "", &document.posting_date.to_string());
    cell(&mut row, "", &document.currency);
    cell(&mut row, "amount", &format!("{:.2}", document.total));
    cell(&mut row, &status, &status);
    row.push_str("</tr>\n");
    let lines: String = document.lines.iter().map(line).collect();
    let noun = if document.lines.len() == 1 { "line" } else { "lines" };
    // Writing to a string cannot fail.
    let _ = writeln!(
        row,
        "<tr><td colspan=\"9\" class=\"lines\"><details><summary>{} {noun}</summary><table><thead><tr><th scope=\"col\">Type</th><th scope=\"col\">No.</th><th scope=\"col\">Description</th><th scope=\"col\">Dimensions</th><th scope=\"col\" class=\"amount\">Quantity</th><th scope=\"col\" class=\"amount\">Unit Cost</th><th scope=\"col\" class=\"amount\">Amount</th></tr></thead><tbody>{lines}</tbody></table></details></td></tr>",
        document.lines.len()
    );
    row
}

fn line(line: &LedgerLine) -> String {
    let dimensions: Vec<String> = line.dimensions.iter().map(|(code, value)| format!("{code} {value}")).collect();
    let mut row = String::from("<tr>");
    cell(&mut row, "", &line.line_type.replace("_x0020_", " "));
    cell(&mut row, "", &line.number);
    cell(&mut row, "name", &line.description);
    cell(&mut row, "", &dimensions.join(", "));
    for amount in [line.quantity, line.unit_cost] {
        cell(&mut row, "amount", &amount.normalize().to_string());
    }
    cell(&mut row, "amount", &format!("{:.2}", line.amount));
    row.push_str("</tr>");
    row
}

fn cell(row: &mut String, class: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(row, "<td class=\"{class}\">{}</td>", escaped(text));
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_in_data_is_shown_as_text() {
        assert_eq!(escaped("<b>\"A\" & 'B'</b>"), "&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;");
    }
}
