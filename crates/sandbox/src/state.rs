//! The state file: what both sides hold, saved at the stop and loaded at the next start.

use std::fs;
use std::io::ErrorKind;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::world::World;

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Set when the clock was frozen.
    clock: Option<Timestamp>,
    brex: Value,
    bc: Value,
}

/// Loads the state file, if one is set and exists.
pub(crate) fn load(world: &World) -> Result<(), Error> {
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
    let restored = || -> Result<(), serde_json::Error> {
        let saved: Saved = serde_json::from_str(&text)?;
        world.brex.restore(saved.brex)?;
        world.bc.restore(saved.bc)?;
        if let (true, Some(moment)) = (world.clock.is_frozen(), saved.clock) {
            world.clock.set(moment);
        }
        Ok(())
    };
    restored().map_err(|source| Error::State { path: path.clone(), source })
}

/// Saves the state file, if one is set: written beside it first, then renamed.
pub(crate) fn save(world: &World) -> Result<(), Error> {
    let Some(path) = &world.options.state else {
        return Ok(());
    };
    let clock = world.clock.is_frozen().then(|| world.clock.now());
    let text = world
        .bc
        .snapshot()
        .and_then(|bc| serde_json::to_string(&Saved { clock, brex: world.brex.snapshot(), bc }))
        .map_err(|source| Error::State { path: path.clone(), source })?;
    let beside = path.with_extension("saving");
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|source| Error::StateFile { path: path.clone(), source })
}
