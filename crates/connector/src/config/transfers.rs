//! `[connection.transfers]`: how Brex transfers are reconciled.

use domain::transfer::Settings;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::pay::cents;
use super::{ConfigError, PaySection};

/// What is done in Business Central about a transfer that is matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booking {
    /// Nothing: it is reported.
    #[default]
    Report,
    /// A payment line that is applied to its documents is prepared in a journal, for a person to post.
    Journal,
}

/// Transfers of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransfersSection {
    /// Whether they are read and reconciled by the clock.
    pub enabled: bool,
    /// Seconds between two runs.
    pub seconds: u32,
    /// Seconds between two walks through all transfers; in between only the new ones and those under way are read.
    pub walk_seconds: u32,
    /// Days that a payment may be earlier than its document.
    pub days_before: u16,
    /// Days that a payment without a number may be later than the due date.
    pub days_after: u16,
    /// Days that the payment in Business Central may lie before or after the transfer.
    pub booking_days: u16,
    /// The largest fee, in US dollars: by so much more may have left the account.
    pub fee_most: Decimal,
    /// Days back that closed documents are read.
    pub closed_days: u16,
    /// What is done about a matched transfer.
    pub policy: Booking,
    /// Code of the vendor payment journal.
    pub journal: String,
    /// Number of the account that balances its lines, checked if it is given: a journal with another one is not written to.
    pub account: String,
    /// Paying open invoices.
    pub pay: PaySection,
}

impl Default for TransfersSection {
    fn default() -> Self {
        Self {
            enabled: false,
            seconds: 3_600,
            walk_seconds: 86_400,
            days_before: 7,
            days_after: 60,
            booking_days: 5,
            fee_most: Decimal::from(50),
            closed_days: 180,
            policy: Booking::Report,
            journal: String::new(),
            account: String::new(),
            pay: PaySection::default(),
        }
    }
}

impl TransfersSection {
    /// What decides about matches.
    pub fn settings(&self) -> Settings {
        Settings {
            days_before: i32::from(self.days_before),
            days_after: i32::from(self.days_after),
            booking_days: i32::from(self.booking_days),
            fee_most: cents(self.fee_most).unwrap_or(0),
            ..Settings::default()
        }
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        for (name, seconds) in [("transfers.seconds", self.seconds), ("transfers.walk_seconds", self.walk_seconds)] {
            if seconds == 0 {
                return Err(ConfigError::value(key(name), "must be at least 1"));
            }
        }
        let fits = cents(self.fee_most).is_some_and(|cents| cents >= 0);
        if !fits {
            let text = "must be US dollars with at most two decimals, such as 50.00";
            return Err(ConfigError::value(key("transfers.fee_most"), text));
        }
        if self.policy == Booking::Journal && self.journal.trim().is_empty() {
            return Err(ConfigError::value(key("transfers.journal"), "is empty, and the policy journal needs it"));
        }
        self.pay.check(key, self.enabled)
    }
}
