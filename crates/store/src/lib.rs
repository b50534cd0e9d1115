//! What the connector remembers: one file per table, on SQLite or PostgreSQL.
//!
//! Each method is one transaction with a name that says the intent; callers never see a transaction. Every table's key
//! starts with the connection, so no query crosses from one connection to another. Methods that write for a lane take its
//! [`Lease`] first and change nothing once the lease is lost.

#[macro_use]
mod db;

mod api_tokens;
mod apply;
mod audit;
mod bc_subscriptions;
mod brex_vendors;
mod clock_jumps;
mod connections;
mod copy;
mod cursors;
mod dialect;
mod erasure;
mod error;
mod inbox;
mod inbox_queue;
mod intents;
mod jobs;
mod kept;
mod lanes;
mod master_data;
mod migrations;
mod open;
mod payloads;
mod payment_lines;
mod place;
mod receipts;
mod record_columns;
mod record_counts;
mod record_list;
mod records;
mod row;
mod sessions;
mod spend;
mod transfer_orders;
mod transfers;
mod users;
mod value_meanings;
mod vault;
mod vendor_links;
mod vendor_matches;
mod vendor_proposals;
mod verify;

pub use api_tokens::{ApiToken, ApiTokens, FoundToken, TokenRefusal};
pub use apply::{Applied, Change};
pub use audit::Audit;
pub use bc_subscriptions::{BcSubscriptionRow, BcSubscriptions};
pub use brex_vendors::{BrexVendorChange, BrexVendorCount, BrexVendorRow, BrexVendors};
pub use clock_jumps::ClockJumps;
pub use connections::{ConnectionRow, Connections, Problem};
pub use copy::Copied;
pub use cursors::Cursors;
pub use erasure::Erased;
pub use error::Error;
pub use inbox::{Delivery, Event, Inbox, Put};
pub use intents::{Attempts, Intent, IntentChange, Intents, Outcome, Purpose};
pub use jobs::{JobRow, Jobs};
pub use kept::Kept;
pub use lanes::{Lanes, Lease};
pub use master_data::{Changed, MasterData, MasterKind, MasterRow, Telling};
pub use open::Store;
pub use payloads::{Payload, Payloads};
pub use payment_lines::{AppliedTo, PaymentLine, PaymentLineChange, PaymentLineState, PaymentLines};
pub use place::Kind;
pub use receipts::{ReceiptRow, Receipts};
pub use record_columns::AsRead;
pub use record_counts::{DRAFT_STEPS_MS, Drafts};
pub use record_list::{After, Exports, Filter};
pub use records::{Count, RecordRow, Records};
pub use row::Waiting;
pub use sessions::{Session, Sessions, SignedInWith};
pub use spend::Spend;
pub use transfer_orders::{OrderChange, OrderState, TransferOrder, TransferOrders};
pub use transfers::{
    DecisionRow, DocumentRow, DocumentVerdict, MatchRow, Reconciled, SaidChange, TransferRow, TransferSaid, Transfers,
};
pub use users::{User, UserChange, UserRefusal, Users};
pub use value_meanings::{ValueMeaning, ValueMeanings};
pub use vault::{KeyProblem, KeyRing, SealedSecret, Slot, Vault};
pub use vendor_links::{VendorLink, VendorLinks, Verdict};
pub use vendor_matches::{VendorMatch, VendorMatches};
pub use vendor_proposals::{ProposalChange, ProposalState, VendorProposal, VendorProposals};
pub use verify::{Break, Chain};
