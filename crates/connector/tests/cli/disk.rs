//! The disk under the database is full or fails, or another program holds the database for long: nothing is sent whose intent is
//! not on the disk, what went wrong is said, and the work goes on by itself once it can.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use connector::agreement::check;
use rstest::rstest;
use sandbox::Options;
use sqlx::{AnyConnection, Connection as _};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use crate::kill::{accounted_for, ready};
use crate::setting::{Setting, said};

const RECORDS: usize = 200;

#[rstest]
#[case::full("full", "is full: free space")]
#[case::failing("failing", "fails: look into the system's log")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_nothing_stops_the_work_before_anything_is_sent(#[case] fault: &str, #[case] words: &str) {
    let mut running = Running::start().await;
    std::fs::write(running.word(), fault).unwrap();
    assert_contains(&running.failure().await, words);
    let sent = documents(&running.setting);
    running.failure().await;
    assert_eq!(documents(&running.setting), sent, "nothing is sent while nothing can be written");
    std::fs::remove_file(running.word()).unwrap();
    running.goes_on_and_ends(sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_program_holds_for_long_stops_the_work_before_anything_is_sent() {
    let mut running = Running::start().await;
    sqlx::any::install_default_drivers();
    let path = running.setting.folder.path().join("ml-connector.db");
    let mut other = AnyConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 60000").execute(&mut other).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let sent = documents(&running.setting);
    assert_contains(&running.failure().await, "is busy: another process holds it for too long");
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM intents").fetch_one(&mut other).await.unwrap();
    let made = documents(&running.setting);
    assert!(made <= usize::try_from(kept).unwrap(), "{made} documents, and {kept} intents");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    running.goes_on_and_ends(sent).await;
}

/// The real process in the middle of its work, on a disk that can be made a bad one.
struct Running {
    setting: Setting,
    child: Child,
    told: Lines<BufReader<ChildStderr>>,
}

impl Running {
    async fn start() -> Self {
        let setting = Setting::make(Options { records: RECORDS, bc_latency_ms: 10, ..Options::default() }).await;
        let mut command = tokio::process::Command::from(setting.command(&["run", "--log", "error"]));
        command.env("LD_PRELOAD", bad_disk(&setting)).env("BAD_DISK", setting.folder.path().join("disk"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let told = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut running = Self { setting, child, told };
        running.has_made(20).await;
        running
    }

    /// What says how the disk is.
    fn word(&self) -> PathBuf {
        self.setting.folder.path().join("disk")
    }

    /// Waits until there are so many documents, while the process lives.
    async fn has_made(&mut self, least: usize) {
        for _ in 0..30_000 {
            if documents(&self.setting) >= least {
                return;
            }
            if let Ok(ended) = tokio::time::timeout(Duration::from_millis(1), self.child.wait()).await {
                panic!("it ended by itself: {ended:?}");
            }
        }
        panic!("it does not come to {least} documents");
    }

    /// What it says the next time that it cannot write.
    async fn failure(&mut self) -> String {
        let line = async {
            loop {
                let line = self.told.next_line().await.unwrap().unwrap();
                if line.contains("the store failed") {
                    return line;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), line).await.unwrap()
    }

    /// It goes on by itself; everything is made in the end, once.
    async fn goes_on_and_ends(mut self, sent: usize) {
        self.has_made(sent + 6).await;
        self.child.kill().await.unwrap();
        let end = self.setting.run(&["run", "--once", "--log", "error"]).await;
        assert!(end.status.success(), "{}", said(&end));
        let agreement = check(&self.setting.sandbox.world());
        assert!(agreement.holds(), "{agreement:?}");
        assert_eq!(accounted_for(&self.setting.run_json(&["status", "--json"]).await), ready(&self.setting));
        assert!(self.setting.run(&["audit", "verify"]).await.status.success());
    }
}

fn assert_contains(line: &str, words: &str) {
    assert!(line.contains(words), "{line}");
}

fn documents(setting: &Setting) -> usize {
    let agreement = check(&setting.sandbox.world());
    assert_eq!(agreement.duplicates, Vec::<String>::new());
    agreement.invoices + agreement.credit_memos
}

/// What is preloaded, made by the C compiler that SQLite was made with.
fn bad_disk(setting: &Setting) -> PathBuf {
    let made = setting.folder.path().join("bad_disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/bad_disk.c");
    let status =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&made).args([source, "-ldl"]).status().unwrap();
    assert!(status.success());
    made
}
