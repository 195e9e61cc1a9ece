//! Joining handles: `all`, `all_settled`, `race`, `timeout`. Each returns a handle again.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use tongban_core::replay::{Join, Members};

use crate::api::ask::Awaited;
use crate::api::time::period;
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// Builds a combinator from what it joins.
type Combinator = fn(Members) -> Join;

pub(crate) fn register(engine: &mut Engine) {
    let combinators: [(&'static str, Combinator); 3] =
        [("all", Join::All), ("all_settled", Join::AllSettled), ("race", Join::Race)];
    for (name, join) in combinators {
        engine
            .register_fn(name, move |context: NativeCallContext<'_>, list: Array| {
                joined(&context, join(Members::List(handles(name, &list)?)))
            })
            .register_fn(name, move |context: NativeCallContext<'_>, map: Map| {
                joined(&context, join(Members::Map(named(name, &map)?)))
            });
    }
    engine.register_fn("timeout", |context: NativeCallContext<'_>, on: Awaited, limit: &str| {
        let period = period(limit)?;
        with(&context, |run| {
            let timer = run.replay.timer(period)?;
            run.replay.join(Join::Timeout { handle: on.0, timer })
        })
        .map(Awaited)
    });
}

fn joined(context: &NativeCallContext<'_>, join: Join) -> Result<Awaited, Thrown> {
    let empty = match &join {
        Join::All(members) | Join::AllSettled(members) | Join::Race(members) => match members {
            Members::List(list) => list.is_empty(),
            Members::Map(map) => map.is_empty(),
        },
        Join::Timeout { .. } => false,
    };
    if empty && matches!(join, Join::Race(_)) {
        return Err(Trouble::new(
            "EMPTY_RACE",
            "race 至少需要一个句柄，否则永远等不到",
            "race needs at least one handle, or it would wait for ever",
        )
        .thrown());
    }
    with(context, |run| run.replay.join(join)).map(Awaited)
}

fn handles(name: &str, list: &Array) -> Result<Vec<tongban_core::replay::Handle>, Thrown> {
    list.iter().map(|item| handle(name, item)).collect()
}

fn named(name: &str, map: &Map) -> Result<Vec<(String, tongban_core::replay::Handle)>, Thrown> {
    map.iter().map(|(key, item)| Ok((key.to_string(), handle(name, item)?))).collect()
}

fn handle(name: &str, item: &Dynamic) -> Result<tongban_core::replay::Handle, Thrown> {
    let found = item.read_lock::<Awaited>().map(|awaited| awaited.0);
    found.ok_or_else(|| {
        Trouble::new(
            "NOT_A_HANDLE",
            format!("{name} 只能合并句柄，而不是 {}", item.type_name()),
            format!("{name} joins handles, not {}", item.type_name()),
        )
        .advise(
            "请用 start(…) 而不是 ask(…)：ask 已经等到了结果。",
            "use start(…) instead of ask(…): ask has already waited.",
        )
        .thrown()
    })
}
