//! `run`: webhooks in, drafts out, until SIGTERM or Ctrl-C. `--once` stops when there is nothing left to do, and with `--roles` a
//! process of a fleet does only one of the two.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::exit::of_problem;
use super::log::LogFormat;
use super::{Common, Exit, Failure, open};
use crate::access::Microsoft;
use crate::app::{App, BuildError};
use crate::checkpoint::Book;
use crate::config::{Config, ConfigError, ConsoleSection, OperationsSection};
use crate::console::Entrance;
use crate::notify::{self, Notifier};
use crate::stop::Stop;
use crate::worker::{LaneWorker, Tick, chain};
use crate::{access, checkpoint, console, identity, operations, subscriptions, web, worker};

/// How long a stop waits for the batches at hand.
const STOP_GRACE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    /// Do what there is to do, then stop. Webhooks are not received.
    #[arg(long)]
    once: bool,
    /// What this process of a fleet on PostgreSQL does (docs/fleet.md).
    #[arg(long, value_delimiter = ',', default_values = ["web", "worker"], conflicts_with = "once")]
    roles: Vec<Role>,
}

/// What a process does. What goes by the schedule is part of the lanes, so that it has no role of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Receive webhooks and notifications, and show the console.
    Web,
    /// Work on the lanes, and sign checkpoints of the audit trail.
    Worker,
}

pub(super) async fn run(common: &Common, args: &RunArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let (receives, works) = (args.roles.contains(&Role::Web), args.roles.contains(&Role::Worker));
    if !(receives && works) && config.database.scheme() == "sqlite" {
        let text = "--roles: one process alone works on a SQLite file, so it has both roles: leave --roles out, or move to PostgreSQL \
                    (docs/fleet.md)";
        return Err(Failure::new(Exit::Usage, text));
    }
    let parts = Parts { receives, works, is_seen: common.log_format == LogFormat::Text };
    if works { work(&config, args.once, parts).await } else { only_receive(&config, parts).await }
}

/// Works, and receives unless other processes do.
async fn work(config: &Config, once: bool, parts: Parts) -> Result<Exit, Failure> {
    let mut book = Book::open(config)?;
    let app = open::app(config).await?;
    first_contact(&app).await?;
    let stop = stop_on_signal()?;
    let outcome = if once {
        let worked = until_idle(&app, &stop, |_| {}).await;
        book.add(&app.store, app.now_ms()).await?;
        worked
    } else {
        let minutes = config.audit.checkpoint_minutes;
        let signing = tokio::spawn(checkpoint::keep(Arc::clone(&app), book, minutes, stop.clone()));
        let served = serve(&app, config, parts, stop.clone()).await;
        stop.cancel();
        signing.await.map_err(|panic| Failure::new(Exit::Unexpected, format!("a task failed: {panic}")))?;
        served
    };
    app.store.close().await;
    outcome
}

/// Receives for the processes that work. It calls neither system by itself: who is at either end, another one found out.
async fn only_receive(config: &Config, parts: Parts) -> Result<Exit, Failure> {
    let app = open::app(config).await?;
    app.pulse.only_receive();
    for connection in &app.connections {
        app.store.connections().ensure(&connection.id, app.now_ms()).await?;
        identity::recall(&app, connection).await?;
        subscriptions::recall(&app, connection).await?;
    }
    let served = serve(&app, config, parts, stop_on_signal()?).await;
    app.store.close().await;
    served
}

/// A connection that was never made is made now, so that a wrong credential is told at once. Others may work although one
/// does not; only if none does, the command ends.
pub(super) async fn first_contact(app: &App) -> Result<(), Failure> {
    let mut first: Option<Failure> = None;
    let mut usable = 0_usize;
    for connection in &app.connections {
        app.store.connections().ensure(&connection.id, app.now_ms()).await?;
        identity::recall(app, connection).await?;
        if connection.identity().is_some() {
            usable += 1;
            continue;
        }
        match identity::learn(app, connection).await {
            Ok(()) => usable += 1,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(stop) => {
                let failure = Failure::from(stop);
                tracing::error!(connection = %connection.id, "{}", failure.sentence);
                first.get_or_insert(Failure::new(
                    failure.exit,
                    format!("connection {}: {}", connection.id, failure.sentence),
                ));
            }
        }
    }
    match first {
        Some(failure) if usable == 0 => Err(failure),
        _ => Ok(()),
    }
}

/// What a process does of all there is to do.
#[derive(Clone, Copy)]
struct Parts {
    receives: bool,
    works: bool,
    /// Whether a person reads what is printed, and not only a log.
    is_seen: bool,
}

/// Serves webhooks and works, as far as this process does, until told to stop.
async fn serve(app: &Arc<App>, config: &Config, parts: Parts, stop: CancellationToken) -> Result<Exit, Failure> {
    let mut tasks = JoinSet::new();
    let tls = config.tls.as_ref().map(|tls| tls.acceptor(&config.folder)).transpose()?;
    if let Some(section) = &config.operations {
        tasks.spawn(operations(app, config, section, tls.clone(), &stop).await?);
    }
    if parts.receives {
        let listener = web::bind(config.listen).await?.with_tls(tls.clone());
        tracing::info!(address = %listener.local_addr()?, "listening");
        if let Some(section) = &config.console {
            tasks.spawn(console(app, config, section, tls, parts.is_seen, &stop).await?);
        }
        tasks.spawn(web::serve(listener, Arc::clone(app), stop.clone()));
    } else if config.public_url.is_some() {
        // Others receive there, or this process would not have been told to leave it.
        app.set_receiving();
    }
    if parts.works {
        if let Some(section) = &config.notifications {
            let notifier = Notifier::open(Arc::clone(app), section, &config.folder, config.console_address())?;
            tasks.spawn(notify::keep(notifier, stop.clone()));
        }
        tasks.spawn(worker::run(Arc::clone(app), stop.clone()));
    }
    stop.cancelled().await;
    tracing::info!("stopping: the work at hand is finished first");
    let finished = tokio::time::timeout(STOP_GRACE, async {
        let mut outcome = Ok(Exit::Done);
        while let Some(ended) = tasks.join_next().await {
            outcome =
                ended.map_err(|panic| Failure::new(Exit::Unexpected, format!("a task failed: {panic}"))).and(outcome);
        }
        outcome
    });
    // Too late for the batch at hand: what was under way is an open intent, and the next start looks before it sends.
    finished.await.unwrap_or(Ok(Exit::Done))
}

/// Opens the address for health and metrics. On this machine itself it has no certificate: that is made out to another name.
async fn operations(
    app: &Arc<App>,
    config: &Config,
    section: &OperationsSection,
    tls: Option<TlsAcceptor>,
    stop: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, Failure> {
    let token = section.read_token(&config.folder)?;
    let tls = tls.filter(|_| !section.listen.ip().is_loopback());
    let listener = web::bind(section.listen).await?.with_tls(tls);
    tracing::info!(address = %listener.local_addr()?, "health and metrics are answered");
    Ok(operations::serve(listener, Arc::clone(app), token, stop.clone()))
}

/// Opens the console, and says on the terminal how to sign in for the first time. What it gives answers until the stop.
async fn console(
    app: &Arc<App>,
    config: &Config,
    section: &ConsoleSection,
    tls: Option<TlsAcceptor>,
    is_seen: bool,
    stop: &CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>, Failure> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listener = web::bind(section.listen).await?.with_tls(tls);
    let address = format!("{scheme}://{}", listener.local_addr()?);
    let address = section.url.as_ref().map_or(address, |url| url.as_str().trim_end_matches('/').to_owned());
    if is_seen {
        welcome(app, &address).await?;
    } else {
        tracing::info!(address, "the console is open");
        if !access::can_anybody_sign_in(app).await? {
            tracing::warn!(
                "nobody can sign in to the console yet: ml-connector users add NAME --role admin prints a link"
            );
        }
    }
    let entrance = entrance(section, &config.folder, &address)?;
    Ok(console::serve(listener, Arc::clone(app), entrance, stop.clone()))
}

/// How browsers come in to a console at this address.
pub(super) fn entrance(section: &ConsoleSection, folder: &Path, address: &str) -> Result<Entrance, Failure> {
    let mut entrance = Entrance { url: section.url.clone(), microsoft: None };
    if let Some(microsoft) = &section.microsoft {
        let address = Url::parse(address)
            .map_err(|error| BuildError::Config(ConfigError::value("console.url", error.to_string())))?;
        entrance.microsoft = Some(Microsoft::open(microsoft, folder, &address)?);
    }
    Ok(entrance)
}

/// Tells where the console is; with the way in for the first admin as long as nobody can sign in. It goes to the terminal
/// and never to the log.
pub(super) async fn welcome(app: &App, address: &str) -> Result<(), Failure> {
    tracing::info!(address, "the console is open");
    if let Some(token) = access::invite_first_admin(app).await? {
        eprintln!("\nnobody can sign in to the console yet. This link sets the password of admin; it works once:");
        eprintln!("  {address}/welcome?token={token}\n");
    }
    Ok(())
}

/// Works until nothing is due any more, telling `progress` after every tick.
pub(super) async fn until_idle(
    app: &Arc<App>,
    stop: &CancellationToken,
    mut progress: impl FnMut(Tick),
) -> Result<Exit, Failure> {
    let holder = uuid::Uuid::now_v7().to_string();
    let mut lanes: Vec<LaneWorker> = app
        .lanes()
        .into_iter()
        .map(|(name, connections)| LaneWorker::new(Arc::clone(app), name, connections, holder.clone(), stop))
        .collect();
    loop {
        let mut worked = false;
        let mut due: Option<i64> = None;
        for lane in &mut lanes {
            let tick = lane.tick().await?;
            progress(tick);
            worked |= tick.worked;
            due = [due, tick.open_due_ms, tick.lease_due_ms].into_iter().flatten().min();
        }
        match due {
            _ if stop.is_cancelled() => break,
            _ if worked => {}
            // Nothing else is left to do now, and waiting for a person is not this command's business.
            _ if held_connection(app).await.is_err() => break,
            Some(due) => worker::nap(app, due.saturating_sub(app.now_ms()).clamp(1, 1_000), stop).await,
            None => break,
        }
    }
    for lane in &mut lanes {
        if let Err(error) = lane.release().await {
            tracing::warn!(error = %chain(&error), "the lease could not be given back");
        }
    }
    held_connection(app).await
}

/// A connection that could not work decides the exit code.
async fn held_connection(app: &App) -> Result<Exit, Failure> {
    for row in app.store.connections().list().await? {
        if let Some(problem) = row.problem {
            return Err(Failure::new(
                of_problem(&problem.code),
                format!("connection {}: {}", row.id, problem.sentence),
            ));
        }
    }
    Ok(Exit::Done)
}

/// A token that is cancelled by SIGTERM or Ctrl-C; a second signal ends the process at once.
pub(super) fn stop_on_signal() -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if token.is_cancelled() {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    Ok(stop)
}
