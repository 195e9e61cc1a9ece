//! Levels of the host functions: what a closure was written for stays callable as it was.
//!
//! A service says `api_level`; without it, level 1, which is what there was before services could
//! say it. A function that is new, or that does something else than before, is so from the next
//! level on: names of older scripts do not collide with it, and what older scripts put into their
//! requests comes out the same in every replay.
//!
//! | level | since | what is different |
//! |---|---|---|
//! | 1 | 0.1 | the first |
//! | 2 | 0.1 | `patched`, `deprecate_patch`; `inbox`, `receive`; `compensate_with`; `list`, `key`, computed sets of matters; `on_partial`; `wait_until`; `now()` is in whole seconds |

use std::sync::OnceLock;

use rhai::Engine;

use crate::api::{API_LEVEL, API_LEVEL_FIRST};
use crate::diagnose::Trouble;
use crate::{sandbox, trace};

/// The engines that run scripts, one for each level.
pub(crate) struct Levels(Vec<Level>);

/// What runs the scripts of one level.
struct Level {
    engine: Engine,
    /// The same engine with a recorder of places and values; made when somebody looks.
    looking: OnceLock<Engine>,
}

impl Levels {
    /// Builds the engine of every level.
    pub(crate) fn all() -> Self {
        let levels = API_LEVEL_FIRST..=API_LEVEL;
        let level = |level| Level { engine: sandbox::engine(level), looking: OnceLock::new() };
        Self(levels.map(level).collect())
    }

    /// Returns the engine of a level; `None` for one that this host does not know.
    pub(crate) fn engine(&self, level: u32) -> Option<&Engine> {
        self.level(level).map(|known| &known.engine)
    }

    /// Returns the engine of a level that records places and values.
    pub(crate) fn looking(&self, level: u32) -> Option<&Engine> {
        let known = self.level(level)?;
        Some(known.looking.get_or_init(|| trace::recording(sandbox::engine(level))))
    }

    /// Returns the engine that reads declarations: the newest.
    pub(crate) fn newest(&self) -> &Engine {
        &self.0.last().expect("there is a first level").engine
    }

    fn level(&self, level: u32) -> Option<&Level> {
        let index = level.checked_sub(API_LEVEL_FIRST)?;
        self.0.get(usize::try_from(index).ok()?)
    }
}

/// Refuses a level that this host does not know.
pub(crate) fn known(level: i64) -> Result<u32, Trouble> {
    let level = u32::try_from(level).ok();
    level.filter(|level| (API_LEVEL_FIRST..=API_LEVEL).contains(level)).ok_or_else(|| {
        Trouble::new(
            "API_LEVEL",
            format!("本程序的宿主函数级别为 {API_LEVEL_FIRST} 到 {API_LEVEL}，没有脚本要求的级别"),
            format!("the host functions of this program have levels {API_LEVEL_FIRST} to {API_LEVEL}; the scripts ask for another one"),
        )
        .advise(
            "请升级 tongban，或把 service 的 api_level 改为已有的级别。",
            "use a newer tongban, or let api_level of the service be one that there is.",
        )
    })
}
