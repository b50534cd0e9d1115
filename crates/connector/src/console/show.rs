//! How pages write times, money and records.

use domain::hold::HoldCode;
use domain::money::Currency;
use jiff::tz::TimeZone;
use store::RecordRow;

use crate::clock::timestamp;

/// A time in the company's zone, with UTC for whoever points at it.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) shown: String,
    pub(super) utc: String,
}

/// The time in a zone.
pub(super) fn stamp(ms: i64, zone: &TimeZone) -> Stamp {
    let at = timestamp(ms);
    let shown = at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    Stamp { shown, utc: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string() }
}

/// How long something takes, roughly: `40 s`, `3 min`, `2 h`, `5 d`.
pub(super) fn duration(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A record as a row of a list.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) merchant: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) day: String,
    pub(super) stage: &'static str,
    pub(super) hold: Option<Held>,
    pub(super) document: String,
    pub(super) seen: Stamp,
}

/// Why a record is held.
pub(super) struct Held {
    pub(super) code: HoldCode,
    pub(super) sentence: String,
    pub(super) since: Option<Stamp>,
}

/// The record as a row.
pub(super) fn item(row: &RecordRow, zone: &TimeZone) -> Item {
    let held = |hold: &domain::hold::Hold| Held {
        code: hold.code,
        sentence: hold.sentence.clone(),
        since: row.held_ms.map(|ms| stamp(ms, zone)),
    };
    Item {
        id: row.id.to_string(),
        kind: words(&row.record_type),
        merchant: row.merchant.clone().unwrap_or_default(),
        amount: amount(row),
        currency: row.currency.clone().unwrap_or_default(),
        day: row.posting_date.clone().unwrap_or_default(),
        stage: stage_words(row.stage.as_str()),
        hold: row.hold.as_ref().map(held),
        document: row.document_no.clone().or_else(|| row.document_key.clone()).unwrap_or_default(),
        seen: stamp(row.first_seen_ms, zone),
    }
}

/// The amount with as many decimals as its currency has.
fn amount(row: &RecordRow) -> String {
    let Some(amount) = row.amount else { return String::new() };
    let currency = row.currency.as_deref().and_then(|code| Currency::new(code).ok());
    match currency.and_then(|currency| usize::try_from(currency.decimals()).ok()) {
        // More decimals than the currency has are shown, since they are why the record is held.
        Some(decimals) if amount.normalize().scale() <= u32::try_from(decimals).unwrap_or(0) => {
            format!("{amount:.decimals$}")
        }
        _ => amount.to_string(),
    }
}

/// A name as the API spells it, in words.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ").to_lowercase()
}

/// A stage in the words of a bookkeeper.
pub(super) fn stage_words(stage: &'static str) -> &'static str {
    match stage {
        "waiting" => "not ready in Brex",
        "resolve_vendor" => "finding the vendor",
        "map" => "planning",
        "draft" => "making the draft",
        "verify" => "reading it back",
        "attach" => "attaching receipts",
        "post" => "posting",
        "revise" => "changing the draft",
        "mark_exported" => "telling Brex",
        "exported" => "exported",
        "not_spend" => "no spend",
        "elsewhere" => "booked elsewhere",
        "skipped" => "set aside",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use domain::stage::Stage;

    use super::{duration, stage_words};

    #[test]
    fn every_stage_has_its_words() {
        for stage in Stage::ALL {
            let words = stage_words(stage.as_str());
            assert!(!words.contains('_'), "{words}");
            assert!(words != stage.as_str() || stage == Stage::Exported, "{stage} is not told in words");
        }
    }

    #[test]
    fn durations_are_rough() {
        let shown = [-5, 0, 119_000, 120_000, 7_200_000, 200_000_000].map(duration);
        assert_eq!(shown, ["0 s", "0 s", "119 s", "2 min", "2 h", "2 d"]);
    }
}
