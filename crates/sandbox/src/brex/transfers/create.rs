//! `POST /v1/transfers` and `POST /v1/incoming_transfers`: what is asked for, and whether that is possible.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::book::{PaymentType, Transfer, TransferStatus};
use crate::brex::error::Refusal;
use crate::brex::input::{Fields, invalid, object, required_text};
use crate::brex::state::State;
use crate::brex::vendors::{MadeIn, Rail};

const LONGEST_MEMO: usize = 90;
const LONGEST_CHEQUE_MEMO: usize = 40;
const FIRST_CHEQUE: usize = 1001;

impl State {
    pub(super) fn create_transfer(&mut self, body: &Fields, now: Timestamp) -> Result<Value, Refusal> {
        let counterparty = object(body, "counterparty")?;
        // BOOK_TRANSFER is documented as a feature of certain customers; this account is not one of them.
        if counterparty.get("type").and_then(Value::as_str) != Some("VENDOR") {
            return Err(invalid("type"));
        }
        let instrument = required_text(counterparty, "payment_instrument_id")?;
        let amount = money(body)?;
        required_text(body, "description")?;
        let memo = required_text(body, "external_memo")?;
        let account_id = self.cash_account_of(body, "originating_account")?;
        let rail = self
            .vendors
            .of_instrument(&instrument)
            .and_then(|vendor| vendor.account(&instrument))
            .map(|account| account.rail)
            .ok_or_else(|| invalid("payment_instrument_id"))?;
        let longest = if rail == Rail::Cheque { LONGEST_CHEQUE_MEMO } else { LONGEST_MEMO };
        if memo.len() > longest {
            return Err(invalid("external_memo"));
        }
        let manual = match body.get("approval_type") {
            None | Some(Value::Null) => self.settings.payments.approval_by_default,
            Some(kind) if kind == "MANUAL" => true,
            Some(_) => return Err(invalid("approval_type")),
        };
        let protected = match body.get("is_ppro_enabled") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(protected)) if !protected || rail == Rail::InternationalWire => *protected,
            Some(_) => return Err(invalid("is_ppro_enabled")),
        };
        self.within_limits(rail, now)?;
        let place = self
            .pay(&instrument, amount, &memo, account_id, manual, now)
            .ok_or_else(|| invalid("payment_instrument_id"))?;
        self.transfers.change(place, |transfer| {
            transfer.by_api = true;
            transfer.protected = Some(protected);
        });
        self.shown(place)
    }

    /// A transfer to a payment instrument, waiting for approval or started.
    pub(in crate::brex) fn pay(
        &mut self,
        instrument: &str,
        amount: i64,
        memo: &str,
        account_id: String,
        manual: bool,
        now: Timestamp,
    ) -> Option<usize> {
        let vendor = self.vendors.of_instrument(instrument)?.clone();
        let account = vendor.account(instrument)?;
        let description = if account.rail == Rail::Cheque {
            let number = FIRST_CHEQUE + self.transfers.iter().count();
            format!("Check #{number} to {} - {memo}", account.field("recipient_name").unwrap_or_default())
        } else {
            let beneficiary = account.beneficiary_name.as_ref().or(vendor.beneficiary_name.as_ref());
            let name = beneficiary.filter(|_| vendor.made_in == MadeIn::Dashboard).unwrap_or(&vendor.company_name);
            format!("{name} - {memo}")
        };
        let transfer = Transfer {
            id: self.draw().prefixed("dptx"),
            payment_type: account.rail.into(),
            counterparty: json!({
                "type": "VENDOR",
                "id": vendor.id,
                "payment_instrument_id": instrument,
                "routing_number": null,
                "account_number": null,
            }),
            amount,
            description,
            display_name: vendor.company_name.clone(),
            external_memo: Some(memo.to_owned()),
            ..self.blank(account_id, now)
        };
        let place = self.transfers.push(transfer);
        if !manual {
            self.schedule(place, now);
        }
        Some(place)
    }

    /// An ACH debit of a linked account.
    pub(super) fn create_incoming(&mut self, body: &Fields, now: Timestamp) -> Result<Value, Refusal> {
        let counterparty = object(body, "counterparty")?;
        if counterparty.get("type").and_then(Value::as_str) != Some("BANK") {
            return Err(invalid("type"));
        }
        let id = required_text(counterparty, "id")?;
        let linked = self.linked.iter().find(|linked| linked.id == id).cloned().ok_or_else(|| invalid("id"))?;
        let amount = money(body)?;
        let description = required_text(body, "description")?;
        let account_id = self.cash_account_of(body, "receiving_account")?;
        self.within_limits(Rail::Ach, now)?;
        let place = self.receive(&linked.bank, &description, amount, PaymentType::Ach, account_id, now);
        let creator = self.owner.id.clone();
        self.transfers.change(place, |transfer| {
            transfer.by_api = true;
            transfer.creator_id = Some(creator);
        });
        self.shown(place)
    }

    /// Money that somebody sends.
    pub(in crate::brex) fn receive(
        &mut self,
        sender: &str,
        memo: &str,
        amount: i64,
        payment_type: PaymentType,
        account_id: String,
        now: Timestamp,
    ) -> usize {
        let transfer = Transfer {
            id: self.draw().prefixed("dptx"),
            payment_type,
            counterparty: json!({
                "type": "BANK_ACCOUNT",
                "routing_number": null,
                "account_number": null,
                "description": sender,
                "beneficiary_bank": null,
                "fed_reference_number": null,
                "external_memo": memo,
            }),
            amount: -amount,
            description: format!("{sender} - {memo}"),
            display_name: sender.to_owned(),
            creator_id: None,
            ..self.blank(account_id, now)
        };
        let place = self.transfers.push(transfer);
        self.schedule(place, now);
        place
    }

    fn blank(&self, account_id: String, now: Timestamp) -> Transfer {
        Transfer {
            id: String::new(),
            payment_type: PaymentType::Ach,
            counterparty: Value::Null,
            amount: 0,
            description: String::new(),
            display_name: String::new(),
            external_memo: None,
            account_id,
            status: TransferStatus::PendingApproval,
            reason: None,
            process_date: None,
            delivery_date: None,
            creator_id: Some(self.owner.id.clone()),
            created_at: now,
            protected: None,
            return_for: None,
            by_api: false,
            due_at: None,
        }
    }

    fn cash_account_of(&self, body: &Fields, name: &str) -> Result<String, Refusal> {
        let account = object(body, name)?;
        let id = required_text(account, "id")?;
        let known = account.get("type").and_then(Value::as_str) == Some("BREX_CASH")
            && self.cash.iter().any(|account| account.id == id);
        if known { Ok(id) } else { Err(invalid(name)) }
    }

    /// So many transfers, and so many international wires, in any 24 hours.
    fn within_limits(&self, rail: Rail, now: Timestamp) -> Result<(), Refusal> {
        let day = SignedDuration::from_hours(24);
        let (mut all, mut wires) = (0, 0);
        let recent = self.transfers.iter().rev().take_while(|transfer| now.duration_since(transfer.created_at) < day);
        for transfer in recent.filter(|transfer| transfer.by_api) {
            all += 1;
            wires += usize::from(transfer.payment_type == PaymentType::InternationalWire);
        }
        let settings = &self.settings.payments;
        let too_many_wires = rail == Rail::InternationalWire && wires >= settings.international_wires_per_day;
        if too_many_wires || all >= settings.transfers_per_day {
            return Err(Refusal::too_many(&self.settings));
        }
        Ok(())
    }
}

/// Whole cents of USD, more than none.
fn money(body: &Fields) -> Result<i64, Refusal> {
    let money = object(body, "amount")?;
    if !money.get("currency").is_none_or(|currency| currency.is_null() || currency == "USD") {
        return Err(invalid("currency"));
    }
    // Sums of balances stay far from the ends of the number.
    let amount = money.get("amount").and_then(Value::as_i64).filter(|amount| (1..=1_000_000_000_000).contains(amount));
    amount.ok_or_else(|| invalid("amount"))
}
