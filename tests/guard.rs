//! Breaks what the guard checks by running it, and sees each check fail.

use std::any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use mdbook_skeptic::rt;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const OUT_DIR: &str = env!("OUT_DIR");

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

/// The same for a test that reads files of the book.
fn once_for<T: Fn()>(files: &[&str], test: T) {
    const READ: [&str; 2] =
        [include_str!("guard.rs"), include_str!("../Cargo.lock")];
    let files: Vec<_> = files.iter().map(rt::content).collect();
    rt::once((any::type_name::<T>(), READ, files), test);
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
        assert!(message.ends_with("touch book.toml, and it is written anew"));
        let write = |text| std::fs::write(file, text).expect("a file");
        write("{");
        assert!(said("a").contains("book-checks.json: EOF"), "{}", said("a"));
        write(r#"{"checks": {}, "limit": 60}"#);
        assert!(said("a").contains("no check a;"), "{}", said("a"));
        let message = refused(AssertUnwindSafe(|| as_written().parts()));
        assert!(message.contains("no script of matching"), "{message}");
        let other = book(7);
        let message = refused(AssertUnwindSafe(|| other.check("a")));
        assert!(message.contains("has changed since"), "{message}");
    });
}

#[test]
fn a_program_must_compile_run_and_succeed() {
    once(|| {
        rt::program("a:1", 60, ROOT, 1, || {
            skeptic("fn main() { assert_eq!(1, 1); }")
        });
        for program in [
            || skeptic("fn main() { assert_eq!(1, 2); }"),
            || skeptic("fn main() { nonsense }"),
            || skeptic("fn main() { std::process::exit(3); }"),
            || skeptic("fn f() {}"),
        ] {
            refused(|| rt::program("a:1", 60, ROOT, 2, program));
        }
    });
}

#[test]
fn should_panic_means_compile_and_panic() {
    once(|| {
        rt::must_panic("a:1", 60, ROOT, 1, || {
            skeptic("fn main() { panic!(\"as told\"); }")
        });
        for (program, why) in [
            ((|| skeptic("fn main() {}")) as fn(), "ends with success"),
            (|| skeptic("fn main() { nonsense }"), "Command failed"),
            (|| skeptic("fn main() { std::process::exit(101); }"), "101"),
            (|| skeptic("fn main() { std::process::exit(1); }"), "1"),
            (|| skeptic("fn main() { std::process::abort(); }"), "signal"),
            // A panic, but not this program's.
            (
                || {
                    skeptic("fn main() { [1].iter().step_by(0); }");
                },
                "a crate that it uses does",
            ),
            // Compiles as far as types go, and fails when it is instantiated.
            (
                || {
                    skeptic(
                        "fn f<T>() { const { assert!(size_of::<T>() == 1) } }\n\
                     fn main() { f::<u64>(); panic!() }",
                    );
                },
                "Command failed",
            ),
        ] {
            let message =
                refused(|| rt::must_panic("a:1", 60, ROOT, 2, program));
            assert!(message.contains(why), "{why}: {message}");
        }
    });
}

#[test]
fn what_does_not_end_is_killed() {
    once(|| {
        let hangs = || skeptic("fn main() { loop { std::thread::park(); } }");
        refused(|| rt::program("a:1", 1, ROOT, 2, hangs));
        let message = refused(|| rt::must_panic("a:1", 1, ROOT, 2, hangs));
        assert!(message.contains("does not end"), "{message}");
    });
}

#[test]
fn what_has_passed_has_passed_within_its_limit() {
    const PICTURE: &str = "snippets/advanced-patterns/queue_serial.broken.svg";
    const TESTS: &str = "snippets/testing/async_tests_instant.rs";
    let output = FILE.replace(".rs", ".out");
    let tests = TESTS.replace(".rs", ".out");
    let program = PICTURE.replace(".broken.svg", ".rs");
    let files = [FILE, &output, TESTS, &tests, PICTURE, &program];
    once_for(&files, || {
        let read = |file: &str| std::fs::read_to_string(file).expect("a file");
        let output = |limit| {
            let shown = read(&output);
            rt::console("a:1", limit, ROOT, ("fetch_json", FILE), None, &shown);
        };
        let tests = |limit| {
            let target = ("async_tests_instant", Path::new(TESTS));
            let (program, shown) = (read(TESTS), read(&tests));
            rt::tests("a:1", limit, ROOT, target, None, &program, &shown);
        };
        let python = |limit| rt::python("a:1", limit, ROOT, None, "assert 1");
        let picture = |limit| {
            let shown = read(PICTURE);
            rt::picture("a:1", limit, ROOT, PICTURE, &shown);
        };
        let checks: [&dyn Fn(u64); 4] = [&output, &tests, &python, &picture];
        for check in checks {
            check(60);
            let message = refused(AssertUnwindSafe(|| check(0)));
            assert!(message.contains("did not end"), "{message}");
        }
    });
}

const FILE: &str = "snippets/core-patterns/fetch_json.rs";
const FEATURES: &str = "snippets/features.toml";

#[test]
fn an_output_must_be_the_one_shown() {
    once_for(&[FILE], || {
        let shown = include_str!("../snippets/core-patterns/fetch_json.out");
        rt::console("a:1", 60, ROOT, ("fetch_json", FILE), None, shown);
        let wrong = shown.replace("Bergen", "Oslo");
        let message = refused(|| {
            rt::console("a:1", 60, ROOT, ("fetch_json", FILE), None, &wrong)
        });
        assert!(message.contains("-parcel 7 is in Oslo"), "{message}");
        assert!(message.contains("+parcel 7 is in Bergen"), "{message}");
        let short = shown.lines().next().unwrap_or_default();
        refused(|| {
            rt::console("a:1", 60, ROOT, ("fetch_json", FILE), None, short)
        });
        let message = refused(|| {
            rt::console("a:1", 60, ROOT, ("fetch_jso", FILE), None, shown)
        });
        assert!(message.contains("no example"), "{message}");
        let other = FILE.replace("fetch_json.rs", "run_many.rs");
        let message = refused(move || {
            rt::console("a:1", 60, ROOT, ("fetch_json", &other), None, shown);
        });
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
        let check = |expected: &'static str, program: &'static str, shown| {
            rt::compile_fail("a:1", ROOT, expected, program, shown);
        };
        check("E0308", program, shown);
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
            let message = refused(|| check(expected, program, shown));
            assert!(message.contains(why), "{why}: {message}");
        }
    });
}

#[test]
fn a_lint_must_say_what_is_shown() {
    once(|| {
        let program = "async fn work() {}\n\n#[tokio::main]\nasync fn main() {\n    \
                   work();\n}\n";
        let message = refused(|| {
            rt::compile_fail("a:1", ROOT, "unused_must_use", program, "x");
        });
        assert!(message.contains("+warning: unused implementer"), "{message}");
    });
}

#[test]
fn python_must_run_and_succeed() {
    once(|| {
        let python = |text: &'static str, limit| {
            rt::python("a:1", limit, ROOT, None, text);
        };
        python("assert 1 + 1 == 2", 60);
        for (text, why) in [
            ("assert 1 + 1 == 3", "AssertionError"),
            ("raise SystemExit(1)", "ends with"),
            ("x ==", "SyntaxError"),
        ] {
            let message = refused(|| python(text, 60));
            assert!(message.contains(why), "{message}");
        }
        let message = refused(|| python("import time\ntime.sleep(60)", 1));
        assert!(message.contains("did not end"), "{message}");
    });
}

#[test]
fn python_is_shut_in_and_leaves_nothing_behind() {
    once(|| {
        let python = |text: &str| {
            let text = text.to_owned();
            refused(move || rt::python("a:1", 60, ROOT, None, &text))
        };
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
        rt::python("a:1", 60, ROOT, None, text);
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
        let file = Some(Path::new(FEATURES));
        let check = |file, shown: &str, program: &str| {
            rt::dependencies("a:1", ROOT, file, shown, &[program.to_owned()]);
        };
        check(file, &block(version, features), program);
        // Without `test-util`, what it has brought along is still there.
        let paused = "#[tokio::main(flavor = \"current_thread\", start_paused \
                      = true)]\nasync fn main() { \
                      tokio::time::sleep(std::time::Duration::ZERO).await; }";
        let paused_needs = "\"macros\", \"rt\", \"test-util\", \"time\"";
        let shown = block(version, paused_needs);
        check(file, &shown, paused);
        // Under another name it is still tokio.
        let alias = "use tokio as rt;\nfn main() { let _ = rt::time::sleep; }";
        let only = format!("[dependencies]\ntokio = \"{version}\"\n");
        check(None, &only, alias);
        let transitive = "use bytes::Bytes;\nfn main() { let _: Bytes; }";
        let message = refused(|| check(None, "[dependencies]\n", transitive));
        assert!(message.contains("no page can list"), "{message}");
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
            let message = refused(|| check(file, &wrong, program));
            assert!(message.contains("not what is shown"), "{message}");
        }
    });
}
