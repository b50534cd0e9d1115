//! Business Central's tables. Copying them all is cheap: rows are shared until one is changed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attachment::Attachments;
use super::document::Document;
use super::index::Key;
use super::journal::{Journal, JournalLine};
use super::ledger::Ledger;
pub(crate) use super::rows::{Change, Row, Table};
use super::rules::Rules;
use super::sets::banks::BankAccount;
use super::sets::codes::{self, Coded};
use super::sets::default_dimensions::{self, DefaultDimension};
use super::sets::items::{Item, Unit, Variant};
use super::sets::vendor::Vendor;
use super::settings::Settings;
use super::webhooks::Hooks;
use crate::company::{
    Account, AccountingPeriod, Address, Company, Currency, Dimension, DimensionValue, ExchangeRate, PaymentTerm,
    TaxGroup,
};

/// General ledger set-up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) id: Uuid,
    pub(crate) allow_posting_from: Option<Date>,
    pub(crate) allow_posting_to: Option<Date>,
    pub(crate) local_currency: String,
    pub(crate) global_dimensions: [String; 2],
    pub(crate) shortcut_dimensions: Vec<String>,
}

/// Company information.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Information {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(crate) phone: String,
    pub(crate) fax: String,
    pub(crate) email: String,
    pub(crate) website: String,
    pub(crate) tax_number: String,
    pub(crate) industry: String,
    pub(crate) fiscal_year_start: Date,
}

/// The next numbers of the series.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) vendor: u64,
    pub(crate) invoice: u64,
    pub(crate) posted_invoice: u64,
    pub(crate) credit_memo: u64,
    pub(crate) posted_credit_memo: u64,
    /// Document numbers of journals.
    pub(crate) journal: u64,
}

/// Everything in one company, and the company itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) company_id: Uuid,
    pub(crate) company_name: String,
    pub(crate) company_display_name: String,
    pub(crate) created: Timestamp,
    version: u64,
    /// The day of the last request.
    #[serde(default)]
    pub(crate) today: Date,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) hooks: Hooks,
    pub(crate) vendors: Table<Vendor>,
    pub(crate) accounts: Table<Account>,
    pub(crate) dimensions: Table<Dimension>,
    /// With the id of the dimension.
    pub(crate) dimension_values: Table<(Uuid, DimensionValue)>,
    pub(crate) currencies: Table<Currency>,
    pub(crate) exchange_rates: Table<ExchangeRate>,
    pub(crate) default_dimensions: Table<DefaultDimension>,
    pub(crate) bank_accounts: Table<BankAccount>,
    #[serde(default)]
    pub(crate) items: Table<Item>,
    #[serde(default)]
    pub(crate) variants: Table<Variant>,
    #[serde(default)]
    pub(crate) units: Table<Unit>,
    pub(crate) payment_methods: Table<Coded>,
    pub(crate) tax_areas: Table<Coded>,
    pub(crate) rules: Rules,
    pub(crate) payment_terms: Table<PaymentTerm>,
    pub(crate) tax_groups: Table<TaxGroup>,
    pub(crate) periods: Table<AccountingPeriod>,
    pub(crate) setup: Table<Setup>,
    pub(crate) information: Table<Information>,
    pub(crate) documents: Table<Document>,
    pub(crate) ledger: Ledger,
    pub(crate) journals: Table<Journal>,
    pub(crate) journal_lines: Table<JournalLine>,
    pub(crate) attachments: Attachments,
    pub(crate) series: Series,
}

impl Tables {
    pub(crate) fn new(company: &Company, ids: &crate::ids::Ids, now: Timestamp) -> Self {
        let values = company
            .dimensions
            .iter()
            .flat_map(|dimension| dimension.values.iter().map(|value| (value.id, (dimension.id, value.clone()))));
        let setup = setup(company, ids.guid());
        let information = information(company, ids.guid());
        let coded = |rows: &[(&str, &str)]| {
            Table::filled(rows.iter().map(|(code, name)| (ids.guid(), Coded::of(code, name))), now)
        };
        let payment_methods = coded(codes::FIRST_PAYMENT_METHODS);
        let tax_areas = coded(codes::FIRST_TAX_AREAS);
        let bank = BankAccount::first();
        // A source of its own, so that ids that were there before stay as they are.
        let item_ids = ids.stream("items");
        let mut tables = Self {
            company_id: company.id,
            company_name: company.name.clone(),
            company_display_name: company.display_name.clone(),
            created: now,
            version: 1,
            today: jiff::tz::Offset::UTC.to_datetime(now).date(),
            settings: Settings::default(),
            hooks: Hooks::default(),
            vendors: Table::filled(company.vendors.iter().map(|row| (row.id, Vendor::of(row))), now),
            accounts: Table::filled(company.accounts.iter().map(|row| (row.id, row.clone())), now),
            dimensions: Table::filled(company.dimensions.iter().map(|row| (row.id, row.clone())), now),
            dimension_values: Table::filled(values, now),
            currencies: Table::filled(company.currencies.iter().map(|row| (row.id, row.clone())), now),
            exchange_rates: Table::filled(company.exchange_rates.iter().map(|row| (row.id, row.clone())), now),
            default_dimensions: Table::filled(
                default_dimensions::first(company).map(|default| (ids.guid(), default)),
                now,
            ),
            bank_accounts: Table::filled(std::iter::once((ids.guid(), bank)), now),
            items: Table::filled(Item::first().map(|row| (item_ids.guid(), row)), now),
            variants: Table::default(),
            units: Table::filled(Unit::first().map(|row| (item_ids.guid(), row)), now),
            payment_methods,
            tax_areas,
            rules: Rules::default(),
            payment_terms: Table::filled(company.payment_terms.iter().map(|row| (row.id, row.clone())), now),
            tax_groups: Table::filled(company.tax_groups.iter().map(|row| (row.id, row.clone())), now),
            periods: Table::filled(company.periods.iter().map(|row| (row.id, row.clone())), now),
            setup: Table::filled(std::iter::once((setup.id, setup)), now),
            information: Table::filled(std::iter::once((information.id, information)), now),
            documents: Table::default(),
            ledger: Ledger::default(),
            journals: Table::filled(super::journal::first(ids), now),
            journal_lines: Table::default(),
            attachments: Attachments::default(),
            series: Series {
                vendor: 90_001,
                invoice: 107_001,
                posted_invoice: 108_201,
                credit_memo: 1_001,
                posted_credit_memo: 109_001,
                journal: 1,
            },
        };
        tables.reindex();
        tables
    }

    /// Makes all sums and look-ups from the rows.
    pub(crate) fn reindex(&mut self) {
        self.vendors.index_by(|vendor| vec![Key::Number(vendor.base.number.clone())]);
        self.documents.index_by(Document::keys);
        self.ledger.reindex();
        self.attachments.reindex();
    }

    /// The vendor with a number.
    pub(crate) fn vendor_by_number(&self, number: &str) -> Option<(Uuid, &Vendor)> {
        self.vendors.with(Key::Number(number.to_owned())).next()
    }

    /// Moves with each write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The set-up, of which there is exactly one.
    pub(crate) fn setup(&self) -> &Setup {
        #[expect(clippy::expect_used, reason = "made by new, and nothing deletes it")]
        self.setup.iter().next().map(|(_, setup)| setup).expect("the set-up exists")
    }

    /// The company information, of which there is exactly one.
    pub(crate) fn information(&self) -> &Information {
        #[expect(clippy::expect_used, reason = "made by new, and nothing deletes it")]
        self.information.iter().next().map(|(_, information)| information).expect("the company information exists")
    }

    /// Removes a document with its attachments.
    pub(crate) fn remove_document(&mut self, id: Uuid) {
        self.documents.remove(id);
        self.attachments.remove_below(id);
    }

    /// Removes a vendor with its default dimensions and attachments.
    pub(crate) fn remove_vendor(&mut self, owner: Uuid) {
        self.vendors.remove(owner);
        self.attachments.remove_below(owner);
        let gone: Vec<Uuid> =
            self.default_dimensions.iter().filter(|(_, row)| row.owner == owner).map(|(id, _)| id).collect();
        for id in gone {
            self.default_dimensions.remove(id);
        }
    }

    /// Inserts or replaces a row of a table; its version and time move.
    pub(crate) fn put<T: Clone>(
        &mut self,
        table: impl Fn(&mut Self) -> &mut Table<T>,
        id: Uuid,
        value: T,
        now: Timestamp,
    ) {
        self.version += 1;
        let row = Row { value, version: self.version, modified: now };
        table(self).put(id, row);
    }

    /// The ETag of a version of a row.
    pub(crate) fn etag(id: Uuid, version: u64) -> String {
        let mark = (id.as_u64_pair().0 % 1_000_000).wrapping_add(version.wrapping_mul(1_000_000));
        let text = format!("'19;76{mark:017}1;00;'");
        format!("W/\"{}\"", data_encoding::BASE64.encode(text.as_bytes()))
    }
}

fn setup(company: &Company, id: Uuid) -> Setup {
    let code =
        |index: usize| company.dimensions.get(index).map_or_else(String::new, |dimension| dimension.code.clone());
    Setup {
        id,
        allow_posting_from: Some(company.allow_posting_from),
        allow_posting_to: Some(company.allow_posting_to),
        local_currency: company.currency.clone(),
        global_dimensions: [code(0), code(1)],
        shortcut_dimensions: (2..8).map(code).collect(),
    }
}

fn information(company: &Company, id: Uuid) -> Information {
    let start =
        company.periods.iter().filter(|period| period.new_fiscal_year && !period.closed).map(|p| p.starting_date).min();
    Information {
        id,
        name: company.name.clone(),
        address: company.address.clone(),
        phone: "+1 404 555 0100".to_owned(),
        fax: String::new(),
        email: "accounting@northwindsupply.example".to_owned(),
        website: "https://www.northwindsupply.example".to_owned(),
        tax_number: String::new(),
        industry: "Wholesale".to_owned(),
        fiscal_year_start: start.unwrap_or(company.allow_posting_from),
    }
}
