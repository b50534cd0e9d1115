//! What Brex says about a transfer, as it is kept, and what that means for its money.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Movement;
use crate::money::Currency;

/// A transfer as Brex tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `PROCESSED`, `FAILED`, `PENDING_APPROVAL` and so on.
    pub status: String,
    /// `ACH`, `CHEQUE` and so on.
    pub payment_type: String,
    /// Minor units: positive for money that goes out, negative for money that comes in.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The Brex vendor that is paid.
    pub brex_vendor: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// How it is paid.
    pub instrument: Option<String>,
    /// What the payee reads.
    pub memo: Option<String>,
    /// What Brex made of our description.
    pub description: Option<String>,
    /// The cash account.
    pub account: Option<String>,
    /// When it was or will be processed.
    pub process_date: Option<Date>,
    /// When it was made.
    pub created: Option<Date>,
    /// Why it did not go through.
    pub cancellation: Option<String>,
}

/// What the cash account says about a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Minor units without sign.
    pub amount: i64,
    /// When it was posted.
    pub date: Date,
}

impl Facts {
    /// What became of the money; `returned` if another transfer brought it back.
    pub fn movement(&self, returned: bool) -> Movement {
        if self.amount < 0 || self.payment_type.ends_with("_RETURN") {
            return Movement::Incoming;
        }
        match self.status.as_str() {
            "PROCESSED" if returned => Movement::Returned,
            "PROCESSED" => Movement::Completed,
            "FAILED" => Movement::Failed,
            // A status of a newer version says nothing: wait for one that does.
            _ => Movement::UnderWay,
        }
    }

    /// When it settled, else when it was or is processed, else when it was made.
    pub fn date(&self, settled: Option<Settled>) -> Option<Date> {
        settled.map(|settled| settled.date).or(self.process_date).or(self.created)
    }

    /// Whether the status can still change by itself.
    pub fn is_under_way(&self) -> bool {
        !matches!(self.status.as_str(), "PROCESSED" | "FAILED")
    }
}
