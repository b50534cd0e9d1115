//! `run`: webhooks in, drafts out, until SIGTERM or Ctrl-C. `--once` stops when there is nothing left to do.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::exit::of_problem;
use super::log::LogFormat;
use super::{Common, Exit, Failure, open};
use crate::app::App;
use crate::checkpoint::Book;
use crate::config::Config;
use crate::stop::Stop;
use crate::worker::{LaneWorker, Tick, chain};
use crate::{access, checkpoint, console, identity, operations, web, worker};

/// How long a stop waits for the batches at hand.
const STOP_GRACE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    /// Do what there is to do, then stop. Webhooks are not received.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(common: &Common, args: &RunArgs) -> Result<Exit, Failure> {
    let config = open::config(common)?;
    let mut book = Book::open(&config)?;
    let app = open::app(&config).await?;
    first_contact(&app).await?;
    let stop = stop_on_signal()?;
    let is_seen = common.log_format == LogFormat::Text;
    let outcome = if args.once {
        let worked = until_idle(&app, &stop, |_| {}).await;
        book.add(&app.store, app.now_ms()).await?;
        worked
    } else {
        let minutes = config.audit.checkpoint_minutes;
        let signing = tokio::spawn(checkpoint::keep(Arc::clone(&app), book, minutes, stop.clone()));
        let served = serve(&app, &config, is_seen, stop.clone()).await;
        stop.cancel();
        signing.await.map_err(|panic| Failure::new(Exit::Unexpected, format!("a task failed: {panic}")))?;
        served
    };
    app.store.close().await;
    outcome
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

/// Serves webhooks and works until told to stop. `is_seen` says whether a person reads what is printed, and not only a log.
async fn serve(app: &Arc<App>, config: &Config, is_seen: bool, stop: CancellationToken) -> Result<Exit, Failure> {
    let tls = config.tls.as_ref().map(|tls| tls.acceptor(&config.folder)).transpose()?;
    let listener = web::bind(config.listen).await?.with_tls(tls.clone());
    tracing::info!(address = %listener.local_addr()?, "listening");
    let watched = operations(app, config, tls.clone(), &stop).await?;
    let console = console(app, config, tls, is_seen, &stop).await?;
    let web = tokio::spawn(web::serve(listener, Arc::clone(app), stop.clone()));
    let work = tokio::spawn(worker::run(Arc::clone(app), stop.clone()));
    stop.cancelled().await;
    tracing::info!("stopping: the work at hand is finished first");
    let finished = tokio::time::timeout(STOP_GRACE, async {
        let worked = work.await;
        let served = web.await;
        let shown = console.await;
        (worked, served.and(shown).and(watched.await))
    });
    match finished.await {
        Ok((Err(panic), _) | (_, Err(panic))) => Err(Failure::new(Exit::Unexpected, format!("a task failed: {panic}"))),
        // Too late for the batch at hand: what was under way is an open intent, and the next start looks before it sends.
        Ok((Ok(()), Ok(()))) | Err(_) => Ok(Exit::Done),
    }
}

/// Opens the address for health and metrics, if the configuration asks for one. On this machine itself it has no certificate: that is
/// made out to another name.
async fn operations(
    app: &Arc<App>,
    config: &Config,
    tls: Option<TlsAcceptor>,
    stop: &CancellationToken,
) -> Result<JoinHandle<()>, Failure> {
    let Some(section) = &config.operations else { return Ok(tokio::spawn(async {})) };
    let token = section.read_token(&config.folder)?;
    let tls = tls.filter(|_| !section.listen.ip().is_loopback());
    let listener = web::bind(section.listen).await?.with_tls(tls);
    tracing::info!(address = %listener.local_addr()?, "health and metrics are answered");
    Ok(tokio::spawn(operations::serve(listener, Arc::clone(app), token, stop.clone())))
}

/// Opens the console, if the configuration asks for one, and says on the terminal how to sign in for the first time.
async fn console(
    app: &Arc<App>,
    config: &Config,
    tls: Option<TlsAcceptor>,
    is_seen: bool,
    stop: &CancellationToken,
) -> Result<JoinHandle<()>, Failure> {
    let Some(section) = &config.console else { return Ok(tokio::spawn(async {})) };
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
    Ok(tokio::spawn(console::serve(listener, Arc::clone(app), section.url.clone(), stop.clone())))
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
