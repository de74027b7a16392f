// ANCHOR: all
use std::collections::HashMap;

type Script = HashMap<&'static str, Box<dyn AsyncFn(String) -> String>>;

fn main() {
    let script = Script::new();
    println!("{}", script.len());
}
// ANCHOR_END: all
