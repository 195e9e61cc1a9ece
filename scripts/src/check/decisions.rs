//! Options of `decide` and `start_decide` that are written as a literal map: unknown ones, and
//! silence that no rule makes an agreement. A run would refuse them too, but only when it comes
//! there.

use rhai::{Expr, Position};
use tongban_core::definition::MatterDef;
use tongban_core::id::RoleCode;

use crate::api::decision::{MEMBERS, own_silence, within_missing};
use crate::api::members::basis_missing;
use crate::check::walk::{self, Call};
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    for (program, def) in &project.matters {
        let unit = program.main();
        walk::calls(&unit.ast, &mut |call| {
            for (at, trouble) in troubles(&call, def) {
                found.push(unit.finding(trouble, at));
            }
        });
    }
}

/// The members of a literal map, each with its place.
struct Options<'a> {
    members: Vec<(&'a str, Position, &'a Expr)>,
    at: Position,
}

impl<'a> Options<'a> {
    fn of(call: &Call<'a>) -> Option<Self> {
        if !matches!(call.expr.name.as_str(), "decide" | "start_decide") {
            return None;
        }
        let Some(Expr::Map(map, at)) = call.expr.args.get(1) else { return None };
        let members = map.0.iter().map(|(name, value)| (name.as_str(), name.pos, value)).collect();
        Some(Self { members, at: *at })
    }

    fn get(&self, name: &str) -> Option<&(&'a str, Position, &'a Expr)> {
        self.members.iter().find(|(member, _, _)| *member == name)
    }
}

fn troubles(call: &Call<'_>, def: &MatterDef) -> Vec<(Position, Trouble)> {
    let Some(options) = Options::of(call) else { return Vec::new() };
    let strange = options.members.iter().filter(|(name, _, _)| !MEMBERS.contains(name));
    let mut troubles: Vec<(Position, Trouble)> =
        strange.map(|(name, at, _)| (*at, unknown(name))).collect();
    if options.get("title").is_none() {
        let trouble = Trouble::new(
            "DECIDE",
            "decide 缺少 title（审批人看到的标题）",
            "decide lacks a title, which the approver reads",
        );
        troubles.push((options.at, trouble));
    }
    troubles.extend(silence(call, &options, def));
    troubles
}

fn silence(call: &Call<'_>, options: &Options<'_>, def: &MatterDef) -> Option<(Position, Trouble)> {
    let (_, at, _) = options.get("silence")?;
    let basis = options.get("basis").map(|(_, _, said)| *said);
    let blank = |said: &Expr| walk::text(said).is_some_and(|text| text.trim().is_empty());
    if basis.is_none_or(blank) {
        return Some((
            *at,
            basis_missing("decide 的 silence（逾期视为同意）", "silence of decide"),
        ));
    }
    if options.get("within").is_none() {
        return Some((*at, within_missing()));
    }
    let role = call.expr.args.first().and_then(walk::text)?;
    let own = RoleCode::new(role).department() == def.department;
    own.then(|| (*at, own_silence(role)))
}

fn unknown(name: &str) -> Trouble {
    Trouble::new(
        "DECIDE",
        format!("decide 没有成员 {name}"),
        format!("decide has no member {name}"),
    )
    .advise_nearest(name, MEMBERS)
}
