//! Where a script stands and what its variables hold, for people who look at a case.
//!
//! A second engine of each level has Rhai's debugger in it. Before every call that may lead to a
//! wait, the recorder keeps the variables of the function that makes it, by the depth of the
//! function; what is kept for deeper functions is stale once they have returned. When the run has
//! stopped, the depth of the newest host call says which of them are still under way. Production
//! runs use an engine without it.

use std::cell::RefCell;

use rhai::debugger::DebuggerCommand;
use rhai::{ASTNode, Array, Dynamic, Engine, EvalContext, Expr, FnCallExpr, Map, Position, Stmt};
use tongban_core::port::Frame;
use tongban_core::value::Value;

use crate::api::DURABLE;
use crate::api::ask::Awaited;
use crate::api::matter_view::MatterView;
use crate::check::walk;
use crate::compile::Unit;
use crate::convert::from_script;
use crate::program::{ANONYMOUS, Program};
use crate::suspend;

/// Levels of nesting that are shown of a value; what lies deeper is only named.
const SHOWN_LEVELS: usize = 8;
/// Items of a list or map that are shown.
const SHOWN_ITEMS: usize = 100;

/// A function in the middle of its work.
#[derive(Clone, Debug)]
struct Step {
    function: String,
    /// Where the function that called it did so.
    called_at: Position,
    /// Where it is itself.
    at: Position,
    variables: Vec<(String, Dynamic)>,
}

/// What was recorded of an evaluation.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// By depth; the outermost function first.
    kept: Vec<Step>,
    /// Depth and place of the newest host call.
    stopped: (usize, Position),
}

thread_local! {
    static STEPS: RefCell<Option<Steps>> = const { RefCell::new(None) };
}

/// Returns an engine that records.
#[expect(deprecated, reason = "Rhai calls its debugger volatile; the version is pinned")]
pub(crate) fn recording(mut engine: Engine) -> Engine {
    engine.register_debugger(
        |_, debugger| debugger,
        |context, _, node, _, at| {
            if let Some(call) = call_of(&node)
                && may_wait(call, &context)
            {
                record(&context, at);
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
    engine
}

/// Calls `act` and gives back what was recorded meanwhile.
pub(crate) fn recorded<T>(act: impl FnOnce() -> T) -> (T, Steps) {
    let before = STEPS.replace(Some(Steps::default()));
    let came = act();
    let steps = STEPS.replace(before).unwrap_or_default();
    (came, steps)
}

/// Keeps where the newest host call was made, at which the run may have stopped.
pub(crate) fn host_called(depth: usize, at: Position) {
    STEPS.with_borrow_mut(|steps| {
        if let Some(steps) = steps {
            steps.stopped = (depth, at);
        }
    });
}

#[expect(clippy::wildcard_enum_match_arm, reason = "Rhai's syntax tree is an open enum")]
fn call_of<'a>(node: &ASTNode<'a>) -> Option<&'a FnCallExpr> {
    match node {
        ASTNode::Stmt(Stmt::FnCall(call, _))
        | ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => Some(call),
        _ => None,
    }
}

/// Host functions that ask, scripted functions, and functions that are given a closure.
fn may_wait(call: &FnCallExpr, context: &EvalContext<'_, '_, '_, '_, '_, '_>) -> bool {
    let name = call.name.as_str();
    let scripted = || {
        let mut modules = context.global_runtime_state().lib.iter();
        modules.any(|module| module.get_script_fn(name, call.args.len()).is_some())
    };
    call.op_token.is_none()
        && (DURABLE.contains(&name)
            || call.args.iter().any(|given| walk::closure_name(given).is_some())
            || scripted())
}

fn record(context: &EvalContext<'_, '_, '_, '_, '_, '_>, at: Position) {
    let stack = context.global_runtime_state().debugger().call_stack();
    let Some(frame) = stack.last() else { return };
    let mut variables: Vec<(String, Dynamic)> = Vec::new();
    for (name, _, value) in context.scope().iter() {
        variables.retain(|(known, _)| known != name);
        if !value.is::<MatterView>() {
            variables.push((name.to_owned(), named(value)));
        }
    }
    let step = Step { function: frame.fn_name.to_string(), called_at: frame.pos, at, variables };
    let depth = stack.len() - 1;
    STEPS.with_borrow_mut(|steps| {
        if let Some(steps) = steps {
            steps.kept.truncate(depth);
            steps.kept.push(step);
        }
    });
}

/// A handle says nothing once its run is over; the request that it stands for does.
fn named(value: Dynamic) -> Dynamic {
    let Some(awaited) = value.read_lock::<Awaited>().map(|awaited| *awaited) else {
        return value;
    };
    suspend::request_of(awaited.0).map_or_else(
        || "(combined handles)".into(),
        |request| format!("(handle of request {request})").into(),
    )
}

/// Returns the functions that were under way when the run stopped, the innermost first.
pub(crate) fn frames(program: &Program, steps: Steps) -> Vec<Frame> {
    let Steps { kept, stopped: (depth, stopped_at) } = steps;
    let mut under_way: Vec<Step> = kept.into_iter().take(depth.max(1)).collect();
    let mut at = stopped_at;
    let mut frames = Vec::new();
    while let Some(step) = under_way.pop() {
        let place = if at.is_none() { step.at } else { at };
        at = step.called_at;
        frames.push(frame(program.unit(&step.function), place, step));
    }
    frames
}

fn frame(unit: &Unit, at: Position, step: Step) -> Frame {
    let at = unit.restored(at);
    let narrow = |number: Option<usize>| {
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    };
    let line = at.line().unwrap_or_default();
    let excerpt = line.checked_sub(1).and_then(|index| unit.text.lines().nth(index));
    let closure = step.function.starts_with(ANONYMOUS);
    let variables = step.variables.into_iter();
    Frame {
        function: if closure { "(closure)".to_owned() } else { step.function },
        file: unit.file.clone(),
        line: narrow(at.line()),
        column: narrow(at.position()),
        excerpt: excerpt.unwrap_or_default().trim_end().to_owned(),
        variables: variables.map(|(name, value)| (name, shown(&value, SHOWN_LEVELS))).collect(),
    }
}

/// Shows a value as far as it is data; the rest is named by its type.
fn shown(value: &Dynamic, levels: usize) -> Value {
    let type_name = || Value::text(format!("({})", value.type_name()));
    let Some(inner) = levels.checked_sub(1) else { return type_name() };
    if let Some(items) = value.read_lock::<Array>() {
        let items = items.iter().take(SHOWN_ITEMS);
        return Value::List(items.map(|item| shown(&named(item.clone()), inner)).collect());
    }
    if let Some(members) = value.read_lock::<Map>() {
        let members = members.iter().take(SHOWN_ITEMS);
        let shown = |(name, item): (&rhai::Identifier, &Dynamic)| {
            (name.to_string(), shown(&named(item.clone()), inner))
        };
        return Value::Map(members.map(shown).collect());
    }
    from_script(value, "value").unwrap_or_else(|_| type_name())
}
