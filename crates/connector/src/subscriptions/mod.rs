//! Being told of changes: the webhook at Brex, the subscriptions in Business Central, and what must be known to take their
//! deliveries. Whatever is told is a hint; the schedule brings the same without it, later.

pub mod bc;
pub mod brex;
pub mod change;

use store::{Error, Lease};
use url::Url;

use crate::app::{App, Connection};

/// What the receivers must know, as earlier processes or other ones left it.
pub async fn recall(app: &App, connection: &Connection) -> Result<(), Error> {
    let cursors = app.store.cursors();
    let token = cursors.get(&connection.id, brex::TOKEN).await?;
    let bc_token = cursors.get(&connection.id, bc::TOKEN).await?;
    let rows = app.store.bc_subscriptions().list(&connection.id).await?;
    let states = rows.into_iter().flat_map(|row| row.states).collect();
    connection.set_hook(|hook| {
        hook.token = token;
        hook.bc_token = bc_token;
        hook.client_states = states;
    });
    Ok(())
}

/// The unguessable part of an address, made when it is first asked for.
async fn token(app: &App, connection: &Connection, lease: &Lease, cursor: &str) -> Result<String, Error> {
    let cursors = app.store.cursors();
    if let Some(token) = cursors.get(&connection.id, cursor).await? {
        return Ok(token);
    }
    let token = app.chance.token();
    cursors.set(lease, &connection.id, cursor, &token).await?;
    Ok(token)
}

/// What an address of ours ends with, wherever this machine is found.
fn path(system: &str, token: &str) -> String {
    format!("/hooks/{system}/{token}")
}

/// The address that a system delivers to.
pub(crate) fn address(public_url: &Url, system: &str, token: &str) -> Option<Url> {
    let mut url = public_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["hooks", system, token]);
    Some(url)
}
