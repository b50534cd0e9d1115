//! The query of `GET /v3/accounting/records`, with the window that hides old records unless `updated_at` is given.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::super::error::Refusal;
use super::super::settings::Settings;
use super::stored::Stored;
use super::{EXPORTED, PREPARE, READY, REVIEW};
use crate::clock::hours;

const MAX_IDS: usize = 500;
const DEFAULT_LIMIT: usize = 100;

/// The pairs of a query string, decoded, in their order.
#[derive(Debug)]
pub(in crate::brex) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(in crate::brex) fn parse(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(in crate::brex) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The only value of a parameter, or its name if there are several.
    pub(in crate::brex) fn one(&self, name: &'static str) -> Result<Option<&str>, &'static str> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(name) } else { Ok(first) }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

/// What a query asks for.
#[derive(Debug, Clone)]
pub(super) struct RecordQuery {
    pub(super) ids: Option<HashSet<String>>,
    review_status: Option<String>,
    source_type: Option<String>,
    updated_at: Vec<(Bound, Timestamp)>,
    pub(super) after: Option<(Timestamp, String)>,
    pub(super) limit: usize,
    pub(super) single_entry: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Gt,
    Gte,
    Lt,
    Lte,
}

const BOUNDS: [(&str, Bound); 4] = [
    ("updated_at[gt]", Bound::Gt),
    ("updated_at[gte]", Bound::Gte),
    ("updated_at[lt]", Bound::Lt),
    ("updated_at[lte]", Bound::Lte),
];

impl RecordQuery {
    pub(super) fn parse(query: Option<&str>, settings: &Settings, now: Timestamp) -> Result<Self, Refusal> {
        let pairs = Pairs::parse(query);
        let review_status = chosen(&pairs, "review_status", &[PREPARE, REVIEW, READY, EXPORTED])?;
        let source_type = chosen(&pairs, "source_type", &["CARD", "REIMBURSEMENT", "BILL"])?;
        if review_status.is_some() && source_type.as_deref() == Some("BILL") {
            return Err(Refusal::invalid("review_status is supported only with CARD and REIMBURSEMENT."));
        }
        let ids = ids(&pairs)?;
        let mut updated_at = bounds(&pairs)?;
        if updated_at.is_empty() && (ids.is_none() || settings.window_applies_to_ids) {
            let window = hours(settings.default_window_days.saturating_mul(24));
            updated_at.push((Bound::Gte, now.saturating_sub(window).unwrap_or(Timestamp::MIN)));
        }
        Ok(Self {
            ids,
            review_status,
            source_type,
            updated_at,
            after: single(&pairs, "cursor")?.map(read_cursor).transpose()?,
            limit: limit(&pairs, settings.largest_page)?,
            single_entry: single_entry(&pairs)?,
        })
    }

    pub(super) fn matches(&self, record: &Stored) -> bool {
        let face = &record.face;
        let in_window = self.updated_at.iter().all(|&(bound, moment)| match bound {
            Bound::Gt => face.updated_at > moment,
            Bound::Gte => face.updated_at >= moment,
            Bound::Lt => face.updated_at < moment,
            Bound::Lte => face.updated_at <= moment,
        });
        // The review status is known only for what passes the journal, so the filter drops every bill.
        let status = self
            .review_status
            .as_ref()
            .is_none_or(|status| *status == face.review_status && face.source_type != "BILL");
        in_window
            && status
            && self.source_type.as_ref().is_none_or(|kind| *kind == face.source_type)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&face.id))
    }

    /// Whether it finds what `known` has found, of which `oldest` was updated first. The window's start moves on from
    /// page to page; what was found stays the same until it passes the oldest.
    pub(super) fn finds_the_same(&self, known: &Self, oldest: Option<Timestamp>) -> bool {
        let same_bound = |(ours, theirs): (&(Bound, Timestamp), &(Bound, Timestamp))| match (ours, theirs) {
            (&(Bound::Gte, now), &(Bound::Gte, then)) => then <= now && oldest.is_none_or(|oldest| now <= oldest),
            _ => ours == theirs,
        };
        self.ids == known.ids
            && self.review_status == known.review_status
            && self.source_type == known.source_type
            && self.updated_at.len() == known.updated_at.len()
            && self.updated_at.iter().zip(&known.updated_at).all(same_bound)
    }
}

/// The cursor behind a record.
pub(super) fn cursor(record: &Stored) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", record.face.posted_at.as_nanosecond(), record.face.id))
}

fn read_cursor(text: &str) -> Result<(Timestamp, String), Refusal> {
    let read = || {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (moment, id) = plain.split_once(' ')?;
        let moment = Timestamp::from_nanosecond(moment.parse().ok()?).ok()?;
        Some((moment, id.to_owned()))
    };
    read().ok_or_else(|| Refusal::invalid("cursor is invalid."))
}

fn single<'a>(pairs: &'a Pairs, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    pairs.one(name).map_err(|name| Refusal::invalid(&format!("{name} must be given once.")))
}

fn chosen(pairs: &Pairs, name: &'static str, known: &[&str]) -> Result<Option<String>, Refusal> {
    match single(pairs, name)? {
        Some(value) if known.contains(&value) => Ok(Some(value.to_owned())),
        Some(_) => Err(Refusal::invalid(&format!("{name} must be one of {}.", known.join(", ")))),
        None => Ok(None),
    }
}

fn ids(pairs: &Pairs) -> Result<Option<HashSet<String>>, Refusal> {
    let ids: Vec<&str> = pairs.all("ids").collect();
    if ids.len() > MAX_IDS {
        return Err(Refusal::invalid("ids must have at most 500 items."));
    }
    Ok((!ids.is_empty()).then(|| ids.into_iter().map(str::to_owned).collect()))
}

fn bounds(pairs: &Pairs) -> Result<Vec<(Bound, Timestamp)>, Refusal> {
    let stray = |name: &&str| name.starts_with("updated_at") && !BOUNDS.iter().any(|(known, _)| known == name);
    if let Some(name) = pairs.names().find(stray) {
        return Err(Refusal::invalid(&format!("{name} is not supported.")));
    }
    let mut found = Vec::new();
    for (name, bound) in BOUNDS {
        if let Some(text) = single(pairs, name)? {
            let moment = moment(text).ok_or_else(|| Refusal::invalid(&format!("{name} must be an ISO 8601 date.")))?;
            found.push((bound, moment));
        }
    }
    Ok(found)
}

/// A date (its midnight in UTC) or a date-time with its offset.
pub(in crate::brex) fn moment(text: &str) -> Option<Timestamp> {
    if text.len() > "2026-01-01".len() {
        return text.parse().ok();
    }
    let date: Date = text.parse().ok()?;
    Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

fn limit(pairs: &Pairs, largest: usize) -> Result<usize, Refusal> {
    match single(pairs, "limit")?.map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if (1..=largest).contains(&limit) => Ok(limit),
        Some(_) => Err(Refusal::invalid(&format!("limit must be between 1 and {largest}."))),
    }
}

pub(super) fn single_entry(pairs: &Pairs) -> Result<bool, Refusal> {
    match single(pairs, "single_entry")? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::invalid("single_entry must be a boolean.")),
    }
}
