//! Each text of the catalogue of Business Central's errors (business-central.md §8, and §4.1, §5.2, §5.6, §5.7 for those
//! of drafts) with the hold it means.

use domain::hold::HoldCode::{self, *};
use domain::refusal::hold_of_refusal;

const TEXTS: &[(&str, HoldCode)] = &[
    // 8.1
    ("You cannot assign new numbers from the number series P-INV.", NumberSeries),
    ("You cannot assign new numbers from the number series P-INV on or before 06/01/2026.", NumberSeries),
    (
        "Cannot post the purchase invoice because its ID, 108001, is already assigned to a record. Update the number \
         series and try again.",
        NumberSeries,
    ),
    // 8.2
    ("Purchase Invoice BRX-107001 already exists for this vendor.", DocumentNumberUsed),
    ("Purchase Credit Memo BRX-107001 already exists for this vendor.", DocumentNumberUsed),
    (
        "You need to enter the document number of the document from the vendor in the Vendor Invoice No. field, so that \
         this document stays linked to the original.",
        InvoiceNumberMissing,
    ),
    // 8.3
    ("Direct Posting must be equal to 'Yes'  in G/L Account: No.=22100. Current value is 'No'.", AccountUnusable),
    (
        "Account Type must be equal to 'Posting'  in G/L Account: No.=60000. Current value is 'Heading'.",
        AccountUnusable,
    ),
    ("Blocked must be equal to 'No'  in G/L Account: No.=61400. Current value is 'Yes'.", AccountUnusable),
    ("Gen. Bus. Posting Group must have a value in Vendor: No.=V1. It cannot be zero or empty.", PostingSetupMissing),
    ("Vendor Posting Group must have a value in Vendor: No.=V1. It cannot be zero or empty.", PostingSetupMissing),
    (
        "Gen. Prod. Posting Group must have a value in G/L Account: No.=61300. It cannot be zero or empty.",
        PostingSetupMissing,
    ),
    (
        "The General Posting Setup does not exist. Identification fields and values: Gen. Bus. Posting Group='DOMESTIC',\
         Gen. Prod. Posting Group='MISC'",
        PostingSetupMissing,
    ),
    (
        "The VAT Posting Setup does not exist. Identification fields and values: VAT Bus. Posting Group='EU'",
        PostingSetupMissing,
    ),
    (
        "Setup is blocked in VAT Posting Setup for VAT Bus. Posting Group EU and VAT Prod. Posting Group X.",
        PostingSetupMissing,
    ),
    ("Account does not exist.", AccountUnknown),
    // 8.4
    ("Select a Dimension Value Code for the Dimension Code DEPARTMENT for G/L Account 61300.", DimensionMissing),
    ("Select a Dimension Value Code for the Dimension Code DEPARTMENT for Vendor V10000.", DimensionMissing),
    (
        "The Dimension Value Code must be MKT for Dimension Code DEPARTMENT for Vendor V1. Currently it's SALES.",
        DimensionNotAllowed,
    ),
    ("The Dimension Code DEPARTMENT with Dimension Value Code MKT is required for Vendor V1.", DimensionMissing),
    ("Dimension Code PROJECT must be blank for G/L Account 61300.", DimensionNotAllowed),
    ("Dimension Value DEPARTMENT - MKT is blocked.", DimensionUnusable),
    ("Dimension DEPARTMENT is blocked.", DimensionUnusable),
    ("Dimension Value DEPARTMENT - MKT is missing.", DimensionUnknown),
    ("Dimension Value Type for Dimension Value DEPARTMENT - ALL must not be Heading.", DimensionUnusable),
    ("Dimensions DEPARTMENT and PROJECT can't be used concurrently.", DimensionCombination),
    ("Dimension combinations DEPARTMENT - MKT and PROJECT - P1 can't be used concurrently.", DimensionCombination),
    ("Dimension value PROJECT, P1 is not allowed for G/L Account, 61300.", DimensionNotAllowed),
    (
        "The DEPARTMENT dimension is the default dimension, and it must have a value. You can set the value on the \
         Default Dimensions page.",
        DimensionMissing,
    ),
    (
        "The dimensions used in Invoice 108001, line no. 10000 are invalid. Select a Dimension Value Code for the \
         Dimension Code DEPARTMENT for G/L Account 61300.",
        DimensionMissing,
    ),
    ("The combination of dimensions used in Invoice 108001 is blocked.", DimensionCombination),
    (
        "The combination of dimensions used in Invoice 108001, line no. 10000 is blocked. Dimensions DEPARTMENT and \
         PROJECT can't be used concurrently.",
        DimensionCombination,
    ),
    (
        "The dimension set line already exists. Check existing dimension set lines and the default dimension set lines on \
         the parent.",
        DimensionNotAllowed,
    ),
    ("The \"code\" does not match to a Dimension.", DimensionUnknown),
    ("The \"valueCode\" does not match to a Dimension Value.", DimensionUnknown),
    ("The dimension field values do not match to a specific Dimension.", DimensionUnknown),
    // 8.5
    ("Posting Date is not within your range of allowed posting dates.", PostingPeriodClosed),
    (
        "There is no Currency Exchange Rate within the filter. Filters: Currency Code: EUR, Starting Date: ..06/11/26",
        ExchangeRateMissing,
    ),
    ("The \"currencyCode\" does not match to a Currency.", CurrencyUnknown),
    ("The currency values do not match to a specific Currency.", CurrencyUnknown),
    // 8.6
    ("You cannot create this type of document when Vendor 10000 is blocked with type All", VendorBlocked),
    ("You cannot post this type of document when Vendor 10000 is blocked with type All", VendorBlocked),
    ("You cannot create this type of document when Vendor 10000 is blocked for privacy.", VendorBlocked),
    ("The vendor cannot be found.", VendorNotFound),
    ("The pay-to vendor cannot be found.", VendorNotFound),
    ("Purchase Invoice 108001 must be approved and released before you can perform this action.", ApprovalRequired),
    ("There is nothing to post because the document does not contain a quantity or amount.", DocumentDiffers),
    ("Please add at least one line item to the credit memo.", DocumentDiffers),
    ("Doc. Amount Incl. VAT (100) is not equal to total of lines (90)", TotalCheckOn),
    (
        "Status must be equal to 'Open'  in Purchase Header: Document Type=Invoice, No.=108001. Current value is \
         'Released'.",
        DocumentLocked,
    ),
    ("The invoice has been posted and can no longer be modified.", DocumentLocked),
    ("The action can be applied to a draft invoice only.", DocumentLocked),
    ("The action can be applied to a draft credit memo only.", DocumentLocked),
    ("Purchase Invoice 108001 already exists.", DocumentNumberUsed),
    (
        "You must run the data upgrade for this API page before using it. You can run the data upgrade by navigating to \
         API Data Upgrade page and scheduling upgrade for Purchase Credit Memos.",
        UpgradeNeeded,
    ),
    // No better word than Business Central's own.
    ("Gen. Journal Line is out of balance by 1.", DocumentRefused),
    ("The \"invoiceId\" does not match to an Invoice.", DocumentRefused),
    ("A rule of an extension.", DocumentRefused),
    ("", DocumentRefused),
];

#[test]
fn each_text_of_the_catalogue_means_its_hold_and_is_repeated_in_it() {
    for (text, code) in TEXTS {
        let hold = hold_of_refusal(text);
        assert_eq!(hold.code, *code, "{text}");
        assert_eq!(hold.sentence, format!("Business Central refused the document: {text}"));
    }
}

/// A vendor, an account or a text of a user may contain such words, but not the whole sentence.
#[test]
fn words_in_another_order_mean_nothing() {
    for text in ["is blocked. Dimension X", "Account 61300 is in order", "Purchase something"] {
        assert_eq!(hold_of_refusal(text).code, DocumentRefused, "{text}");
    }
}
