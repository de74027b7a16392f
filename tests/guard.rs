//! Breaks what the guard checks by running it, and sees each check fail.

use std::any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use mdbook_skeptic::rt::{self, Context, Workspace};
use mdbook_skeptic::{Check, What};

use crate::{BOOK, book, printed};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const OUT_DIR: &str = env!("OUT_DIR");

fn workspace() -> &'static Workspace {
    book::BOOK.workspace()
}

fn skeptic(program: &str) {
    let triple = current_platform();
    skeptic::rt::run_test(ROOT, OUT_DIR, &triple, program);
}

fn current_platform() -> String {
    let output = std::process::Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a test, unless it has passed with the same guard.
fn once<T: Fn()>(test: T) {
    once_for(&[], test);
}

/// Runs a test that reads files of the book, unless it has passed with the same
/// guard and the same files.
fn once_for<T: Fn()>(files: &[&str], test: T) {
    const READ: [&str; 2] =
        [include_str!("guard.rs"), include_str!("../Cargo.lock")];
    let files: Vec<_> = files.iter().map(rt::content).collect();
    rt::once((any::type_name::<T>(), READ, files), test);
}

/// The outcome of a check of this, within so many seconds.
fn verify(what: What, limit: u64) -> Result<(), String> {
    let context = Context {
        workspace: workspace(),
        limit: Duration::from_secs(limit),
        features: Some(Path::new(FEATURES)),
    };
    Check::new("a:1", what).verify(&context)
}

fn output(example: &str, file: &str, shown: &str) -> What {
    let (example, file) = (example.to_owned(), file.into());
    What::Output { example, file, shown: shown.to_owned() }
}

fn python(text: &str) -> What {
    What::Python { file: None, text: text.to_owned() }
}

fn error(expected: &str, program: &str, shown: &str) -> What {
    let [expected, program, shown] =
        [expected, program, shown].map(str::to_owned);
    What::Error { expected, program, shown }
}

/// What a check says when it fails.
#[track_caller]
fn refused(check: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let failure = catch_unwind(check).expect_err("the check passes");
    match failure.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => (*other.downcast::<&str>().expect("a message")).into(),
    }
}

#[test]
fn tests_are_of_the_checks_that_they_were_compiled_with() {
    once(|| {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let file = folder.path().join("book-checks.json");
        let file: &'static str = file.display().to_string().leak();
        let book = |fingerprint| {
            rt::Built::new(ROOT, file, module_path!(), fingerprint)
        };
        let as_written = || book(rt::content(file).unwrap_or_default());
        let said =
            |name| refused(AssertUnwindSafe(|| as_written().check(name)));
        let message = said("a");
        assert!(message.starts_with("cannot read "), "{message}");
        assert!(message.ends_with("and cargo writes it anew"), "{message}");
        let write = |text| std::fs::write(file, text).expect("a file");
        write("{");
        assert!(said("a").contains("book-checks.json: EOF"), "{}", said("a"));
        write(r#"{"checks": {}, "limit": 60}"#);
        assert!(said("a").contains("no check a\n"), "{}", said("a"));
        let other = book(7);
        let message = refused(AssertUnwindSafe(|| other.check("a")));
        assert!(message.contains("has changed since"), "{message}");
    });
}

#[test]
fn a_program_must_compile_run_and_succeed() {
    once(|| {
        rt::program("a:1", 60, workspace(), 1, || {
            skeptic("fn main() { assert_eq!(1, 1); }")
        });
        for program in [
            || skeptic("fn main() { assert_eq!(1, 2); }"),
            || skeptic("fn main() { nonsense }"),
            || skeptic("fn main() { std::process::exit(3); }"),
            || skeptic("fn f() {}"),
        ] {
            refused(|| rt::program("a:1", 60, workspace(), 2, program));
        }
    });
}

#[test]
fn what_does_not_end_is_killed() {
    once(|| {
        let hangs = || skeptic("fn main() { loop { std::thread::park(); } }");
        refused(|| rt::program("a:1", 1, workspace(), 2, hangs));
    });
}

#[test]
fn what_has_passed_has_passed_within_its_limit() {
    const PICTURE: &str =
        "snippets/advanced-patterns/queue/queue_serial.broken.svg";
    const TESTS: &str = "snippets/testing/async-tests/async_tests.rs";
    const PAGES: [&str; 2] =
        ["book/core-patterns/fetch-json.md", "book/testing/async-tests.md"];
    let program = PICTURE.replace(".broken.svg", ".rs");
    let files = [FILE, PAGES[0], TESTS, PAGES[1], PICTURE, &program];
    once_for(&files, || {
        let read = |file: &str| std::fs::read_to_string(file).expect("a file");
        let target = "async_tests";
        let tests = What::Tests {
            target: target.to_owned(),
            file: TESTS.into(),
            program: read(TESTS),
            shown: printed(&BOOK, target),
        };
        let picture = What::Picture {
            file: PICTURE.into(),
            shown: read(PICTURE),
            printed: Some(printed(&BOOK, "queue_serial")),
        };
        let shown = printed(&BOOK, "fetch_json");
        let output = output("fetch_json", FILE, &shown);
        for check in [output, tests, python("assert 1"), picture] {
            assert_eq!(verify(check.clone(), 60), Ok(()));
            let message = verify(check, 0).expect_err("it takes longer");
            assert!(message.contains("did not end"), "{message}");
        }
    });
}

const FILE: &str = "snippets/core-patterns/fetch-json/fetch_json.rs";
const FEATURES: &str = "snippets/features.toml";

#[test]
fn an_output_must_be_the_one_shown() {
    once_for(&[FILE, "book/core-patterns/fetch-json.md"], || {
        let shown = printed(&BOOK, "fetch_json");
        let check = |example: &str, file: &str, shown: &str| {
            verify(output(example, file, shown), 60)
        };
        assert_eq!(check("fetch_json", FILE, &shown), Ok(()));
        // Saved on Windows, the page says the same.
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(check("fetch_json", FILE, &windows(&shown)), Ok(()));
        let wrong = shown.replace("Bergen", "Oslo");
        let message = check("fetch_json", FILE, &wrong).expect_err("wrong");
        let same = check("fetch_json", FILE, &windows(&wrong));
        assert_eq!(same.as_ref(), Err(&message));
        assert_eq!(
            message,
            "`fetch_json` is not what is shown:\n@@ -1,2 +1,2 @@\n\
             -parcel 7 is in Oslo\n+parcel 7 is in Bergen\n \
             unknown field: a parcel\n\
             help: if the program is right, run `cargo bless`"
        );
        check("fetch_json", FILE, "").expect_err("nothing is shown");
        let message = check("fetch_jso", FILE, &shown).expect_err("no such");
        assert!(message.contains("no example"), "{message}");
        let other = FILE.replace("fetch-json/fetch_json", "run-many/run_many");
        let message = check("fetch_json", &other, &shown).expect_err("another");
        assert!(message.contains("is built from"), "{message}");
    });
}

#[test]
fn a_compile_error_must_be_the_one_shown() {
    once(|| {
        let program = "fn main() {\n    let _: u8 = \"one\";\n}\n";
        let shown = "\
error[E0308]: mismatched types
 --> src/main.rs:2:17
  |
2 |     let _: u8 = \"one\";
  |            --   ^^^^^ expected `u8`, found `&str`
  |            |
  |            expected due to this
";
        assert_eq!(verify(error("E0308", program, shown), 60), Ok(()));
        for (expected, program, shown, why) in [
            ("E0277", program, shown, "not E0277"),
            ("E0308", "fn main() {}", shown, "it compiles"),
            ("E0308", program, "error[E0308]: other", "not what is shown"),
            (
                "E0308",
                "fn main() {\n    let _: u8 = \"one\";\n    f();\n}\n",
                shown,
                "more than E0308",
            ),
            ("unused_must_use", "fn main() {}", shown, "it compiles"),
        ] {
            let check = error(expected, program, shown);
            let message = verify(check, 60).expect_err(why);
            assert!(message.contains(why), "{why}: {message}");
        }
    });
}

#[test]
fn a_lint_must_say_what_is_shown() {
    once(|| {
        let program = "async fn work() {}\n\n#[tokio::main]\nasync fn main() {\n    \
                   work();\n}\n";
        let check = error("unused_must_use", program, "x");
        let message = verify(check, 60).expect_err("it says more");
        assert!(message.contains("+warning: unused implementer"), "{message}");
    });
}

#[test]
fn python_must_run_and_succeed() {
    once(|| {
        assert_eq!(verify(python("assert 1 + 1 == 2"), 60), Ok(()));
        for (text, why) in [
            ("assert 1 + 1 == 3", "AssertionError"),
            ("raise SystemExit(1)", "ends with"),
            ("x ==", "SyntaxError"),
        ] {
            let message = verify(python(text), 60).expect_err(why);
            assert!(message.contains(why), "{message}");
        }
        let sleeps = python("import time\ntime.sleep(60)");
        let message = verify(sleeps, 1).expect_err("it takes longer");
        assert!(message.contains("did not end"), "{message}");
    });
}

#[test]
fn python_is_shut_in_and_leaves_nothing_behind() {
    once(|| {
        let python =
            |text: &str| verify(python(text), 60).expect_err("it fails");
        let message = python(
            "import subprocess\n\
         subprocess.Popen(['sleep', '60'], start_new_session=True)",
        );
        assert!(
            message.contains("leaves a process behind: sleep"),
            "{message}"
        );
        let message = python("open('left', 'w').close()");
        assert!(message.contains("leaves \"left\" behind"), "{message}");
        if cfg!(target_os = "linux") {
            let outside = Path::new(OUT_DIR).join("not-to-be-written");
            let message = python(&format!("open({outside:?}, 'w')"));
            assert!(message.contains("PermissionError"), "{message}");
            assert!(!outside.exists());
        }
    });
}

/// Where the system lets a program have a network of its own.
#[test]
fn python_sees_no_network_but_the_loopback() {
    once(|| {
        let own = ["--user", "--net", "true"];
        let possible = std::process::Command::new("unshare").args(own).status();
        if !possible.is_ok_and(|status| status.success()) {
            assert!(std::env::var("CI").is_err(), "CI cannot seal the network");
            return;
        }
        let text = "import socket\n\
                names = [name for _, name in socket.if_nameindex()]\n\
                assert names == ['lo'], names\n\
                server = socket.create_server(('127.0.0.1', 0))\n\
                socket.create_connection(server.getsockname()).close()\n\
                server.close()";
        assert_eq!(verify(python(text), 60), Ok(()));
    });
}

#[test]
fn a_dependency_block_must_be_what_the_programs_need() {
    once_for(&[FEATURES], || {
        let program = "#[tokio::main]\nasync fn main() { \
                   tokio::time::sleep(std::time::Duration::ZERO).await; }";
        let lock = include_str!("../Cargo.lock");
        let version = lock
            .split("name = \"tokio\"\nversion = \"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("tokio is locked");
        let block = |version: &str, features: &str| {
            format!(
                "[dependencies]\ntokio = {{ version = \"{version}\", features = \
             [{features}] }}\n"
            )
        };
        let features = "\"macros\", \"rt-multi-thread\", \"time\"";
        let check = |shown: &str, program: &str| {
            let shown = shown.to_owned();
            let programs = vec![program.to_owned()];
            verify(What::Dependencies { shown, programs }, 60)
        };
        assert_eq!(check(&block(version, features), program), Ok(()));
        // Without `test-util`, what it has brought along is still there.
        let paused = "#[tokio::main(flavor = \"current_thread\", start_paused \
                      = true)]\nasync fn main() { \
                      tokio::time::sleep(std::time::Duration::ZERO).await; }";
        let paused_needs = "\"macros\", \"rt\", \"test-util\", \"time\"";
        let shown = block(version, paused_needs);
        assert_eq!(check(&shown, paused), Ok(()));
        // Under another name it is still tokio.
        let alias = "use tokio as rt;\nfn main() { let _ = rt::time::sleep; }";
        let only = format!("[dependencies]\ntokio = \"{version}\"\n");
        assert_eq!(check(&only, alias), Ok(()));
        let transitive = "use bytes::Bytes;\nfn main() { let _: Bytes; }";
        let message = check("[dependencies]\n", transitive);
        let message = message.expect_err("bytes is tokio's");
        assert!(message.contains("for another crate's sake"), "{message}");
        assert!(message.contains("beside book.toml"), "{message}");
        for wrong in [
            block("1.0.0", features),
            block("*", features),
            block(version, "\"macros\", \"rt-multi-thread\""),
            block(
                version,
                "\"macros\", \"net\", \"rt-multi-thread\", \"time\"",
            ),
            block(version, features) + "serde = \"1.0\"\n",
            "[dependencies]\n".to_owned(),
        ] {
            let message = check(&wrong, program).expect_err("wrong");
            assert!(message.contains("not what is shown"), "{message}");
        }
    });
}
