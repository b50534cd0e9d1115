//! OData as Business Central speaks it, over any entity set: paths, query options, filters, paging, rows as JSON.

pub(crate) mod filter;
mod lexer;
pub(crate) mod list;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod read_back;
pub(crate) mod render;
mod wildcard;
