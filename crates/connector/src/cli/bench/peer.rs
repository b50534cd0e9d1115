//! Another program at the same job: the sandbox is started, the program is told where it is, and what it comes to is measured as for
//! the connector. `bench/peers/` has such programs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::super::{Exit, Failure};
use super::other_side::OtherSide;
use super::pass::{LOOK_EVERY_MS, PATIENCE_MS, PREFIX, per, per_second, round, seconds};
use super::usage::Usage;
use super::{BenchArgs, real_time};

pub(super) async fn run(args: &BenchArgs) -> Result<Value, Failure> {
    let Some(program) = &args.peer else {
        return Err(Failure::new(Exit::Usage, "--profile peer needs --peer PROGRAM"));
    };
    let mut other = OtherSide::start(60, false).await?;
    other.insert(PREFIX, args.records).await?;
    let scratch = scratch()?;
    let mut child = start(program, &scratch, &other.ready, args.records)?;
    // A process that has ended has no number any more, and what it started may live on.
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
    let watched = watch(&mut other, &mut child, args.records).await;
    end(&mut child, group).await?;
    let used = watched?;
    let outcome = other.outcome(PREFIX).await?;
    let requests = |side: &str| outcome.counted(side, "requests");
    let programs: BTreeMap<&String, Value> = used
        .iter()
        .map(|(name, usage)| {
            let cpu = round(per(usage.cpu_ms, args.records));
            (name, json!({ "cpu_ms_per_record": cpu, "peak_rss_mb": usage.peak_rss_kb / 1_024 }))
        })
        .collect();
    Ok(json!({
        "peer": program.display().to_string(),
        "records": args.records,
        "seconds": round(seconds(&outcome)),
        "records_per_second": round(per_second(outcome.right, &outcome)),
        "programs": programs,
        "requests_per_record": {
            "bc": round(per(requests("bc"), args.records)), "brex": round(per(requests("brex"), args.records)),
        },
        "most_at_once_bc": outcome.counted("bc", "most_at_once"),
        "documents": outcome.documents,
        "right": outcome.right,
        "lost": outcome.lost,
        "duplicates": outcome.duplicates,
        "wrong": outcome.wrong,
    }))
}

/// Beside the program, so that it is a disk whose writes count, and not a memory.
fn scratch() -> Result<TempDir, Failure> {
    let program = std::env::current_exe()?;
    Ok(tempfile::Builder::new().prefix("peer-").tempdir_in(program.parent().unwrap_or(Path::new(".")))?)
}

fn start(program: &Path, scratch: &TempDir, ready: &Value, records: usize) -> Result<Child, Failure> {
    let state = scratch.path().join("state");
    std::fs::create_dir(&state)?;
    let file = scratch.path().join("ready.json");
    std::fs::write(&file, ready.to_string())?;
    let mut command = Command::new(program);
    command.env("BENCH_READY", file).env("BENCH_SCRATCH", state);
    command.env("BENCH_PREFIX", PREFIX).env("BENCH_RECORDS", records.to_string());
    command.stdin(Stdio::null()).stdout(std::io::stderr()).process_group(0).kill_on_drop(true);
    command.spawn().map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", program.display())))
}

/// Waits until every record is exported, or nothing moves any more. What each program used since the first request.
async fn watch(other: &mut OtherSide, child: &mut Child, records: usize) -> Result<BTreeMap<String, Usage>, Failure> {
    let Some(root) = child.id() else { return Ok(BTreeMap::new()) };
    let mut before = BTreeMap::new();
    let mut latest = BTreeMap::new();
    let (mut last, mut moved) = ((0, 0), real_time::now());
    loop {
        real_time::pause(LOOK_EVERY_MS).await;
        let progress = other.progress(PREFIX).await?;
        if progress.has_begun {
            // One that has ended keeps what it was seen to use last.
            latest.extend(descendants(root));
        } else {
            before = descendants(root);
            latest.clone_from(&before);
        }
        if (progress.made, progress.exported) != last {
            (last, moved) = ((progress.made, progress.exported), real_time::now());
        }
        let is_stuck = moved.elapsed().as_millis() > u128::from(PATIENCE_MS);
        let has_ended = child.try_wait()?.is_some();
        if progress.exported >= records || is_stuck || has_ended {
            return Ok(by_program(&before, latest));
        }
    }
}

/// Processes by their number, with the name of the program.
type Processes = BTreeMap<u32, (String, Usage)>;

/// A process and all that it started, however deep. What runs in another process group or session is found by its parents.
fn descendants(root: u32) -> Processes {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parents.insert(pid, parent.unwrap_or(0));
    }
    let is_below = |mut pid: u32| {
        for _ in 0..64 {
            if pid == root {
                return true;
            }
            match parents.get(&pid) {
                Some(parent) if *parent > 1 => pid = *parent,
                _ => return false,
            }
        }
        false
    };
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    let below = parents.keys().copied().filter(|pid| is_below(*pid));
    below.filter_map(|pid| Some((pid, (name(pid), Usage::of(pid).ok()?)))).collect()
}

/// What the processes of each program used together.
fn by_program(before: &Processes, latest: Processes) -> BTreeMap<String, Usage> {
    let mut programs: BTreeMap<String, Usage> = BTreeMap::new();
    for (pid, (name, usage)) in latest {
        let earlier = before.get(&pid).map_or(0, |(_, usage)| usage.cpu_ms);
        let program = programs.entry(name).or_default();
        program.cpu_ms += usage.cpu_ms.saturating_sub(earlier);
        program.peak_rss_kb += usage.peak_rss_kb;
    }
    programs
}

async fn end(child: &mut Child, group: Option<Pid>) -> Result<(), Failure> {
    if let Some(group) = group {
        // Gently first, so that a database beside it can end; whoever does not is gone with the group.
        let _ = killpg(group, Signal::SIGTERM);
        for _ in 0..40 {
            if child.try_wait()?.is_some() {
                break;
            }
            real_time::pause(LOOK_EVERY_MS).await;
        }
        let _ = killpg(group, Signal::SIGKILL);
    }
    child.wait().await?;
    Ok(())
}
