//! `ml-sandbox`: serves the sandbox until Ctrl-C or SIGTERM, after printing one JSON line with all addresses and secrets.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use jiff::Timestamp;
use sandbox::{Options, Sandbox};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Brex, Entra ID and Business Central on loopback, for trying and testing integrations without an account.
#[derive(Debug, Parser)]
#[command(name = "ml-sandbox", version)]
struct Arguments {
    /// First of four ports on 127.0.0.1: Brex, Entra, Business Central, control. Free ports if absent.
    #[arg(long)]
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
    /// Load the state from this file at the start and save it there at the stop.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Freeze the clock at this moment, e.g. 2026-03-02T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Webhook events that Brex loses, of 100.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    webhook_drop_percent: u8,
    /// How long Business Central works on each request.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    bc_latency_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let sandbox = Sandbox::start(Options {
        seed: arguments.seed,
        records: arguments.records,
        vendors: arguments.vendors,
        port_base: arguments.port_base,
        state: arguments.state,
        start: arguments.start,
        webhook_drop_percent: arguments.webhook_drop_percent,
        bc_latency_ms: arguments.bc_latency_ms,
        ..Options::default()
    })
    .await?;
    let line = serde_json::to_string(sandbox.ready()).context("writing the ready line")?;
    writeln!(std::io::stdout(), "{line}").context("printing the ready line")?;
    tracing::info!(
        brex = sandbox.ready().brex.base_url,
        bc = sandbox.ready().bc.base_url,
        "the sandbox listens; stop it with Ctrl-C"
    );
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    sandbox.stop().await?;
    Ok(())
}
