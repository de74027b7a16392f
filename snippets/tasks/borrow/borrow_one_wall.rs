// ANCHOR: all
async fn paint(wall: &mut Vec<char>, colour: char) {
    wall.push(colour);
}

#[tokio::main]
async fn main() {
    let mut wall = Vec::new();
    let (blue, green) = (paint(&mut wall, '~'), paint(&mut wall, '^'));
    tokio::join!(blue, green);
}
// ANCHOR_END: all
