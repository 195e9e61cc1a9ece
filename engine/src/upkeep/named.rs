//! Which files a log names.

use std::collections::BTreeMap;

use tongban_core::digest::Digest;
use tongban_core::entry::{Body, Entry};
use tongban_core::material::{Form, MaterialGiven};

/// How surely a file that a log names was kept with the case.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Named {
    /// Only its digest was told; the bytes may be elsewhere.
    ByDigest,
    /// The bytes were kept before the entry was committed.
    Kept,
}

/// Returns the digests of the files that a log names, each once.
pub fn named(entries: &[Entry]) -> BTreeMap<Digest, Named> {
    let mut files = BTreeMap::new();
    let mut add = |digest: Digest, named: Named| {
        let known = files.entry(digest).or_insert(named);
        *known = named.max(*known);
    };
    for entry in entries {
        if let Body::CaseStarted(started) = &entry.body {
            for given in started.materials.iter().filter(|given| given.form == Form::File) {
                add(given.digest, sureness(given));
            }
        } else if let Body::MaterialHanded(given) = &entry.body
            && given.form == Form::File
        {
            add(given.digest, sureness(given));
        } else if let Body::DocumentSealed(sealed) = &entry.body {
            add(sealed.digest, Named::Kept);
        } else if let Body::DocumentServed(served) = &entry.body {
            for file in &served.service.evidence {
                add(file.digest, Named::ByDigest);
            }
        }
    }
    files
}

/// A size is noted only when the bytes were found with the case.
fn sureness(given: &MaterialGiven) -> Named {
    if given.bytes > 0 { Named::Kept } else { Named::ByDigest }
}
