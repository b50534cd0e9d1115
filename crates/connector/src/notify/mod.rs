//! Tells people who do not look at the console what waits for them: new holds, what fails without holding anything, secrets that end.
//! `trouble` finds what stands, `told` decides what of it is news, `message` words it, `send` sends it.

mod message;
mod send;
mod told;
mod trouble;

use std::path::Path;
use std::sync::Arc;

use domain::id::ConnectionId;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use store::{Lease, Store};
use tokio_util::sync::CancellationToken;

use crate::app::{App, BuildError};
use crate::clock::timestamp;
use crate::config::{Config, ConnectionConfig, NotificationsSection, When};
use crate::worker::{chain, nap};

pub use message::Message;
pub use send::{SendError, Ways};
pub use told::{Known, Told};
use trouble::Looks;
pub use trouble::Trouble;

/// Of all processes one tells people; whoever has this lane.
const LANE: &str = "@notifications";
/// Longer than sending takes by every way.
const LEASE_MS: i64 = 120_000;
/// What stands is looked at so often.
const EVERY_MS: i64 = 60_000;
/// The name under which it is remembered what was told.
const CURSOR: &str = "notifications";

/// Who is told, how, and how soon.
pub struct Notifier {
    app: Arc<App>,
    section: NotificationsSection,
    ways: Ways,
    /// Where the console is.
    link: Option<String>,
    zone: TimeZone,
    holder: String,
}

impl Notifier {
    /// By the ways of the configuration in this folder; `link` is the address of the console.
    pub fn open(
        app: Arc<App>,
        section: &NotificationsSection,
        folder: &Path,
        link: Option<String>,
    ) -> Result<Self, BuildError> {
        let ways = Ways::open(section, folder)?;
        let zone = app.zone();
        let holder = app.chance.token();
        Ok(Self { app, section: section.clone(), ways, link, zone, holder })
    }

    /// Looks at what stands and tells what is news. Says whether anything was sent. What was told, and what a way has not taken yet, is
    /// remembered only after the attempt, so that after a crash people may be told twice, and never not at all.
    pub async fn turn(&self) -> Result<bool, store::Error> {
        let (lanes, now_ms) = (self.app.store.lanes(), self.app.now_ms());
        let lease = if self.app.alone.is_certain() {
            lanes.seize(LANE, &self.holder, now_ms, LEASE_MS).await?
        } else {
            lanes.lease(LANE, &self.holder, now_ms, LEASE_MS).await?
        };
        let Some(lease) = lease else { return Ok(false) };
        let turned = self.turn_under(&lease, now_ms).await;
        lanes.release(&lease).await?;
        turned
    }

    async fn turn_under(&self, lease: &Lease, now_ms: i64) -> Result<bool, store::Error> {
        let store = &self.app.store;
        let before = read(store).await?;
        let mut told = before.clone();
        let looks = Looks { secret_days: self.section.secret_days, is_told: self.app.public_url.is_some(), now_ms };
        let connections = self.app.connections.iter().map(|connection| &connection.settings);
        look(&mut told, store, connections, looks).await?;
        if let Some(message) = self.message(&mut told, now_ms) {
            told.tell(self.after_ms(), now_ms);
            told.owed.extend(self.ways.names().map(|way| (way.to_owned(), message.clone())));
        }
        let was_sent = self.send(&mut told, now_ms).await;
        if told != before {
            self.remember(lease, &told).await?;
        }
        Ok(was_sent)
    }

    /// Sends what is owed, each by its way. True if any of it was taken.
    async fn send(&self, told: &mut Told, now_ms: i64) -> bool {
        let owed = std::mem::take(&mut told.owed);
        let mut was_sent = false;
        if !owed.is_empty() {
            told.failing = None;
        }
        // A way that is no longer in the configuration is owed nothing.
        for (way, message) in owed.into_iter().filter(|(way, _)| self.ways.names().any(|name| name == way)) {
            match self.ways.send_by(&way, &message).await {
                Ok(()) => {
                    was_sent = true;
                    told.sent_ms = Some(now_ms);
                }
                Err(error) => {
                    let text = chain(&error);
                    tracing::error!(
                        way,
                        error = text,
                        "people could not be told what waits for them; it is tried again"
                    );
                    told.failing = Some(text);
                    told.owed.insert(way, message);
                }
            }
        }
        was_sent
    }

    /// What is to be sent now, if anything.
    fn message(&self, told: &mut Told, now_ms: i64) -> Option<Message> {
        let is_due = match self.section.when {
            When::AtOnce => told.has_news(self.after_ms(), i64::from(self.section.again_minutes) * 60_000, now_ms),
            When::Daily => {
                let due_ms = last_at(self.section.at, &self.zone, now_ms);
                // From the first start on it is the next morning that counts.
                let last_ms = told.digest_ms.replace(due_ms).unwrap_or(due_ms);
                last_ms < due_ms
            }
        };
        is_due.then(|| Message::of(told, self.after_ms(), self.link.as_deref(), now_ms)).flatten()
    }

    fn after_ms(&self) -> i64 {
        i64::from(self.section.after_minutes) * 60_000
    }

    async fn remember(&self, lease: &Lease, told: &Told) -> Result<(), store::Error> {
        let text = serde_json::to_string(told).unwrap_or_default();
        self.app.store.cursors().set(lease, &ConnectionId::installation(), CURSOR, &text).await
    }
}

/// What was told, as far as anybody remembers.
pub async fn read(store: &Store) -> Result<Told, store::Error> {
    let text = store.cursors().get(&ConnectionId::installation(), CURSOR).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// What stands now in every connection of the configuration, told or not.
pub async fn stands(store: &Store, config: &Config, now_ms: i64) -> Result<Told, store::Error> {
    let secret_days =
        config.notifications.as_ref().map_or(NotificationsSection::default().secret_days, |n| n.secret_days);
    let looks = Looks { secret_days, is_told: config.public_url.is_some(), now_ms };
    let mut told = Told::default();
    look(&mut told, store, config.connections.iter(), looks).await?;
    Ok(told)
}

/// Sees what stands in these connections and in the installation, and forgets all others.
async fn look(
    told: &mut Told,
    store: &Store,
    connections: impl Iterator<Item = &ConnectionConfig>,
    looks: Looks,
) -> Result<(), store::Error> {
    let mut known = Vec::new();
    for settings in connections {
        let Ok(id) = settings.id() else { continue };
        told.see(&id, trouble::of_connection(store, &id, settings, looks).await?, looks.now_ms);
        known.push(id);
    }
    let here = ConnectionId::installation();
    told.see(&here, trouble::of_installation(store, looks.now_ms).await?, looks.now_ms);
    known.push(here);
    told.keep_only(&known);
    Ok(())
}

/// When it was last this time of day in a zone.
fn last_at(at: Time, zone: &TimeZone, now_ms: i64) -> i64 {
    let today = timestamp(now_ms).to_zoned_datetime(zone.clone()).date();
    let on = |date: jiff::civil::Date| {
        date.to_datetime(at).to_zoned_datetime(zone.clone()).map(|at| at.timestamp().as_millisecond())
    };
    let today_ms = on(today).unwrap_or(now_ms);
    if today_ms <= now_ms { today_ms } else { today.yesterday().and_then(on).unwrap_or(0) }
}

/// Looks every minute until cancelled.
pub async fn keep(notifier: Notifier, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = notifier.turn().await {
            tracing::error!(error = %chain(&error), "nobody was told what waits; it is tried again");
        }
        nap(&notifier.app, EVERY_MS, &stop).await;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::time;
    use jiff::tz::TimeZone;

    use super::last_at;

    #[test]
    fn a_day_begins_when_it_is_that_time_there() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let at = time(8, 0, 0, 0);
        for (now, expected) in [
            ("2026-06-30T11:59:59Z", "2026-06-29T12:00:00Z"),
            ("2026-06-30T12:00:00Z", "2026-06-30T12:00:00Z"),
            // The clocks went back the night before.
            ("2026-11-01T13:00:00Z", "2026-11-01T13:00:00Z"),
        ] {
            assert_eq!(last_at(at, &zone, ms(now)), ms(expected), "{now}");
        }
    }
}
