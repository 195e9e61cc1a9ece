//! Printed histories: `history` (every entry) and `milestones` (what the applicant is told).

use rhai::{Engine, NativeCallContext};

use crate::diagnose::Trouble;
use crate::rehearsal::Histories;
use crate::rehearsal::current::{Current, Detail, with};
use crate::rehearsal::diff::diff;
use crate::rehearsal::history::plain;
use crate::rehearsal::literal::{self, Rewrite};
use crate::suspend::Thrown;

use super::R;

/// Which entries are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    Everything,
    Public,
}

pub(crate) fn register(engine: &mut Engine) {
    let words = [("history", Extent::Everything), ("milestones", Extent::Public)];
    for (name, extent) in words {
        engine.register_fn(name, move |context: NativeCallContext<'_>, _: &mut R, text: &str| {
            compare(&context, extent, text)
        });
    }
}

fn compare(context: &NativeCallContext<'_>, extent: Extent, text: &str) -> Result<(), Thrown> {
    let at = context.call_position();
    with(context, |current| {
        let lines = current.history();
        let shown = lines.iter().filter(|line| extent == Extent::Everything || !line.internal);
        let got: Vec<String> = shown.map(ToString::to_string).collect();
        let expected = plain(text);
        if got == expected {
            return Ok(());
        }
        match current.histories {
            Histories::Update => note(current, at, got),
            Histories::Compare => Err(differs(current, &expected, &got)),
        }
    })
}

fn differs(current: &mut Current, expected: &[String], got: &[String]) -> Trouble {
    current.detail = Some(Detail {
        expected: expected.join("\n"),
        got: got.join("\n"),
        diff: diff(expected, got),
    });
    Trouble::new(
        "HISTORY_DIFFERS",
        "打印的经过与此处不同(- 为此处所写,+ 为实际)",
        "the printed history differs (- is written here, + is what happened)",
    )
    .advise(
        "确认无误后用 --update 改写此处。",
        "when what happened is right, rewrite this with --update.",
    )
}

/// Notes what the literal at `at` should say.
fn note(current: &mut Current, at: rhai::Position, lines: Vec<String>) -> Result<(), Trouble> {
    let place = literal::argument(&current.unit, at);
    let Some((line, column)) = place else {
        return Err(Trouble::new(
            "HISTORY_NOT_LITERAL",
            "经过须直接写成文字,才能用 --update 改写",
            "a history must be a plain text here for --update to rewrite it",
        ));
    };
    current.rewrites.push(Rewrite { line, column, lines });
    Ok(())
}
