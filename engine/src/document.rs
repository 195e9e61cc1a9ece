//! Documents on paper: pages for printing, rendered here and nowhere else.
//!
//! What a document says is decided in [`tongban_core::document`]; this module only sets it.
//! Rendering is a pure function: equal content gives equal bytes, because the bytes are hashed
//! and kept. Start reading at [`render_guide`]; `page` holds the sheet that all of them lie on.

mod guide_sheet;
mod page;
mod text;

pub use guide_sheet::{
    GuideAnswer, GuideFee, GuideMaterial, GuideMatter, GuideSheet, GuideTotal, GuideWay,
    render_guide,
};
