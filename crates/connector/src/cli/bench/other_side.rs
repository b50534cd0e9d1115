//! The sandbox and the floor client in processes of their own, from the side of the benchmark that started them.

use std::process::Stdio;

use reqwest::{Client, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::super::{Exit, Failure};
use super::floor::{Done, Job};
use super::part::{Ask, Outcome, Progress, read};
use super::usage::Usage;

/// A part of the benchmark that runs.
struct Part {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Part {
    fn start(arguments: &[String]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--log", "error", "bench-part"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (to, from) = (child.stdin.take().ok_or_else(gone)?, child.stdout.take().ok_or_else(gone)?);
        Ok(Self { child, to, from: BufReader::new(from).lines() })
    }

    async fn tell(&mut self, what: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(what).map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        Ok(self.to.write_all(format!("{line}\n").as_bytes()).await?)
    }

    async fn hear<T: for<'d> Deserialize<'d>>(&mut self) -> Result<T, Failure> {
        read(&self.from.next_line().await?.ok_or_else(gone)?)
    }

    fn usage(&self) -> Result<Usage, Failure> {
        Usage::of(self.child.id().ok_or_else(gone)?)
    }
}

fn gone() -> Failure {
    Failure::new(Exit::Unexpected, "a part of the benchmark ended early")
}

/// The sandbox.
pub(super) struct OtherSide {
    part: Part,
    http: Client,
    /// Where everything is.
    pub(super) ready: Value,
}

impl OtherSide {
    pub(super) async fn start(vendors: usize, limits: bool) -> Result<Self, Failure> {
        let mut arguments = vec!["sandbox".to_owned(), "--vendors".to_owned(), vendors.to_string()];
        arguments.extend(limits.then(|| "--limits".to_owned()));
        let mut part = Part::start(&arguments)?;
        let ready = part.hear().await?;
        let http = Client::builder().no_proxy().build().map_err(|e| Failure::new(Exit::Unexpected, e.to_string()))?;
        Ok(Self { part, http, ready })
    }

    /// Puts records in and forgets what was asked before.
    pub(super) async fn insert(&mut self, prefix: &str, number: usize) -> Result<(), Failure> {
        self.part.tell(&Ask::Insert { prefix: prefix.to_owned(), number }).await?;
        self.part.hear::<Value>().await.map(drop)
    }

    pub(super) async fn progress(&mut self, prefix: &str) -> Result<Progress, Failure> {
        self.part.tell(&Ask::Progress { prefix: prefix.to_owned() }).await?;
        self.part.hear().await
    }

    pub(super) async fn outcome(&mut self, prefix: &str) -> Result<Outcome, Failure> {
        self.part.tell(&Ask::Outcome { prefix: prefix.to_owned() }).await?;
        self.part.hear().await
    }

    /// Asks the control port.
    pub(super) async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let base = self.ready.pointer("/control/base_url").and_then(Value::as_str).unwrap_or_default();
        let request = self.http.request(method, format!("{base}/_sandbox/{path}"));
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let failed = |why: String| Failure::new(Exit::Unexpected, format!("the sandbox refuses {path}: {why}"));
        let response = request.send().await.map_err(|error| failed(error.to_string()))?;
        let (status, text) = (response.status(), response.text().await.unwrap_or_default());
        if !status.is_success() {
            return Err(failed(format!("{status} {text}")));
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Lets the floor client do the same job, and says what it used.
    pub(super) async fn floor(&mut self, prefix: &str, records: usize) -> Result<(Done, Usage), Failure> {
        self.insert(prefix, records).await?;
        let mut part = Part::start(&["floor".to_owned()])?;
        part.tell(&Job { ready: self.ready.clone(), prefix: prefix.to_owned() }).await?;
        let done: Done = part.hear().await?;
        let usage = part.usage()?;
        if done.records == records {
            Ok((done, usage))
        } else {
            Err(Failure::new(Exit::Unexpected, format!("the floor client saw {} records of {records}", done.records)))
        }
    }

    /// From now on each request of Business Central is refused as too many, or not.
    pub(super) async fn storm(&self, on: bool) -> Result<(), Failure> {
        let limits = if on {
            json!({ "requests_per_window": 0, "retry_after_seconds": 1 })
        } else {
            json!({ "requests_per_window": super::pass::PER_WINDOW, "retry_after_seconds": null })
        };
        self.control(Method::PATCH, "bc/settings", Some(json!({ "limits": limits }))).await.map(drop)
    }
}
