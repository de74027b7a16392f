//! Stress tests of the chapter "web", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod background_work;
#[allow(dead_code)]
mod database;
#[allow(dead_code)]
mod endpoints;
#[allow(dead_code)]
mod postgres;
