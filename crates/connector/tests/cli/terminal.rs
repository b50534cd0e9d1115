//! The binary at a pseudo-terminal: waits for a question, answers it, and keeps what was shown.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Command, ExitStatus};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

/// Far longer than any answer takes.
const PATIENCE_MS: u16 = 60_000;

pub struct Terminal {
    hand: File,
    child: Child,
    /// Everything that was shown.
    pub shown: String,
    read: usize,
}

impl Terminal {
    /// Starts a command with all three of its ends at the terminal.
    pub fn start(mut command: Command) -> Self {
        let pty = openpty(None, None).unwrap();
        let end = File::from(pty.slave);
        command.stdin(end.try_clone().unwrap()).stdout(end.try_clone().unwrap()).stderr(end);
        let child = command.spawn().unwrap();
        Self { hand: File::from(pty.master), child, shown: String::new(), read: 0 }
    }

    /// Waits until `question` is shown and keys are waited for, then types `keys`.
    pub fn press(&mut self, question: &str, keys: &str) {
        while !self.unread().contains(question) {
            assert!(self.more(), "{question:?} was never shown: {}", self.shown);
        }
        self.read = self.shown.len();
        // A key that is pressed before would be shown, or be lost.
        while tcgetattr(&self.hand).unwrap().local_flags.contains(LocalFlags::ECHO) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.shown);
            std::thread::yield_now();
        }
        self.hand.write_all(keys.as_bytes()).unwrap();
    }

    /// Answers a question and presses Enter.
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.press(question, &format!("{answer}\r"));
    }

    /// Reads until nothing is left, and tells how it ended.
    pub fn end(&mut self) -> ExitStatus {
        while self.more() {}
        self.child.wait().unwrap()
    }

    fn unread(&self) -> &str {
        &self.shown[self.read..]
    }

    /// False once nobody is at the other end. Whoever says nothing for long waits for another answer than the test's.
    fn more(&mut self) -> bool {
        let mut hand = [PollFd::new(self.hand.as_fd(), PollFlags::POLLIN)];
        let is_heard = poll(&mut hand, PollTimeout::from(PATIENCE_MS)).unwrap() > 0;
        assert!(is_heard, "nothing more was said: {}", self.shown);
        let mut part = [0; 4096];
        let read = self.hand.read(&mut part).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&part[..read]));
        read > 0
    }
}
