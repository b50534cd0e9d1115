//! Transfers as they are kept: in the order in which they were made, with the moments at which they move on.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::brex::payments::{CreatedAt, PaymentSettings};
use crate::brex::vendors::Rail;

/// The rail of a transfer, or of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentType {
    /// ACH.
    Ach,
    /// Wire within the US.
    DomesticWire,
    /// Paper.
    Cheque,
    /// SWIFT wire.
    InternationalWire,
    /// An ACH payment came back.
    AchReturn,
    /// A wire came back.
    WireReturn,
    /// A cheque came back.
    ChequeReturn,
}

impl From<Rail> for PaymentType {
    fn from(rail: Rail) -> Self {
        match rail {
            Rail::Ach => Self::Ach,
            Rail::DomesticWire => Self::DomesticWire,
            Rail::Cheque => Self::Cheque,
            Rail::InternationalWire => Self::InternationalWire,
        }
    }
}

/// Where a transfer is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferStatus {
    /// A cash admin must approve it.
    PendingApproval,
    /// It starts later.
    Scheduled,
    /// On its way.
    Processing,
    /// Arrived.
    Processed,
    /// Ended without money moving.
    Failed,
}

/// Why a transfer failed, where Brex says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancellationReason {
    /// Somebody cancelled it.
    UserCancelled,
    /// Not enough money when it was to start.
    InsufficientFunds,
    /// It was not approved.
    ApprovalDenied,
    /// ACH debit settings.
    BlockedByPositivePay,
}

/// A movement of money from (positive) or to (negative) a cash account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::brex) struct Transfer {
    pub(in crate::brex) id: String,
    pub(in crate::brex) payment_type: PaymentType,
    pub(in crate::brex) counterparty: Value,
    pub(in crate::brex) amount: i64,
    pub(in crate::brex) description: String,
    pub(in crate::brex) display_name: String,
    pub(in crate::brex) external_memo: Option<String>,
    pub(in crate::brex) account_id: String,
    pub(in crate::brex) status: TransferStatus,
    pub(in crate::brex) reason: Option<CancellationReason>,
    pub(in crate::brex) process_date: Option<Date>,
    pub(in crate::brex) delivery_date: Option<Date>,
    pub(in crate::brex) creator_id: Option<String>,
    pub(in crate::brex) created_at: Timestamp,
    pub(in crate::brex) protected: Option<bool>,
    pub(in crate::brex) return_for: Option<String>,
    /// Counts for the limits of a day.
    pub(in crate::brex) by_api: bool,
    /// When the status changes by itself.
    pub(super) due_at: Option<Timestamp>,
}

impl Transfer {
    pub(super) fn json(&self, settings: &PaymentSettings) -> Value {
        let created_at = match settings.created_at {
            CreatedAt::Date => date(self.created_at).to_string(),
            CreatedAt::DateTime => format!("{:.3}", self.created_at),
        };
        json!({
            "id": self.id,
            "counterparty": self.counterparty,
            "description": self.description,
            "payment_type": self.payment_type,
            "amount": { "amount": self.amount, "currency": "USD" },
            "process_date": self.process_date,
            "originating_account": { "type": "BREX_CASH", "id": self.account_id },
            "status": self.status,
            "cancellation_reason": self.reason,
            "estimated_delivery_date": self.delivery_date,
            "creator_user_id": self.creator_id,
            "created_at": created_at,
            "display_name": self.display_name,
            "external_memo": self.external_memo,
            "is_ppro_enabled": self.protected,
        })
    }
}

/// The day of a moment, in UTC.
pub(in crate::brex) fn date(moment: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(moment).date()
}

/// All transfers.
#[derive(Debug, Default)]
pub(in crate::brex) struct Transfers {
    all: Vec<Transfer>,
    places: HashMap<String, usize>,
    due: BTreeSet<(Timestamp, usize)>,
}

impl Transfers {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Transfer> {
        self.all.iter()
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Transfer> {
        self.all.get(place)
    }

    pub(in crate::brex) fn push(&mut self, transfer: Transfer) -> usize {
        let place = self.all.len();
        self.places.insert(transfer.id.clone(), place);
        self.due.extend(transfer.due_at.map(|due_at| (due_at, place)));
        self.all.push(transfer);
        place
    }

    /// Changes a transfer, keeping the order of what is due.
    pub(super) fn change(&mut self, place: usize, change: impl FnOnce(&mut Transfer)) {
        if let Some(transfer) = self.all.get_mut(place) {
            if let Some(due_at) = transfer.due_at {
                self.due.remove(&(due_at, place));
            }
            change(transfer);
            self.due.extend(transfer.due_at.map(|due_at| (due_at, place)));
        }
    }

    pub(in crate::brex) fn next_due(&self) -> Option<(Timestamp, usize)> {
        self.due.first().copied()
    }
}

impl Serialize for Transfers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.all)
    }
}

impl<'de> Deserialize<'de> for Transfers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut transfers = Self::default();
        for transfer in Vec::<Transfer>::deserialize(deserializer)? {
            transfers.push(transfer);
        }
        Ok(transfers)
    }
}
