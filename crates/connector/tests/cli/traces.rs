//! Traces as a collector of OpenTelemetry gets them.

use crate::setting::Setting;
use sandbox::Options;

#[cfg(not(feature = "otel"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_without_traces_says_so_when_they_are_asked_for() {
    let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
    let mut command = setting.command(&["config", "check"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(crate::setting::said(&output).contains("no traces are sent: this build is without the feature otel"));
}

#[cfg(feature = "otel")]
mod with {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;
    use std::process::Stdio;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message as _;

    use super::{Options, Setting};
    use crate::ports;

    /// What came, as it came.
    type Came = Arc<Mutex<Vec<Bytes>>>;

    async fn collector() -> (SocketAddr, Came) {
        let came = Came::default();
        let kept = Arc::clone(&came);
        let keep = move |body: Bytes| {
            kept.lock().unwrap().push(body);
            std::future::ready(Bytes::new())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(keep));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (address, came)
    }

    fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
        let text = |value: &Value| match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        let pair = |pair: &KeyValue| {
            let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
            (pair.key.clone(), value.map(text).unwrap_or_default())
        };
        attributes.iter().map(pair).collect()
    }

    /// Who sent, and every span.
    fn read(came: &Came) -> (BTreeMap<String, String>, Vec<Span>) {
        let (mut who, mut spans) = (BTreeMap::new(), Vec::new());
        for body in came.lock().unwrap().iter() {
            for resource in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
                who.extend(texts(&resource.resource.unwrap().attributes));
                spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        (who, spans)
    }

    fn holds(span: &Span, name: &str, value: &str) -> bool {
        texts(&span.attributes).get(name).is_some_and(|found| found == value)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_way_of_a_record_can_be_followed_and_no_secret_is_sent_along() {
        let setting = Setting::make(Options { records: 5, ..Options::default() }).await;
        let (address, came) = collector().await;
        let mut command = tokio::process::Command::from(setting.command(&["run"]));
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")).env("OTEL_BSP_SCHEDULE_DELAY", "50");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let is_told = |span: &Span| span.name == "http.call" && holds(span, "operation", "report_export_results");
        while !read(&came).1.iter().any(is_told) {
            tokio::task::yield_now().await;
            assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        }
        kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
        assert_eq!(child.wait_with_output().await.unwrap().status.code(), Some(0));

        let (who, spans) = read(&came);
        assert_eq!(who["service.name"], "ml-connector");
        assert!(who.contains_key("service.version"));
        let find = |name: &str, key: &str, value: &str| {
            spans
                .iter()
                .find(|span| span.name == name && holds(span, key, value))
                .unwrap_or_else(|| panic!("{name} {value}"))
        };
        find("worker.job", "kind", "poll");
        for stage in ["resolve_vendor", "verify", "mark_exported"] {
            assert!(holds(find("flow.stage", "stage", stage), "connection", "main"));
        }
        let create = spans.iter().find(|span| span.name == "flow.draft.create").unwrap();
        assert!(!texts(&create.attributes)["record.id"].is_empty());
        let calls = spans.iter().filter(|span| span.parent_span_id == create.span_id);
        let calls: Vec<_> = calls.map(|span| (span.name.as_str(), texts(&span.attributes))).collect();
        let [("http.call", call)] = &*calls else { panic!("{calls:?}") };
        assert_eq!((&*call["system"], &*call["status"]), ("business central", "201"));

        let ready = setting.sandbox.ready();
        for body in came.lock().unwrap().iter() {
            let text = String::from_utf8_lossy(body);
            assert!(!text.contains(&*ready.brex.token) && !text.contains(&*ready.entra.client_secret));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_is_not_there_is_told_and_changes_nothing() {
        let setting = Setting::make(Options { records: 1, ..Options::default() }).await;
        let (_kept, refusing) = ports::closed();
        let mut command = setting.command(&["doctor"]);
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{refusing}/v1/traces"));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let plain = setting.run(&["doctor"]).await;
        assert_eq!(output.status.code(), plain.status.code());
        let said = crate::setting::said(&output);
        assert!(said.contains("BatchSpanProcessor.ExportError") && said.contains("network error"), "{said}");
    }
}
