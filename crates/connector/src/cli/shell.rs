//! What the command line gives to a shell and to `man`: made from the commands themselves, so that it is always right.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, Failure};

const NAME: &str = "ml-connector";

/// Prints a script that completes commands, options and their values.
pub(super) fn completions(shell: Shell) -> Exit {
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut std::io::stdout());
    Exit::Done
}

/// Writes a page for each command into a folder.
pub(super) fn man(folder: &Path) -> Result<Exit, Failure> {
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        Failure::new(Exit::Usage, format!("the pages cannot be written into {}: {error}", folder.display()))
    })?;
    Ok(Exit::Done)
}
