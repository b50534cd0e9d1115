//! `[connection.transfers.pay]`: whether open invoices may be paid through Brex, who has to agree, and how much may go out.

use domain::money::{Currency, Money};
use domain::transfer::{Limits, minor_units};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::ConfigError;

/// Who has to approve a transfer in Brex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// A cash admin, every time.
    #[default]
    Manual,
    /// Whoever the account's own policy asks for; perhaps nobody.
    Policy,
}

/// Paying through Brex.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaySection {
    /// Whether transfers may be ordered at all.
    pub enabled: bool,
    /// Who approves in Brex.
    pub approval: Approval,
    /// Whether one person proposes and another approves, before anything is sent.
    pub four_eyes: bool,
    /// Id of the cash account (`dpacc_…`); the primary one if it is empty.
    pub account: String,
    /// The most that may be ordered on one day, in US dollars.
    pub daily_most: Decimal,
    /// The same for one vendor.
    pub vendor_daily_most: Decimal,
}

impl Default for PaySection {
    fn default() -> Self {
        Self {
            enabled: false,
            approval: Approval::Manual,
            four_eyes: false,
            account: String::new(),
            daily_most: Decimal::from(50_000),
            vendor_daily_most: Decimal::from(25_000),
        }
    }
}

/// US cents of a configured amount.
pub(super) fn cents(amount: Decimal) -> Option<i64> {
    minor_units(&Money::new(amount, Currency::usd()))
}

impl PaySection {
    /// How much may be ordered on one day.
    pub fn limits(&self) -> Limits {
        Limits { daily: cents(self.daily_most).unwrap_or(0), vendor_daily: cents(self.vendor_daily_most).unwrap_or(0) }
    }

    pub(super) fn check(&self, key: &dyn Fn(&str) -> String, is_reconciled: bool) -> Result<(), ConfigError> {
        if self.enabled && !is_reconciled {
            let text = "needs transfers.enabled: what is paid has to be followed";
            return Err(ConfigError::value(key("transfers.pay.enabled"), text));
        }
        let limits = [("daily_most", self.daily_most), ("vendor_daily_most", self.vendor_daily_most)];
        for (name, amount) in limits {
            if cents(amount).is_none_or(|cents| cents <= 0) {
                let text = "must be US dollars above zero with at most two decimals, such as 5000.00";
                return Err(ConfigError::value(key(&format!("transfers.pay.{name}")), text));
            }
        }
        Ok(())
    }
}
