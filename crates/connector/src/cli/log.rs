//! The log on stderr: text for people, or one JSON object a line for programs, with what ends a command among them.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::traces::{self, Traces};
use super::{Exit, Failure};
use crate::clock::{Clock as _, SystemClock, timestamp};

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends the log to stderr, and traces to where they are asked for. The level of other people's crates stays at `warn`. What it gives is kept
/// until the end.
pub(super) fn start(level: &str, format: LogFormat) -> Traces {
    let filter = if level.contains('=') || level.contains(',') {
        level.to_owned()
    } else {
        format!("warn,connector={level},clients={level},store={level},sandbox={level}")
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let log = match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => {
            std::panic::set_hook(Box::new(tell_panic));
            log.json().flatten_event(true).with_span_list(false).boxed()
        }
    };
    let (sent, traces, why_not) = traces::layer();
    if tracing_subscriber::registry().with(log.with_filter(filter)).with(sent).try_init().is_err() {
        eprintln!("ml-connector: the log was already set up");
    }
    if let Some(why) = why_not {
        tracing::warn!("{why}");
    }
    traces
}

/// Tells why a command ended early. It does not go through the log's filter: nobody may miss it.
pub(super) fn tell(failure: &Failure, format: LogFormat) {
    match format {
        LogFormat::Text => eprintln!("ml-connector: {}", failure.sentence),
        LogFormat::Json => {
            let at = timestamp(SystemClock.now_ms()).to_string();
            eprintln!(
                "{}",
                json!({ "timestamp": at, "level": "ERROR", "message": failure.sentence, "exit": failure.exit as u8 })
            );
        }
    }
}

/// Ends quietly when whoever reads the output wants no more of it, as `head` does: the standard library panics then.
pub(super) fn end_with_the_reader() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let why = panic.payload_as_str().unwrap_or_default();
        if why.starts_with("failed printing to stdout") && why.contains("Broken pipe") {
            std::process::exit(Exit::Done as i32);
        }
        others(panic);
    }));
}

fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, why = panic.payload_as_str(), "a task failed unexpectedly; report this");
}
