//! The log of what was published: one small record for each step of a version.

use std::sync::Arc;

use tongban_core::port::StoreError;
use tongban_core::publication::Publication;
use tongban_core::wire;

use super::committer::Write;
use super::disk::{self, Disk};
use super::{SledStore, blocking, key};

impl SledStore {
    pub(super) async fn keep_publication_now(&self, kept: Publication) -> Result<(), StoreError> {
        let key = key::publication(&kept.service, kept.no);
        if self.disk.get(&key)?.is_some() {
            return Err(StoreError::NumberTaken(format!("{} {}", kept.service, kept.no)));
        }
        self.write(vec![Write { key, payload: Some(wire::encode(&kept)) }]).await
    }

    pub(super) async fn publications_now(&self) -> Result<Vec<Publication>, StoreError> {
        let disk = Arc::clone(&self.disk);
        blocking(move || disk.publications()).await
    }
}

impl Disk {
    fn publications(&self) -> Result<Vec<Publication>, StoreError> {
        let pairs = self.db.scan_prefix(key::publications());
        pairs
            .map(|pair| {
                let (key, record) = pair.map_err(|error| disk::broken(&error))?;
                let payload = self.open(&key, &record)?;
                wire::decode(&payload).map_err(|_| disk::damaged("publication", &key))
            })
            .collect()
    }
}
