#!/usr/bin/env bash
# What it costs to check the book: cold, warm, after one edit, by kind of check,
# and by block against rustdoc, which merges the blocks of a file into one
# program: the whole book's, or a page's, as `mdbook test` does it. Writes
# guard.txt beside this file, on a clone in a temporary folder; a quarter of an
# hour on two cores. Needs what README.md lists; run it when the machine does
# nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
results=$PWD/benches/guard.txt
git clone --quiet . "$folder/book"
if [ -d .venv ]; then ln -s "$PWD/.venv" "$folder/book/.venv"; fi
cd "$folder/book"
unset CI RUST_BACKTRACE SKEPTIC_FRESH CARGO_TARGET_DIR RUSTFLAGS
export LC_ALL=C # a point in $EPOCHREALTIME

# Seconds of wall time, in `seconds`. What is printed goes to a log.
measure() {
    local start=$EPOCHREALTIME
    "$@" > "$folder/log" 2>&1 || { tail -40 "$folder/log" >&2; exit 1; }
    seconds=$(python3 -c "print(f'{$EPOCHREALTIME - $start:.2f}')")
}
by() { python3 -c "print(f'{$1 / $2:.2f}')"; }
say() { echo "$@" | tee -a "$folder/results"; }
row() { say "$(printf '%-44s %8s %8s' "$@")"; }

processor=$(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)
version() { sed -n "/^name = \"$1\"/{n;s/.*\"\(.*\)\"/\1/p}" Cargo.lock; }
say "$(nproc) cores of $processor, $(date +%F)"
say "$(rustc --version | cut -d ' ' -f 1,2)," \
    "mdbook-driver $(version mdbook-driver), skeptic $(version skeptic)"
say

cargo fetch --quiet --locked
# Whatever the packages of the workspace need, and nothing of their own.
cat > "$folder/none" << 'NONE'
#!/bin/sh
case "$*" in *-vV* | *"--crate-name ___"*) exec "$@" ;; esac
exit 1
NONE
chmod +x "$folder/none"
dependencies() {
    RUSTC_WORKSPACE_WRAPPER=$folder/none \
        cargo build --bins --examples --tests --keep-going || true
    test "$(find target/debug/deps -name '*.rlib' | wc -l)" -gt 100
}

row "the whole book" seconds ratio
measure dependencies
dependencies=$seconds
row "its dependencies alone" "$dependencies" 1.00
measure cargo test
cold=$(python3 -c "print(f'{$dependencies + $seconds:.2f}')")
row "all of it, cold, with them" "$cold" "$(by "$cold" "$dependencies")"
measure cargo test
measure cargo test
row "nothing changed" "$seconds" "$(by "$seconds" "$dependencies")"
# The second of two: the first one also fills the compiler's caches.
for program in run-many/run_many async-with/async_with; do
    # On the same line: theme/parts.js counts them.
    sed -i 's/^async fn main.*/& \/\/ A word more./' \
        snippets/core-patterns/$program.rs
    measure cargo test
done
row "one snippet edited" "$seconds" "$(by "$seconds" "$dependencies")"
git checkout --quiet snippets
measure cargo test --no-run

# The checks by kind; and the same blocks all three ways: those that compile,
# and need no server.
made=(target/debug/build/book-*/out/book-checks.json)
test ${#made[@]} = 1
python3 - "${made[0]}" "$folder" << 'SPLIT'
import json, pathlib, sys

made, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
kinds = {}
for name, check in json.loads(made.read_text())["checks"].items():
    ((kind, what),) = check["what"].items()
    # Neither a server nor files beside a program fit into what rustdoc merges.
    if kind == "Program" and (check["service"] or check["beside"]):
        continue
    kinds.setdefault(kind, []).append(name)
for kind, names in kinds.items():
    (folder / kind).write_text("".join(f"book::{name}\n" for name in names))

mark = "#![deny(warnings)] "
pages = {}
for page in (made.parent / "blocks").glob("*/*.md"):
    text = page.read_text()
    if f"{page.stem}_line_{text.index('```') + 1}" in kinds["Program"]:
        pages.setdefault(page.stem, []).append(text.replace(mark, "").strip())
count = sum(map(len, pages.values()))
assert count == len(kinds["Program"]) > 50, (count, len(kinds["Program"]))
(folder / "pages").mkdir()
for page, blocks in pages.items():
    (folder / "pages" / f"{page}.md").write_text("\n\n".join(blocks))
blocks = [block for page in pages.values() for block in page]
(folder / "all.md").write_text("\n\n".join(blocks))
SPLIT
# skeptic's cache stays: what it has compiled is only run.
checks() { SKEPTIC_FRESH=1 cargo test --test checks -- --exact "${chosen[@]}"; }
report() { row "$1" "$seconds" "$(by "$seconds" "${#chosen[@]}")"; }

say
row "of that, by kind" seconds each
while read -r kind what; do
    mapfile -t chosen < "$folder/$kind"
    measure checks
    report "${#chosen[@]} $what"
done << 'KINDS'
Output outputs, each program run twice
Picture timelines, compiled and run twice
Python Python programs
Error messages of the compiler
KINDS

# What `mdbook test` has to be told: with `-L` alone it finds no crate.
mapfile -t externs < <(cargo build --examples --message-format=json \
    2> "$folder/log" | python3 -c '
import json, sys
for line in sys.stdin:
    found = json.loads(line)
    for file in found.get("filenames") or []:
        if file.endswith((".rlib", ".so")) and "target" in found:
            print("--extern", found["target"]["name"].replace("-", "_")
                  + "=" + file, sep="\n")')

test ${#externs[@]} -gt 30

edition=$(sed -n 's/^edition = "\(.*\)"/\1/p' book.toml)
merged() {
    local file
    for file; do
        rustdoc "$file" --test -L target/debug/deps "${externs[@]}" \
            --edition "$edition"
    done
}

mapfile -t chosen < "$folder/Program"
say
row "${#chosen[@]} blocks" seconds "a block"
measure merged "$folder/all.md"
report "rustdoc, merged, each time"
measure merged "$folder"/pages/*.md
report "rustdoc, a page at a time, each time"
rm -r target/debug/.skeptic-bin
measure checks
report "skeptic, compiled and run"
measure checks
report "skeptic, run again"
cp "$folder/results" "$results"
