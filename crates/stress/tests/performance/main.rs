//! Stress tests of the chapter "performance", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod async_or_sync;
#[allow(dead_code)]
mod byte_budget;
#[allow(dead_code)]
mod flat_memory;
