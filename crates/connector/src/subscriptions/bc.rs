//! Push subscriptions in Business Central: made, renewed at half of their life, made again when they are gone, and taken
//! over when they are not as they should be.
//!
//! Only a hash of a client state is kept, before the state itself is sent: nobody needs it again, since each renewal brings
//! a new one. So nothing that could forge a notification is ever stored.

use std::collections::HashMap;

use clients::bc::{Company, MAX_SUBSCRIPTIONS, NewSubscription, Resource, Subscription};
use data_encoding::HEXLOWER;
use domain::audit::Note;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{BcSubscriptionRow, Lease};
use url::Url;

use super::{address, path, token};
use crate::app::{App, Connection};
use crate::stop::Stop;

/// Cursor that keeps the unguessable part of the address.
pub(super) const TOKEN: &str = "notifications.token";

/// What is subscribed to, the most important first: an environment has room for 200 subscriptions of everybody.
pub const SETS: [&str; 4] = ["vendors", "purchaseInvoices", "purchaseCreditMemos", "accounts"];

/// Client states of a set that are taken: that of the last attempt, that which stands if it failed, and that before it, which
/// a notification on its way may still carry.
const STATES: usize = 3;

/// What a look at the subscriptions did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Some had to be made: changes may have gone untold before.
    pub gap: bool,
}

/// The hash by which a client state is known.
pub fn hash_of(client_state: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(client_state))
}

struct Upkeep<'a> {
    app: &'a App,
    connection: &'a Connection,
    lease: &'a Lease,
    company: Company,
    url: Url,
    rows: HashMap<String, BcSubscriptionRow>,
}

/// Makes sure that Business Central notifies us. Without a public address, or while nobody listens at it, there is nothing to
/// do: the schedule brings every change.
pub async fn keep(app: &App, connection: &Connection, lease: &Lease) -> Result<Kept, Stop> {
    let Some(public_url) = app.public_url.as_ref().filter(|_| app.is_receiving()) else { return Ok(Kept::default()) };
    let Some(identity) = connection.identity() else { return Ok(Kept::default()) };
    let token = token(app, connection, lease, TOKEN).await?;
    let Some(url) = address(public_url, "bc", &token) else { return Ok(Kept::default()) };
    let path = path("bc", &token);
    connection.set_hook(|hook| hook.bc_token = Some(token));
    let company = connection.bc.company(identity.bc_company);
    let supported = company.list_webhook_resources().await?;
    let listed = connection.bc.list_subscriptions().await?;
    let mut room = MAX_SUBSCRIPTIONS.saturating_sub(listed.len());
    // Nobody but us knows the path: an address that ends with it is ours, even if this machine has moved.
    let mut ours: HashMap<String, Vec<Subscription>> = HashMap::new();
    for subscription in listed.into_iter().filter(|subscription| subscription.notification_url.ends_with(&path)) {
        let resource = Resource::parse(&subscription.resource).filter(|found| found.company == company.id());
        ours.entry(resource.map(|found| found.set).unwrap_or_default()).or_default().push(subscription);
    }
    let rows = app.store.bc_subscriptions().list(&connection.id).await?;
    let rows = rows.into_iter().map(|row| (row.set.clone(), row)).collect();
    let mut upkeep = Upkeep { app, connection, lease, company, url, rows };
    let (mut kept, mut failed) = (Kept::default(), None);
    for set in SETS.into_iter().filter(|set| supported.iter().any(|name| name == set)) {
        let found = ours.remove(set).unwrap_or_default();
        match upkeep.keep_one(set, found, &mut room).await {
            Ok(gap) => kept.gap |= gap,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(stop) => failed = failed.or(Some(stop)),
        }
    }
    // Of sets that are no longer wanted, and of a company that this connection had before.
    for left in ours.into_values().flatten() {
        connection.bc.delete_subscription(&left.id, &left.etag).await?;
    }
    failed.map_or(Ok(kept), Err)
}

impl Upkeep<'_> {
    /// Whether changes may have gone untold.
    async fn keep_one(&mut self, set: &'static str, found: Vec<Subscription>, room: &mut usize) -> Result<bool, Stop> {
        let mut found = found.into_iter();
        let standing = found.next();
        for surplus in found {
            self.connection.bc.delete_subscription(&surplus.id, &surplus.etag).await?;
            *room = room.saturating_add(1);
        }
        let why = match &standing {
            None => Some("missing"),
            Some(standing) => self.why_renew(set, standing),
        };
        let Some(why) = why else { return Ok(false) };
        let known = standing.as_ref().and_then(state_of);
        let gap = why == "missing" || why == "client state changed";
        if let Some(standing) = &standing {
            let new = self.intend(set, known).await?;
            if let Some(renewed) = self.company.renew_subscription(&standing.id, &standing.etag, &new).await? {
                self.note(set, &renewed, why).await?;
                return Ok(gap);
            }
            *room = room.saturating_add(1);
        }
        if *room == 0 {
            tracing::warn!(connection = %self.connection.id, set, "the environment has no room for another subscription");
            return Ok(false);
        }
        let new = self.intend(set, None).await?;
        let made = self.company.create_subscription(&new).await?;
        *room = room.saturating_sub(1);
        self.note(set, &made, "missing").await?;
        Ok(true)
    }

    /// Why a subscription that is there has to be renewed now, if it has.
    fn why_renew(&self, set: &str, standing: &Subscription) -> Option<&'static str> {
        let Some(row) = self.rows.get(set) else { return Some("client state changed") };
        if state_of(standing).is_some_and(|state| !row.states.contains(&state)) {
            return Some("client state changed");
        }
        if standing.notification_url != self.url.as_str() {
            return Some("address changed");
        }
        let (Some(renewed_ms), Some(expires_ms)) = (row.renewed_ms, standing.expires.map(Timestamp::as_millisecond))
        else {
            return Some("half of its life is over");
        };
        let half = expires_ms.saturating_sub(renewed_ms) / 2;
        let is_old = self.app.now_ms() >= renewed_ms.saturating_add(half);
        is_old.then_some("half of its life is over")
    }

    /// Draws a client state and commits its hash, so that a notification which overtakes the answer is known. Whichever state
    /// stands at the moment stays known too.
    async fn intend(&mut self, set: &'static str, standing: Option<String>) -> Result<NewSubscription, Stop> {
        let state = format!("{}{}", self.app.chance.token(), self.app.chance.token());
        let row = self.rows.entry(set.to_owned()).or_insert_with(|| BcSubscriptionRow {
            set: set.to_owned(),
            subscription_id: None,
            states: Vec::new(),
            renewed_ms: None,
            expires_ms: None,
        });
        // One that we did not give is nothing that a notification of ours would carry.
        let standing = standing.filter(|standing| row.states.contains(standing));
        let mut states: Vec<String> = std::iter::once(hash_of(&state)).chain(standing).collect();
        for known in &row.states {
            if states.len() < STATES && !states.contains(known) {
                states.push(known.clone());
            }
        }
        row.states = states;
        self.app.store.bc_subscriptions().save(self.lease, &self.connection.id, row).await?;
        super::recall(self.app, self.connection).await?;
        Ok(NewSubscription { notification_url: self.url.clone(), set, client_state: SecretString::from(state) })
    }

    async fn note(&mut self, set: &str, made: &Subscription, why: &str) -> Result<(), Stop> {
        let (app, id) = (self.app, &self.connection.id);
        let Some(row) = self.rows.get_mut(set) else { return Ok(()) };
        row.subscription_id = Some(made.id.clone());
        row.renewed_ms = Some(app.now_ms());
        row.expires_ms = made.expires.map(Timestamp::as_millisecond);
        app.store.bc_subscriptions().save(self.lease, id, row).await?;
        let note = Note {
            action: "subscribed".to_owned(),
            subject: format!("subscription {set}"),
            before: None,
            after: None,
            detail: json!({ "why": why, "id": made.id, "expires": made.expires.map(|at| at.to_string()) }),
        };
        Ok(app.store.audit().append(self.lease, id, app.now_ms(), &app.actor(), &[note]).await?)
    }
}

/// The hash of the client state that the environment shows.
fn state_of(subscription: &Subscription) -> Option<String> {
    subscription.client_state.as_ref().map(|state| hash_of(state.expose_secret()))
}
