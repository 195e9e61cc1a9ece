//! Names of functions: undefined ones, wrong numbers of arguments, host names redefined.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{Engine, Position};

use crate::api::API_LEVEL;
use crate::check::walk::{self, Call, Form};
use crate::compile::Unit;
use crate::diagnose::{self, Finding, Trouble};
use crate::levels::Levels;
use crate::load::Project;
use crate::program::{ANONYMOUS, Program};

/// Functions by name, with the numbers of arguments that they take as plain calls.
type Known = BTreeMap<String, BTreeSet<usize>>;

/// Rhai handles these itself, with any number of arguments.
const BUILT_IN: [&str; 3] = ["call", "curry", "type_of"];

/// The functions of a host at one level.
struct Natives {
    /// All, packages included.
    all: Known,
    /// Those that the host itself registers.
    own: BTreeSet<String>,
}

impl Natives {
    fn of(engine: &Engine) -> Self {
        Self { all: natives(engine), own: host_names(engine) }
    }
}

pub(crate) fn check(project: &Project, levels: &Levels, found: &mut Vec<Finding>) {
    let mut known: BTreeMap<u32, Natives> = BTreeMap::new();
    let newest = Natives::of(levels.newest());
    let libraries = &project.libraries;
    let units = libraries.iter().map(|unit| (&**unit, libraries.as_slice()));
    let programs = programs(project).map(|program| (program.main(), program.libraries()));
    for (unit, libraries) in units.chain(programs) {
        let level = project.level_of(&unit.file);
        let Some(engine) = levels.engine(level) else { continue };
        let natives = known.entry(level).or_insert_with(|| Natives::of(engine));
        redefined(unit, &natives.own, found);
        called(unit, libraries, (natives, Some(&newest.all)), found);
    }
    for (program, _) in &project.matters {
        let mut handles = program.main().ast.iter_functions();
        if !handles.any(|function| function.name == "handle" && function.params.len() == 1) {
            found.push(program.main().finding(no_handle(), Position::NONE));
        }
    }
}

/// Checks the calls of one file that stands by itself.
pub(crate) fn check_unit(unit: &Unit, engine: &Engine, found: &mut Vec<Finding>) {
    called(unit, &[], (&Natives::of(engine), None), found);
}

/// Returns every service and matter of a project.
pub(crate) fn programs(project: &Project) -> impl Iterator<Item = &Program> {
    let services = project.services.iter().map(|(program, _)| program);
    services.chain(project.matters.iter().map(|(program, _)| program))
}

fn natives(engine: &Engine) -> Known {
    let mut known = Known::new();
    let listed = engine.collect_fn_metadata(
        None,
        |info| {
            let name = info.metadata.name.to_string();
            Some((name, info.metadata.num_params))
        },
        true,
    );
    for (name, count) in listed {
        known.entry(name).or_default().insert(count);
    }
    known
}

/// Returns the names that the host itself registers, packages left out.
fn host_names(engine: &Engine) -> BTreeSet<String> {
    let listed =
        engine.collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), false);
    listed.into_iter().collect()
}

fn redefined(unit: &Unit, own: &BTreeSet<String>, found: &mut Vec<Finding>) {
    for function in unit.ast.iter_functions() {
        let name = function.name;
        if !own.contains(name) && !name.starts_with("__") {
            continue;
        }
        let trouble = Trouble::new(
            "HOST_NAME",
            format!("函数名 {name} 是宿主函数，不能重新定义"),
            format!("{name} is a function of the host and cannot be defined again"),
        )
        .advise("请换一个名字。", "choose another name.");
        found.push(unit.finding(trouble, unit.definition(name)));
    }
}

/// Checks every call of a file against the host's functions at its level, the scripted ones, and
/// those of the newest level, which it may have meant.
fn called(
    unit: &Unit,
    libraries: &[Arc<Unit>],
    (natives, newest): (&Natives, Option<&Known>),
    found: &mut Vec<Finding>,
) {
    let mut scripted = Known::new();
    for defined in std::iter::once(unit).chain(libraries.iter().map(Arc::as_ref)) {
        for function in defined.ast.iter_functions() {
            let counts = scripted.entry(function.name.to_owned()).or_default();
            counts.insert(function.params.len());
        }
    }
    walk::calls(&unit.ast, &mut |call| {
        if let Some(trouble) = trouble(&call, &scripted, natives) {
            let later = newest.is_some_and(|newest| newest.contains_key(call.expr.name.as_str()));
            let known = natives.all.contains_key(call.expr.name.as_str());
            let trouble = if later && !known { too_new(&call.expr.name) } else { trouble };
            found.push(unit.finding(trouble, call.at));
        }
    });
}

fn trouble(
    call: &Call<'_>,
    scripted: &Known,
    Natives { all: natives, own }: &Natives,
) -> Option<Trouble> {
    let name = call.expr.name.as_str();
    if BUILT_IN.contains(&name) || name.starts_with(ANONYMOUS) {
        return None;
    }
    let given = call.expr.args.len();
    let (native, shown) = match call.form {
        Form::Plain => (given, 0),
        Form::Method => (given + 1, 1),
    };
    let takes =
        |known: &Known, count: usize| known.get(name).is_some_and(|counts| counts.contains(&count));
    if takes(natives, native) || takes(scripted, given) {
        return None;
    }
    let counts: BTreeSet<usize> = [natives.get(name), scripted.get(name)]
        .into_iter()
        .flatten()
        .flatten()
        .map(|count| count.saturating_sub(shown))
        .collect();
    if counts.is_empty() {
        let readable = |name: &&str| name.starts_with(char::is_alphabetic) && !name.contains('$');
        let likely = own.iter().chain(scripted.keys()).map(String::as_str);
        let others = natives.keys().map(String::as_str);
        let nearest = diagnose::nearest(name, likely.filter(readable))
            .or_else(|| diagnose::nearest(name, others.filter(readable)));
        return Some(undefined(name, nearest));
    }
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    Some(Trouble::new(
        "WRONG_ARITY",
        format!("{name} 需要 {} 个参数，这里有 {given} 个", counts.join("、")),
        format!("{name} takes {} arguments, here are {given}", counts.join(" or ")),
    ))
}

fn too_new(name: &str) -> Trouble {
    Trouble::new(
        "API_LEVEL",
        format!("函数 {name} 属于更高的宿主函数级别"),
        format!("{name} is a function of a newer level of the host"),
    )
    .advise(
        format!("请在使用本文件的 service 中声明 api_level: {API_LEVEL}。"),
        format!("declare api_level: {API_LEVEL} in the services that use this file."),
    )
}

fn undefined(name: &str, nearest: Option<&str>) -> Trouble {
    let trouble = Trouble::new(
        "UNDEFINED_FUNCTION",
        format!("没有函数 {name}"),
        format!("there is no function {name}"),
    );
    match nearest {
        Some(nearest) => {
            trouble.advise(format!("是否想写 {nearest}？"), format!("did you mean {nearest}?"))
        }
        None => {
            trouble.advise("请在本文件或 lib/ 中定义它。", "define it in this file or in lib/.")
        }
    }
}

fn no_handle() -> Trouble {
    Trouble::new(
        "NO_HANDLE",
        "事项缺少 fn handle(m)",
        "the matter lacks fn handle(m)",
    )
    .advise(
        "受理后由它办理；部门在自己系统中决定时，也由它发出申请。",
        "it handles the matter once accepted; where a department decides in its own system, it sends the application.",
    )
}
