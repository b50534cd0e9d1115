//! One `[[connection]]`: a Brex account, a Business Central company, and the rules between them.

use std::collections::BTreeMap;

use clients::Pace;
use data_encoding::HEXLOWER;
use domain::calendar::PeriodPolicy;
use domain::defaults::DefaultRule;
use domain::id::ConnectionId;
use domain::record::TypePolicy;
use domain::rules::{ClosedYears, CurrencyRule, FieldRules, Rules};
use domain::template::Descriptions;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::hosts::check_base_url;
use super::{
    ClearingSection, CodingListsSection, Config, ConfigError, DirectorySection, DriftSection, FailuresSection,
    PostSection, ReceiptsSection, RetentionSection, SecretSource, Source, TaxSection, TransfersSection, source,
};

/// One connection as configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Short name, used in commands and addresses.
    pub name: String,
    /// Cut-over date: nothing that Brex last changed before it is looked at.
    pub start_date: Date,
    /// The company's time zone (IANA name); decides on which day a purchase falls.
    pub time_zone: String,
    /// What to do with a date outside the allowed posting range.
    #[serde(default)]
    pub period_policy: PeriodKind,
    /// Largest shift for `next_open`, in days.
    #[serde(default = "default_max_shift_days")]
    pub max_shift_days: u16,
    /// What happens to dates in a fiscal year that is closed in Business Central.
    #[serde(default)]
    pub closed_years: ClosedYears,
    /// Which amount is booked: the billed one or the original one.
    #[serde(default)]
    pub currency: CurrencyRule,
    /// Whether dimensions that all lines have are set on the header, too; without it the header has none of ours.
    #[serde(default = "default_header_dimensions")]
    pub header_dimensions: bool,
    /// Number of the vendor for merchants that fit none; without it such records are held.
    #[serde(default)]
    pub default_vendor: Option<String>,
    /// Whether `vendors review` suggests to propose a new vendor; nothing is ever proposed without a person.
    #[serde(default)]
    pub propose_vendors: bool,
    /// E-mail of an employee to the number of the employee's vendor.
    #[serde(default)]
    pub employees: BTreeMap<String, String>,
    /// How accounting fields are recognised.
    #[serde(default)]
    pub fields: FieldsSection,
    /// Field to a table from its values to numbers and codes of Business Central.
    #[serde(default)]
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// What lines get where their coding says nothing; the first rule that fits counts.
    #[serde(default)]
    pub defaults: Vec<DefaultRule>,
    /// Record types of Brex to what they become.
    #[serde(default)]
    pub types: BTreeMap<String, TypePolicy>,
    /// How lines are taxed.
    #[serde(default)]
    pub tax: TaxSection,
    /// Templates of line texts; the first whose words are all there is used.
    #[serde(default)]
    pub descriptions: Vec<String>,
    /// Seconds between two polls of Brex.
    #[serde(default = "default_poll_seconds")]
    pub poll_seconds: u32,
    /// Seconds between two refreshes of vendors, accounts, dimensions and set-up.
    #[serde(default = "default_master_data_seconds")]
    pub master_data_seconds: u32,
    /// Seconds after which an absent document counts as not created (see docs on reliability before lowering it).
    #[serde(default = "default_settle_seconds")]
    pub settle_seconds: u32,
    /// The vendor directory in Brex.
    #[serde(default)]
    pub directory: DirectorySection,
    /// The lists in Brex that people code with.
    #[serde(default)]
    pub coding_lists: CodingListsSection,
    /// The receipts on documents.
    #[serde(default)]
    pub receipts: ReceiptsSection,
    /// Posting.
    #[serde(default)]
    pub post: PostSection,
    /// Clearing of posted card invoices.
    #[serde(default)]
    pub clearing: ClearingSection,
    /// The watch over documents of exported records.
    #[serde(default)]
    pub drift: DriftSection,
    /// How long what is kept of people stays.
    #[serde(default)]
    pub retention: RetentionSection,
    /// Telling Brex why a record cannot be booked.
    #[serde(default)]
    pub failures: FailuresSection,
    /// The transfers of Brex.
    #[serde(default)]
    pub transfers: TransfersSection,
    /// The Brex side.
    pub brex: BrexSection,
    /// The sign-in at Microsoft Entra ID.
    pub entra: EntraSection,
    /// The Business Central side.
    pub bc: BcSection,
}

/// The Brex side of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrexSection {
    /// The API.
    #[serde(default = "default_brex_url")]
    pub base_url: Url,
    /// Where records come from.
    #[serde(default)]
    pub source: Source,
    /// A user token with the scopes of `docs/permissions.md`.
    #[serde(default)]
    pub token: SecretSource,
    /// Sustained calls per second (Brex allows 1,000 in 60 seconds per account).
    #[serde(default = "default_brex_requests_per_second")]
    pub requests_per_second: u32,
    /// Ids or names of the legal entities whose purchases are booked here; without any, everybody's are.
    #[serde(default)]
    pub legal_entities: Vec<String>,
    /// Ids or names of those whose purchases are booked by no connection.
    #[serde(default)]
    pub other_legal_entities: Vec<String>,
    /// Whether purchases for which Brex names no legal entity are booked here.
    #[serde(default)]
    pub without_legal_entity: bool,
}

impl BrexSection {
    fn check_legal_entities(&self, key: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let lists =
            [("brex.legal_entities", &self.legal_entities), ("brex.other_legal_entities", &self.other_legal_entities)];
        for (name, list) in lists {
            if list.iter().any(|entity| entity.trim().is_empty()) {
                return Err(ConfigError::value(key(name), "has an empty entry"));
            }
        }
        let is_other = |entity: &&String| self.other_legal_entities.iter().any(|other| other.trim() == entity.trim());
        if let Some(both) = self.legal_entities.iter().find(is_other) {
            let text = format!("has {both:?}, which is in brex.legal_entities, too: leave it in one of them");
            return Err(ConfigError::value(key("brex.other_legal_entities"), text));
        }
        if self.legal_entities.is_empty() && (self.without_legal_entity || !self.other_legal_entities.is_empty()) {
            let text = "is empty, so that everything is booked here: name the legal entities that are, or leave out \
                        other_legal_entities and without_legal_entity";
            return Err(ConfigError::value(key("brex.legal_entities"), text));
        }
        Ok(())
    }
}

/// The sign-in of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraSection {
    /// The sign-in host.
    #[serde(default = "default_entra_url")]
    pub base_url: Url,
    /// Tenant id or verified domain.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret.
    #[serde(default)]
    pub client_secret: SecretSource,
    /// Certificate and its private key as PEM, in place of the client secret.
    #[serde(default)]
    pub certificate: Option<SecretSource>,
    /// The day on which secret or certificate end. Entra ID tells nobody who signs in, so it is written down here to be told in time.
    #[serde(default)]
    pub secret_expires: Option<Date>,
}

/// The Business Central side of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BcSection {
    /// The API host.
    #[serde(default = "default_bc_url")]
    pub base_url: Url,
    /// Name of the environment, such as `production`.
    pub environment: String,
    /// Name, display name or id of the company.
    pub company: String,
    /// Calls in flight at the same time (Business Central processes five per user).
    #[serde(default = "default_max_concurrent")]
    pub max_concurrent: u16,
    /// Sustained calls per second (Business Central allows 6,000 in five minutes).
    #[serde(default = "default_requests_per_second")]
    pub requests_per_second: u32,
    /// Drafts that are made with one `$batch` while so many wait, as in a back-fill; 1 makes each with a call of its own.
    #[serde(default = "default_backfill_batch")]
    pub backfill_batch: u8,
}

/// The most drafts of one batch: a lost answer leaves all of them unclear.
const LARGEST_BACKFILL_BATCH: u8 = 20;

impl BcSection {
    fn pace(&self) -> Pace {
        Pace { max_concurrent: usize::from(self.max_concurrent), requests_per_second: self.requests_per_second }
    }

    /// `per_second` is the lowest of those that sign in as the same user.
    fn check_batch(&self, per_second: u32, key: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let name = key("bc.backfill_batch");
        if !(1..=LARGEST_BACKFILL_BATCH).contains(&self.backfill_batch) {
            return Err(ConfigError::value(name, format!("must be from 1 to {LARGEST_BACKFILL_BATCH}")));
        }
        if u32::from(self.backfill_batch) > per_second {
            let text = "is more than the bc.requests_per_second of the same user, and each part of a batch counts as a request: lower it";
            return Err(ConfigError::value(name, text));
        }
        Ok(())
    }
}

/// `[connection.fields]`: what is given replaces the default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldsSection {
    /// Ids or names of the field with the G/L account.
    #[serde(default)]
    pub account: Option<Vec<String>>,
    /// Ids or names of the field with the vendor.
    #[serde(default)]
    pub vendor: Option<Vec<String>>,
    /// What stands before a dimension code.
    #[serde(default)]
    pub dimension_prefix: Option<String>,
    /// Further fields to dimension codes.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
}

/// Period policy as configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// Hold the record.
    #[default]
    Hold,
    /// First open day within `max_shift_days`.
    NextOpen,
    /// Use the date as it is.
    AsIs,
}

fn default_header_dimensions() -> bool {
    true
}

fn default_max_shift_days() -> u16 {
    31
}

fn default_poll_seconds() -> u32 {
    900
}

fn default_master_data_seconds() -> u32 {
    3_600
}

fn default_settle_seconds() -> u32 {
    1_200
}

fn default_max_concurrent() -> u16 {
    5
}

fn default_backfill_batch() -> u8 {
    1
}

fn default_brex_requests_per_second() -> u32 {
    Pace::BREX.requests_per_second
}

fn default_requests_per_second() -> u32 {
    Pace::BUSINESS_CENTRAL.requests_per_second
}

#[expect(clippy::expect_used, reason = "constants that a test parses")]
fn real_url(host: &str) -> Url {
    Url::parse(&format!("https://{host}/")).expect("constant host")
}

const BREX_HOST: &str = "api.brex.com";
pub(super) const ENTRA_HOST: &str = "login.microsoftonline.com";
const BC_HOST: &str = "api.businesscentral.dynamics.com";

fn default_brex_url() -> Url {
    real_url(BREX_HOST)
}

pub(super) fn default_entra_url() -> Url {
    real_url(ENTRA_HOST)
}

fn default_bc_url() -> Url {
    real_url(BC_HOST)
}

impl ConnectionConfig {
    /// The connection's id.
    pub fn id(&self) -> Result<ConnectionId, ConfigError> {
        ConnectionId::new(&self.name).map_err(|e| ConfigError::value("connection.name", format!("is not usable: {e}")))
    }

    /// What is leased as one: the BC API user in its environment.
    pub fn lane(&self) -> String {
        format!("{}/{}/{}", self.entra.tenant, self.bc.environment, self.entra.client_id).to_lowercase()
    }

    /// The pace towards Business Central. The connections of a lane share the limits of one user, so the strictest setting among them counts.
    pub fn pace_of_lane(&self, all: &[Self]) -> Pace {
        let own = self.bc.pace();
        let lane = all.iter().filter(|other| other.lane() == self.lane()).map(|other| other.bc.pace());
        lane.fold(own, |one, other| Pace {
            max_concurrent: one.max_concurrent.min(other.max_concurrent),
            requests_per_second: one.requests_per_second.min(other.requests_per_second),
        })
    }

    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        self.id()?;
        let key = |rest: &str| format!("connection {:?}: {rest}", self.name);
        let hosts = &config.allow_hosts;
        check_base_url(&key("brex.base_url"), &self.brex.base_url, BREX_HOST, hosts)?;
        check_base_url(&key("entra.base_url"), &self.entra.base_url, ENTRA_HOST, hosts)?;
        check_base_url(&key("bc.base_url"), &self.bc.base_url, BC_HOST, hosts)?;
        self.zone()?;
        self.descriptions()?;
        for (name, value) in [
            ("entra.tenant", &self.entra.tenant),
            ("entra.client_id", &self.entra.client_id),
            ("bc.environment", &self.bc.environment),
            ("bc.company", &self.bc.company),
        ] {
            if value.trim().is_empty() {
                return Err(ConfigError::value(key(name), "is empty"));
            }
        }
        let at_least_one = |name: &str, number: u32| match number {
            0 => Err(ConfigError::value(key(name), "must be at least 1")),
            _ => Ok(()),
        };
        at_least_one("bc.max_concurrent", u32::from(self.bc.max_concurrent))?;
        at_least_one("bc.requests_per_second", self.bc.requests_per_second)?;
        self.bc.check_batch(self.pace_of_lane(&config.connections).requests_per_second, &key)?;
        at_least_one("brex.requests_per_second", self.brex.requests_per_second)?;
        self.brex.check_legal_entities(&key)?;
        self.directory.check(&key)?;
        self.receipts.check(&key)?;
        self.drift.check(&key)?;
        self.retention.check(&key, self.drift.days)?;
        self.failures.check(&key)?;
        self.tax.check(&key)?;
        self.transfers.check(&key)?;
        self.clearing.check(&key)?;
        self.coding_lists.check(&self.field_rules(), &key)?;
        source::check(self, &key)?;
        at_least_one("poll_seconds", self.poll_seconds)?;
        at_least_one("master_data_seconds", self.master_data_seconds)?;
        at_least_one("settle_seconds", self.settle_seconds)
    }

    fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| {
            let problem = format!("names {:?}, which is no time zone; write it like America/New_York", self.time_zone);
            ConfigError::value(format!("connection {:?}: time_zone", self.name), problem)
        })
    }

    /// How long what became of a write is looked for, in milliseconds.
    pub fn settle_window_ms(&self) -> i64 {
        i64::from(self.settle_seconds).saturating_mul(1_000)
    }

    /// The rules, with their version: a fingerprint of everything that decides what a document looks like.
    pub fn rules(&self) -> Result<Rules, ConfigError> {
        let mut rules = Rules {
            version: String::new(),
            zone: self.zone()?,
            period: match self.period_policy {
                PeriodKind::Hold => PeriodPolicy::Hold,
                PeriodKind::NextOpen => PeriodPolicy::NextOpen { max_shift_days: i32::from(self.max_shift_days) },
                PeriodKind::AsIs => PeriodPolicy::AsIs,
            },
            closed_years: self.closed_years,
            currency: self.currency,
            default_vendor: self.default_vendor.clone(),
            employees: self.employees.iter().map(|(k, v)| (k.trim().to_lowercase(), v.clone())).collect(),
            fields: self.field_rules(),
            values: self.values.clone().into_iter().filter(|(_, table)| !table.is_empty()).collect(),
            meanings: Vec::new(),
            defaults: self.defaults.clone(),
            types: self.types.clone(),
            header_dimensions: self.header_dimensions,
            tax: self.tax.rules(),
            descriptions: self.descriptions()?,
        };
        let parts = serde_json::json!([
            self.time_zone,
            rules.period,
            rules.closed_years,
            rules.currency,
            rules.default_vendor,
            rules.employees,
            rules.fields,
            rules.values,
            rules.defaults,
            rules.types,
            rules.header_dimensions,
            rules.tax,
            rules.descriptions,
        ]);
        let digest = Sha256::digest(parts.to_string());
        rules.version = HEXLOWER.encode(digest.get(..6).unwrap_or_default());
        Ok(rules)
    }

    fn descriptions(&self) -> Result<Descriptions, ConfigError> {
        let key = || format!("connection {:?}: descriptions", self.name);
        Descriptions::read(&self.descriptions).map_err(|problem| ConfigError::value(key(), problem.to_string()))
    }

    fn field_rules(&self) -> FieldRules {
        let default = FieldRules::default();
        FieldRules {
            account: self.fields.account.clone().unwrap_or(default.account),
            vendor: self.fields.vendor.clone().unwrap_or(default.vendor),
            tax: self.tax.fields.clone().unwrap_or(default.tax),
            dimension_prefix: self.fields.dimension_prefix.clone().unwrap_or(default.dimension_prefix),
            dimensions: self.fields.dimensions.clone(),
        }
    }
}
