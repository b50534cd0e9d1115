//! Traces for a collector of OpenTelemetry, in builds with the feature `otel`: what is set is what the OpenTelemetry specification calls its
//! variables (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>), and nothing is sent without an address.

#[cfg(feature = "otel")]
pub(super) use with::{Traces, layer};
#[cfg(not(feature = "otel"))]
pub(super) use without::{Traces, layer};

use crate::config::secret::read_env;

/// The variables that say where traces go; without either of them there are none.
const ADDRESSES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Whether traces are asked for.
fn are_asked_for() -> bool {
    let is_off = find_variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    !is_off && ADDRESSES.into_iter().any(|name| find_variable(name).is_some())
}

fn find_variable(name: &str) -> Option<String> {
    read_env(name).filter(|value| !value.is_empty())
}

#[cfg(feature = "otel")]
mod with {
    use std::time::Duration;

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry::{Key, KeyValue};
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::level_filters::LevelFilter;
    use tracing::{Level, Metadata, Subscriber};
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::registry::LookupSpan;

    use crate::app::VERSION;

    /// What is not with the collector by then is lost: a stop waits no longer.
    const LAST_WORDS: Duration = Duration::from_secs(5);
    /// Our own crates; what others trace may hold addresses with names of the business in them.
    const OURS: [&str; 3] = ["connector", "clients", "store"];

    /// Sends what is left when it is dropped.
    pub(in crate::cli) struct Traces(Option<SdkTracerProvider>);

    impl Drop for Traces {
        fn drop(&mut self) {
            let Some(provider) = self.0.take() else { return };
            if let Err(error) = provider.shutdown_with_timeout(LAST_WORDS) {
                tracing::warn!(%error, "the last traces were not sent");
            }
        }
    }

    /// What turns spans into traces, if they are asked for, or why it cannot.
    pub(in crate::cli) fn layer<S>() -> (Option<impl Layer<S>>, Traces, Option<String>)
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        if !super::are_asked_for() {
            return (None, Traces(None), None);
        }
        let exporter = match SpanExporter::builder().with_http().build() {
            Ok(exporter) => exporter,
            Err(error) => return (None, Traces(None), Some(format!("no traces are sent: {error}"))),
        };
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        // Spans alone: what is logged within them may quote what the other side said.
        let ours = |metadata: &Metadata<'_>| {
            metadata.is_span() && *metadata.level() <= Level::DEBUG && is_ours(metadata.target())
        };
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("ml-connector"))
            .with_threads(false)
            .with_filter(filter_fn(ours).with_max_level_hint(LevelFilter::DEBUG));
        (Some(layer), Traces(Some(provider)), None)
    }

    fn is_ours(target: &str) -> bool {
        OURS.into_iter().any(|ours| target.split("::").next() == Some(ours))
    }

    /// Who sends: as the variables say, and with our name if they say none.
    fn resource() -> Resource {
        let version = KeyValue::new("service.version", VERSION);
        let said = Resource::builder().with_attribute(version.clone()).build();
        let name = said.get(&Key::from_static_str("service.name"));
        if name.is_some_and(|name| !name.as_str().starts_with("unknown_service")) {
            return said;
        }
        Resource::builder().with_attribute(version).with_service_name("ml-connector").build()
    }
}

#[cfg(not(feature = "otel"))]
mod without {
    use tracing_subscriber::layer::Identity;

    /// There are none in this build.
    pub(in crate::cli) struct Traces;

    /// Why there are no traces, if they are asked for.
    pub(in crate::cli) fn layer() -> (Option<Identity>, Traces, Option<String>) {
        const WHY: &str = "no traces are sent: this build is without the feature otel";
        (None, Traces, super::are_asked_for().then(|| WHY.to_owned()))
    }
}
