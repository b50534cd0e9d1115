//! Work beside the records, such as the vendor directory and the coding lists: what it cannot do holds itself and nothing
//! else.

use clients::{Error, Kind, System};
use domain::pace::retry_delay_ms;
use store::Lease;

use crate::app::{App, Connection};
use crate::stop::{Stop, asked_ms};

/// How long a job waits when Brex does not let us at what it needs.
const HELD_MS: i64 = 60 * 60 * 1_000;

/// Lets `job` wait as long as the other side asks. What Brex refuses of it alone holds this job; whether it is the token as a
/// whole is found out by asking for something that every token may have. `refused` is the plain sentence for that.
pub async fn wait(
    (app, connection, lease): (&App, &Connection, &Lease),
    job: &str,
    error: Error,
    attempts: i64,
    refused: &str,
) -> Result<bool, Stop> {
    let (id, now_ms) = (&connection.id, app.now_ms());
    let (next, text, attempts) = match (error.system(), error.kind()) {
        (System::Brex, Kind::Unauthorized | Kind::Forbidden) => {
            connection.brex.get_company().await?;
            let said = error.api_message().map_or_else(String::new, |text| format!(" Brex says: {text}"));
            // Not counted as a failure: waiting for a person is not unfinished work.
            (now_ms.saturating_add(HELD_MS), format!("{refused} Records are not affected.{said}"), 0)
        }
        (System::Brex, _) => {
            let delay = retry_delay_ms(attempts, asked_ms(&error), app.chance.next());
            (now_ms.saturating_add(delay), error.to_string(), attempts.saturating_add(1))
        }
        (System::BusinessCentral | System::Entra | System::Own, _) => return Err(error.into()),
    };
    tracing::warn!(connection = %id, job, error = %text, until_ms = next, "work beside the records waits");
    app.store.jobs().finish(lease, id, job, Some(next), Some(&text), attempts, now_ms).await?;
    Ok(false)
}
