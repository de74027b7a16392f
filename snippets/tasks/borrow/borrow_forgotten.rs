// ANCHOR: all
use std::cell::Cell;
use std::future::pending;
use std::mem::forget;

use futures::poll;

/// Somebody at the wall, who notes when he leaves it.
struct Painter<'a> {
    wall: &'a mut [char],
    left: &'a Cell<bool>,
}

impl Drop for Painter<'_> {
    fn drop(&mut self) {
        self.left.set(true);
    }
}

async fn paint(painter: Painter<'_>) {
    painter.wall[0] = '~';
    pending().await // he is never done
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (mut wall, left) = (['.'; 3], Cell::new(false));

    // A future that is dropped takes its painter along.
    let painter = Painter { wall: &mut wall, left: &left };
    let mut painting = Box::pin(paint(painter));
    assert!(poll!(&mut painting).is_pending());
    drop(painting);
    println!("dropped: the painter has left: {}", left.get());
    assert!(left.replace(false));

    // ANCHOR: forgotten
    // One that is forgotten does not, and the compiler lends the wall again.
    let painter = Painter { wall: &mut wall, left: &left };
    let mut painting = Box::pin(paint(painter));
    assert!(poll!(&mut painting).is_pending());
    forget(painting);
    wall.fill('^');
    println!("forgotten: the painter has left: {}", left.get());
    assert!(!left.get());
    // ANCHOR_END: forgotten
    assert_eq!(wall, ['^'; 3]);
}
// ANCHOR_END: all
