//! Connections: so many at once, each with so much time for the head of a request, and a quiet end.

use super::patience::Patient;
use super::threads::Threads;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Connections that are served at once; more wait to be accepted.
const AT_ONCE: usize = 1_024;
/// The time that the head of a request may take.
const HEAD: Duration = Duration::from_secs(15);
/// The time for which a client may take nothing of its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time that answers under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Serves connections until it is told to stop, and the answers under way to their end.
///
/// # Errors
/// When no thread can be started.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut threads = Threads::new()?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let ending = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, as a rule: it passes.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (router, watcher) = (router.clone(), ending.watcher());
        let taken = threads.take(stream, async move |stream| {
            // A client that goes away is no matter of ours.
            let _ = watcher.watch(connection(stream, peer, router)).await;
            drop(place);
        });
        if let Err(error) = taken {
            tracing::warn!(%error, "a connection could not be served");
        }
    }
    let _ = tokio::time::timeout(GRACE, ending.shutdown()).await;
    threads.end().await;
    Ok(())
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> http1::Connection<
    TokioIo<Patient<TcpStream>>,
    impl hyper::service::HttpService<
        Incoming,
        ResBody = axum::body::Body,
        Error = std::convert::Infallible,
        Future: Send,
    >,
> {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream, PATIENCE)), service)
}
