//! The demo's bookkeeper: clicks Export on records that were left in review, a few at a time, so that webhooks arrive, and posts the
//! drafts of bills in the end, so that there is something that transfers pay.

use std::collections::VecDeque;

use domain::id::OWN_PREFIX;
use sandbox::World;
use sandbox::bc::{DocumentAction, DocumentChange, DocumentStatus};
use sandbox::brex::Expectation;

use super::super::{Exit, Failure};
use crate::app::App;
use crate::transfers::TRANSFERS;

/// Records exported with one click.
const PER_CLICK: usize = 2;

/// What is still to be clicked.
pub(super) struct Bookkeeper {
    ids: VecDeque<String>,
}

impl Bookkeeper {
    /// Half of what is not ready yet will be; the rest stays as it is, as in real life.
    pub(super) fn new(world: &World) -> Self {
        let waiting: Vec<String> = world
            .brex
            .records()
            .into_iter()
            .filter(|report| report.expect == Expectation::NotReady)
            .map(|report| report.id)
            .collect();
        let half = waiting.len().div_ceil(2);
        Self { ids: waiting.into_iter().take(half).collect() }
    }

    /// True when every click was made.
    pub(super) fn is_done(&self) -> bool {
        self.ids.is_empty()
    }

    /// One click, once the connector has asked for webhooks.
    pub(super) fn click(&mut self, world: &World) -> Result<(), Failure> {
        if world.brex.subscriptions().is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = (0..PER_CLICK).filter_map(|_| self.ids.pop_front()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        world.brex.make_ready(&ids, world.clock.now()).map_err(|e| Failure::new(Exit::Unexpected, e.to_string()))
    }
}

/// Posts the drafts of bills, which carry their suppliers' own numbers, and has what was paid through Brex compared with them.
pub(super) async fn close_the_bills(app: &App, world: &World) -> Result<(), Failure> {
    let is_bill = |number: &str| !number.is_empty() && !number.starts_with(OWN_PREFIX);
    for draft in world.bc.ledger() {
        if draft.status == DocumentStatus::Draft && is_bill(&draft.external_number) {
            let post = DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() };
            let posted = world.bc.change_document(draft.id, post, world.clock.now());
            posted.map_err(|e| Failure::new(Exit::Unexpected, e.to_string()))?;
        }
    }
    for connection in &app.connections {
        app.store.jobs().nudge(&connection.id, TRANSFERS, app.now_ms()).await?;
    }
    app.bell.notify_waiters();
    Ok(())
}
