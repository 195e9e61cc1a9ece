//! Diagnosis on standard error, by `RUST_LOG`; warnings when it is not set.

use tracing_subscriber::EnvFilter;

/// Begins to write traces; a second beginning in the same process is no harm.
pub(crate) fn begin() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let begun =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    // Another subscriber of the process keeps its place.
    drop(begun);
}
