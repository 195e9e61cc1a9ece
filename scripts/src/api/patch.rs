//! Changing scripts while cases run: `patched(id)` and `deprecate_patch(id)`. Since level 2.

use rhai::{Engine, NativeCallContext};

use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// Characters of a patch's id.
const ID_CHARS_MAX: usize = 64;

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("patched", |context: NativeCallContext<'_>, id: &str| {
            check(id)?;
            with(&context, |run| run.replay.patched(id))
        })
        .register_fn("deprecate_patch", |context: NativeCallContext<'_>, id: &str| {
            check(id)?;
            with(&context, |run| run.replay.deprecate_patch(id))
        });
}

fn check(id: &str) -> Result<(), Thrown> {
    if !id.trim().is_empty() && id.chars().count() <= ID_CHARS_MAX {
        return Ok(());
    }
    Err(Trouble::new(
        "PATCH_ID",
        format!("补丁名称应为 1 到 {ID_CHARS_MAX} 个字符"),
        format!("the id of a patch has 1 to {ID_CHARS_MAX} characters"),
    )
    .advise("例如 patched(\"second-opinion\")。", "write for example patched(\"second-opinion\").")
    .thrown())
}
