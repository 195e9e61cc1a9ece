//! Public case numbers: place, date, six-digit serial and a check character (dossier 8.5).

use std::collections::BTreeMap;

use tokio::sync::Mutex;
use tongban_core::id::RegionCode;
use tongban_core::port::{Store, StoreError};
use tongban_core::time::Moment;

/// Digits of the serial.
const SERIAL_DIGITS: usize = 6;
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

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
        let date = at.date();
        let prefix = format!("{region}{:04}{:02}{:02}", date.year(), date.month(), date.day());
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
fn with_check(text: &str) -> String {
    let mut product: usize = 36;
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte).unwrap_or(0);
        let sum = (product + value) % 36;
        product = if sum == 0 { 36 } else { sum } * 2 % 37;
    }
    let check = (37 - product) % 36;
    format!("{text}{}", char::from(ALPHABET[check]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_character_is_that_of_the_licence_identifiers() {
        // The dossier's synthetic licence identifier (8.6), without its dots.
        let text = "11100000000013338W0111142030000DEM001564203002026000001001";
        assert_eq!(with_check(text).chars().last(), Some('F'));
    }
}
