//! The current run: where host functions find the journal's cursor, and how a run stops.
//!
//! A run takes place on one thread from beginning to end, so the cursor lies in a thread-local
//! slot for that time and is taken out again, also when Rhai panics. The cursor's latch is set
//! first; from then on every host function and the progress callback answer "terminated", which
//! no `catch` can hold for long, and the verdict comes from the latch.

use std::cell::RefCell;
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use tongban_core::definition::MatterDef;
use tongban_core::limits;
use tongban_core::port::{ScriptFault, ScriptFaultKind};
use tongban_core::replay::{Replay, Stop};

use crate::diagnose::Trouble;

/// A monotonic clock in milliseconds; used only to stop a run that hangs.
pub type Guard = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Operations between two looks at the guard.
const LOOK_EVERY: u64 = 512;

/// What a host function may fail with.
pub(crate) type Thrown = Box<EvalAltResult>;

/// One evaluation that is under way on this thread.
pub(crate) struct Current {
    pub(crate) replay: Replay,
    pub(crate) def: Arc<MatterDef>,
    pub(crate) questions: Arc<Vec<String>>,
    /// Where the newest host function was called, for faults that only the cursor knows.
    pub(crate) called_at: Position,
    guard: Guard,
    began: u64,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Holds the slot for the time of one run.
pub(crate) struct Entered(());

impl Entered {
    /// Begins a run on this thread.
    pub(crate) fn enter(
        replay: Replay,
        def: Arc<MatterDef>,
        questions: Arc<Vec<String>>,
        guard: &Guard,
    ) -> Self {
        let current = Current {
            replay,
            def,
            questions,
            called_at: Position::NONE,
            began: guard(),
            guard: Arc::clone(guard),
        };
        let before = CURRENT.replace(Some(current));
        assert!(before.is_none(), "a host function never begins a run");
        Self(())
    }

    /// Ends the run and gives back what it began with.
    pub(crate) fn leave(self) -> Current {
        CURRENT.take().expect("the slot was filled on entering")
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(CURRENT.take());
    }
}

/// Returns the error that ends a run and cannot be caught.
pub(crate) fn terminated() -> Thrown {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE).into()
}

/// Calls `act` with the current run, unless there is none or it has been stopped.
pub(crate) fn with<T>(
    context: &NativeCallContext<'_>,
    act: impl FnOnce(&mut Current) -> Result<T, Stop>,
) -> Result<T, Thrown> {
    CURRENT.with_borrow_mut(|slot| {
        let Some(current) = slot.as_mut() else {
            return Err(outside(context.fn_name()).thrown());
        };
        if current.replay.is_stopped() {
            return Err(terminated());
        }
        current.called_at = context.call_position();
        act(current).map_err(|Stop| terminated())
    })
}

fn outside(name: &str) -> Trouble {
    let name = name.trim_start_matches("get$");
    Trouble::new(
        "ONLY_IN_HANDLE",
        format!("{name} 只能在 handle(m) 执行时使用"),
        format!("{name} can only be used while handle(m) runs"),
    )
    .advise(
        "声明（service、matter）和 when 条件里不能办事，请移到 handle(m) 中。",
        "declarations (service, matter) and when predicates do nothing durable; move it into handle(m).",
    )
}

/// Tells whether a run is under way on this thread.
pub(crate) fn is_running() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

/// Stops the current run with a failure that a script tried to catch.
pub(crate) fn fail(fault: ScriptFault) {
    CURRENT.with_borrow_mut(|slot| {
        if let Some(current) = slot.as_mut() {
            current.replay.fail(fault);
        }
    });
}

/// The progress callback: stops what the latch has stopped, and what takes too long.
pub(crate) fn on_progress(operations: u64) -> Option<Dynamic> {
    CURRENT.with_borrow_mut(|slot| {
        let current = slot.as_mut()?;
        if current.replay.is_stopped() {
            return Some(Dynamic::UNIT);
        }
        if !operations.is_multiple_of(LOOK_EVERY) {
            return None;
        }
        let took = (current.guard)().saturating_sub(current.began);
        if took <= limits::RUN_MILLIS_MAX {
            return None;
        }
        current.replay.fail(ScriptFault::new(
            ScriptFaultKind::Infrastructure,
            format!("脚本执行已达 {took} 毫秒，稍后重试 / the run took {took} ms, it is tried again later"),
        ));
        Some(Dynamic::UNIT)
    })
}
