//! How to talk to Brex, Microsoft Entra ID and Business Central.
//!
//! Typed clients that read tolerantly (unknown fields and values never fail a page) and write strictly (the field order
//! the other side needs, never a read-only field). Every failure is an [`Error`] that says what it means for the caller:
//! may the call be repeated, and may it have been executed. What to do about that is decided elsewhere.

pub mod bc;
pub mod brex;
pub mod entra;
pub mod hook;

mod answer;
mod call;
mod decimal;
mod ended;
mod error;
mod http;
mod kind;
mod pace;
mod page;
mod receiver;
mod slots;
mod trust;
mod wire;

pub use ended::Ended;
pub use error::Error;
pub use http::{Http, Permit, SetupError};
pub use kind::{Effect, Kind, Retry, System};
pub use pace::Pace;
pub use receiver::Receiver;
pub use reqwest::header::HeaderMap;
