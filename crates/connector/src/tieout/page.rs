//! The tie-out as a page to print and sign. Everything that came from Brex or Business Central is escaped.

use askama::Template;
use domain::tieout::TieOut;

use super::bridge::{self, Line};
use super::by_currency;

#[derive(Template)]
#[template(path = "tieout.html")]
struct Page<'a> {
    connection: &'a str,
    company: &'a str,
    made: &'a str,
    version: &'static str,
    tied: &'a TieOut,
    bridge: Vec<Line>,
    transfers: &'a [Line],
    limits: Option<&'a str>,
    accounts: Vec<(&'a str, String)>,
    dimensions: Vec<(&'a str, Vec<(&'a str, String)>)>,
}

/// The page, complete in itself. `made` is the time as it is to be read, `limits` what Brex cannot say by its source.
pub fn page(
    tied: &TieOut,
    transfers: &[Line],
    connection: &str,
    company: &str,
    made: &str,
    limits: Option<&str>,
) -> Result<String, askama::Error> {
    let dimensions = tied.sums.dimensions.iter().map(|(code, values)| {
        (code.as_str(), values.iter().map(|(value, sums)| (value.as_str(), by_currency(sums))).collect())
    });
    let accounts = tied.sums.accounts.iter().map(|(account, sums)| (account.as_str(), by_currency(sums)));
    Page {
        connection,
        company,
        made,
        version: crate::app::VERSION,
        tied,
        bridge: bridge::lines(tied),
        transfers,
        limits,
        accounts: accounts.collect(),
        dimensions: dimensions.collect(),
    }
    .render()
}
