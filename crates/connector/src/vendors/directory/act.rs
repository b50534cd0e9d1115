//! Does what is due, a batch at a time: decide, commit the intents, send, commit what came back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use clients::brex::{BrexVendor, VendorFields};
use clients::{Effect, Error, Kind};
use domain::brex_vendor::name::name_key;
use domain::brex_vendor::{Action, Changes, Facts, Fields, State, VendorHold, create_key, decide};
use domain::pace::retry_delay_ms;
use futures::StreamExt as _;
use serde_json::json;
use store::{BrexVendorChange, BrexVendorRow};

use super::look::link;
use super::{Halt, Turn, note, seen, wanted};
use crate::flow::step::error_detail;
use crate::stop::asked_ms;

/// Vendors per turn: some seconds at Brex's pace, so that a record never waits long for its turn.
pub const BATCH: i64 = 50;
/// Calls at the same time.
const AT_ONCE: usize = 8;

/// One batch under way. The first failure that is not about one vendor ends it; what was not sent then is not sent.
struct Batch<'a> {
    turn: &'a Turn<'a>,
    looked_ms: i64,
    halted: AtomicBool,
    halt: Mutex<Option<Halt>>,
}

/// Does one batch; false when nothing is due.
pub(super) async fn batch(turn: &Turn<'_>, looked_ms: i64) -> Result<bool, Halt> {
    let map = turn.app.store.brex_vendors();
    let rows = map.list_due(&turn.connection.id, turn.now_ms(), BATCH).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let (mut creates, mut others) = (Vec::new(), Vec::new());
    for row in rows {
        let is_create = decision(turn, &row) == Action::Create;
        if is_create { creates.push(row) } else { others.push(row) }
    }
    let intents: Vec<BrexVendorChange> = creates.into_iter().map(|row| intent(turn, row)).collect();
    turn.apply(&intents).await?;
    if !turn.app.store.lanes().holds(turn.lease, turn.now_ms()).await? {
        return Err(store::Error::LostLease.into());
    }
    let batch = Batch { turn, looked_ms, halted: AtomicBool::new(false), halt: Mutex::new(None) };
    let creating = intents.into_iter().map(|intent| batch.create(intent.row, true));
    let mut changes: Vec<Option<BrexVendorChange>> = futures::stream::iter(creating).buffered(AT_ONCE).collect().await;
    let rest = others.into_iter().map(|row| batch.one(row));
    changes.extend(futures::stream::iter(rest).buffered(AT_ONCE).collect::<Vec<_>>().await);
    let changes: Vec<BrexVendorChange> = changes.into_iter().flatten().collect();
    turn.apply(&changes).await?;
    match batch.halt.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(halt) => Err(halt),
        None => Ok(true),
    }
}

/// What the map says should happen next.
pub(super) fn decision(turn: &Turn<'_>, row: &BrexVendorRow) -> Action {
    decide(&facts(row, &wanted(row)), turn.connection.settings.directory.policy())
}

fn facts<'a>(row: &'a BrexVendorRow, wanted: &'a Fields) -> Facts<'a> {
    Facts {
        presence: row.presence,
        state: row.state,
        ours: row.ours,
        wanted,
        written: row.written.as_ref(),
        seen: row.seen.as_ref(),
    }
}

/// The row with the create that is about to be sent. The same attempt always sends the same body under the same key.
fn intent(turn: &Turn<'_>, mut row: BrexVendorRow) -> BrexVendorChange {
    row.sent = Some(wanted(&row));
    row.state = State::Creating;
    let key = key(turn, &row);
    let note = note(&row, "brex_vendor_creating", json!({ "sends": row.sent, "key": key, "attempt": row.attempt }));
    BrexVendorChange { row, notes: vec![note] }
}

fn key(turn: &Turn<'_>, row: &BrexVendorRow) -> uuid::Uuid {
    create_key(&turn.identity.brex_company, turn.identity.bc_company, row.bc_id, row.attempt)
}

impl Batch<'_> {
    fn brex(&self) -> &clients::brex::Client {
        &self.turn.connection.brex
    }

    fn now_ms(&self) -> i64 {
        self.turn.now_ms()
    }

    /// Everything but a first create.
    async fn one(&self, row: BrexVendorRow) -> Option<BrexVendorChange> {
        if self.halted.load(Ordering::Acquire) {
            return None;
        }
        match decision(self.turn, &row) {
            Action::Look => self.look(row, false).await,
            Action::Settle => self.look(row, true).await,
            action if row.state == State::Here && row.seen.is_some() => self.keep(row, action).await,
            Action::Hold(hold) => Some(held(row, hold, hold.sentence().to_owned())),
            _ => Some(rest(row)),
        }
    }

    /// Looks for the name. Of an open create the name that was sent counts, and what is not there is sent again.
    async fn look(&self, mut row: BrexVendorRow, open: bool) -> Option<BrexVendorChange> {
        let sent = row.sent.as_ref().filter(|_| open).map(|sent| sent.name.clone());
        let name = sent.or_else(|| row.name.clone()).unwrap_or_default();
        let found = match self.find(&row, &name).await {
            Ok(found) => found,
            Err(error) => return self.failed(row, error),
        };
        match found {
            Some(vendor) if open => self.claim(row, vendor).await,
            Some(vendor) => Some(link(&mut row, &vendor, false, self.now_ms())),
            None if open => self.create(row, false).await,
            None => {
                if matches!(row.state, State::Removed | State::Here) {
                    row.attempt = row.attempt.saturating_add(1);
                }
                (row.state, row.brex_id, row.seen, row.written) = (State::Absent, None, None, None);
                (row.looked_ms, row.due_ms) = (Some(self.now_ms()), Some(self.now_ms()));
                Some(BrexVendorChange { row, notes: Vec::new() })
            }
        }
    }

    /// A vendor of the name of an open create is there: ours only if Brex answers the same request under the same key with
    /// it, since a person may have made one of that name meanwhile. Names are unique in Brex, so the repeat makes no second.
    async fn claim(&self, mut row: BrexVendorRow, found: BrexVendor) -> Option<BrexVendorChange> {
        if self.halted.load(Ordering::Acquire) {
            return Some(not_sent(row, false));
        }
        let ours = match self.send(&row).await {
            Ok(answer) => answer.id == found.id,
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Conflict | Kind::Unreadable) => false,
            Err(error) => return self.failed(row, error),
        };
        Some(link(&mut row, &found, ours, self.now_ms()))
    }

    /// Sends the create of a row, always under the key and with the fields of its attempt.
    async fn send(&self, row: &BrexVendorRow) -> Result<BrexVendor, Error> {
        let sent = row.sent.clone().unwrap_or_default();
        let fields = VendorFields { company_name: Some(sent.name), email: sent.email, phone: sent.phone };
        self.brex().create_vendor(key(self.turn, row), &fields).await
    }

    /// The vendor of this name that stands for no other BC vendor.
    async fn find(&self, row: &BrexVendorRow, name: &str) -> Result<Option<BrexVendor>, Halt> {
        let found = self.brex().find_vendors_by_name(name).await?;
        let same = found.into_iter().filter(|vendor| name_key(&vendor.company_name) == name_key(name));
        let mut free = Vec::new();
        for vendor in same {
            let map = self.turn.app.store.brex_vendors();
            let owners = map.find(&self.turn.connection.id, &vendor.id).await?;
            if owners.iter().all(|owner| owner.bc_id == row.bc_id) {
                free.push(vendor);
            }
        }
        Ok(free.into_iter().next())
    }

    /// Sends a create whose intent is committed. `first` tells that it was not sent before.
    async fn create(&self, mut row: BrexVendorRow, first: bool) -> Option<BrexVendorChange> {
        if self.halted.load(Ordering::Acquire) {
            return Some(not_sent(row, first));
        }
        match self.send(&row).await {
            Ok(vendor) => {
                let now_ms = self.now_ms();
                let mut change = link(&mut row, &vendor, true, now_ms);
                // Nothing is left to do unless BC changed meanwhile.
                change.row.due_ms = (decision(self.turn, &change.row) != Action::Nothing).then_some(now_ms);
                change.notes = vec![note(&change.row, "brex_vendor_created", json!({ "brex_id": vendor.id }))];
                Some(change)
            }
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Conflict) => self.refused(row, error).await,
            Err(error) if error.effect() == Effect::None => {
                self.stop(error);
                Some(not_sent(row, first))
            }
            Err(error) => self.failed(row, error),
        }
    }

    /// Brex refused to create it: most often because the name is there, and then that vendor is linked.
    async fn refused(&self, mut row: BrexVendorRow, error: Error) -> Option<BrexVendorChange> {
        let name = row.sent.as_ref().map(|sent| sent.name.clone()).unwrap_or_default();
        match self.find(&row, &name).await {
            Ok(Some(vendor)) => Some(link(&mut row, &vendor, false, self.now_ms())),
            Ok(None) if error.effect() == Effect::None => {
                (row.state, row.sent) = (State::Absent, None);
                row.attempt = row.attempt.saturating_add(1);
                let said = error.api_message().unwrap_or("no reason").to_owned();
                Some(held(row, VendorHold::Refused, format!("{}: Brex says: {said}", VendorHold::Refused.sentence())))
            }
            Ok(None) => self.failed(row, error),
            Err(error) => self.failed(row, error),
        }
    }

    /// A vendor that is there: looked at afresh before anything is changed, and done.
    async fn keep(&self, mut row: BrexVendorRow, action: Action) -> Option<BrexVendorChange> {
        let id = row.brex_id.clone().unwrap_or_default();
        let is_stale = row.looked_ms.is_none_or(|looked| looked < self.looked_ms);
        if action == Action::Nothing && !is_stale {
            return Some(rest(row));
        }
        match self.brex().get_vendor(&id).await {
            Ok(vendor) => row.seen = vendor.as_ref().map(seen),
            Err(error) => return self.failed(row, error),
        }
        row.looked_ms = Some(self.now_ms());
        if row.seen.is_none() {
            // Due again: the next decision is about a vendor that is not there any more.
            row.due_ms = Some(self.now_ms());
            let note = note(&row, "brex_vendor_missing", json!({ "brex_id": id }));
            return Some(BrexVendorChange { row, notes: vec![note] });
        }
        match decision(self.turn, &row) {
            Action::Update(changes) => self.update(row, &id, changes).await,
            Action::Delete => self.delete(row, &id).await,
            Action::Hold(hold) => Some(held(row, hold, hold.sentence().to_owned())),
            _ => Some(rest(row)),
        }
    }

    async fn update(&self, mut row: BrexVendorRow, id: &str, changes: Changes) -> Option<BrexVendorChange> {
        let Changes { name, email, phone } = changes.clone();
        match self.brex().update_vendor(id, &VendorFields { company_name: name, email, phone }).await {
            Ok(vendor) => {
                let was = row.seen.replace(seen(&vendor)).unwrap_or_default();
                row.written = Some(changes.written_over(row.written.take()));
                let detail = json!({ "changes": changes, "was": was });
                let mut change = rest(row);
                change.notes = vec![note(&change.row, "brex_vendor_updated", detail)];
                Some(change)
            }
            // A conflict can only be a name that another vendor has.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Conflict) => {
                let said = error.api_message().unwrap_or("no reason").to_owned();
                Some(held(row, VendorHold::Refused, format!("{}: Brex says: {said}", VendorHold::Refused.sentence())))
            }
            Err(error) => self.failed(row, error),
        }
    }

    async fn delete(&self, mut row: BrexVendorRow, id: &str) -> Option<BrexVendorChange> {
        if let Err(error) = self.brex().delete_vendor(id).await {
            return self.failed(row, error);
        }
        (row.state, row.brex_id, row.seen, row.written) = (State::Removed, None, None, None);
        let mut change = rest(row);
        change.notes = vec![note(&change.row, "brex_vendor_deleted", json!({ "brex_id": id }))];
        Some(change)
    }

    /// A call failed: about this vendor it is tried again later; about all of them it ends the batch.
    fn failed(&self, mut row: BrexVendorRow, halt: impl Into<Halt>) -> Option<BrexVendorChange> {
        let about_all = [Kind::Throttled, Kind::Unauthorized, Kind::Forbidden, Kind::Unreachable];
        let error = match halt.into() {
            Halt::Brex(error) if !about_all.contains(&error.kind()) => error,
            halt => {
                self.stop(halt);
                return None;
            }
        };
        let delay = retry_delay_ms(row.tries, asked_ms(&error), self.turn.app.chance.next());
        row.tries = row.tries.saturating_add(1);
        row.due_ms = Some(self.now_ms().saturating_add(delay));
        let note = note(&row, "brex_vendor_postponed", error_detail(&error));
        Some(BrexVendorChange { row, notes: vec![note] })
    }

    fn stop(&self, halt: impl Into<Halt>) {
        self.halted.store(true, Ordering::Release);
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(halt.into());
    }
}

/// Surely not executed. A create that was never sent goes back to where it was; one that may have been stays open.
fn not_sent(mut row: BrexVendorRow, first: bool) -> BrexVendorChange {
    if first {
        (row.state, row.sent) = (State::Absent, None);
    }
    BrexVendorChange { row, notes: Vec::new() }
}

/// Nothing is left to do.
fn rest(mut row: BrexVendorRow) -> BrexVendorChange {
    (row.due_ms, row.tries) = (None, 0);
    (row.hold, row.hold_text) = (None, None);
    BrexVendorChange { row, notes: Vec::new() }
}

fn held(mut row: BrexVendorRow, hold: VendorHold, sentence: String) -> BrexVendorChange {
    let detail = json!({ "code": hold.as_str(), "sentence": sentence });
    (row.hold, row.hold_text) = (Some(hold), Some(sentence));
    (row.due_ms, row.tries) = (None, 0);
    let note = note(&row, "brex_vendor_held", detail);
    BrexVendorChange { row, notes: vec![note] }
}
