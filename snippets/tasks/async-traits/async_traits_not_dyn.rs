// ANCHOR: all
use std::collections::HashMap;

// ANCHOR: broken
type Handlers = HashMap<String, Box<dyn AsyncFn(u32)>>;
// ANCHOR_END: broken

fn main() {
    println!("{}", Handlers::new().len());
}
// ANCHOR_END: all
