//! The cases, and the ways that each of them compares.

/// A case before it is measured.
pub struct Plan {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub needs: Need,
    /// The name of each size, and the number that a way is passed for it.
    pub sizes: [(&'static str, u64); 3],
    /// The name of each way, the runtime's threads, and the name of the way in
    /// `cases.rs`.
    pub ways: &'static [(&'static str, &'static str, &'static str)],
}

/// What must be there while a case is measured.
#[derive(Clone, Copy, PartialEq)]
pub enum Need {
    Nothing,
    /// A temporary folder.
    Folder,
    /// A PostgreSQL server.
    Postgres,
}

const FUTURES: [(&str, u64); 3] = [
    ("100 futures", 100),
    ("1,000 futures", 1_000),
    ("10,000 futures", 10_000),
];

const FILE: [(&str, u64); 3] =
    [("10 kB", 100), ("100 kB", 1_000), ("1 MB", 10_000)];

const ROWS: [(&str, u64); 3] =
    [("10 rows", 10), ("100 rows", 100), ("1,000 rows", 1_000)];

const COMPUTE: [(&str, u64); 3] = [
    ("10,000 steps", 10_000),
    ("100,000 steps", 100_000),
    ("1,000,000 steps", 1_000_000),
];

pub const PLANS: [Plan; 15] = [
    Plan {
        name: "many",
        title: "Futures that wait once",
        unit: "a future",
        needs: Need::Nothing,
        sizes: FUTURES,
        ways: &[
            ("join_all", "one", "join_all"),
            ("FuturesUnordered", "one", "unordered"),
            ("FuturesOrdered", "one", "ordered"),
            ("buffer_unordered(100)", "one", "buffer_unordered"),
            ("buffered(100)", "one", "buffered"),
            ("JoinSet, one thread", "one", "join_set"),
            ("JoinSet, all cores", "all", "join_set"),
        ],
    },
    Plan {
        name: "many-computing",
        title: "Futures that compute 10,000 steps",
        unit: "a future",
        needs: Need::Nothing,
        sizes: [
            ("10 futures", 10),
            ("100 futures", 100),
            ("1,000 futures", 1_000),
        ],
        ways: &[
            ("join_all", "one", "join_all"),
            ("FuturesUnordered", "one", "unordered"),
            ("FuturesOrdered", "one", "ordered"),
            ("buffer_unordered(100)", "one", "buffer_unordered"),
            ("buffered(100)", "one", "buffered"),
            ("JoinSet, one thread", "one", "join_set"),
            ("JoinSet, all cores", "all", "join_set"),
        ],
    },
    Plan {
        name: "queue-in",
        title: "A queue of 100, one consumer",
        unit: "an item",
        needs: Need::Nothing,
        sizes: [
            ("1 producer", 1),
            ("10 producers", 10),
            ("100 producers", 100),
        ],
        ways: &[
            ("mpsc, one thread", "one", "mpsc"),
            ("mpsc, all cores", "all", "mpsc"),
            ("async-channel, one thread", "one", "async_channel"),
            ("async-channel, all cores", "all", "async_channel"),
            ("flume, one thread", "one", "flume"),
            ("flume, all cores", "all", "flume"),
        ],
    },
    Plan {
        name: "queue-shared",
        title: "A queue of 100, many consumers",
        unit: "an item",
        needs: Need::Nothing,
        sizes: [
            ("1 producer, 1 consumer", 1),
            ("10 producers, 10 consumers", 10),
            ("100 producers, 100 consumers", 100),
        ],
        ways: &[
            ("mpsc in a Mutex, one thread", "one", "mutex"),
            ("mpsc in a Mutex, all cores", "all", "mutex"),
            ("async-channel, one thread", "one", "async_channel"),
            ("async-channel, all cores", "all", "async_channel"),
            ("flume, one thread", "one", "flume"),
            ("flume, all cores", "all", "flume"),
        ],
    },
    Plan {
        name: "news-every",
        title: "Every consumer gets every value",
        unit: "a delivery",
        needs: Need::Nothing,
        sizes: [
            ("1 consumer", 1),
            ("10 consumers", 10),
            ("100 consumers", 100),
        ],
        ways: &[
            ("broadcast, one thread", "one", "broadcast"),
            ("broadcast, all cores", "all", "broadcast"),
            ("an mpsc for each, one thread", "one", "mpsc"),
            ("an mpsc for each, all cores", "all", "mpsc"),
        ],
    },
    Plan {
        name: "news-latest",
        title: "Every consumer has seen the value before the next",
        unit: "a delivery",
        needs: Need::Nothing,
        sizes: [
            ("1 consumer", 1),
            ("10 consumers", 10),
            ("100 consumers", 100),
        ],
        ways: &[
            ("watch, one thread", "one", "watch"),
            ("watch, all cores", "all", "watch"),
            ("broadcast, one thread", "one", "broadcast"),
            ("broadcast, all cores", "all", "broadcast"),
            ("an mpsc for each, one thread", "one", "mpsc"),
            ("an mpsc for each, all cores", "all", "mpsc"),
        ],
    },
    Plan {
        name: "locks",
        title: "Tasks that take a lock for an addition",
        unit: "a turn",
        needs: Need::Nothing,
        sizes: [("1 task", 1), ("10 tasks", 10), ("100 tasks", 100)],
        ways: &[
            ("std, one thread", "one", "std"),
            ("std, all cores", "all", "std"),
            ("parking_lot, one thread", "one", "parking_lot"),
            ("parking_lot, all cores", "all", "parking_lot"),
            ("tokio, one thread", "one", "tokio"),
            ("tokio, all cores", "all", "tokio"),
        ],
    },
    Plan {
        name: "once",
        title: "Tasks that wait for one answer",
        unit: "a task",
        needs: Need::Nothing,
        sizes: [
            ("100 tasks", 100),
            ("1,000 tasks", 1_000),
            ("10,000 tasks", 10_000),
        ],
        ways: &[
            ("shared flights, one thread", "one", "flights"),
            ("shared flights, all cores", "all", "flights"),
            ("moka, one thread", "one", "moka"),
            ("moka, all cores", "all", "moka"),
            ("a OnceCell a key, one thread", "one", "cells"),
            ("a OnceCell a key, all cores", "all", "cells"),
        ],
    },
    Plan {
        name: "once-known",
        title: "Known answers, asked for by four tasks",
        unit: "a hit",
        needs: Need::Nothing,
        sizes: [
            ("100 keys", 100),
            ("1,000 keys", 1_000),
            ("10,000 keys", 10_000),
        ],
        ways: &[
            ("shared flights, one thread", "one", "flights"),
            ("shared flights, all cores", "all", "flights"),
            ("moka, one thread", "one", "moka"),
            ("moka, all cores", "all", "moka"),
            ("a OnceCell a key, one thread", "one", "cells"),
            ("a OnceCell a key, all cores", "all", "cells"),
        ],
    },
    Plan {
        name: "computing-one",
        title: "Computations, one after the other",
        unit: "a call",
        needs: Need::Nothing,
        sizes: COMPUTE,
        ways: &[
            ("in place", "all", "in_place"),
            ("block_in_place", "all", "block_in_place"),
            ("spawn_blocking, one thread", "one", "spawn_blocking"),
            ("spawn_blocking, all cores", "all", "spawn_blocking"),
            ("rayon and oneshot, one thread", "one", "rayon"),
            ("rayon and oneshot, all cores", "all", "rayon"),
        ],
    },
    Plan {
        name: "computing-many",
        title: "64 computations at once",
        unit: "a call",
        needs: Need::Nothing,
        sizes: COMPUTE,
        ways: &[
            ("in place, in one task", "all", "one_task"),
            ("in place, in 64 tasks", "all", "in_place"),
            ("block_in_place, in 64 tasks", "all", "block_in_place"),
            ("spawn_blocking, one thread", "one", "spawn_blocking"),
            ("spawn_blocking, all cores", "all", "spawn_blocking"),
            ("rayon and oneshot, one thread", "one", "rayon"),
            ("rayon and oneshot, all cores", "all", "rayon"),
        ],
    },
    Plan {
        name: "files-read",
        title: "The lines of a file, read",
        unit: "a line",
        needs: Need::Folder,
        sizes: FILE,
        ways: &[
            ("spawn_blocking, whole", "all", "whole_in_thread"),
            ("spawn_blocking, lines, 8 KiB", "all", "lines_8_in_thread"),
            ("spawn_blocking, lines, 256 KiB", "all", "lines_256_in_thread"),
            ("tokio::fs, whole", "all", "whole"),
            ("tokio::fs, lines, 8 KiB", "all", "lines_8"),
            ("tokio::fs, lines, 256 KiB", "all", "lines_256"),
            ("in place, whole", "all", "in_place"),
        ],
    },
    Plan {
        name: "files-written",
        title: "The lines of a file, written",
        unit: "a line",
        needs: Need::Folder,
        sizes: FILE,
        ways: &[
            ("spawn_blocking, whole", "all", "whole_in_thread"),
            ("spawn_blocking, lines, 8 KiB", "all", "lines_8_in_thread"),
            ("spawn_blocking, lines, 256 KiB", "all", "lines_256_in_thread"),
            ("tokio::fs, whole", "all", "whole"),
            ("tokio::fs, lines, 8 KiB", "all", "lines_8"),
            ("tokio::fs, lines, 256 KiB", "all", "lines_256"),
            ("tokio::fs, lines, no buffer", "all", "lines"),
        ],
    },
    Plan {
        name: "rows-postgres",
        title: "PostgreSQL: rows inserted",
        unit: "a row",
        needs: Need::Postgres,
        sizes: ROWS,
        ways: &[
            ("one by one", "one", "alone"),
            ("one by one in a transaction", "one", "one_by_one"),
            ("push_values", "one", "values"),
            ("UNNEST", "one", "unnest"),
            ("COPY", "one", "copy"),
        ],
    },
    Plan {
        name: "rows-sqlite",
        title: "SQLite: rows inserted",
        unit: "a row",
        needs: Need::Folder,
        sizes: ROWS,
        ways: &[
            ("one by one", "one", "alone"),
            ("one by one in a transaction", "one", "one_by_one"),
            ("push_values", "one", "values"),
            ("json_each", "one", "json"),
        ],
    },
];
