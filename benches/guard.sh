#!/usr/bin/env bash
# What it costs to check the book: cold, warm, after one edit, and by block
# against `rustdoc --test`, which merges the blocks into one program.
# On a clone in a temporary folder; about fifteen minutes on two cores. Needs
# what README.md lists; run it when the machine does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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
row() { printf '%-44s %8s %8s\n' "$@"; }

cargo fetch --quiet --locked
# Every crate that the packages of the workspace name, and what those need.
mapfile -t names < <(cargo metadata --format-version=1 | python3 -c '
import json, sys
found = json.load(sys.stdin)
members = set(found["workspace_members"])
nodes = [n for n in found["resolve"]["nodes"] if n["id"] in members]
used = {d["pkg"] for n in nodes for d in n["deps"]} - members
print(*(f"-p{name}" for name in sorted(used)), sep="\n")')

test ${#names[@]} -gt 30

row "the whole book" seconds ratio
measure cargo build "${names[@]}"
dependencies=$seconds
row "its dependencies alone" "$dependencies" 1.00
measure cargo test
cold=$(python3 -c "print(f'{$dependencies + $seconds:.2f}')")
row "cargo test, cold, with them" "$cold" "$(by "$cold" "$dependencies")"
measure cargo test
measure cargo test
row "nothing changed" "$seconds" "$(by "$seconds" "$dependencies")"
# The second of two: the first one also fills the compiler's caches.
for program in run_many async_with; do
    sed -i 's/^async fn main/\/\/ One line more.\n&/' \
        snippets/core-patterns/$program.rs
    measure cargo test
done
row "one snippet edited" "$seconds" "$(by "$seconds" "$dependencies")"
git checkout --quiet snippets
measure cargo test --no-run

# The same blocks both ways: those that compile, and need no server.
tests=$(ls -t target/debug/build/async-cookbook-*/out/book-tests.rs | head -n 1)
python3 - "$tests" "$folder" << 'SPLIT'
import pathlib, re, sys

tests, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ours = re.findall(r"fn (\w+)\(\) \{ ::mdbook_skeptic::rt::program\(",
                  tests.read_text())
mark = "#![deny(warnings)] "
programs = {}
for page in sorted((tests.parent / "blocks").glob("*/*.md")):
    text = page.read_text()
    programs[f"{page.stem}_line_{text.index('```') + 1}"] = text
blocks = [programs[name] for name in ours if name in programs]
assert len(blocks) == len(ours) > 50, (len(blocks), len(ours))
(folder / "all.md").write_text("\n".join(b.replace(mark, "") for b in blocks))
(folder / "names").write_text("".join(f"book::{name}\n" for name in ours))
SPLIT
mapfile -t blocks < "$folder/names"
count=${#blocks[@]}
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

echo
row "$count blocks" seconds "a block"
report() { row "$1" "$seconds" "$(by "$seconds" "$count")"; }
merged() {
    rustdoc --test --edition=2024 -L "dependency=target/debug/deps" \
        "${externs[@]}" "$folder/all.md"
}
skeptic() { SKEPTIC_FRESH=1 cargo test --test checks -- --exact "${blocks[@]}"; }
measure merged
report "rustdoc --test, merged, each time"
rm -r target/debug/.skeptic-bin
measure skeptic
report "skeptic, compiled and run"
measure skeptic
report "skeptic, run again"
