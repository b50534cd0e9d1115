//! Questions on a terminal. They go to stderr, so that stdout holds the result only. Lists are chosen from by number: no cursor is hidden
//! and no screen redrawn, so Ctrl-C leaves the terminal as it was, and a reader aloud can follow.

use std::io::{self, IsTerminal as _};

use dialoguer::Input;
use dialoguer::console::{Key, Term};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::super::Failure;

/// Whether somebody can be asked.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks until the answer passes its check.
pub(super) fn line<T>(
    question: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    loop {
        let input = Input::<String>::new().with_prompt(question).allow_empty(true);
        let input = match default {
            Some(default) => input.default(default.to_owned()),
            None => input,
        };
        let answer = input.interact_text().map_err(io::Error::from)?;
        match check(answer.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => eprintln!("{why}"),
        }
    }
}

/// Asks for something that must not be empty.
pub(super) fn text(question: &str, default: Option<&str>) -> Result<String, Failure> {
    line(question, default, |answer| match answer {
        "" => Err("this is needed".to_owned()),
        answer => Ok(answer.to_owned()),
    })
}

/// Asks for a secret, of which nothing is shown.
pub(super) fn hidden(question: &str) -> Result<SecretString, Failure> {
    let term = Term::stderr();
    loop {
        term.write_str(&format!("{question} (hidden): "))?;
        let typed = unseen(&term)?;
        term.write_line("")?;
        let secret = typed.trim();
        if !secret.is_empty() {
            return Ok(SecretString::from(secret));
        }
        eprintln!("this is needed");
    }
}

/// Reads a line of which nothing is shown, also of what is pasted between two keys.
fn unseen(term: &Term) -> Result<Zeroizing<String>, Failure> {
    let quiet = Quiet::begin()?;
    let mut typed = Zeroizing::new(String::with_capacity(4096));
    loop {
        match term.read_key_raw()? {
            Key::Enter => return Ok(typed),
            Key::Backspace => drop(typed.pop()),
            Key::CtrlC => {
                drop(quiet);
                return Err(interrupted());
            }
            Key::Char(letter) if !letter.is_control() => typed.push(letter),
            _ => (),
        }
    }
}

/// Keeps a terminal from showing what is typed, and from acting on Ctrl-C by itself, until it is dropped.
struct Quiet {
    #[cfg(unix)]
    before: nix::sys::termios::Termios,
}

#[cfg(unix)]
impl Quiet {
    fn begin() -> io::Result<Self> {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &quiet)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};

        if let Err(error) = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

#[cfg(not(unix))]
impl Quiet {
    fn begin() -> io::Result<Self> {
        Ok(Self {})
    }
}

/// Ends as Ctrl-C does anywhere else.
fn interrupted() -> Failure {
    #[cfg(unix)]
    if let Err(error) = nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT) {
        tracing::debug!(%error, "no signal could be raised");
    }
    Failure::from(io::Error::from(io::ErrorKind::Interrupted))
}

/// Lets one of several be chosen, by number or by name.
pub(super) fn choose(what: &str, among: &[String]) -> Result<String, Failure> {
    if let [only] = among {
        eprintln!("{what}: {only} (there is no other)");
        return Ok(only.clone());
    }
    eprintln!("{what}:");
    for (number, name) in (1_usize..).zip(among) {
        eprintln!("  {number}  {name}");
    }
    line("Number", None, |answer| {
        let by_number = answer.parse::<usize>().ok().and_then(|number| among.get(number.checked_sub(1)?));
        let chosen = by_number.or_else(|| among.iter().find(|name| name.as_str() == answer));
        chosen.cloned().ok_or_else(|| format!("give a number from 1 to {}", among.len()))
    })
}

/// Asks for yes or no.
pub(super) fn yes(question: &str, default: &str) -> Result<bool, Failure> {
    line(&format!("{question} (yes/no)"), Some(default), |answer| match answer.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("answer yes or no".to_owned()),
    })
}
