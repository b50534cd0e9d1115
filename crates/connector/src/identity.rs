//! Who is at either end of a connection: the Brex company and the Business Central company; and which of Brex's two APIs its
//! records come from, since a purchase has another id, and so another document number, in each.

use std::sync::Arc;

use clients::bc::CompanyName;
use store::{Error, Lease};
use uuid::Uuid;

use crate::app::{App, Connection, Identity};
use crate::config::Source;
use crate::problem;
use crate::stop::Stop;

/// Cursor that names the source of the records that are known.
const SOURCE: &str = "records.source";

/// What earlier processes learnt, so that a restart works while a system is away.
pub async fn recall(app: &App, connection: &Connection) -> Result<(), Error> {
    let row = app.store.connections().get(&connection.id).await?;
    if let Some(row) = row
        && let (Some(brex_company), Some(bc_company), Some(bc_company_name)) =
            (row.brex_company_id, row.bc_company_id, row.bc_company_name)
    {
        connection.set_identity(Identity { brex_company, bc_company, bc_company_name });
    }
    Ok(())
}

/// Who is at either end, also when another process found that out since.
pub async fn known(app: &App, connection: &Connection) -> Result<Option<Arc<Identity>>, Error> {
    if connection.identity().is_none() {
        recall(app, connection).await?;
    }
    Ok(connection.identity())
}

/// The company that is named by its id, its name or the name it shows.
pub fn find_company<'a>(companies: &'a [CompanyName], wanted: &str) -> Option<&'a CompanyName> {
    let wanted = wanted.trim();
    let id = Uuid::parse_str(wanted).ok();
    companies
        .iter()
        .find(|company| Some(company.id) == id || company.name == wanted || company.display_name() == wanted)
}

/// Asks both systems. A company that is not there, or that is another one than before, is a problem of the connection:
/// job ids and document numbers depend on both.
pub async fn learn(app: &App, connection: &Connection) -> Result<(), Stop> {
    let brex = connection.brex.get_company().await?;
    let companies = connection.bc.list_companies().await?;
    let wanted = connection.settings.bc.company.trim();
    let Some(company) = find_company(&companies, wanted) else {
        let names: Vec<String> = companies.iter().map(|c| c.display_name().to_owned()).collect();
        return Err(Stop::Connection(problem::company_unknown(wanted, &names)));
    };
    let identity = Identity { brex_company: brex.id, bc_company: company.id, bc_company_name: company.name.clone() };
    if let Some(before) = connection.identity()
        && (before.brex_company != identity.brex_company || before.bc_company != identity.bc_company)
    {
        connection.set_met(false);
        return Err(Stop::Connection(problem::other_company(&connection.id, &before, &identity)));
    }
    let connections = app.store.connections();
    let name = &identity.bc_company_name;
    connections.set_identity(&connection.id, &identity.brex_company, identity.bc_company, name).await?;
    connection.set_identity(identity);
    let checked = check_source(app, connection).await;
    connection.set_met(checked.is_ok());
    // What the token was not allowed to read may be allowed by now.
    connection.choices.reopen();
    checked
}

/// One purchase must not come from two sources: neither after the setting was changed, nor by another connection between the
/// same two companies.
pub async fn check_source(app: &App, connection: &Connection) -> Result<(), Stop> {
    let wanted = connection.settings.brex.source;
    if let Some(before) = source_of_records(app, connection).await?
        && before != wanted.as_str()
    {
        return Err(Stop::Connection(problem::source_changed(&connection.id, &before, wanted)));
    }
    if wanted == Source::Expenses {
        let doubles = |other: &Connection| other.settings.brex.source != wanted && may_join_the_same(connection, other);
        if let Some(other) = app.connections.iter().find(|other| doubles(other)) {
            return Err(Stop::Connection(problem::source_twice(&connection.id, &other.id)));
        }
    }
    Ok(())
}

/// Whether both are, or for all that is known may be, between the same two companies.
fn may_join_the_same(one: &Connection, other: &Connection) -> bool {
    if let (Some(one), Some(other)) = (one.identity(), other.identity()) {
        return one.brex_company == other.brex_company && one.bc_company == other.bc_company;
    }
    let company = |of: &Connection| {
        let (entra, bc) = (&of.settings.entra, &of.settings.bc);
        (entra.tenant.clone(), bc.environment.clone(), bc.company.clone())
    };
    company(one) == company(other)
}

/// Where the known records came from; nothing if there are none. Before it was kept there was only one source.
async fn source_of_records(app: &App, connection: &Connection) -> Result<Option<String>, Error> {
    if app.store.records().list(&connection.id, None, 1).await?.is_empty() {
        return Ok(None);
    }
    let kept = app.store.cursors().get(&connection.id, SOURCE).await?;
    Ok(Some(kept.unwrap_or_else(|| Source::Accounting.as_str().to_owned())))
}

/// Keeps where records come from, before the first of them does.
pub async fn keep_source(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Stop> {
    check_source(app, connection).await?;
    let wanted = connection.settings.brex.source.as_str();
    if app.store.cursors().get(&connection.id, SOURCE).await?.as_deref() != Some(wanted) {
        app.store.cursors().set(lease, &connection.id, SOURCE, wanted).await?;
    }
    Ok(())
}
