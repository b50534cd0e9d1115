//! Creates the vendors that people agreed to, one per turn, each blocked with type All.
//!
//! Names may occur twice in Business Central and a create has no key. So the name is looked for before every create, the
//! attempt is committed before it is sent, and after an unclear answer the vendor is only looked for until the settle window
//! has passed: a crash at any moment makes no second one.

use clients::bc::{Blocked, Company, NewVendor, Vendor};
use clients::{Effect, Error, Kind};
use domain::pace::{NextProbe, next_probe, retry_delay_ms};
use matching::scrubbed_key;
use serde_json::{Value, json};
use store::{Lease, ProposalChange, ProposalState, VendorLink, VendorProposal, Verdict};

use super::RECHECK;
use super::answers::{PROPOSED, standings, stored_keys};
use crate::app::{App, Connection};
use crate::flow::step::error_detail;
use crate::problem::said;
use crate::stop::{Stop, asked_ms};
use crate::{leased, mirror, problem};

/// After so many attempts or tries without an outcome a person has to look.
const MOST_ATTEMPTS: i64 = 5;
/// How far Business Central's clock may be behind ours.
const SKEW_MS: i64 = 5 * 60 * 1_000;

/// What a turn works with.
struct Turn<'a> {
    app: &'a App,
    connection: &'a Connection,
    lease: &'a Lease,
    company: Company,
}

/// Does what is due for one proposal. Returns whether it did anything.
pub async fn turn(app: &App, connection: &Connection, lease: &Lease) -> Result<bool, Stop> {
    let Some(identity) = connection.identity() else { return Ok(false) };
    let due = app.store.vendor_proposals().list_due(&connection.id, app.now_ms()).await?;
    let Some(row) = due.into_iter().next() else { return Ok(false) };
    let company = leased::company(app, connection, lease, identity.bc_company);
    Turn { app, connection, lease, company }.one(row).await?;
    Ok(true)
}

impl Turn<'_> {
    fn now_ms(&self) -> i64 {
        self.app.now_ms()
    }

    async fn one(&self, row: VendorProposal) -> Result<(), Stop> {
        let found = match self.company.find_vendors_named(&row.name).await {
            Ok(found) => found,
            Err(error) => return self.cannot_look(row, error).await,
        };
        match row.state {
            ProposalState::Approved if found.is_empty() => self.create(row).await,
            // An attempt that was settled as absent may have come true since.
            ProposalState::Approved if row.sent_ms.is_none() => self.hold(row, &foreign(&found)).await,
            ProposalState::Approved | ProposalState::Creating => self.settle(row, &found).await,
            ProposalState::Proposed | ProposalState::Created | ProposalState::Declined | ProposalState::Held => {
                self.apply(VendorProposal { due_ms: None, ..row }, "vendor_proposal_rests", Value::Null).await.map(drop)
            }
        }
    }

    /// Writes the row as it becomes; nothing if a person changed it meanwhile.
    async fn apply(&self, row: VendorProposal, action: &str, detail: Value) -> Result<Option<VendorProposal>, Stop> {
        let change = ProposalChange { row, action: action.to_owned(), detail };
        let (kept, id) = (self.app.store.vendor_proposals(), &self.connection.id);
        let is_written = kept.apply(self.lease, id, self.now_ms(), &self.app.actor(), &change).await?;
        let rev = change.row.rev.saturating_add(1);
        Ok(is_written.then_some(VendorProposal { rev, ..change.row }))
    }

    /// Commits the attempt, checks the lease again, and sends.
    async fn create(&self, row: VendorProposal) -> Result<(), Stop> {
        let now_ms = self.now_ms();
        let row = VendorProposal {
            state: ProposalState::Creating,
            attempt: row.attempt.saturating_add(1),
            sent_ms: Some(now_ms),
            tries: 0,
            ..self.looking(row)
        };
        let vendor = NewVendor { name: row.name.clone(), country: row.country.clone(), email: row.email.clone() };
        let sends = json!({ "name": vendor.name, "country": vendor.country, "email": vendor.email, "blocked": "All" });
        let Some(row) = self.apply(row, "vendor_proposal_creating", sends).await? else { return Ok(()) };
        if !self.app.store.lanes().holds(self.lease, self.now_ms()).await? {
            return Err(store::Error::LostLease.into());
        }
        match self.company.create_vendor(&vendor).await {
            Ok(vendor) => self.created(row, vendor, "vendor_proposal_created").await,
            Err(error) => self.not_created(row, error).await,
        }
    }

    /// The row with a plan of look-ups that starts now.
    fn looking(&self, row: VendorProposal) -> VendorProposal {
        let (now_ms, window_ms) = (self.now_ms(), self.connection.settings.settle_window_ms());
        let due_ms = match next_probe(now_ms, 0, window_ms) {
            NextProbe::At(ms) => ms,
            NextProbe::Settled => now_ms,
        };
        let settle_until_ms = Some(now_ms.saturating_add(window_ms));
        VendorProposal { epoch: self.lease.epoch, settle_until_ms, probes: 0, due_ms: Some(due_ms), ..row }
    }

    async fn not_created(&self, row: VendorProposal, error: Error) -> Result<(), Stop> {
        let about_it = matches!(error.kind(), Kind::Refused | Kind::NotFound) && problem::of_error(&error).is_none();
        match error.effect() {
            Effect::Unknown => self.unclear(row, &error).await,
            // What only this needs holds this alone: records go on without it.
            Effect::None if error.kind() == Kind::Forbidden => {
                let text = "Business Central does not let the application create vendors (insert on Vendor)";
                self.hold(row, &format!("{text}: {}", said(&error))).await
            }
            // An extension may commit and then fail, so a refusal is believed only after one look.
            Effect::None if about_it => match self.company.find_vendors_named(&row.name).await {
                Ok(found) if found.is_empty() => {
                    self.hold(row, &format!("Business Central refused the vendor: {}", said(&error))).await
                }
                Ok(found) => self.settle(row, &found).await,
                Err(_) => self.unclear(row, &error).await,
            },
            Effect::None => {
                let row = self.postponed(VendorProposal { state: ProposalState::Approved, ..row }, &error);
                self.apply(row, "vendor_proposal_postponed", error_detail(&error)).await?;
                Err(error.into())
            }
        }
    }

    /// Perhaps created: from now on it is only looked for.
    async fn unclear(&self, row: VendorProposal, error: &Error) -> Result<(), Stop> {
        self.apply(self.looking(row), "vendor_proposal_unclear", error_detail(error)).await.map(drop)
    }

    /// Nothing is decided while nobody can look. What is about all calls makes the connection wait.
    async fn cannot_look(&self, row: VendorProposal, error: Error) -> Result<(), Stop> {
        if problem::of_error(&error).is_some() || error.kind() == Kind::Throttled {
            return Err(error.into());
        }
        if row.state == ProposalState::Approved && row.tries >= MOST_ATTEMPTS {
            return self.hold(row, &format!("its name cannot be looked for: {}", said(&error))).await;
        }
        let row = self.postponed(row, &error);
        self.apply(row, "vendor_proposal_postponed", error_detail(&error)).await.map(drop)
    }

    fn postponed(&self, row: VendorProposal, error: &Error) -> VendorProposal {
        let delay = retry_delay_ms(row.tries, asked_ms(error), self.app.chance.next());
        let due_ms = Some(self.now_ms().saturating_add(delay));
        VendorProposal { due_ms, tries: row.tries.saturating_add(1), ..row }
    }

    /// What a look-up after an attempt means. Ours is only one that was made since, is still blocked, and is the only one.
    async fn settle(&self, row: VendorProposal, found: &[Vendor]) -> Result<(), Stop> {
        let sent_ms = row.sent_ms.unwrap_or(i64::MAX);
        let is_new = |vendor: &Vendor| {
            vendor.last_modified.is_some_and(|at| at.as_millisecond() >= sent_ms.saturating_sub(SKEW_MS))
        };
        match found {
            [] => self.still_absent(row).await,
            [only] if only.blocked == Blocked::All && is_new(only) => {
                self.created(row, only.clone(), "vendor_proposal_adopted").await
            }
            others => self.hold(row, &foreign(others)).await,
        }
    }

    /// Not there yet: the next look, or, once the settle window has passed, one new attempt. The window of a former holder of
    /// the lane starts with this first look, since nobody knows when it sent.
    async fn still_absent(&self, row: VendorProposal) -> Result<(), Stop> {
        let (now_ms, window_ms) = (self.now_ms(), self.connection.settings.settle_window_ms());
        if row.epoch != self.lease.epoch {
            let why = json!("the process that sent it is gone; looking starts anew");
            return self.apply(self.looking(row), "vendor_proposal_looked_for", why).await.map(drop);
        }
        let settle_until_ms = row.settle_until_ms.unwrap_or(now_ms);
        let probes = row.probes.saturating_add(1);
        let due_ms = match next_probe(settle_until_ms.saturating_sub(window_ms), probes, window_ms) {
            NextProbe::At(ms) => ms.max(now_ms.saturating_add(1)),
            NextProbe::Settled if now_ms < settle_until_ms => settle_until_ms,
            NextProbe::Settled if row.attempt % MOST_ATTEMPTS == 0 => {
                let attempts = row.attempt;
                let text =
                    format!("Business Central gave no clear answer in {attempts} attempts, and there is no vendor");
                return self.hold(row, &text).await;
            }
            NextProbe::Settled => {
                let row = VendorProposal { state: ProposalState::Approved, due_ms: Some(now_ms), ..row };
                return self.apply(row, "vendor_proposal_settled_as_absent", Value::Null).await.map(drop);
            }
        };
        let row = VendorProposal { probes, due_ms: Some(due_ms), ..row };
        self.apply(row, "vendor_proposal_looked_for", json!({ "probes": probes, "next_ms": due_ms })).await.map(drop)
    }

    async fn hold(&self, row: VendorProposal, why: &str) -> Result<(), Stop> {
        let row = VendorProposal { state: ProposalState::Held, note: Some(why.to_owned()), due_ms: None, ..row };
        self.apply(row, "vendor_proposal_held", Value::Null).await.map(drop)
    }

    /// The vendor is there: the mirror learns it, then merchant and proposal are written in one transaction. A crash in
    /// between leaves a proposal that finds its vendor again.
    async fn created(&self, row: VendorProposal, vendor: Vendor, action: &str) -> Result<(), Stop> {
        let (name, now_ms) = (vendor.display_name.clone(), self.now_ms());
        let row = VendorProposal {
            state: ProposalState::Created,
            bc_vendor_id: Some(vendor.id),
            vendor_number: Some(vendor.number.clone()),
            note: None,
            due_ms: None,
            ..row
        };
        mirror::learn(self.app, self.connection, self.lease, vendor).await?;
        let link = link_of(&row, &name, now_ms);
        let keys = stored_keys(&row.descriptor);
        let agreed_ms = row.decided_ms.unwrap_or(now_ms);
        // What a person set by hand after it was agreed stays.
        let decide = |stored: &[VendorLink]| {
            let standings = standings(stored);
            let standing = standings.get(&link.merchant_key).filter(|standing| standing.is_set_by_hand());
            let is_later = standing.is_some_and(|s| s.answers.iter().any(|answer| answer.decided_ms > agreed_ms));
            (!is_later).then(|| link.clone())
        };
        let change = ProposalChange { row, action: action.to_owned(), detail: Value::Null };
        let (kept, actor) = (self.app.store.vendor_proposals(), self.app.actor());
        kept.finish(self.lease, &self.connection.id, now_ms, &actor, &change, &keys, decide, RECHECK).await?;
        Ok(())
    }
}

/// The link of the merchant to its new vendor: set by the hand of who approved it.
fn link_of(row: &VendorProposal, vendor_name: &str, now_ms: i64) -> VendorLink {
    let approver = row.decided_by.clone().unwrap_or_default();
    VendorLink {
        merchant_key: scrubbed_key(&row.descriptor),
        descriptor: row.descriptor.clone(),
        clean_name: row.clean_name.clone(),
        bc_vendor_id: row.bc_vendor_id,
        vendor_name: vendor_name.to_owned(),
        verdict: Verdict::SetByHand,
        origin: format!("{PROPOSED}{} by {}, approved by {approver}", row.id, row.proposed_by),
        record_id: row.record_id.clone(),
        decided_by: approver,
        decided_ms: now_ms,
    }
}

/// Vendors of the name that nobody can say are ours.
fn foreign(found: &[Vendor]) -> String {
    let listed: Vec<String> = found.iter().map(|vendor| format!("{} {}", vendor.number, vendor.display_name)).collect();
    format!(
        "Business Central has {} already, and it is not known to come from this proposal: vendors confirm the merchant with \
         --vendor NUMBER if it is the one, and decline the proposal",
        listed.join(", ")
    )
}
