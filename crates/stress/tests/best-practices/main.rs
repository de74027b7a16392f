//! Stress tests of the chapter "best practices", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod cancellation;
#[allow(dead_code)]
mod errors;
#[allow(dead_code)]
mod errors_report;
#[allow(dead_code)]
mod resources;
