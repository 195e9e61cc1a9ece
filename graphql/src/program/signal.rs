//! The wish to stop, as a future: ctrl-c everywhere, and SIGTERM where there is one.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Begins to listen, and returns a future that ends once the process is asked to stop. Whoever
/// asks after this call is heard, even before the future is first polled: so it is called before
/// anybody learns that the process is there.
#[cfg(unix)]
pub(crate) fn stop() -> impl Future<Output = ()> + Send + 'static {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        tokio::select! {
            () = asked(interrupt) => {}
            () = asked(terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn asked(heard: std::io::Result<Signal>) {
    match heard {
        Ok(mut heard) => {
            heard.recv().await;
        }
        // Without a handler nobody can ask; the server then runs until it is killed.
        Err(_) => std::future::pending().await,
    }
}

/// Returns a future that ends once the process is asked to stop.
#[cfg(not(unix))]
pub(crate) fn stop() -> impl Future<Output = ()> + Send + 'static {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
