//! `tongban calendar import`: a checked calendar becomes a version in the data folder.
//!
//! A version holds all years: those that the file does not claim are taken over from the version
//! before (for the national calendar at first from the shipped one). All calendars of the folder
//! must still fit together, or nothing is kept.

use serde_json::{Value, json};
use tongban_core::calendar::{CalendarDocument, Calendars, NATIONAL_CODE};
use tongban_core::digest::Digest;
use tongban_core::port::WireClock as _;
use tongban_engine::clock::SystemClock;
use tongban_engine::reference::{References, Version};

use super::args::ImportArguments;
use super::{pretty, source};
use crate::program::args::Format;
use crate::program::audit;
use crate::program::error::{ProgramError, shown};
use crate::program::output;

/// What an import comes to.
struct Imported {
    document: CalendarDocument,
    /// As the calendar counts from here on.
    version: String,
    first_year: i16,
    last_year: i16,
    /// Whether the folder's calendar changes.
    changes: Changes,
}

/// What the folder has of it now.
struct Kept {
    version: Version,
    /// Whether it had that before.
    is_same: bool,
}

/// How a calendar differs from the one in force.
enum Changes {
    /// There is none of this code.
    New,
    /// Days that become working or stop being so.
    Days(usize),
}

/// Checks a file and keeps it.
pub(super) async fn run(arguments: &ImportArguments) -> Result<(), ProgramError> {
    let notice = arguments.source.as_deref().unwrap_or_default();
    let document = source::read(&arguments.file, notice)?;
    let is_new_folder = !arguments.data.is_dir();
    let imported = if arguments.dry_run && is_new_folder {
        checked(&document, Vec::new(), arguments)?
    } else {
        let references = source::open(&arguments.data).await?;
        let kept = source::current(&references, &arguments.data).await?;
        let imported = checked(&document, kept, arguments)?;
        if !arguments.dry_run {
            let kept = keep(&references, &imported.document, arguments).await?;
            tell(&imported, Some(&kept), arguments);
            return Ok(());
        }
        imported
    };
    tell(&imported, None, arguments);
    Ok(())
}

/// Puts the document in the place of the former version, among the others.
fn checked(
    document: &CalendarDocument,
    kept: Vec<CalendarDocument>,
    arguments: &ImportArguments,
) -> Result<Imported, ProgramError> {
    let wrong = |error| source::wrong(shown(&arguments.file), &error);
    let in_force = Calendars::of(&kept).map_err(wrong)?;
    let (same, mut others): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|other| other.code == document.code);
    let former = same
        .into_iter()
        .next()
        .or_else(|| (document.code == NATIONAL_CODE).then(CalendarDocument::national));
    let whole = match &former {
        Some(former) => document.over(former).map_err(wrong)?,
        None => document.clone(),
    };
    others.push(whole.clone());
    let calendars = Calendars::of(&others).map_err(wrong)?;
    let made = calendars.named(&whole.code).expect("the set was made with this document");
    let changes = match in_force.named(&whole.code) {
        Some(before) => Changes::Days(made.days_unlike(before)),
        None => Changes::New,
    };
    Ok(Imported {
        version: made.version().to_owned(),
        first_year: made.first_year(),
        last_year: made.last_year(),
        document: whole,
        changes,
    })
}

/// Keeps a document. The bytes of the version in force change nothing, and no audit record says
/// that they did.
async fn keep(
    references: &References,
    document: &CalendarDocument,
    arguments: &ImportArguments,
) -> Result<Kept, ProgramError> {
    let bytes = serde_json::to_vec_pretty(document).expect("a calendar is plain data");
    let unkept = |error| source::unkept(&arguments.data, &error);
    let versions = references.versions(source::KIND, &document.code).await.map_err(unkept)?;
    let digest = Digest::of(&bytes);
    if let Some(same) = versions.into_iter().last().filter(|newest| newest.digest == digest) {
        return Ok(Kept { version: same, is_same: true });
    }
    let told = audit::document(source::KIND, &document.code, &bytes);
    audit::note_replaced(&arguments.data, vec![told]).await?;
    let kept = references.publish(source::KIND, &document.code, bytes, SystemClock.now()).await;
    Ok(Kept { version: kept.map_err(unkept)?, is_same: false })
}

fn tell(imported: &Imported, kept: Option<&Kept>, arguments: &ImportArguments) {
    match arguments.format {
        Format::Text => output::data(&text(imported, kept, arguments)),
        Format::Json => output::data(&pretty(&as_json(imported, kept))),
    }
}

fn as_json(imported: &Imported, kept: Option<&Kept>) -> Value {
    let document = &imported.document;
    json!({
        "calendar": document.code,
        "name": document.name,
        "version": imported.version,
        "firstYear": imported.first_year,
        "lastYear": imported.last_year,
        "days": document.days.len(),
        "changedDays": match imported.changes {
            Changes::New => Value::Null,
            Changes::Days(days) => json!(days),
        },
        "kept": kept.is_some(),
        "unchanged": kept.is_some_and(|kept| kept.is_same),
        "number": kept.map(|kept| kept.version.version),
    })
}

fn text(imported: &Imported, kept: Option<&Kept>, arguments: &ImportArguments) -> String {
    let document = &imported.document;
    let (changes_zh, changes_en) = match imported.changes {
        Changes::New => ("新日历".to_owned(), "a new calendar".to_owned()),
        Changes::Days(days) => (
            format!("{days} 天与现行日历不同"),
            format!("differs from the one in force on {days} days"),
        ),
    };
    let (done_zh, done_en) = match kept {
        Some(Kept { version, is_same: true }) => (
            format!("与第 {} 版相同,未作变更", version.version),
            format!("the same as version {}, nothing changed", version.version),
        ),
        Some(Kept { version, is_same: false }) => (
            format!("已保存为第 {} 版于 {}", version.version, shown(&arguments.data)),
            format!("kept as version {} in {}", version.version, shown(&arguments.data)),
        ),
        None => ("校验通过,未保存".to_owned(), "in order, nothing kept".to_owned()),
    };
    format!(
        "{name} {version}\n  年度 / years    {first}–{last},{days} 个特殊日 / special days\n  变化 / changes  {changes_zh} / {changes_en}\n  结果 / result   {done_zh} / {done_en}",
        name = document.name,
        version = imported.version,
        first = imported.first_year,
        last = imported.last_year,
        days = document.days.len(),
    )
}
