//! Stress tests of the chapter "time", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod broadcast;
#[allow(dead_code)]
mod deadlocks;
#[allow(dead_code)]
mod delay_queue;
#[allow(dead_code)]
mod failing_service;
#[allow(dead_code)]
mod hedged_requests;
#[allow(dead_code)]
mod http_client;
#[allow(dead_code)]
mod periodic;
#[allow(dead_code)]
mod queues;
#[allow(dead_code)]
mod rate_limit;
#[allow(dead_code)]
mod refresh_token;
#[allow(dead_code)]
mod retry;
#[allow(dead_code)]
mod select_loop;
#[allow(dead_code)]
mod set_up_once;
#[allow(dead_code)]
mod shield;
#[allow(dead_code)]
mod shutdown;
#[allow(dead_code)]
mod timeouts;
