//! Two timeouts, one within the other, that have the same deadline.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// On one thread it is the outer one.
#[test]
fn either_is_heard_when_the_inner_one_is_a_task() {
    stress::rounds(|_| async {
        let (mut inner, mut outer) = (false, false);
        while !(inner && outer) {
            let deadline = Instant::now() + Duration::from_millis(2);
            let task = async {
                tokio::spawn(timeout_at(deadline, pending::<()>())).await
            };
            match timeout_at(deadline, task).await {
                Ok(_) => inner = true,
                Err(_) => outer = true,
            }
        }
    });
}
