// ANCHOR: all
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use tokio::task::yield_now;

// ANCHOR: scene
/// A function of whatever type, and its future on the heap.
type Scene = Box<dyn Fn(String) -> BoxFuture<'static, String> + Send + Sync>;
// ANCHOR_END: scene

#[derive(Default)]
struct Script(HashMap<&'static str, Scene>);

impl Script {
    // ANCHOR: add
    fn add<F>(
        &mut self,
        name: &'static str,
        scene: impl Fn(String) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = String> + Send + 'static,
    {
        let boxed = move |actor| scene(actor).boxed();
        self.0.insert(name, Box::new(boxed));
    }
    // ANCHOR_END: add

    /// Nothing, if the script has no such scene.
    async fn play(&self, name: &str, actor: &str) -> Option<String> {
        let scene = self.0.get(name)?;
        Some(scene(actor.into()).await)
    }
}

async fn kiss(actor: String) -> String {
    yield_now().await;
    format!("{actor} kisses")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let reel = Arc::new(Mutex::new(Vec::new()));
    let mut script = Script::default();
    script.add("kiss", kiss);
    // ANCHOR: duel
    let camera = Arc::clone(&reel);
    script.add("duel", move |actor| {
        let camera = Arc::clone(&camera); // one for each take
        async move {
            yield_now().await;
            camera.lock().expect("never poisoned").push(actor.clone());
            format!("{actor} draws")
        }
    });
    // ANCHOR_END: duel

    // ANCHOR: loop
    // Each of the two has a prop of its own.
    for (name, prop) in [("tea", "cup"), ("toast", "glass")] {
        let lift =
            move |actor| async move { format!("{actor} lifts a {prop}") };
        script.add(name, lift);
    }
    // ANCHOR_END: loop

    let script = Arc::new(script);
    let elsewhere = Arc::clone(&script);
    let duel = tokio::spawn(async move { elsewhere.play("duel", "Ada").await });
    assert_eq!(script.play("storm", "Cleo").await, None);
    let (kiss, duel) = (script.play("kiss", "Ben").await, duel.await?);
    println!("{kiss:?}, {duel:?}");
    assert_eq!(kiss.as_deref(), Some("Ben kisses"));
    assert_eq!(duel.as_deref(), Some("Ada draws"));
    let tea = script.play("tea", "Cleo").await;
    assert_eq!(tea.as_deref(), Some("Cleo lifts a cup"));
    assert_eq!(*reel.lock().expect("never poisoned"), ["Ada"]);
    Ok(())
}
// ANCHOR_END: all
