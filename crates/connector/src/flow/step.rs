//! One step of one record: the row as it will be, the audit notes that say why, and the intent it opens or settles.

use domain::audit::Note;
use domain::hold::Hold;
use domain::stage::{Event, Stage};
use serde_json::{Value, json};
use store::{Change, IntentChange, RecordRow, VendorMatch};

/// A step that is being put together.
#[derive(Clone, Debug)]
pub struct Step {
    /// The row as it will be.
    pub row: RecordRow,
    before: String,
    payload: Option<String>,
    notes: Vec<Note>,
    intent: Option<IntentChange>,
    matched: Option<VendorMatch>,
}

impl Step {
    /// Starts from the row as it was read.
    pub fn of(row: RecordRow) -> Self {
        let before = state(&row);
        Self { row, before, payload: None, notes: Vec::new(), intent: None, matched: None }
    }

    /// Moves to the stage after `event`, due now, with all waiting cleared. A move that makes no sense leaves the row as
    /// it is and says so in the trail.
    #[must_use]
    pub fn on(mut self, event: Event, now_ms: i64) -> Self {
        match self.row.stage.after(event) {
            Ok(stage) => {
                self.row.stage = stage;
                self.row.hold = None;
                self.row.held_ms = None;
                self.row.attempts = 0;
                self.row.due_ms = Stage::WORKING.contains(&stage).then_some(now_ms);
                self
            }
            Err(illegal) => {
                self.row.due_ms = None;
                self.note("illegal_move", json!({ "why": illegal.to_string() }))
            }
        }
    }

    /// Stops with a reason that a person can act on.
    #[must_use]
    pub fn hold(mut self, hold: &Hold, now_ms: i64) -> Self {
        self.row.hold = Some(hold.clone());
        self.row.held_ms = Some(now_ms);
        self.row.due_ms = None;
        self.note("held", json!({ "code": hold.code, "sentence": hold.sentence, "who": hold.code.fixer() }))
    }

    /// Takes the hold away; the same stage goes on.
    #[must_use]
    pub fn released(mut self, now_ms: i64) -> Self {
        let was = self.row.hold.take().map(|hold| hold.code);
        self.row.held_ms = None;
        self.row.attempts = 0;
        // The document may have been changed or deleted meanwhile: it is compared again before anything is exported.
        if let Ok(stage) = self.row.stage.after(Event::LookAgain) {
            self.row.stage = stage;
        }
        self.row.due_ms = Stage::WORKING.contains(&self.row.stage).then_some(now_ms);
        self.note("released", json!({ "was": was }))
    }

    /// Tries the same stage again at `due_ms`; `counted` tells whether it counts as an attempt of the record.
    #[must_use]
    pub fn postpone(mut self, due_ms: i64, counted: bool, why: &Value) -> Self {
        self.row.due_ms = Some(due_ms);
        if counted {
            self.row.attempts = self.row.attempts.saturating_add(1);
        }
        self.note("postponed", json!({ "until_ms": due_ms, "why": why }))
    }

    /// Adds an audit note.
    #[must_use]
    pub fn note(mut self, action: &str, detail: Value) -> Self {
        let subject = self.row.id.as_str().to_owned();
        self.notes.push(Note { action: action.to_owned(), subject, before: None, after: None, detail });
        self
    }

    /// Keeps the payload of a new version.
    #[must_use]
    pub fn payload(mut self, text: String) -> Self {
        self.payload = Some(text);
        self
    }

    /// Opens, probes or settles an intent.
    #[must_use]
    pub fn intent(mut self, change: IntentChange) -> Self {
        self.intent = Some(change);
        self
    }

    /// Keeps what the matcher said.
    #[must_use]
    pub fn matched(mut self, matched: Option<VendorMatch>) -> Self {
        self.matched = matched;
        self
    }

    /// Goes on from here: what was noted so far says how the record stands now, and what is noted from now on begins there.
    #[must_use]
    pub fn then(mut self) -> Self {
        let now = state(&self.row);
        self.say_states(&now);
        self.before = now;
        self
    }

    /// Tells the notes that do not say it yet how the record stood and stands.
    fn say_states(&mut self, after: &str) {
        for note in self.notes.iter_mut().filter(|note| note.before.is_none()) {
            note.before = Some(self.before.clone());
            note.after = Some(after.to_owned());
        }
    }

    /// Changes fields of the row.
    #[must_use]
    pub fn set(mut self, change: impl FnOnce(&mut RecordRow)) -> Self {
        change(&mut self.row);
        self
    }

    /// The change as the store takes it: every note carries the state before and after.
    pub fn into_change(mut self) -> Change {
        let after = state(&self.row);
        self.say_states(&after);
        let Self { row, payload, notes, intent, matched, .. } = self;
        Change { row, payload, notes, intent, matched }
    }
}

/// Stage, and the hold if there is one: `draft` or `map (account_not_coded)`.
fn state(row: &RecordRow) -> String {
    match &row.hold {
        None => row.stage.to_string(),
        Some(hold) => format!("{} ({})", row.stage, hold.code),
    }
}

/// What an error says about itself, for the trail: never a body, never a secret.
pub fn error_detail(error: &clients::Error) -> Value {
    json!({
        "error": error.to_string(),
        "said": error.api_message(),
        "request_id": error.request_id(),
    })
}
