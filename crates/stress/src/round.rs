//! What a round chooses by its seed.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::timeout;

/// A round of a test: its seed, and the choices that follow from it.
pub struct Round {
    pub seed: u64,
    pub rng: Rng,
}

impl Round {
    pub(crate) fn new(seed: u64) -> Self {
        Round { seed, rng: Rng::with_seed(seed) }
    }

    /// Choices of its own for a task that runs beside this one.
    pub fn fork(&mut self) -> Self {
        Round { seed: self.seed, rng: self.rng.fork() }
    }

    pub fn choice<T, const N: usize>(&mut self, among: [T; N]) -> T {
        self.rng.choice(among).expect("at least one")
    }

    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        let share = self.rng.f64();
        range.start + (range.end - range.start).mul_f64(share)
    }

    /// Awaits a future, and drops it at some await: after a few polls, perhaps
    /// none, or after a time below `within`. `None` if it was dropped.
    pub async fn cancel<F: Future>(
        &mut self,
        within: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut polls =
            if self.rng.bool() { self.rng.usize(..16) } else { usize::MAX };
        let time = self.duration(Duration::ZERO..within);
        let mut future = pin!(future);
        let few_polls = poll_fn(move |cx| {
            if polls == 0 {
                return Poll::Ready(None);
            }
            polls -= 1;
            match future.as_mut().poll(cx) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending if polls == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        timeout(time, few_polls).await.ok().flatten()
    }
}
