//! What a process has used so far, as the kernel counts it.

use std::ops::Add;

use serde::Serialize;

use super::super::{Exit, Failure};

/// Clock ticks of `/proc/PID/stat` per second: a constant of Linux towards programs, whatever the kernel itself runs at.
const TICKS: u64 = 100;

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Usage {
    /// Processor time, in user and kernel mode.
    pub(super) cpu_ms: u64,
    /// Largest memory so far.
    pub(super) peak_rss_kb: u64,
    /// Memory now.
    pub(super) rss_kb: u64,
    /// Bytes that went to the disk.
    pub(super) written_bytes: u64,
}

impl Usage {
    /// Of a process that runs.
    pub(super) fn of(pid: u32) -> Result<Self, Failure> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).map_err(|e| Failure::new(Exit::Unexpected, format!("{path}: {e}")))
        };
        let (stat, status, io) = (read("stat")?, read("status")?, read("io")?);
        // The name in parentheses may hold anything; user and kernel time are the twelfth and thirteenth field behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        Ok(Self {
            cpu_ms: (ticks(11) + ticks(12)) * 1_000 / TICKS,
            peak_rss_kb: number(&status, "VmHWM:"),
            rss_kb: number(&status, "VmRSS:"),
            written_bytes: number(&io, "write_bytes:"),
        })
    }

    /// What was used since `before`; the memory as it is now.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.saturating_sub(before.cpu_ms),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
            ..self
        }
    }
}

/// Of processes that followed each other.
impl Add for Usage {
    type Output = Self;

    fn add(self, next: Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms + next.cpu_ms,
            peak_rss_kb: self.peak_rss_kb.max(next.peak_rss_kb),
            rss_kb: next.rss_kb,
            written_bytes: self.written_bytes + next.written_bytes,
        }
    }
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Usage;

    #[test]
    fn this_process_uses_memory() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_kb > 0 && usage.peak_rss_kb >= usage.rss_kb);
    }
}
