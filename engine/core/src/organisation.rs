//! The organisation as data: who may do what where, under which agreements and rules.
//!
//! Each part is a JSON document with a published schema, a `kind` and a `code`; several of a kind
//! add up. [`Organisation::read`] takes the whole set, finds everything that is wrong with it at
//! once, and gives an immutable snapshot. Its look-ups take the day, for offices, holders,
//! stand-ins and agreements come and go. Whoever reads it journals [`Organisation::version`].
//!
//! Start at `directory` for offices and people; `rules` holds what a schema cannot say.

pub mod agreements;
pub mod bindings;
pub mod card_rules;
pub mod change;
pub mod directory;
mod document;
mod finding;
mod kind;
mod rules;
pub mod schema;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use self::agreements::Agreements;
use self::bindings::BindingEntry;
use self::card_rules::{CardRule, CardRulesDocument};
use self::directory::{Duty, Hold, Office, OfficeRef, Person, RoleDefinition, StandIn};
use self::document::DocumentSet;
pub use self::document::{Identity, Source};
pub use self::finding::{Fault, Finding, Findings};
pub use self::kind::DocumentKind;
use crate::digest::Digest;
use crate::id::{DepartmentCode, RegionCode, RoleCode};
use crate::time::Moment;
use crate::viewer::{Addressee, Role, Viewer};

/// Digits of a document's digest in a version.
const VERSION_DIGITS: usize = 16;

/// Everything that is known about the organisation at one time.
#[derive(Clone, Debug)]
pub struct Organisation {
    offices: BTreeMap<OfficeRef, Office>,
    roles: BTreeMap<RoleCode, RoleDefinition>,
    people: BTreeMap<String, Person>,
    /// By who is absent.
    stand_ins: BTreeMap<String, Vec<StandIn>>,
    /// Who holds or held each role, by subject.
    by_role: BTreeMap<RoleCode, Vec<String>>,
    bindings: Vec<BindingEntry>,
    agreements: Agreements,
    card_rules: Vec<CardRule>,
    version: String,
}

/// By what right somebody acts in a role.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing<'a> {
    /// He holds it.
    Holds(&'a Hold),
    /// He stands in for somebody who holds it.
    StandsIn(&'a StandIn),
}

impl Default for Organisation {
    /// Returns an organisation without offices or people, under the shipped card rules.
    fn default() -> Self {
        Self::of(DocumentSet::default())
    }
}

impl Organisation {
    /// Reads a set of documents.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them. Rules between documents are looked at once all
    /// of them can be read.
    pub fn read(sources: &[Source<'_>]) -> Result<Self, Findings> {
        let (set, mut findings) = DocumentSet::read(sources);
        if findings.is_empty() {
            findings = rules::check(&set);
        }
        if findings.is_empty() { Ok(Self::of(set)) } else { Err(Findings(findings)) }
    }

    /// Reads what a document says about itself, without looking any further.
    pub fn identify(source: &Source<'_>) -> Result<Identity, Findings> {
        let read = document::identity(source).map(|(identity, _)| identity);
        read.map_err(|finding| Findings(vec![*finding]))
    }

    fn of(set: DocumentSet) -> Self {
        let version = version(set.versions);
        let mut organisation = Self {
            offices: BTreeMap::new(),
            roles: BTreeMap::new(),
            people: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
            by_role: BTreeMap::new(),
            bindings: set.bindings.into_iter().flat_map(|one| one.document.bindings).collect(),
            agreements: Agreements::new(
                set.agreements.into_iter().flat_map(|one| one.document.agreements).collect(),
            ),
            card_rules: set.card_rules.into_iter().flat_map(|one| one.document.rules).collect(),
            version,
        };
        if organisation.card_rules.is_empty() {
            organisation.card_rules = CardRulesDocument::shipped().rules;
        }
        for one in set.organisation {
            organisation.add(one.document);
        }
        organisation
    }

    fn add(&mut self, document: directory::OrganisationDocument) {
        self.offices.extend(document.offices.into_iter().map(|one| (one.reference(), one)));
        self.roles.extend(document.roles.into_iter().map(|one| (one.code.clone(), one)));
        for person in document.people {
            for hold in &person.holds {
                let holders = self.by_role.entry(hold.role.clone()).or_default();
                if !holders.contains(&person.subject) {
                    holders.push(person.subject.clone());
                }
            }
            self.people.insert(person.subject.clone(), person);
        }
        for stand_in in document.stand_ins {
            self.stand_ins.entry(stand_in.absent.clone()).or_default().push(stand_in);
        }
    }

    /// Returns the version: kind, code and digest of every document, journaled wherever the
    /// organisation was read. Empty when nothing was imported.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns every office, in the order of their names.
    pub fn offices(&self) -> impl Iterator<Item = &Office> {
        self.offices.values()
    }

    /// Returns every role.
    pub fn roles(&self) -> impl Iterator<Item = &RoleDefinition> {
        self.roles.values()
    }

    /// Returns everybody.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Returns a role.
    pub fn role(&self, code: &RoleCode) -> Option<&RoleDefinition> {
        self.roles.get(code)
    }

    /// Returns a person.
    pub fn person(&self, subject: &str) -> Option<&Person> {
        self.people.get(subject)
    }

    /// Returns an office by its name.
    pub fn office(&self, office: &OfficeRef) -> Option<&Office> {
        self.offices.get(office)
    }

    /// Returns the bindings that were imported.
    pub fn bindings(&self) -> &[BindingEntry] {
        &self.bindings
    }

    /// Returns the agreements.
    pub fn agreements(&self) -> &Agreements {
        &self.agreements
    }

    /// Returns the rules for cards: those imported, else those shipped.
    pub fn card_rules(&self) -> &[CardRule] {
        &self.card_rules
    }

    /// Returns the office of a department that is responsible for a place: the closest one.
    pub fn office_of(&self, department: &DepartmentCode, region: &RegionCode) -> Option<&Office> {
        let offices = self.offices.values();
        offices
            .filter(|office| office.code == *department && office.place.covers(region))
            .max_by_key(|office| office.place.prefix().len())
    }

    /// Returns who holds a role for a place on a day, in the order of their subjects.
    pub fn holders<'a, 'q>(
        &'a self,
        role: &'q RoleCode,
        region: &'q RegionCode,
        date: Date,
    ) -> impl Iterator<Item = &'a Person> + use<'a, 'q> {
        let held = self.by_role.get(role).into_iter().flatten();
        let people = held.filter_map(|subject| self.people.get(subject));
        people.filter(move |person| person.holds.iter().any(|one| one.is_for(role, region, date)))
    }

    /// Returns how somebody holds a role for a place on a day.
    pub fn hold_of(
        &self,
        subject: &str,
        role: &RoleCode,
        region: &RegionCode,
        date: Date,
    ) -> Option<&Hold> {
        let holds = &self.people.get(subject)?.holds;
        let fitting = holds.iter().filter(|hold| hold.is_for(role, region, date));
        fitting.max_by_key(|hold| hold.region.prefix().len())
    }

    /// Returns by what somebody may act for an absent colleague at a moment.
    pub fn may_stand_in(&self, subject: &str, absent: &str, at: Moment) -> Option<&StandIn> {
        let date = at.date();
        let mut stand_ins = self.stand_ins.get(absent)?.iter();
        stand_ins.find(|one| one.by == subject && one.is_valid_on(date))
    }

    /// Returns by what right somebody acts in a role for a place at a moment: he holds it, or
    /// stands in for somebody who does.
    pub fn standing(
        &self,
        subject: &str,
        role: &RoleCode,
        region: &RegionCode,
        at: Moment,
    ) -> Option<Standing<'_>> {
        let date = at.date();
        if let Some(hold) = self.hold_of(subject, role, region, date) {
            return Some(Standing::Holds(hold));
        }
        let absent = self.by_role.get(role).into_iter().flatten();
        let mut absent = absent.filter(|one| self.hold_of(one, role, region, date).is_some());
        absent.find_map(|one| self.may_stand_in(subject, one, at)).map(Standing::StandsIn)
    }

    /// Tells whether a viewer may take a task at a moment. One that went up is for those of whom
    /// the directory says that they hold its new role, or stand in for one who does, and for the
    /// head of the office; anybody else of the department has passed it on.
    pub fn lets_take(&self, viewer: &Viewer, task: Addressee<'_>, at: Moment) -> bool {
        let Addressee { role, region, escalated } = task;
        let holds = || self.standing(&viewer.subject, role, region, at).is_some();
        viewer.may_take(role, region) && (!escalated || viewer.role == Role::OfficeHead || holds())
    }

    /// Returns who heads an office on a day: whoever holds a role of its department with the duty
    /// [`Duty::Head`] there, the closest first.
    pub fn head_of(&self, office: &Office, date: Date) -> Option<&Person> {
        let heads = self
            .roles
            .values()
            .filter(|role| role.may.contains(&Duty::Head) && role.code.department() == office.code);
        let held = heads.flat_map(|role| {
            let holders = self.holders(&role.code, &office.place, date);
            holders.filter_map(|person| {
                let hold = self.hold_of(&person.subject, &role.code, &office.place, date)?;
                Some((hold.region.prefix().len(), person))
            })
        });
        let closest = held.max_by_key(|(closeness, person)| {
            (*closeness, std::cmp::Reverse(person.subject.as_str()))
        });
        closest.map(|(_, person)| person)
    }
}

fn version(mut documents: Vec<(Identity, Digest)>) -> String {
    documents.sort_by(|one, other| (one.0.kind, &one.0.code).cmp(&(other.0.kind, &other.0.code)));
    let mut version = String::new();
    for (Identity { kind, code }, digest) in documents {
        let gap = if version.is_empty() { "" } else { " " };
        let digest = &digest.hex()[..VERSION_DIGITS];
        write!(version, "{gap}{kind}/{code}:{digest}").expect("a string takes what is written");
    }
    version
}
