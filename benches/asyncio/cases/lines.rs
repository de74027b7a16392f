//! The lines of a file, counted and parsed.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use memchr::memchr_iter;
use tokio::task::spawn_blocking;

/// The size of each buffer, as in the page's programs.
const CAPACITY: usize = 256 * 1024;

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod flat_memory {
    include!("../../../snippets/performance/flat-memory/flat_memory.rs");

    /// `count_lines`, measured.
    pub mod measured {
        use super::{BufReader, File, count_lines};
        use crate::cases::lines::CAPACITY;

        pub async fn count(path: &str) -> anyhow::Result<u64> {
            let file = File::open(path).await?;
            let file = BufReader::with_capacity(CAPACITY, file);
            Ok(count_lines(file).await?)
        }
    }
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod flat_memory_lines {
    include!("../../../snippets/performance/flat-memory/flat_memory_lines.rs");

    /// `revenue`, measured.
    pub mod measured {
        use super::{BufReader, File, revenue};
        use crate::cases::lines::CAPACITY;

        pub async fn total(path: &str) -> anyhow::Result<u64> {
            let file = File::open(path).await?;
            revenue(BufReader::with_capacity(CAPACITY, file)).await
        }
    }
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod flat_memory_thread {
    include!("../../../snippets/performance/flat-memory/flat_memory_thread.rs");

    /// `revenue` in a thread, measured.
    pub mod measured {
        use super::{File, revenue};

        pub async fn total(path: &str) -> anyhow::Result<u64> {
            revenue(File::open(path)?).await
        }
    }
}

/// Reads the lines of a file, of which there are `count`.
pub async fn lines(way: &str, path: &str, count: u64) -> Result<Duration> {
    /// The price at the end of each line, in cents.
    const PRICE: u64 = 2_499;
    let own = path.to_owned();
    let start = Instant::now();
    let (result, each) = match way {
        "count_lines" => (flat_memory::measured::count(path).await?, 1),
        "count_in_thread" => {
            (spawn_blocking(move || count_in_thread(&own)).await??, 1)
        }
        "read_alone" => (spawn_blocking(move || read_alone(&own)).await??, 1),
        "revenue" => (flat_memory_lines::measured::total(path).await?, PRICE),
        "revenue_in_thread" => {
            (flat_memory_thread::measured::total(path).await?, PRICE)
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(result == each * count);
    Ok(time)
}

/// As the page's `count_lines`, but in one thread.
fn count_in_thread(path: &str) -> io::Result<u64> {
    let mut input = BufReader::with_capacity(CAPACITY, File::open(path)?);
    let (mut lines, mut goes_on) = (0, false);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(lines + u64::from(goes_on));
        }
        lines += memchr_iter(b'\n', chunk).count() as u64;
        goes_on = !chunk.ends_with(b"\n");
        let length = chunk.len();
        input.consume(length);
    }
}

/// Reads the file without looking at it: counting cannot be faster.
fn read_alone(path: &str) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut buffer, mut bytes) = (vec![0; CAPACITY], 0);
    loop {
        match file.read(black_box(&mut buffer))? {
            0 => return Ok(bytes / 100),
            length => bytes += length as u64,
        }
    }
}
