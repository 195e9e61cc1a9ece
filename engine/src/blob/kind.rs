//! What a file is, by its own bytes.
//!
//! Fixed signatures come from `infer`. Formats that are zip archives are told apart by the names
//! in the archive; nothing is unpacked.

use super::zip;

/// Bytes from the beginning that are looked at.
pub(super) const HEAD_BYTES: usize = 8 * 1024;
/// Bytes from the end that are looked at: where an archive lists its names.
pub(super) const TAIL_BYTES: usize = 128 * 1024;
/// Media type of what cannot be told.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// The types of files that can be told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// PDF.
    Pdf,
    /// OFD, GB/T 33190 (版式文档).
    Ofd,
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// TIFF.
    Tiff,
    /// A drawing of `AutoCAD`.
    Dwg,
    /// A text document, Office Open XML.
    Docx,
    /// A spreadsheet, Office Open XML.
    Xlsx,
    /// An older office document: a compound file, which does not say plainly which one.
    Compound,
    /// Any other zip archive.
    Zip,
}

/// The extensions that a material can accept, each with the types that it may hold.
pub const EXTENSIONS: [(&str, &[Kind]); 13] = [
    ("pdf", &[Kind::Pdf]),
    ("ofd", &[Kind::Ofd]),
    ("png", &[Kind::Png]),
    ("jpg", &[Kind::Jpeg]),
    ("jpeg", &[Kind::Jpeg]),
    ("tif", &[Kind::Tiff]),
    ("tiff", &[Kind::Tiff]),
    ("dwg", &[Kind::Dwg]),
    ("docx", &[Kind::Docx]),
    ("xlsx", &[Kind::Xlsx]),
    ("doc", &[Kind::Compound]),
    ("xls", &[Kind::Compound]),
    ("zip", &[Kind::Zip, Kind::Ofd, Kind::Docx, Kind::Xlsx]),
];

impl Kind {
    /// Tells what a file with this beginning and end is.
    pub(super) fn of(head: &[u8], tail: &[u8]) -> Option<Self> {
        if zip::begins(head) {
            return zip::is_whole(tail).then(|| Self::of_names(&zip::names(head, tail)));
        }
        match infer::get(head)?.extension() {
            // Readers look for the signature further in; so do those who hide something there.
            "pdf" => head.trim_ascii_start().starts_with(b"%PDF-").then_some(Self::Pdf),
            "png" => Some(Self::Png),
            "jpg" => Some(Self::Jpeg),
            "tif" => Some(Self::Tiff),
            "dwg" => Some(Self::Dwg),
            "doc" => Some(Self::Compound),
            _ => None,
        }
    }

    fn of_names(names: &[&[u8]]) -> Self {
        let has = |wanted: &[u8]| names.contains(&wanted);
        match () {
            () if has(b"OFD.xml") => Self::Ofd,
            () if has(b"[Content_Types].xml") && has(b"word/document.xml") => Self::Docx,
            () if has(b"[Content_Types].xml") && has(b"xl/workbook.xml") => Self::Xlsx,
            () => Self::Zip,
        }
    }

    /// Tells whether files of this extension may be of this type.
    pub(super) fn agrees_with(self, extension: &str) -> bool {
        EXTENSIONS.iter().any(|(known, kinds)| *known == extension && kinds.contains(&self))
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ofd => "application/ofd",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Tiff => "image/tiff",
            Self::Dwg => "image/vnd.dwg",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Compound => "application/x-ole-storage",
            Self::Zip => "application/zip",
        }
    }
}

/// Says what a file looks like, for an error.
pub(super) fn describe(head: &[u8], tail: &[u8]) -> String {
    let known = Kind::of(head, tail).map(Kind::media_type);
    let guess = || {
        if zip::begins(head) {
            return Some("不完整的压缩包 (incomplete zip archive)");
        }
        infer::get(head).map(|found| found.mime_type())
    };
    known.or_else(guess).unwrap_or("未知类型 (unknown)").to_owned()
}
