// ANCHOR: all
use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

tokio::task_local! {
    static CASE: u32;
    /// The sheets that have been written.
    static SHEETS: Cell<u32>;
    static ALL_SHEETS: Arc<AtomicU32>;
}

async fn write() {
    SHEETS.with(|sheets| sheets.set(sheets.get() + 1));
}

async fn write_for_all() {
    ALL_SHEETS.with(|sheets| sheets.fetch_add(1, Relaxed));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: scope
    let cases = CASE.scope(7, async {
        let inner = CASE.scope(8, async { CASE.get() }).await;
        (inner, CASE.get())
    });
    assert_eq!(cases.await, (8, 7));
    println!("an inner scope ends, and the outer value is back");
    // ANCHOR_END: scope

    // ANCHOR: taken
    // What was collected is there when the work is done.
    let hearing = async { tokio::join!(write(), write(), write()) };
    let mut hearing = pin!(SHEETS.scope(Cell::new(0), hearing));
    hearing.as_mut().await;
    let sheets = hearing.take_value().map(Cell::into_inner);
    println!("taken out: {sheets:?}");
    assert_eq!(sheets, Some(3));
    // ANCHOR_END: taken

    // ANCHOR: broken
    // Broken: the task has a copy, and its sheet is counted there.
    let hearing = SHEETS.scope(Cell::new(0), async {
        let copy = SHEETS.get();
        tokio::spawn(SHEETS.scope(copy, write())).await?;
        write().await;
        anyhow::Ok(SHEETS.get().into_inner())
    });
    let sheets = hearing.await?;
    println!("a Cell, copied: {sheets} of 2");
    assert_eq!(sheets, 1);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the copy is a pointer to the same number.
    let hearing = ALL_SHEETS.scope(Arc::default(), async {
        let same = ALL_SHEETS.get();
        tokio::spawn(ALL_SHEETS.scope(same, write_for_all())).await?;
        write_for_all().await;
        anyhow::Ok(ALL_SHEETS.with(|sheets| sheets.load(Relaxed)))
    });
    let sheets = hearing.await?;
    println!("an Arc: {sheets} of 2");
    assert_eq!(sheets, 2);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
