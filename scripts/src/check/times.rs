//! Periods and dates that are written out: a run would refuse them only when a case is there.

use rhai::{Expr, Position};

use crate::api::UNTIL_SINCE;
use crate::api::time::{moment, read_period};
use crate::check::walk::{self, Call};
use crate::compile::Unit;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    let programs = crate::check::names::programs(project).map(crate::program::Program::main);
    for unit in programs.chain(project.libraries.iter().map(AsRef::as_ref)) {
        check_unit(unit, project.level_of(&unit.file), found);
    }
}

fn check_unit(unit: &Unit, level: u32, found: &mut Vec<Finding>) {
    walk::calls(&unit.ast, &mut |call| {
        let wrong = match (call.expr.name.as_str(), call.expr.args.len()) {
            ("timer" | "sleep", 1) => refused(&call, 0, |text| read_period(text).err()),
            ("timeout", 2) => refused(&call, 1, |text| read_period(text).err()),
            // Below that level a script may have a function of its own under this name.
            ("wait_until", 1) if level >= UNTIL_SINCE => {
                refused(&call, 0, |text| moment(text).err())
            }
            _ => None,
        };
        found.extend(wrong.map(|(at, trouble)| unit.finding(trouble, at)));
    });
}

/// Returns what is wrong with an argument that is a text, and where it stands.
fn refused(
    call: &Call<'_>,
    argument: usize,
    read: impl Fn(&str) -> Option<Trouble>,
) -> Option<(Position, Trouble)> {
    let given: &Expr = call.expr.args.get(argument)?;
    Some((given.position(), read(walk::text(given)?)?))
}
