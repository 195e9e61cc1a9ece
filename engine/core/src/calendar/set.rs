//! The calendars of all places: one per region or centre, falling back to the region around it
//! and at last to the national one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Calendar, CalendarDocument, CalendarError, NATIONAL_CODE};
use crate::id::RegionCode;

/// The calendars that are in force.
#[derive(Clone, Debug)]
pub struct Calendars {
    by_code: BTreeMap<String, Arc<Calendar>>,
    by_region: BTreeMap<RegionCode, Arc<Calendar>>,
    national: Arc<Calendar>,
}

impl Calendars {
    /// Returns the national calendar alone, as it ships with the engine.
    pub fn shipped() -> Self {
        Self::of(&[]).expect("the shipped table is tested")
    }

    /// Puts calendars together. A national document continues the shipped one: years that it does
    /// not claim stay as they were.
    ///
    /// # Errors
    ///
    /// When a document is wrong by itself, names a base that is not there, or shares its code or
    /// a region with another.
    pub fn of(documents: &[CalendarDocument]) -> Result<Self, CalendarError> {
        let mut by_code = BTreeMap::new();
        for document in documents {
            document.check()?;
            if let Some(other) = by_code.insert(document.code.as_str(), document) {
                let (one, other) = (document.name.clone(), other.name.clone());
                return Err(CalendarError::Shared { what: document.code.clone(), one, other });
            }
        }
        let shipped = CalendarDocument::national();
        let national = match by_code.get(NATIONAL_CODE) {
            Some(document) => document.over(&shipped)?,
            None => shipped,
        };
        by_code.insert(NATIONAL_CODE, &national);
        let mut making = Making { documents: &by_code, made: BTreeMap::new(), under_way: vec![] };
        for code in by_code.keys() {
            making.make(code)?;
        }
        Ok(Self {
            by_region: by_region(&by_code, &making.made)?,
            national: Arc::clone(&making.made[NATIONAL_CODE]),
            by_code: making.made,
        })
    }

    /// Returns the calendar of a place: its own, else that of the smallest region around it that
    /// has one, else the national one.
    pub fn of_place(&self, region: &RegionCode) -> &Arc<Calendar> {
        let around = self.by_region.iter().filter(|(place, _)| place.covers(region));
        around
            .max_by_key(|(place, _)| place.prefix().len())
            .map_or(&self.national, |(_, calendar)| calendar)
    }

    /// Returns one calendar for every place.
    pub fn everywhere(calendar: Arc<Calendar>) -> Self {
        Self { by_code: BTreeMap::new(), by_region: BTreeMap::new(), national: calendar }
    }

    /// Names the calendars that a case is read from: that of the place where it was filed, and of
    /// every other place at which one of its matters is decided.
    pub fn version_of<'a>(
        &self,
        home: &'a RegionCode,
        places: impl Iterator<Item = &'a RegionCode>,
    ) -> String {
        let elsewhere: BTreeSet<&RegionCode> = places.filter(|place| *place != home).collect();
        let own = self.of_place(home).version().to_owned();
        let others = elsewhere.into_iter();
        let others = others.map(|place| format!("{place}={}", self.of_place(place).version()));
        [own].into_iter().chain(others).collect::<Vec<_>>().join(";")
    }

    /// Returns the national calendar.
    pub fn national(&self) -> &Arc<Calendar> {
        &self.national
    }

    /// Returns the calendar of a code.
    pub fn named(&self, code: &str) -> Option<&Arc<Calendar>> {
        self.by_code.get(code)
    }

    /// Iterates over all calendars by code.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        self.by_code.values()
    }
}

/// Calendars being made, bases before what is based on them.
struct Making<'a> {
    documents: &'a BTreeMap<&'a str, &'a CalendarDocument>,
    made: BTreeMap<String, Arc<Calendar>>,
    under_way: Vec<&'a str>,
}

impl<'a> Making<'a> {
    fn make(&mut self, code: &'a str) -> Result<Arc<Calendar>, CalendarError> {
        if let Some(made) = self.made.get(code) {
            return Ok(Arc::clone(made));
        }
        if self.under_way.contains(&code) {
            return Err(CalendarError::Circle(code.to_owned()));
        }
        let document = self.documents[code];
        self.under_way.push(code);
        let base = match &document.based_on {
            None => None,
            Some(base) => {
                let (known, _) = self.documents.get_key_value(base.as_str()).ok_or_else(|| {
                    CalendarError::BaseUnknown { calendar: code.to_owned(), base: base.clone() }
                })?;
                Some(self.make(known)?)
            }
        };
        self.under_way.pop();
        let made = Arc::new(Calendar::made_of(document, base.as_deref()));
        self.made.insert(code.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

fn by_region(
    documents: &BTreeMap<&str, &CalendarDocument>,
    made: &BTreeMap<String, Arc<Calendar>>,
) -> Result<BTreeMap<RegionCode, Arc<Calendar>>, CalendarError> {
    let mut by_region: BTreeMap<RegionCode, Arc<Calendar>> = BTreeMap::new();
    for (code, document) in documents {
        for region in &document.regions {
            let other = by_region.insert(region.clone(), Arc::clone(&made[*code]));
            if let Some(other) = other {
                return Err(CalendarError::Shared {
                    what: region.to_string(),
                    one: other.code().to_owned(),
                    other: (*code).to_owned(),
                });
            }
        }
    }
    Ok(by_region)
}
