//! The audit log: in order, append-only, still there after a restart.

use tongban_core::audit::{Audited, AuditedAct, Deed};
use tongban_core::port::StoreError;
use tongban_core::time::Moment;

use super::StorePlace;

fn deed(reason: &str) -> Deed {
    Deed {
        at: Moment::from_millis(1_772_413_200_000),
        by: "wang".to_owned(),
        role: "operator".to_owned(),
        act: AuditedAct::Exported,
        target: "case_01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
        reason: reason.to_owned(),
    }
}

/// Records come back by number; a number that is taken stays as it is.
pub async fn the_audit_log_stays_in_order_and_is_never_replaced(place: &dyn StorePlace) {
    let store = place.open();
    assert_eq!(store.last_audited().await, Ok(None));
    let mut kept: Vec<Audited> = Vec::new();
    for no in 0..300 {
        let next = Audited::after(kept.last(), deed(&format!("第 {no} 次")));
        store.keep_audited(next.clone()).await.expect("nothing is in the way");
        kept.push(next);
    }
    let again = store.keep_audited(Audited::after(kept.get(3), deed("改写"))).await;
    assert!(matches!(again, Err(StoreError::NumberTaken(_))), "{again:?}");
    assert_eq!(store.audited(0, 1_000).await, Ok(kept.clone()));
    assert_eq!(store.audited(254, 3).await, Ok(kept[254..257].to_vec()));
    assert_eq!(store.audited(300, 3).await, Ok(Vec::new()));
    drop(store);
    let store = place.open();
    assert_eq!(store.audited(0, 1_000).await, Ok(kept.clone()));
    assert_eq!(store.last_audited().await, Ok(kept.last().cloned()));
}
