// ANCHOR: all
use std::sync::{Arc, OnceLock, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

mod loose {
    use super::{Arc, OnceLock, OwnedSemaphorePermit};

    // ANCHOR: broken
    pub struct Parcel {
        pub label: OnceLock<Arc<Label>>,
    }

    pub struct Label {
        pub parcel: Arc<Parcel>,
        pub permit: OwnedSemaphorePermit,
    }
    // ANCHOR_END: broken
}

// ANCHOR: fixed
struct Parcel {
    label: OnceLock<Arc<Label>>,
}

struct Label {
    parcel: Weak<Parcel>,
    permit: OwnedSemaphorePermit,
}
// ANCHOR_END: fixed

fn main() -> anyhow::Result<()> {
    let budget = Arc::new(Semaphore::new(16));
    let permit = budget.clone().try_acquire_many_owned(7)?;
    let parcel = Arc::new(loose::Parcel { label: OnceLock::new() });
    let label = loose::Label { parcel: parcel.clone(), permit };
    assert!(parcel.label.set(Arc::new(label)).is_ok());
    let weak = Arc::downgrade(&parcel);
    drop(parcel);
    println!("Arc both ways: {} of 16 are free", budget.available_permits());
    assert_eq!(budget.available_permits(), 9);
    let parcel = weak.upgrade().expect("it is in memory");
    let label = parcel.label.get().expect("it is set");
    assert!(Arc::ptr_eq(&label.parcel, &parcel));
    assert_eq!(label.permit.num_permits(), 7);

    let budget = Arc::new(Semaphore::new(16));
    let permit = budget.clone().try_acquire_many_owned(7)?;
    let parcel = Arc::new(Parcel { label: OnceLock::new() });
    let label = Label { parcel: Arc::downgrade(&parcel), permit };
    assert!(parcel.label.set(Arc::new(label)).is_ok());
    let label = parcel.label.get().expect("it is set");
    let back = label.parcel.upgrade().expect("it is in memory");
    assert!(Arc::ptr_eq(&back, &parcel) && label.permit.num_permits() == 7);
    drop(back);
    drop(parcel);
    println!("Weak on the way back: {} of 16", budget.available_permits());
    assert_eq!(budget.available_permits(), 16);
    Ok(())
}
// ANCHOR_END: all
