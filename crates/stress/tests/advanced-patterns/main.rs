//! Stress tests of the chapter "advanced patterns", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod cache;
#[allow(dead_code)]
mod queue;
#[allow(dead_code)]
mod single_flight;
#[allow(dead_code)]
mod threads;
