//! Journal lines and vendor payments: what a new line brings along, and what may be changed.

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{BANK_ACCOUNT, GL_ACCOUNT, Journal, JournalLine, Side, VENDOR, lines};
use crate::bc::document::{DimensionSet, DocumentKind, currency, dimensions, line::check_account};
use crate::bc::error::Refusal;
use crate::bc::input::{Input, Scalar};
use crate::bc::ledger::EntryType;
use crate::bc::sets::{EntitySet, Scope, Work};
use crate::bc::table::Tables;
use crate::company::Blocked;

const NO_JOURNAL: &str = "You must specify a journal batch ID or a journal ID to get a journal line.";

/// Adds a line below a batch. `payment` makes it a payment to a vendor.
pub(crate) fn insert(
    work: &mut Work<'_>,
    set: &dyn EntitySet,
    scope: &Scope<'_>,
    body: &Map<String, Value>,
    payment: bool,
) -> Result<Uuid, Refusal> {
    let input = Input::read(set, body, true)?;
    let named = input.guid("journalId").filter(|id| !id.is_nil());
    let id = scope.parent.map(|parent| parent.id).or(named).ok_or_else(|| Refusal::dialog(NO_JOURNAL))?;
    let journal = work.tables.journals.get(id).cloned().ok_or_else(|| Refusal::dialog(NO_JOURNAL))?;
    let other_name = input.text("journalDisplayName").is_some_and(|name| name != journal.code);
    if payment && (named.is_some_and(|named| named != id) || other_name) {
        return Err(Refusal::dialog("The Journal Id and Journal Display Name do not match."));
    }
    let mut line = blank(work, id, &journal, payment);
    if let Some(Scalar::Int(number)) = input.get("lineNumber") {
        line.number = *number;
    }
    if lines(work.tables, id).iter().any(|(_, other)| other.number == line.number) {
        let key =
            format!("Journal Template Name='{}',Journal Batch Name='{}',Line No.", journal.template, journal.code);
        return Err(Refusal::same_key("Gen. Journal Line", &key, &line.number.to_string()));
    }
    if i32::try_from(line.number).is_err() {
        return Err(Refusal::overflow());
    }
    change(work.tables, &mut line, &input, payment)?;
    for row in input.rows("dimensionSetLines") {
        dimensions::add(work.tables, &mut line.dimensions, row)?;
    }
    let id = work.ids.guid();
    work.tables.put(|tables| &mut tables.journal_lines, id, line, work.now);
    Ok(id)
}

/// Changes a line; it stays in its batch.
pub(crate) fn update(
    work: &mut Work<'_>,
    set: &dyn EntitySet,
    id: Uuid,
    body: &Map<String, Value>,
    payment: bool,
) -> Result<(), Refusal> {
    let input = Input::read(set, body, false)?;
    let missing = || Refusal::no_segment(set.schema().set);
    let mut line = work.tables.journal_lines.get(id).cloned().ok_or_else(missing)?;
    let journal = work.tables.journals.get(line.journal).cloned().ok_or_else(missing)?;
    if input.guid("journalId").is_some_and(|sent| sent != line.journal) {
        let text = if payment { "The Journal Id cannot be changed." } else { "The Journal Batch Id isn't editable." };
        return Err(Refusal::dialog(text));
    }
    if input.text("journalDisplayName").is_some_and(|sent| sent != journal.code) {
        let text = if payment {
            "The Journal Batch Display Name cannot be changed."
        } else {
            "The Journal Batch Display Name isn't editable."
        };
        return Err(Refusal::dialog(text));
    }
    change(work.tables, &mut line, &input, payment)?;
    work.tables.put(|tables| &mut tables.journal_lines, id, line, work.now);
    Ok(())
}

/// Deletes a line; entries marked for it are free again.
pub(crate) fn delete(work: &mut Work<'_>, id: Uuid) {
    if let Some(line) = work.tables.journal_lines.get(id).cloned() {
        unmark(work, &line);
    }
    work.tables.journal_lines.remove(id);
    work.tables.attachments.remove_below(id);
}

/// Takes the mark of a line off its vendor's entries.
pub(crate) fn unmark(work: &mut Work<'_>, line: &JournalLine) {
    let marked: Vec<_> = work.tables.ledger.open(line.account.id).map(|(id, entry)| (id, entry.clone())).collect();
    for (id, mut entry) in marked {
        if !line.applies_to_id.is_empty() && entry.applies_to_id == line.applies_to_id {
            entry.applies_to_id.clear();
            work.tables.put_vendor_entry(id, entry, work.now);
        }
    }
}

/// A line as the batch and the line before it suggest it.
pub(crate) fn blank(work: &Work<'_>, id: Uuid, journal: &Journal, payment: bool) -> JournalLine {
    let before = lines(work.tables, id);
    let last = before.last().map(|(_, line)| line);
    JournalLine {
        journal: id,
        number: last.map_or(0, |line| line.number).saturating_add(10_000),
        document_type: if payment { EntryType::Payment } else { EntryType::Blank },
        account: Side { kind: if payment { VENDOR } else { GL_ACCOUNT }.to_owned(), ..Side::default() },
        posting_date: last.map_or_else(|| work.today(), |line| line.posting_date),
        document_number: document_number(work.tables, &before),
        external_number: String::new(),
        amount: Decimal::ZERO,
        currency: String::new(),
        description: String::new(),
        comment: String::new(),
        tax_code: String::new(),
        balancing: journal.balancing.clone(),
        applies_to: (EntryType::Blank, String::new()),
        applies_to_id: String::new(),
        dimensions: DimensionSet::new(),
    }
}

/// The number of the line before while that document is out of balance, else the next one of the series.
fn document_number(tables: &Tables, before: &[(Uuid, JournalLine)]) -> String {
    let Some((_, last)) = before.last() else {
        return format!("G{:05}", tables.series.journal);
    };
    let open = before.iter().filter(|(_, line)| line.document_number == last.document_number);
    let balance: Decimal = open.filter(|(_, line)| line.balancing.is_blank()).map(|(_, line)| line.amount).sum();
    if balance.is_zero() { next(&last.document_number) } else { last.document_number.clone() }
}

/// A number plus one, with the digits it has.
fn next(number: &str) -> String {
    let stem = number.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &number[stem.len()..];
    match digits.parse::<u64>().ok().and_then(|count| count.checked_add(1)) {
        Some(count) => format!("{stem}{count:0width$}", width = digits.len()),
        None => number.to_owned(),
    }
}

fn change(tables: &Tables, line: &mut JournalLine, input: &Input, payment: bool) -> Result<(), Refusal> {
    if payment {
        pay(tables, line, input)?;
    } else {
        sides(tables, line, input)?;
    }
    for (name, value) in &input.fields {
        match (*name, value) {
            ("postingDate", Scalar::Date(Some(date))) => line.posting_date = *date,
            ("documentNumber", Scalar::Text(text)) if !text.is_empty() => line.document_number.clone_from(text),
            ("externalDocumentNumber", Scalar::Text(text)) => line.external_number.clone_from(text),
            ("amount", Scalar::Decimal(amount)) => line.amount = amount.round_dp(2),
            ("description", Scalar::Text(text)) => line.description.clone_from(text),
            ("comment", Scalar::Text(text)) => line.comment.clone_from(text),
            ("taxCode", Scalar::Text(text)) => {
                if !text.is_empty() && tables.tax_groups.find(|group| group.code == *text).is_none() {
                    return Err(Refusal::relation("Tax Group Code", "Gen. Journal Line", text, "Tax Group"));
                }
                line.tax_code.clone_from(text);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The account and the balancing account of a journal line.
fn sides(tables: &Tables, line: &mut JournalLine, input: &Input) -> Result<(), Refusal> {
    if let Some(side) = side(tables, &line.account, input, ["accountType", "accountId", "accountNumber"])? {
        set_account(tables, line, side)?;
    }
    let names = ["balanceAccountType", "balancingAccountId", "balancingAccountNumber"];
    if let Some(side) = side(tables, &line.balancing, input, names)? {
        check_side(tables, &side)?;
        line.balancing = side;
    }
    Ok(())
}

/// The account that was sent, if any field of it was.
fn side(tables: &Tables, now: &Side, input: &Input, names: [&str; 3]) -> Result<Option<Side>, Refusal> {
    let (kind, id, number) = (input.text(names[0]), input.guid(names[1]), input.text(names[2]));
    if kind.is_none() && id.is_none() && number.is_none() {
        return Ok(None);
    }
    let kind = kind.unwrap_or(&now.kind);
    let id = id.filter(|id| !id.is_nil());
    let number = number.filter(|number| !number.is_empty());
    if id.is_none() && number.is_none() {
        return Ok(Some(Side { kind: kind.to_owned(), ..Side::default() }));
    }
    let wrong = |name: &str| Refusal::dialog(format!("The \"{name}\" does not match to an Account."));
    if id.is_some() {
        Side::find(tables, kind, id, None).ok_or_else(|| wrong(names[1]))?;
    }
    if number.is_some() {
        // BC names "accountNumber" for the balancing account too.
        Side::find(tables, kind, None, number).ok_or_else(|| wrong("accountNumber"))?;
    }
    let found = Side::find(tables, kind, id, number);
    found.map(Some).ok_or_else(|| Refusal::dialog("The account values do not match to a specific Account."))
}

/// Sets the account of a line with what it brings along: name, currency, dimensions.
pub(crate) fn set_account(tables: &Tables, line: &mut JournalLine, side: Side) -> Result<(), Refusal> {
    check_side(tables, &side)?;
    line.currency = side.currency(tables);
    currency::check_rate(tables, &line.currency, line.posting_date)?;
    line.dimensions.clear();
    if let Some(vendor) = tables.vendors.get(side.id) {
        check_vendor(tables, side.id, line.document_type, "create")?;
        line.description.clone_from(&vendor.base.name);
        dimensions::apply_defaults(tables, &mut line.dimensions, side.id, false);
    } else if let (GL_ACCOUNT, Some(account)) = (side.kind.as_str(), tables.accounts.get(side.id)) {
        line.description.clone_from(&account.name);
        dimensions::apply_defaults(tables, &mut line.dimensions, side.id, false);
    } else if let (BANK_ACCOUNT, Some(bank)) = (side.kind.as_str(), tables.bank_accounts.get(side.id)) {
        line.description.clone_from(&bank.name);
    }
    line.account = side;
    Ok(())
}

/// A G/L account must allow direct posting, and no account may be blocked.
pub(crate) fn check_side(tables: &Tables, side: &Side) -> Result<(), Refusal> {
    match (side.kind.as_str(), tables.accounts.get(side.id), tables.bank_accounts.get(side.id)) {
        (GL_ACCOUNT, Some(account), _) => check_account(account),
        (BANK_ACCOUNT, _, Some(bank)) if bank.blocked => Err(Refusal::field(format!(
            "Blocked must be equal to 'No'  in Bank Account: No.={}. Current value is 'Yes'.",
            bank.number
        ))),
        _ => Ok(()),
    }
}

/// Blocked for payments counts for payments only.
pub(crate) fn check_vendor(tables: &Tables, id: Uuid, kind: EntryType, verb: &str) -> Result<(), Refusal> {
    let Some(vendor) = tables.vendors.get(id) else {
        return Ok(());
    };
    let blocked = match vendor.base.blocked {
        Blocked::All => "All",
        Blocked::Payment if kind == EntryType::Payment => "Payment",
        Blocked::Payment | Blocked::No => return Ok(()),
    };
    Err(Refusal::dialog(format!(
        "You cannot {verb} this type of document when Vendor {} is blocked with type {blocked}",
        vendor.base.number
    )))
}

/// The vendor and the invoice of a payment: ids and numbers stay in step, and the invoice names the vendor if nobody else does.
fn pay(tables: &Tables, line: &mut JournalLine, input: &Input) -> Result<(), Refusal> {
    let by_id = input.guid("appliesToInvoiceId").filter(|id| !id.is_nil());
    let number = input.text("appliesToInvoiceNumber").filter(|number| !number.is_empty());
    let mut invoice = None;
    if let Some(id) = by_id {
        let found = tables.documents.get(id).filter(|row| row.kind == DocumentKind::Invoice && row.is_posted());
        let refuse = || {
            Refusal::dialog(
                "The \"appliesToInvoiceId\" should be the ID of an Open, Paid, Corrective, or Canceled Invoice.",
            )
        };
        let found = found.ok_or_else(refuse)?;
        if number.is_some_and(|number| number != found.number) {
            return Err(Refusal::dialog("The Applies To Invoice values do not match to the same Invoice."));
        }
        invoice = Some(found);
        line.applies_to = (EntryType::Invoice, found.number.clone());
    } else if let Some(number) = number {
        invoice = tables.ledger.posted_invoice(number).and_then(|id| tables.documents.get(id));
        line.applies_to = (EntryType::Invoice, number.to_owned());
    } else if input.get("appliesToInvoiceId").is_some() || input.get("appliesToInvoiceNumber").is_some() {
        line.applies_to = (EntryType::Blank, String::new());
    }
    let vendor = vendor_of(tables, input)?;
    let side = match (vendor, invoice) {
        (Some(side), _) => side,
        (None, Some(invoice)) if line.account.is_blank() => {
            Side::find(tables, VENDOR, Some(invoice.pay_to), None).unwrap_or_default()
        }
        (None, _) => return Ok(()),
    };
    set_account(tables, line, side)
}

fn vendor_of(tables: &Tables, input: &Input) -> Result<Option<Side>, Refusal> {
    let id = input.guid("vendorId").filter(|id| !id.is_nil());
    let number = input.text("vendorNumber").filter(|number| !number.is_empty());
    let wrong = |name: &str| Refusal::dialog(format!("The \"{name}\" does not match to a Vendor."));
    if id.is_some() {
        Side::find(tables, VENDOR, id, None).ok_or_else(|| wrong("vendorId"))?;
    }
    if number.is_some() {
        Side::find(tables, VENDOR, None, number).ok_or_else(|| wrong("vendorNumber"))?;
    }
    if id.is_none() && number.is_none() {
        return Ok(None);
    }
    let found = Side::find(tables, VENDOR, id, number);
    found.map(Some).ok_or_else(|| Refusal::dialog("The vendor values do not match to a specific Vendor."))
}
