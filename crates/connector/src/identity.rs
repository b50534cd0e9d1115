//! Who is at either end of a connection: the Brex company and the Business Central company.

use clients::bc::CompanyName;
use store::Error;
use uuid::Uuid;

use crate::app::{App, Connection, Identity};
use crate::problem;
use crate::stop::Stop;

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
    connection.set_met(true);
    Ok(())
}
