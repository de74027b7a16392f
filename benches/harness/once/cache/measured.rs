//! `Memo`, measured: a cache of moka's.

use std::future::Future;

use anyhow::Result;

use super::Memo;
use crate::HOUR;
use crate::once::{Key, Once};

pub fn memo<F>(compute: fn(Key) -> F, capacity: usize) -> impl Once
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    Memo::new(compute, capacity as u64, HOUR)
}

impl<F> Once for Memo<Key, f64, fn(Key) -> F>
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    async fn value(&self, key: Key) -> Option<f64> {
        self.get(&key).await.ok()
    }
}
