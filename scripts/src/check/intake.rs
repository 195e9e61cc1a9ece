//! `fn intake(m)`: that it is one that can run, asks for facts only, and advises what the matter
//! and the law know. A run would refuse the same, but only with an applicant waiting.

use std::collections::BTreeSet;

use rhai::{Expr, Position};
use tongban_core::definition::{DecidesIn, MatterDef};
use tongban_core::law::NOT_ACCEPT_GROUNDS;

use crate::api::intake::{ADVICES, MEMBERS, unknown_ground, unlisted};
use crate::check::catalogue::Catalogue;
use crate::check::walk::{self, Call};
use crate::compile::Unit;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;
use crate::program::Program;

/// What decides, waits or acts; `intake` does none of it.
const NOT_ASKING: [&str; 11] = [
    "start_decide",
    "decide",
    "timer",
    "sleep",
    "wait_until",
    "timeout",
    "grant",
    "grant_tolerant",
    "deny",
    "forward_up",
    "terminate",
];

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    for (program, def) in &project.matters {
        let unit = program.main();
        let own = unit.ast.iter_functions().find(|function| function.name == "intake");
        if let Some(own) = own {
            let at = unit.definition("intake");
            let trouble = if own.params.len() != 1 {
                Some(one_parameter())
            } else if def.decides_in == DecidesIn::Connector {
                Some(never_runs())
            } else {
                None
            };
            found.extend(trouble.map(|trouble| unit.finding(trouble, at)));
        }
        for (at, trouble) in strays(program) {
            found.push(unit.finding(trouble, at));
        }
        walk::calls(&unit.ast, &mut |call| {
            for (at, trouble) in of_list(&call, def) {
                found.push(unit.finding(trouble, at));
            }
        });
    }
}

/// Refuses acts of the law in `intake`: what it asks has no effect that would have to be settled.
pub(crate) fn effects(project: &Project, catalogue: &Catalogue, found: &mut Vec<Finding>) {
    for (program, _) in &project.matters {
        let unit = program.main();
        each_call(program, "intake", &mut |call| {
            let asks = matches!(call.expr.name.as_str(), "ask" | "start");
            let Some(first) = call.expr.args.first().filter(|_| asks) else { return };
            let named = walk::text(first).and_then(|name| catalogue.operations.get(name));
            if named.is_some_and(|operation| operation.effect == "legal_act") {
                found.push(
                    unit.finding(acts(walk::text(first).unwrap_or_default()), first.position()),
                );
            }
        });
    }
}

/// Visits the calls of a function of the file, and of those that it calls there.
fn each_call(program: &Program, name: &str, visit: &mut dyn FnMut(&Call<'_>)) {
    let unit: &Unit = program.main();
    let mut open = vec![name.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let body = walk::function(&unit.ast, &name);
        walk::calls(&body, &mut |call| {
            open.push(call.expr.name.to_string());
            open.extend(call.expr.args.iter().filter_map(walk::closure_name));
            visit(&call);
        });
    }
}

/// Finds what stands in the wrong one of the two functions.
fn strays(program: &Program) -> Vec<(Position, Trouble)> {
    let mut strays = Vec::new();
    each_call(program, "intake", &mut |call| {
        let name = call.expr.name.as_str();
        if NOT_ASKING.contains(&name) {
            strays.push((call.at, only_asks(name)));
        }
    });
    each_call(program, "handle", &mut |call| {
        let name = call.expr.name.as_str();
        if ADVICES.contains(&name) {
            strays.push((call.at, only_advises(name)));
        }
    });
    strays
}

/// Looks at the literal parts of `correct` and `not_accept`.
fn of_list(call: &Call<'_>, def: &MatterDef) -> Vec<(Position, Trouble)> {
    let Some(first) = call.expr.args.first() else { return Vec::new() };
    match (call.expr.name.as_str(), first) {
        ("not_accept", _) => {
            let strange = walk::text(first)
                .filter(|ground| !NOT_ACCEPT_GROUNDS.iter().any(|(known, _)| known == ground));
            strange.map(|ground| (first.position(), unknown_ground(ground))).into_iter().collect()
        }
        ("correct", Expr::Map(map, _)) => {
            let members = map.0.iter();
            members.flat_map(|(name, value)| member(name.as_str(), name.pos, value, def)).collect()
        }
        _ => Vec::new(),
    }
}

fn member(name: &str, at: Position, value: &Expr, def: &MatterDef) -> Vec<(Position, Trouble)> {
    let (what, known): (&str, Vec<&str>) = match name {
        "materials" => ("材料", def.materials.iter().map(|one| one.code.as_str()).collect()),
        "fields" => ("字段", def.form.iter().map(|field| field.name.as_str()).collect()),
        _ if MEMBERS.contains(&name) => return Vec::new(),
        _ => {
            let trouble = Trouble::new(
                "CORRECT",
                format!("correct 没有成员 {name}"),
                format!("correct has no member {name}"),
            );
            return vec![(at, trouble.advise_nearest(name, MEMBERS.iter().copied()))];
        }
    };
    let Expr::Array(items, _) = value else { return Vec::new() };
    let named = items.iter().filter_map(|item| Some((item.position(), walk::text(item)?)));
    named
        .filter(|(_, name)| !known.contains(name))
        .map(|(at, name)| (at, unlisted(what, name, &known)))
        .collect()
}

fn one_parameter() -> Trouble {
    Trouble::new(
        "INTAKE_PARAMETER",
        "fn intake(m) 须恰有一个参数",
        "fn intake(m) takes exactly one parameter",
    )
}

fn never_runs() -> Trouble {
    Trouble::new(
        "INTAKE_ELSEWHERE",
        "该事项由部门在自有系统中受理，fn intake(m) 不会执行",
        "the department accepts this matter in its own system; fn intake(m) would never run",
    )
    .advise("请去掉 fn intake(m)。", "remove fn intake(m).")
}

fn only_asks(name: &str) -> Trouble {
    Trouble::new(
        "NOT_IN_INTAKE",
        format!("intake 中不能调用 {name}"),
        format!("intake cannot call {name}"),
    )
    .advise(
        "预审只用 ask、start 查询事实并给出建议；决定、等待和行为请写在 handle(m) 中。",
        "intake only asks agencies for facts and advises; decide, wait and act in handle(m).",
    )
}

fn only_advises(name: &str) -> Trouble {
    Trouble::new(
        "ONLY_IN_INTAKE",
        format!("{name} 是预审的建议，只能由 intake(m) 返回"),
        format!("{name} is an advice on the intake; only intake(m) returns it"),
    )
}

fn acts(operation: &str) -> Trouble {
    Trouble::new(
        "ACT_IN_INTAKE",
        format!("{operation} 会作出行为，不能在受理之前调用"),
        format!("{operation} is an act; it is not called before the acceptance"),
    )
}
