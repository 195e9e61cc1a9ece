//! The current run: where host functions find the journal's cursor, and how a run stops.
//!
//! A run takes place on one thread from beginning to end, so the cursor lies in a thread-local
//! slot for that time and is taken out again, also when Rhai panics. The cursor's latch is set
//! first; from then on every host function and the progress callback answer "terminated", which
//! no `catch` can hold for long, and the verdict comes from the latch.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};
use tongban_core::definition::MatterDef;
use tongban_core::limits;
use tongban_core::port::{ScriptFault, ScriptFaultKind};
use tongban_core::replay::{Handle, Replay, Stop};
use tongban_core::request::RequestKey;

use crate::diagnose::Trouble;
use crate::trace;

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
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
    /// Whether the current run is stopped, as its cursor says: asked before every operation.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
}

impl Current {
    /// Prepares a run; its wall-clock time counts from here.
    pub(crate) fn new(
        replay: Replay,
        def: Arc<MatterDef>,
        questions: Arc<Vec<String>>,
        guard: &Guard,
    ) -> Self {
        Self {
            replay,
            def,
            questions,
            called_at: Position::NONE,
            began: guard(),
            guard: Arc::clone(guard),
        }
    }

    fn look_at_guard(&mut self) {
        let took = (self.guard)().saturating_sub(self.began);
        if took > limits::RUN_MILLIS_MAX {
            self.replay.fail(ScriptFault::new(
                ScriptFaultKind::Infrastructure,
                format!(
                    "脚本执行已达 {took} 毫秒，稍后重试 / the run took {took} ms, it is tried again later"
                ),
            ));
        }
    }
}

/// Empties the slot however a run ends.
struct Emptied;

impl Drop for Emptied {
    fn drop(&mut self) {
        drop(CURRENT.take());
        STOPPED.set(false);
    }
}

/// Calls `act` as the current run of this thread, and gives back what the run has become.
pub(crate) fn during<T>(current: Current, act: impl FnOnce() -> T) -> (T, Current) {
    let before = CURRENT.replace(Some(current));
    assert!(before.is_none(), "a host function never begins a run");
    let _emptied = Emptied;
    let came = counted(act);
    let current = CURRENT.take().expect("the slot was filled above");
    (came, current)
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
        trace::host_called(context.call_level(), current.called_at);
        let came = act(current).map_err(|Stop| terminated());
        note_stop(current);
        came
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

/// Returns the request that a handle of the current run stands for.
pub(crate) fn request_of(handle: Handle) -> Option<RequestKey> {
    CURRENT.with_borrow(|slot| slot.as_ref()?.replay.request_of(handle))
}

/// Stops the current run with a failure that a script tried to catch.
pub(crate) fn fail(fault: ScriptFault) {
    CURRENT.with_borrow_mut(|slot| {
        if let Some(current) = slot.as_mut() {
            current.replay.fail(fault);
            note_stop(current);
        }
    });
}

/// Takes note of whether a run has been stopped, after whatever could have stopped it.
fn note_stop(current: &Current) {
    STOPPED.set(current.replay.is_stopped());
}

/// Calls `act` with a fresh count of operations.
///
/// Rhai forgets what a closure took when a native function called it, such as `for_each`; so the
/// progress callback counts by itself, and past the limit it stops whatever still runs.
pub(crate) fn counted<T>(act: impl FnOnce() -> T) -> T {
    // A rehearsal counts too, and plays runs that count by themselves.
    let before = OPERATIONS.replace(0);
    let came = act();
    OPERATIONS.set(before);
    came
}

/// The progress callback: stops what the latch has stopped, and what takes too much.
pub(crate) fn on_progress(_: u64) -> Option<Dynamic> {
    let operations = OPERATIONS.get().saturating_add(1);
    OPERATIONS.set(operations);
    let too_many = operations > limits::RUN_OPERATIONS_MAX;
    if too_many {
        fail(over_operations());
    } else if operations.is_multiple_of(LOOK_EVERY) {
        CURRENT.with_borrow_mut(|slot| {
            if let Some(current) = slot.as_mut() {
                current.look_at_guard();
                note_stop(current);
            }
        });
    }
    (too_many || STOPPED.get()).then_some(Dynamic::UNIT)
}

fn over_operations() -> ScriptFault {
    let max = limits::RUN_OPERATIONS_MAX;
    ScriptFault::new(
        ScriptFaultKind::Limit,
        format!(
            "脚本执行的操作超过 {max} 次，可能是死循环 / the script takes more than {max} operations, perhaps in an endless loop"
        ),
    )
}
