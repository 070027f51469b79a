//! Where logs go, and in which form. No line holds a resident's data; a call's lines carry its request id.

use std::io::IsTerminal as _;

#[cfg(feature = "otel")]
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use crate::observe::Observe;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Sends what is still to be sent when it is dropped.
#[must_use]
pub struct Logs {
    #[cfg(feature = "otel")]
    traces: Option<SdkTracerProvider>,
}

/// Has the process log to standard error, at the level that `RUST_LOG` says or else `info`, and send traces where
/// `observe` says. With an endpoint it wants a runtime around it, which must outlive what it gives.
///
/// # Errors
/// What is wrong with the endpoint, for the operator.
///
/// # Panics
/// If it is called twice.
pub fn begin(format: LogFormat, observe: Option<&Observe>) -> Result<Logs, String> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let subscriber = Registry::default().with(lines);
    let endpoint = observe.and_then(|observe| observe.otlp_endpoint.as_deref());
    #[cfg(feature = "otel")]
    if let Some(endpoint) = endpoint {
        let traces = traces::to(endpoint)?;
        install(subscriber.with(traces::layer(&traces)));
        let traces = Some(traces);
        return Ok(Logs { traces });
    }
    // Without the feature an endpoint is a wrong configuration.
    let _ = endpoint;
    install(subscriber);
    Ok(Logs {
        #[cfg(feature = "otel")]
        traces: None,
    })
}

/// Not `init()`, which would also take what `log` records: sled writes some while a thread's locals are destroyed, where
/// the subscriber is gone already, and the process would abort.
fn install(subscriber: impl tracing::Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("nothing was set before");
}

#[cfg(feature = "otel")]
impl Drop for Logs {
    fn drop(&mut self) {
        let ended = self.traces.as_ref().map(SdkTracerProvider::shutdown);
        if let Some(Err(error)) = ended {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Traces of calls to an OpenTelemetry collector.
#[cfg(feature = "otel")]
mod traces {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Subscriber;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::registry::LookupSpan;

    /// Where the spans of calls are made. Nothing else is sent: what a library says is not known to be free of data.
    const SPANS: &str = "federation::observe";

    pub(super) fn to(endpoint: &str) -> Result<SdkTracerProvider, String> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .map_err(|error| format!("observe.otlp_endpoint: {error}"))?;
        let resource = Resource::builder_empty()
            .with_service_name("viridian-node")
            .build();
        Ok(SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build())
    }

    pub(super) fn layer<S>(traces: &SdkTracerProvider) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("viridian"))
            // How long a call was worked on, rather than how long it took, depends on the record.
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(SPANS, LevelFilter::DEBUG))
    }
}
