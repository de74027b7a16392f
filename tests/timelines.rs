//! Timelines say what a program did: each here is of a run that is known.

use std::fs;
use std::time::Duration;

use mdbook_skeptic::rt::{self, Context};
use mdbook_skeptic::{Check, What};
use tempfile::TempDir;

use crate::book;

const MAIN: &str =
    "#[tokio::main(flavor = \"current_thread\", start_paused = true)]\n";
const USE: &str = "use std::time::Duration;\nuse tokio::time::sleep;\n\
    const SECOND: Duration = Duration::from_secs(1);\n";

/// The timeline of a program; `part` as in the name of its file.
fn timeline(program: &str, part: &str) -> Result<String, String> {
    let folder = TempDir::new().expect("a temporary folder");
    let source = folder.path().join("known.rs");
    fs::write(&source, format!("{USE}{program}")).expect("a program");
    let picture = folder.path().join(format!("known{part}.svg"));
    rt::timeline(book::BOOK.workspace(), &picture, 60)
}

/// What it says of each lane, in words.
fn words(program: &str, part: &str) -> Vec<String> {
    let figure = timeline(program, part).unwrap_or_else(|why| panic!("{why}"));
    figure
        .lines()
        .filter_map(|line| line.strip_prefix("<li>")?.strip_suffix("</li>"))
        .map(str::to_owned)
        .collect()
}

fn once<T: Fn()>(test: T) {
    let name = std::any::type_name::<T>();
    rt::once((name, include_str!("timelines.rs")), test);
}

#[test]
fn tasks_are_lanes_and_calls_are_bars() {
    once(|| {
        let program = format!(
            "async fn step(n: u32) {{ sleep(n * SECOND).await; }}\n\
             async fn work(n: u32) {{ step(n).await; step(1).await; }}\n\
             {MAIN} async fn main() {{\n\
                 let one = tokio::spawn(work(1));\n\
                 let two = tokio::spawn(work(2));\n\
                 one.await.expect(\"one\");\n\
                 two.await.expect(\"two\");\n\
             }}"
        );
        assert_eq!(
            words(&program, ""),
            [
                "main. 0: starts; 0 to 2 s: waits for one; \
                 2 s to 3 s: waits for two; 3 s: returns.",
                "work(1). 0: starts; 0 to 1 s: step(1); 1 s to 2 s: step(1); \
                 2 s: returns.",
                "work(2). 0: starts; 0 to 2 s: step(2); 2 s to 3 s: step(1); \
                 3 s: returns.",
            ]
        );
    });
}

#[test]
fn what_is_dropped_is_cancelled_where_it_is_dropped() {
    once(|| {
        let program = format!(
            "async fn slow() {{ sleep(9 * SECOND).await; }}\n\
             {MAIN} async fn main() {{\n\
                 let cut = tokio::time::timeout(SECOND, slow()).await;\n\
                 assert!(cut.is_err());\n\
                 let task = tokio::spawn(slow());\n\
                 sleep(SECOND).await;\n\
                 task.abort();\n\
                 assert!(task.await.is_err_and(|end| end.is_cancelled()));\n\
                 tokio::select! {{\n\
                     () = slow() => unreachable!(),\n\
                     () = sleep(SECOND) => {{}}\n\
                 }}\n\
             }}"
        );
        assert_eq!(
            words(&program, ""),
            [
                "main. 0: starts; 0 to 1 s: slow; 1 s: slow is cancelled; \
                 1 s to 2 s: sleep(…); 2 s: task.abort(); \
                 2 s to 3 s: waits for sleep(…); 2 s to 3 s: waits for slow(); \
                 3 s: returns.",
                "slow 1. 1 s: starts; 1 s to 2 s: sleep(…); 2 s: cancelled.",
                "slow 2. 2 s: starts; 2 s to 3 s: sleep(…); 3 s: cancelled.",
            ]
        );
    });
}

#[test]
fn a_future_that_is_ready_and_not_polled_is_seen() {
    once(|| {
        let program = format!(
            "use futures::stream::{{self, StreamExt}};\n\
             async fn read(n: u32) {{ sleep(n * SECOND).await; }}\n\
             {MAIN} async fn main() {{\n\
                 let mut reads = stream::iter(1..=2).map(read)\n\
                     .buffer_unordered(2);\n\
                 while reads.next().await.is_some() {{\n\
                     sleep(5 * SECOND).await;\n\
                 }}\n\
             }}"
        );
        assert_eq!(
            words(&program, "")[1..],
            [
                "read(1). 0: starts; 0 to 1 s: sleep(…); 1 s: returns.",
                "read(2). 0: starts; 0 to 2 s: sleep(…); \
                 2 s to 6 s: sleep(…) is ready, not polled; 6 s: returns.",
            ]
        );
    });
}

#[test]
fn what_is_sent_is_marked_when_it_is_sent() {
    once(|| {
        let program = format!(
            "{MAIN} async fn main() {{\n\
                 let (send, mut receive) = tokio::sync::mpsc::channel(1);\n\
                 let sender = tokio::spawn(async move {{\n\
                     for n in 0..2 {{ send.send(n).await.expect(\"open\"); }}\n\
                 }});\n\
                 sleep(SECOND).await;\n\
                 while receive.recv().await.is_some() {{}}\n\
                 sender.await.expect(\"no panic\");\n\
             }}"
        );
        assert_eq!(
            words(&program, "")[1],
            "sender. 0: starts; 0: send.send(…); \
             0 to 1 s: waits for send.send(…); 1 s: send.send(…); \
             1 s: returns."
        );
    });
}

#[test]
fn a_panic_is_seen() {
    once(|| {
        let program = format!(
            "async fn fails() {{ sleep(SECOND).await; panic!(\"as told\") }}\n\
             {MAIN} async fn main() {{\n\
                 let end = tokio::spawn(fails()).await;\n\
                 assert!(end.is_err_and(|end| end.is_panic()));\n\
             }}"
        );
        let words = words(&program, "");
        assert!(words[1].ends_with("1 s: panics."), "{words:?}");
    });
}

/// Two parts of a second each, in `main` and by functions.
const PARTS: &str = "\
// ANCHOR: broken
async fn first() { sleep(SECOND).await; }
// ANCHOR_END: broken
#[tokio::test(start_paused = true)]
async fn a_test() { sleep(3 * SECOND).await; }
#[tokio::test(start_paused = true)]
#[should_panic]
async fn a_test_that_panics() { first().await; panic!() }
";

#[test]
fn a_part_is_statements_of_main_or_functions_or_a_test() {
    once(|| {
        let program = format!(
            "{PARTS}{MAIN} async fn main() {{\n\
                 first().await;\n\
                 // ANCHOR: fixed\n\
                 sleep(2 * SECOND).await;\n\
                 // ANCHOR_END: fixed\n\
                 sleep(SECOND).await;\n\
             }}"
        );
        let of = |part| words(&program, part);
        assert_eq!(of(".broken"), ["main. 0 to 1 s: first; goes on."]);
        assert_eq!(of(".fixed"), ["main. 0 to 2 s: sleep(…); goes on."]);
        let test = "a_test. 0: starts; 0 to 3 s: sleep(…); 3 s: returns.";
        assert_eq!(of(".a_test"), [test]);
        let panics = of(".a_test_that_panics");
        assert!(panics[0].ends_with("1 s: panics."), "{panics:?}");

        let none = timeline(&program, ".none").expect_err("no such part");
        assert!(none.contains("has no part `none`"), "{none}");
        let unbalanced = program.replace("// ANCHOR_END: fixed\n", "");
        let why = timeline(&unbalanced, ".fixed").expect_err("never ends");
        assert!(why.contains("has no part `fixed`"), "{why}");
    });
}

/// Pictures that would be false.
#[test]
fn what_would_mislead_is_refused() {
    once(|| {
        let refused = |body: &str, part, why| {
            let program = format!("{MAIN} async fn main() {{\n{body}\n}}");
            let said = timeline(&program, part).expect_err(body);
            assert!(said.contains(why), "{why}: {said}");
        };
        let part = "// ANCHOR: part\nsleep(SECOND).await;\n// ANCHOR_END: part";
        let never = format!(
            "if std::env::args().count() > 9 {{\n{part}\n}}\n\
             sleep(SECOND).await;"
        );
        refused(&never, ".part", "does not go through its part");
        let thrice = format!("for _ in 0..3 {{\n{part}\n}}");
        refused(&thrice, ".part", "more than once");
        let hidden =
            "let end = matches!(sleep(SECOND).await, ()); assert!(end);";
        refused(hidden, "", "an `matches!` that awaits");
        refused("sleep(line!() * SECOND).await;", "", "an `line!`");
        let twice = "// ANCHOR: part\nasync fn step() { sleep(SECOND).await; }\n\
            // ANCHOR_END: part\nstruct Other;\n\
            impl Other { async fn step(&self) { sleep(SECOND).await; } }\n";
        let program = format!(
            "{twice}{MAIN} async fn main() {{ step().await; \
             Other.step().await; }}"
        );
        let said = timeline(&program, ".part").expect_err("which of them?");
        assert!(said.contains("two functions `step`"), "{said}");
    });
}

#[test]
fn what_is_said_is_in_the_order_of_the_run() {
    once(|| {
        let program = format!(
            "async fn read() -> u32 {{ sleep(SECOND).await; 7 }}\n\
             {MAIN} async fn main() {{\n\
                 let (send, mut unbounded) = tokio::sync::mpsc::\
                     unbounded_channel();\n\
                 send.send(read().await).expect(\"open\");\n\
                 let task = tokio::spawn(read());\n\
                 task.abort();\n\
                 drop(send);\n\
                 assert_eq!(unbounded.recv().await, Some(7));\n\
             }}"
        );
        assert_eq!(
            words(&program, ""),
            ["main. 0: starts; 0 to 1 s: read; 1 s: send.send(…); \
              1 s: task.abort(); 1 s: drop(send); 1 s: returns."]
        );
        // Dropped while another unwinds, it has not panicked itself.
        let program = format!(
            "async fn innocent() {{ sleep(9 * SECOND).await; }}\n\
             async fn bad() {{ sleep(SECOND).await; panic!(\"as told\") }}\n\
             {MAIN} async fn main() {{\n\
                 let both = async {{ tokio::join!(innocent(), bad()) }};\n\
                 assert!(tokio::spawn(both).await.is_err_and(\
                     |end| end.is_panic()));\n\
             }}"
        );
        let words = words(&program, "");
        let innocent = words.iter().find(|lane| lane.starts_with("innocent"));
        let innocent = innocent.expect("a lane of its own");
        assert!(innocent.ends_with("1 s: cancelled."), "{innocent}");
    });
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    once(|| {
        for (body, why) in [
            ("", "takes no time"),
            ("std::process::exit(0)", "ends before its main does"),
            ("panic!(\"as told\")", "ends with"),
            ("let x: u32 = \"\"; sleep(SECOND).await", "does not compile"),
            ("(", "cannot be read as a program"),
        ] {
            let program = format!("{MAIN} async fn main() {{ {body} }}");
            let said = timeline(&program, "").expect_err(body);
            assert!(said.contains(why), "{why}: {said}");
        }
        let said = timeline("fn helper() {}", "").expect_err("no main");
        assert!(said.contains("has no main"), "{said}");
    });
}

#[test]
fn a_timeline_that_is_not_of_the_run_fails() {
    once(|| {
        let folder = TempDir::new().expect("a temporary folder");
        let program = format!(
            "{USE}{MAIN} async fn main() {{\n\
                 sleep(SECOND).await;\n\
                 sleep(2 * SECOND).await;\n\
             }}"
        );
        let source = folder.path().join("known.rs");
        fs::write(source, program).expect("a program");
        let file = folder.path().join("known.svg");
        let workspace = book::BOOK.workspace();
        let text = rt::timeline(workspace, &file, 60).expect("a timeline");
        let verify = |shown: &str| {
            let picture = What::Picture {
                file: file.clone(),
                shown: shown.to_owned(),
                printed: None,
            };
            Check::new("a:1", picture).verify(&Context {
                workspace,
                limit: Duration::from_secs(60),
                features: None,
            })
        };
        assert_eq!(verify(&text), Ok(()));
        for other in [
            text.replacen("1 s to 3 s", "1 s to 2 s", 1),
            text.replacen("33.333%", "33%", 1),
            text.replacen("<rect", "<line", 1),
        ] {
            assert_ne!(other, text);
            let said = verify(&other).expect_err("it is not the same");
            assert!(said.contains("is not what is shown"), "{said}");
            assert!(
                said.contains(&*file.to_string_lossy())
                    && said.contains("bless"),
                "{said}"
            );
        }
    });
}
