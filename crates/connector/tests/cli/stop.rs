//! A clean stop on SIGTERM in the middle of the work, and a start that goes on from there.

use std::process::Stdio;
use std::time::Duration;

use connector::agreement::check;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Options;
use sandbox::meter::Side;

use crate::setting::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_in_the_middle_of_the_work_ends_cleanly_and_the_next_start_goes_on() {
    let setting = Setting::make(Options { records: 240, bc_latency_ms: 20, ..Options::default() }).await;
    let mut command = tokio::process::Command::from(setting.command(&["run", "--log", "warn"]));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while check(&setting.sandbox.world()).invoices < 10 {
        tokio::task::yield_now().await;
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
    }
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let half_way = check(&setting.sandbox.world());
    assert!(half_way.duplicates.is_empty());
    let brex = setting.sandbox.world().meter.tally(Side::Brex);
    assert_eq!(brex.routes["GET /v2/company"], 1, "the first start asks once who is at either end");

    assert!(setting.run(&["run", "--once", "--log", "warn"]).await.status.success());
    let agreement = check(&setting.sandbox.world());
    assert!(agreement.holds(), "{agreement:?}");
    assert!(agreement.invoices > half_way.invoices, "it was stopped in the middle");
}
