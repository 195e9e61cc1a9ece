//! The sheet of paper that every rendering lies on: one self-contained A4 page set.
//!
//! No script, no address of anything outside, and a policy that forbids both, so that the bytes
//! are all there is: what was hashed is what anyone sees, in ten years too.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::Shown;

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded, sent or run; only the style inside the page applies.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What stands around the content of a sheet.
pub(super) struct Sheet<'a> {
    /// Title of the window.
    pub(super) title: &'a str,
    /// Words across the page that say what it is not, such as a draft's.
    pub(super) mark: Option<&'a str>,
    /// The line at the foot of every printed page.
    pub(super) foot: Markup,
}

/// Returns the bytes of a whole page.
pub(super) fn sheet(sheet: &Sheet<'_>, content: &Markup) -> Vec<u8> {
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (Shown(sheet.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if let Some(mark) = sheet.mark {
                    div.mark aria-hidden="true" { (mark) }
                }
                main.sheet { (content) }
                div.room aria-hidden="true" { div {} }
                footer.foot { (sheet.foot) }
            }
        }
    };
    page.into_string().into_bytes()
}

/// Returns a heading with its English line beneath.
pub(super) fn heading(chinese: &str, english: &str) -> Markup {
    html! {
        h2 { (chinese) span.en lang="en" { (english) } }
    }
}
