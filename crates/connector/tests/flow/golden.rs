//! What the whole zoo of the sandbox becomes, record by record, in a file that was read line by line against the rules of
//! both systems; and that the ledger holds exactly these documents after a run.

use std::fmt::Write;

use domain::document::{DocumentKind, PlannedDocument};
use domain::stage::Stage;
use sandbox::bc::{DocumentKind as LedgerKind, LedgerDocument};
use store::RecordRow;

use crate::app::TestApp;
use crate::database::Db;

/// One round of the zoo: every kind of record that Brex knows.
const ROUND: usize = 120;

fn plan_of(row: &RecordRow) -> Option<PlannedDocument> {
    row.plan.as_deref().map(|plan| serde_json::from_str(plan).unwrap())
}

/// The planned document as an accountant reads it.
fn shown(plan: &PlannedDocument) -> String {
    let mut text = format!("    {} {} on vendor {}", plan.kind.words(), plan.number, plan.vendor_number);
    write!(text, ", posted {} of {}", plan.posting_date, plan.document_date).unwrap();
    if let Some(due) = plan.due_date {
        write!(text, ", due {due}").unwrap();
    }
    writeln!(text, ": {} {}", plan.total, plan.currency.as_deref().unwrap_or("(own currency)")).unwrap();
    if !plan.dimensions.is_empty() {
        let dimensions =
            plan.dimensions.iter().fold(String::new(), |all, (code, value)| format!("{all} {code}={value}"));
        writeln!(text, "        header{dimensions}").unwrap();
    }
    for line in &plan.lines {
        let dimensions =
            line.dimensions.iter().fold(String::new(), |all, (code, value)| format!("{all} {code}={value}"));
        writeln!(text, "        {} {}{dimensions} {:?}", line.account, line.amount, line.description).unwrap();
    }
    text
}

#[tokio::test]
async fn the_whole_zoo_becomes_the_documents_of_the_golden_file_and_the_ledger_equals_it() {
    let Some(mut app) = TestApp::start(Db::Sqlite, ROUND).await else { return };
    app.prepare().await;
    app.poll_and_run(&[Stage::ResolveVendor, Stage::Map]).await;
    // The prepared poll is over; what was planned is written nowhere yet.
    assert_eq!(app.world().bc.ledger(), vec![]);
    let mut golden = String::new();
    let mut plans = Vec::new();
    for record in app.world().brex.records() {
        writeln!(golden, "{} {} {}", record.id, record.record_type, record.review_status).unwrap();
        let row = app.row(&record.id).await;
        if let Some(RecordRow { amount: Some(amount), currency: Some(currency), merchant, .. }) = &row {
            writeln!(golden, "    {amount} {currency} at {:?}", merchant.as_deref().unwrap_or_default()).unwrap();
        }
        match row {
            None => writeln!(golden, "    not taken up").unwrap(),
            Some(row) => match (row.hold.as_ref(), plan_of(&row)) {
                (Some(hold), _) => writeln!(golden, "    held, {}: {}", hold.code, hold.sentence).unwrap(),
                (None, Some(plan)) => {
                    golden.push_str(&shown(&plan));
                    plans.push(plan);
                }
                (None, None) => writeln!(golden, "    {}", row.stage).unwrap(),
            },
        }
    }
    insta::assert_snapshot!("zoo", golden);

    app.run_until_idle().await;
    app.assert_sound().await;
    let local = app.app.connections[0].directory().setup.local_currency.clone();
    let mut refused = 0;
    for plan in &plans {
        let marked = app.world().bc.documents_by_marker(plan.record.as_str());
        let row = app.row(plan.record.as_str()).await.unwrap();
        match marked.as_slice() {
            [document] => assert_is_planned(plan, document, &local),
            [] => {
                assert!(row.hold.is_some(), "{} has neither document nor hold", plan.record);
                refused += 1;
            }
            _ => panic!("{} has several documents", plan.record),
        }
    }
    assert_eq!(app.world().bc.ledger().len(), plans.len() - refused, "nothing but what was planned");
}

fn assert_is_planned(plan: &PlannedDocument, document: &LedgerDocument, local_currency: &str) {
    let id = &plan.record;
    let kind = match plan.kind {
        DocumentKind::Invoice => LedgerKind::Invoice,
        DocumentKind::CreditMemo => LedgerKind::CreditMemo,
    };
    assert_eq!(document.kind, kind, "{id}");
    assert_eq!(document.external_number, plan.number.as_str(), "{id}");
    assert_eq!(document.vendor_number, plan.vendor_number, "{id}");
    assert_eq!((document.posting_date, document.document_date), (plan.posting_date, plan.document_date), "{id}");
    if plan.due_date.is_some() {
        assert_eq!(document.due_date, plan.due_date, "{id}");
    }
    assert_eq!(document.currency, plan.currency.as_deref().unwrap_or(local_currency), "{id}");
    assert_eq!(document.total, plan.total, "{id}");
    let (comments, lines): (Vec<_>, Vec<_>) = document.lines.iter().partition(|line| line.line_type == "Comment");
    assert_eq!(comments.iter().map(|line| line.description.clone()).collect::<Vec<_>>(), [plan.marker_line()], "{id}");
    for (code, value) in &plan.dimensions {
        assert_eq!(document.dimensions.get(code), Some(value), "{id} {code}");
    }
    assert_eq!(lines.len(), plan.lines.len(), "{id}");
    for (line, planned) in lines.iter().zip(&plan.lines) {
        let found = (line.line_type, line.number.as_str(), line.amount, line.description.as_str());
        let wanted = ("Account", planned.account.as_str(), planned.amount, planned.description.as_str());
        assert_eq!(found, wanted, "{id}");
        for (code, value) in &planned.dimensions {
            assert_eq!(line.dimensions.get(code), Some(value), "{id} {code}");
        }
    }
}
