//! Merchant names to vendors.
