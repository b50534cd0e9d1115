//! What is true: money, records, stages, holds, documents, and the audit chain.
//!
//! Everything here is pure: no clock, no I/O, no random numbers, no floats. Time and randomness arrive as arguments,
//! so each decision can be replayed from what the audit trail kept.

pub mod access;
pub mod audit;
pub mod booked;
pub mod brex_vendor;
pub mod calendar;
mod coding;
pub mod coding_list;
pub mod compare;
pub mod defaults;
pub mod directory;
pub mod document;
pub mod drift;
pub mod edit;
pub mod failure;
pub mod hold;
pub mod id;
pub mod late;
pub mod legal_entity;
pub mod mapping;
pub mod money;
pub mod older;
pub mod pace;
pub mod posting;
pub mod receipt;
pub mod record;
pub mod refund;
pub mod refusal;
pub mod revise;
pub mod rules;
pub mod stage;
pub mod tax;
pub mod template;
pub mod text;
pub mod tieout;
pub mod transfer;
pub mod vendor;
pub mod why;
