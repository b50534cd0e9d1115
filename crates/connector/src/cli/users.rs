//! `users list | add | link | role | disable | enable | unbind`: who may use the console.

use clap::{Subcommand, ValueEnum};
use comfy_table::Table;
use domain::access::{Role, user_name};
use domain::audit::Actor;
use serde_json::{Value, json};
use store::{Store, User, UserChange, UserRefusal};

use super::{Common, Exit, Failure, open, print_json};
use crate::access::{self, stands};
use crate::clock::{Chance, Clock, SystemClock, timestamp};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Show everybody.
    List,
    /// Add somebody, and print the link that sets the password.
    Add {
        /// Name or mail address to sign in with.
        name: String,
        /// What the person may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// Who adds.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// Print a new link that sets the password, for somebody who forgot it; earlier links end.
    Link(OfUser),
    /// Give another role.
    Role {
        #[command(flatten)]
        of: OfUser,
        /// What the person may do from now on.
        #[arg(long, value_enum)]
        role: RoleName,
    },
    /// Let somebody do nothing any more; every session ends.
    Disable(OfUser),
    /// Let somebody in again.
    Enable(OfUser),
    /// Let go of the Microsoft account that is somebody's: the next one of that name is bound anew.
    Unbind(OfUser),
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct OfUser {
    /// The user's name.
    name: String,
    /// Who changes it.
    #[arg(long, env = "USER", default_value = "unknown")]
    by: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    /// Reads.
    Viewer,
    /// Retries, answers about vendors, matches transfers.
    Bookkeeper,
    /// Approves what somebody else proposed.
    Approver,
    /// Looks after users, connections and keys.
    Admin,
}

impl RoleName {
    pub(super) fn role(self) -> Role {
        match self {
            Self::Viewer => Role::Viewer,
            Self::Bookkeeper => Role::Bookkeeper,
            Self::Approver => Role::Approver,
            Self::Admin => Role::Admin,
        }
    }
}

pub(super) async fn users(common: &Common, command: &UsersCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let done = match command {
        UsersCommand::List => list(common, &store).await,
        UsersCommand::Add { name, role, by } => link(common, &config, &store, name, Some(role.role()), by).await,
        UsersCommand::Link(of) => link(common, &config, &store, &of.name, None, &of.by).await,
        UsersCommand::Role { of, role } => change(common, &store, of, &UserChange::SetRole(role.role())).await,
        UsersCommand::Disable(of) => change(common, &store, of, &UserChange::Disable).await,
        UsersCommand::Enable(of) => change(common, &store, of, &UserChange::Enable).await,
        UsersCommand::Unbind(of) => change(common, &store, of, &UserChange::Unbind).await,
    };
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn list(common: &Common, store: &Store) -> Result<(), Failure> {
    let users = store.users().list().await?;
    if common.json {
        print_json(&json!({ "users": users.iter().map(as_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["name", "role", "stands", "last signed in"]);
    for user in &users {
        let signed_in = user.signed_in_ms.map_or_else(|| "never".to_owned(), |ms| timestamp(ms).to_string());
        table.add_row([user.name.as_str(), user.role.as_str(), stands(user), &signed_in]);
    }
    println!("{table}");
    Ok(())
}

fn as_json(user: &User) -> Value {
    json!({
        "name": user.name, "role": user.role, "stands": stands(user), "microsoft": user.microsoft,
        "signed_in": user.signed_in_ms.map(|ms| timestamp(ms).to_string()),
    })
}

async fn link(
    common: &Common,
    config: &Config,
    store: &Store,
    name: &str,
    role: Option<Role>,
    by: &str,
) -> Result<(), Failure> {
    let name = checked(name)?;
    let actor = Actor::Person(by.to_owned());
    let invited = access::invite(store, &Chance::real(), &name, role, SystemClock.now_ms(), &actor).await?;
    let token = invited.map_err(|refusal| refused(&name, refusal))?;
    let address = config.console_address();
    if address.is_none() {
        eprintln!("the configuration has no [console] section: the link works once there is one");
    }
    let address = address.unwrap_or_default();
    let link = format!("{address}/welcome?token={token}");
    if common.json {
        print_json(&json!({ "name": name, "link": link }));
    } else {
        println!("{link}");
        eprintln!("the link works once, for a day: give it to {name} and to nobody else");
    }
    Ok(())
}

async fn change(common: &Common, store: &Store, of: &OfUser, change: &UserChange) -> Result<(), Failure> {
    let name = checked(&of.name)?;
    let changed = store.users().change(&name, change, SystemClock.now_ms(), &Actor::Person(of.by.clone())).await?;
    changed.map_err(|refusal| refused(&name, refusal))?;
    let user = store.users().get(&name).await?.ok_or_else(|| refused(&name, UserRefusal::Unknown))?;
    if common.json {
        print_json(&as_json(&user));
    } else {
        println!("{name}: {}, {}", user.role, stands(&user));
    }
    Ok(())
}

fn checked(name: &str) -> Result<String, Failure> {
    let text = || format!("{name:?} cannot be a name: use 1 to 60 letters, digits, or any of . _ - @ +");
    user_name(name).ok_or_else(|| Failure::new(Exit::Usage, text()))
}

fn refused(name: &str, refusal: UserRefusal) -> Failure {
    let exit = if refusal == UserRefusal::Unknown { Exit::NotFound } else { Exit::NotTaken };
    Failure::new(exit, format!("{name}: {refusal}"))
}
