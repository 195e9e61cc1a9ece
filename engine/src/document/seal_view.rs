//! The view of a sealed document: its text with the seal's picture, the record, and whether the
//! record holds. It is made anew each time and is no evidence; the kept bytes are.

use maud::{Markup, html};
use tongban_core::document::{DocumentContent, SealFault, SealKind, SealRecord, Sealed};

use super::notice::{body, foot, pair};
use super::page::{Sheet, heading, sheet};
use super::text::{Shown, plain_date};

/// Renders what a reader on a screen sees of a sealed document: not the sealed bytes, and it says
/// so. `verified` is what the seal port answered for the bytes that are kept.
pub fn render_sealed(
    content: &DocumentContent,
    sealed: &Sealed,
    verified: &Result<(), SealFault>,
) -> Vec<u8> {
    let record = &sealed.seal;
    let title = format!("{} {}（展示页）", content.kind.name(), content.number);
    let mark = match record.kind {
        SealKind::Trial => Some("试用印章 · 无法律效力 TRIAL"),
        SealKind::Official => None,
    };
    let seal = if verified.is_ok() {
        picture(record)
    } else {
        html! { div.sealbox { span.bad { "（印章未通过验证，不予显示）" } } }
    };
    let page = html! {
        div.notice {
            p {
                b { "本页为展示页，不是签章原件；" }
                "具有效力的是签章所覆盖的原始文件，以下列摘要为准。"
                span.en lang="en" {
                    "A view, not the sealed file: what counts is the kept file with the digest below."
                }
            }
        }
        (body(content, &seal))
        (result(verified))
        (particulars(sealed))
    };
    sheet(&Sheet { title: &title, mark, foot: foot(content) }, &page)
}

fn result(verified: &Result<(), SealFault>) -> Markup {
    html! {
        (heading("验章结果", "Verification"))
        @match verified {
            Ok(()) => {
                p.flat {
                    span.good { "验证通过：签章真实，文件签章后未被改动，签章时印章在有效期内。" }
                    span.en lang="en" { "Genuine, unaltered, and in force when used." }
                }
            }
            Err(fault) => {
                p.flat { span.bad { "验证不通过：" (Shown(&fault.to_string())) } " " code { (fault.code()) } }
            }
        }
    }
}

fn particulars(sealed: &Sealed) -> Markup {
    let record = &sealed.seal;
    let validity = format!(
        "{} 至 {}",
        plain_date(record.valid_from.date()),
        plain_date(record.valid_until.date())
    );
    html! {
        (heading("签章记录", "Seal record"))
        table.pairs {
            (pair("印章类型", record.kind.name()))
            (pair("印章名称", &record.name))
            (pair("签章单位", &record.office))
            (pair("签章人", &record.signer))
            (pair("签章时间", &record.signed_at.to_string()))
            (pair("制章日期", &plain_date(record.made_at.date())))
            (pair("有效期", &validity))
            (pair("密钥", &record.key_id))
            (pair("算法", &record.algorithm))
            (pair("记录版本", &record.version.to_string()))
            tr { th { "原件摘要" } td { code { (sealed.digest) } } }
            tr { th { "签名值" } td { code { (hex(&record.signature)) } } }
        }
    }
}

/// Returns the picture: a red ring with a star, the office's name and the key. A real seal's
/// face is artwork of the office; this one only stands for it.
fn picture(record: &SealRecord) -> Markup {
    let lines = [record.office.as_str(), record.kind.name(), record.key_id.as_str()];
    let label = lines.join(" ");
    html! {
        svg.seal viewBox="0 0 200 200" role="img" aria-label=(Shown(&label)) {
            g fill="none" stroke="#c00" {
                circle cx="100" cy="100" r="94" stroke-width="5" {}
                circle cx="100" cy="100" r="86" stroke-width="1" {}
            }
            g fill="#c00" text-anchor="middle" {
                @for (index, line) in name_lines(&record.office).iter().enumerate() {
                    text x="100" y=(42 + 18 * index) font-size="17" { (Shown(line)) }
                }
                path d="M100 84l6.5 20h21l-17 12.4 6.5 20-17-12.4-17 12.4 6.5-20-17-12.4h21z" {}
                text x="100" y="152" font-size="13" { (record.kind.name()) }
                text x="100" y="167" font-size="8" { (Shown(&shorten(&record.key_id, KEY_CHARS))) }
            }
        }
    }
}

/// Characters of an office's name on one line of the picture.
const NAME_LINE_CHARS: usize = 8;
const NAME_LINES: usize = 3;
const KEY_CHARS: usize = 20;

/// Breaks an office's name into the lines that the picture has room for.
fn name_lines(office: &str) -> Vec<String> {
    let shown = shorten(office, NAME_LINE_CHARS * NAME_LINES);
    let letters: Vec<char> = shown.chars().collect();
    let lines = letters.len().div_ceil(NAME_LINE_CHARS).max(1);
    // Even lines look like a seal; a last line of one character does not.
    let per_line = letters.len().div_ceil(lines).max(1);
    letters.chunks(per_line).map(|line| line.iter().collect()).collect()
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests;
