//! How each transfer and each document stands after reconciling, with a code that says why, and its age.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All its money is accounted for.
    Matched,
    /// Part of it is.
    Partly,
    /// Nothing of it is.
    Unmatched,
    /// It is not to be reconciled.
    SetAside,
}

impl Verdict {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Partly => "partly",
            Self::Unmatched => "unmatched",
            Self::SetAside => "set_aside",
        }
    }
}

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])* $name:ident = $code:literal, $sentence:literal; )+) => {
        /// Why something is not, or not wholly, matched.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $( $(#[doc = $doc])* #[serde(rename = $code)] $name, )+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$( Self::$name, )+];

            /// Stable code.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$name => $code, )+ }
            }

            /// In words.
            pub fn sentence(self) -> &'static str {
                match self { $( Self::$name => $sentence, )+ }
            }
        }
    };
}

reasons! {
    /// Not over yet.
    UnderWay = "under_way", "the transfer is not completed yet";
    /// Never went out.
    Failed = "failed", "the transfer failed or was cancelled";
    /// Came back.
    Returned = "returned", "the transfer came back";
    /// Not a payment of ours.
    Incoming = "incoming", "money that came in";
    /// Nothing to pay.
    NoAmount = "no_amount", "the amount is zero";
    /// Booked in BC, and nothing says for what.
    BookedOnly = "booked", "Business Central has this payment; which invoice it pays is decided there";
    /// The payee is nobody's vendor.
    NoVendor = "no_vendor", "the payee is not linked to a Business Central vendor, and the memo names no document";
    /// The vendor is owed nothing.
    NoDocument = "no_document", "the vendor has no open document in this currency around that date";
    /// Numbers fit, amounts do not.
    AmountDiffers = "amount_differs", "no document, and no sum of documents, has this amount";
    /// Several fit.
    SeveralDocuments = "several_documents", "several documents fit equally well";
    /// Several transfers fit.
    SeveralTransfers = "several_transfers", "several transfers fit equally well";
    /// The number in the memo is another vendor's.
    OtherVendorsNumber = "other_vendors_number", "the memo names a document of another vendor";
    /// The number in the memo is unknown.
    UnknownNumber = "unknown_number", "the memo names a number that Business Central does not know";
    /// The document is paid already.
    AlreadyPaid = "already_paid", "the document it names is paid already: perhaps it was paid twice";
    /// The steps are used up.
    SearchExhausted = "search_exhausted", "there are too many combinations to try them all";
    /// A person took it apart.
    Rejected = "rejected", "a person said that it does not belong to what fits";
    /// A match by hand that does not hold any more.
    MatchExceeds = "match_exceeds", "its match no longer holds: more than was moved or owed, or a document is gone";
    /// There is something to confirm.
    ToConfirm = "to_confirm", "there is a suggestion to confirm";
    /// Nobody paid it through Brex.
    NoTransfer = "no_transfer", "no completed transfer fits";
    /// A part is paid.
    PartPaid = "part_paid", "a part is paid";
    /// Closed in BC, by something that is not a transfer.
    ClosedOtherwise = "closed_otherwise", "it is closed in Business Central";
}

/// How long something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AgeBucket {
    /// Up to 7 days, or not due yet.
    #[serde(rename = "0-7")]
    Week,
    /// 8 to 30 days.
    #[serde(rename = "8-30")]
    Month,
    /// 31 to 60 days.
    #[serde(rename = "31-60")]
    TwoMonths,
    /// 61 to 90 days.
    #[serde(rename = "61-90")]
    Quarter,
    /// Over 90 days.
    #[serde(rename = "over 90")]
    Older,
}

impl AgeBucket {
    /// The bucket of something of `date`, on the day `today`.
    pub fn of(date: Date, today: Date) -> Self {
        match days_between(date, today) {
            ..=7 => Self::Week,
            8..=30 => Self::Month,
            31..=60 => Self::TwoMonths,
            61..=90 => Self::Quarter,
            _ => Self::Older,
        }
    }

    /// Its name, in days.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "0-7",
            Self::Month => "8-30",
            Self::TwoMonths => "31-60",
            Self::Quarter => "61-90",
            Self::Older => "over 90",
        }
    }
}

/// Days from one date to another; negative if the other is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// How one transfer or document stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why not better.
    pub reason: Option<Reason>,
    /// What is not accounted for, in minor units.
    pub left: i64,
    /// The payment of BC that stands for the transfer.
    pub booked_as: Option<String>,
}
