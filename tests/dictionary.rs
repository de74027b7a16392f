//! The dictionary covers what real code uses of each package.

use dictionary::Dictionary;

use crate::BOOK;

/// The least share of uses, in per cent. Each has 80 % of the names at least.
const LEAST: [(&str, usize); 14] = [
    ("asyncio", 98),
    ("contextvars", 98),
    ("contextlib", 98),
    ("concurrent", 98),
    ("fastapi", 95),
    ("starlette", 95),
    ("uvicorn", 95),
    ("httpx", 95),
    ("anyio", 95),
    ("tenacity", 95),
    ("sqlalchemy", 90),
    ("redis", 90),
    ("websockets", 90),
    ("asyncpg", 90),
];

#[test]
fn the_dictionary_covers_what_real_code_uses() {
    let dictionary = Dictionary::read(&BOOK.root);
    let dictionary = dictionary.expect("the dictionary is in order");
    let usage = include_str!("usage.tsv");
    let coverage = dictionary.coverage(usage).expect("name, tab, number");
    let mut too_few = Vec::new();
    for (package, least) in LEAST {
        let of = &coverage[package];
        println!(
            "{package}: {} of {} uses, {} of {} names",
            of.uses, of.of_uses, of.names, of.of_names
        );
        assert!(of.of_uses > 0, "no use of {package} is counted");
        if 100 * of.uses < least * of.of_uses || 5 * of.names < 4 * of.of_names
        {
            too_few.push(format!("{package} lacks {}", of.lacking.join(", ")));
        }
    }
    assert!(too_few.is_empty(), "{}", too_few.join("\n"));
}
