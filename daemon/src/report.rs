//! How long work tells what it is doing, step by step, to whoever waits for it. Rooms say steps; the door turns them into
//! progress notifications. It must never slow the work: steps are dropped when the reader is slow.

use tokio::sync::mpsc;

/// One thing said on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens now, for people.
    pub text: String,
    /// Steps done, where they can be counted.
    pub done: Option<u64>,
    /// Steps in all, as far as known now.
    pub total: Option<u64>,
    /// The dataset being read.
    pub dataset: Option<String>,
}

impl Step {
    /// A step that cannot be counted.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), done: None, total: None, dataset: None }
    }
}

/// Where steps are said.
#[derive(Clone, Debug)]
pub struct Reporter(Option<mpsc::Sender<Step>>);

impl Reporter {
    /// Nobody listens.
    pub fn silent() -> Self {
        Self(None)
    }

    /// A reporter and the end where its steps arrive.
    pub fn channel() -> (Self, mpsc::Receiver<Step>) {
        let (say, heard) = mpsc::channel(32);
        (Self(Some(say)), heard)
    }

    /// Waits until nobody listens any more.
    pub async fn unheard(&self) {
        if let Some(say) = &self.0 {
            say.closed().await;
        }
    }

    /// Says a step; it is dropped if nobody listens or the listener is slow.
    pub fn say(&self, step: Step) {
        if let Some(say) = &self.0 {
            let _ = say.try_send(step);
        }
    }
}
