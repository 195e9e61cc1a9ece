//! The rehearsal that is under way on this thread, where its words find scene and knowledge.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::NativeCallContext;
use tongban_core::case::Case;
use tongban_core::id::MatterNo;
use tongban_core::rehearsal::{Conduct, Scene, SceneError};

use crate::compile::Unit;
use crate::diagnose::{Both, Trouble};
use crate::host::Host;
use crate::suspend::Thrown;

use super::Histories;
use super::history::{self, Line};
use super::known::Known;
use super::literal::Rewrite;

/// One rehearsal under way.
pub(crate) struct Current {
    pub(crate) scene: Box<dyn Scene>,
    pub(crate) host: Arc<Host>,
    pub(crate) known: Arc<Known>,
    pub(crate) unit: Arc<Unit>,
    pub(crate) histories: Histories,
    /// What an agency is being told; it counts from the next word on.
    pub(crate) telling: Option<(String, Vec<Conduct>)>,
    /// Operations that were told something.
    pub(crate) told: BTreeSet<String>,
    /// Matters that only stand for earlier ones.
    pub(crate) hidden: BTreeSet<MatterNo>,
    /// Kinds of incident that were expected.
    pub(crate) expected_incidents: BTreeSet<String>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) detail: Option<Detail>,
}

/// What an expectation compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail {
    pub(crate) expected: String,
    pub(crate) got: String,
    pub(crate) diff: Vec<String>,
}

/// What is left of a rehearsal when it is over.
pub(crate) struct Ended {
    /// What was wrong at the end, though every word was kept.
    pub(crate) unfinished: Option<Trouble>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) detail: Option<Detail>,
    pub(crate) history: Vec<String>,
    pub(crate) waiting: Vec<String>,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Current {
    pub(crate) fn new(
        scene: Box<dyn Scene>,
        (host, known): (Arc<Host>, Arc<Known>),
        unit: Arc<Unit>,
        histories: Histories,
    ) -> Self {
        Self {
            scene,
            host,
            known,
            unit,
            histories,
            telling: None,
            told: BTreeSet::new(),
            hidden: BTreeSet::new(),
            expected_incidents: BTreeSet::new(),
            rewrites: Vec::new(),
            detail: None,
        }
    }

    /// Returns the case.
    pub(crate) fn case(&self) -> Result<Arc<Case>, Trouble> {
        self.scene.case().cloned().ok_or_else(|| of_scene(&SceneError::NotStarted))
    }

    /// Tells an agency what the words before this one said.
    pub(crate) fn tell(&mut self) -> Result<(), Trouble> {
        let Some((operation, conducts)) = self.telling.take() else { return Ok(()) };
        self.told.insert(operation.clone());
        self.scene.instruct(&operation, conducts).map_err(|error| of_scene(&error))
    }

    /// Returns what has happened, told.
    pub(crate) fn history(&self) -> Vec<Line> {
        history::lines(self.scene.as_ref(), &self.hidden)
    }

    fn end(mut self) -> Ended {
        let unfinished = self.tell().err().or_else(|| self.unexpected());
        Ended {
            unfinished,
            history: self.history().iter().map(ToString::to_string).collect(),
            waiting: history::waiting(self.scene.as_ref()),
            rewrites: self.rewrites,
            detail: self.detail,
        }
    }

    /// Nothing fails silently: an incident that no word expected fails the rehearsal.
    fn unexpected(&self) -> Option<Trouble> {
        let case = self.scene.case()?;
        let unexpected = case
            .incidents
            .values()
            .map(|state| &state.incident)
            .find(|incident| !self.expected_incidents.contains(incident.kind.code()));
        let incident = unexpected?;
        let code = incident.kind.code();
        let place = match incident.line {
            0 => String::new(),
            line => format!(" {}:{line}", incident.file),
        };
        Some(
            Trouble::new(
                "UNEXPECTED_INCIDENT",
                format!("出现未预期的异常 {code}{place}:{}", incident.message),
                format!("an incident nobody expected, {code}{place}: {}", incident.message),
            )
            .advise(
                format!("若它本应出现,请写 r.expect_incident(\"{code}\")。"),
                format!("if it is meant to happen, write r.expect_incident(\"{code}\")."),
            ),
        )
    }
}

/// Empties the slot however a rehearsal ends.
struct Emptied;

impl Drop for Emptied {
    fn drop(&mut self) {
        drop(CURRENT.take());
    }
}

/// Calls `act` as the rehearsal of this thread, and gives back what is left of it.
pub(crate) fn during<T>(current: Current, act: impl FnOnce() -> T) -> (T, Ended) {
    let before = CURRENT.replace(Some(current));
    assert!(before.is_none(), "no word of a rehearsal begins another");
    let _emptied = Emptied;
    let came = act();
    let current = CURRENT.take().expect("the slot was filled above");
    (came, current.end())
}

/// Calls `act` with the current rehearsal, after agencies were told what the words before said.
pub(crate) fn with<T>(
    context: &NativeCallContext<'_>,
    act: impl FnOnce(&mut Current) -> Result<T, Trouble>,
) -> Result<T, Thrown> {
    editing(context, |current| {
        current.tell()?;
        act(current)
    })
}

/// As [`with`], for words that go on telling an agency.
pub(crate) fn editing<T>(
    context: &NativeCallContext<'_>,
    act: impl FnOnce(&mut Current) -> Result<T, Trouble>,
) -> Result<T, Thrown> {
    CURRENT.with_borrow_mut(|slot| {
        let Some(current) = slot.as_mut() else {
            return Err(outside(context.fn_name()).thrown());
        };
        act(current).map_err(Trouble::thrown)
    })
}

fn outside(name: &str) -> Trouble {
    Trouble::new(
        "ONLY_IN_REHEARSE",
        format!("{name} 只能在 rehearse(\"…\", |r| {{ … }}) 中使用"),
        format!("{name} can only be used inside of rehearse(\"…\", |r| {{ … }})"),
    )
}

/// Returns what a scene could not do, in the words of the scripts.
pub(crate) fn of_scene(error: &SceneError) -> Trouble {
    if let SceneError::Refused(refusal) = error {
        return refused(refusal);
    }
    let Both { zh, en } = both(&error.to_string());
    Trouble::new(error.code(), zh, en)
}

/// Returns a refusal that no word expected.
pub(crate) fn refused(refusal: &tongban_core::command::Refusal) -> Trouble {
    let at = if refusal.path.is_empty() {
        String::new()
    } else {
        format!(" [{}]", refusal.path.join("."))
    };
    Trouble::new(
        "REFUSED",
        format!("被拒绝({}){at}:{}", refusal.code, refusal.zh),
        format!("refused ({}){at}: {}", refusal.code, refusal.en),
    )
}

/// Splits a text in two languages.
pub(crate) fn both(text: &str) -> Both {
    let (zh, en) = text.split_once(" / ").unwrap_or((text, text));
    Both::new(zh, en)
}
