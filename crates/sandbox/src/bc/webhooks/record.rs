//! From changed rows to notifications: which tables are watched, and for whom.

use jiff::{SignedDuration, Timestamp};

use super::super::document::DocumentKind;
use super::super::table::{Change, Row, Table, Tables};
use super::queue::{ChangeKind, Entry};

/// The sets whose tables can be watched.
pub(in crate::bc) const WATCHED: &[&str] = &[
    "vendors",
    "accounts",
    "bankAccounts",
    "dimensions",
    "currencies",
    "paymentMethods",
    "paymentTerms",
    "companyInformation",
    "generalLedgerEntries",
    "purchaseInvoices",
    "purchaseCreditMemos",
];

impl Tables {
    /// Logs the changes of those tables that somebody has subscribed to, and of no others.
    pub(crate) fn watch(&mut self) {
        let on = |set: &str| self.hooks.subscriptions.iter().any(|subscription| subscription.set == set);
        let [vendors, accounts, dimensions, currencies, terms, information] =
            ["vendors", "accounts", "dimensions", "currencies", "paymentTerms", "companyInformation"].map(on);
        self.bank_accounts.watch(on("bankAccounts"));
        self.payment_methods.watch(on("paymentMethods"));
        self.ledger.gl.watch(on("generalLedgerEntries"));
        let documents = on("purchaseInvoices") || on("purchaseCreditMemos");
        self.vendors.watch(vendors);
        self.accounts.watch(accounts);
        self.dimensions.watch(dimensions);
        self.currencies.watch(currencies);
        self.payment_terms.watch(terms);
        self.information.watch(information);
        self.documents.watch(documents);
    }

    /// Makes notifications of what was logged.
    pub(crate) fn record(&mut self, now: Timestamp) {
        if self.hooks.subscriptions.is_empty() {
            return;
        }
        let invoice = |row: &Row<super::super::document::Document>| row.value.kind == DocumentKind::Invoice;
        let memo = |row: &Row<super::super::document::Document>| row.value.kind == DocumentKind::CreditMemo;
        let documents = self.documents.take_changes();
        let found: [(&str, Vec<Entry>); 11] = [
            ("vendors", drained(&mut self.vendors, now)),
            ("accounts", drained(&mut self.accounts, now)),
            ("dimensions", drained(&mut self.dimensions, now)),
            ("currencies", drained(&mut self.currencies, now)),
            ("paymentTerms", drained(&mut self.payment_terms, now)),
            ("companyInformation", drained(&mut self.information, now)),
            ("bankAccounts", drained(&mut self.bank_accounts, now)),
            ("paymentMethods", drained(&mut self.payment_methods, now)),
            ("generalLedgerEntries", drained(&mut self.ledger.gl, now)),
            ("purchaseInvoices", entries(&documents, invoice, now)),
            ("purchaseCreditMemos", entries(&documents, memo, now)),
        ];
        let settings = &self.settings.webhooks;
        let delay = SignedDuration::from_secs(settings.delay_seconds);
        for subscription in self.hooks.subscriptions.iter_mut().filter(|subscription| now < subscription.expires) {
            for (_, entries) in found.iter().filter(|(set, _)| *set == subscription.set) {
                for entry in entries {
                    subscription.queue.push(entry.clone(), settings.collection_threshold, delay);
                }
            }
        }
    }
}

fn drained<T: Clone>(table: &mut Table<T>, now: Timestamp) -> Vec<Entry> {
    entries(&table.take_changes(), |_| true, now)
}

fn entries<T>(changes: &[Change<T>], wanted: impl Fn(&Row<T>) -> bool, now: Timestamp) -> Vec<Entry> {
    let ours = changes.iter().filter(|change| change.before.iter().chain(&change.after).any(|row| wanted(row)));
    ours.map(|change| {
        let kind = match (&change.before, &change.after) {
            (_, None) => ChangeKind::Deleted,
            (None, Some(_)) => ChangeKind::Created,
            (Some(_), Some(_)) => ChangeKind::Updated,
        };
        Entry { row: change.id, kind, at: change.after.as_ref().map_or(now, |row| row.modified) }
    })
    .collect()
}
