//! `notify`: what people would be told now, and whether a message reaches them.

use clap::Args;
use serde_json::json;

use super::{Common, Exit, Failure, open, print_json};
use crate::clock::{Clock, SystemClock};
use crate::notify::{self, Message, Ways};
use crate::worker::chain;

#[derive(Clone, Debug, Args)]
pub(super) struct NotifyArgs {
    /// Send a test message by every way of the section [notifications].
    #[arg(long)]
    test: bool,
}

pub(super) async fn notify(common: &Common, args: &NotifyArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    if args.test {
        let section = config.notifications.as_ref().ok_or_else(|| {
            Failure::new(Exit::Config, "the configuration has no section [notifications] (docs/notifications.md)")
        })?;
        let ways = Ways::open(section, &config.folder)?;
        for way in ways.names() {
            let sent = ways.send_by(way, &Message::test()).await;
            let text = |error| format!("the test message was not taken by {way}: {}", chain(&error));
            sent.map_err(|error| Failure::new(Exit::Unreachable, text(error)))?;
        }
        if common.json {
            print_json(&json!({ "sent": true }));
        } else {
            println!("the test message was taken by every way");
        }
        return Ok(Exit::Done);
    }
    let store = open::store(&config).await?;
    let now_ms = SystemClock.now_ms();
    let stands = notify::stands(&store, &config, now_ms).await;
    let known = notify::read(&store).await;
    store.close().await;
    let message = Message::of(&stands?, 0, None, now_ms);
    let failing = known?.failing;
    if common.json {
        print_json(&json!({ "stands": message.map(|message| message.json["troubles"].clone()), "failing": failing }));
        return Ok(Exit::Done);
    }
    match message {
        Some(message) => print!("{}", message.text),
        None => println!("nothing stands that anybody would be told"),
    }
    if let Some(failing) = failing {
        println!("the last message was not taken: {failing}");
    }
    Ok(Exit::Done)
}
