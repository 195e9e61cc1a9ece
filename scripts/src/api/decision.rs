//! Asking people: `start_decide`, `decide`, and the options that the engine carries out.
//!
//! Options are read when the handle is built, and only those that say something become part of
//! the request: a question without options keeps the fingerprint that it always had.

use rhai::{Array, Engine, Map, NativeCallContext};
use tongban_core::id::RoleCode;
use tongban_core::request::{Ask, Decision};
use tongban_core::value::Value;

use crate::api::ask::{Awaited, wait};
use crate::api::field::texts;
use crate::api::members::{Members, basis_missing};
use crate::api::time::period;
use crate::convert::from_script;
use crate::diagnose::Trouble;
use crate::suspend::{Thrown, with};

/// Every member of the map that `decide` takes.
pub(crate) const MEMBERS: [&str; 9] =
    ["title", "facts", "rev", "countersign", "in_order", "four_eyes", "silence", "within", "basis"];

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("start_decide", |context: NativeCallContext<'_>, role: &str, task: Map| {
            start_decide(&context, role, task)
        })
        .register_fn("decide", |context: NativeCallContext<'_>, role: &str, task: Map| {
            let handle = start_decide(&context, role, task)?;
            wait(&context, handle)
        });
}

fn start_decide(
    context: &NativeCallContext<'_>,
    role: &str,
    mut task: Map,
) -> Result<Awaited, Thrown> {
    let facts = match task.remove("facts") {
        Some(facts) => from_script(&facts, "facts").map_err(Trouble::thrown)?,
        None => Value::Null,
    };
    let mut given = Members::new("DECIDE", "decide", task);
    let title = given.text("title")?.ok_or_else(|| {
        Trouble::new(
            "DECIDE",
            "decide 需要 title（审批人看到的标题）",
            "decide needs a title, which the approver reads",
        )
        .thrown()
    })?;
    let mut options = people(&mut given, role)?;
    options.extend(rev(&mut given)?.map(|rev| ("rev", Value::Int(rev))));
    if let Some(silence) = silence(context, &mut given, role)? {
        options.extend(silence);
    }
    given.end(&MEMBERS)?;
    let options = match options.len() {
        0 => Value::Null,
        _ => Value::Map(options.into_iter().map(|(name, said)| (name.to_owned(), said)).collect()),
    };
    let ask = Ask::Decide { role: role.to_owned(), title, facts, options };
    with(context, |run| run.replay.request(ask)).map(Awaited)
}

/// Reads the revision of a question. Title and facts are no part of what replay compares, so that
/// wording may be mended while people decide; a question that means something else from now on
/// gets another revision, and is asked anew.
fn rev(given: &mut Members) -> Result<Option<i64>, Thrown> {
    let rev: Option<i64> = given.take("rev", "正整数", "a positive whole number")?;
    if rev.is_some_and(|rev| rev < 1) {
        return Err(wrong("rev 须为正整数", "rev is a positive whole number"));
    }
    Ok(rev)
}

type Options = Vec<(&'static str, Value)>;

/// Reads who has a word beside the one who decides.
fn people(given: &mut Members, decides: &str) -> Result<Options, Thrown> {
    check_role(decides)?;
    let listed: Array = given.take("countersign", "列表", "a list")?.unwrap_or_default();
    let roles = texts(listed, "countersign")?;
    for (at, role) in roles.iter().enumerate() {
        check_role(role)?;
        if role == decides || roles[..at].contains(role) {
            return Err(wrong(
                format!("会签岗位 {role} 重复，或就是作出决定的岗位"),
                format!("countersign names {role} twice, or the role that decides"),
            ));
        }
    }
    let mut yes = |name| given.take::<bool>(name, "true 或 false", "true or false");
    let (in_order, four_eyes) = (yes("in_order")?, yes("four_eyes")?);
    if in_order.is_some() && roles.is_empty() {
        return Err(wrong(
            "in_order 只用于会签，请同时写 countersign",
            "in_order is about countersigning; give countersign too",
        ));
    }
    let mut options = Options::new();
    if !roles.is_empty() {
        let roles = roles.into_iter().map(Value::from).collect();
        options.push(("countersign", Value::List(roles)));
    }
    options.extend(in_order.filter(|yes| *yes).map(|yes| ("in_order", Value::from(yes))));
    options.extend(four_eyes.filter(|yes| *yes).map(|yes| ("four_eyes", Value::from(yes))));
    Ok(options)
}

/// Reads what silence means: the agreement of another department that was asked for its opinion,
/// where a rule says so, and nothing else.
fn silence(
    context: &NativeCallContext<'_>,
    given: &mut Members,
    role: &str,
) -> Result<Option<Options>, Thrown> {
    let agrees = given.one_of("silence", &[("agree", "agree")])?;
    let (within, basis) = (given.text("within")?, given.basis("basis")?);
    let Some(agrees) = agrees else {
        return match within.or(basis) {
            None => Ok(None),
            Some(_) => Err(wrong(
                "within 和 basis 说明 silence，请同时写 silence: \"agree\"",
                "within and basis say what silence means; give silence: \"agree\" too",
            )),
        };
    };
    let Some(basis) = basis else {
        return Err(
            basis_missing("decide 的 silence（逾期视为同意）", "silence of decide").thrown()
        );
    };
    let Some(within) = within else {
        return Err(within_missing().thrown());
    };
    period(&within)?;
    let own = with(context, |run| Ok(run.def.department.clone()))?;
    if RoleCode::new(role).department() == own {
        return Err(own_silence(role).thrown());
    }
    Ok(Some(vec![
        ("silence", Value::from(agrees)),
        ("within", Value::from(within)),
        ("basis", Value::from(basis)),
    ]))
}

/// Says that silence needs its time.
pub(crate) fn within_missing() -> Trouble {
    Trouble::new(
        "DECIDE",
        "silence 需要 within，例如 within: \"3 working days\"",
        "silence needs within, such as within: \"3 working days\"",
    )
}

/// Says that the deciding department's own silence decides nothing.
pub(crate) fn own_silence(role: &str) -> Trouble {
    Trouble::new(
        "SILENCE_OF_OWN",
        format!("{role} 属于作出决定的部门，沉默不能视为同意"),
        format!("{role} is of the department that decides; its silence is no agreement"),
    )
    .advise(
        "逾期视为同意只用于征求其他部门意见；本部门超期由督办规则提醒。",
        "silence agrees only for opinions of other departments; cards watch one's own limits.",
    )
}

fn check_role(role: &str) -> Result<(), Thrown> {
    match role.split_once('.') {
        Some((department, name)) if !department.is_empty() && !name.is_empty() => Ok(()),
        Some(_) | None => Err(Trouble::new(
            "ROLE",
            format!("{role} 不是“部门.岗位”"),
            format!("{role} is not of the form department.role"),
        )
        .advise(
            "例如 \"natural-resources.approver\"。",
            "write for example \"natural-resources.approver\".",
        )
        .thrown()),
    }
}

fn wrong(zh: impl Into<String>, en: impl Into<String>) -> Thrown {
    Trouble::new("DECIDE", zh, en).thrown()
}

/// Says that silence is no ground of a grant.
pub(crate) fn rests_on_silence() -> Trouble {
    Trouble::new(
        "GRANT_ON_SILENCE",
        "逾期视为同意的意见不能作为准予的依据",
        "an opinion that silence gave is no ground to grant on",
    )
    .advise(
        "准予须凭本部门的决定：请再用 decide 请本部门审批人决定。",
        "a grant rests on a decision of the department itself: ask its approver by decide.",
    )
}

/// Tells whether a decision is there only because nobody answered in time.
pub(crate) fn is_deemed(decision: &Decision) -> bool {
    decision.officer.is_empty() && decision.fields.get("deemed") == Some(&Value::Bool(true))
}
