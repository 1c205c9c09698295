//! The threads that serve connections: a connection stays on one, and has it alone as long as there are enough.
//!
//! The system shares the cores among threads, so that where clients or queries want them too, each connection goes on in
//! its turn. A few threads that share all connections hold up what they took on whenever one of them loses its core: the
//! slowest answers then take several times as long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// With more connections, threads have several.
const MOST: usize = 32;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Threads, which are started as they are needed.
pub(super) struct Threads {
    started: Vec<Thread>,
}

struct Thread {
    work: UnboundedSender<Work>,
    /// Each of its connections holds one.
    connections: Arc<()>,
    handle: JoinHandle<()>,
}

impl Threads {
    /// Starts the first one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { started: vec![Thread::start()?] })
    }

    /// Serves a connection on the thread that has fewest.
    ///
    /// # Errors
    /// When the connection cannot be handed over.
    pub(super) fn take<F>(
        &mut self,
        stream: TcpStream,
        serve: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = stream.into_std()?;
        let thread = self.freest();
        let connection = Arc::clone(&thread.connections);
        let work = async move {
            // From here on, the thread's own runtime watches it.
            match TcpStream::from_std(stream) {
                Ok(stream) => serve(stream).await,
                Err(error) => tracing::warn!(%error, "a connection could not be served"),
            }
            drop(connection);
        };
        thread.work.send(Box::pin(work)).map_err(|_| io::Error::other("a thread has ended"))
    }

    fn freest(&mut self) -> &Thread {
        let has_free = self.started.iter().any(|thread| thread.load() == 0);
        if !has_free && self.started.len() < MOST {
            match Thread::start() {
                Ok(thread) => self.started.push(thread),
                Err(error) => {
                    tracing::warn!(%error, "no thread could be started: connections share those there are");
                }
            }
        }
        self.started.iter().min_by_key(|thread| thread.load()).expect("there is one from the start")
    }

    /// Ends connections, and waits for what must not be broken off.
    pub(super) async fn end(self) {
        let handles: Vec<_> = self.started.into_iter().map(|thread| thread.handle).collect();
        let joined = tokio::task::spawn_blocking(|| handles.into_iter().for_each(|handle| drop(handle.join())));
        let _ = joined.await;
    }
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (work, receiver) = unbounded_channel();
        let handle =
            std::thread::Builder::new().name("connections".to_owned()).spawn(move || go_on(&runtime, receiver))?;
        Ok(Self { work, connections: Arc::default(), handle })
    }

    fn load(&self) -> usize {
        Arc::strong_count(&self.connections) - 1
    }
}

/// Does what comes until nothing comes any more. Work that blocks is waited for when the runtime is dropped.
fn go_on(runtime: &Runtime, mut receiver: UnboundedReceiver<Work>) {
    runtime.block_on(async {
        while let Some(work) = receiver.recv().await {
            tokio::spawn(work);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Mutex;
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    /// So many connections are served at once; the threads that serve them.
    async fn threads_of(threads: &mut Threads, connections: usize) -> HashSet<std::thread::ThreadId> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        for _ in 0..connections {
            let (client, accepted) =
                tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
            client.unwrap();
            let (seen, gate, done) = (Arc::clone(&seen), Arc::clone(&gate), Arc::clone(&done));
            let serve = async move |_stream: TcpStream| {
                seen.lock().unwrap().insert(std::thread::current().id());
                let _ = gate.acquire().await;
                done.add_permits(1);
            };
            threads.take(accepted.unwrap().0, serve).unwrap();
        }
        gate.add_permits(connections);
        drop(done.acquire_many(u32::try_from(connections).unwrap()).await);
        seen.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn connections_at_once_have_threads_of_their_own_as_far_as_there_are() {
        let mut threads = Threads::new().unwrap();
        assert_eq!(threads_of(&mut threads, 5).await.len(), 5);
        assert_eq!(threads_of(&mut threads, 2 * MOST).await.len(), MOST);
        assert_eq!(threads.started.len(), MOST);
        threads.end().await;
    }

    #[tokio::test]
    async fn a_thread_is_used_again() {
        let mut threads = Threads::new().unwrap();
        for _ in 0..10 {
            threads_of(&mut threads, 1).await;
            while threads.started[0].load() > 0 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(threads.started.len(), 1);
        threads.end().await;
    }
}
