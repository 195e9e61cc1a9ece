//! The form of a case: each value with where it came from.
//!
//! The applicant reads what he said as he said it. Staff reads numbers of people and of telephones
//! masked, and an office only the fields that its own matters ask for.

use std::collections::BTreeSet;

use async_graphql::{ID, SimpleObject};
use tongban_core::case::Case;
use tongban_core::definition::{Closure, Field};
use tongban_core::id::Seq;
use tongban_core::identifier::CitizenId;
use tongban_core::prefill::{Authority, FieldsTried};
use tongban_core::summary::mask_id;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::CaseView;

use super::code::AttemptCause;
use super::{DateTime, EntryKind, Json, write_entry_id};

/// Digits of a mobile telephone's number.
const MOBILE_DIGITS: usize = 11;

/// 表单中的一个值 / A value of the form
#[derive(SimpleObject)]
pub(crate) struct FormValue {
    /// 字段 / Name of the field
    field: String,
    /// 字段名称 / Label of the field
    label: String,
    /// 值;个人号码对工作人员脱敏 / The value; numbers of people are masked for staff
    value: Json,
    /// 是否已脱敏 / Whether it is masked
    masked: bool,
    /// 来源:typed(填写)、applicant(申请人更正)、clerk(窗口更正)或数据资源 / Where it came from: typed, applicant (corrected), clerk (amended), or a data resource
    source: String,
    /// 由数据资源预填时的取得时间 / When a data resource gave it; null when none did
    sourced_at: Option<DateTime>,
    /// 由数据资源预填时,所得报文的 SHA-256 / SHA-256 of the message by which a data resource gave it; null when none did
    source_digest: Option<String>,
    /// 由数据资源预填时,依据的授权 / On which authorisation a data resource was asked for it; null when none was
    sourced_under: Option<FormAuthority>,
    /// 此前的值,由近及远;更正不覆盖原值 / Values that it had before, newest first: a correction keeps them
    earlier: Vec<EarlierValue>,
    /// 最近一次更正的事件标识,误录时凭此作废;未更正为空 / Id of the event that amended it last, by which a mistake is voided; null when never
    amended_by: Option<ID>,
}

/// 查询数据资源所依据的授权 / The authorisation on which a data resource was asked
#[derive(SimpleObject)]
pub(crate) struct FormAuthority {
    /// 授权人号码;对工作人员脱敏 / Identifier of whoever authorised it; masked for staff
    by: String,
    /// 用途:事项代码 / Purpose: code of the matter
    purpose: String,
    /// 授权书版本 / Version of the text that he agreed to
    text_version: String,
}

/// 字段此前的值 / A value that a field had before
#[derive(SimpleObject)]
pub(crate) struct EarlierValue {
    /// 值;个人号码对工作人员脱敏 / The value; numbers of people are masked for staff
    value: Json,
    /// 来源 / Where it came from
    source: String,
}

/// 表单字段的数据来源及查询结果 / A data source of form fields, and what came of asking it
#[derive(SimpleObject)]
pub(crate) struct FormSource {
    /// 字段 / Names of the fields
    fields: Vec<String>,
    /// 数据资源 / The data resource
    source: String,
    /// 结果;查询中为空 / What came of it; null while it is being asked
    cause: Option<AttemptCause>,
    /// 依据的授权;未授权则为空,也未查询 / On which authorisation; null where there was none, and nothing was asked
    authority: Option<FormAuthority>,
    /// 窗口代为查询的理由 / Why a window asked for the applicant
    reason: String,
}

/// Returns the sources that were asked for the form of a case, with what came of each last.
pub(crate) fn form_sources(view: &CaseView) -> Vec<FormSource> {
    let mut shown: Vec<&FieldsTried> = Vec::new();
    for (_, tried) in &view.case().prefills {
        shown.retain(|past| (&past.source, &past.fields) != (&tried.source, &tried.fields));
        shown.push(tried);
    }
    let sources = shown.into_iter().map(|tried| FormSource {
        fields: tried.fields.clone(),
        source: tried.source.clone(),
        cause: tried.cause.map(AttemptCause::from),
        authority: tried.authority.as_ref().map(|authority| shown_authority(view, authority)),
        reason: tried.reason.clone(),
    });
    sources.collect()
}

fn shown_authority(view: &CaseView, authority: &Authority) -> FormAuthority {
    let own = view.is_for_applicant();
    FormAuthority {
        by: if own { authority.by.clone() } else { mask_id(&authority.by) },
        purpose: authority.purpose.clone(),
        text_version: authority.text_version.clone(),
    }
}

/// Returns the form as a viewer may read it. Without its declarations an office reads none.
pub(crate) fn form_values(
    view: &CaseView,
    closure: Option<&Closure>,
    viewer: &Viewer,
) -> Vec<FormValue> {
    let case = view.case();
    let Value::Map(values) = case.form() else { return Vec::new() };
    let own = own_fields(case, closure, viewer);
    let is_shown = |name: &String| own.as_ref().is_none_or(|own| own.contains(name));
    let shown = values.into_iter().filter(|(name, _)| is_shown(name));
    shown.map(|(name, value)| form_value(view, closure, (name, value))).collect()
}

/// Returns the fields that an office's matters ask for; `None` for who reads the whole form.
fn own_fields(case: &Case, closure: Option<&Closure>, viewer: &Viewer) -> Option<BTreeSet<String>> {
    match viewer.role {
        Role::Applicant | Role::WindowClerk | Role::Integrator | Role::Supervisor => return None,
        // Who keeps the engine running needs nobody's answers for it.
        Role::SystemAdmin => return Some(BTreeSet::new()),
        Role::Approver | Role::OfficeHead => {}
    }
    let matters = case.matters.iter().filter(|matter| matter.is_included());
    let own = matters.filter(|matter| viewer.departments.contains(&matter.planned.department));
    let declared = own.filter_map(|matter| closure?.matters.get(&matter.planned.code));
    Some(declared.flat_map(|matter| &matter.form).map(|field| field.name.clone()).collect())
}

fn form_value(view: &CaseView, closure: Option<&Closure>, given: (String, Value)) -> FormValue {
    let (name, value) = given;
    let case = view.case();
    let mut history = history(case, &name).into_iter();
    let (source, _, amended) = history.next().unwrap_or_default();
    let earlier = history.map(|(source, value, _)| EarlierValue {
        value: Json::from(&shown(view, &value).unwrap_or(value)),
        source,
    });
    let earlier = earlier.collect();
    let got = case.provenance(&name);
    let masked = shown(view, &value);
    FormValue {
        label: label_of(closure, &name),
        field: name,
        source,
        sourced_at: got.as_ref().map(|got| got.at.into()),
        source_digest: got.as_ref().map(|got| got.digest.hex()),
        sourced_under: got
            .and_then(|got| got.authority)
            .map(|authority| shown_authority(view, &authority)),
        earlier,
        masked: masked.is_some(),
        value: Json::from(&masked.unwrap_or(value)),
        amended_by: amended.map(|at| write_entry_id(EntryKind::Event, case.id, at)),
    }
}

/// Returns every value of a field that was not taken back, newest first: where it came from, what
/// it was, and the entry that changed the form to it.
fn history(case: &Case, name: &str) -> Vec<(String, Value, Option<Seq>)> {
    let changes = case.form_changes.iter().rev();
    let standing = changes.filter(|(at, _)| !case.voided.contains_key(at));
    let later = standing.filter_map(|(at, change)| {
        Some((change.source.clone(), change.fields.get(name)?.clone(), Some(*at)))
    });
    let mut named = case.started.provenance.iter();
    let typed = named.find(|(field, _)| field == name).map_or("typed", |(_, source)| source);
    let given = case.started.form.get(name).map(|value| (typed.to_owned(), value.clone(), None));
    later.chain(given).collect()
}

/// Returns a value as staff reads it, where that differs.
fn shown(view: &CaseView, value: &Value) -> Option<Value> {
    if view.is_for_applicant() { None } else { masked(view.case(), value) }
}

fn label_of(closure: Option<&Closure>, name: &str) -> String {
    let fields = closure.into_iter().flat_map(|closure| closure.matters.values());
    let mut fields = fields.flat_map(|matter| &matter.form);
    let known: Option<&Field> = fields.find(|field| field.name == name);
    known.map_or_else(|| name.to_owned(), |field| field.label.clone())
}

/// Masks a value that names a person: a party's identifier, a citizen's number, a mobile's.
fn masked(case: &Case, value: &Value) -> Option<Value> {
    let text = value.as_text()?;
    let started = &case.started;
    let parties = [Some(&started.applicant), started.agent.as_ref()];
    let party = parties.into_iter().flatten().any(|party| party.id == text);
    let citizen = CitizenId::for_lookup(text, case.updated_at.date()).is_ok();
    if party || citizen {
        return Some(mask_id(text).as_str().into());
    }
    is_mobile(text).then(|| format!("{}****{}", &text[..3], &text[7..]).as_str().into())
}

fn is_mobile(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.len() == MOBILE_DIGITS && text.starts_with('1')
}
