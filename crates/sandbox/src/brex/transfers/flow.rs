//! How transfers move on by the sandbox's clock, with the money on the accounts and the events about them.

use jiff::civil::{Date, Weekday};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::book::{CancellationReason, PaymentType, Transfer, TransferStatus, date};
use crate::brex::payments::PaymentSettings;
use crate::brex::state::State;
use crate::clock::hours;

/// The hour (UTC) at which what arrives on a later day has arrived.
const ARRIVAL_HOUR: i8 = 17;

impl State {
    /// Everything that is due until `now`, in the order of its moments.
    pub(in crate::brex) fn settle(&mut self, now: Timestamp) {
        while let Some((due_at, place)) = self.transfers.next_due().filter(|(due_at, _)| *due_at <= now) {
            match self.transfers.get(place).map(|transfer| transfer.status) {
                Some(TransferStatus::Scheduled) => self.begin(place, due_at),
                Some(TransferStatus::Processing) => self.arrive(place, due_at),
                // Nothing else has a moment of its own.
                _ => self.transfers.change(place, |transfer| transfer.due_at = None),
            }
        }
    }

    /// Starts on a business day: now, or on the Monday that comes.
    pub(super) fn schedule(&mut self, place: usize, now: Timestamp) {
        let today = date(now);
        let day = business_day(today);
        if day == today {
            return self.begin(place, now);
        }
        self.transfers.change(place, |transfer| {
            transfer.status = TransferStatus::Scheduled;
            transfer.process_date = Some(day);
            transfer.due_at = moment(day, 0);
        });
    }

    fn begin(&mut self, place: usize, at: Timestamp) {
        let Some((amount, account_id, payment_type)) = self
            .transfers
            .get(place)
            .map(|transfer| (transfer.amount, transfer.account_id.clone(), transfer.payment_type))
        else {
            return;
        };
        let account = self.cash.iter_mut().find(|account| account.id == account_id);
        let Some(account) = account.filter(|account| amount <= account.available()) else {
            return self.fail(place, Some(CancellationReason::InsufficientFunds), at);
        };
        account.held += amount.max(0);
        let days = days(payment_type, &self.settings.payments);
        let today = date(at);
        let delivery = later(today, days);
        let due_at = if days == 0 {
            at.saturating_add(hours(self.settings.payments.same_day_hours)).ok()
        } else {
            moment(delivery, ARRIVAL_HOUR)
        };
        self.transfers.change(place, |transfer| {
            transfer.status = TransferStatus::Processing;
            transfer.process_date = Some(today);
            transfer.delivery_date = Some(delivery);
            transfer.due_at = due_at;
        });
    }

    pub(super) fn arrive(&mut self, place: usize, at: Timestamp) {
        let Some(transfer) = self.transfers.get(place).cloned() else {
            return;
        };
        if let Some(account) = self.cash.iter_mut().find(|account| account.id == transfer.account_id) {
            account.held -= transfer.amount.max(0);
            let initiated = date(transfer.created_at);
            account.post(&transfer.description, -transfer.amount, initiated, at, "PAYMENT", Some(&transfer.id));
        }
        self.end(place, TransferStatus::Processed, None);
        self.announce_transfer("TRANSFER_PROCESSED", &transfer, at);
    }

    pub(super) fn fail(&mut self, place: usize, reason: Option<CancellationReason>, at: Timestamp) {
        let Some(transfer) = self.transfers.get(place).cloned() else {
            return;
        };
        if transfer.status == TransferStatus::Processing
            && let Some(account) = self.cash.iter_mut().find(|account| account.id == transfer.account_id)
        {
            account.held -= transfer.amount.max(0);
        }
        self.end(place, TransferStatus::Failed, reason);
        self.announce_transfer("TRANSFER_FAILED", &transfer, at);
    }

    fn end(&mut self, place: usize, status: TransferStatus, reason: Option<CancellationReason>) {
        self.transfers.change(place, |transfer| {
            transfer.status = status;
            transfer.reason = reason;
            transfer.due_at = None;
        });
    }

    /// The money of a transfer that had arrived comes back, as a movement of its own.
    pub(super) fn give_back(&mut self, original: &Transfer, at: Timestamp) -> String {
        let payment_type = match original.payment_type {
            PaymentType::Cheque => PaymentType::ChequeReturn,
            PaymentType::DomesticWire | PaymentType::InternationalWire => PaymentType::WireReturn,
            _ => PaymentType::AchReturn,
        };
        let back = Transfer {
            id: self.draw().prefixed("dptx"),
            payment_type,
            amount: -original.amount,
            description: format!("Return: {}", original.description),
            status: TransferStatus::Processed,
            process_date: Some(date(at)),
            delivery_date: Some(date(at)),
            creator_id: None,
            created_at: at,
            return_for: Some(original.id.clone()),
            by_api: false,
            due_at: None,
            ..original.clone()
        };
        if let Some(account) = self.cash.iter_mut().find(|account| account.id == back.account_id) {
            account.post(&back.description, -back.amount, date(at), at, "PAYMENT", Some(&back.id));
        }
        self.announce_transfer("TRANSFER_FAILED", &back, at);
        let id = back.id.clone();
        self.transfers.push(back);
        id
    }

    fn announce_transfer(&mut self, event: &str, transfer: &Transfer, at: Timestamp) {
        let body = json!({
            "event_type": event,
            "transfer_id": transfer.id,
            "payment_type": transfer.payment_type,
            "return_for_id": transfer.return_for,
            "company_id": self.company_id,
        });
        self.announce(event, &body, at);
    }
}

fn days(payment_type: PaymentType, settings: &PaymentSettings) -> u8 {
    match payment_type {
        PaymentType::Cheque => settings.cheque_days,
        PaymentType::DomesticWire => settings.domestic_wire_days,
        PaymentType::InternationalWire => settings.international_wire_days,
        _ => settings.ach_days,
    }
}

/// The day itself, or the Monday after a weekend. Bank holidays are not known here.
fn business_day(day: Date) -> Date {
    match day.weekday() {
        Weekday::Saturday => day.saturating_add(2.days()),
        Weekday::Sunday => day.saturating_add(1.day()),
        _ => day,
    }
}

fn later(day: Date, business_days: u8) -> Date {
    (0..business_days).fold(day, |day, _| business_day(day.saturating_add(1.day())))
}

fn moment(day: Date, hour: i8) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.at(hour, 0, 0, 0)).ok()
}
