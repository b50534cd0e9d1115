//! Attention: what waits for a person, by cause, with who can fix it and how.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use domain::hold::HoldCode;
use store::{Count, Filter};

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use super::show::{Item, item};

/// Records that are shown of each cause.
const SHOWN: i64 = 20;

#[derive(Template)]
#[template(path = "console/attention.html")]
struct Page {
    frame: Frame,
    problem: Option<(String, String)>,
    groups: Vec<Group>,
}

/// What has one cause.
struct Group {
    code: HoldCode,
    number: i64,
    items: Vec<Item>,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let store = &console.app.store;
    let row = store.connections().get(&connection.id).await?;
    let mut groups = Vec::new();
    for (code, number) in Count::by_hold(&store.records().counts(&connection.id).await?) {
        let rows = store.records().page(&connection.id, Filter::HeldFor(code), None, SHOWN).await?;
        let items = rows.iter().map(|row| item(row, &connection.rules.zone)).collect();
        groups.push(Group { code, number, items });
    }
    groups.sort_by_key(|group| (group.code.fixer().as_str(), std::cmp::Reverse(group.number)));
    Ok(render(&Page {
        frame: Frame::new(&console, person, "attention", Some(connection)),
        problem: row.and_then(|row| row.problem).map(|problem| (problem.code, problem.sentence)),
        groups,
    }))
}
