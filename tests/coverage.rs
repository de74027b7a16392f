//! Every section of the guide that this book ports has its page and its
//! program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::BOOK;

/// Section of the guide, page, program.
const SECTIONS: [(&str, &str, &str); 18] = [
    ("1.1 Basic async/await", "core-patterns/fetch-json", "fetch_json"),
    ("1.2 Concurrent execution", "core-patterns/run-many", "run_many"),
    ("1.3 Async context managers", "core-patterns/async-with", "async_with"),
    (
        "1.4 Async iterators and generators",
        "core-patterns/async-iterators",
        "async_iterators",
    ),
    ("2.1 Thread pool executor", "advanced-patterns/threads", "threads"),
    ("2.2 Async queue", "advanced-patterns/queue", "queue"),
    ("2.3 Async caching", "advanced-patterns/cache", "cache"),
    ("3.1 FastAPI endpoints", "web/endpoints", "endpoints"),
    ("3.2 Database operations", "web/database", "database"),
    ("4.1 Test patterns", "testing/async-tests", "async_tests"),
    ("5.1 Async or sync", "performance/async-or-sync", "async_or_sync"),
    ("5.2 Memory", "performance/flat-memory", "flat_memory"),
    ("6.1 Error handling", "best-practices/errors", "errors"),
    ("6.2 Resource management", "best-practices/resources", "resources"),
    ("6.3 Cancellation", "best-practices/cancellation", "cancellation"),
    (
        "7.1 Blocking the loop",
        "pitfalls/blocking-the-runtime",
        "blocking_the_runtime",
    ),
    ("7.2 Forgotten await", "pitfalls/forgotten-await", "forgotten_await"),
    (
        "7.3 Exceptions in gather",
        "pitfalls/errors-in-a-join",
        "errors_in_a_join",
    ),
];

#[test]
fn every_section_of_the_guide_has_its_page_and_program() {
    let mut pages = BTreeSet::new();
    for (section, path, program) in SECTIONS {
        let path = PathBuf::from(path).with_extension("md");
        let page = BOOK.pages.iter().find(|page| page.path == path);
        let page = page.unwrap_or_else(|| panic!("{section}: no {path:?}"));
        let shows = page.blocks.iter().any(|block| {
            let stem = block.file().and_then(Path::file_stem);
            block.kind.is_rust() && stem.is_some_and(|stem| stem == program)
        });
        assert!(shows, "{section}: {path:?} does not show {program}");
        pages.insert(path);
    }
    assert_eq!(pages.len(), SECTIONS.len(), "a page stands for two sections");
}
