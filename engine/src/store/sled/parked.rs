//! Parked messages: kept in parts, because a message may be larger than a record.

use std::sync::Arc;

use tongban_core::port::{ParkedPlace, ParkedReply, StoreError};
use tongban_core::wire;

use super::committer::Write;
use super::disk::{self, Disk};
use super::record::CHUNK_BYTES_MAX;
use super::{SledStore, blocking, key};

impl SledStore {
    pub(super) async fn park_now(&self, parked: ParkedReply) -> Result<(), StoreError> {
        let place = parked.place();
        if self.disk.get(&key::parked(&place, 0))?.is_some() {
            return Ok(());
        }
        let encoded = wire::encode(&parked);
        let parts = (0_u16..).zip(encoded.chunks(CHUNK_BYTES_MAX));
        let writes = parts
            .map(|(no, part)| Write { key: key::parked(&place, no), payload: Some(part.to_vec()) });
        self.write(writes.collect()).await
    }

    pub(super) async fn parked_now(&self) -> Result<Vec<ParkedReply>, StoreError> {
        let disk = Arc::clone(&self.disk);
        blocking(move || disk.parked()).await
    }

    pub(super) async fn unpark_now(&self, place: ParkedPlace) -> Result<(), StoreError> {
        let disk = Arc::clone(&self.disk);
        let parts = blocking(move || disk.parts_of(&place)).await?;
        self.write(parts.into_iter().map(|key| Write { key, payload: None }).collect()).await
    }
}

impl Disk {
    fn parked(&self) -> Result<Vec<ParkedReply>, StoreError> {
        let mut messages: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for pair in self.db.scan_prefix(key::all_parked()) {
            let (key, record) = pair.map_err(|error| disk::broken(&error))?;
            let part = self.open(&key, &record)?;
            let message = key::parked_message(&key);
            let message = message.ok_or_else(|| disk::damaged("parked message", &key))?;
            match messages.last_mut().filter(|(known, _)| known == message) {
                Some((_, encoded)) => encoded.extend(part),
                None => messages.push((message.to_vec(), part)),
            }
        }
        let decoded = messages.iter().map(|(key, encoded)| {
            wire::decode(encoded).map_err(|_| disk::damaged("parked message", key))
        });
        decoded.collect()
    }

    fn parts_of(&self, place: &ParkedPlace) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.db.scan_prefix(key::parked_parts(place)).keys();
        keys.map(|key| key.map(|key| key.to_vec()).map_err(|error| disk::broken(&error))).collect()
    }
}
