// ANCHOR: all
use std::sync::{Arc, OnceLock, Weak};

// ANCHOR: broken
// Broken: a shop keeps its export, which keeps its shop.
#[derive(Default)]
struct LooseShop {
    export: OnceLock<Arc<LooseExport>>,
}

struct LooseExport {
    shop: Arc<LooseShop>,
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: who looks up does not keep.
#[derive(Default)]
struct Shop {
    export: OnceLock<Arc<Export>>,
}

struct Export {
    shop: Weak<Shop>,
}
// ANCHOR_END: fixed

fn main() {
    let shop = Arc::new(LooseShop::default());
    let export = Arc::new(LooseExport { shop: shop.clone() });
    assert!(shop.export.set(export).is_ok());
    let left = Arc::downgrade(&shop);
    drop(shop);
    let shop = left.upgrade().expect("still there");
    assert!(shop.export.get().is_some_and(|e| Arc::ptr_eq(&e.shop, &shop)));
    println!("Arc both ways: nobody has the shop, and it is there");

    let shop = Arc::new(Shop::default());
    let export = Arc::new(Export { shop: Arc::downgrade(&shop) });
    assert!(shop.export.set(export.clone()).is_ok());
    assert!(export.shop.upgrade().is_some());
    drop(shop);
    assert!(export.shop.upgrade().is_none());
    println!("Weak on the way back: it is gone");
}
// ANCHOR_END: all
