//! What is to happen with one BC vendor in the Brex vendor directory. Pure: the map's row, what was last seen in Brex and the
//! policy come in, the next step comes out. Names are planned in [`name`].

pub mod name;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name space of idempotency keys; a random constant that must never change.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x1d1c_5b60_8a5e_4f0a_9b76_0c5e_93a4_7e21);

/// How a vendor stands in BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there and fits the filter.
    Active,
    /// It is blocked, for payments or for everything.
    Blocked,
    /// It is no longer in BC.
    Gone,
    /// It does not fit the filter.
    Outside,
}

/// Where a vendor stands in Brex, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has looked for its name yet.
    New,
    /// Looked for and not there.
    Absent,
    /// A create was committed; whether it was executed is not known.
    Creating,
    /// It is there.
    Here,
    /// It was deleted there by us.
    Removed,
}

/// What is written about a vendor. Bank details are no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// The name in Brex.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}

/// What happens in Brex to a vendor that is blocked or deleted in BC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// Nothing.
    #[default]
    Keep,
    /// Its name says so.
    Rename,
    /// It is deleted, if it was made by us.
    Delete,
}

/// Who wins when a person changed in Brex what we had written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edits {
    /// The person: that field is left alone.
    #[default]
    Keep,
    /// BC: it is written again.
    BcWins,
}

/// The connection's policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// For a vendor that is blocked in BC.
    pub on_block: Leaving,
    /// For a vendor that is deleted in BC.
    pub on_delete: Leaving,
    /// For what a person changed in Brex.
    pub edits: Edits,
}

impl Policy {
    /// What has to stand behind the name.
    pub fn mark(&self, presence: Presence) -> Option<name::Mark> {
        match presence {
            Presence::Blocked if self.on_block == Leaving::Rename => Some(name::Mark::Blocked),
            Presence::Gone if self.on_delete == Leaving::Rename => Some(name::Mark::Deleted),
            _ => None,
        }
    }
}

/// Everything a decision needs.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// In BC.
    pub presence: Presence,
    /// In Brex.
    pub state: State,
    /// Whether the vendor in Brex was made by us.
    pub ours: bool,
    /// What it should be.
    pub wanted: &'a Fields,
    /// What we last wrote, if we ever did.
    pub written: Option<&'a Fields>,
    /// What was last seen in Brex; none = it was not there any more.
    pub seen: Option<&'a Fields>,
}

/// What to change; only what is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}

impl Changes {
    /// What Brex has from us once this is written too. A field that we never wrote stays blank, so that what a person put
    /// there is never taken for ours.
    #[must_use]
    pub fn written_over(&self, before: Option<Fields>) -> Fields {
        let before = before.unwrap_or_default();
        Fields {
            name: self.name.clone().unwrap_or(before.name),
            email: self.email.clone().or(before.email),
            phone: self.phone.clone().or(before.phone),
        }
    }
}

/// A reason to stop with one vendor until something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorHold {
    /// A person deleted it in Brex.
    DeletedInBrex,
    /// The policy is to delete it, but it was in Brex before us.
    NotOurs,
    /// Brex refused it.
    Refused,
}

impl VendorHold {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeletedInBrex => "deleted_in_brex",
            Self::NotOurs => "not_ours",
            Self::Refused => "refused",
        }
    }

    /// The reason for a person, with the way out.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::DeletedInBrex => {
                "somebody deleted this vendor in Brex; it is not created again unless edits = \"bc_wins\""
            }
            Self::NotOurs => {
                "the vendor left Business Central, but it was in Brex before the connector: delete it in Brex if that is meant"
            }
            Self::Refused => "Brex refused the vendor; correct it in Business Central",
        }
    }
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// All is well.
    Nothing,
    /// Look for the name in Brex: it is linked if it is there.
    Look,
    /// Find out what became of a create: look for its name, else repeat it under the same key.
    Settle,
    /// Create it.
    Create,
    /// Change it.
    Update(Changes),
    /// Delete it.
    Delete,
    /// Leave it to a person.
    Hold(VendorHold),
}

/// Decides the next step. Deciding again after the step was done gives [`Action::Nothing`].
pub fn decide(facts: &Facts<'_>, policy: Policy) -> Action {
    match (facts.state, facts.presence) {
        (State::Creating, _) => Action::Settle,
        (State::New | State::Removed, Presence::Active) => Action::Look,
        (State::Absent, Presence::Active) => Action::Create,
        (State::New | State::Absent | State::Removed, _) | (State::Here, Presence::Outside) => Action::Nothing,
        (State::Here, presence) => match (facts.seen, presence) {
            (None, Presence::Active) => match policy.edits {
                Edits::BcWins => Action::Look,
                Edits::Keep => Action::Hold(VendorHold::DeletedInBrex),
            },
            (None, _) => Action::Nothing,
            (Some(seen), Presence::Blocked) => leave(policy.on_block, facts, seen, policy),
            (Some(seen), Presence::Gone) => leave(policy.on_delete, facts, seen, policy),
            (Some(seen), _) => update(changes(facts, seen, policy)),
        },
    }
}

fn leave(leaving: Leaving, facts: &Facts<'_>, seen: &Fields, policy: Policy) -> Action {
    match leaving {
        Leaving::Keep => Action::Nothing,
        Leaving::Rename => update(Changes { email: None, phone: None, ..changes(facts, seen, policy) }),
        Leaving::Delete if facts.ours => Action::Delete,
        Leaving::Delete => Action::Hold(VendorHold::NotOurs),
    }
}

fn update(changes: Changes) -> Action {
    if changes == Changes::default() { Action::Nothing } else { Action::Update(changes) }
}

/// What differs between BC and Brex and may be written. A blank in BC never clears anything in Brex.
fn changes(facts: &Facts<'_>, seen: &Fields, policy: Policy) -> Changes {
    let field = |wanted: Option<&str>, written: Option<Option<&str>>, seen: Option<&str>| {
        let wanted = wanted.filter(|wanted| Some(*wanted) != seen)?;
        // Never written by us: what stands there was put there by a person.
        let by_person = written.map_or(seen.is_some(), |written| written != seen);
        (!by_person || policy.edits == Edits::BcWins).then(|| wanted.to_owned())
    };
    let (wanted, written) = (facts.wanted, facts.written);
    Changes {
        name: field(Some(&wanted.name), written.map(|w| Some(w.name.as_str())), Some(&seen.name)),
        email: field(wanted.email.as_deref(), written.map(|w| w.email.as_deref()), seen.email.as_deref()),
        phone: field(wanted.phone.as_deref(), written.map(|w| w.phone.as_deref()), seen.phone.as_deref()),
    }
}

/// The idempotency key of the n-th creation of a vendor: the same after any crash or restored backup.
pub fn create_key(brex_company: &str, bc_company: Uuid, bc_vendor: Uuid, attempt: i64) -> Uuid {
    Uuid::new_v5(&KEY_NAMESPACE, format!("{brex_company}\n{bc_company}\n{bc_vendor}\n{attempt}").as_bytes())
}

#[cfg(test)]
mod tests;
