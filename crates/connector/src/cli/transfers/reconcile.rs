//! `transfers reconcile`: reads both sides now, compares, keeps the result, and shows it.

use super::list::{Found, print};
use super::{ListArgs, today};
use crate::cli::run::first_contact;
use crate::cli::{Common, Exit, Failure, open};
use crate::mirror;
use crate::stop::Stop;
use crate::transfers::{run, view::View};

pub(super) async fn reconcile(common: &Common, args: &ListArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let names = open::chosen(&config, args.connection.as_deref())?;
    let app = open::planning(&config).await?;
    first_contact(&app).await?;
    let mut found = Vec::new();
    for connection in app.connections.iter().filter(|connection| names.contains(&connection.id.as_str())) {
        if connection.identity().is_none() {
            continue;
        }
        mirror::recall(&app, connection).await?;
        if !connection.is_mirrored() {
            connection.set_directory(mirror::look(connection).await?);
        }
        let report = run(&app, connection, None, true).await.map_err(Stop::from)?;
        let view = View::load(&app.store, &connection.id, today(&config, connection.id.as_str())?).await?;
        let payments_left = report.outcome.payments_left.clone();
        found.push(Found {
            connection: connection.id.to_string(),
            view,
            new: Some((report.found, report.gone)),
            payments_left,
            has_entries: report.has_entries,
        });
    }
    app.store.close().await;
    print(common, args, &found)?;
    Ok(Exit::Done)
}
