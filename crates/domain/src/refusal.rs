//! What Business Central's refusals mean: its English text to the hold that says who can do what.
//!
//! Nearly every business rule arrives as one and the same error code (`Application_DialogException`), and errors of a
//! posting always do (business-central.md §5.4), so only the texts tell them apart. Every call asks for English. Missing
//! permissions hold the whole connection, and locks pass by themselves: neither is a refusal of a document.

use crate::hold::{Hold, HoldCode};

/// Fragments that follow each other in a text, and what it means. The first row that fits counts: what is more special
/// stands above what is more general.
const MEANINGS: &[(&[&str], HoldCode)] = &[
    // Set-up (8.3). Above the accounts, since these texts name an account, too.
    (&["Posting Group must have a value in "], HoldCode::PostingSetupMissing),
    (&["The ", " Posting Setup does not exist."], HoldCode::PostingSetupMissing),
    (&["Setup is blocked in "], HoldCode::PostingSetupMissing),
    (&["You must run the data upgrade for this API page"], HoldCode::UpgradeNeeded),
    // Accounts (8.3)
    (&["Direct Posting must be equal to ", " in G/L Account: "], HoldCode::AccountUnusable),
    (&["Account Type must be equal to ", " in G/L Account: "], HoldCode::AccountUnusable),
    (&["Blocked must be equal to ", " in G/L Account: "], HoldCode::AccountUnusable),
    (&["Account does not exist."], HoldCode::AccountUnknown),
    // Dimensions (8.4, 5.7)
    (&["Select a Dimension Value Code for the Dimension Code "], HoldCode::DimensionMissing),
    (&["The Dimension Code ", " with Dimension Value Code ", " is required for "], HoldCode::DimensionMissing),
    (&[" dimension is the default dimension, and it must have a value."], HoldCode::DimensionMissing),
    (&["The Dimension Value Code must be "], HoldCode::DimensionNotAllowed),
    (&["Dimension Code ", " must be blank for "], HoldCode::DimensionNotAllowed),
    (&["The dimension set line already exists."], HoldCode::DimensionNotAllowed),
    (&["Dimension value ", " is not allowed for "], HoldCode::DimensionNotAllowed),
    (&["Dimension Value Type for Dimension Value ", " must not be "], HoldCode::DimensionUnusable),
    (&["Dimension Value ", " is missing."], HoldCode::DimensionUnknown),
    (&["Dimension ", " is blocked."], HoldCode::DimensionUnusable),
    (&["can't be used concurrently."], HoldCode::DimensionCombination),
    (&["The combination of dimensions used in ", " is blocked"], HoldCode::DimensionCombination),
    (&[" does not match to a Dimension"], HoldCode::DimensionUnknown),
    (&["The dimension field values do not match to a specific Dimension."], HoldCode::DimensionUnknown),
    // Dates and currencies (8.5, 4.1)
    (&["is not within your range of allowed posting dates"], HoldCode::PostingPeriodClosed),
    (&["There is no Currency Exchange Rate within the filter."], HoldCode::ExchangeRateMissing),
    (&[" does not match to a Currency."], HoldCode::CurrencyUnknown),
    (&["The currency values do not match to a specific Currency."], HoldCode::CurrencyUnknown),
    // Vendors (8.6, 5.2)
    (&["this type of document when Vendor ", " is blocked "], HoldCode::VendorBlocked),
    (&["The vendor cannot be found."], HoldCode::VendorNotFound),
    (&["The pay-to vendor cannot be found."], HoldCode::VendorNotFound),
    // Numbers (8.1, 8.2, 8.6)
    (&["You cannot assign new numbers from the number series "], HoldCode::NumberSeries),
    (&["because its ID, ", ", is already assigned to a record."], HoldCode::NumberSeries),
    (&["Purchase ", " already exists"], HoldCode::DocumentNumberUsed),
    (&["You need to enter the document number of the document from the vendor"], HoldCode::InvoiceNumberMissing),
    // Approval, state and totals (8.6, 5.2, 5.6)
    (&["must be approved and released before you can perform this action."], HoldCode::ApprovalRequired),
    // Posting was skipped without a word, for want of approval or prepayment (5.4).
    (&["There is no Purch. ", " Header within the filter."], HoldCode::ApprovalRequired),
    (&["Status must be equal to 'Open'", " in Purchase Header: "], HoldCode::DocumentLocked),
    (&["has been posted and can no longer be modified."], HoldCode::DocumentLocked),
    (&["can be applied to a draft ", " only."], HoldCode::DocumentLocked),
    (&["Doc. Amount Incl. VAT ", " is not equal to total of lines "], HoldCode::TotalCheckOn),
    (&["There is nothing to post because the document does not contain "], HoldCode::DocumentDiffers),
    (&["Please add at least one line item to the credit memo."], HoldCode::DocumentDiffers),
];

/// The hold that a refusal of a document means, with Business Central's own words in its sentence.
pub fn hold_of_refusal(said: &str) -> Hold {
    let meaning = MEANINGS.iter().find(|(fragments, _)| follows(said, fragments));
    let code = meaning.map_or(HoldCode::DocumentRefused, |(_, code)| *code);
    Hold::new(code, format!("Business Central refused the document: {said}"))
}

/// The hold that a refusal to post a document means.
pub fn hold_of_posting(document: &str, said: &str) -> Hold {
    Hold::new(hold_of_refusal(said).code, format!("Business Central refused to post the {document}: {said}"))
}

/// Whether the post action said that the document is no draft: posted already, by whomever (5.4, 5.6).
pub fn is_no_draft(said: &str) -> bool {
    follows(said, &["can be applied to a draft ", " only."])
}

/// Whether a line was refused for bringing a dimension that its vendor or account sets by default (5.7).
pub fn is_default_met(said: &str) -> bool {
    follows(said, &["The dimension set line already exists."])
}

/// Whether the fragments stand in the text, one after the other.
fn follows(text: &str, fragments: &[&str]) -> bool {
    let rest = fragments.iter().try_fold(text, |rest, fragment| Some(rest.split_once(fragment)?.1));
    rest.is_some()
}
