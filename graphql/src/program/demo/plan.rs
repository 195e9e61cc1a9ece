//! The plan of the demo's case: who files what, and who decides when. Data, in `graphql/demo/`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tongban_core::digest::Digest;
use tongban_core::id::{DepartmentCode, RegionCode};
use tongban_core::organisation::{DocumentKind, Organisation, Source};
use tongban_core::viewer::{Role, Viewer};

const CONSTRUCTION_START: &str = include_str!("../../../demo/construction-start.json");
const ORGANISATION: &str = include_str!("../../../demo/organisation.json");
const CALENDAR: &str = include_str!("../../../demo/calendar.json");

/// Returns the demo's offices and people, in whose names its notices are issued.
pub(super) fn organisation() -> Organisation {
    let source = |label, kind, text: &'static str| Source {
        label,
        kind: Some(kind),
        bytes: text.as_bytes(),
    };
    let sources = [
        source("organisation.json", DocumentKind::Organisation, ORGANISATION),
        source("calendar.json", DocumentKind::Calendar, CALENDAR),
    ];
    Organisation::read(&sources).expect("a test imports the shipped documents")
}

/// A case, from application to last decision.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    pub(super) service: String,
    pub(super) region: String,
    pub(super) applicant: Applicant,
    pub(super) answers: Value,
    pub(super) form: Value,
    pub(super) materials: Vec<Material>,
    /// Everyone who takes part, by the name that steps use.
    pub(super) people: BTreeMap<String, Person>,
    /// Short names of departments, by code.
    pub(super) departments: BTreeMap<String, String>,
    /// Names of roles, by the part of their code after the department.
    pub(super) roles: BTreeMap<String, String>,
    /// What people do, in this order where several could be done.
    pub(super) steps: Vec<Step>,
    /// Milliseconds that an agency takes for each message of an operation; none when left out.
    #[serde(default)]
    pub(super) work_millis: BTreeMap<String, u64>,
}

/// The enterprise that applies.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Applicant {
    pub(super) id: String,
    pub(super) name: String,
}

/// A material, by reference.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Material {
    pub(super) code: String,
    pub(super) file_name: String,
}

/// Someone with a token of his own.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) role: String,
    pub(super) regions: Vec<String>,
    pub(super) departments: Vec<String>,
}

/// One task that someone does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) matter: String,
    /// Kind of the task.
    pub(super) task: String,
    /// Who does it, a name in [`Plan::people`].
    pub(super) by: String,
    /// Lawful minutes that it takes him.
    pub(super) minutes: i64,
    pub(super) opinion: String,
    /// A matter that must have ended before.
    #[serde(default)]
    pub(super) after_end_of: Option<String>,
    /// Number of the document that an office without a system issues; `{serial}` follows from the case's.
    #[serde(default)]
    pub(super) number: Option<String>,
}

impl Plan {
    /// Returns the plan that ships with the program.
    pub(super) fn shipped() -> Self {
        serde_json::from_str(CONSTRUCTION_START).expect("a test reads the shipped plan")
    }

    /// Returns someone as the engine sees him.
    pub(super) fn viewer(&self, name: &str) -> Option<Viewer> {
        let person = self.people.get(name)?;
        let role = Role::parse(&person.role)?;
        Some(Viewer {
            subject: person.subject.clone(),
            role,
            regions: person.regions.iter().map(RegionCode::new).collect(),
            departments: person.departments.iter().map(DepartmentCode::new).collect(),
            party: (role == Role::Applicant).then(|| self.applicant.id.clone()),
        })
    }

    /// Returns the short name of a department.
    pub(super) fn department<'a>(&'a self, code: &'a str) -> &'a str {
        self.departments.get(code).map_or(code, String::as_str)
    }

    /// Returns a sentence with names in the place of codes of departments and roles.
    pub(super) fn told(&self, sentence: &str) -> String {
        let mut told = sentence.to_owned();
        for (code, name) in &self.departments {
            for (role, title) in &self.roles {
                told = told.replace(&format!("{code}.{role}"), &format!("{name}{title}"));
            }
            told = told.replace(code, name);
        }
        told
    }

    /// Returns the materials as the API takes them. The demo has no files; a digest of each
    /// name stands in for the digest of its bytes.
    pub(super) fn materials(&self) -> Vec<Value> {
        let one = |material: &Material| {
            let sha256 = Digest::of(material.file_name.as_bytes()).hex();
            json!({ "code": material.code, "fileName": material.file_name, "sha256": sha256 })
        };
        self.materials.iter().map(one).collect()
    }
}

impl Step {
    /// Returns the further fields of the task's outcome.
    pub(super) fn fields(&self, case_number: &str) -> Value {
        let Some(number) = &self.number else {
            return json!({});
        };
        // A case number is region (6), date (8), serial (6) and a check character: month, day and
        // the end of the serial tell the documents of one office apart.
        let part = |range| case_number.get(range).unwrap_or_default();
        let serial = format!("{}{}", part(10..14), part(18..20));
        json!({ "number": number.replace("{serial}", &serial) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_plan_is_read_and_everyone_in_it_may_act() {
        let plan = Plan::shipped();
        for step in &plan.steps {
            let viewer = plan.viewer(&step.by).unwrap();
            assert!(!viewer.regions.is_empty(), "{}", step.by);
        }
        let applicant = plan.viewer("applicant").unwrap();
        assert_eq!(applicant.party.as_deref(), Some("91420302MA4DEM010M"));
        let day: i64 = plan.steps.iter().map(|step| step.minutes).sum();
        assert!(day < 8 * 60, "{day} minutes do not fit into a working day");
    }

    #[test]
    fn people_read_names_and_not_codes() {
        let plan = Plan::shipped();
        let told = plan.told("等 natural-resources.approver:审查");
        assert_eq!(told, "等 自然资源和规划局审批人:审查");
        assert_eq!(plan.told("等 human-resources 回执"), "等 人力资源和社会保障局 回执");
    }

    #[test]
    fn a_document_of_an_office_without_a_system_gets_the_serial_of_the_case() {
        let plan = Plan::shipped();
        let waste = plan.steps.iter().find(|step| step.number.is_some()).unwrap();
        let fields = waste.fields("42030220260302000007X");
        assert_eq!(fields["number"], "十城管渣字〔2026〕030207号");
    }
}
