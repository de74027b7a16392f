//! `Rates`, measured: a map of shared futures.

use std::future::Future;
use std::sync::Mutex;

use anyhow::Result;

use super::Rates;
use crate::HOUR;
use crate::once::{Key, Once};

pub fn flights<F>(compute: fn(Key) -> F, capacity: usize) -> impl Once
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    let flights = Mutex::default();
    let rates = Rates { flights, time_to_live: HOUR, capacity };
    Flights { rates, compute }
}

struct Flights<F> {
    rates: Rates,
    compute: fn(Key) -> F,
}

impl<F> Once for Flights<F>
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    async fn value(&self, key: Key) -> Option<f64> {
        self.rates.get(key, (self.compute)(key)).await.ok()
    }
}
