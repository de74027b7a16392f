//! tokio, with `sleep` a thousand times as fast, for a program that has its
//! durations in its code: `use ::stress::fast as tokio;` before its `include!`.

pub use tokio::*;

pub mod time {
    pub use tokio::time::*;

    pub fn sleep(duration: std::time::Duration) -> Sleep {
        tokio::time::sleep(duration / 1000)
    }
}
