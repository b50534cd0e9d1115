//! `tokens create | list | revoke`: who may use the admin API.

use clap::{Args, Subcommand};
use comfy_table::Table;
use domain::access::user_name;
use domain::audit::Actor;
use domain::id::ConnectionId;
use serde_json::{Value, json};
use store::{ApiToken, Store, TokenRefusal};

use super::users::RoleName;
use super::{Common, Exit, Failure, open, print_json};
use crate::access::tokens::{DAYS, NotMade, Wanted, create, day_of, last_used, stands};
use crate::clock::{Chance, Clock, SystemClock};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// Make a token and print it, this once.
    Create(CreateArgs),
    /// Show every token, without its secret.
    List,
    /// Let a token be used no more.
    Revoke {
        /// Its name.
        name: String,
        /// Who revokes it.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

#[derive(Clone, Debug, Args)]
pub(super) struct CreateArgs {
    /// What the token is called in the audit trail. Alone it names a service, which approves nothing.
    #[arg(long, required_unless_present = "user")]
    name: Option<String>,
    /// The user that the token counts as: it may do no more, and approves nothing that this user proposed.
    #[arg(long)]
    user: Option<String>,
    /// What it may do at most.
    #[arg(long, value_enum)]
    role: RoleName,
    /// The only connection that it may ask about.
    #[arg(long)]
    connection: Option<String>,
    /// Days until it ends, at most 366.
    #[arg(long, value_name = "DAYS", default_value_t = DAYS)]
    expires: u16,
    /// Who makes it.
    #[arg(long, env = "USER", default_value = "unknown")]
    by: String,
}

pub(super) async fn tokens(common: &Common, command: &TokensCommand) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let store = open::store(&config).await?;
    let done = match command {
        TokensCommand::Create(args) => make(common, &config, &store, args).await,
        TokensCommand::List => list(common, &store).await,
        TokensCommand::Revoke { name, by } => revoke(common, &store, name, by).await,
    };
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn make(common: &Common, config: &Config, store: &Store, args: &CreateArgs) -> Result<(), Failure> {
    let connection = match &args.connection {
        Some(name) => open::chosen(config, Some(name))?.first().and_then(|name| ConnectionId::new(name).ok()),
        None => None,
    };
    let wanted = Wanted {
        name: args.name.clone().unwrap_or_default(),
        user: args.user.clone().unwrap_or_default(),
        role: args.role.role(),
        connection,
        days: args.expires,
    };
    let made = create(store, &Chance::real(), &wanted, SystemClock.now_ms(), &args.by).await?;
    let made = made.map_err(|why| not_made(&why))?;
    if config.console.is_none() {
        eprintln!("the configuration has no [console] section: the token works once there is one");
    }
    if common.json {
        let mut shown = as_json(&made.token);
        shown["secret"] = json!(made.secret);
        print_json(&shown);
    } else {
        println!("{}", made.secret);
        eprintln!(
            "this is the only time that the token {} is shown; its role is {}, until {}",
            made.token.name,
            made.token.role,
            day_of(made.token.expires_ms)
        );
    }
    Ok(())
}

fn not_made(why: &NotMade) -> Failure {
    let exit = match why {
        NotMade::Refused(TokenRefusal::NoUser) => Exit::NotFound,
        NotMade::Refused(_) => Exit::NotTaken,
        _ => Exit::Usage,
    };
    Failure::new(exit, why.to_string())
}

async fn list(common: &Common, store: &Store) -> Result<(), Failure> {
    let tokens = store.api_tokens().list().await?;
    if common.json {
        print_json(&json!({ "tokens": tokens.iter().map(as_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header([
        "name",
        "counts as",
        "role",
        "connection",
        "stands",
        "until",
        "last used",
    ]);
    for token in &tokens {
        table.add_row([
            token.name.clone(),
            token.user.clone().unwrap_or_else(|| "a service".to_owned()),
            token.role.to_string(),
            token.connection.as_ref().map_or_else(|| "all".to_owned(), ConnectionId::to_string),
            stands(token, SystemClock.now_ms()).to_owned(),
            day_of(token.expires_ms),
            last_used(token).unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn as_json(token: &ApiToken) -> Value {
    json!({
        "name": token.name, "user": token.user, "role": token.role, "connection": token.connection,
        "stands": stands(token, SystemClock.now_ms()), "until": day_of(token.expires_ms),
        "last_used": last_used(token), "made_by": token.created_by,
    })
}

async fn revoke(common: &Common, store: &Store, name: &str, by: &str) -> Result<(), Failure> {
    let name = user_name(name).unwrap_or_default();
    let revoked = store.api_tokens().revoke(&name, SystemClock.now_ms(), &Actor::Person(by.to_owned())).await?;
    revoked.map_err(|refusal| Failure::new(Exit::NotFound, format!("{name}: {refusal}")))?;
    if common.json {
        print_json(&json!({ "name": name, "stands": "revoked" }));
    } else {
        println!("{name} can be used no more");
    }
    Ok(())
}
