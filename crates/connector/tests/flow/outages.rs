//! A month in which nobody may be told for days: whatever changed meanwhile is found, and everybody tells again as soon as
//! somebody listens.

use std::collections::{BTreeMap, BTreeSet};

use connector::subscriptions::bc::SETS;
use domain::stage::Stage;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sandbox::Options;
use sandbox::bc::{DocumentAction, DocumentChange};
use serde_json::json;
use store::Chain;

use crate::app::TestApp;
use crate::database::Db;
use crate::held::{a_vendor, card};
use crate::notifications::{assert_subscribed, rename, subscriptions};

const HOUR: i64 = 3_600;
const DAYS: i64 = 30;

/// What has happened in this month.
struct Month {
    app: TestApp,
    random: StdRng,
    merchant: String,
    records: Vec<String>,
    posted: BTreeSet<String>,
    renamed: usize,
    /// Client states per set.
    states: BTreeMap<String, BTreeSet<String>>,
}

impl Month {
    fn below(&mut self, end: u64) -> u64 {
        self.random.next_u64() % end
    }

    /// Somebody works on either side.
    fn happen(&mut self) {
        let world = self.app.world();
        match self.below(3) {
            0 => {
                self.renamed += 1;
                let number = format!("V{:05}", 10 + self.below(20));
                rename(&self.app, &number, &format!("Vendor {number} Version {}", self.renamed));
            }
            1 => {
                let id = format!("accr_month_{:03}", self.records.len());
                let mut record = card(&id, &self.merchant, "64100", 12.5);
                record["updated_at"] = json!(world.clock.now().to_string());
                self.app.insert(&record);
                self.records.push(id.clone());
                // Every other one by a click that sends a webhook, too.
                if self.below(2) == 0 {
                    world.brex.announce(&[id], world.clock.now());
                }
            }
            _ => {
                let mut drafts = self.records.iter().filter(|id| !self.posted.contains(*id));
                let made = drafts.find_map(|id| Some((id.clone(), world.bc.documents_by_marker(id).first()?.id)));
                if let Some((id, document)) = made {
                    let post = DocumentChange { action: Some(DocumentAction::Post), ..DocumentChange::default() };
                    world.bc.change_document(document, post, world.clock.now()).unwrap();
                    self.posted.insert(id);
                }
            }
        }
    }

    async fn work(&mut self, hours: u64) {
        for _ in 0..hours.div_ceil(6) {
            self.happen();
            self.happen();
            self.app.advance(6 * HOUR);
            self.app.run_until_idle().await;
            self.look();
        }
    }

    /// Nobody listens; those who want to tell try in vain, and give up in the end.
    async fn outage(&mut self, hours: u64) {
        self.app.down().await;
        let world = self.app.world();
        for _ in 0..hours.div_ceil(6) {
            self.happen();
            self.app.advance(6 * HOUR);
            world.brex.deliver_due(&world.clock).await;
            world.bc.deliver_due(&world.clock).await;
        }
    }

    fn look(&mut self) {
        for one in subscriptions(&self.app) {
            self.states.entry(one.set).or_default().insert(one.client_state);
        }
    }

    /// Nothing is missing on either side, and both tell us again.
    async fn assert_whole(&self) {
        assert_subscribed(&self.app);
        let webhooks = self.app.world().brex.subscriptions();
        assert_eq!(webhooks.len(), 1);
        assert!(webhooks[0].url.starts_with(&self.app.base_url));
        let connection = &self.app.app.connections[0];
        let company = connection.bc.company(connection.identity().unwrap().bc_company);
        let vendors = company.list_vendors(None).unwrap().all().await.unwrap();
        let there: BTreeMap<_, _> = vendors.into_iter().map(|vendor| (vendor.number, vendor.display_name)).collect();
        let directory = connection.directory();
        let here = directory.vendors().iter().map(|vendor| (vendor.number.clone(), vendor.name.clone())).collect();
        assert_eq!(there, here);
        for record in &self.records {
            let stage = self.app.row(record).await.map(|row| row.stage);
            assert_eq!(stage, Some(Stage::Exported), "{record}");
        }
        for record in &self.posted {
            let actions = self.app.actions(record).await;
            assert_eq!(actions.iter().filter(|action| *action == "document_posted").count(), 1, "{record}");
        }
        let agreement = self.app.agreement();
        // What was posted has another number now, as Brex was not told.
        let was_posted = |difference: &&String| self.posted.iter().any(|id| difference.starts_with(id.as_str()));
        let differences: Vec<&String> = agreement.differences.iter().filter(|one| !was_posted(one)).collect();
        assert_eq!((differences, agreement.duplicates), (Vec::new(), Vec::new()));
        let chain = self.app.app.store.audit().verify(&self.app.connection()).await.unwrap();
        assert!(matches!(chain, Chain::Verified { .. }), "{chain:?}");
    }
}

#[tokio::test]
async fn a_month_with_outages_of_up_to_four_days_misses_nothing() {
    let Some(mut app) = TestApp::start_with(Db::Sqlite, Options { records: 20, ..Options::default() }, "").await else {
        return;
    };
    app.run_until_idle().await;
    let (_, merchant) = a_vendor(&app);
    let (records, posted, states) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    let mut month = Month { app, random: StdRng::seed_from_u64(7), merchant, records, posted, renamed: 0, states };
    let end = month.app.world().clock.now() + jiff::SignedDuration::from_hours(24 * DAYS);
    let mut rounds = 0;
    while month.app.world().clock.now() < end {
        rounds += 1;
        let hours = 6 + month.below(40);
        month.work(hours).await;
        // Brex rotates its secrets while we listen, and ends the old one while we do not.
        if rounds % 3 == 1 {
            month.app.world().brex.rotate_secret();
        }
        let hours = 1 + month.below(96);
        month.outage(hours).await;
        if rounds % 3 == 1 {
            month.app.world().brex.finish_rotation();
        }
        let same_address = month.below(3) > 0;
        month.app.up(same_address).await;
        month.app.run_until_idle().await;
        month.look();
        month.assert_whole().await;
    }
    let rotated = month.app.world().brex.webhooks().secrets.len();
    assert!(rotated >= 3, "{rotated} secrets of Brex in {rounds} rounds");
    for set in SETS {
        assert!(month.states[set].len() >= 3, "{set}: {}", month.states[set].len());
    }
    assert!(month.records.len() > 10 && month.posted.len() > 5 && month.renamed > 10);
}
