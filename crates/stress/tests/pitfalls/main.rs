//! Stress tests of the chapter "pitfalls", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod blocking_the_runtime;
#[allow(dead_code)]
mod errors_in_a_join;
