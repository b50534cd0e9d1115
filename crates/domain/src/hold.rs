//! Holds: business reasons to stop, each with a stable code, a sentence, and who can fix it. A hold is not an error.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who can remove the cause of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fixer {
    /// The person who codes and books.
    Bookkeeper,
    /// The administrator of Business Central.
    BcAdmin,
    /// The administrator of Brex.
    BrexAdmin,
    /// The person who runs the connector.
    Operator,
}

impl Fixer {
    /// The words shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bookkeeper => "bookkeeper",
            Self::BcAdmin => "BC admin",
            Self::BrexAdmin => "Brex admin",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Fixer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! hold_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $fixer:ident, $todo:literal;)*) => {
        /// Stable codes of holds. Each has a page in `docs/codes/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HoldCode { $($(#[$doc])* $name,)* }

        impl HoldCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text of the code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Who can fix it.
            pub fn fixer(self) -> Fixer {
                match self { $(Self::$name => Fixer::$fixer,)* }
            }

            /// What that person does.
            pub fn what_to_do(self) -> &'static str {
                match self { $(Self::$name => $todo,)* }
            }
        }
    };
}

hold_codes! {
    /// No BC vendor fits the merchant.
    VendorNotFound = "vendor_not_found", Bookkeeper,
        "Code the vendor on the record in Brex, or create or rename the vendor in Business Central.";
    /// Several BC vendors fit equally well.
    VendorAmbiguous = "vendor_ambiguous", Bookkeeper,
        "Code the vendor on the record in Brex, so that it is clear which one is meant.";
    /// A vendor may be meant, and a person has to say so.
    VendorReview = "vendor_review", Bookkeeper,
        "Look at the suggestions with vendors review, then confirm one, or say that it is none of the vendors.";
    /// The record names neither merchant nor vendor.
    VendorMissing = "vendor_missing", Bookkeeper, "Code the vendor on the record in Brex.";
    /// The vendor may not receive documents.
    VendorBlocked = "vendor_blocked", Bookkeeper, "Unblock the vendor in Business Central, or code another vendor in Brex.";
    /// The reimbursed employee has no vendor.
    EmployeeVendorMissing = "employee_vendor_missing", Bookkeeper,
        "Give a vendor in Business Central the employee's e-mail address, or add the employee to the connection's employees table.";
    /// A line carries no G/L account.
    AccountNotCoded = "account_not_coded", Bookkeeper, "Choose the G/L account for every line in Brex.";
    /// The coded G/L account is not in BC.
    AccountUnknown = "account_unknown", Bookkeeper,
        "Choose an existing G/L account in Brex, or create the account in Business Central.";
    /// The coded G/L account cannot be used on a document.
    AccountUnusable = "account_unusable", Bookkeeper,
        "Choose a posting account that is not blocked and allows direct posting, or change the account in Business Central.";
    /// A coded dimension or dimension value is not in BC.
    DimensionUnknown = "dimension_unknown", Bookkeeper,
        "Choose an existing dimension value in Brex, or create it in Business Central.";
    /// BC demands a dimension that is not coded.
    DimensionMissing = "dimension_missing", Bookkeeper,
        "Code the dimension that Business Central names on every line of the record in Brex.";
    /// BC demands another value of a dimension, or none.
    DimensionNotAllowed = "dimension_not_allowed", Bookkeeper,
        "Code the value that Business Central asks for, or change the default dimensions of the vendor or account.";
    /// The dimension or its value may not be used.
    DimensionUnusable = "dimension_unusable", Bookkeeper,
        "Choose a standard value that is not blocked in Brex, or unblock it in Business Central.";
    /// Two dimensions or values may not stand together.
    DimensionCombination = "dimension_combination", Bookkeeper,
        "Change one of the two dimensions in Brex, or allow the combination in Business Central.";
    /// A tax code is not in BC.
    TaxCodeUnknown = "tax_code_unknown", Bookkeeper,
        "Choose an existing tax code in Brex or in the connection's rules, or create it in Business Central.";
    /// BC forces prices without tax.
    PricesExcludeTax = "prices_exclude_tax", Operator,
        "Set tax.prices_include_tax of the connection to false, or name the VAT company that is meant.";
    /// BC's tax makes another total of the document.
    TaxDiffers = "tax_differs", Bookkeeper,
        "Correct tax code, prices including tax or amount on the draft in Business Central, or delete it and replay the record.";
    /// Two fields of one line say different things.
    CodingContradicts = "coding_contradicts", Bookkeeper,
        "Leave only one value for the account, the tax code and for each dimension of the named line in Brex.";
    /// The lines do not add up to the record.
    LineSumMismatch = "line_sum_mismatch", Bookkeeper, "Correct the split of the record in Brex.";
    /// There is nothing to book.
    AmountZero = "amount_zero", Bookkeeper, "Skip the record, or correct its amount in Brex.";
    /// An amount has more decimals than its currency.
    AmountPrecision = "amount_precision", Operator, "Correct the amount in Brex, or report the record to its support.";
    /// BC does not know the currency.
    CurrencyUnknown = "currency_unknown", BcAdmin, "Create the currency in Business Central.";
    /// BC has no exchange rate for the date.
    ExchangeRateMissing = "exchange_rate_missing", BcAdmin,
        "Enter an exchange rate for the currency in Business Central that starts on or before the posting date.";
    /// The posting date is outside the allowed range.
    PostingPeriodClosed = "posting_period_closed", Bookkeeper,
        "Open the period in Business Central, change the date in Brex, or set the connection's period policy to next_open.";
    /// The posting date is in a closed fiscal year.
    FiscalYearClosed = "fiscal_year_closed", Bookkeeper,
        "Change the date in Brex, set the connection's period policy to next_open, or allow closed years if it belongs there.";
    /// A bill carries no invoice number.
    InvoiceNumberMissing = "invoice_number_missing", Bookkeeper, "Enter the supplier's invoice number on the bill in Brex.";
    /// The bill's invoice number does not fit.
    InvoiceNumberTooLong = "invoice_number_too_long", Bookkeeper,
        "Shorten the invoice number on the bill in Brex to 35 characters.";
    /// Brex sent a type that this version does not know.
    RecordTypeUnknown = "record_type_unknown", Operator,
        "Book the record by hand and skip it, or install a version of the connector that knows the type.";
    /// Nothing says in which company a legal entity's purchases are booked.
    LegalEntityUnknown = "legal_entity_unknown", Operator,
        "Name the legal entity in brex.legal_entities of the connection that books it, or in brex.other_legal_entities.";
    /// The record could not be read.
    RecordUnreadable = "record_unreadable", Operator, "Compare the stored payload with the Brex documentation and report it.";
    /// The record was edited after its document was made.
    RecordChanged = "record_changed", Bookkeeper,
        "Take the edit back in Brex, or delete the draft in Business Central and replay the record.";
    /// Brex no longer has the record ready for export.
    RecordNotReady = "record_not_ready", Bookkeeper,
        "Move the record to ready for export in Brex again, or delete the draft in Business Central and skip the record.";
    /// Posting groups or posting set-up are missing or blocked.
    PostingSetupMissing = "posting_setup_missing", BcAdmin,
        "Complete the posting group or posting set-up that Business Central names.";
    /// A number series of BC gives no more numbers.
    NumberSeries = "number_series", BcAdmin, "Extend or correct the number series that Business Central names.";
    /// The vendor's ledger already has the document number.
    DocumentNumberUsed = "document_number_used", Bookkeeper,
        "Look for the posted document of this number: if it is the same purchase, delete the draft and skip the record.";
    /// The document waits for an approval in BC.
    ApprovalRequired = "approval_required", Bookkeeper, "Have the document approved and released in Business Central.";
    /// The document was released or posted and cannot be changed.
    DocumentLocked = "document_locked", Bookkeeper,
        "Reopen the released document in Business Central, or book the change by hand if it is posted.";
    /// BC compares a total that its API cannot fill.
    TotalCheckOn = "total_check_on", BcAdmin,
        "Enter the document amount on the draft, or switch Check Doc. Total Amounts off in Purchases & Payables Setup.";
    /// BC's own data must be upgraded before its API page works.
    UpgradeNeeded = "upgrade_needed", BcAdmin, "Run the upgrade that Business Central names on the page API Data Upgrade.";
    /// A document with the same number exists that is not ours.
    PossibleDuplicate = "possible_duplicate", Bookkeeper,
        "Look at the document in Business Central: if it is the same purchase, skip the record; else change its number.";
    /// Another record of Brex is about the same purchase.
    ExpenseBooked = "expense_booked", Bookkeeper,
        "Set one of both records aside, or let the connection make only one of their types into documents.";
    /// More than one document carries our number and marker.
    DuplicateDocuments = "duplicate_documents", Bookkeeper, "Delete all but one of the named drafts in Business Central.";
    /// BC refused the document.
    DocumentRefused = "document_refused", Bookkeeper, "Remove the cause that Business Central names.";
    /// The document in BC is not what was planned.
    DocumentDiffers = "document_differs", Bookkeeper,
        "Correct the draft in Business Central as the difference says, or delete it.";
    /// The document is no longer in BC.
    DocumentMissing = "document_missing", Bookkeeper,
        "If the draft was deleted on purpose, skip the record; else replay it.";
    /// A receipt cannot be fetched from Brex.
    ReceiptUnavailable = "receipt_unavailable", Bookkeeper,
        "Look at the receipt in Brex and upload it again if it does not open; then retry the record.";
    /// A receipt is not what Business Central should get.
    ReceiptUnusable = "receipt_unusable", Bookkeeper,
        "Replace the receipt in Brex by a smaller file or one of a usual type, or attach it by hand and switch receipts off.";
    /// Business Central does not take the receipt, or has another file in its place.
    ReceiptRefused = "receipt_refused", BcAdmin,
        "Remove the cause that Business Central names, or delete the named file from the document; then retry the record.";
    /// No payment line can be prepared for a posted document.
    ClearingHeld = "clearing_held", Bookkeeper,
        "Remove the cause that is named, or clear the document in Business Central by hand; then retry the record.";
    /// Brex refused the export result.
    ExportRefused = "export_refused", BrexAdmin, "Look at the record in Brex; retry when it is ready for export.";
}

impl fmt::Display for HoldCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for HoldCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for HoldCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The stored text names no hold code of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown hold code {0:?}")]
pub struct UnknownHoldCode(String);

impl FromStr for HoldCode {
    type Err = UnknownHoldCode;

    fn from_str(text: &str) -> Result<Self, UnknownHoldCode> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| UnknownHoldCode(text.to_owned()))
    }
}

/// A business reason to stop with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Stable code.
    pub code: HoldCode,
    /// One sentence for a bookkeeper that names the things concerned.
    pub sentence: String,
}

impl Hold {
    /// A hold with its sentence.
    pub fn new(code: HoldCode, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        let texts: BTreeSet<_> = HoldCode::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(texts.len(), HoldCode::ALL.len());
        for code in HoldCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.what_to_do().ends_with('.'));
        }
    }
}
