// ANCHOR: all
use tokio::task::yield_now;

type Reel = Vec<String>;

async fn twice(reel: &mut Reel, mut scene: impl AsyncFnMut(&mut Reel)) {
    scene(reel).await;
    scene(reel).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let vase = String::from("vase");
    let mut reel = Reel::new();

    // ANCHOR: lends
    // Lends the vase to each of its futures, and borrows the reel.
    twice(&mut reel, async |reel: &mut Reel| {
        yield_now().await;
        reel.push(format!("shows the {vase}"));
    })
    .await;
    // ANCHOR_END: lends

    // ANCHOR: each
    // Breaks one for each take: a clone, before the future takes it.
    twice(&mut reel, async |reel: &mut Reel| {
        let vase = vase.clone();
        yield_now().await;
        reel.push(format!("breaks the {vase}"));
        drop(vase);
    })
    .await;
    // ANCHOR_END: each
    println!("{}", reel.join(", "));
    assert_eq!(reel[1..3], ["shows the vase", "breaks the vase"]);
}
// ANCHOR_END: all
