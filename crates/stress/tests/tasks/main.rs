//! Stress tests of the chapter "tasks", a module for each recipe.

#[allow(dead_code)] // a program's own scenario
mod actor;
#[allow(dead_code)]
mod actor_cycles;
#[allow(dead_code)]
mod as_they_finish;
#[allow(dead_code)]
mod async_traits;
#[allow(dead_code)]
mod borrow;
#[allow(dead_code)]
mod cap_concurrency;
#[allow(dead_code)]
mod context;
#[allow(dead_code)]
mod dead_task;
#[allow(dead_code)]
mod first_success;
#[allow(dead_code)]
mod how_a_future_runs;
#[allow(dead_code)]
mod pin;
#[allow(dead_code)]
mod recursion;
#[allow(dead_code)]
mod share_state;
#[allow(dead_code)]
mod stop_leaking;
#[allow(dead_code)]
mod sync_border;
#[allow(dead_code)]
mod task_group;
#[allow(dead_code)]
mod task_group_spawn;
#[allow(dead_code)]
mod tracing_setup;
#[allow(dead_code)]
mod wake;
