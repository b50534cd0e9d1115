//! Keeps Business Central at work: while drafts are being made, the next batch is looked up and its intents are committed, and what
//! came back is committed beside that, so that no slot waits for another document to be finished.
//!
//! It does what [`super::draft`] says, in its order: look, commit the intent, send, commit what came back. Of one record nothing
//! happens at the same time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use clients::Kind;
use domain::id::RecordId;
use domain::stage::Stage;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use store::RecordRow;
use tracing::Instrument as _;

use super::create::{self, Answer, Answers, Intended};
use super::draft::{self, Committed, Key, Planned};
use super::turn::Turn;
use super::{BATCH, Lane, Stop};
use crate::problem;

/// The next batch is prepared when fewer than this are ready to be sent.
const FEW: usize = 25;
/// Calls that wait for a slot.
const WAITING: usize = 3;
/// Drafts that are prepared at once for batches, which are then full, as are the look-ups of fifty numbers.
const AT_MOST_IN_BATCHES: usize = 100;
/// Answers that are committed together.
const TOGETHER: usize = 25;
/// An answer is committed after this long however few there are: what is not known of it costs a look-up after a crash.
const LONGEST: Duration = Duration::from_secs(1);

/// Makes every draft that is due, until none is or the turn closes. Says whether any was at hand.
pub async fn run(lane: &Lane<'_>, turn: &Turn) -> Result<bool, Stop> {
    let sent = Sending::new(lane, turn, true).run(None).await;
    turn.end(sent.is_err());
    sent
}

/// Makes the drafts of these rows.
pub(super) async fn send(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    Sending::new(lane, &Turn::default(), false).run(Some(rows)).await.map(drop)
}

#[expect(clippy::struct_excessive_bools, reason = "what the loop knows, each on its own")]
struct Sending<'l> {
    lane: &'l Lane<'l>,
    turn: &'l Turn,
    /// Whether more is taken from the database.
    is_fed: bool,
    /// Looked up, intent committed, to be sent.
    ready: VecDeque<Intended>,
    /// Documents that are sent with one call.
    together: usize,
    under_way: FuturesUnordered<BoxFuture<'l, Answers>>,
    answers: Vec<Answer>,
    /// Everything between its look-up and the commit of its answer.
    taken: HashMap<RecordId, Key>,
    /// What has to wait for another one, which this turn may be making.
    left: HashSet<RecordId>,
    preparing: Option<BoxFuture<'l, Prepared>>,
    committing: Option<BoxFuture<'l, Result<Committed, Stop>>>,
    /// Of the last look, nothing was due.
    is_dry: bool,
    has_worked: bool,
    /// Why nothing more is begun.
    stopped: Option<Stop>,
    /// Business Central asked for a rest.
    is_refused: bool,
}

/// A batch that can be sent, or nothing if none was due; and why nothing more is to be begun. Both: its intents are committed, and it
/// goes back unsent.
#[derive(Default)]
struct Prepared {
    batch: Option<draft::Batch>,
    stop: Option<Stop>,
}

impl Prepared {
    fn of(prepared: Result<Option<draft::Batch>, Stop>) -> Self {
        match prepared {
            Ok(batch) => Self { batch, stop: None },
            Err(stop) => Self { batch: None, stop: Some(stop) },
        }
    }

    /// This and another.
    fn and(self, other: Self) -> Self {
        let batch = match (self.batch, other.batch) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        };
        Self { batch, stop: self.stop.or(other.stop) }
    }
}

enum Next {
    Answered(Answers),
    Prepared(Prepared),
    Committed(Result<Committed, Stop>),
    Waited,
}

impl<'l> Sending<'l> {
    fn new(lane: &'l Lane<'l>, turn: &'l Turn, is_fed: bool) -> Self {
        Self {
            lane,
            turn,
            is_fed,
            ready: VecDeque::new(),
            together: lane.connection.drafts_in_a_batch(),
            under_way: FuturesUnordered::new(),
            answers: Vec::new(),
            taken: HashMap::new(),
            left: HashSet::new(),
            preparing: None,
            committing: None,
            is_dry: !is_fed,
            has_worked: false,
            stopped: None,
            is_refused: false,
        }
    }

    async fn run(mut self, rows: Option<Vec<RecordRow>>) -> Result<bool, Stop> {
        let lane = self.lane;
        self.preparing =
            rows.map(|rows| async move { Prepared::of(prepare(lane, rows, &HashSet::new()).await) }.boxed());
        loop {
            self.begin();
            match self.next().await {
                None if self.waits_for_more() => self.turn.rest().await,
                None => break,
                Some(Next::Answered(answers)) => self.take_answers(answers),
                Some(Next::Prepared(prepared)) => self.take_batch(prepared),
                Some(Next::Committed(Ok(committed))) => self.take_committed(committed),
                Some(Next::Committed(Err(stop))) => {
                    self.committing = None;
                    self.stop(stop);
                }
                Some(Next::Waited) => self.commit(),
            }
        }
        self.stopped.map_or(Ok(self.has_worked), Err)
    }

    /// Begins whatever can begin.
    fn begin(&mut self) {
        if self.is_open() {
            self.send_ready();
            if self.turn.take_food() {
                self.is_dry = !self.is_fed;
            }
            if self.preparing.is_none() && !self.is_dry && self.ready.len() < FEW {
                let (lane, being_made) = (self.lane, self.taken.values().cloned().collect());
                let not_these = self.taken.keys().chain(&self.left).cloned().collect();
                let together = self.together;
                let load = async move { Prepared::of(load(lane, together, not_these, being_made).await) };
                self.preparing = Some(load.boxed());
            }
        } else {
            // Their intents are committed, and nothing was sent.
            self.answers.extend(self.ready.drain(..).map(Intended::unsent));
        }
        let nothing_comes = self.under_way.is_empty() && self.ready.is_empty() && self.preparing.is_none();
        if self.answers.len() >= TOGETHER || nothing_comes {
            self.commit();
        }
    }

    /// Sends what is ready. More calls than there are slots, so that none is empty while the next one asks for the lease, or this task is
    /// at something else.
    fn send_ready(&mut self) {
        // A stop waits for what is under way, so that no batch waits for a slot.
        let waiting = if self.together > 1 { 0 } else { WAITING };
        let most = self.lane.connection.traffic.bc_slots() + waiting;
        while self.under_way.len() < most {
            let fresh = self.ready.iter().take(self.together).take_while(|next| next.is_fresh).count();
            if self.together > 1 && fresh == self.together {
                let several = self.ready.drain(..fresh).collect();
                self.under_way.push(create::together(self.lane, several).boxed());
            } else if self.together > 1 && fresh == self.ready.len() && (self.preparing.is_some() || !self.is_dry) {
                // What comes next may fill a batch.
                return;
            } else if let Some(next) = self.ready.pop_front() {
                self.under_way.push(create::one(self.lane, next).boxed());
            } else {
                return;
            }
        }
    }

    /// Commits what came back, unless that is under way.
    fn commit(&mut self) {
        if self.committing.is_none() && !self.answers.is_empty() {
            let (lane, answers) = (self.lane, std::mem::take(&mut self.answers));
            let records = answers.len();
            let span = tracing::debug_span!("flow.draft.commit", connection = %lane.connection.id, records);
            self.committing = Some(draft::take_answers(lane, answers).instrument(span).boxed());
        }
    }

    /// What happens next; nothing if there is nothing left.
    async fn next(&mut self) -> Option<Next> {
        let is_waited_for = !self.answers.is_empty();
        let Self { under_way, preparing, committing, .. } = self;
        let happens = async {
            tokio::select! {
                Some(answers) = under_way.next(), if !under_way.is_empty() => Some(Next::Answered(answers)),
                prepared = end_of(preparing), if preparing.is_some() => Some(Next::Prepared(prepared)),
                committed = end_of(committing), if committing.is_some() => Some(Next::Committed(committed)),
                else => None,
            }
        };
        if !is_waited_for {
            return happens.await;
        }
        tokio::time::timeout(LONGEST, happens).await.unwrap_or(Some(Next::Waited))
    }

    /// Whether what is prepared meanwhile may be sent in this turn.
    fn waits_for_more(&self) -> bool {
        self.is_fed && self.has_worked && self.is_open()
    }

    fn is_open(&self) -> bool {
        self.stopped.is_none() && !self.is_refused && !self.turn.is_closing()
    }

    fn take_answers(&mut self, Answers { each, refusal }: Answers) {
        if let Some(why) = refusal {
            tracing::warn!(why, "Business Central takes no batch; until the next start drafts are sent one by one");
            self.lane.connection.send_no_batches();
            self.together = 1;
        }
        // Nothing is sent into a refusal that is about all of them; what is under way meets the same.
        self.is_refused |= each.iter().any(|Answer { answer, .. }| match answer {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.kind() == Kind::Throttled || problem::of_error(error).is_some(),
            None => true,
        });
        self.answers.extend(each);
    }

    fn take_batch(&mut self, Prepared { batch, stop }: Prepared) {
        self.preparing = None;
        if let Some(stop) = stop {
            self.stop(stop);
        }
        let Some(batch) = batch else {
            self.is_dry = true;
            return;
        };
        self.has_worked = true;
        self.left.extend(batch.waiting);
        self.taken.extend(batch.intended.iter().map(|next| (next.row.id.clone(), next.key())));
        self.ready.extend(batch.intended);
    }

    fn take_committed(&mut self, committed: Committed) {
        self.committing = None;
        self.has_worked = true;
        for id in &committed.ids {
            self.taken.remove(id);
        }
        if let Some(stop) = committed.stop {
            self.stop(stop);
        } else if !committed.again.is_empty() {
            self.send_again(committed.again);
        }
        self.turn.tell_moved();
    }

    /// Planned without dimensions there is nothing left to meet a default. They were looked for when they were refused.
    fn send_again(&mut self, planned: Vec<Planned>) {
        self.taken.extend(planned.iter().map(|(row, plan)| (row.id.clone(), draft::key(plan))));
        let (lane, before) = (self.lane, self.preparing.take());
        let preparing = async move {
            let earlier = async {
                match before {
                    Some(before) => before.await,
                    None => Prepared::default(),
                }
            };
            // At once: what was being prepared may hold the one connection that writes, and would hold it for ever if it were left.
            let (intended, earlier) = tokio::join!(draft::commit_intents(lane, planned), earlier);
            let again = intended.map(|intended| Some(draft::Batch { intended, waiting: Vec::new() }));
            Prepared::of(again).and(earlier)
        };
        self.preparing = Some(preparing.boxed());
    }

    /// What is under way is finished all the same, so that as little as possible is unknown.
    fn stop(&mut self, stop: Stop) {
        self.stopped.get_or_insert(stop);
    }
}

/// The end of what is under way; without anything under way there is none.
async fn end_of<T>(under_way: &mut Option<BoxFuture<'_, T>>) -> T {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}

/// What is due, but not these; for batches only as much as fills them and their look-ups, as long as more is on its way here.
async fn load(
    lane: &Lane<'_>,
    together: usize,
    not_these: HashSet<RecordId>,
    being_made: HashSet<Key>,
) -> Result<Option<draft::Batch>, Stop> {
    let whole = AT_MOST_IN_BATCHES / together * together;
    let most = if together > 1 { whole } else { usize::try_from(BATCH).unwrap_or(1) };
    let rows = list_due(lane, most, &not_these).await?;
    if together > 1 && rows.len() < most && is_more_coming(lane).await? {
        return Ok(None);
    }
    prepare(lane, rows, &being_made).await
}

/// The first of what is due and is none of these. What is sent is not due any more, so that the first look finds most of them.
async fn list_due(lane: &Lane<'_>, most: usize, not_these: &HashSet<RecordId>) -> Result<Vec<RecordRow>, Stop> {
    let mut limit = most;
    loop {
        let asked = i64::try_from(limit).unwrap_or(BATCH);
        let mut rows =
            lane.app.store.records().list_due(&lane.connection.id, Stage::Draft, lane.now_ms(), asked).await?;
        let is_all = rows.len() < limit || limit >= most.saturating_add(not_these.len());
        rows.retain(|row| !not_these.contains(&row.id));
        if rows.len() >= most || is_all {
            rows.truncate(most);
            return Ok(rows);
        }
        limit = most.saturating_add(not_these.len());
    }
}

/// Whether a record is about to come to this stage: when it has, the turn is fed.
async fn is_more_coming(lane: &Lane<'_>) -> Result<bool, Stop> {
    for stage in Stage::WORKING.into_iter().filter(|stage| stage.is_before_document()) {
        let due = lane.app.store.records().due(&lane.connection.id, stage, lane.now_ms(), 1).await?;
        if due.number > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn prepare(
    lane: &Lane<'_>,
    rows: Vec<RecordRow>,
    being_made: &HashSet<Key>,
) -> Result<Option<draft::Batch>, Stop> {
    if rows.is_empty() {
        return Ok(None);
    }
    let span = tracing::debug_span!("flow.draft.prepare", connection = %lane.connection.id, records = rows.len());
    Ok(Some(draft::prepare(lane, rows, being_made).instrument(span).await?))
}
