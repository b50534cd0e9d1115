//! Being told of changes: the webhook at Brex and what must be known to take its deliveries. Whatever is told is a hint; the
//! polls bring the same without it, later.

pub mod brex;
pub mod change;

use store::{Error, Lease};
use url::Url;

use crate::app::{App, Connection};

/// What the receivers must know, as earlier processes or other ones left it.
pub async fn recall(app: &App, connection: &Connection) -> Result<(), Error> {
    let token = app.store.cursors().get(&connection.id, brex::TOKEN).await?;
    connection.set_hook(|hook| hook.token = token);
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
fn address(public_url: &Url, system: &str, token: &str) -> Option<Url> {
    let mut url = public_url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["hooks", system, token]);
    Some(url)
}
