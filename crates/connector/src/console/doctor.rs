//! Doctor: every check of a connection, made when somebody asks for it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;

use super::Console;
use super::guard::Person;
use super::page::{Frame, Oops, connection, render};
use crate::doctor::{Finding, Verdict, examine};

#[derive(Template)]
#[template(path = "console/doctor.html")]
struct Page {
    frame: Frame,
    name: String,
    findings: Option<Vec<Finding>>,
}

impl Page {
    fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().flatten().filter(|finding| finding.result == verdict).count()
    }

    fn failed(&self) -> usize {
        self.count(Verdict::Failed)
    }

    fn warnings(&self) -> usize {
        self.count(Verdict::Warning)
    }
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let frame = Frame::new(&console, person, "connections", Some(connection)).still();
    Ok(render(&Page { frame, name, findings: None }))
}

/// Makes every check. It asks both systems and writes nothing there.
pub(super) async fn run(
    State(console): State<Arc<Console>>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Response, Oops> {
    let connection = connection(&console, &name)?;
    let findings = Some(examine(&console.app, connection).await?);
    let frame = Frame::new(&console, person, "connections", Some(connection)).still();
    Ok(render(&Page { frame, name, findings }))
}
