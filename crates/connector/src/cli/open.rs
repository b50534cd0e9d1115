//! Opens what a command needs: configuration, store, process.

use std::sync::Arc;

use store::Store;

use super::{Common, Exit, Failure};
use crate::alone::Alone;
use crate::app::App;
use crate::clock::{Chance, SystemClock};
use crate::config::Config;

/// The configuration.
pub(super) fn config(common: &Common) -> Result<Config, Failure> {
    Ok(Config::load(&common.config)?)
}

/// The store of a configuration.
pub(super) async fn store(config: &Config) -> Result<Store, Failure> {
    Ok(Store::open(&config.database_url()).await?)
}

/// The whole process on the machine's clock; nobody else may work on the same SQLite file.
pub(super) async fn app(config: &Config) -> Result<Arc<App>, Failure> {
    let alone = Alone::take(&config.database_url())?;
    Ok(App::build(config, store(config).await?, Arc::new(SystemClock), Chance::real(), alone).await?)
}

/// The process for looking only: it takes no lane, so it may run beside the one that works, and its clients refuse to write.
pub(super) async fn planning(config: &Config) -> Result<Arc<App>, Failure> {
    let store = store(config).await?;
    Ok(App::build_reading(config, store, Arc::new(SystemClock), Chance::real(), Alone::Shared).await?)
}

/// The time as people read it, in a zone.
pub(super) fn shown_time(ms: i64, zone: &jiff::tz::TimeZone) -> String {
    crate::clock::timestamp(ms).to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The zone of a connection.
pub(super) fn zone(config: &Config, connection: &str) -> Result<jiff::tz::TimeZone, Failure> {
    let settings = config.connections.iter().find(|c| c.name == connection);
    settings.map_or(Ok(jiff::tz::TimeZone::UTC), |settings| Ok(settings.rules()?.zone))
}

/// The connections that a command is about.
pub(super) fn chosen<'a>(config: &'a Config, name: Option<&str>) -> Result<Vec<&'a str>, Failure> {
    let all: Vec<&str> = config.connections.iter().map(|c| c.name.as_str()).collect();
    match name {
        None => Ok(all),
        Some(name) => {
            let text = || format!("there is no connection {name:?}; the configuration has: {}", all.join(", "));
            let known = all.iter().find(|known| **known == name);
            known.map(|known| vec![*known]).ok_or_else(|| Failure::new(Exit::NotFound, text()))
        }
    }
}
