//! `ml-sandbox`: serves the sandbox until Ctrl-C or SIGTERM, after printing one JSON line with all addresses and secrets.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use jiff::Timestamp;
use sandbox::fault::Weather;
use sandbox::{Options, Ready, Sandbox};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
What is printed:
  One line of JSON on standard output as soon as all four ports listen: base URLs, tokens, ids and secrets of Brex,
  Entra ID, Business Central and the control port. Logs go to standard error; RUST_LOG chooses them (info by default).
  GET /_sandbox/ready on the control port answers the same line, GET /_sandbox/ready.env the same for a shell.

Ports:
  With --port-base 8800: Brex 8800, Entra ID 8801, Business Central 8802, control 8803. All on 127.0.0.1 only.

Examples:
  Try it by hand, the same world on every start:
    ml-sandbox --port-base 8800 --seed 7
  From a script: wait for the file, which appears whole, then use the variables in it.
    ml-sandbox --env-file sandbox.env >/dev/null 2>&1 & SANDBOX=$!
    until [ -s sandbox.env ]; do :; done; . ./sandbox.env
    curl -H \"Authorization: Bearer $BREX_TOKEN\" \"$BREX_URL/v3/accounting/records?limit=1\"
    kill $SANDBOX
  Time that stands still and is moved by POST /_sandbox/clock:
    ml-sandbox --start 2026-03-02T09:00:00Z
  A bad day: five of a hundred requests get no answer or a late one.
    ml-sandbox --weather '{\"seed\": 7, \"percent\": 5, \"kinds\": [\"drop_after\", {\"delay\": {\"ms\": 2000}}]}'
  Keep everything over restarts:
    ml-sandbox --port-base 8800 --state sandbox.json --save-every 60

docs/sandbox.md tells the rest: a walk-through with curl, the control port, every kind of fault.";

/// Brex, Entra ID and Business Central on loopback, for trying and testing integrations without an account.
///
/// Both APIs as strict as the real ones, with made-up records and vendors. Nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "ml-sandbox", version, after_long_help = EXAMPLES, after_help = "--help tells more, with examples.")]
struct Arguments {
    /// First of four ports on 127.0.0.1: Brex, Entra, Business Central, control. Free ports if absent.
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
    /// The same seed gives the same world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Accounting records in Brex.
    #[arg(long, default_value_t = 120)]
    records: usize,
    /// Vendors in Business Central, at least.
    #[arg(long, default_value_t = 60)]
    vendors: usize,
    /// Load the state from this file at the start, if it is there, and save it there at the stop.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Save the state besides at this interval.
    #[arg(long, value_name = "SECONDS", requires = "state")]
    save_every: Option<u64>,
    /// Freeze the clock at this moment, e.g. 2026-03-02T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Webhook events that Brex loses, of 100.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100), value_name = "PERCENT")]
    webhook_drop_percent: u8,
    /// Whether Business Central enforces its limits: 5 requests at once, 6,000 in five minutes.
    #[arg(long, default_value = "on", value_parser = ["on", "off"])]
    bc_limits: String,
    /// How long Business Central works on each request.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    bc_latency_ms: u64,
    /// Faults that are drawn for every request: a JSON object with percent, kinds, and if wanted seed, side, method and
    /// path_contains.
    #[arg(long, value_name = "JSON", value_parser = weather)]
    weather: Option<Weather>,
    /// Write the ready line into this file too, whole or not at all.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Write the same as NAME='value' lines into this file, to be read by a shell.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            seed: self.seed,
            records: self.records,
            vendors: self.vendors,
            port_base: self.port_base,
            state: self.state.clone(),
            save_every: self.save_every,
            start: self.start,
            webhook_drop_percent: self.webhook_drop_percent,
            bc_limits: self.bc_limits == "on",
            bc_latency_ms: self.bc_latency_ms,
            weather: self.weather.clone(),
            company: None,
        }
    }

    /// Tells how to log in: in the files first, so that whoever reads the line finds them.
    fn announce(&self, ready: &Ready) -> anyhow::Result<()> {
        let line = serde_json::to_string(ready).context("writing the ready line")?;
        if let Some(path) = &self.ready_file {
            write_whole(path, &format!("{line}\n"))?;
        }
        if let Some(path) = &self.env_file {
            write_whole(path, &ready.environment())?;
        }
        writeln!(std::io::stdout(), "{line}").context("printing the ready line")
    }
}

fn weather(text: &str) -> Result<Weather, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Written beside the file and renamed: whoever waits for the file never sees half of it.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("writing");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("writing {}", path.display()))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let sandbox = Sandbox::start(arguments.options()).await?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    arguments.announce(sandbox.ready())?;
    tracing::info!(
        brex = sandbox.ready().brex.base_url,
        bc = sandbox.ready().bc.base_url,
        control = sandbox.ready().control.base_url,
        "the sandbox listens; stop it with Ctrl-C"
    );
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    sandbox.stop().await?;
    Ok(())
}
