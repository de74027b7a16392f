//! Stress tests of the chapter "core patterns", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod async_iterators;
#[allow(dead_code)]
mod async_with;
#[allow(dead_code)]
mod fetch_json;
#[allow(dead_code)]
mod run_many;
#[allow(dead_code)]
mod run_many_tasks;
mod work;
