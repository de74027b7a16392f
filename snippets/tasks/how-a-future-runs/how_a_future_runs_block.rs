// ANCHOR: all
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;

/// The parcels whose labels are rendered.
type Labels = Arc<Mutex<Vec<u32>>>;

/// In a real program it takes milliseconds of CPU time.
fn render(labels: &Labels, parcel: u32) {
    labels.lock().expect("no holder panics").push(parcel);
}

async fn render_all_broken(labels: Labels, parcels: [u32; 3]) {
    // ANCHOR: broken
    for parcel in parcels {
        render(&labels, parcel);
    }
    // ANCHOR_END: broken
}

async fn render_all(labels: Labels, parcels: [u32; 3]) {
    // ANCHOR: fixed
    for parcel in parcels {
        render(&labels, parcel);
        yield_now().await;
    }
    // ANCHOR_END: fixed
}

/// How many labels the first task has rendered before the second one begins.
async fn first<F>(work: impl Fn(Labels, [u32; 3]) -> F) -> anyhow::Result<usize>
where
    F: Future<Output = ()> + Send + 'static,
{
    let labels = Labels::default();
    let one = tokio::spawn(work(Arc::clone(&labels), [11, 12, 13]));
    let two = tokio::spawn(work(Arc::clone(&labels), [21, 22, 23]));
    one.await?;
    two.await?;
    let labels = labels.lock().expect("no holder panics");
    assert_eq!(labels.len(), 6);
    let second = labels.iter().position(|parcel| *parcel == 21);
    second.ok_or_else(|| anyhow::anyhow!("no label of the second task"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let labels = first(render_all_broken).await?;
    println!("no await: the second task begins after {labels} labels");
    assert_eq!(labels, 3);

    let labels = first(render_all).await?;
    println!("an await: the second task begins after {labels} label");
    assert_eq!(labels, 1);
    Ok(())
}
// ANCHOR_END: all
