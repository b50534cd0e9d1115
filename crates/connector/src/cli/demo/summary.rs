//! What the demo came to: counts from the connector's memory, and the comparison of the sandbox's two sides.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::RecordId;
use domain::stage::Stage;
use sandbox::World;
use sandbox::brex::Expectation;
use serde_json::{Value, json};

use super::super::Failure;
use super::super::status::tally;
use crate::agreement::{Agreement, check};
use crate::app::App;

/// Rows read at once.
const PAGE: i64 = 1_000;

/// The counts.
pub(super) struct Summary {
    records: usize,
    exported: i64,
    held: BTreeMap<&'static str, i64>,
    not_spend: i64,
    not_ready: usize,
    /// Records in work.
    pub(super) unsettled: i64,
    /// Records that are ready in Brex and unknown to the connector.
    pub(super) lost: Vec<String>,
    agreement: Agreement,
    requests: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Takes the counts as they are now.
    pub(super) async fn take(app: &App, world: &World) -> Result<Self, Failure> {
        let mut stages = BTreeMap::new();
        let mut held = BTreeMap::new();
        let mut known = BTreeSet::new();
        let mut nudges = 0;
        let mut requests = BTreeMap::new();
        for connection in &app.connections {
            let (of_stage, of_code) = tally(&app.store.records().counts(&connection.id).await?);
            for (stage, number) in of_stage {
                *stages.entry(stage).or_insert(0) += number;
            }
            for (code, number) in of_code {
                *held.entry(code).or_insert(0) += number;
            }
            known.extend(known_ids(app, &connection.id).await?);
            nudges += i64::try_from(app.store.inbox().list_unhandled(&connection.id, "brex", PAGE).await?.len())
                .unwrap_or(PAGE);
            for (system, number) in connection.traffic.requests() {
                *requests.entry(system).or_insert(0) += number;
            }
        }
        let reports = world.brex.records();
        let is_waiting = |expect: &Expectation| *expect == Expectation::NotReady;
        let lost = reports.iter().filter(|r| !is_waiting(&r.expect) && !known.contains(&RecordId::new(r.id.clone())));
        Ok(Self {
            records: reports.len(),
            exported: stages.get(&Stage::Exported).copied().unwrap_or(0),
            held,
            not_spend: stages.get(&Stage::NotSpend).copied().unwrap_or(0),
            not_ready: reports.iter().filter(|r| is_waiting(&r.expect)).count(),
            unsettled: Stage::WORKING.iter().filter_map(|stage| stages.get(stage)).sum::<i64>() + nudges,
            lost: lost.map(|r| r.id.clone()).collect(),
            agreement: check(world),
            requests,
        })
    }

    /// Records with a final outcome.
    pub(super) fn settled(&self) -> i64 {
        self.exported + self.held.values().sum::<i64>() + self.not_spend
    }

    /// Whether nothing is lost, nothing is there twice, every record is accounted for and the books agree.
    pub(super) fn holds(&self) -> bool {
        let accounted = self.settled() + i64::try_from(self.not_ready).unwrap_or(i64::MAX);
        self.lost.is_empty()
            && self.unsettled == 0
            && self.agreement.holds()
            && i64::try_from(self.records).is_ok_and(|records| records == accounted)
    }

    /// For the progress bar.
    pub(super) fn one_line(&self) -> String {
        format!("{} exported, {} held", self.exported, self.held.values().sum::<i64>())
    }

    /// One JSON object; the keys are stable.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "records": self.records,
            "drafts": self.agreement.invoices,
            "credit_memos": self.agreement.credit_memos,
            "exported": self.exported,
            "held": self.held,
            "not_spend": self.not_spend,
            "not_ready": self.not_ready,
            "duplicates": self.agreement.duplicates.len(),
            "lost": self.lost.len(),
            "differences": self.agreement.differences,
            "requests": self.requests,
        })
    }

    /// The summary for a bookkeeper.
    pub(super) fn print(&self) {
        println!("{} Brex records", self.records);
        println!(
            "  {:>5} exported: {} draft purchase invoices and {} draft credit memos in Business Central",
            self.exported, self.agreement.invoices, self.agreement.credit_memos
        );
        for (code, number) in &self.held {
            let code_page = format!("docs/codes/{code}.md");
            println!("  {number:>5} held: {code} ({code_page})");
        }
        println!("  {:>5} not spend (card payments, payouts and the like): no document", self.not_spend);
        println!("  {:>5} not ready for export in Brex yet", self.not_ready);
        println!("  {:>5} lost, {} with more than one document", self.lost.len(), self.agreement.duplicates.len());
        for difference in &self.agreement.differences {
            println!("  DIFFERENCE {difference}");
        }
        let requests: Vec<String> = self.requests.iter().map(|(system, n)| format!("{system} {n}")).collect();
        println!("requests: {}", requests.join(", "));
        println!(
            "{}",
            if self.holds() { "the books agree, record by record and to the cent" } else { "THE BOOKS DO NOT AGREE" }
        );
    }
}

async fn known_ids(app: &App, connection: &domain::id::ConnectionId) -> Result<BTreeSet<RecordId>, Failure> {
    let mut ids = BTreeSet::new();
    let mut after = None;
    loop {
        let page = app.store.records().list(connection, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(ids) };
        after = Some(last.id.clone());
        ids.extend(page.into_iter().map(|row| row.id));
    }
}
