//! Stress tests of the chapter "performance", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod byte_budget;
#[allow(dead_code)]
mod flat_memory;
