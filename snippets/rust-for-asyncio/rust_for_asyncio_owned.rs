//! A task owns what it uses; a future that the caller awaits may borrow.
use tokio::join;

async fn track(parcel: &str) -> String {
    format!("{parcel} is in Oslo")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let parcel = String::from("LX 7");
    let other = String::from("LX 8");

    // ANCHOR: fixed
    // The task owns a copy. Inside the task, `track` borrows it.
    let copy = parcel.clone();
    let task = tokio::spawn(async move { track(&copy).await });
    let status = task.await?;

    // Without tasks, both futures borrow what `main` owns.
    let (first, second) = join!(track(&parcel), track(&other));
    // ANCHOR_END: fixed

    assert_eq!(status, "LX 7 is in Oslo");
    assert_eq!(first, status);
    assert_eq!(second, "LX 8 is in Oslo");
    println!("a task: {status}");
    println!("two futures: {first}, {second}");
    Ok(())
}
