//! What a file must be to be taken.

use tongban_core::limits::{UPLOAD_BYTES_MAX, UPLOAD_NAME_CHARS_MAX};

use super::BlobError;

/// What a file is called and what it may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Name of the file, as people will see it.
    pub file_name: String,
    /// Extensions that the material accepts, in lower case and without a dot.
    pub extensions: Vec<String>,
    /// Most bytes, at most [`UPLOAD_BYTES_MAX`].
    pub bytes_max: u64,
}

impl Wanted {
    /// Wants a file of one of these types, as large as any may be.
    pub fn new(file_name: impl Into<String>, extensions: &[String]) -> Self {
        Self {
            file_name: file_name.into(),
            extensions: extensions.to_vec(),
            bytes_max: UPLOAD_BYTES_MAX,
        }
    }

    /// Returns the extension of the file, which is one of those wanted.
    pub(super) fn extension(&self) -> Result<String, BlobError> {
        self.check_name()?;
        let found = self.file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let found = found.to_ascii_lowercase();
        let is_wanted = self.extensions.iter().any(|one| one.eq_ignore_ascii_case(&found));
        if is_wanted && !found.is_empty() {
            return Ok(found);
        }
        let file = self.file_name.clone();
        Err(BlobError::NotAccepted { file, accepted: self.extensions.clone(), found })
    }

    /// Refuses names that would read otherwise than they are written, or lead elsewhere.
    fn check_name(&self) -> Result<(), BlobError> {
        let name = &self.file_name;
        let fits = (1..=UPLOAD_NAME_CHARS_MAX).contains(&name.chars().count());
        let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\') && !turns_text(c);
        if fits && name.chars().all(is_plain) && !name.trim_matches(['.', ' ']).is_empty() {
            return Ok(());
        }
        let name = name.chars().take(UPLOAD_NAME_CHARS_MAX).collect();
        Err(BlobError::BadName { name, limit: UPLOAD_NAME_CHARS_MAX })
    }
}

/// Tells whether a character changes the direction of text, so that `fdp.exe` shows as `exe.pdf`.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
