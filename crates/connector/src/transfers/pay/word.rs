//! What people say about transfers to be made: one orders, perhaps another approves, somebody declines. Who may do that is
//! asked of the users of the console. Nothing is sent here.

use std::collections::BTreeSet;

use domain::access::{Need, Role, user_name};
use domain::audit::Actor;
use domain::transfer::{Order, Refusal};
use serde_json::Value;
use store::{OrderChange, OrderState, Store, TransferOrder};

use super::plan::{ordered_today, within_limits};
use super::send::KEY_LIFE_MS;
use super::{is_dead, standing};
use crate::app::Connection;

/// What a person said is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The connection does not allow it.
    #[error("this connection does not pay through Brex: transfers.pay.enabled is false")]
    Off,
    /// Nobody of this name may use the connector.
    #[error("there is no user {0:?} who may act here: see users list")]
    NoUser(String),
    /// The role does not allow it.
    #[error("{name} is a {role}, and this needs {need}")]
    NotAllowed {
        /// The user.
        name: String,
        /// What the user is.
        role: Role,
        /// What it needs.
        need: &'static str,
    },
    /// There is no such order.
    #[error("there is no order {0}")]
    Unknown(i64),
    /// Who proposed may not approve.
    #[error("{0} proposed this transfer: another person has to approve it")]
    SamePerson(String),
    /// It is too late, or too early.
    #[error("order {id} is {state}: {why}")]
    NotNow {
        /// Its number.
        id: i64,
        /// Where it stands.
        state: &'static str,
        /// What that means.
        why: &'static str,
    },
    /// No reason is given.
    #[error("say why with --reason")]
    NoReason,
    /// It stands against a rule.
    #[error("{0}")]
    Payment(#[from] Refusal),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// It is not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Somebody who may do what is asked.
#[derive(Clone, Debug)]
pub struct Person(String);

impl Person {
    /// Who orders: an approver, or with four eyes anybody who may work here.
    pub async fn who_orders(store: &Store, connection: &Connection, name: &str) -> Result<Self, PayError> {
        let need = if connection.settings.transfers.pay.four_eyes { Need::Work } else { Need::Approve };
        Self::of(store, name, need).await
    }

    /// Who approves.
    pub async fn who_approves(store: &Store, name: &str) -> Result<Self, PayError> {
        Self::of(store, name, Need::Approve).await
    }

    /// Who declines.
    pub async fn who_declines(store: &Store, name: &str) -> Result<Self, PayError> {
        Self::of(store, name, Need::Work).await
    }

    async fn of(store: &Store, typed: &str, need: Need) -> Result<Self, PayError> {
        let nobody = || Refused::NoUser(typed.trim().to_owned());
        let name = user_name(typed).ok_or_else(nobody)?;
        let user = store.users().get(&name).await?.filter(|user| user.disabled_ms.is_none()).ok_or_else(nobody)?;
        if user.role.may(need) {
            return Ok(Self(name));
        }
        let need = if need == Need::Approve { "an approver" } else { "a bookkeeper" };
        Err(Refused::NotAllowed { name, role: user.role, need }.into())
    }
}

/// Orders these transfers, all of them or none. With four eyes they wait for another person.
pub async fn order(
    store: &Store,
    connection: &Connection,
    orders: &[Order],
    person: &Person,
    now_ms: i64,
) -> Result<Vec<TransferOrder>, PayError> {
    let settings = is_on(connection)?;
    let transfers = store.transfers().list(&connection.id).await?;
    let decide = |stored: &[TransferOrder]| {
        let mut invoices = BTreeSet::new();
        for order in orders {
            if let Some(earlier) = standing(stored, &transfers, order.invoice) {
                return Err(Refusal::Ordered(earlier.id, earlier.state.as_str()).into());
            }
            // The key counts the invoice's orders, so that a plan made before another order does not fit any more.
            let is_known = stored.iter().any(|earlier| earlier.order.key == order.key);
            if is_known || !invoices.insert(order.invoice) {
                return Err(Refusal::PlannedAnew.into());
            }
        }
        within_limits(&settings.limits(), ordered_today(stored, &connection.rules.zone, now_ms), orders)?;
        let four_eyes = settings.four_eyes;
        Ok::<_, Refused>(
            orders.iter().map(|order| change(new(order, person, four_eyes, now_ms), "transfer_ordered")).collect(),
        )
    };
    say(store, connection, person, now_ms, decide).await
}

fn new(order: &Order, person: &Person, four_eyes: bool, now_ms: i64) -> TransferOrder {
    let agreed = (!four_eyes).then(|| person.0.clone());
    TransferOrder {
        id: 0,
        rev: 1,
        order: order.clone(),
        state: if four_eyes { OrderState::Proposed } else { OrderState::Approved },
        proposed_by: person.0.clone(),
        proposed_ms: now_ms,
        decided_ms: agreed.as_ref().map(|_| now_ms),
        decided_by: agreed,
        note: None,
        epoch: 0,
        attempts: 0,
        first_sent_ms: None,
        sent_ms: None,
        tries: 0,
        due_ms: (!four_eyes).then_some(now_ms),
        transfer: None,
    }
}

/// Approves an order that waits for another person, or has a held one tried again.
pub async fn approve(
    store: &Store,
    connection: &Connection,
    id: i64,
    person: &Person,
    now_ms: i64,
) -> Result<TransferOrder, PayError> {
    let settings = is_on(connection)?;
    let transfers = store.transfers().list(&connection.id).await?;
    let decide = |stored: &[TransferOrder]| {
        let row = stored.iter().find(|row| row.id == id).ok_or(Refused::Unknown(id))?;
        may_go_on(row, now_ms)?;
        if settings.four_eyes && row.proposed_by == person.0 {
            return Err(Refused::SamePerson(row.proposed_by.clone()));
        }
        let others: Vec<TransferOrder> = stored.iter().filter(|other| other.id != id).cloned().collect();
        if let Some(earlier) = standing(&others, &transfers, row.order.invoice) {
            return Err(Refusal::Ordered(earlier.id, earlier.state.as_str()).into());
        }
        if row.attempts == 0 {
            let today = ordered_today(&others, &connection.rules.zone, now_ms);
            within_limits(&settings.limits(), today, std::slice::from_ref(&row.order))?;
        }
        let row = TransferOrder {
            state: if row.attempts == 0 { OrderState::Approved } else { OrderState::Sending },
            decided_by: Some(person.0.clone()),
            decided_ms: Some(now_ms),
            note: None,
            tries: 0,
            due_ms: Some(now_ms),
            ..row.clone()
        };
        Ok(vec![change(row, "transfer_order_approved")])
    };
    one(say(store, connection, person, now_ms, decide).await?, id)
}

/// What was sent may be sent again only while Brex knows its key.
fn may_go_on(row: &TransferOrder, now_ms: i64) -> Result<(), Refused> {
    let is_late = row.first_sent_ms.is_some_and(|sent| now_ms.saturating_sub(sent) > KEY_LIFE_MS);
    let why = match row.state {
        OrderState::Held if is_late => Some(
            "Brex may have forgotten its key. Look there: if it has no such transfer, decline this and order it anew",
        ),
        OrderState::Proposed | OrderState::Held => None,
        OrderState::Approved | OrderState::Sending => Some("it is on its way"),
        OrderState::Created => Some("Brex has the transfer"),
        OrderState::Declined | OrderState::Refused => Some("order it anew if it is needed after all"),
    };
    why.map_or(Ok(()), |why| Err(Refused::NotNow { id: row.id, state: row.state.as_str(), why }))
}

/// Declines an order of which nothing was sent, or that is held.
pub async fn decline(
    store: &Store,
    connection: &Connection,
    id: i64,
    reason: &str,
    person: &Person,
    now_ms: i64,
) -> Result<TransferOrder, PayError> {
    if reason.trim().is_empty() {
        return Err(Refused::NoReason.into());
    }
    let window_ms = connection.settings.settle_window_ms();
    // Whoever declines may order anew under another key: not while what was sent may still arrive.
    let may_arrive = |row: &TransferOrder| {
        row.transfer.is_none() && row.sent_ms.is_some_and(|sent| now_ms < sent.saturating_add(window_ms))
    };
    let transfers = store.transfers().list(&connection.id).await?;
    let decide = |stored: &[TransferOrder]| {
        let row = stored.iter().find(|row| row.id == id).ok_or(Refused::Unknown(id))?;
        let why = match row.state {
            OrderState::Held if row.transfer.is_some() && !is_dead(row, &transfers) => {
                Some("Brex has a transfer for it: cancel that there")
            }
            OrderState::Held if may_arrive(row) => Some(
                "what was sent may still arrive in Brex: wait until the settle window has passed, and look there again",
            ),
            OrderState::Proposed | OrderState::Approved | OrderState::Held => None,
            OrderState::Sending => Some("it may be in Brex already; wait until that is settled"),
            OrderState::Created => Some("Brex has the transfer: cancel it there"),
            OrderState::Declined | OrderState::Refused => Some("nothing is left to do"),
        };
        if let Some(why) = why {
            return Err(Refused::NotNow { id, state: row.state.as_str(), why });
        }
        let row = TransferOrder {
            state: OrderState::Declined,
            decided_by: Some(person.0.clone()),
            decided_ms: Some(now_ms),
            note: Some(reason.trim().to_owned()),
            due_ms: None,
            ..row.clone()
        };
        Ok(vec![change(row, "transfer_order_declined")])
    };
    one(say(store, connection, person, now_ms, decide).await?, id)
}

/// Whether the connection pays at all.
pub fn is_on(connection: &Connection) -> Result<&crate::config::PaySection, Refused> {
    let settings = &connection.settings.transfers.pay;
    if settings.enabled { Ok(settings) } else { Err(Refused::Off) }
}

fn one(rows: Vec<TransferOrder>, id: i64) -> Result<TransferOrder, PayError> {
    rows.into_iter().next().ok_or_else(|| Refused::Unknown(id).into())
}

async fn say(
    store: &Store,
    connection: &Connection,
    person: &Person,
    now_ms: i64,
    decide: impl Fn(&[TransferOrder]) -> Result<Vec<OrderChange>, Refused>,
) -> Result<Vec<TransferOrder>, PayError> {
    let actor = Actor::Person(person.0.clone());
    Ok(store.transfer_orders().say(&connection.id, now_ms, &actor, decide).await??)
}

fn change(row: TransferOrder, action: &str) -> OrderChange {
    OrderChange { row, action: action.to_owned(), detail: Value::Null }
}
