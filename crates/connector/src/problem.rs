//! Problems of a whole connection: refused credentials, missing permissions, a wrong place. They hold the connection,
//! not its records, and are told in words an IT person can act on.

use clients::{Error, Kind, System};
use domain::id::ConnectionId;
use store::Problem;

use crate::app::Identity;
use crate::config::Source;

/// The problem that an error means for the whole connection, if it means one.
pub fn of_error(error: &Error) -> Option<Problem> {
    let code = match (error.system(), error.kind()) {
        (System::Entra, Kind::Unauthorized | Kind::Refused | Kind::Forbidden | Kind::NotFound) => "entra_refused",
        (System::Brex, Kind::Unauthorized) => "brex_unauthorized",
        (System::Brex, Kind::Forbidden) => "brex_forbidden",
        (System::BusinessCentral, Kind::Unauthorized) => "bc_unauthorized",
        (System::BusinessCentral, Kind::Forbidden) => "bc_forbidden",
        (System::BusinessCentral, Kind::NotFound) if error.code() == Some("NoEnvironment") => "bc_environment_unknown",
        (System::BusinessCentral, _) if error.code() == Some("Internal_CompanyNotFound") => "bc_company_unknown",
        (_, Kind::Unreachable) => "unreachable",
        (_, Kind::Redirected) => "redirected",
        _ => return None,
    };
    Some(Problem { code: code.to_owned(), sentence: sentence(code, error) })
}

/// What the other side said, else what happened.
pub fn said(error: &Error) -> String {
    error.api_message().map_or_else(|| error.to_string(), str::to_owned)
}

/// The company that the configuration names is not there.
pub fn company_unknown(wanted: &str, found: &[String]) -> Problem {
    let sentence = format!(
        "the company {wanted:?} is not in this Business Central environment; it has: {}. Correct bc.company.",
        if found.is_empty() { "none".to_owned() } else { found.join(", ") }
    );
    Problem { code: "bc_company_unknown".to_owned(), sentence }
}

fn sentence(code: &str, error: &Error) -> String {
    let said = error.api_message().map_or_else(String::new, |text| format!(" It says: {}", first_sentence(text)));
    let advice = match code {
        "entra_refused" => match error.code() {
            Some("AADSTS7000215") => "the client secret is wrong: use the secret's value, not its id",
            Some("AADSTS7000222") => "the client secret has expired: create a new one in the Azure portal",
            Some("AADSTS700027") => {
                "the certificate is not one of the application's, or the key is not its key: upload it in the Azure portal"
            }
            Some("AADSTS700024") => "the certificate's signature is outside its time: check this machine's clock",
            Some("AADSTS70011") => {
                "the scope was refused: check bc.base_url, and that it is the cloud of entra.base_url"
            }
            Some("AADSTS900144") => {
                "something is missing in the request: check that entra.client_id and the secret are not empty"
            }
            Some("AADSTS90002") => "the tenant was not found: check entra.tenant",
            Some("AADSTS700016") => "the application was not found in this tenant: check entra.client_id and consent",
            _ => "the sign-in was refused: check entra.tenant, entra.client_id and the secret",
        },
        "brex_unauthorized" => "the Brex token was refused: create a new user token and put it in place of the old one",
        "brex_forbidden" => "the Brex token has expired or lacks a scope: see docs/permissions.md for the scopes",
        "bc_unauthorized" => {
            "Business Central refused the sign-in: enable the application on the page Microsoft Entra applications"
        }
        "bc_forbidden" => {
            "the application lacks a permission in Business Central: see docs/permissions.md for the permission sets"
        }
        "bc_environment_unknown" => "the environment does not exist: check bc.environment",
        "bc_company_unknown" => "the company is no longer there: check bc.company",
        "redirected" => "the address answers with a redirect, which is never followed: check base_url",
        _ => "the host could not be reached: check the network, the proxy and base_url",
    };
    format!("{}: {advice}.{said}", error.system().name())
}

/// The start of an API's text, up to its ids and time stamps.
fn first_sentence(text: &str) -> &str {
    let end = text.find(" Trace ID:").or_else(|| text.find("  CorrelationId")).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Another connection joins the same Brex account, and both cannot work.
pub fn shared_account(connection: &ConnectionId, other: &ConnectionId, why: &str) -> Problem {
    let sentence = format!("connections {other} and {connection} join the same Brex account, and {why}.");
    Problem { code: "brex_account_shared".to_owned(), sentence }
}

/// The credentials now lead to another company than the one that records were booked for.
pub fn other_company(connection: &ConnectionId, before: &Identity, now: &Identity) -> Problem {
    let sentence = format!(
        "connection {connection} was made for Brex company {} and BC company {}, and now finds {} and {}; \
         correct the credentials, or set up a new connection under another name.",
        before.brex_company, before.bc_company, now.brex_company, now.bc_company
    );
    Problem { code: "company_changed".to_owned(), sentence }
}

/// The configuration names another source of records than the known ones came from.
pub fn source_changed(connection: &ConnectionId, before: &str, now: Source) -> Problem {
    let sentence = format!(
        "connection {connection} has records from brex.source = {before:?} and is now told to take {:?}, where the same purchases \
         have other ids and would be booked twice: set it back, or set up a new connection under another name whose start_date \
         is the cut-over (docs/expenses-source.md).",
        now.as_str()
    );
    Problem { code: "source_changed".to_owned(), sentence }
}

/// Two connections between the same two companies take the same purchases from two sources.
pub fn source_twice(connection: &ConnectionId, other: &ConnectionId) -> Problem {
    let sentence = format!(
        "connections {connection} and {other} join the same Brex company with the same BC company, one by brex.source = \"expenses\" and \
         the other by \"accounting\", so that purchases would be booked twice: take one of them out of the configuration."
    );
    Problem { code: "source_twice".to_owned(), sentence }
}
