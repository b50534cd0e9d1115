//! Money that only moved: payments of the card balance, payouts, rewards, bill payments.

use super::Zoo;
use super::sketch::{Side, Sketch};
use crate::brex::records::Expectation;

fn movement(zoo: &Zoo<'_>, record_type: &'static str, source_type: &'static str) -> Sketch {
    Sketch::new(zoo, record_type, source_type, zoo.amount(50, 20_000))
        .expecting(Expectation::NotSpend, "money moved, nothing was bought")
}

pub(super) fn card_payment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "CARD_PAYMENT", "CARD")
}

pub(super) fn card_payment_refund(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    reversed(movement(zoo, "CARD_PAYMENT_REFUND", "CARD"))
}

pub(super) fn reward_redemption(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "REWARD_REDEMPTION", "CARD")
}

pub(super) fn payout(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT", "REIMBURSEMENT")
}

pub(super) fn payout_reversal(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    reversed(movement(zoo, "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL", "REIMBURSEMENT"))
}

pub(super) fn payin(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN", "REIMBURSEMENT")
}

pub(super) fn payin_refund(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    reversed(movement(zoo, "REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND", "REIMBURSEMENT"))
}

pub(super) fn bill_payment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "BILL_EXPENSE_PAYMENT", "BILL")
}

pub(super) fn bill_card_payment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "BILL_EXPENSE_CARD_PAYMENT", "BILL")
}

pub(super) fn bill_payin(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "BILL_MONEY_MOVEMENT_PAYIN", "BILL")
}

pub(super) fn invoice_payment(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "INVOICE_PAYMENT", "CARD")
}

/// Brex names this type and says nothing more about it.
pub(super) fn invoice(zoo: &Zoo<'_>, _number: usize) -> Sketch {
    movement(zoo, "INVOICE", "CARD").expecting(Expectation::Held, "Brex does not say what this type is")
}

fn reversed(mut sketch: Sketch) -> Sketch {
    sketch.spend_side = Side::Credit;
    sketch
}
