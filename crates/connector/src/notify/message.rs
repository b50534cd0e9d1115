//! What people read, and what programs read.

use std::fmt::Write as _;

use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::told::{Known, Told};
use crate::words::counted;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// In one line.
    pub title: String,
    /// In full, as plain text.
    pub text: String,
    /// For programs.
    pub json: Value,
}

impl Message {
    /// All that has stood long enough, the news first; none if there is nothing to tell.
    pub fn of(told: &Told, after_ms: i64, link: Option<&str>, now_ms: i64) -> Option<Self> {
        let mut stands: Vec<(&str, &Known)> = told.standing(after_ms, now_ms).collect();
        if stands.is_empty() && told.over.is_empty() {
            return None;
        }
        stands.sort_by_key(|(_, known)| !known.is_news());
        let news = stands.iter().filter(|(_, known)| known.is_news()).count();
        let first = stands.first().map_or_else(|| told.over[0].clone(), |(name, known)| line(name, known));
        let more = stands.len().saturating_sub(1);
        let title = match (stands.len(), more) {
            (0, _) => format!("ml-connector: over: {first}"),
            (_, 0) => format!("ml-connector: {first}"),
            (_, more) => format!("ml-connector: {first}, and {more} more"),
        };
        let text = text(&stands, &told.over, link, now_ms);
        let each = stands.iter().map(|(name, known)| as_json(name, known));
        let json = json!({ "title": title, "news": news, "troubles": each.collect::<Vec<_>>(), "over": told.over, "console": link });
        Some(Self { title, text, json })
    }

    /// Says only that it arrives.
    pub fn test() -> Self {
        let title = "ml-connector: a test".to_owned();
        let text = "This is a test: what waits for a person will be told this way.\n".to_owned();
        Self { json: json!({ "title": title, "test": true }), title, text }
    }
}

fn line(connection: &str, known: &Known) -> String {
    if connection == ConnectionId::installation().as_str() {
        known.trouble.what.clone()
    } else {
        format!("{connection}: {}", known.trouble.what)
    }
}

fn text(stands: &[(&str, &Known)], over: &[String], link: Option<&str>, now_ms: i64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (name, known) in stands {
        let mark = if known.is_news() { "NEW  " } else { "     " };
        let _ = writeln!(text, "{mark}{}, for {}", line(name, known), duration(now_ms.saturating_sub(known.since_ms)));
        if !known.trouble.who.is_empty() {
            let _ = writeln!(text, "     who can fix it: {}. {}", known.trouble.who, known.trouble.to_do);
        }
    }
    for over in over {
        let _ = writeln!(text, "OVER {over}");
    }
    if let Some(link) = link {
        let connection = stands.iter().map(|(name, _)| *name).find(|name| !name.starts_with('@'));
        let path = connection.map_or_else(String::new, |name| format!("/c/{name}/attention"));
        let _ = writeln!(text, "\n{}{path}", link.trim_end_matches('/'));
    }
    text
}

fn as_json(connection: &str, known: &Known) -> Value {
    let trouble = &known.trouble;
    json!({
        "connection": connection, "subject": trouble.subject, "amount": trouble.amount, "what": trouble.what,
        "who": trouble.who, "to_do": trouble.to_do, "is_new": known.is_news(),
        "since": crate::clock::timestamp(known.since_ms).to_string(),
    })
}

fn duration(ms: i64) -> String {
    match ms / 60_000 {
        minutes @ ..120 => counted(minutes, "minute"),
        minutes @ 120..2_880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}
