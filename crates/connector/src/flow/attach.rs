//! Puts the receipts of a record onto its document: look what is there, fetch what is missing, make the entry, send the file,
//! look again.
//!
//! A file is recognised by a name that follows from the receipt, so a retry finds what an earlier try left. The entry is
//! committed here before it is made there; after an unclear answer it is made again only when it could no longer appear.

use std::collections::HashMap;

use clients::bc::{Attachment, Company};
use clients::brex::Receipt;
use clients::{Effect, Error, Kind};
use data_encoding::HEXLOWER;
use domain::document::DocumentKind;
use domain::hold::{Hold, HoldCode};
use domain::id::RecordId;
use domain::receipt::{HEAD_BYTES, file_name, file_type};
use domain::stage::{Event, Stage};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use store::{ReceiptRow, RecordRow};
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use super::resolve_vendor::unreadable;
use super::step::{Step, error_detail};
use super::wire::wire_kind;
use super::{Lane, Records, Stop, asked_ms, source};
use crate::problem;

/// Runs the stage.
pub async fn run(lane: &Lane<'_>, rows: Vec<RecordRow>) -> Result<(), Stop> {
    let records = if is_on(lane) { lane.records(&rows).await? } else { Records::new() };
    let (done, open): (Vec<RecordRow>, Vec<RecordRow>) =
        rows.into_iter().partition(|row| has_nothing_to_attach(lane, row, &records));
    lane.apply(done.into_iter().map(|row| Step::of(row).on(after_receipts(lane), lane.now_ms())).collect()).await?;
    let ids: Vec<RecordId> = open.iter().map(|row| row.id.clone()).collect();
    let mut known: HashMap<RecordId, Vec<ReceiptRow>> = HashMap::new();
    for row in lane.app.store.receipts().find_many(&lane.connection.id, &ids).await? {
        known.entry(row.record_id.clone()).or_default().push(row);
    }
    let at_once = usize::from(lane.connection.settings.bc.max_concurrent).max(1);
    let work = open.into_iter().map(|row| {
        let known = known.remove(&row.id).unwrap_or_default();
        let receipts = records.get(&row.id).map(|record| record.receipts.as_slice());
        one(lane, row, receipts, known)
    });
    let steps: Vec<Step> = stream::iter(work.collect::<Vec<_>>()).buffered(at_once).try_collect().await?;
    lane.apply(steps).await?;
    Ok(())
}

/// Where the record goes once its receipts are there.
fn after_receipts(lane: &Lane<'_>) -> Event {
    if lane.connection.settings.post.enabled { Event::ToPost } else { Event::Attached }
}

/// A step that comes to this stage does not stop there if there is nothing to do. `records` are those of the steps.
pub(super) fn pass_by(lane: &Lane<'_>, step: Step, records: &Records) -> Step {
    let row = &step.row;
    if row.stage == Stage::Attach && row.hold.is_none() && has_nothing_to_attach(lane, row, records) {
        step.then().on(after_receipts(lane), lane.now_ms())
    } else {
        step
    }
}

fn is_on(lane: &Lane<'_>) -> bool {
    lane.connection.settings.receipts.enabled
}

/// Of a record that cannot be read that is not known.
fn has_nothing_to_attach(lane: &Lane<'_>, row: &RecordRow, records: &Records) -> bool {
    !is_on(lane) || records.get(&row.id).is_some_and(|record| record.receipts.is_empty())
}

/// Why a record's receipts are not all there yet.
enum Halt {
    /// A person has to do something.
    Hold(Hold),
    /// It is tried again.
    Later { due_ms: i64, why: Value },
    /// The connection stops.
    Stop(Stop),
}

impl<T: Into<Stop>> From<T> for Halt {
    fn from(stop: T) -> Self {
        Self::Stop(stop.into())
    }
}

async fn one(
    lane: &Lane<'_>,
    row: RecordRow,
    receipts: Option<&[String]>,
    known: Vec<ReceiptRow>,
) -> Result<Step, Stop> {
    let (Some(receipts), Some(kind), Some(document)) = (receipts, row.document_kind, row.document_id) else {
        return Ok(Step::of(row).hold(&unreadable(), lane.now_ms()));
    };
    let files = Files { lane, row: &row, company: lane.company(), kind, document };
    match files.attach(receipts, known).await {
        Ok(detail) => Ok(Step::of(row).on(after_receipts(lane), lane.now_ms()).note("receipts_attached", detail)),
        Err(Halt::Hold(hold)) => Ok(Step::of(row).hold(&hold, lane.now_ms())),
        Err(Halt::Later { due_ms, why }) => Ok(Step::of(row).postpone(due_ms, true, &why)),
        Err(Halt::Stop(stop)) => Err(stop),
    }
}

/// The files of one document.
struct Files<'a> {
    lane: &'a Lane<'a>,
    row: &'a RecordRow,
    company: Company,
    kind: DocumentKind,
    document: Uuid,
}

impl Files<'_> {
    /// Sees to it that every receipt is there. What the trail is to say.
    async fn attach(&self, receipts: &[String], known: Vec<ReceiptRow>) -> Result<Value, Halt> {
        let mut known: HashMap<String, ReceiptRow> =
            known.into_iter().map(|row| (row.receipt_id.clone(), row)).collect();
        let mut there = self.list().await?;
        let missing: Vec<&String> = receipts.iter().filter(|id| !is_there(known.get(*id), &there)).collect();
        if !missing.is_empty() {
            let fresh = self.fresh_links().await?;
            for id in missing {
                let row = self.send(id, &fresh, &there, known.get(id)).await?;
                known.insert(id.clone(), row);
            }
            there = self.list().await?;
        }
        let mut shown = Vec::new();
        for id in receipts {
            let Some(row) = known.get(id).filter(|row| is_there(Some(row), &there)) else {
                let why = json!(format!("the receipt {id} does not show on the document yet"));
                return Err(Halt::Later { due_ms: self.lane.retry_at(self.row.attempts, None), why });
            };
            if row.attached_ms.is_none() {
                let attached = ReceiptRow { attached_ms: Some(self.lane.now_ms()), ..row.clone() };
                self.put(&attached).await?;
            }
            shown.push(json!({ "receipt": id, "file": row.file_name, "bytes": row.bytes, "sha256": row.sha256 }));
        }
        Ok(json!({ "receipts": shown }))
    }

    async fn list(&self) -> Result<Vec<Attachment>, Halt> {
        let pages = self.company.list_attachments(wire_kind(self.kind), self.document)?;
        Ok(pages.all().await?)
    }

    /// The receipts with links that are good for 15 minutes from now.
    async fn fresh_links(&self) -> Result<Vec<Receipt>, Halt> {
        let id = self.row.id.as_str();
        source::fresh_receipts(self.lane.connection, id).await?.ok_or_else(|| {
            Halt::Hold(Hold::new(
                HoldCode::ReceiptUnavailable,
                format!("Brex no longer shows the record {id} and its receipts"),
            ))
        })
    }

    /// Fetches a receipt and puts it onto the document.
    async fn send(
        &self,
        id: &str,
        fresh: &[Receipt],
        there: &[Attachment],
        known: Option<&ReceiptRow>,
    ) -> Result<ReceiptRow, Halt> {
        let fetched = self.fetch(id, fresh).await?;
        let mut row = ReceiptRow {
            record_id: self.row.id.clone(),
            receipt_id: id.to_owned(),
            file_name: file_name(id, fetched.extension),
            bytes: i64::try_from(fetched.bytes).unwrap_or(i64::MAX),
            sha256: fetched.sha256,
            attachment_id: None,
            sent_ms: known.and_then(|known| known.sent_ms),
            attached_ms: None,
        };
        let named = there.iter().filter(|file| file.file_name.eq_ignore_ascii_case(&row.file_name));
        let named: Vec<&Attachment> = named.collect();
        if let Some(complete) = named.iter().find(|file| file.byte_size == fetched.bytes) {
            row.attachment_id = Some(complete.id);
            row.sent_ms = None;
            self.put(&row).await?;
            return Ok(row);
        }
        let ours = |file: &&&Attachment| {
            file.byte_size == 0 || known.is_some_and(|known| known.attachment_id == Some(file.id))
        };
        row.attachment_id = match (named.iter().find(ours), named.first()) {
            (Some(file), _) => Some(file.id),
            (None, Some(other)) => return Err(Halt::Hold(other_file(other, fetched.bytes))),
            (None, None) => Some(self.make_entry(&mut row).await?),
        };
        row.sent_ms = None;
        self.put(&row).await?;
        let id = row.attachment_id.unwrap_or_default();
        let sent = self.company.set_attachment_content(id, fetched.file.path(), fetched.bytes).await;
        sent.map_err(|error| self.refused(error, &row.file_name))?;
        Ok(row)
    }

    /// Makes the entry of a file. After an unclear answer that is done again only once it could not appear any more.
    async fn make_entry(&self, row: &mut ReceiptRow) -> Result<Uuid, Halt> {
        let now_ms = self.lane.now_ms();
        if let Some(sent_ms) = row.sent_ms {
            let settled_ms = sent_ms.saturating_add(self.lane.settle_window_ms());
            if now_ms < settled_ms {
                let why = json!(format!("whether the file {} was made is not known yet", row.file_name));
                let due_ms = self.lane.retry_at(self.row.attempts, None).min(settled_ms);
                return Err(Halt::Later { due_ms, why });
            }
        }
        row.sent_ms = Some(now_ms);
        self.put(row).await?;
        if !self.lane.app.store.lanes().holds(self.lane.lease, now_ms).await? {
            return Err(store::Error::LostLease.into());
        }
        let made = self.company.create_attachment(wire_kind(self.kind), self.document, &row.file_name).await;
        match made {
            Ok(entry) => Ok(entry.id),
            Err(error) => {
                if error.effect() == Effect::None {
                    row.sent_ms = None;
                    self.put(row).await?;
                }
                Err(self.refused(error, &row.file_name))
            }
        }
    }

    /// Writes the receipt to a file of ours.
    async fn fetch(&self, id: &str, fresh: &[Receipt]) -> Result<Fetched, Halt> {
        let connection = self.lane.connection;
        let link = fresh.iter().find(|receipt| receipt.id == id).and_then(|receipt| receipt.download_uris.first());
        let Some(link) = link else {
            let text = format!("Brex gives no link to the receipt {id}");
            return Err(Halt::Hold(Hold::new(HoldCode::ReceiptUnavailable, text)));
        };
        let url = url::Url::parse(link).ok();
        if !url.as_ref().is_some_and(|url| connection.receipt_hosts.allow(url)) {
            let host = url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
            let text =
                format!("the receipt {id} lies on {host:?}, which is not among receipts.hosts of the configuration");
            return Err(Halt::Hold(Hold::new(HoldCode::ReceiptUnavailable, text)));
        }
        let spool = |error: std::io::Error| Halt::Later {
            due_ms: self.lane.retry_at(self.row.attempts, None),
            why: json!(format!("a temporary file could not be written: {error}")),
        };
        let file = NamedTempFile::new().map_err(spool)?;
        let mut writer = tokio::fs::File::from_std(file.reopen().map_err(spool)?);
        let limit = connection.settings.receipts.max_bytes();
        let download = connection.brex.download_receipt(link, &connection.receipt_hosts, limit, &mut writer).await;
        let download = download.map_err(|error| self.not_fetched(id, &error))?;
        let mut head = Vec::new();
        let reader = tokio::fs::File::open(file.path()).await.map_err(spool)?;
        reader.take(HEAD_BYTES as u64).read_to_end(&mut head).await.map_err(spool)?;
        let Some(extension) = file_type(&head) else {
            let text = format!("the receipt {id} is no PDF and no picture");
            return Err(Halt::Hold(Hold::new(HoldCode::ReceiptUnusable, text)));
        };
        Ok(Fetched { file, bytes: download.bytes, sha256: HEXLOWER.encode(&download.sha256), extension })
    }

    fn not_fetched(&self, id: &str, error: &Error) -> Halt {
        match error.kind() {
            Kind::TooLarge => {
                let most = self.lane.connection.settings.receipts.max_megabytes;
                Halt::Hold(Hold::new(HoldCode::ReceiptUnusable, format!("the receipt {id} is larger than {most} MB")))
            }
            Kind::NotFound | Kind::Forbidden | Kind::Unauthorized | Kind::Refused | Kind::Redirected => {
                let status = error.status().unwrap_or_default();
                let text = format!("the receipt {id} cannot be fetched: its fresh link answers {status}");
                Halt::Hold(Hold::new(HoldCode::ReceiptUnavailable, text))
            }
            _ => self.later(error),
        }
    }

    /// What a failed call to Business Central about one file means.
    fn refused(&self, error: Error, name: &str) -> Halt {
        if problem::of_error(&error).is_some() || error.kind() == Kind::Throttled {
            return error.into();
        }
        if error.effect() == Effect::None && matches!(error.kind(), Kind::Refused | Kind::Conflict | Kind::NotFound) {
            let said = error.api_message().unwrap_or("it gave no reason");
            return Halt::Hold(Hold::new(
                HoldCode::ReceiptRefused,
                format!("Business Central refuses the file {name}: {said}"),
            ));
        }
        self.later(&error)
    }

    fn later(&self, error: &Error) -> Halt {
        let due_ms = self.lane.retry_at(self.row.attempts, asked_ms(error));
        Halt::Later { due_ms, why: error_detail(error) }
    }

    async fn put(&self, row: &ReceiptRow) -> Result<(), store::Error> {
        self.lane.app.store.receipts().put(self.lane.lease, &self.lane.connection.id, row).await
    }
}

/// A receipt in a file of ours, which goes with this value.
struct Fetched {
    file: NamedTempFile,
    bytes: u64,
    sha256: String,
    extension: &'static str,
}

fn is_there(known: Option<&ReceiptRow>, there: &[Attachment]) -> bool {
    known.is_some_and(|row| {
        let same =
            |file: &Attachment| Some(file.id) == row.attachment_id && u64::try_from(row.bytes) == Ok(file.byte_size);
        there.iter().any(same)
    })
}

fn other_file(file: &Attachment, bytes: u64) -> Hold {
    let text = format!(
        "the document has another file named {}: {} bytes there, {bytes} in Brex",
        file.file_name, file.byte_size
    );
    Hold::new(HoldCode::ReceiptRefused, text)
}
