//! Sends documents whose intents are committed: one with a call, or, in a back-fill, several with one `$batch`.
//!
//! A batch saves calls and no time of Business Central's, and a lost answer leaves all its documents unclear at once. So it is used only if
//! a connection allows it, while enough of them wait, and for none of which something may have come before.

use std::panic::resume_unwind;

use clients::bc::{BatchMode, Company, Document};
use clients::{Effect, Error, Kind, System};
use domain::document::PlannedDocument;
use store::RecordRow;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::Lane;
use super::draft::{self, Key};
use super::wire::{new_document, wire_kind};

/// A document whose intent is committed.
pub(super) struct Intended {
    pub(super) row: RecordRow,
    pub(super) plan: PlannedDocument,
    pub(super) attempt: i64,
    /// Whether nothing was sent for the record before, or surely nothing came of it.
    pub(super) is_fresh: bool,
}

impl Intended {
    /// By what its document is told from others.
    pub(super) fn key(&self) -> Key {
        draft::key(&self.plan)
    }

    /// It was not sent.
    pub(super) fn unsent(self) -> Answer {
        Answer { intended: self, answer: None }
    }

    fn answered(self, answer: Result<Document, Error>) -> Answer {
        match answer {
            Err(error) if error.kind() == Kind::Withheld => self.unsent(),
            answer => Answer { intended: self, answer: Some(answer) },
        }
    }
}

/// What came back for a document; nothing if it was not sent.
pub(super) struct Answer {
    pub(super) intended: Intended,
    pub(super) answer: Option<Result<Document, Error>>,
}

/// What came back with one call.
pub(super) struct Answers {
    pub(super) each: Vec<Answer>,
    /// Why the batch as a whole was not taken as one, if it was a batch.
    pub(super) refusal: Option<String>,
}

/// Sends one document, if the lease still stands when the turn of the call has come ([`Lane::company`]). The call is a task of its own: it
/// begins when its turn has come, whatever else this one is at.
pub(super) fn one(lane: &Lane<'_>, intended: Intended) -> impl Future<Output = Answers> + Send + use<> {
    let plan = &intended.plan;
    let document = new_document(plan, &lane.directory.setup.local_currency);
    let (company, kind) = (lane.company(), wire_kind(plan.kind));
    let call = async move { company.create_document(kind, &document).await };
    let span = tracing::debug_span!("flow.draft.create", connection = %lane.connection.id, record.id = %plan.record);
    let call = AbortOnDropHandle::new(tokio::spawn(call.instrument(span)));
    async move {
        let answer = match call.await {
            Ok(answer) => answer,
            Err(ended) => never(ended).await,
        };
        Answers { each: vec![intended.answered(answer)], refusal: None }
    }
}

/// Sends several documents with one call, in the same way. Each has its own outcome.
pub(super) fn together(lane: &Lane<'_>, intended: Vec<Intended>) -> impl Future<Output = Answers> + Send + use<> {
    let local = &lane.directory.setup.local_currency;
    let documents = intended.iter().map(|next| (wire_kind(next.plan.kind), new_document(&next.plan, local))).collect();
    let records = intended.len();
    let span = tracing::debug_span!("flow.draft.create_batch", connection = %lane.connection.id, records);
    let call = AbortOnDropHandle::new(tokio::spawn(send(lane.company(), documents).instrument(span)));
    async move {
        let answers = match call.await {
            Ok(answers) => answers,
            Err(ended) => never(ended).await,
        };
        match answers {
            Ok(answers) => {
                let each = intended.into_iter().zip(answers);
                Answers { each: each.map(|(next, answer)| next.answered(answer)).collect(), refusal: None }
            }
            Err(error) => {
                let refusal = is_refusal(&error).then(|| error.to_string());
                let each = intended.into_iter().map(|next| next.answered(Err(error.shared()))).collect();
                Answers { each, refusal }
            }
        }
    }
}

/// Whether batches are not taken here, as far as the answer to one tells. A failure that passes says nothing of the kind.
fn is_refusal(error: &Error) -> bool {
    let is_batch = error.system() == System::BusinessCentral && error.effect() == Effect::Unknown;
    is_batch && (matches!(error.kind(), Kind::Refused | Kind::NotFound) || matches!(error.status(), Some(500 | 501)))
}

async fn send(
    company: Company,
    documents: Vec<(clients::bc::DocumentKind, clients::bc::NewDocument)>,
) -> Result<Vec<Result<Document, Error>>, Error> {
    let mut batch = company.batch(BatchMode::ContinueOnError);
    let mut places = Vec::with_capacity(documents.len());
    for (kind, document) in &documents {
        places.push(batch.create_document(*kind, document)?);
    }
    let answer = batch.send().await?;
    Ok(places.into_iter().map(|place| answer.document(place)).collect())
}

/// A panic goes on here. Otherwise only the end of the process ends a call, and that ends what waits for it, too.
async fn never<T>(ended: JoinError) -> T {
    match ended.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => std::future::pending().await,
    }
}
