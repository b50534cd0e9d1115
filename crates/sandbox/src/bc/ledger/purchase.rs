//! The entries of purchase invoices and credit memos.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use uuid::Uuid;

use super::apply;
use super::post::{self, Head, VendorSide};
use super::{EntryType, PURCHASE_VAT, PURCHASES, SALES_TAX};
use crate::bc::document::{DimensionSet, Document, DocumentKind, LineKind};
use crate::bc::rules::TaxSystem;
use crate::bc::sets::Work;
use crate::bc::table::Tables;

/// Writes the entries of a document that was just posted, and applies a credit memo to its invoice.
pub(crate) fn post(work: &mut Work<'_>, id: Uuid) {
    let Some(document) = work.tables.documents.get(id).cloned() else {
        return;
    };
    let head = head(work, &document);
    let entry = write(work, &head, &document, id);
    if let Some((invoice, _)) = document.applies_to.and_then(|id| work.tables.ledger.of_document(id)) {
        apply::apply(work, &head, entry, invoice);
    }
}

/// Takes apart what the entry of a posted document is applied to.
pub(crate) fn release(work: &mut Work<'_>, id: Uuid) {
    let (Some(document), Some((entry, _))) =
        (work.tables.documents.get(id).cloned(), work.tables.ledger.of_document(id))
    else {
        return;
    };
    let head = head(work, &document);
    apply::unapply(work, &head, entry);
}

/// What the entries of a document share.
fn head(work: &mut Work<'_>, document: &Document) -> Head {
    Head {
        transaction: post::transaction(work.tables),
        date: document.posting_date,
        kind: kind(document.kind),
        number: document.number.clone(),
        external: document.external_number.clone(),
        description: format!("{} {}", document.kind.caption(), document.number),
        source_code: "PURCHASES",
    }
}

fn kind(kind: DocumentKind) -> EntryType {
    match kind {
        DocumentKind::Invoice => EntryType::Invoice,
        DocumentKind::CreditMemo => EntryType::CreditMemo,
    }
}

/// Costs of an invoice are debits.
fn sign(kind: DocumentKind) -> Decimal {
    match kind {
        DocumentKind::Invoice => Decimal::ONE,
        DocumentKind::CreditMemo => Decimal::NEGATIVE_ONE,
    }
}

/// The vendor's entry and one G/L entry per account and dimension set.
fn write(work: &mut Work<'_>, head: &Head, document: &Document, id: Uuid) -> Uuid {
    let sign = sign(document.kind);
    let costs = costs(work.tables, document, sign);
    let local: Decimal = costs.values().copied().sum();
    let tax = tax_account(work.tables);
    let bought = costs.iter().filter(|((account, _), _)| *account != tax).map(|(_, amount)| *amount).sum();
    for ((account, dimensions), amount) in &costs {
        post::gl(work, head, *account, *amount, dimensions, Some(document.pay_to));
    }
    let side = VendorSide {
        vendor: document.pay_to,
        currency: &document.currency,
        amount: -document.figures(work.tables).total * sign,
        local: -local,
        purchase: bought,
        due_date: document.due_date,
        dimensions: &document.dimensions,
        balancing: (String::new(), String::new()),
        document: Some(id),
    };
    post::vendor(work, head, &side)
}

/// What falls on each account, tax included and dimension set, in the company's own currency. Rounding follows the running total, so
/// that the parts add up to the converted total.
fn costs(tables: &Tables, document: &Document, sign: Decimal) -> BTreeMap<(Uuid, DimensionSet), Decimal> {
    let tax = tax_account(tables);
    let purchases = post::account(tables, PURCHASES);
    let mut costs = BTreeMap::new();
    let (mut gross, mut local) = (Decimal::ZERO, Decimal::ZERO);
    for (line, amounts) in document.lines.iter().zip(&document.figures(tables).amounts) {
        let account = if line.kind == LineKind::Item { purchases } else { line.account };
        for (account, amount) in [(account, amounts.net), (tax, amounts.net_tax)] {
            gross += amount * sign;
            let until_here = post::local(tables, gross, &document.currency, document.posting_date);
            *costs.entry((account, line.dimensions.clone())).or_default() += until_here - local;
            local = until_here;
        }
    }
    costs
}

/// The G/L account that the tax of purchases goes to.
fn tax_account(tables: &Tables) -> Uuid {
    let number = match tables.rules.tax {
        TaxSystem::SalesTax => SALES_TAX,
        TaxSystem::Vat => PURCHASE_VAT,
    };
    post::account(tables, number)
}
