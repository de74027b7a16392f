//! Stress tests of the chapter "time", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod broadcast;
mod delay_queue;
#[allow(dead_code)]
mod queues;
mod failing_service;
#[allow(dead_code)]
mod hedged_requests;
mod http_client;
#[allow(dead_code)]
mod retry;
#[allow(dead_code)]
mod select_loop;
#[allow(dead_code)]
mod shield;
mod set_up_once;
#[allow(dead_code)]
mod shutdown;
#[allow(dead_code)]
mod timeouts;
