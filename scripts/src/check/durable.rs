//! Durable calls where none may stand: in comparers, whose calls depend on the order of sorting,
//! and in `when` predicates, which are evaluated without a case.

use std::collections::BTreeSet;

use rhai::AST;

use crate::api::DURABLE;
use crate::check::walk;
use crate::compile::Unit;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;

/// Functions that call their closure to compare.
const COMPARING: [&str; 4] = ["sort", "sort_by", "order_by", "dedup"];

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    let units =
        crate::check::names::programs(project).map(|program| (program.main(), &program.ast));
    for (unit, linked) in units {
        check_unit(unit, linked, found);
    }
    for (program, service) in &project.services {
        let closure = service.computes.as_ref().map(rhai::FnPtr::fn_name);
        let linked = &program.ast;
        let durable = closure.and_then(|name| durable_in(linked, name, &mut BTreeSet::new()));
        if let Some(durable) = durable {
            let trouble = Trouble::new(
                "DURABLE_IN_CLOSURE",
                format!("得出事项的闭包中不能调用 {durable}"),
                format!("the closure that computes the matters cannot call {durable}"),
            )
            .advise(
                "事项只由情形的答复得出；需要的数据请列为问题。",
                "matters follow from the answers alone; make a question of what is needed.",
            );
            let unit = program.main();
            found.push(unit.finding(trouble, walk::call_of(&unit.ast, &durable)));
        }
    }
    for library in &project.libraries {
        check_unit(library, &library.ast, found);
    }
}

fn check_unit(unit: &Unit, linked: &AST, found: &mut Vec<Finding>) {
    walk::calls(&unit.ast, &mut |call| {
        let name = call.expr.name.as_str();
        let zh = if COMPARING.contains(&name) {
            "比较闭包"
        } else if name == "when" {
            "when 条件"
        } else {
            return;
        };
        let en = if name == "when" { "a when predicate" } else { "a comparer" };
        for closure in call.expr.args.iter().filter_map(walk::closure_name) {
            let Some(durable) = durable_in(linked, &closure, &mut BTreeSet::new()) else {
                continue;
            };
            let trouble = Trouble::new(
                "DURABLE_IN_CLOSURE",
                format!("{zh}中不能调用 {durable}"),
                format!("{en} cannot call {durable}"),
            )
            .advise("请先取得数据，再比较或判断。", "get the data first, then compare or decide.");
            found.push(unit.finding(trouble, call.at));
        }
    });
}

/// Returns a durable function that `function` calls, directly or through others.
fn durable_in(linked: &AST, function: &str, seen: &mut BTreeSet<String>) -> Option<String> {
    if !seen.insert(function.to_owned()) {
        return None;
    }
    let body = walk::function(linked, function);
    let mut durable = None;
    let mut further = Vec::new();
    walk::calls(&body, &mut |call| {
        let name = call.expr.name.as_str();
        // At an older level a script may have a function of its own under a newer name.
        let is_own = linked.iter_functions().any(|function| function.name == name);
        if DURABLE.contains(&name) && !is_own {
            durable.get_or_insert_with(|| name.to_owned());
        } else {
            further.push(name.to_owned());
            further.extend(call.expr.args.iter().filter_map(walk::closure_name));
        }
    });
    durable.or_else(|| further.iter().find_map(|name| durable_in(linked, name, seen)))
}
