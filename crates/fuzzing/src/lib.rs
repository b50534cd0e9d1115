//! What must hold for any input, as one function per place where bytes of others come in. A function gets bytes, and panics if
//! something does not hold.
//!
//! Two callers use the very same functions: libFuzzer, which looks for inputs (`scripts/fuzz`, the workspace in `fuzz/`), and the
//! test of this crate, which goes through the inputs that were kept in `corpus/`. Nothing that is shipped depends on this crate.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a target fails by panicking")]

mod answer;
mod audit_canonical;
mod calls;
mod config;
mod descriptor;
mod json_models;
mod odata;
mod parts;
mod peer;
mod plan;
mod sandbox_odata;
mod webhook;

pub use audit_canonical::audit_canonical;
pub use config::config;
pub use descriptor::descriptor;
pub use json_models::json_models;
pub use odata::odata;
pub use sandbox_odata::sandbox_odata;
pub use webhook::webhook;

/// A target by its name, which is also that of its corpus and of its binary in `fuzz/`.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 7] = [
    ("audit_canonical", audit_canonical),
    ("config", config),
    ("descriptor", descriptor),
    ("json_models", json_models),
    ("odata", odata),
    ("sandbox_odata", sandbox_odata),
    ("webhook", webhook),
];
