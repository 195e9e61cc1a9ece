//! The form of a case: each value with where it came from.
//!
//! The applicant reads what he said as he said it. Staff reads numbers of people and of telephones
//! masked, and an office only the fields that its own matters ask for.

use std::collections::BTreeSet;

use async_graphql::{ID, SimpleObject};
use tongban_core::case::Case;
use tongban_core::definition::{Closure, Field};
use tongban_core::entry::FormChanged;
use tongban_core::id::Seq;
use tongban_core::identifier::CitizenId;
use tongban_core::summary::mask_id;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::CaseView;

use super::{EntryKind, Json, write_entry_id};

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
    /// 最近一次更正的事件标识,误录时凭此作废;未更正为空 / Id of the event that amended it last, by which a mistake is voided; null when never
    amended_by: Option<ID>,
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
    let amended = last_change(case, &name);
    let typed = || {
        let mut named = case.started.provenance.iter();
        named.find(|(field, _)| *field == name).map_or("typed", |(_, source)| source)
    };
    let source = amended.map_or_else(typed, |(_, change)| &change.source).to_owned();
    let masked = if view.is_for_applicant() { None } else { masked(case, &value) };
    FormValue {
        label: label_of(closure, &name),
        field: name,
        source,
        masked: masked.is_some(),
        value: Json::from(&masked.unwrap_or(value)),
        amended_by: amended.map(|(at, _)| write_entry_id(EntryKind::Event, case.id, at)),
    }
}

/// Returns the last change of a field that was not taken back.
fn last_change<'a>(case: &'a Case, name: &str) -> Option<(Seq, &'a FormChanged)> {
    let mut changes = case.form_changes.iter().rev();
    let (at, change) = changes
        .find(|(at, change)| !case.voided.contains_key(at) && change.fields.get(name).is_some())?;
    Some((*at, change))
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
