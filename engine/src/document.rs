//! Documents on paper: pages for printing, rendered here and nowhere else, and seals.
//!
//! What a document says is decided in [`tongban_core::document`]; this module only sets it.
//! Rendering is a pure function: equal content gives equal bytes, because the bytes are hashed
//! and kept. Start reading at [`render`]: it makes the bytes that a seal covers. The seal's
//! picture is on another page ([`render_sealed`]), and so is the one-time notice
//! ([`render_guide`]). `page` holds the sheet that all of them lie on.

mod guide_sheet;
mod notice;
mod page;
#[cfg(test)]
mod sample;
mod says;
mod seal;
mod seal_view;
mod text;

pub use guide_sheet::{
    GuideAnswer, GuideFee, GuideMaterial, GuideMatter, GuideSheet, GuideTotal, GuideWay,
    render_guide,
};
pub use notice::{Face, render};
pub use seal::NoSeal;
#[cfg(feature = "dev-seal")]
pub use seal::{DevSeal, DevSealError};
pub use seal_view::render_sealed;
