//! `port`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{End, Running, cookbook};
use crate::{BUILD, this_book, with_command_and};

/// What the plan is made by.
const SOURCES: [&str; 9] = [
    "book/reference/dictionary/asyncio.toml",
    "crates/dictionary/src/lib.rs",
    "crates/port/Cargo.lock",
    "crates/port/src/book.rs",
    "crates/port/src/format.rs",
    "crates/port/src/main.rs",
    "crates/port/src/plan.rs",
    "crates/port/src/python.rs",
    "crates/port/src/scan.rs",
];

/// A service in Python: its files.
fn service(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        let parent = path.parent().expect("below the folder");
        fs::create_dir_all(parent).expect("a folder of this test");
        fs::write(path, text).expect("a file of this test");
    }
    folder
}

fn port(folder: &Path, arguments: &[&str]) -> End {
    let mut command = cookbook(&["port"]);
    command.args(arguments).arg(folder).current_dir(this_book());
    Running::start(&mut command).end(BUILD)
}

/// What a command that has failed prints about that.
fn error_of(end: &End) -> &str {
    assert_eq!(end.status.code(), Some(1), "{}", end.stderr);
    assert_eq!(end.stdout, "");
    &end.stderr
}

fn plan(folder: &Path) -> Value {
    let end = port(folder, &["--format", "json", "--where"]);
    assert!(end.status.success(), "{}", end.stderr);
    serde_json::from_str(&end.stdout).expect("the plan is JSON")
}

/// The names of a list of the plan, with their uses and places.
fn names(plan: &Value, list: &str) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let names = plan[list].as_array().expect("a list").iter();
    let names = names.map(|name| {
        let places = name["places"].as_array().into_iter().flatten();
        (text(&name["python"]), places.map(text).collect())
    });
    names.collect()
}

fn place(name: &str, places: &[&str]) -> (String, Vec<String>) {
    (name.into(), places.iter().map(|it| it.to_string()).collect())
}

#[test]
fn port_finds_names_by_every_kind_of_import() {
    with_command_and(&SOURCES, || {
        let folder = service(&[
            ("app/__init__.py", ""),
            ("app/compat.py", "from asyncio import timeout as limit\n"),
            (
                "app/jobs.py",
                "import asyncio as aio\nfrom asyncio import (\n    gather,\n    \
                 Queue as Q,\n)\nfrom .compat import limit\nfrom app import \
                 compat\n\nasync def main(queue):\n    async with limit(1):\n        \
                 await gather(aio.sleep(1))\n    async with compat.limit(2):\n        \
                 await aio.Queue.join(Q())\n",
            ),
            ("app/all.py", "from asyncio import *\nrun(print)\n"),
            (
                "app/hidden.py",
                "import asyncio\n\ndef run(asyncio):\n    asyncio.run(1)\n\n\
                 class Job:\n    def asyncio(self):\n        self.asyncio.run(1)\n",
            ),
        ]);
        let mut found = names(&plan(folder.path()), "names");
        found.sort();
        assert_eq!(
            found,
            [
                place("asyncio.Queue", &["app/jobs.py:13"]),
                place("asyncio.Queue.join", &["app/jobs.py:13"]),
                place("asyncio.gather", &["app/jobs.py:11"]),
                place("asyncio.run", &["app/all.py:2"]),
                place("asyncio.sleep", &["app/jobs.py:11"]),
                place("asyncio.timeout", &["app/jobs.py:10", "app/jobs.py:12"]),
            ]
        );
    });
}

/// What a name means depends on the function, the folder and the order.
#[test]
fn port_finds_what_a_name_means() {
    with_command_and(&SOURCES, || {
        let folder = service(&[
            (
                "service.py",
                "import asyncio\nfrom asyncio import timeout\n\
                 def f(asyncio: asyncio.Lock, n=asyncio.Event()) -> asyncio.Task:\n    \
                 asyncio.run(1)\n\n\
                 def g():\n    from queue import Queue\n    Queue()\n\n\
                 def h():\n    from asyncio import Queue\n    Queue()\n\n\
                 class Job:\n    timeout = 1\n    def run(self):\n        \
                 timeout(1)\n",
            ),
            ("a/utils.py", "from asyncio import sleep as wait\n"),
            ("a/main.py", "from utils import wait\nwait(1)\n"),
            ("b/utils.py", "from time import sleep as wait\n"),
            ("b/main.py", "from utils import wait\nwait(1)\n"),
            ("redis.py", "def own(): pass\n"),
            ("cache.py", "import redis\nredis.own()\n"),
        ]);
        let plan = plan(folder.path());
        let mut found = names(&plan, "names");
        found.sort();
        assert_eq!(
            found,
            [
                place("asyncio.Event", &["service.py:3"]),
                place("asyncio.Lock", &["service.py:3"]),
                place("asyncio.Queue", &["service.py:12"]),
                place("asyncio.Task", &["service.py:3"]),
                place("asyncio.sleep", &["a/main.py:2"]),
                place("asyncio.timeout", &["service.py:17"]),
                place("queue.Queue", &["service.py:8"]),
                place("time.sleep", &["b/main.py:2"]),
            ]
        );
        assert_eq!(names(&plan, "lacking"), []);
    });
}

/// The plan does not depend on the folder in which it is made.
#[test]
fn port_of_a_dot_is_that_of_the_folder() {
    with_command_and(&SOURCES, || {
        let folder = service(&[
            ("app/__init__.py", ""),
            ("app/compat.py", "from asyncio import gather\n"),
            ("app/jobs.py", "from app.compat import gather\ngather()\n"),
        ]);
        let mut command = cookbook(&["port", "--format", "json", "."]);
        command.current_dir(folder.path().join("app"));
        let error = Running::start(&mut command).end(BUILD);
        assert!(error.stderr.contains("no book in"), "{}", error.stderr);
        let app = folder.path().join("app");
        let found = names(&plan(&app.join(".")), "names");
        assert_eq!(found, [place("asyncio.gather", &["jobs.py:2"])]);
    });
}

#[test]
fn port_begins_with_files_that_import_nothing_to_port() {
    with_command_and(&SOURCES, || {
        let uses = "import asyncio\nasyncio.sleep(1)\nasyncio.gather()\n";
        let folder = service(&[
            ("app/__init__.py", ""),
            ("app/leaf.py", uses),
            ("app/plain.py", "import app.leaf\n"),
            ("app/far.py", &format!("from app import plain\n{uses}")),
            ("lib.py", "import numpy\nfrom numpy import array\n"),
        ]);
        let plan = plan(folder.path());
        let first = plan["first"].as_array().expect("a list").iter();
        let first: Vec<_> = first.map(|it| it["file"].as_str()).collect();
        assert_eq!(first, [Some("app/leaf.py")]);
        assert_eq!(plan["unknown"][0]["package"], "numpy");
    });
}

#[test]
fn port_says_what_is_lacking_and_what_has_no_counterpart() {
    with_command_and(&SOURCES, || {
        let folder = service(&[(
            "service.py",
            "import asyncio\nfrom sqlalchemy.orm import relationship\n\
             asyncio.no_such_name\nasyncio.sleep(1)\nrelationship()\n",
        )]);
        let plan = plan(folder.path());
        let lacking = names(&plan, "lacking");
        assert_eq!(lacking, [place("asyncio.no_such_name", &["service.py:3"])]);
        assert_eq!(plan["covered"]["uses"], 2);
        assert_eq!(plan["covered"]["of_uses"], 3);
    });
}

#[test]
fn port_counts_syntax() {
    with_command_and(&SOURCES, || {
        let folder = service(&[(
            "service.py",
            "@app.get('/')\nasync def page():\n    async with a as b:\n        \
             async for c in d:\n            yield [e async for e in c]\n\n\
             @pytest.fixture\nasync def client():\n    return await f()\n\n\
             def plain():\n    yield 1\n",
        )]);
        let mut found = names(&plan(folder.path()), "constructs");
        found.sort();
        assert_eq!(
            found,
            [
                place("async comprehension", &["service.py:5"]),
                place("async def", &["service.py:2", "service.py:8"]),
                place("async fixture", &["service.py:7"]),
                place("async for", &["service.py:4"]),
                place("async generator", &["service.py:2"]),
                place("async with", &["service.py:3"]),
                place("await", &["service.py:9"]),
                place("route decorator", &["service.py:1"]),
            ]
        );
    });
}

#[test]
fn port_names_what_it_cannot_read_and_goes_on() {
    with_command_and(&SOURCES, || {
        let folder = service(&[
            ("good.py", "import asyncio\nasyncio.sleep(1)\n"),
            ("broken.py", "import asyncio\nasyncio.sleep(1)\n)(\n"),
            ("large.py", ""),
            ("pipe/keep.txt", ""),
            (".venv/lib.py", "import asyncio\nasyncio.run(1)\n"),
            ("env/pyvenv.cfg", ""),
            ("env/lib.py", "import asyncio\nasyncio.run(1)\n"),
        ]);
        let at = |path: &str| folder.path().join(path);
        fs::write(at("latin.py"), b"x = 1\n# \xe9\n").expect("written");
        let large = fs::File::options().write(true).open(at("large.py"));
        let large = large.expect("a file of this test");
        large.set_len(100 << 20).expect("a file with a hole");
        symlink("..", at("pipe/circle")).expect("a link");
        symlink("nowhere.py", at("dangling.py")).expect("a link");
        let plan = plan(folder.path());
        let problems = plan["problems"].as_array().expect("a list").iter();
        let problems = problems.map(|problem| {
            let text = |key: &str| problem[key].as_str().expect("a text");
            format!("{}: {}", text("file"), text("why"))
        });
        let problems: Vec<_> = problems.collect();
        assert_eq!(
            problems,
            [
                "broken.py: line 3 is not understood; names may be missing",
                "dangling.py: No such file or directory (os error 2)",
                "large.py: has 100 MiB; files above 4 MiB are not read",
                "latin.py: line 2 is not UTF-8",
                "pipe/circle: is a link in a circle",
            ]
        );
        let found = names(&plan, "names");
        let places = ["broken.py:2", "good.py:2"];
        assert_eq!(found, [place("asyncio.sleep", &places)]);
    });
}

#[test]
fn port_prints_what_its_page_shows() {
    let shown = [
        "book/SUMMARY.md",
        "book/reference/port.md",
        "snippets/web/endpoints/endpoints.py",
        "snippets/web/endpoints/endpoints_body.py",
        "snippets/web/endpoints/endpoints_changes.py",
    ];
    with_command_and(&[&SOURCES[..], &shown].concat(), || {
        let page = this_book().join("book/reference/port.md");
        let page = fs::read_to_string(page).expect("the page");
        let (_, shown) = page.split_once("```text\n").expect("a plan");
        let (shown, _) = shown.split_once("\n```").expect("its end");
        let plan = port(Path::new("snippets/web/endpoints"), &[]).stdout;
        assert_eq!(shown, &plan[..shown.len().min(plan.len())]);
    });
}

#[test]
fn port_writes_each_format() {
    with_command_and(&SOURCES, || {
        let folder = service(&[(
            "<b>`|.py",
            "import asyncio\nasyncio.sleep(1)\nasyncio.Queue()\n",
        )]);
        let link = "https://example.org/book/";
        let text = port(folder.path(), &["--url", link]).stdout;
        assert!(text.contains("asyncio.sleep (1 file) -> "), "{text}");
        assert!(text.contains("/book/advanced-patterns/queue.html"), "{text}");
        let markdown = port(folder.path(), &["--format", "markdown"]).stdout;
        assert!(
            markdown.contains("| `asyncio.sleep` | 1 | 1 | "),
            "{markdown}"
        );
        assert!(markdown.contains("\ntokio = { version = \""), "{markdown}");
        let html = port(folder.path(), &["--format", "html"]).stdout;
        assert!(html.contains("<code>asyncio.sleep</code>"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
        let json = plan(folder.path());
        assert_eq!(json["files"], 1);
    });
}

#[test]
fn port_writes_only_where_it_is_told() {
    with_command_and(&SOURCES, || {
        let python = "import asyncio\nasyncio.sleep(1)\n";
        let folder = service(&[("service.py", python)]);
        let output = folder.path().join("plan.md");
        let output = output.to_str().expect("UTF-8");
        let end = port(folder.path(), &["--output", output]);
        assert!(end.status.success(), "{}", end.stderr);
        assert_eq!(end.stdout, "");
        let plan = fs::read_to_string(output).expect("the plan");
        assert!(plan.contains("asyncio.sleep"), "{plan}");
        let end = port(folder.path(), &["--output", output]);
        assert!(error_of(&end).contains("plan.md exists"), "{}", end.stderr);
        let unchanged = fs::read_to_string(output).expect("the plan");
        assert_eq!(unchanged, plan);
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 2);
    });
}

#[test]
fn port_of_a_wrong_path_is_an_error() {
    with_command_and(&SOURCES, || {
        let folder = service(&[("notes.txt", "")]);
        let end = port(&folder.path().join("nowhere"), &[]);
        assert!(
            error_of(&end).contains("nowhere: No such file"),
            "{}",
            end.stderr
        );
        let end = port(folder.path(), &[]);
        assert!(
            error_of(&end).contains("has no Python file"),
            "{}",
            end.stderr
        );
    });
}
