//! Posting a batch: all lines are checked first, then written, so that a refusal leaves everything as it was.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::line::{check_side, check_vendor};
use super::{ACCOUNT_TYPES, Journal, JournalLine, Side, VENDOR, lines};
use crate::bc::document::dimensions;
use crate::bc::error::Refusal;
use crate::bc::ledger::post::{self, Head, VendorSide};
use crate::bc::ledger::{EntryType, apply};
use crate::bc::sets::Work;
use crate::bc::table::Tables;

/// `Microsoft.NAV.post`
pub(crate) fn post(work: &mut Work<'_>, id: Uuid) -> Result<(), Refusal> {
    let missing = || Refusal::dialog(format!("The General Journal Batch with ID {id} cannot be found."));
    let journal = work.tables.journals.get(id).cloned().ok_or_else(missing)?;
    let all = lines(work.tables, id);
    let lines: Vec<_> = all.iter().filter(|(_, line)| !line.amount.is_zero()).cloned().collect();
    if lines.is_empty() {
        return Err(Refusal::dialog("There is nothing to post."));
    }
    check(work.tables, &journal, &lines).map_err(Refusal::at_posting)?;
    let mut transactions: BTreeMap<(Date, String), u32> = BTreeMap::new();
    for (line_id, line) in &lines {
        let key = (line.posting_date, line.document_number.clone());
        let transaction = match transactions.get(&key) {
            Some(known) => *known,
            None => post::transaction(work.tables),
        };
        transactions.insert(key, transaction);
        write(work, &journal, *line_id, line, transaction);
    }
    for (line_id, _) in all {
        work.tables.journal_lines.remove(line_id);
    }
    Ok(())
}

fn check(tables: &Tables, journal: &Journal, lines: &[(Uuid, JournalLine)]) -> Result<(), Refusal> {
    let mut sums: BTreeMap<(Date, &str), Decimal> = BTreeMap::new();
    for (_, line) in lines {
        let open = if line.balancing.is_blank() { local(tables, line) } else { Decimal::ZERO };
        *sums.entry((line.posting_date, &line.document_number)).or_default() += open;
    }
    for (_, line) in lines {
        check_line(tables, journal, line)?;
    }
    match sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
        None => Ok(()),
        Some(((_, number), sum)) => Err(Refusal::dialog(format!(
            "Document No. {number} is out of balance by {}. Please check that Posting Date, Document Type, Document No. and Amount are correct for each line.",
            sum.normalize()
        ))),
    }
}

fn check_line(tables: &Tables, journal: &Journal, line: &JournalLine) -> Result<(), Refusal> {
    let key = format!(
        "Journal Template Name='{}',Journal Batch Name='{}',Line No.='{}'",
        journal.template, journal.code, line.number
    );
    let setup = tables.setup();
    let early = setup.allow_posting_from.is_some_and(|first| line.posting_date < first);
    let late = setup.allow_posting_to.is_some_and(|last| line.posting_date > last);
    if early || late {
        return Err(Refusal::dialog(format!(
            "Posting Date is not within your range of allowed posting dates in Gen. Journal Line {key}."
        )));
    }
    if line.account.is_blank() {
        return Err(Refusal::field(format!(
            "Account No. must have a value in Gen. Journal Line: {}. It cannot be zero or empty.",
            key.replace('\'', "")
        )));
    }
    for side in [&line.account, &line.balancing] {
        check_side(tables, side)?;
        if side.kind == VENDOR {
            check_vendor(tables, side.id, line.document_type, "post")?;
        }
    }
    let used = line.document_type == EntryType::Invoice
        && tables.ledger.is_used(EntryType::Invoice, line.account.id, &line.external_number);
    if used {
        let number = &line.external_number;
        return Err(Refusal::dialog(format!("Purchase Invoice {number} already exists.")));
    }
    applied(tables, line)?;
    check_dimensions(tables, line).map_err(|inner| {
        Refusal::dialog(format!(
            "A dimension used in Gen. Journal Line {}, {}, {} has caused an error. {}",
            journal.template, journal.code, line.number, inner.message
        ))
    })
}

fn check_dimensions(tables: &Tables, line: &JournalLine) -> Result<(), Refusal> {
    if line.account.kind == VENDOR
        && let Some(vendor) = tables.vendors.get(line.account.id)
    {
        return dimensions::demanded(tables, line.account.id, &line.dimensions, "Vendor", &vendor.base.number);
    }
    match tables.accounts.get(line.account.id) {
        Some(account) => {
            dimensions::demanded(tables, line.account.id, &line.dimensions, "G/L Account", &account.number)
        }
        None => Ok(()),
    }
}

/// The open entries that a line settles.
fn applied(tables: &Tables, line: &JournalLine) -> Result<Vec<Uuid>, Refusal> {
    let open = tables.ledger.open(line.account.id);
    let (kind, number) = &line.applies_to;
    if !number.is_empty() {
        let found = open.filter(|(_, entry)| entry.document_type == *kind && entry.document_number == *number);
        let found: Vec<_> = found.map(|(id, _)| id).collect();
        if found.is_empty() {
            let vendor = &line.account.number;
            let filters =
                format!("Vendor No.: {vendor}, Document Type: {}, Document No.: {number}, Open: Yes", kind.caption());
            return Err(Refusal::nothing_within("Vendor Ledger Entry", &filters));
        }
        return Ok(found);
    }
    let marked = open.filter(|(_, entry)| !line.applies_to_id.is_empty() && entry.applies_to_id == line.applies_to_id);
    Ok(marked.map(|(id, _)| id).collect())
}

fn local(tables: &Tables, line: &JournalLine) -> Decimal {
    post::local(tables, line.amount, &line.currency, line.posting_date)
}

fn write(work: &mut Work<'_>, journal: &Journal, id: Uuid, line: &JournalLine, transaction: u32) {
    let head = Head {
        transaction,
        date: line.posting_date,
        kind: line.document_type,
        number: line.document_number.clone(),
        external: line.external_number.clone(),
        description: line.description.clone(),
        source_code: if journal.template == super::PAYMENT { "PAYMENTJNL" } else { "GENJNL" },
    };
    // Checked before; an application that vanished meanwhile was settled by an earlier line of this batch.
    let settles = applied(work.tables, line).unwrap_or_default();
    let local = local(work.tables, line);
    let first = work.tables.ledger.next_gl_number();
    let entry = side(work, &head, line, &line.account, (line.amount, local), &line.balancing);
    if !line.balancing.is_blank() {
        side(work, &head, line, &line.balancing, (-line.amount, -local), &line.account);
    }
    if let Some(entry) = entry {
        for open in settles {
            apply::apply(work, &head, entry, open);
            if let Some(mut settled) = work.tables.ledger.vendor.get(open).cloned() {
                settled.applies_to_id.clear();
                work.tables.put_vendor_entry(open, settled, work.now);
            }
        }
    }
    if let Some(gl) = work.tables.ledger.gl_id(first) {
        work.tables.move_attachments(id, gl, work.now);
    }
    let used = line.document_number.strip_prefix('G').and_then(|digits| digits.parse::<u64>().ok());
    if let Some(used) = used {
        work.tables.series.journal = work.tables.series.journal.max(used.saturating_add(1));
    }
}

/// One side of a line; the vendor entry, if it is a vendor's.
fn side(
    work: &mut Work<'_>,
    head: &Head,
    line: &JournalLine,
    account: &Side,
    (amount, local): (Decimal, Decimal),
    other: &Side,
) -> Option<Uuid> {
    if account.kind != VENDOR {
        post::gl(work, head, account.gl_account(work.tables), local, &line.dimensions, None);
        return None;
    }
    let balancing = if other.is_blank() { ACCOUNT_TYPES[0].to_owned() } else { other.kind.clone() };
    let side = VendorSide {
        vendor: account.id,
        currency: &line.currency,
        amount,
        local,
        purchase: if line.document_type == EntryType::Invoice { -local } else { Decimal::ZERO },
        due_date: Some(line.posting_date),
        dimensions: &line.dimensions,
        balancing: (balancing, other.number.clone()),
        document: None,
    };
    Some(post::vendor(work, head, &side))
}
