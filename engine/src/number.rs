//! Public case numbers: place, date, six-digit serial and a check character (dossier 8.5).

use std::collections::BTreeMap;

use tokio::sync::Mutex;
use tongban_core::id::RegionCode;
use tongban_core::identifier::{CaseNo, mod_37_36};
use tongban_core::port::{Store, StoreError};
use tongban_core::time::Moment;

/// Digits of the serial.
const SERIAL_DIGITS: usize = 6;

/// Gives out case numbers. Uniqueness is the store's; this only proposes.
#[derive(Default)]
pub(crate) struct Numbers {
    /// Last serial by place and date. Held across the one read that fills it.
    last: Mutex<BTreeMap<String, u32>>,
}

impl Numbers {
    /// Proposes the next number of a place on a day.
    pub(crate) async fn next(
        &self,
        store: &dyn Store,
        region: &RegionCode,
        at: Moment,
    ) -> Result<String, StoreError> {
        let prefix = CaseNo::prefix(region.as_str(), at.date());
        let mut last = self.last.lock().await;
        let known = match last.get(&prefix) {
            Some(known) => *known,
            None => stored_serial(store, &prefix).await?,
        };
        last.retain(|other, _| other.get(..region.as_str().len()) != Some(region.as_str()));
        last.insert(prefix.clone(), known + 1);
        Ok(with_check(&format!("{prefix}{:0SERIAL_DIGITS$}", known + 1)))
    }

    /// Forgets what was proposed, so that the store is asked again.
    pub(crate) async fn reset(&self) {
        self.last.lock().await.clear();
    }
}

async fn stored_serial(store: &dyn Store, prefix: &str) -> Result<u32, StoreError> {
    let last = store.last_number(prefix.to_owned()).await?;
    let serial = last.as_deref().and_then(|number| number.get(prefix.len()..number.len() - 1));
    Ok(serial.and_then(|serial| serial.parse().ok()).unwrap_or(0))
}

/// Appends the check character of ISO 7064 MOD 37,36.
pub(crate) fn with_check(text: &str) -> String {
    format!("{text}{}", mod_37_36(text))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_are_case_numbers_of_their_place_and_day() {
        let prefix = CaseNo::prefix("420300", date(2026, 3, 2));
        let number = with_check(&format!("{prefix}{:0SERIAL_DIGITS$}", 1));
        assert_eq!(CaseNo::parse(&number), Ok(CaseNo::new("420300", date(2026, 3, 2), 1)));
    }
}
