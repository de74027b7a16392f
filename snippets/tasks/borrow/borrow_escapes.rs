// ANCHOR: all
async fn paint(part: &mut [char]) {
    part.fill('~');
}

fn begin(wall: &mut [char]) {
    tokio::spawn(paint(wall));
}

#[tokio::main]
async fn main() {
    begin(&mut ['.'; 6]);
}
// ANCHOR_END: all
