//! What Brex is told about a hold (`failure.error_message`, brex.md §2.6): once per hold, and only where it is certain
//! that a person has to act in Brex or Business Central. Where the record goes after that is not documented.

use serde::{Deserialize, Serialize};

use crate::brex_vendor::name::fold;
use crate::hold::{Hold, HoldCode};
use crate::record::{Record, Review};

/// Longest text that is sent. Brex documents no limit; no sentence of ours needs more unless it quotes something long.
pub const MESSAGE_MAX: usize = 500;

/// What became of telling Brex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureState {
    /// It is about to be sent, or was, and nobody knows whether Brex has it.
    Sending,
    /// Brex has it; where the record went was not read yet.
    Told,
    /// Brex has it, and the record is no longer ready for export.
    Left,
    /// Brex has it, and the record is ready for export all the same.
    Stayed,
    /// Brex does not take it.
    Refused,
}

/// What Brex was told about a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The hold that it was about.
    pub code: HoldCode,
    /// How it went.
    pub state: FailureState,
    /// When.
    pub at_ms: i64,
}

impl Failure {
    /// Reads what [`Self::stored`] wrote.
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As it is stored.
    pub fn stored(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether Brex has it.
    pub fn is_told(&self) -> bool {
        matches!(self.state, FailureState::Told | FailureState::Left | FailureState::Stayed)
    }

    /// Whether the record may have left READY_FOR_EXPORT because of it.
    pub fn may_have_left(&self) -> bool {
        self.state != FailureState::Refused
    }

    /// Whether Brex has to be asked where the record is.
    pub fn is_unsettled(&self) -> bool {
        matches!(self.state, FailureState::Sending | FailureState::Told)
    }
}

/// Whether a person has to act in Brex or Business Central, on this very record or what it names, before any document of
/// it can exist.
pub fn is_definite(code: HoldCode) -> bool {
    match code {
        HoldCode::VendorNotFound
        | HoldCode::VendorAmbiguous
        | HoldCode::VendorMissing
        | HoldCode::VendorBlocked
        | HoldCode::EmployeeVendorMissing
        | HoldCode::AccountNotCoded
        | HoldCode::AccountUnknown
        | HoldCode::AccountUnusable
        | HoldCode::DimensionUnknown
        | HoldCode::DimensionMissing
        | HoldCode::DimensionNotAllowed
        | HoldCode::DimensionUnusable
        | HoldCode::DimensionCombination
        | HoldCode::TaxCodeUnknown
        | HoldCode::CodingContradicts
        | HoldCode::LineSumMismatch
        | HoldCode::AmountZero
        | HoldCode::CurrencyUnknown
        | HoldCode::ExchangeRateMissing
        | HoldCode::PostingPeriodClosed
        | HoldCode::FiscalYearClosed
        | HoldCode::PostingSetupMissing
        | HoldCode::DocumentRefused => true,
        // Answered or configured here.
        HoldCode::VendorReview
        | HoldCode::ExpenseBooked
        | HoldCode::PricesExcludeTax
        | HoldCode::AmountPrecision
        | HoldCode::RecordTypeUnknown
        | HoldCode::LegalEntityUnknown
        | HoldCode::RecordUnreadable
        // Of the whole company, and gone for all records at once: nobody should have to export each of them again.
        | HoldCode::NumberSeries
        | HoldCode::UpgradeNeeded
        | HoldCode::TotalCheckOn
        // Of bills, which do not pass through the export journal (brex.md §2.5).
        | HoldCode::InvoiceNumberMissing
        | HoldCode::InvoiceNumberTooLong
        // A document exists or may exist.
        | HoldCode::TaxDiffers
        | HoldCode::RecordChanged
        | HoldCode::RecordNotReady
        | HoldCode::DocumentNumberUsed
        | HoldCode::ApprovalRequired
        | HoldCode::DocumentLocked
        | HoldCode::PossibleDuplicate
        | HoldCode::DuplicateDocuments
        | HoldCode::DocumentDiffers
        | HoldCode::DocumentMissing
        | HoldCode::ReceiptUnavailable
        | HoldCode::ReceiptUnusable
        | HoldCode::ReceiptRefused
        | HoldCode::ClearingHeld
        | HoldCode::ExportRefused => false,
    }
}

/// Whether the hold was not told yet, or nobody knows.
pub fn is_to_tell(failure: Option<&Failure>, code: HoldCode) -> bool {
    failure.is_none_or(|failure| failure.is_unsettled() || failure.code != code)
}

/// The sentence of the hold and what to do, as `attention` has them. ASCII only, as Brex asks of free text (brex.md 1); a
/// long sentence is cut, never what to do.
pub fn message(hold: &Hold) -> String {
    let todo = hold.code.what_to_do();
    let (sentence, _) = fold(&hold.sentence);
    let sentence = sentence.trim_end_matches('.');
    let room = MESSAGE_MAX.saturating_sub(todo.len() + 2);
    match sentence.get(..room.saturating_sub(2)) {
        Some(cut) if sentence.len() > room => format!("{cut}... {todo}"),
        _ => format!("{sentence}. {todo}"),
    }
}

/// What is to be done about a held record, now that Brex was asked where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing can be told now.
    Nothing,
    /// It is told.
    Send,
    /// Brex has it already.
    Settle(FailureState),
}

/// Decides. `version` is what the hold is about; `is_edited` says that Brex has something else to book by now.
///
/// A record that is ready in the very version that was about to be told was not told: Brex makes a new version of
/// whatever it changes. A newer one with nothing edited is what Brex made of the failure.
pub fn decide_next(failure: Option<&Failure>, code: HoldCode, version: i64, now: &Record, is_edited: bool) -> Next {
    let is_ready = now.review == Review::ReadyForExport;
    let is_newer = now.version > version;
    match failure.filter(|failure| failure.is_unsettled()).map(|failure| failure.state) {
        Some(_) if !is_ready => Next::Settle(FailureState::Left),
        // The poll takes it.
        Some(_) if is_newer && is_edited => Next::Nothing,
        Some(FailureState::Sending) if !is_newer => Next::Send,
        Some(_) => Next::Settle(FailureState::Stayed),
        None if is_ready && !is_newer && is_to_tell(failure, code) => Next::Send,
        None => Next::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_ascii_ends_with_what_to_do_and_is_cut_in_the_sentence() {
        let hold = |sentence: String| Hold::new(HoldCode::VendorBlocked, sentence);
        let todo = HoldCode::VendorBlocked.what_to_do();
        assert_eq!(
            message(&hold("vendor V1 Café “Zoë” is blocked".to_owned())),
            format!("vendor V1 Cafe \"Zoe\" is blocked. {todo}")
        );
        assert_eq!(message(&hold("it is blocked.".to_owned())), format!("it is blocked. {todo}"));
        let long = message(&hold("é".repeat(2_000)));
        assert_eq!(long.len(), MESSAGE_MAX);
        assert!(long.is_ascii() && long.ends_with(&format!("e... {todo}")), "{long}");
    }

    #[test]
    fn what_only_the_operator_can_clear_or_may_have_a_document_is_never_told() {
        use crate::hold::Fixer;
        for code in HoldCode::ALL.iter().filter(|code| is_definite(**code)) {
            assert_ne!(code.fixer(), Fixer::Operator, "{code}");
        }
        for code in [HoldCode::PossibleDuplicate, HoldCode::DocumentNumberUsed, HoldCode::VendorReview] {
            assert!(!is_definite(code), "{code}");
        }
    }

    #[test]
    fn what_was_stored_reads_back() {
        for state in [FailureState::Sending, FailureState::Left] {
            let failure = Failure { code: HoldCode::VendorBlocked, state, at_ms: 7 };
            assert_eq!(Failure::from_stored(&failure.stored()), Some(failure));
        }
        assert_eq!(Failure::from_stored("{}"), None);
    }
}
