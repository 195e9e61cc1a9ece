//! How matters fit together: unknown ones, cycles, materials that never come.

use std::collections::{BTreeMap, BTreeSet};

use tongban_core::definition::{MatterDef, Part, ServiceDef, Source};
use tongban_core::id::MatterCode;

use crate::check::walk;
use crate::compile::Unit;
use crate::diagnose::{Finding, Trouble};
use crate::load::Project;

type Defs<'p> = BTreeMap<&'p MatterCode, (&'p Unit, &'p MatterDef)>;

pub(crate) fn check(project: &Project, found: &mut Vec<Finding>) {
    let mut defs = Defs::new();
    for (program, def) in &project.matters {
        if let Some((other, _)) = defs.insert(&def.code, (program.main(), def)) {
            found.push(twice(program.main(), other, def.code.as_str()));
        }
    }
    let mut services = BTreeMap::new();
    for (program, service) in &project.services {
        let code = &service.def.code;
        if let Some(other) = services.insert(code, program.main()) {
            found.push(twice(program.main(), other, code.as_str()));
        }
        check_service(project, program.main(), (&service.def, &defs), found);
    }
}

/// Returns the matters that a computed set may hold: those that the file names as parts.
pub(crate) fn may_come(unit: &Unit) -> Vec<Part> {
    let mut codes = BTreeSet::new();
    walk::calls(&unit.ast, &mut |call| {
        let named = (call.expr.name == "part").then(|| call.expr.args.first().and_then(walk::text));
        codes.extend(named.flatten().map(MatterCode::new));
    });
    codes.into_iter().map(|code| Part { conditional: true, ..Part::new(code) }).collect()
}

/// A case is pinned to the scripts of every matter that may come; so each must be named.
fn check_computed(unit: &Unit, service: &ServiceDef, found: &mut Vec<Finding>) {
    walk::calls(&unit.ast, &mut |call| {
        let name = call.expr.name.as_str();
        let Some(first) = call.expr.args.first() else { return };
        let text = walk::text(first);
        if name == "part" && text.is_none() {
            let trouble = Trouble::new(
                "PART_NOT_NAMED",
                "part(…) 的编码须直接写出",
                "the code of part(…) must be written out",
            )
            .advise(
                "请写 part(\"编码\")，把随情形变化的写入 .key(…)。",
                "write part(\"code\"), and put what varies into .key(…).",
            );
            found.push(unit.finding(trouble, call.at));
        }
        let awaited = name.starts_with("after").then_some(text).flatten();
        let unknown =
            awaited.filter(|code| !service.parts.iter().any(|part| part.matter.as_str() == *code));
        if let Some(code) = unknown {
            let known = service.parts.iter().map(|part| part.matter.as_str());
            let trouble = Trouble::new(
                "UNREACHABLE_MATTER",
                format!("所等待的 {code} 不在本服务中"),
                format!("{code}, which is waited for, is not part of this service"),
            );
            found.push(unit.finding(trouble.advise_nearest(code, known), call.at));
        }
    });
    if service.parts.is_empty() {
        let trouble = Trouble::new(
            "DECLARATION",
            "按情形得出事项的闭包没有 part(…)",
            "the closure that computes the matters names no part(…)",
        );
        found.push(unit.finding(trouble, walk::place_of(&unit.ast, service.code.as_str())));
    }
}

fn twice(unit: &Unit, other: &Unit, code: &str) -> Finding {
    let trouble = Trouble::new(
        "CODE_TWICE",
        format!("编码 {code} 已在 {} 中声明", other.file),
        format!("code {code} is declared in {} too", other.file),
    );
    unit.finding(trouble, walk::place_of(&unit.ast, code))
}

fn check_service(
    project: &Project,
    unit: &Unit,
    (service, defs): (&ServiceDef, &Defs<'_>),
    found: &mut Vec<Finding>,
) {
    let parts: BTreeMap<&MatterCode, &Part> =
        service.parts.iter().map(|part| (&part.matter, part)).collect();
    let mut add = |trouble: Trouble, name: &str| {
        found.push(unit.finding(trouble, walk::place_of(&unit.ast, name)));
    };
    for part in &service.parts {
        let matter = part.matter.as_str();
        let Some((_, def)) = defs.get(&part.matter) else {
            if !is_broken(project, matter) {
                let known = defs.keys().map(|code| code.as_str());
                add(unknown_matter(&part.matter).advise_nearest(matter, known), matter);
            }
            continue;
        };
        for (earlier, _) in &part.after {
            if !parts.contains_key(earlier) {
                let known = parts.keys().map(|code| code.as_str());
                let trouble = not_in_service(&part.matter, earlier);
                add(trouble.advise_nearest(earlier.as_str(), known), earlier.as_str());
            }
        }
        for code in &part.tolerates {
            let known: Vec<&str> = def.materials.iter().map(|one| one.code.as_str()).collect();
            if !known.contains(&code.as_str()) {
                let trouble = unknown_material(&part.matter, code);
                add(trouble.advise_nearest(code, known.iter().copied()), code);
            }
        }
    }
    if service.computed {
        // What comes before what is known with the answers only, and checked with them.
        check_computed(unit, service, found);
        return;
    }
    if let Some(cycle) = cycle(&parts) {
        let first = cycle[0].as_str();
        add(in_cycle(&cycle), first);
        return;
    }
    check_results(service, &parts, defs, found);
}

/// Tells whether a file that seems to declare this matter could not be read: its own finding says
/// enough.
fn is_broken(project: &Project, matter: &str) -> bool {
    let name = format!("/{matter}.rhai");
    project.broken.iter().any(|file| file.ends_with(&name))
}

fn unknown_matter(code: &MatterCode) -> Trouble {
    Trouble::new("UNKNOWN_MATTER", format!("没有事项 {code}"), format!("there is no matter {code}"))
}

fn not_in_service(matter: &MatterCode, earlier: &MatterCode) -> Trouble {
    Trouble::new(
        "UNREACHABLE_MATTER",
        format!("{matter} 等待的 {earlier} 不在本服务中，永远不会开始"),
        format!(
            "{matter} waits for {earlier}, which is not part of this service: it would never begin"
        ),
    )
}

fn unknown_material(matter: &MatterCode, code: &str) -> Trouble {
    Trouble::new(
        "UNKNOWN_MATERIAL",
        format!("事项 {matter} 没有材料 {code}"),
        format!("matter {matter} has no material {code}"),
    )
}

fn in_cycle(cycle: &[&MatterCode]) -> Trouble {
    let names: Vec<&str> = cycle.iter().map(|code| code.as_str()).collect();
    let shown = names.join(" → ");
    Trouble::new(
        "CYCLE",
        format!("事项互相等待：{shown} → {}", names[0]),
        format!("matters wait for each other: {shown} → {}", names[0]),
    )
    .advise("请去掉其中一个 after。", "remove one of the afters.")
}

/// Returns the matters of a circle, if there is one, in waiting order.
fn cycle<'p>(parts: &BTreeMap<&'p MatterCode, &'p Part>) -> Option<Vec<&'p MatterCode>> {
    let mut done = BTreeSet::new();
    parts.keys().find_map(|start| search(start, parts, &mut done, &mut Vec::new()))
}

fn search<'p>(
    code: &'p MatterCode,
    parts: &BTreeMap<&'p MatterCode, &'p Part>,
    done: &mut BTreeSet<&'p MatterCode>,
    path: &mut Vec<&'p MatterCode>,
) -> Option<Vec<&'p MatterCode>> {
    if let Some(start) = path.iter().position(|earlier| *earlier == code) {
        return Some(path[start..].to_vec());
    }
    if !done.insert(code) {
        return None;
    }
    path.push(code);
    let after = parts.get(code).map_or(&[][..], |part| part.after.as_slice());
    let circle = after.iter().find_map(|(earlier, _)| search(earlier, parts, done, path));
    path.pop();
    circle
}

/// A result that is a material's only source must come from a matter that ends before.
fn check_results(
    service: &ServiceDef,
    parts: &BTreeMap<&MatterCode, &Part>,
    defs: &Defs<'_>,
    found: &mut Vec<Finding>,
) {
    for part in &service.parts {
        let Some((unit, def)) = defs.get(&part.matter) else { continue };
        let before = before(&part.matter, parts);
        for material in &def.materials {
            let [Source::ResultOf(earlier)] = material.sources.as_slice() else { continue };
            let tolerated = part.tolerates.contains(&material.code);
            let comes = before.contains(earlier);
            if comes || (tolerated && parts.contains_key(earlier)) {
                continue;
            }
            let trouble = Trouble::new(
                "MATERIAL_NEVER_COMES",
                format!("材料 {} 只能来自 {earlier}，但服务 {} 中它不在本事项之前", material.code, service.code),
                format!("material {} only comes from {earlier}, which does not come before this matter in service {}", material.code, service.code),
            )
            .advise(
                "请在服务中加 .after(…)，或用 .tolerant(…) 容缺，或给材料加其他来源。",
                "add .after(…) or .tolerant(…) in the service, or another source to the material.",
            );
            found.push(unit.finding(trouble, walk::place_of(&unit.ast, earlier.as_str())));
        }
    }
}

/// Returns every matter that `code` waits for, directly or through others.
fn before<'p>(
    code: &MatterCode,
    parts: &BTreeMap<&'p MatterCode, &'p Part>,
) -> BTreeSet<&'p MatterCode> {
    let mut all = BTreeSet::new();
    let mut open: Vec<&'p Part> = parts.get(code).copied().into_iter().collect();
    while let Some(part) = open.pop() {
        for (earlier, _) in &part.after {
            if all.insert(earlier) {
                open.extend(parts.get(earlier).copied());
            }
        }
    }
    all
}
