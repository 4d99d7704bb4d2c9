//! One thread that owns one blocking thing, and a way for async rooms to give it work. The database and the vault live so:
//! one owner, no lock, callers queue. It must not know what it owns.

use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A handle to the thread that owns a `T`. The thread ends, and drops the `T`, when the last handle is gone.
pub struct OnThread<T> {
    jobs: mpsc::Sender<Job<T>>,
    died: CancellationToken,
}

impl<T> Clone for OnThread<T> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone(), died: self.died.clone() }
    }
}

/// The thread is gone: it panicked. The daemon cannot go on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an inner thread of the daemon has died; restart the daemon")]
pub struct Gone;

impl<T: Send + 'static> OnThread<T> {
    /// Moves `owned` to a new thread named `name`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(name: &str, mut owned: T) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job<T>>();
        let died = CancellationToken::new();
        let ends = died.clone().drop_guard();
        thread::Builder::new().name(name.into()).spawn(move || {
            let _ends = ends; // when this is dropped the thread ends, by a panic too
            while let Ok(job) = queue.recv() {
                job(&mut owned);
            }
        })?;
        Ok(Self { jobs, died })
    }

    /// Runs `work` on the owning thread, after all that was given before. Once given, the work runs to its end even if the
    /// caller stops waiting.
    ///
    /// # Errors
    /// [`Gone`] when the thread has died.
    pub async fn call<R: Send + 'static>(&self, work: impl FnOnce(&mut T) -> R + Send + 'static) -> Result<R, Gone> {
        let (done, answer) = oneshot::channel();
        let job: Job<T> = Box::new(move |owned| {
            let _ = done.send(work(owned));
        });
        self.jobs.send(job).map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }

    /// Waits until the thread has died.
    pub async fn died(&self) -> Gone {
        self.died.cancelled().await;
        Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_in_order_and_survives_its_caller() {
        let list = OnThread::start("list", Vec::new()).unwrap();
        drop(list.call(|list: &mut Vec<u32>| list.push(1))); // never polled: never given
        let given = list.call(|list| list.push(2));
        tokio::pin!(given);
        let _ = futures_util::FutureExt::now_or_never(&mut given); // given, then no longer waited for
        assert_eq!(list.call(|list| list.clone()).await, Ok(vec![2]));
    }

    #[tokio::test]
    async fn a_dead_thread_is_told() {
        let broken = OnThread::start("broken", ()).unwrap();
        let told = broken.clone();
        let told = tokio::spawn(async move { told.died().await });
        assert_eq!(broken.call(|()| ()).await, Ok(()));
        assert!(!told.is_finished());
        assert_eq!(broken.call(|()| panic!("on purpose")).await, Err::<(), _>(Gone));
        assert_eq!(broken.call(|()| ()).await, Err(Gone));
        assert_eq!(told.await.unwrap(), Gone);
    }
}
