// ANCHOR: all
async fn paint(part: &mut [char]) {
    part.fill('~');
}

#[tokio::main]
async fn main() {
    let mut wall = ['.'; 6];
    let (left, _right) = wall.split_at_mut(3);
    let painter = tokio::spawn(async move {
        paint(left).await;
    });
    painter.await.expect("no panic");
}
// ANCHOR_END: all
