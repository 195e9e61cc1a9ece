//! People: the applicant, and whoever holds a role. Each act is one command.

use std::sync::Arc;

use rhai::{Dynamic, Engine, Map, NativeCallContext};
use tongban_core::case::{Case, Task};
use tongban_core::command::{Answer, Command, Refusal, Seen, TaskAt, TaskOutcome};
use tongban_core::entry::TaskKind;
use tongban_core::id::RoleCode;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};

use crate::convert::from_script;
use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, Detail, of_scene, refused, with};
use crate::suspend::Thrown;

use super::R;

/// Acts that `everyone_approves` may take before it counts as going round without end.
const APPROVALS_MAX: usize = 1_000;

/// Someone who is about to act.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) who: Who,
    /// Only a task of this matter, or with this in its title.
    pub(super) on: Option<String>,
    /// The refusal that is expected.
    pub(super) refusal: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Who {
    /// The applicant of the case.
    Applicant,
    /// A holder of a role, by his name.
    Holder { role: String, name: String },
    /// The holder of a role of the lead department (`window`) or of the matter's own.
    Of { role: &'static str, name: Option<String>, matter: Option<String> },
}

impl Person {
    /// Returns the matter that his acts are about: the one he was named for, or stands on.
    pub(super) fn matter(&self) -> Option<&str> {
        match &self.who {
            Who::Of { matter: Some(matter), .. } => Some(matter),
            Who::Of { matter: None, .. } | Who::Holder { .. } | Who::Applicant => {
                self.on.as_deref()
            }
        }
    }
}

/// Words for those who act most, with the role that each has in his department.
const OFFICERS: [(&str, &str); 3] = [("window", WINDOW), ("officer", "approver"), ("head", "head")];

const WINDOW: &str = "window";

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Person>("person");
    engine
        .register_fn("person", |_: &mut R, role: &str| Person {
            who: Who::Holder { role: role.to_owned(), name: role.to_owned() },
            on: None,
            refusal: None,
        })
        .register_fn("applicant", |_: &mut R| Person {
            who: Who::Applicant,
            on: None,
            refusal: None,
        })
        .register_fn("named", |person: &mut Person, name: &str| {
            let mut person = person.clone();
            match &mut person.who {
                Who::Holder { name: own, .. } => name.clone_into(own),
                Who::Of { name: own, .. } => *own = Some(name.to_owned()),
                Who::Applicant => {}
            }
            person
        })
        .register_fn("on", |person: &mut Person, what: &str| Person {
            on: Some(what.to_owned()),
            ..person.clone()
        })
        .register_fn("expecting", |person: &mut Person, code: &str| Person {
            refusal: Some(code.to_owned()),
            ..person.clone()
        })
        .register_fn("everyone_approves", |context: NativeCallContext<'_>, _: &mut R| {
            with(&context, everyone)
        });
    for (word, role) in OFFICERS {
        let of = move |matter| Person {
            who: Who::Of { role, name: None, matter },
            on: None,
            refusal: None,
        };
        engine
            .register_fn(word, move |_: &mut R| of(None))
            .register_fn(word, move |_: &mut R, matter: &str| of(Some(matter.to_owned())));
    }
    decisions(engine);
    handling(engine);
    applying(engine);
    super::acts::register(engine);
}

fn decisions(engine: &mut Engine) {
    for name in ["approves", "accepts"] {
        engine
            .register_fn(name, |context: NativeCallContext<'_>, person: &mut Person| {
                decide(&context, person, yes("同意", Value::map()))
            })
            .register_fn(
                name,
                |context: NativeCallContext<'_>, person: &mut Person, opinion: &str| {
                    decide(&context, person, yes(opinion, Value::map()))
                },
            );
    }
    engine
        .register_fn(
            "completes",
            |context: NativeCallContext<'_>, person: &mut Person, fields: Map| {
                let fields = from_script(&Dynamic::from_map(fields), "completes")
                    .map_err(Trouble::thrown)?;
                decide(&context, person, yes("同意", fields))
            },
        )
        .register_fn(
            "denies",
            |context: NativeCallContext<'_>, person: &mut Person, reason: &str| {
                decide(&context, person, no(reason, Value::map()))
            },
        )
        .register_fn(
            "does_not_accept",
            |context: NativeCallContext<'_>, person: &mut Person, ground: &str, reason: &str| {
                let fields = Value::of([("ground", Value::from(ground))]);
                decide(&context, person, no(reason, fields))
            },
        );
}

fn handling(engine: &mut Engine) {
    engine
        .register_fn("claims", |context: NativeCallContext<'_>, person: &mut Person| {
            act(&context, person, |by, task| Command::ClaimTask { by, task })
        })
        .register_fn("releases", |context: NativeCallContext<'_>, person: &mut Person| {
            act(&context, person, |by, task| Command::ReleaseTask { by, task })
        });
}

fn applying(engine: &mut Engine) {
    engine
        .register_fn("submits", |context: NativeCallContext<'_>, person: &mut Person| {
            apply(&context, person, |by| Command::Submit { by })
        })
        .register_fn(
            "withdraws",
            |context: NativeCallContext<'_>, person: &mut Person, reason: &str| {
                apply(&context, person, |by| Command::Withdraw { by, reason: reason.to_owned() })
            },
        );
}

fn yes(opinion: &str, fields: Value) -> TaskOutcome {
    TaskOutcome { granted: true, opinion: opinion.to_owned(), fields }
}

fn no(reason: &str, fields: Value) -> TaskOutcome {
    TaskOutcome { granted: false, opinion: reason.to_owned(), fields }
}

fn decide(
    context: &NativeCallContext<'_>,
    person: &Person,
    outcome: TaskOutcome,
) -> Result<(), Thrown> {
    act(context, person, |by, task| Command::CompleteTask {
        by,
        task,
        outcome,
        seen: Seen::default(),
    })
}

/// Does something with the one task that is meant.
fn act(
    context: &NativeCallContext<'_>,
    person: &Person,
    command: impl FnOnce(Viewer, TaskAt) -> Command,
) -> Result<(), Thrown> {
    with(context, |current| {
        let case = current.case()?;
        let by = viewer(current, person)?;
        let role = role_of(current, person)?;
        let role = role.unwrap_or_else(|| RoleCode::applicant().to_string());
        let task = find(&case, &role, person.on.as_deref().or_else(|| person.matter()))?;
        let at = TaskAt { no: task.no, version: task.version };
        give(current, person, command(by, at))
    })
}

fn apply(
    context: &NativeCallContext<'_>,
    person: &Person,
    command: impl FnOnce(Viewer) -> Command,
) -> Result<(), Thrown> {
    with(context, |current| {
        let by = viewer(current, person)?;
        give(current, person, command(by))
    })
}

/// Gives a command to the case, and compares its answer with the one expected.
pub(super) fn give(
    current: &mut Current,
    person: &Person,
    command: Command,
) -> Result<(), Trouble> {
    let answer = current.scene.give(command).map_err(|error| of_scene(&error))?;
    let refusal = match answer {
        Answer::Refused(refusal) => Some(refusal),
        Answer::Done | Answer::Acked(_) => None,
    };
    match (&person.refusal, refusal) {
        (None, None) => Ok(()),
        (None, Some(refusal)) => Err(refused(&refusal)),
        (Some(code), refusal) => expect_refusal(current, code, refusal.as_ref()),
    }
}

/// Compares a refusal with the one that was expected.
pub(crate) fn expect_refusal(
    current: &mut Current,
    code: &str,
    got: Option<&Refusal>,
) -> Result<(), Trouble> {
    let found = got.map_or("", |refusal| refusal.code.as_str());
    if found == code {
        return Ok(());
    }
    current.detail =
        Some(Detail { expected: code.to_owned(), got: found.to_owned(), diff: Vec::new() });
    let (zh, en) = match got {
        Some(refusal) => (refusal.to_string(), refusal.to_string()),
        None => ("未被拒绝".to_owned(), "it was not refused".to_owned()),
    };
    Err(Trouble::new(
        "EXPECTATION",
        format!("预期被拒绝({code}),实际:{zh}"),
        format!("expected a refusal {code}; {en}"),
    ))
}

/// Returns the applicant as the engine sees him.
pub(crate) fn applicant(current: &Current) -> Result<Viewer, Trouble> {
    let case = current.case()?;
    let party = case.started.applicant.id.as_str();
    Ok(Viewer::new(party, Role::Applicant).for_party(party))
}

/// Returns someone as the engine sees him.
pub(super) fn viewer(current: &Current, person: &Person) -> Result<Viewer, Trouble> {
    let case = current.case()?;
    let Some(role) = role_of(current, person)? else {
        return applicant(current);
    };
    let name = match &person.who {
        Who::Holder { name, .. } | Who::Of { name: Some(name), .. } => name,
        Who::Of { name: None, .. } | Who::Applicant => &role,
    };
    Ok(holder(&case, &RoleCode::new(&role), name))
}

/// Returns the role that someone acts in; the applicant has none.
fn role_of(current: &Current, person: &Person) -> Result<Option<String>, Trouble> {
    let role = match &person.who {
        Who::Applicant => return Ok(None),
        Who::Holder { role, .. } => return Ok(Some(role.clone())),
        Who::Of { role, .. } => *role,
    };
    let case = current.case()?;
    let department = if role == WINDOW {
        case.started.lead.clone()
    } else {
        // What he stands on may be part of a title instead of a matter.
        let only = |named| super::meant(current, None).map_err(|_| named);
        let no = super::meant(current, person.matter()).or_else(only)?;
        let own = case.matter(no);
        own.map_or(&case.started.lead, |own| &own.planned.department).clone()
    };
    Ok(Some(format!("{department}.{role}")))
}

fn holder(case: &Case, role: &RoleCode, name: &str) -> Viewer {
    let kind = match role.as_str().rsplit_once('.') {
        Some((_, "window")) => Role::WindowClerk,
        Some((_, "head")) => Role::OfficeHead,
        Some(_) | None => Role::Approver,
    };
    Viewer::new(name, kind).within(case.started.region.as_str()).of(role.department().as_str())
}

fn find<'c>(case: &'c Arc<Case>, role: &str, on: Option<&str>) -> Result<&'c Task, Trouble> {
    let meant = |task: &&Task| {
        let matter = case.matter(task.matter).map_or("", |matter| matter.planned.code.as_str());
        task.role.as_str() == role
            && on.is_none_or(|on| on == matter || task.opened.title.contains(on))
    };
    let mut tasks = case.open_tasks().filter(meant);
    let first = tasks.next();
    match (first, tasks.next()) {
        (Some(task), None) => Ok(task),
        (Some(task), Some(other)) => Err(ambiguous(role, &task.opened.title, &other.opened.title)),
        (None, _) => Err(nothing_open(case, role, on)),
    }
}

fn ambiguous(role: &str, one: &str, other: &str) -> Trouble {
    Trouble::new(
        "TASK_AMBIGUOUS",
        format!("{role} 有多项待办:「{one}」「{other}」"),
        format!("{role} has several tasks: “{one}”, “{other}”"),
    )
    .advise(
        "请写 .on(\"事项编码或标题\") 指明是哪一项。",
        "say which by .on(\"code of the matter, or part of the title\").",
    )
}

fn nothing_open(case: &Case, role: &str, on: Option<&str>) -> Trouble {
    let about = on.map_or_else(String::new, |on| format!("（{on}）"));
    let trouble = Trouble::new(
        "TASK_NOT_OPEN",
        format!("{role}{about} 现在没有待办"),
        format!("{role}{about} has no task now"),
    );
    let open: Vec<String> =
        case.open_tasks().map(|task| format!("{}「{}」", task.role, task.opened.title)).collect();
    let roles: Vec<&str> = case.open_tasks().map(|task| task.role.as_str()).collect();
    if !roles.contains(&role)
        && let Some(nearest) = crate::diagnose::nearest(role, roles.iter().copied())
    {
        return trouble.advise(format!("是否想写 {nearest}？"), format!("did you mean {nearest}?"));
    }
    if open.is_empty() {
        return trouble.advise(
            "没有任何待办;部门的答复请用 r.agency(…) 或 r.agencies_answer() 说明,也可能要先用 r.wait(…) 让时间过去。",
            "no task is open at all; say what agencies answer by r.agency(…) or r.agencies_answer(), or let time pass by r.wait(…).",
        );
    }
    trouble
        .advise(format!("现有待办:{}", open.join("、")), format!("open are: {}", open.join(", ")))
}

/// Everyone with a task says yes, until nobody has one.
fn everyone(current: &mut Current) -> Result<(), Trouble> {
    for _ in 0..APPROVALS_MAX {
        let case = current.case()?;
        let asked_before =
            |task: &&Task| case.open_tasks().any(|other| other.opened.before == Some(task.no));
        let Some(task) = case.open_tasks().find(|task| !asked_before(task)) else { return Ok(()) };
        let role = &task.role;
        // The second word of two is another officer's.
        let second = if task.proposed.is_some() { "/2" } else { "" };
        let by = if role.is_applicant() {
            applicant(current)?
        } else {
            holder(&case, role, &format!("{role}{second}"))
        };
        let fields = match task.opened.kind {
            TaskKind::Manual => {
                Value::of([("number", Value::text(format!("示例〔人工〕{}号", task.no)))])
            }
            TaskKind::CorrectionMissed | TaskKind::PromiseMissed | TaskKind::AgencyLate => {
                Value::of([("longer", "5 working days".into())])
            }
            TaskKind::Intake
            | TaskKind::Decide
            | TaskKind::Rejected
            | TaskKind::ConfirmDenial
            | TaskKind::ApproveExtension
            | TaskKind::Countersign
            | TaskKind::Amendment
            | TaskKind::LateReply
            | TaskKind::Obligation
            | TaskKind::AfterCancel
            | TaskKind::AskCorrection
            | TaskKind::Applicant
            | TaskKind::Partial => Value::map(),
        };
        let at = TaskAt { no: task.no, version: task.version };
        let outcome = yes("同意", fields);
        let command = Command::CompleteTask { by, task: at, outcome, seen: Seen::default() };
        match current.scene.give(command).map_err(|error| of_scene(&error))? {
            Answer::Refused(refusal) => return Err(refused(&refusal)),
            Answer::Done | Answer::Acked(_) => {}
        }
    }
    Err(Trouble::new(
        "TOO_MANY_TASKS",
        "待办不断产生,无法全部同意",
        "tasks keep coming; not everyone can approve",
    ))
}
