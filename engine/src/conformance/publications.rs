//! The log of published versions: in order, append-only, still there after a restart.

use tongban_core::digest::Digest;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::StoreError;
use tongban_core::publication::{Publication, Step};
use tongban_core::time::Moment;

use super::StorePlace;

fn record(service: &str, no: u32, step: Step) -> Publication {
    Publication {
        service: ServiceCode::new(service),
        no,
        closure: Digest::of(service.as_bytes()),
        step,
        by: "wang".to_owned(),
        role: "integrator".to_owned(),
        reason: "按计划上线".to_owned(),
        at: Moment::from_millis(1_772_413_200_000),
    }
}

/// Records come back by service and number; a number that is taken stays as it is.
pub async fn publications_stay_in_order_and_are_never_replaced(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.publications().await, Ok(Vec::new()));
    let regions = vec![RegionCode::new("420302")];
    let kept = vec![
        record("a", 1, Step::Drafted),
        record("a", 2, Step::Piloted { regions }),
        record("a", 10, Step::Activated),
        record("b", 1, Step::Drafted),
    ];
    for one in kept.iter().rev() {
        store.keep_publication(one.clone()).await.expect("nothing is in the way");
    }
    let again = store.keep_publication(record("a", 2, Step::Retired)).await;
    assert!(matches!(again, Err(StoreError::NumberTaken(_))), "{again:?}");
    assert_eq!(store.publications().await, Ok(kept.clone()));
    drop(store);
    assert_eq!(place.open().publications().await, Ok(kept));
}
