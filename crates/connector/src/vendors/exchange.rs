//! The memory as CSV, both ways: what stands goes out, and comes in as a person's answers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::audit::Actor;
use domain::directory::Directory;
use domain::id::ConnectionId;
use store::{Store, VendorLink, Verdict};

use super::RECHECK;
use super::answer::{Answer, NotTaken, verdict_of};
use super::answers::{Standing, standings};
use super::judgement::Asked;
use crate::cells::{plain, safe};

/// The columns, in this order when written; found by name when read.
const COLUMNS: [&str; 7] = ["descriptor", "clean_name", "vendor_number", "vendor_name", "verdict", "by", "at"];

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Not CSV.
    #[error("the file is not readable as csv")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("the file has no column {0}")]
    Column(&'static str),
    /// A line says nothing that can be taken.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1, the header included.
        line: usize,
        /// Why.
        why: String,
    },
}

/// Writes what stands, one line per answer and rejection.
pub fn export(
    standings: &BTreeMap<String, Standing>,
    directory: &Directory,
    output: impl Write,
) -> Result<usize, ExchangeError> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(COLUMNS)?;
    let mut lines = 0;
    for link in standings.values().flat_map(|standing| standing.answers.iter().chain(&standing.rejected)) {
        let vendor = link.bc_vendor_id.map(|id| id.to_string());
        let number = vendor.as_deref().and_then(|id| directory.vendor(id)).map(|vendor| vendor.number.clone());
        // A vendor that is gone has no number any more; its id still says which one it was.
        let number = number.or(vendor).unwrap_or_default();
        let at = crate::clock::timestamp(link.decided_ms).to_string();
        let descriptor = if link.descriptor.is_empty() { &link.merchant_key } else { &link.descriptor };
        let cells =
            [descriptor, &link.clean_name, &number, &link.vendor_name, link.verdict.as_str(), &link.decided_by, &at];
        writer.write_record(cells.map(safe))?;
        lines += 1;
    }
    writer.flush().map_err(csv::Error::from)?;
    Ok(lines)
}

/// Reads answers and writes those that are new: a line that cannot be taken, or an answer in between, leaves nothing half
/// done. Returns how many were taken and how many left as they are.
pub async fn take(
    store: &Store,
    connection: &ConnectionId,
    directory: &Directory,
    csv: &[u8],
    person: &str,
    now_ms: i64,
) -> Result<Result<(usize, usize), ExchangeError>, store::Error> {
    let kept = AtomicUsize::new(0);
    let decide = |stored: &[VendorLink]| {
        let (links, left) = import(csv, &standings(stored), directory, person, now_ms)?;
        kept.store(left, Ordering::Relaxed);
        Ok(links)
    };
    let actor = Actor::Person(person.to_owned());
    let taken = store.vendor_links().answer(connection, None, RECHECK, now_ms, &actor, decide).await?;
    Ok(taken.map(|links| (links.len(), kept.into_inner())))
}

/// Reads answers. Those that already stand, and those against a link set by hand, are left out and counted.
pub fn import(
    input: impl Read,
    standings: &BTreeMap<String, Standing>,
    directory: &Directory,
    person: &str,
    now_ms: i64,
) -> Result<(Vec<VendorLink>, usize), ExchangeError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let header: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let column = |name: &'static str| header.iter().position(|known| known == name);
    let [descriptor, number, verdict] =
        ["descriptor", "vendor_number", "verdict"].map(|name| column(name).ok_or(ExchangeError::Column(name)));
    let (descriptor, number, verdict, clean) = (descriptor?, number?, verdict?, column("clean_name"));
    let (mut links, mut kept) = (Vec::new(), 0);
    for (at, row) in reader.records().enumerate() {
        let row = row?;
        let cell = |at: usize| plain(row.get(at).unwrap_or_default().trim());
        let bad = |why: String| ExchangeError::Line { line: at + 2, why };
        let answer = Answer {
            asked: Asked { clean_name: clean.map(cell).unwrap_or_default(), ..Asked::name(&cell(descriptor)) },
            verdict: verdict_named(&cell(verdict)).ok_or_else(|| bad(format!("no verdict {:?}", cell(verdict))))?,
            vendor: Some(cell(number)).filter(|number| !number.is_empty()),
            person: person.to_owned(),
            record: None,
        };
        if answer.vendor.is_some() == (answer.verdict == Verdict::NoneOfOurs) {
            return Err(bad("vendor_number must be given, and must be empty for none_of_ours".to_owned()));
        }
        let key = matching::scrubbed_key(&answer.asked.descriptor);
        let standing = standings.get(&key);
        match verdict_of(&answer, standing, directory, now_ms) {
            Ok(link) if standing.is_some_and(|standing| stands(standing, &link)) => kept += 1,
            Ok(link) if standing.is_some_and(Standing::is_set_by_hand) && link.verdict == Verdict::SetByHand => {
                kept += 1;
            }
            Ok(link) => links.push(link),
            Err(NotTaken::SetByHand { .. }) => kept += 1,
            Err(why) => return Err(bad(why.to_string())),
        }
    }
    Ok((links, kept))
}

fn stands(standing: &Standing, link: &VendorLink) -> bool {
    let same = |other: &VendorLink| other.bc_vendor_id == link.bc_vendor_id && other.verdict == link.verdict;
    standing.answers.iter().chain(&standing.rejected).any(same)
}

fn verdict_named(text: &str) -> Option<Verdict> {
    [Verdict::Confirmed, Verdict::Rejected, Verdict::NoneOfOurs, Verdict::SetByHand]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
}
