//! The metrics: names, labels and what they mean. They are stable, and docs/operations.md has them all.

use super::exposition::{Kind, Metric};

pub(super) const PROCESS_START: Metric =
    Metric { name: "process_start_time_seconds", kind: Kind::Gauge, help: "When this process started.", labels: &[] };
pub(super) const BUILD: Metric = Metric {
    name: "ml_connector_build_info",
    kind: Kind::Gauge,
    help: "The version of this process; always 1.",
    labels: &["version"],
};
pub(super) const DATABASE_UP: Metric = Metric {
    name: "ml_connector_database_up",
    kind: Kind::Gauge,
    help: "Whether the database answered; while it does not, there are only the numbers of this process.",
    labels: &[],
};
pub(super) const DATABASE_BYTES: Metric =
    Metric { name: "ml_connector_database_bytes", kind: Kind::Gauge, help: "Size of the database.", labels: &[] };
pub(super) const LANE_HELD: Metric = Metric {
    name: "ml_connector_lane_held",
    kind: Kind::Gauge,
    help: "Whether this process works on the connection; 0 while another one does, or nobody.",
    labels: &["connection"],
};
pub(super) const LANE_SEEN: Metric = Metric {
    name: "ml_connector_lane_seen_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When this process last renewed the lease of the connection's lane, or was last told that another has it.",
    labels: &["connection"],
};
pub(super) const PROBLEM: Metric = Metric {
    name: "ml_connector_connection_problem",
    kind: Kind::Gauge,
    help: "1 while the connection is held, under the code of the problem.",
    labels: &["connection", "code"],
};
pub(super) const RECORDS: Metric = Metric {
    name: "ml_connector_records",
    kind: Kind::Gauge,
    help: "Records that are not held, by stage.",
    labels: &["connection", "stage"],
};
pub(super) const RECORDS_HELD: Metric = Metric {
    name: "ml_connector_records_held",
    kind: Kind::Gauge,
    help: "Records that wait for a person, by the code of the hold.",
    labels: &["connection", "code"],
};
pub(super) const RECORDS_DUE: Metric = Metric {
    name: "ml_connector_records_due_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the next record that waits for work is due.",
    labels: &["connection"],
};
pub(super) const JOB_DUE: Metric = Metric {
    name: "ml_connector_job_due_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the job is due next; it is late once that is in the past.",
    labels: &["connection", "kind"],
};
pub(super) const JOB_FINISHED: Metric = Metric {
    name: "ml_connector_job_finished_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the job last ended, well or not.",
    labels: &["connection", "kind"],
};
pub(super) const JOB_FAILURES: Metric = Metric {
    name: "ml_connector_job_failures",
    kind: Kind::Gauge,
    help: "Failures of the job in a row.",
    labels: &["connection", "kind"],
};
pub(super) const INTENTS: Metric = Metric {
    name: "ml_connector_intents_open",
    kind: Kind::Gauge,
    help: "Writes to Business Central whose outcome is not known yet.",
    labels: &["connection"],
};
pub(super) const INTENTS_OLDEST: Metric = Metric {
    name: "ml_connector_intents_oldest_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the oldest of them was begun.",
    labels: &["connection"],
};
pub(super) const INBOX: Metric = Metric {
    name: "ml_connector_inbox_unhandled",
    kind: Kind::Gauge,
    help: "Deliveries that were taken and not yet looked at.",
    labels: &["connection", "source"],
};
pub(super) const INBOX_OLDEST: Metric = Metric {
    name: "ml_connector_inbox_oldest_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the oldest of them came.",
    labels: &["connection", "source"],
};
pub(super) const SUBSCRIPTION_END: Metric = Metric {
    name: "ml_connector_subscription_expires_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When Business Central forgets the subscription unless it is renewed.",
    labels: &["connection", "set"],
};
pub(super) const SECRET_END: Metric = Metric {
    name: "ml_connector_secret_expires_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When a sealed secret ends, where that is known.",
    labels: &["connection", "system", "purpose"],
};
pub(super) const AUDIT: Metric = Metric {
    name: "ml_connector_audit_entries",
    kind: Kind::Gauge,
    help: "Entries in the audit trail.",
    labels: &["connection"],
};
pub(super) const CHECKPOINT: Metric = Metric {
    name: "ml_connector_checkpoint_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When this process last verified what is new in the audit trail and signed it.",
    labels: &[],
};
pub(super) const REQUESTS: Metric = Metric {
    name: "ml_connector_requests_total",
    kind: Kind::Counter,
    help: "Requests of this process, by what they came to: ok, throttled (429), or another failure in a word.",
    labels: &["system", "operation", "outcome"],
};
pub(super) const SLOTS: Metric = Metric {
    name: "ml_connector_request_slots",
    kind: Kind::Gauge,
    help: "Requests that may be under way at once: fewer than is set while the other side refuses or is slow. Connections of one account or lane share them.",
    labels: &["connection", "system"],
};
pub(super) const DELIVERIES: Metric = Metric {
    name: "ml_connector_deliveries_total",
    kind: Kind::Counter,
    help: "Deliveries of webhooks and notifications to this process: taken or refused.",
    labels: &["connection", "source", "outcome"],
};

/// All of them, in the order of the page.
pub(super) const ALL: [&Metric; 24] = [
    &PROCESS_START,
    &BUILD,
    &DATABASE_UP,
    &DATABASE_BYTES,
    &LANE_HELD,
    &LANE_SEEN,
    &PROBLEM,
    &RECORDS,
    &RECORDS_HELD,
    &RECORDS_DUE,
    &JOB_DUE,
    &JOB_FINISHED,
    &JOB_FAILURES,
    &INTENTS,
    &INTENTS_OLDEST,
    &INBOX,
    &INBOX_OLDEST,
    &SUBSCRIPTION_END,
    &SECRET_END,
    &AUDIT,
    &CHECKPOINT,
    &REQUESTS,
    &SLOTS,
    &DELIVERIES,
];

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_metric_is_documented_as_it_is() {
        let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap();
        for Metric { name, kind, help, labels } in ALL {
            let kind = format!("{kind:?}").to_lowercase();
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
            let row = format!("| `{name}` | {kind} | {labels} | {help} |");
            assert!(docs.contains(&row), "docs/operations.md lacks the row\n{row}");
        }
    }
}
