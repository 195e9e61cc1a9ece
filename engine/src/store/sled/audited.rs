//! The audit log: one small record for each deed.

use tongban_core::audit::Audited;
use tongban_core::port::StoreError;
use tongban_core::wire;

use super::committer::Write;
use super::disk::{self, Disk};
use super::{SledStore, key};

impl SledStore {
    pub(super) async fn keep_audited_now(&self, kept: Audited) -> Result<(), StoreError> {
        let key = key::audited(kept.no);
        if self.disk.get(&key)?.is_some() {
            return Err(StoreError::NumberTaken(kept.no.to_string()));
        }
        self.write(vec![Write { key, payload: Some(wire::encode(&kept)) }]).await
    }
}

impl Disk {
    pub(super) fn audited(&self, after: u64, most: usize) -> Result<Vec<Audited>, StoreError> {
        let from = key::audited(after.saturating_add(1));
        let until = key::audited(u64::MAX);
        let pairs = self.db.range(from..=until).take(most);
        pairs.map(|pair| self.audited_of(pair)).collect()
    }

    pub(super) fn last_audited(&self) -> Result<Option<Audited>, StoreError> {
        let last = self.db.scan_prefix(key::all_audited()).next_back();
        last.map(|pair| self.audited_of(pair)).transpose()
    }

    fn audited_of(
        &self,
        pair: sled::Result<(sled::IVec, sled::IVec)>,
    ) -> Result<Audited, StoreError> {
        let (key, record) = pair.map_err(|error| disk::broken(&error))?;
        let payload = self.open(&key, &record)?;
        wire::decode(&payload).map_err(|_| disk::damaged("audit record", &key))
    }
}
