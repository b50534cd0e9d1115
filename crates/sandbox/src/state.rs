//! The state file: everything that both sides, the login and the fault plan hold. Loaded at the start; saved at the stop,
//! at intervals, or when the control port is told to.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::fault;
use crate::late::{self, HeldRequest};
use crate::world::World;

/// Rises when an older sandbox could not read the file, or would read it wrongly.
const VERSION: u64 = 3;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u64,
    /// Set when the clock was frozen.
    clock: Option<Timestamp>,
    brex: Value,
    bc: Value,
    entra: Value,
    faults: fault::State,
    held_requests: Vec<HeldRequest>,
}

/// Of any version.
#[derive(Deserialize)]
struct Heading {
    #[serde(default)]
    version: u64,
}

/// Loads the state file, if one is set and exists.
pub(crate) fn load(world: &Arc<World>) -> Result<(), Error> {
    let Some(path) = &world.options.state else {
        return Ok(());
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(Error::StateFile { path: path.clone(), source });
        }
    };
    let unreadable = |source| Error::State { path: path.clone(), source };
    let heading: Heading = serde_json::from_str(&text).map_err(unreadable)?;
    if heading.version != VERSION {
        return Err(Error::StateVersion { path: path.clone(), found: heading.version, known: VERSION });
    }
    let saved: Saved = serde_json::from_str(&text).map_err(unreadable)?;
    restore(world, saved).map_err(unreadable)
}

fn restore(world: &Arc<World>, saved: Saved) -> Result<(), serde_json::Error> {
    world.brex.restore(saved.brex)?;
    world.bc.restore(saved.bc)?;
    world.entra.restore(saved.entra)?;
    world.faults.restore(saved.faults);
    if let (true, Some(moment)) = (world.clock.is_frozen(), saved.clock) {
        world.clock.set(moment);
    }
    late::restore(world, saved.held_requests);
    Ok(())
}

/// Saves the state file, if one is set. Says whether one is.
pub(crate) fn save(world: &World) -> Result<bool, Error> {
    match &world.options.state {
        None => Ok(false),
        Some(path) => save_to(world, path).map(|()| true),
    }
}

/// Written beside the file first, then renamed, so that there is always a whole one.
fn save_to(world: &World, path: &Path) -> Result<(), Error> {
    let unwritable = |source| Error::State { path: path.to_owned(), source };
    let saved = Saved {
        version: VERSION,
        clock: world.clock.is_frozen().then(|| world.clock.now()),
        brex: world.brex.snapshot(),
        bc: world.bc.snapshot(world.clock.now()).map_err(unwritable)?,
        entra: world.entra.snapshot().map_err(unwritable)?,
        faults: world.faults.snapshot(),
        held_requests: world.held_requests(),
    };
    let text = serde_json::to_string(&saved).map_err(unwritable)?;
    let beside = path.with_extension("saving");
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|source| Error::StateFile { path: path.to_owned(), source })
}
