//! One connection of a lane: does what is due, rests when the other side asks for it or something is wrong as a whole, and
//! says when to come back. The other connections of the lane go on meanwhile.

use std::sync::Arc;

use domain::audit::Note;
use domain::id::ConnectionId;
use domain::stage::Stage;
use serde_json::json;
use store::{Error, Lease, Problem};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::jobs;
use super::lane::Tick;
use super::pause::Pause;
use crate::app::{App, Connection};
use crate::clock::Watch;
use crate::flow::sending;
use crate::flow::turn::Turn;
use crate::flow::{self, Lane, Stop};
use crate::secrets;

/// So far the clocks of two machines may differ.
const OTHER_CLOCK_MS: i64 = 60_000;
/// How long nothing is done beside the drafts when there was nothing to do.
const BESIDE_MS: i64 = 250;
/// How long drafts are made in one go, before everything else has its turn.
const TURN_MS: i64 = 15 * 60_000;
/// A record waits so long for others of its stage while drafts are made: one call then serves many.
const COMPANY_MS: i64 = 10_000;

/// Works on one connection.
pub(super) struct ConnectionWorker {
    app: Arc<App>,
    connection: Arc<Connection>,
    pause: Pause,
    watch: Watch,
    is_prepared: bool,
    stop: CancellationToken,
}

impl ConnectionWorker {
    pub(super) fn new(app: Arc<App>, connection: Arc<Connection>, stop: CancellationToken) -> Self {
        Self { app, connection, pause: Pause::default(), watch: Watch::default(), is_prepared: false, stop }
    }

    /// Id of the connection.
    pub(super) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// Does what is due, one batch per stage.
    pub(super) async fn tick(&mut self, lease: &Lease) -> Result<Tick, Error> {
        if self.stop.is_cancelled() {
            return Ok(Tick::default());
        }
        let connection = Arc::clone(&self.connection);
        self.keep_distance(lease).await?;
        if !self.is_prepared {
            jobs::prepare(&self.app, &connection).await?;
            self.is_prepared = true;
        }
        let pause = self.pause;
        if self.app.now_ms() < pause.until_ms {
            let until_ms = Some(pause.until_ms);
            return Ok(Tick { worked: false, open_due_ms: until_ms, jobs_due_ms: until_ms, lease_due_ms: None });
        }
        match self.work(&connection, lease).await {
            Ok(worked) => {
                if worked && pause.until_ms > 0 {
                    self.pause = Pause::default();
                    clear_problem(&self.app, &connection, lease).await?;
                }
                self.next_due(&connection, worked).await
            }
            Err(Stop::Store(error)) => Err(error),
            Err(stop) => self.rest(&connection, lease, stop).await,
        }
    }

    /// When the time of day was set, what waits by it goes along, and what is unclear is looked for anew. At first sight only a time before what an earlier process saw
    /// can be told from the time in which no process ran.
    async fn keep_distance(&mut self, lease: &Lease) -> Result<(), Error> {
        let (app, id) = (&self.app, &self.connection.id);
        let jump_ms = if self.is_prepared {
            self.watch.jump_ms(&*app.clock)
        } else {
            let ahead_ms =
                app.store.clock_jumps().last_seen(id).await?.map_or(0, |seen_ms| seen_ms.saturating_sub(app.now_ms()));
            (ahead_ms > OTHER_CLOCK_MS).then_some(ahead_ms.saturating_neg())
        };
        if let Some(jump_ms) = jump_ms {
            tracing::warn!(connection = %id, seconds = jump_ms / 1_000, "the clock of this machine was set; what waits goes along");
            let note = connection_note("clock_was_set", &self.connection, json!({ "seconds": jump_ms / 1_000 }));
            let now_ms = app.now_ms();
            let settle_until_ms = now_ms.saturating_add(self.connection.settings.settle_window_ms());
            app.store.clock_jumps().follow(lease, id, jump_ms, settle_until_ms, now_ms, &app.actor(), &note).await?;
            self.pause.until_ms = self.pause.until_ms.saturating_add(jump_ms.min(0));
        }
        self.watch.look(&*self.app.clock);
        Ok(())
    }

    /// What is due next for a connection.
    async fn next_due(&self, connection: &Connection, worked: bool) -> Result<Tick, Error> {
        // What cannot be worked on yet is not waited for: the job that is missing has a due time of its own.
        let (mut record, mut proposal, mut payment, mut order) = (None, None, None, None);
        if is_ready(connection) {
            record = self.app.store.records().next_due(&connection.id).await?;
            proposal = self.app.store.vendor_proposals().next_due(&connection.id).await?;
            payment = self.app.store.payment_lines().next_due(&connection.id).await?;
            order = self.app.store.transfer_orders().next_due(&connection.id).await?;
        }
        let mut due = self.app.store.jobs().list(&connection.id).await?;
        due.retain(|job| jobs::is_on(&connection.settings, &job.kind));
        let failed =
            due.iter().filter(|job| job.attempts > 0 && !jobs::is_beside(&job.kind)).filter_map(|job| job.due_ms).min();
        Ok(Tick {
            worked,
            open_due_ms: [record, proposal, payment, order, failed].into_iter().flatten().min(),
            jobs_due_ms: due.iter().filter_map(|job| job.due_ms).min(),
            lease_due_ms: None,
        })
    }

    async fn work(&self, connection: &Arc<Connection>, lease: &Lease) -> Result<bool, Stop> {
        let mut worked = jobs::run_due(&self.app, connection, lease).await?;
        let Some(identity) = connection.identity().filter(|_| is_ready(connection)) else { return Ok(worked) };
        let mut lane = Lane::now(&self.app, connection, lease, identity.clone()).await?;
        flow::legal_entity::check_shared(&self.app, connection).map_err(Stop::Connection)?;
        worked |= flow::poll::take_nudges(&lane).await? > 0;
        worked |= flow::changes::take(&lane).await? > 0;
        if !lane.has_current_directory() {
            lane = Lane::now(&self.app, connection, lease, identity).await?;
        }
        for stage in [Stage::ResolveVendor, Stage::Map] {
            worked |= self.run_stage(&lane, stage).await?;
        }
        // Drafts are made at the pace of Business Central; what was made goes on meanwhile.
        let turn = Turn::watched(self.watch, Arc::clone(&self.app.clock), self.stop.clone());
        let (sent, moved) = tokio::join!(sending::run(&lane, &turn), self.run_beside(&lane, &turn));
        worked |= settled(sent, moved)?;
        if !worked && !self.stop.is_cancelled() {
            worked = flow::clearing::turn(&lane).await?
                || crate::vendors::create::turn(&self.app, connection, lease).await?
                || crate::vendors::directory::turn(&self.app, connection, lease).await?
                || crate::coding_lists::turn(&self.app, connection, lease).await?
                || crate::transfers::pay::send::turn(&self.app, connection, lease).await?
                || crate::transfers::turn(&self.app, connection, lease).await?;
        }
        Ok(worked)
    }

    /// Works on everything but the drafts as long as they are made, and once more when they are.
    async fn run_beside(&self, lane: &Lane<'_>, turn: &Turn) -> Result<bool, Stop> {
        let worked = self.go_on_beside(lane, turn).await;
        // Whatever ends this ends the other, too.
        turn.close();
        worked
    }

    async fn go_on_beside(&self, lane: &Lane<'_>, turn: &Turn) -> Result<bool, Stop> {
        let mut worked = false;
        let (began_ms, mut fed_ms) = (lane.now_ms(), 0);
        tokio::select! {
            () = turn.moved() => {}
            () = self.stop.cancelled() => return Ok(false),
        }
        loop {
            let is_over = turn.is_over();
            if self.stop.is_cancelled() || turn.has_failed() || turn.has_jumped() {
                return Ok(worked);
            }
            let mut moved = false;
            for stage in Stage::WORKING.into_iter().filter(|stage| *stage != Stage::Draft) {
                if !is_over && !self.is_worth_a_call(lane, stage).await? {
                    continue;
                }
                let ran = self.run_stage(lane, stage).await?;
                if ran && stage.is_before_document() {
                    turn.feed();
                }
                moved |= ran;
            }
            worked |= moved;
            if is_over {
                return Ok(worked);
            }
            moved |= flow::poll::take_nudges(lane).await? > 0;
            moved |= flow::changes::take(lane).await? > 0;
            if !lane.has_current_directory() {
                // What was released because of it is decided by it.
                return Ok(true);
            }
            let beside = jobs::run_beside_drafts(&self.app, &self.connection, lane).await?;
            moved |= beside.ran;
            worked |= moved;
            if beside.is_left || lane.now_ms().saturating_sub(began_ms) >= TURN_MS {
                turn.close();
            }
            if turn.is_idle() {
                // What waited for its time, as a look-up after an unclear answer does, may be due by now.
                let now_ms = lane.now_ms();
                if !moved {
                    turn.close();
                } else if now_ms.saturating_sub(fed_ms) >= BESIDE_MS {
                    fed_ms = now_ms;
                    turn.feed();
                }
            }
            if !moved {
                tokio::select! {
                    () = turn.moved() => {}
                    () = super::nap(&self.app, BESIDE_MS, &self.stop) => {}
                }
            }
        }
    }

    /// Whether a batch is full, or its first record has waited for others long enough, or none of it calls anybody.
    async fn is_worth_a_call(&self, lane: &Lane<'_>, stage: Stage) -> Result<bool, Error> {
        if stage.is_before_document() {
            return Ok(true);
        }
        let (now_ms, most) = (lane.now_ms(), flow::batch(stage));
        let due = self.app.store.records().due(&lane.connection.id, stage, now_ms, most).await?;
        Ok(due.number >= most || due.oldest_ms.is_some_and(|ms| now_ms.saturating_sub(ms) >= COMPANY_MS))
    }

    /// Runs one stage on a batch, if anything is due.
    async fn run_stage(&self, lane: &Lane<'_>, stage: Stage) -> Result<bool, Stop> {
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        let records = self.app.store.records();
        let rows = records.list_due(&lane.connection.id, stage, lane.now_ms(), flow::batch(stage)).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let span = tracing::debug_span!(
            "flow.stage",
            connection = %lane.connection.id,
            stage = stage.as_str(),
            records = rows.len(),
        );
        async {
            match stage {
                Stage::ResolveVendor => flow::resolve_vendor::run_and_map(lane, rows).await,
                stage => lane.run_stage(stage, rows).await,
            }
        }
        .instrument(span)
        .await?;
        Ok(true)
    }

    /// The connection has to wait: because the other side asked for it, or because something is wrong with it as a whole.
    async fn rest(&mut self, connection: &Connection, lease: &Lease, stop: Stop) -> Result<Tick, Error> {
        let now_ms = self.app.now_ms();
        let asked_ms = match &stop {
            Stop::Later { asked_ms, .. } => *asked_ms,
            Stop::Connection(_) | Stop::Store(_) => None,
        };
        // A secret that was replaced where it comes from is tried at once.
        let renewed = matches!(&stop, Stop::Connection(problem) if secrets::is_refused(problem))
            && secrets::renew(&self.app, connection).await?;
        if renewed {
            self.pause = Pause::default();
        }
        self.pause = self.pause.after(now_ms, asked_ms, self.app.chance.next());
        let until_ms = self.pause.until_ms;
        if let Stop::Connection(problem) = &stop {
            note_problem(&self.app, connection, lease, problem).await?;
        }
        tracing::warn!(connection = %connection.id, error = %super::chain(&stop), until_ms, "the connection pauses");
        Ok(Tick { worked: false, open_due_ms: Some(until_ms), jobs_due_ms: Some(until_ms), lease_due_ms: None })
    }
}

/// What came of two things that were done at once. That our own memory failed is told before anything else.
fn settled(one: Result<bool, Stop>, other: Result<bool, Stop>) -> Result<bool, Stop> {
    match (one, other) {
        (Err(_), Err(stop @ Stop::Store(_))) => Err(stop),
        (one, other) => {
            let (one, other) = (one?, other?);
            Ok(one || other)
        }
    }
}

/// Whether records may be worked on: this process knows both ends, and has their master data.
fn is_ready(connection: &Connection) -> bool {
    connection.is_met() && connection.is_mirrored()
}

/// Stores a connection's problem and puts it into the trail, once per change.
pub(super) async fn note_problem(
    app: &App,
    connection: &Connection,
    lease: &Lease,
    problem: &Problem,
) -> Result<(), Error> {
    let known = app.store.connections().get(&connection.id).await?.and_then(|row| row.problem);
    if known.as_ref().is_some_and(|known| known.code == problem.code) {
        return Ok(());
    }
    app.store.connections().set_problem(&connection.id, Some(problem), app.now_ms()).await?;
    let note =
        connection_note("connection_held", connection, json!({ "code": problem.code, "sentence": problem.sentence }));
    app.store.audit().append(lease, &connection.id, app.now_ms(), &app.actor(), &[note]).await
}

/// Clears a connection's problem.
pub(super) async fn clear_problem(app: &App, connection: &Connection, lease: &Lease) -> Result<(), Error> {
    let known = app.store.connections().get(&connection.id).await?.and_then(|row| row.problem);
    let Some(problem) = known else { return Ok(()) };
    app.store.connections().set_problem(&connection.id, None, app.now_ms()).await?;
    let note = connection_note("connection_released", connection, json!({ "was": problem.code }));
    app.store.audit().append(lease, &connection.id, app.now_ms(), &app.actor(), &[note]).await
}

fn connection_note(action: &str, connection: &Connection, detail: serde_json::Value) -> Note {
    let subject = format!("connection {}", connection.id);
    Note { action: action.to_owned(), subject, before: None, after: None, detail }
}
