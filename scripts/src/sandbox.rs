//! The Rhai engine: made from nothing, packages by hand, every limit set.
//!
//! Scripts are untrusted. There is no clock, file, module, print, debug or evaluation of text.
//! Functions of Rhai's packages that can build more than the limits allow before anything is
//! checked, or that swallow errors of a closure, are replaced by versions of our own (see
//! [`crate::safe`]). Rhai's own defaults differ between debug and release, so none is kept.

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package as _,
};
use rhai::{Engine, EvalAltResult, Map, OptimizationLevel, Position};
use tongban_core::limits;

use crate::diagnose::Trouble;
use crate::{api, safe, suspend};

/// Words of Rhai that scripts may not use at all.
const FORBIDDEN: [&str; 10] = [
    "curry",
    "eval",
    "import",
    "export",
    "print",
    "debug",
    "Fn",
    "is_def_var",
    "is_def_fn",
    "is_shared",
];

/// How the files of rehearsals end.
pub(crate) const REHEARSAL: &str = ".rehearsal.rhai";

/// Returns the engine that compiles and runs the scripts of one level.
pub(crate) fn engine(level: u32) -> Engine {
    let mut engine = bare();
    api::register(&mut engine, level);
    engine
}

/// Returns the engine without the functions of the host.
pub(crate) fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    limit(&mut engine);
    for word in FORBIDDEN {
        engine.disable_symbol(word);
    }
    engine.set_module_resolver(DummyModuleResolver::new());
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    engine.on_progress(suspend::on_progress);
    engine.on_map_missing_property(|map, name, _| Err(missing(map, name)));
    safe::register(&mut engine);
    engine
}

fn limit(engine: &mut Engine) {
    engine.set_max_operations(limits::RUN_OPERATIONS_MAX);
    engine.set_max_call_levels(limits::RUN_CALL_LEVELS_MAX);
    engine.set_max_expr_depths(limits::RUN_EXPRESSION_DEPTH_MAX, limits::RUN_EXPRESSION_DEPTH_MAX);
    engine.set_max_string_size(limits::RUN_STRING_BYTES_MAX);
    engine.set_max_array_size(limits::RUN_ARRAY_SIZE_MAX);
    engine.set_max_map_size(limits::RUN_MAP_SIZE_MAX);
    engine.set_max_variables(limits::RUN_VARIABLES_MAX);
    engine.set_max_functions(limits::SCRIPT_FUNCTIONS_MAX);
    engine.set_max_modules(0);
}

/// Rhai asks this for reading and for writing alike, so a map also grows only by `set`.
fn missing(map: &Map, name: &str) -> Box<EvalAltResult> {
    let trouble = Trouble::new(
        "UNKNOWN_MEMBER",
        format!("没有成员 {name}"),
        format!("there is no member {name}"),
    )
    .advise_nearest(name, map.keys().map(smartstring_str));
    EvalAltResult::ErrorRuntime(rhai::Dynamic::from(trouble), Position::NONE).into()
}

fn smartstring_str(key: &rhai::Identifier) -> &str {
    key.as_str()
}
