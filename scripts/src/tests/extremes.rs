//! Every function that a script may call, and every operator, with arguments as extreme as a
//! script can make them: each call gives a value or an error, and none brings the thread down.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rhai::{Dynamic, Engine};
use tongban_core::limits::RUN_STACK_BYTES;

use crate::{api::API_LEVEL, sandbox, suspend};

/// Arguments, as a script writes them.
const VALUES: [&str; 21] = [
    "()",
    "true",
    "0",
    "-1",
    "64",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "decimal(\"79228162514264337593543950335\")",
    "decimal(\"-0.0000000000000000000000000001\")",
    "\"\"",
    "\"中文x\"",
    "'中'",
    "[]",
    "[1, \"a\", ()]",
    "#{}",
    "#{ a: 1 }",
    "|x| x",
    "|x, y| y",
    "(-5..5)",
    "(9223372036854775806..=9223372036854775807)",
    "(5..-9223372036854775807)",
];

const OPERATORS: [&str; 24] = [
    "+", "-", "*", "/", "%", "**", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^",
    "&&", "||", "??", "in", "!in", "..", "..=",
];

/// Names that a script cannot call by their name.
fn is_name(name: &str) -> bool {
    name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && name.starts_with(char::is_alphabetic)
}

/// Evaluates a piece of script; `None` when it panicked.
fn survives(engine: &Engine, script: &str) -> Option<()> {
    let evaluated = catch_unwind(AssertUnwindSafe(|| {
        suspend::counted(|| drop(engine.eval::<Dynamic>(script)));
    }));
    evaluated.ok()
}

fn on_a_large_stack(test: impl FnOnce() -> Vec<String> + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(RUN_STACK_BYTES).spawn(test);
    let fallen = thread.expect("there is room for a thread").join().expect("panics were caught");
    assert!(fallen.is_empty(), "these brought the thread down: {fallen:#?}");
}

#[test]
fn no_function_panics_on_extreme_arguments() {
    on_a_large_stack(|| {
        let engine = sandbox::engine(API_LEVEL);
        let functions: BTreeSet<(String, usize)> = engine
            .collect_fn_metadata(
                None,
                |info| Some((info.metadata.name.to_string(), info.metadata.num_params)),
                true,
            )
            .into_iter()
            .filter(|(name, _)| is_name(name))
            .collect();
        assert!(functions.len() > 100, "{}", functions.len());
        let mut fallen = Vec::new();
        for (name, params) in functions {
            for script in calls(&name, params) {
                if survives(&engine, &script).is_none() {
                    fallen.push(script);
                }
            }
        }
        fallen
    });
}

/// Writes calls of a function as methods of a variable, so that it may change its first argument.
fn calls(name: &str, params: usize) -> Vec<String> {
    let call = |first: &str, rest: &str| format!("let a = {first}; a.{name}({rest}); a");
    let firsts = || VALUES.iter();
    match params {
        0 => vec![format!("{name}()")],
        1 => firsts().map(|first| call(first, "")).collect(),
        2 => firsts()
            .flat_map(|first| VALUES.iter().map(move |second| call(first, second)))
            .collect(),
        _ => {
            let few = ["0", "-1", "9223372036854775807", "\"中\"", "[1]", "|x, y| y"];
            let rest = few.iter().flat_map(|second| {
                few.iter().map(move |third| {
                    let more = ["1"].repeat(params - 3).concat();
                    let comma = if more.is_empty() { "" } else { ", " };
                    format!("{second}, {third}{comma}{more}")
                })
            });
            let rest: Vec<String> = rest.collect();
            firsts().flat_map(|first| rest.iter().map(move |rest| call(first, rest))).collect()
        }
    }
}

#[test]
fn no_operator_panics_on_extreme_arguments() {
    on_a_large_stack(|| {
        let engine = sandbox::engine(API_LEVEL);
        let mut fallen = Vec::new();
        for one in VALUES {
            for script in [format!("-({one})"), format!("!({one})"), format!("`${{{one}}}`")] {
                fallen.extend(survives(&engine, &script).is_none().then_some(script));
            }
            let pairs = VALUES.iter().flat_map(|other| OPERATORS.iter().map(move |op| (other, op)));
            let scripts = pairs.flat_map(|(other, operator)| {
                [
                    format!("({one}) {operator} ({other})"),
                    format!("let a = {one}; a {operator}= {other}; a"),
                    format!("let a = {one}; a[{other}]"),
                ]
            });
            fallen.extend(scripts.filter(|script| survives(&engine, script).is_none()));
        }
        fallen
    });
}
