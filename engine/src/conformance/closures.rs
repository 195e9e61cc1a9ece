//! Closures: kept once, listed whole.

use tongban_core::digest::Digest;

use super::StorePlace;

/// Keeping a closure twice is keeping it once; after a restart it is still there.
pub async fn kept_closures_are_listed_once(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.closures().await, Ok(Vec::new()));
    let large = vec![7; 300_000];
    let mut kept =
        vec![(Digest::of(b"one"), b"sources of one".to_vec()), (Digest::of(b"two"), large)];
    for (digest, sources) in kept.iter().chain(&kept) {
        let keeping = store.keep_closure(*digest, sources.clone());
        keeping.await.expect("nothing is in the way");
    }
    kept.sort();
    assert_eq!(store.closures().await, Ok(kept.clone()));
    drop(store);
    assert_eq!(place.open().closures().await, Ok(kept));
}
