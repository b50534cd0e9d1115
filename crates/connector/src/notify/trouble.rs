//! What stands that somebody outside the console has to know: holds by cause, a connection that cannot work, work that fails beside the
//! records, silence, and secrets that end.

use domain::id::ConnectionId;
use domain::text::in_line;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::{Count, JobRow, Store};

use crate::clock::DAY_MS;
use crate::clock::timestamp;
use crate::config::ConnectionConfig;
use crate::words::{counted, records_wait};
use crate::worker::{POLL, is_on};

const MINUTE_MS: i64 = 60_000;
/// Brex is silent if it was not read for so long, or ten times as long as it should have been.
const SILENT_MS: i64 = 60 * MINUTE_MS;
/// Tokens of the admin API are told of so long before they end.
const TOKEN_DAYS: i64 = 7;
/// Longest text of an error.
const TEXT_MAX: usize = 300;

/// Something that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is about, the same as long as it stands.
    pub subject: String,
    /// How much of it there is, or how pressing it is.
    pub amount: i64,
    /// It, in a sentence.
    pub what: String,
    /// Who can fix it.
    pub who: String,
    /// How.
    pub to_do: String,
}

/// How it is looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    /// Secrets that end within so many days count.
    pub(super) secret_days: u16,
    /// Whether Business Central is asked to tell of changes.
    pub(super) is_told: bool,
    /// The time.
    pub(super) now_ms: i64,
}

/// What stands in a connection.
pub(super) async fn of_connection(
    store: &Store,
    id: &ConnectionId,
    settings: &ConnectionConfig,
    Looks { secret_days, is_told, now_ms }: Looks,
) -> Result<Vec<Trouble>, store::Error> {
    let mut stands = Vec::new();
    if let Some(problem) = store.connections().get(id).await?.and_then(|row| row.problem) {
        let what = format!("nothing can be done ({}): {}", problem.code, shortened(&problem.sentence));
        stands.push(for_admin(format!("problem:{}", problem.code), what));
    }
    for (code, records) in Count::by_hold(&store.records().counts(id).await?) {
        let what = format!("{}: {code}", records_wait(records));
        let (who, to_do) = (code.fixer().to_string(), code.what_to_do().to_owned());
        stands.push(Trouble { subject: format!("hold:{code}"), amount: records, what, who, to_do });
    }
    let jobs = store.jobs().list(id).await?;
    for job in jobs.iter().filter(|job| is_on(settings, &job.kind)) {
        if let Some(error) = &job.error {
            let what = format!("{} fails: {}", job.kind, shortened(error));
            stands.push(for_admin(format!("job:{}", job.kind), what));
        }
    }
    stands.extend(silence(&jobs, settings, now_ms));
    for push in store.bc_subscriptions().list(id).await? {
        // Without an address nobody is asked to tell us any more, and what was known of it stays.
        if is_told && push.subscription_id.is_some() && push.expires_ms.is_some_and(|expires_ms| expires_ms < now_ms) {
            let what =
                format!("Business Central no longer tells of changes to {}: they are found by the schedule", push.set);
            stands.push(for_admin(format!("push:{}", push.set), what));
        }
    }
    if let Some(end) = settings.entra.secret_expires {
        let days = days_until(end, now_ms);
        if days <= i64::from(secret_days) {
            let what = if days < 0 {
                format!("the secret of the app registration in Entra ID ended on {end}")
            } else {
                format!("the secret of the app registration in Entra ID ends on {end}, in {}", counted(days, "day"))
            };
            let to_do =
                "Make a new secret, put it where the configuration says, and set entra.secret_expires.".to_owned();
            stands.push(Trouble { amount: pressing(days), to_do, ..for_admin("secret:entra".to_owned(), what) });
        }
    }
    Ok(stands)
}

/// What stands in the installation as a whole.
pub(super) async fn of_installation(store: &Store, now_ms: i64) -> Result<Vec<Trouble>, store::Error> {
    let mut stands = Vec::new();
    for token in store.api_tokens().list().await? {
        let left_ms = token.expires_ms.saturating_sub(now_ms);
        if token.revoked_ms.is_none() && (0..=TOKEN_DAYS * DAY_MS).contains(&left_ms) {
            let end = timestamp(token.expires_ms).to_zoned_datetime(TimeZone::UTC).date();
            let what = format!("the API token {} ends on {end}", in_line(&token.name));
            let subject = format!("token:{}", token.name);
            stands.push(Trouble { amount: pressing(left_ms / DAY_MS), ..for_admin(subject, what) });
        }
    }
    Ok(stands)
}

/// What an admin can fix.
fn for_admin(subject: String, what: String) -> Trouble {
    Trouble { subject, amount: 1, what, who: "admin".to_owned(), to_do: String::new() }
}

/// The nearer the end, the more: it is told again when a week is left, a day, and when it is over.
fn pressing(days: i64) -> i64 {
    match days {
        ..0 => 4,
        0..=1 => 3,
        2..=7 => 2,
        8.. => 1,
    }
}

fn days_until(end: Date, now_ms: i64) -> i64 {
    let today = timestamp(now_ms).to_zoned_datetime(TimeZone::UTC).date();
    today.until(end).map_or(0, |span| i64::from(span.get_days()))
}

/// The one failure that leaves no error: Brex is not asked at all.
fn silence(jobs: &[JobRow], settings: &ConnectionConfig, now_ms: i64) -> Option<Trouble> {
    let poll = jobs.iter().find(|job| job.kind == POLL)?;
    let last_ms = poll.finished_ms.or(poll.started_ms)?;
    let most_ms = SILENT_MS.max(i64::from(settings.poll_seconds) * 10_000);
    let since_ms = now_ms.saturating_sub(last_ms);
    (since_ms > most_ms).then(|| {
        let at = timestamp(last_ms);
        for_admin("silent:brex".to_owned(), format!("Brex was last asked at {at}"))
    })
}

fn shortened(text: &str) -> String {
    let text = in_line(text);
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
