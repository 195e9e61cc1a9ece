//! What loads but may not be lawful, or not kind: licensing law's rules outside of licences, a
//! basis that names no rule, silence that nobody can check, materials that fall back to nothing.

use tongban_core::definition::{MaterialDef, MatterDef, Regime, Source};

use crate::check::Catalogue;
use crate::check::walk;
use crate::compile::Unit;
use crate::diagnose::{self, Finding, Trouble};
use crate::load::Project;

/// The law whose defaults apply to licences only.
const LICENSING_LAW: &str = "行政许可法";

/// What names of rules hold: an article, or the word for the kind of rule.
const RULE_WORDS: [&str; 9] = ["第", "》", "条例", "规定", "办法", "细则", "规则", "通知", "目录"];

/// Operation that fetches electronic licenses.
const LICENSE_OPERATION: &str = "e-license.fetch";

pub(crate) fn check(project: &Project, catalogue: Option<&Catalogue>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (program, def) in &project.matters {
        let unit = program.main();
        let mut warn = |trouble: Trouble, name: &str| {
            found.push(unit.finding(trouble, walk::place_of(&unit.ast, name)).into_warning());
        };
        regime(def, &mut warn);
        bases(def, &mut warn);
        for material in &def.materials {
            sources(material, catalogue, &mut warn);
        }
        if let Some(catalogue) = catalogue {
            prefilled(def, catalogue, &mut warn);
        }
        forwarding(unit, def, &mut warn);
    }
    found
}

type Warn<'a> = &'a mut dyn FnMut(Trouble, &str);

/// Licensing law's limits and grounds are of licences; another matter names its own rules.
fn regime(def: &MatterDef, warn: Warn<'_>) {
    let procedure = &def.procedure;
    if def.regime == Regime::Licence {
        let rounds = procedure.correction.rounds.max(procedure.correction.rounds_after);
        if rounds > 1 {
            let trouble = Trouble::new(
                "CORRECTION_ROUNDS",
                format!("补正应一次性告知，{} 却允许 {rounds} 次", def.code),
                format!("what is missing is told once; {} allows {rounds} rounds", def.code),
            );
            warn(trouble, def.code.as_str());
        }
        return;
    }
    let own = [("", &def.basis), ("ends_by", &procedure.correction.ends_by)];
    let grounds = procedure.suspensions.iter().map(|ground| (ground.code.as_str(), &ground.basis));
    let cited = own.into_iter().chain(grounds).filter(|(_, basis)| basis.contains(LICENSING_LAW));
    for (_, basis) in cited {
        let trouble = Trouble::new(
            "LICENSING_LAW_OUTSIDE",
            format!("{} 不是行政许可，不能以“{basis}”为依据", def.code),
            format!("{} is no licence and cannot rest on {basis}", def.code),
        )
        .advise("请写本事项自身的依据。", "name a rule of this kind of matter.");
        warn(trouble, basis);
    }
    let borrowed = [
        ("extension", procedure.extension),
        ("first_review", procedure.first_review),
        ("issuing", procedure.issuing),
    ];
    for (name, _) in borrowed.iter().filter(|(_, limit)| limit.is_some() && def.basis.is_empty()) {
        let trouble = Trouble::new(
            "LIMIT_WITHOUT_BASIS",
            format!("{} 不是行政许可，{name} 须有自身依据，但没有写 basis", def.code),
            format!(
                "{} is no licence; its {name} needs a rule of its own, but it has no basis",
                def.code
            ),
        );
        warn(trouble, def.code.as_str());
    }
}

/// A basis names a rule that a reader can look up.
fn bases(def: &MatterDef, warn: Warn<'_>) {
    let correction = &def.procedure.correction;
    let rules = [&correction.ends_by, &correction.stops_clock_by];
    let grounds = def.procedure.suspensions.iter().map(|ground| &ground.basis);
    let fees = def.fees.iter().map(|fee| &fee.basis);
    for basis in rules.into_iter().chain(grounds).chain(fees) {
        let named = RULE_WORDS.iter().any(|word| basis.contains(word));
        if basis.is_empty() || named {
            continue;
        }
        let trouble = Trouble::new(
            "BASIS_VAGUE",
            format!("依据“{basis}”没有写出法规名称或条款"),
            format!("basis {basis:?} names no rule or article"),
        )
        .advise("请写法规名称和条款，如“本事项实施办法第九条”。", "name the rule and its article.");
        warn(trouble, basis);
    }
}

/// Whatever fails falls back to an upload; a material without one stays open for ever.
fn sources(material: &MaterialDef, catalogue: Option<&Catalogue>, warn: Warn<'_>) {
    let fetched = |source: &Source| matches!(source, Source::License(_) | Source::Data(_));
    let uploaded = |source: &Source| matches!(source, Source::Upload(_));
    if material.sources.iter().any(fetched) && !material.sources.iter().any(uploaded) {
        let trouble = Trouble::new(
            "NO_UPLOAD_FALLBACK",
            format!("材料 {} 查不到时申请人无法提交", material.code),
            format!(
                "when {} cannot be fetched, the applicant has no way to hand it in",
                material.code
            ),
        )
        .advise("请在最后加 .or(upload(\"pdf\"))。", "add .or(upload(\"pdf\")) at the end.");
        warn(trouble, &material.code);
    }
    let Some(catalogue) = catalogue else { return };
    for source in &material.sources {
        let (operation, at) = match source {
            Source::Data(resource) => (resource.as_str(), resource.as_str()),
            Source::License(license) => (LICENSE_OPERATION, license.as_str()),
            Source::ResultOf(_) | Source::Upload(_) | Source::Commitment => continue,
        };
        if !catalogue.operations.contains_key(operation) {
            let trouble = Trouble::new(
                "UNKNOWN_RESOURCE",
                format!("材料 {} 的来源 {operation} 不在操作目录中", material.code),
                format!(
                    "{operation}, a source of {}, is not in the operations catalogue",
                    material.code
                ),
            );
            let known = catalogue.operations.keys().map(String::as_str);
            let trouble = match diagnose::nearest(operation, known) {
                Some(nearest) => trouble
                    .advise(format!("是否想写 {nearest}？"), format!("did you mean {nearest}?")),
                None => trouble.advise(
                    "请把它加入 operations.json，或改用目录中的资源。",
                    "add it to operations.json, or name a resource that is there.",
                ),
            };
            warn(trouble, at);
        }
    }
}

/// A field's source is a question that the catalogue knows, and what it gives has the value.
fn prefilled(def: &MatterDef, catalogue: &Catalogue, warn: Warn<'_>) {
    for field in &def.form {
        let Some(source) = &field.source else { continue };
        let (name, resource) = (&field.name, source.resource.as_str());
        let Some(operation) = catalogue.operations.get(resource) else {
            let trouble = Trouble::new(
                "UNKNOWN_RESOURCE",
                format!("字段 {name} 的来源 {resource} 不在操作目录中"),
                format!("{resource}, the source of {name}, is not in the operations catalogue"),
            );
            let known = catalogue.operations.keys().map(String::as_str);
            warn(trouble.advise_nearest(resource, known), resource);
            continue;
        };
        if operation.effect == "legal_act" {
            let trouble = Trouble::new(
                "SOURCE_ACTS",
                format!("{resource} 会作出行为，不能用来预填字段 {name}"),
                format!("{resource} is an act; it cannot fill {name}"),
            );
            warn(trouble, resource);
        }
        if !operation.input.contains_key(&source.member) {
            let trouble = Trouble::new(
                "UNKNOWN_INPUT",
                format!("{resource} 没有输入字段 {}", source.member),
                format!("{resource} has no input field {}", source.member),
            );
            let known = operation.input.keys().map(String::as_str);
            warn(trouble.advise_nearest(&source.member, known), &source.member);
        }
        if source.read(&operation.example_output()).is_none() {
            let trouble = Trouble::new(
                "UNKNOWN_OUTPUT",
                format!("{resource} 的输出没有 {}，字段 {name} 永远填不上", source.path),
                format!("the output of {resource} has no {}; {name} is never filled", source.path),
            );
            warn(trouble, &source.path);
        }
    }
}

/// A matter without a first review is never forwarded: the law refuses it each time.
fn forwarding(unit: &Unit, def: &MatterDef, warn: Warn<'_>) {
    let mut forwards = false;
    walk::calls(&unit.ast, &mut |call| forwards |= call.expr.name == "forward_up");
    if forwards && def.procedure.first_review.is_none() {
        let trouble = Trouble::new(
            "NO_FIRST_REVIEW",
            format!("{} 使用 forward_up，但没有声明 limit.first_review，转报不会成立", def.code),
            format!(
                "{} uses forward_up but declares no limit.first_review; the law would refuse it",
                def.code
            ),
        )
        .advise(
            "请加 limit: #{ first_review: \"20 working days\" }。",
            "add limit: #{ first_review: \"20 working days\" }.",
        );
        warn(trouble, def.code.as_str());
    }
}
