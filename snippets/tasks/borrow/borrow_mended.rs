// ANCHOR: all
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

async fn paint(part: &mut [char], sketch: &[char]) {
    yield_now().await;
    part.copy_from_slice(sketch);
}

async fn dip(pot: &Mutex<u32>) {
    yield_now().await;
    *pot.lock().expect("never poisoned") -= 1;
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: owned
    // Each task owns what it borrows, and gives it back when it ends.
    let sketch: Arc<[char]> = Arc::new(['~', '~', '^', '^']);
    let mut left = vec!['.'; 4];
    let mut right = left.split_off(2);
    let (one, two) = (Arc::clone(&sketch), Arc::clone(&sketch));
    let one = tokio::spawn(async move {
        paint(&mut left, &one[..2]).await;
        left
    });
    let two = tokio::spawn(async move {
        paint(&mut right, &two[2..]).await;
        right
    });
    let wall = [one.await?, two.await?].concat();
    println!("moved in, and given back: {}", String::from_iter(&wall));
    assert_eq!(wall[..], sketch[..]);
    // ANCHOR_END: owned

    // ANCHOR: before
    // What is not `Send` is gone before the await.
    let coats = tokio::spawn(async {
        let coats = {
            let pot = Rc::new("blue");
            Rc::strong_count(&pot)
        };
        yield_now().await;
        coats
    });
    assert_eq!(coats.await?, 1);
    // ANCHOR_END: before

    // ANCHOR: sync
    // What is lent across an await is `Sync`.
    let left = tokio::spawn(async {
        let pot = Mutex::new(6);
        tokio::join!(dip(&pot), dip(&pot));
        pot.into_inner().expect("never poisoned")
    });
    let left = left.await?;
    println!("lent inside of a task: {left} of 6 left");
    assert_eq!(left, 4);
    // ANCHOR_END: sync
    Ok(())
}
// ANCHOR_END: all
