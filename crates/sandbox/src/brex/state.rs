//! Everything the Brex side remembers, in one serialisable value.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cash::CashAccount;
use super::expenses::Uploads;
use super::fields::FieldBook;
use super::idempotency::Keys;
use super::integration::Integration;
use super::records::{Journal, Stored};
use super::settings::Settings;
use super::team::Team;
use super::token::Token;
use super::transfers::{Linked, Transfers};
use super::vendors;
use super::webhooks::{Outbox, Subscription, WebhookSecret};
use super::zoo;
use crate::Options;
use crate::company::{Address, Company};
use crate::ids::Ids;

/// The state behind the lock.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    seed: u64,
    /// How many things got an id while running. Kept, so that a restored state never gives an id twice.
    pub(super) drawn: u64,
    pub(super) company_id: String,
    pub(super) legal_name: String,
    pub(super) address: Address,
    pub(super) owner: Owner,
    pub(super) team: Team,
    pub(super) settings: Settings,
    pub(super) tokens: Vec<Token>,
    /// When the last minute's requests came; a restart forgets them.
    #[serde(skip)]
    pub(super) recent_requests: VecDeque<Timestamp>,
    pub(super) secrets: Vec<WebhookSecret>,
    pub(super) integrations: Vec<Integration>,
    #[serde(default)]
    pub(super) fields: FieldBook,
    pub(super) journal: Journal,
    /// What the records were of expenses that are records of their parts now.
    #[serde(default)]
    pub(super) split_expenses: BTreeMap<String, Stored>,
    /// Expenses of another legal entity than the default one, with its place in the list.
    #[serde(default)]
    pub(super) spenders: BTreeMap<String, usize>,
    #[serde(default)]
    pub(super) uploads: Uploads,
    pub(super) subscriptions: Vec<Subscription>,
    /// What was answered under each `Idempotency-Key`.
    pub(super) keys: Keys,
    pub(super) vendors: vendors::Book,
    pub(super) cash: Vec<CashAccount>,
    pub(super) linked: Vec<Linked>,
    pub(super) transfers: Transfers,
    pub(super) outbox: Outbox,
}

/// The user whose token is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
}

impl State {
    pub(super) fn new(options: &Options, company: &Company, ids: &Ids, now: Timestamp) -> Self {
        let drawn = ids.prefixed("cuacc");
        let company_id = company.brex_id.clone().unwrap_or(drawn);
        let mut journal = Journal::default();
        for record in zoo::records(&ids.stream("zoo"), company, &company_id, options.records, now) {
            journal.insert(record);
        }
        let mut state = Self {
            seed: options.seed,
            drawn: 0,
            team: Team::new(&ids.stream("team"), company, &company_id),
            company_id,
            legal_name: company.name.clone(),
            address: company.address.clone(),
            owner: owner(company),
            settings: Settings { webhook_drop_percent: options.webhook_drop_percent, ..Settings::default() },
            tokens: vec![Token::new(ids)],
            recent_requests: VecDeque::new(),
            secrets: vec![WebhookSecret::new(ids)],
            integrations: Vec::new(),
            fields: FieldBook::default(),
            journal,
            split_expenses: BTreeMap::new(),
            spenders: BTreeMap::new(),
            uploads: Uploads::default(),
            subscriptions: Vec::new(),
            keys: Keys::default(),
            vendors: vendors::Book::default(),
            cash: Vec::new(),
            linked: Vec::new(),
            transfers: Transfers::default(),
            outbox: Outbox::default(),
        };
        state.live_through_past(&ids.stream("payments"), now);
        state
    }

    /// A fresh source for the ids of one new thing.
    pub(super) fn draw(&mut self) -> Ids {
        self.drawn += 1;
        Ids::new(self.seed).stream(&format!("brex.{}", self.drawn))
    }
}

fn owner(company: &Company) -> Owner {
    let (first_name, last_name, email) = company.employees.first().map_or_else(
        || ("Dana".to_owned(), "Okafor".to_owned(), "dana.okafor@example.com".to_owned()),
        |person| (person.first_name.clone(), person.last_name.clone(), person.email.clone()),
    );
    Owner { id: zoo::user_id(&email), first_name, last_name, email }
}
