//! Files: their lines, read and written.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use memchr::memchr_iter;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::task::spawn_blocking;

use super::piece;

/// The size of each buffer.
const CAPACITY: usize = 256 * 1024;

/// Writes lines of 100 bytes.
pub fn write_orders(path: &Path, mb: usize) -> Result<()> {
    let orders = format!("7;{:92};2499\n", "lamp").repeat(10_000);
    ensure!(orders.len() == 1_000_000);
    let mut file = File::create(path)?;
    for _ in 0..mb {
        file.write_all(orders.as_bytes())?;
    }
    Ok(file.sync_all()?)
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod flat_memory {
    include!("../../snippets/performance/flat-memory/flat_memory.rs");

    pub async fn total(path: &str) -> anyhow::Result<u64> {
        let path = path.to_owned();
        let mut blocks = Blocks::read(|| File::open(path), 64 * KIB, 4);
        let mut cents = 0;
        while let Some(block) = blocks.next().await? {
            for order in block.lines() {
                cents += super::price(order)?;
            }
        }
        Ok(cents)
    }
}

/// The price at the end of a line, in cents.
fn price(order: &str) -> Result<u64> {
    let price = order.rsplit(';').next().and_then(|it| it.parse().ok());
    price.with_context(|| format!("price of {order}"))
}

/// Reads the lines of a file, each of 100 bytes.
pub async fn lines(way: &str, path: &str) -> Result<(f64, u64)> {
    let count = fs::metadata(path)?.len() / 100;
    piece(count, || lines_once(way, path, count)).await
}

async fn lines_once(way: &str, path: &str, count: u64) -> Result<Duration> {
    /// The price at the end of each line, in cents.
    const PRICE: u64 = 2_499;
    let own = path.to_owned();
    let start = Instant::now();
    let (result, each) = match way {
        "count_lines" => (count_lines(path).await?, 1),
        "count_in_thread" => {
            (spawn_blocking(move || count_in_thread(&own)).await??, 1)
        }
        "read_alone" => (spawn_blocking(move || read_alone(&own)).await??, 1),
        "next_line" => (next_line(path).await?, PRICE),
        "blocks" => (flat_memory::total(path).await?, PRICE),
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(result == each * count);
    Ok(time)
}

async fn open(path: &str) -> io::Result<tokio::io::BufReader<tokio::fs::File>> {
    let file = tokio::fs::File::open(path).await?;
    Ok(tokio::io::BufReader::with_capacity(CAPACITY, file))
}

async fn next_line(path: &str) -> Result<u64> {
    let mut lines = open(path).await?.lines();
    let mut cents = 0;
    while let Some(order) = lines.next_line().await? {
        cents += price(&order)?;
    }
    Ok(cents)
}

async fn count_lines(path: &str) -> io::Result<u64> {
    let mut input = open(path).await?;
    let (mut lines, mut goes_on) = (0, false);
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(lines + u64::from(goes_on));
        }
        lines += memchr_iter(b'\n', chunk).count() as u64;
        goes_on = !chunk.ends_with(b"\n");
        let length = chunk.len();
        input.consume(length);
    }
}

/// As `count_lines`, but in one thread.
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

/// A line of 100 bytes, which ends with a newline.
fn order(n: u64) -> String {
    format!("{n:08};{:90}\n", "lamp")
}

fn sum(text: &str) -> u64 {
    text.lines().map(id).sum()
}

fn id(order: &str) -> u64 {
    order.split(';').next().and_then(|n| n.parse().ok()).expect("an order")
}

/// Reads a file of so many lines, in a folder.
pub async fn read(way: &str, count: u64, folder: &str) -> Result<(f64, u64)> {
    let file = &Path::new(folder).join("orders");
    let orders: String = (0..count).map(order).collect();
    fs::write(file, orders)?;
    piece(count, || async move {
        let start = Instant::now();
        let own = file.clone();
        let total = match way {
            "whole_in_thread" => {
                let read = move || fs::read_to_string(own);
                Ok(sum(&spawn_blocking(read).await??))
            }
            "lines_8_in_thread" | "lines_256_in_thread" => {
                let room = if way == "lines_8_in_thread" { 8 } else { 256 };
                spawn_blocking(move || {
                    let input = fs::File::open(own)?;
                    let mut input = BufReader::with_capacity(room << 10, input);
                    let (mut order, mut total) = (String::new(), 0);
                    while input.read_line(&mut order)? > 0 {
                        total += id(&order);
                        order.clear();
                    }
                    Ok(total)
                })
                .await?
            }
            "whole" => Ok(sum(&tokio::fs::read_to_string(file).await?)),
            "lines_8" | "lines_256" => {
                let room = if way == "lines_8" { 8 } else { 256 };
                let input = tokio::fs::File::open(file).await?;
                let input =
                    tokio::io::BufReader::with_capacity(room << 10, input);
                let (mut lines, mut total) = (input.lines(), 0);
                while let Some(order) = lines.next_line().await? {
                    total += id(&order);
                }
                Ok(total)
            }
            "in_place" => Ok(sum(&fs::read_to_string(file)?)),
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        let total: io::Result<u64> = total;
        ensure!(total? == count * (count - 1) / 2);
        Ok(time)
    })
    .await
}

/// Writes a file of so many lines, into a folder.
pub async fn written(
    way: &str,
    count: u64,
    folder: &str,
) -> Result<(f64, u64)> {
    let file = &Path::new(folder).join("orders");
    let orders: Arc<[String]> = (0..count).map(order).collect();
    let expected = &orders.concat();
    let orders = &orders;
    piece(count, || async move {
        let (own, lines) = (file.clone(), Arc::clone(orders));
        let start = Instant::now();
        match way {
            "whole_in_thread" => {
                let write = move || fs::write(own, lines.concat());
                spawn_blocking(write).await??;
            }
            "lines_8_in_thread" | "lines_256_in_thread" => {
                let room = if way == "lines_8_in_thread" { 8 } else { 256 };
                spawn_blocking(move || {
                    let output = fs::File::create(own)?;
                    let mut output =
                        BufWriter::with_capacity(room << 10, output);
                    for line in &*lines {
                        output.write_all(line.as_bytes())?;
                    }
                    output.flush()
                })
                .await??;
            }
            "whole" => tokio::fs::write(file, lines.concat()).await?,
            "lines_8" | "lines_256" => {
                let room = if way == "lines_8" { 8 } else { 256 };
                let output = tokio::fs::File::create(file).await?;
                let mut output =
                    tokio::io::BufWriter::with_capacity(room << 10, output);
                for line in &*lines {
                    output.write_all(line.as_bytes()).await?;
                }
                output.flush().await?;
            }
            "lines" => {
                let mut output = tokio::fs::File::create(file).await?;
                for line in &*lines {
                    output.write_all(line.as_bytes()).await?;
                }
                output.flush().await?;
            }
            _ => bail!("no way {way}"),
        }
        let time = start.elapsed();
        ensure!(fs::read_to_string(file)? == *expected);
        Ok(time)
    })
    .await
}
