//! The cases, and the ways that each of them compares.

use figures::asyncio::{Bars, Memory};

/// A case before it is measured.
pub struct Plan {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub bars: Bars,
    pub memory: Memory,
    pub needs: Need,
    /// An argument for each way, before the one that the need gives.
    pub argument: &'static str,
    pub ways: &'static [(&'static str, Side)],
}

/// What must be there while a case is measured.
#[derive(Clone, Copy, PartialEq)]
pub enum Need {
    Nothing,
    /// A file of 1 GB in lines of 100 bytes.
    File,
    /// An HTTP server, for ways that are clients.
    Courier,
    /// An HTTP client that sends as many requests as it can, for ways that are
    /// servers.
    Load,
    /// A SQLite database with a table of rows.
    Sqlite,
    /// A PostgreSQL server with a table of rows.
    Postgres,
}

/// The command that runs a way.
#[derive(Clone, Copy)]
pub enum Side {
    /// A script in `python`, the event loop, and the script's name of the way.
    Python(&'static str, &'static str, &'static str),
    /// The runtime's threads, a case of `cases.rs`, and its name of the way.
    Rust(&'static str, &'static str, &'static str),
    /// As in `Rust`, for a way that leaves out the work: no way can be faster.
    Limit(&'static str, &'static str, &'static str),
}
pub use Side::{Limit, Python, Rust};

pub const PLANS: [Plan; 23] = [
    Plan {
        name: "tasks",
        title: "200,000 tasks, spawned and joined",
        unit: "tasks",
        bars: Bars::Speed,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, gather", Python("tasks", "asyncio", "gather")),
            ("asyncio, tasks in a list", Python("tasks", "asyncio", "list")),
            ("uvloop, tasks in a list", Python("tasks", "uvloop", "list")),
            (
                "uvloop, list, rarely collected",
                Python("tasks", "uvloop", "collected_less"),
            ),
            ("JoinSet, one thread", Rust("one", "tasks", "join_set")),
            ("JoinSet, all cores", Rust("all", "tasks", "join_set")),
            ("spawn and a Vec, one thread", Rust("one", "tasks", "spawn")),
            ("spawn and a Vec, all cores", Rust("all", "tasks", "spawn")),
        ],
    },
    Plan {
        name: "tasks-none",
        title: "200,000 calls that wait once, with no need of tasks",
        unit: "calls",
        bars: Bars::Speed,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, gather", Python("tasks", "asyncio", "waits")),
            ("uvloop, gather", Python("tasks", "uvloop", "waits")),
            ("join_all", Rust("one", "tasks", "join_all")),
            ("buffer_unordered(100)", Rust("one", "tasks", "buffer")),
        ],
    },
    Plan {
        name: "sleeping-10k",
        title: "10,000 sleeping tasks",
        unit: "tasks",
        bars: Bars::Memory,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "10000",
        ways: &SLEEPING,
    },
    Plan {
        name: "sleeping-1m",
        title: "1,000,000 sleeping tasks",
        unit: "tasks",
        bars: Bars::Memory,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "1000000",
        ways: &SLEEPING,
    },
    Plan {
        name: "queue-1",
        title: "A queue of 100, one producer, one consumer",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "1",
        ways: &[
            ("asyncio.Queue", Python("queue_items", "asyncio", "")),
            ("uvloop, asyncio.Queue", Python("queue_items", "uvloop", "")),
            (
                "uvloop, put_nowait first",
                Python("queue_items", "uvloop", "nowait"),
            ),
            ("mpsc, one thread", Rust("one", "queue", "mpsc")),
            ("mpsc, all cores", Rust("all", "queue", "mpsc")),
            (
                "async-channel, one thread",
                Rust("one", "queue", "async_channel"),
            ),
            ("async-channel, all cores", Rust("all", "queue", "async_channel")),
        ],
    },
    Plan {
        name: "queue-4",
        title: "A queue of 100, four producers, four consumers",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "4",
        ways: &[
            ("asyncio.Queue", Python("queue_items", "asyncio", "")),
            ("uvloop, asyncio.Queue", Python("queue_items", "uvloop", "")),
            (
                "uvloop, put_nowait first",
                Python("queue_items", "uvloop", "nowait"),
            ),
            ("mpsc in a Mutex, one thread", Rust("one", "queue", "mutex")),
            ("mpsc in a Mutex, all cores", Rust("all", "queue", "mutex")),
            (
                "async-channel, one thread",
                Rust("one", "queue", "async_channel"),
            ),
            ("async-channel, all cores", Rust("all", "queue", "async_channel")),
        ],
    },
    Plan {
        name: "semaphore",
        title: "100,000 calls, 100 at once",
        unit: "calls",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, a permit each",
                Python("semaphore", "asyncio", "permits"),
            ),
            (
                "asyncio, a hundred workers",
                Python("semaphore", "asyncio", "workers"),
            ),
            (
                "uvloop, a hundred workers",
                Python("semaphore", "uvloop", "workers"),
            ),
            (
                "asyncio, all tasks at once",
                Python("semaphore", "asyncio", "tasks"),
            ),
            ("uvloop, a permit each", Python("semaphore", "uvloop", "permits")),
            ("a permit each, one thread", Rust("one", "semaphore", "permits")),
            ("a permit each, all cores", Rust("all", "semaphore", "permits")),
            (
                "all tasks at once, one thread",
                Rust("one", "semaphore", "tasks"),
            ),
            ("buffer_unordered", Rust("one", "semaphore", "buffer")),
        ],
    },
    Plan {
        name: "cancel",
        title: "100,000 sleeping tasks, cancelled",
        unit: "tasks",
        bars: Bars::Speed,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, each awaited", Python("cancel", "asyncio", "each")),
            ("uvloop, each awaited", Python("cancel", "uvloop", "each")),
            ("asyncio, asyncio.wait", Python("cancel", "asyncio", "wait")),
            ("child tokens, one thread", Rust("one", "cancel", "token")),
            ("child tokens, all cores", Rust("all", "cancel", "token")),
            ("abort_all, one thread", Rust("one", "cancel", "abort")),
            ("abort_all, all cores", Rust("all", "cancel", "abort")),
        ],
    },
    Plan {
        name: "cache",
        title: "A known answer, asked for by four tasks",
        unit: "hits",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, a dict and the time",
                Python("cache", "asyncio", "plain"),
            ),
            (
                "asyncio, the page's memoise",
                Python("cache", "asyncio", "memoise"),
            ),
            ("Memo with moka, one thread", Rust("one", "cache", "moka")),
            ("Memo with moka, all cores", Rust("all", "cache", "moka")),
            ("shared flights, one thread", Rust("one", "cache", "flights")),
            ("shared flights, all cores", Rust("all", "cache", "flights")),
        ],
    },
    Plan {
        name: "waiters",
        title: "10,000 who wait for one answer",
        unit: "waiters",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, shielded task", Python("waiters", "asyncio", "shield")),
            ("uvloop, shielded task", Python("waiters", "uvloop", "shield")),
            ("asyncio, a future each", Python("waiters", "asyncio", "futures")),
            ("uvloop, a future each", Python("waiters", "uvloop", "futures")),
            ("shared flights, one thread", Rust("one", "waiters", "flights")),
            ("shared flights, all cores", Rust("all", "waiters", "flights")),
            ("Memo with moka, one thread", Rust("one", "waiters", "moka")),
            ("Memo with moka, all cores", Rust("all", "waiters", "moka")),
            (
                "Memo, join_all in one task",
                Rust("one", "waiters", "moka_join_all"),
            ),
        ],
    },
    Plan {
        name: "stream",
        title: "Items of a stream",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, async generator",
                Python("stream", "asyncio", "generator"),
            ),
            ("unfold", Rust("one", "stream", "unfold")),
            ("stream!", Rust("one", "stream", "macro")),
        ],
    },
    Plan {
        name: "stream-channel",
        title: "Items of a stream that a task of its own makes",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, Queue(100)", Python("stream", "asyncio", "queue")),
            ("uvloop, Queue(100)", Python("stream", "uvloop", "queue")),
            ("channel(100), one thread", Rust("one", "stream", "channel")),
            ("channel(100), all cores", Rust("all", "stream", "channel")),
            ("channel(1), one thread", Rust("one", "stream", "channel-1")),
            ("channel(1), all cores", Rust("all", "stream", "channel-1")),
        ],
    },
    Plan {
        name: "threads",
        title: "Four computations of 5,000,000 steps",
        unit: "steps",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, processes", Python("threads", "asyncio", "processes")),
            ("asyncio, to_thread", Python("threads", "asyncio", "threads")),
            ("rayon's threads", Rust("one", "threads", "rayon")),
            ("spawn_blocking", Rust("one", "threads", "spawn_blocking")),
            ("one after the other", Rust("one", "threads", "serial")),
        ],
    },
    Plan {
        name: "lines",
        title: "The lines of a file of 1 GB, counted",
        unit: "lines",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::File,
        argument: "",
        ways: &[
            ("asyncio, one to_thread", Python("lines", "asyncio", "thread")),
            (
                "asyncio, to_thread each read",
                Python("lines", "asyncio", "chunks"),
            ),
            (
                "uvloop, to_thread each read",
                Python("lines", "uvloop", "chunks"),
            ),
            (
                "tokio::fs, 256 KiB at a time",
                Rust("one", "lines", "count_lines"),
            ),
            ("one spawn_blocking", Rust("one", "lines", "count_in_thread")),
            ("limit: read alone", Limit("one", "lines", "read_alone")),
        ],
    },
    Plan {
        name: "lines-parsed",
        title: "The lines of a file of 1 GB, parsed",
        unit: "lines",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::File,
        argument: "",
        ways: &[
            ("asyncio, one to_thread", Python("lines", "asyncio", "revenue")),
            ("tokio::fs, next_line", Rust("one", "lines", "revenue")),
            ("one spawn_blocking", Rust("one", "lines", "revenue_in_thread")),
        ],
    },
    Plan {
        name: "http",
        title: "JSON over HTTP, 64 requests at once",
        unit: "requests",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Courier,
        argument: "",
        ways: &[
            ("asyncio, aiohttp", Python("http_client", "asyncio", "")),
            ("uvloop, aiohttp", Python("http_client", "uvloop", "")),
            ("reqwest, a stream, one thread", Rust("one", "http", "buffer")),
            ("reqwest, a stream, all cores", Rust("all", "http", "buffer")),
            ("reqwest, tasks, one thread", Rust("one", "http", "tasks")),
            ("reqwest, tasks, all cores", Rust("all", "http", "tasks")),
            ("limit: sockets alone", Limit("one", "http", "sockets")),
        ],
    },
    Plan {
        name: "web",
        title: "An endpoint with JSON, 64 connections",
        unit: "requests",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Load,
        argument: "",
        ways: &[
            ("FastAPI, uvicorn on asyncio", Python("web", "asyncio", "one")),
            ("FastAPI, uvicorn on uvloop", Python("web", "uvloop", "one")),
            (
                "the same, a process a core",
                Python("web", "uvloop", "processes"),
            ),
            ("axum, one thread", Rust("one", "web", "")),
            ("axum, all cores", Rust("all", "web", "")),
        ],
    },
    Plan {
        name: "sqlite-read",
        title: "SQLite: rows found by key, one after the other",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Sqlite,
        argument: "read",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, aiosqlite alone",
                Python("database", "asyncio", "driver"),
            ),
            ("uvloop, aiosqlite alone", Python("database", "uvloop", "driver")),
            ("sqlx", Rust("one", "sqlite", "")),
            ("sqlx, untested", Rust("one", "sqlite", "untested")),
            ("sqlx, one connection", Rust("one", "sqlite", "connection")),
            ("limit: SQLite alone", Limit("one", "sqlite", "alone")),
        ],
    },
    Plan {
        name: "sqlite-insert",
        title: "SQLite: 10,000 rows inserted in one transaction",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Sqlite,
        argument: "insert",
        ways: &[
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, aiosqlite alone",
                Python("database", "asyncio", "driver"),
            ),
            (
                "asyncio, aiosqlite, json_each",
                Python("database", "asyncio", "json"),
            ),
            ("sqlx, push_values", Rust("one", "sqlite", "values")),
            ("sqlx, json_each", Rust("one", "sqlite", "json")),
        ],
    },
    Plan {
        name: "sqlite-each",
        title: "SQLite: 10,000 rows in one transaction, a call for each",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Sqlite,
        argument: "insert",
        ways: &[
            (
                "asyncio, aiosqlite alone",
                Python("database", "asyncio", "one_by_one"),
            ),
            (
                "uvloop, aiosqlite alone",
                Python("database", "uvloop", "one_by_one"),
            ),
            ("sqlx", Rust("one", "sqlite", "one_by_one")),
        ],
    },
    Plan {
        name: "postgres-read",
        title: "PostgreSQL: rows found by key, ten at once",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "read-10",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, asyncpg alone", Python("database", "asyncio", "driver")),
            ("uvloop, asyncpg alone", Python("database", "uvloop", "driver")),
            (
                "asyncio, asyncpg, no reset",
                Python("database", "asyncio", "no_reset"),
            ),
            (
                "uvloop, asyncpg, no reset",
                Python("database", "uvloop", "no_reset"),
            ),
            ("sqlx, one thread", Rust("one", "postgres", "")),
            ("sqlx, all cores", Rust("all", "postgres", "")),
            ("sqlx, untested, one thread", Rust("one", "postgres", "untested")),
            ("sqlx, untested, all cores", Rust("all", "postgres", "untested")),
        ],
    },
    Plan {
        name: "postgres-one",
        title: "PostgreSQL: rows found by key, one after the other",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "read",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, asyncpg alone", Python("database", "asyncio", "driver")),
            ("uvloop, asyncpg alone", Python("database", "uvloop", "driver")),
            (
                "asyncio, asyncpg, no reset",
                Python("database", "asyncio", "no_reset"),
            ),
            (
                "uvloop, asyncpg, no reset",
                Python("database", "uvloop", "no_reset"),
            ),
            ("sqlx, one thread", Rust("one", "postgres", "")),
            ("sqlx, untested, one thread", Rust("one", "postgres", "untested")),
        ],
    },
    Plan {
        name: "postgres-insert",
        title: "PostgreSQL: 10,000 rows inserted in one transaction",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "insert",
        ways: &[
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, asyncpg, executemany",
                Python("database", "asyncio", "driver"),
            ),
            (
                "asyncio, asyncpg, UNNEST",
                Python("database", "asyncio", "unnest"),
            ),
            ("asyncio, asyncpg, COPY", Python("database", "asyncio", "copy")),
            ("uvloop, asyncpg, UNNEST", Python("database", "uvloop", "unnest")),
            ("uvloop, asyncpg, COPY", Python("database", "uvloop", "copy")),
            ("sqlx, UNNEST", Rust("one", "postgres", "unnest")),
            ("sqlx, COPY", Rust("one", "postgres", "copy")),
        ],
    },
];

const SLEEPING: [(&str, Side); 4] = [
    ("asyncio", Python("sleeping", "asyncio", "")),
    ("uvloop", Python("sleeping", "uvloop", "")),
    ("tokio, one thread", Rust("one", "sleeping", "")),
    ("tokio, all cores", Rust("all", "sleeping", "")),
];
