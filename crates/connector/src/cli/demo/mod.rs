//! `demo`: sandbox and connector on free loopback ports with a fresh database, and a bookkeeper who clicks Export.

mod bookkeeper;
mod setting;
mod summary;

use std::sync::Arc;

use clap::Args;
use domain::access::Role;
use indicatif::{ProgressBar, ProgressStyle};
use sandbox::{Options, Sandbox};
use store::{Store, UserChange};
use tokio_util::sync::CancellationToken;

use super::{Common, Exit, Failure, print_json, run};
use crate::alone::Alone;
use crate::app::App;
use crate::clock::{Chance, SystemClock};
use crate::{console, web, worker};
use bookkeeper::Bookkeeper;
use setting::Setting;
pub(super) use setting::write_secret;
use summary::Summary;

/// How often the demo looks whether everything has come to rest, in milliseconds.
const LOOK_EVERY_MS: i64 = 200;
/// Webhooks that the demo's Brex loses, of 100: the poll finds their records.
const LOST_WEBHOOKS_PERCENT: u8 = 34;

#[derive(Clone, Debug, Args)]
pub(super) struct DemoArgs {
    /// Stop when everything is done, print the summary, and exit 0 only if the books agree.
    #[arg(long)]
    once: bool,
    /// Accounting records in the sandbox's Brex.
    #[arg(long, default_value_t = 120)]
    records: usize,
    /// Vendors in the sandbox's Business Central.
    #[arg(long, default_value_t = 60)]
    vendors: usize,
    /// The same seed gives the same company and records.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Listen on this port and the next three instead of free ones.
    #[arg(long)]
    port_base: Option<u16>,
}

pub(super) async fn demo(common: &Common, args: &DemoArgs) -> Result<Exit, Failure> {
    let stop = run::stop_on_signal()?;
    let options = Options {
        seed: args.seed,
        records: args.records,
        vendors: args.vendors,
        port_base: args.port_base,
        webhook_drop_percent: LOST_WEBHOOKS_PERCENT,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await?;
    let listener = web::bind(([127, 0, 0, 1], 0).into()).await?;
    let pages = web::bind(([127, 0, 0, 1], 0).into()).await?;
    let setting = Setting::make(sandbox.ready(), listener.local_addr()?, pages.local_addr()?)?;
    let store = Store::open(&setting.config.database_url()).await?;
    let app = App::build(
        &setting.config,
        store,
        Arc::new(SystemClock),
        Chance::real(),
        Alone::take(&setting.config.database_url())?,
    )
    .await?;
    run::first_contact(&app).await?;
    where_to_look(&sandbox, &setting);

    let address = format!("http://{}", pages.local_addr()?);
    if !args.once {
        run::welcome(&app, &address).await?;
        colleague(&app, &sandbox).await?;
    }
    let section = setting.config.console.clone().unwrap_or_default();
    let entrance = run::entrance(&section, setting.folder(), &address)?;
    let console = tokio::spawn(console::serve(pages, Arc::clone(&app), entrance, stop.clone()));
    let web = tokio::spawn(web::serve(listener, Arc::clone(&app), stop.clone()));
    let work = tokio::spawn(worker::run(Arc::clone(&app), stop.clone()));
    let summary = play(&app, &sandbox, &stop).await?;
    if common.json {
        print_json(&summary.as_json());
    } else {
        summary.print();
    }
    if !args.once {
        bookkeeper::close_the_bills(&app, &sandbox.world()).await?;
        eprintln!("\nstill serving; press Ctrl-C to stop");
        stop.cancelled().await;
    }
    stop.cancel();
    if let (Err(panic), _, _) | (_, Err(panic), _) | (_, _, Err(panic)) = (work.await, web.await, console.await) {
        return Err(Failure::new(Exit::Unexpected, format!("a task failed: {panic}")));
    }
    app.store.close().await;
    sandbox.stop().await?;
    Ok(if summary.holds() { Exit::Done } else { Exit::Disagreement })
}

/// Somebody of the sandbox's directory who may sign in with a Microsoft account.
async fn colleague(app: &App, sandbox: &Sandbox) -> Result<(), Failure> {
    if let Some(person) = sandbox.world().entra.people().first() {
        let add = UserChange::Add(Role::Bookkeeper);
        let added = app.store.users().change(&person.user_name, &add, app.now_ms(), &app.actor()).await?;
        if added.is_ok() {
            eprintln!("  or sign in there with Microsoft as {}, who is a bookkeeper\n", person.user_name);
        }
    }
    Ok(())
}

/// Lets the connector work, has the bookkeeper click Export, and waits until everything has come to rest.
async fn play(app: &Arc<App>, sandbox: &Sandbox, stop: &CancellationToken) -> Result<Summary, Failure> {
    let world = sandbox.world();
    let mut bookkeeper = Bookkeeper::new(&world);
    let bar = bar(world.options.records);
    loop {
        let seen = Summary::take(app, &world).await?;
        bar.set_position(u64::try_from(seen.settled()).unwrap_or(0));
        bar.set_message(seen.one_line());
        let at_rest = seen.unsettled == 0 && seen.lost.is_empty();
        if stop.is_cancelled() || (at_rest && bookkeeper.is_done()) {
            bar.finish_and_clear();
            return Ok(seen);
        }
        if at_rest {
            bookkeeper.click(&world)?;
        }
        worker::nap(app, LOOK_EVERY_MS, stop).await;
    }
}

fn bar(records: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(records).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records {msg}") {
        bar.set_style(style);
    }
    bar
}

fn where_to_look(sandbox: &Sandbox, setting: &Setting) {
    let ready = sandbox.ready();
    eprintln!("Brex (records, with a button Export):       {}/", ready.brex.base_url);
    eprintln!("Business Central (purchase documents):      {}/", ready.bc.base_url);
    eprintln!("connector, state and configuration in:      {}", setting.folder().display());
    eprintln!(
        "story of a record:                          ml-connector --config {} explain RECORD",
        setting.file().display()
    );
}
