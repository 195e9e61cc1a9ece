//! Reference documents as a backup carries them: every object under the key that it has.
//!
//! Documents, records and what an importer left half-way are copied alike, so that a restored
//! place holds what the other one held, whether a folder or a bucket.

use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};

use super::place::Place;
use super::{ReferenceError, References};
use crate::objects::{Attempt, ObjectsError};

impl References {
    /// Lists the keys of all objects, in order.
    pub(crate) async fn keys(&self) -> Result<Vec<Path>, ReferenceError> {
        let root = Place::root();
        let listed = self.store.list(Some(&root)).map_ok(|object| object.location);
        let listed: Result<Vec<Path>, _> = listed.try_collect().await;
        let mut keys = listed.map_err(|why| ObjectsError::new(Attempt::List, &root, why))?;
        keys.sort();
        Ok(keys)
    }

    /// Reads an object; `None` when it was taken back since it was listed.
    pub(crate) async fn copy(&self, key: &Path) -> Result<Option<Vec<u8>>, ReferenceError> {
        self.get(key).await
    }

    /// Writes what another place had under a key.
    pub(crate) async fn put_copy(&self, key: &str, bytes: Vec<u8>) -> Result<(), ReferenceError> {
        let key = Path::from(key);
        let put = self.store.put(&key, PutPayload::from(bytes)).await;
        put.map(drop).map_err(|why| ObjectsError::new(Attempt::Write, &key, why).into())
    }

    /// Tells whether a key is one of an object of reference documents.
    pub(crate) fn has_key(key: &str) -> bool {
        Path::from(key).prefix_matches(&Place::root())
    }
}
