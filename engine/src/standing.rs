//! Data that stands while cases come and go: calendars and the organisation. Loaded as a whole,
//! replaced as a whole; a turn reads one version of it from begin to end.

use std::sync::{Arc, PoisonError, RwLock};

use tongban_core::calendar::{Calendar, Calendars};
use tongban_core::id::RegionCode;
use tongban_core::organisation::Organisation;
use tongban_core::schedule::Reading;
use tongban_core::time::Moment;

/// Calendars and organisation as they are in force.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The calendar of each place.
    pub calendars: Arc<Calendars>,
    /// Offices, roles, people, agreements, rules of cards.
    pub organisation: Arc<Organisation>,
}

impl Default for Standing {
    /// Returns the shipped calendar and card rules, without offices or people.
    fn default() -> Self {
        Self {
            calendars: Arc::new(Calendars::shipped()),
            organisation: Arc::new(Organisation::default()),
        }
    }
}

impl Standing {
    /// Returns the calendar of a place.
    pub fn calendar(&self, region: &RegionCode) -> &Arc<Calendar> {
        self.calendars.of_place(region)
    }

    /// Returns what the derived times of cases are read from, at a lawful time.
    pub fn reading(&self, now: Moment) -> Reading<'_> {
        Reading { calendars: &self.calendars, organisation: &self.organisation, now }
    }

    /// Names what it consists of, for the audit log.
    pub(crate) fn told(&self) -> String {
        let calendars: Vec<&str> = self.calendars.all().map(|one| one.version()).collect();
        let organisation = self.organisation.version();
        format!("calendars {}, organisation {organisation}", calendars.join(" "))
    }
}

/// Where the standing data is kept; readers take a version and keep it for a turn.
#[derive(Debug, Default)]
pub(crate) struct InForce(RwLock<Arc<Standing>>);

impl InForce {
    pub(crate) fn new(standing: Standing) -> Self {
        Self(RwLock::new(Arc::new(standing)))
    }

    pub(crate) fn now(&self) -> Arc<Standing> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, standing: Standing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(standing);
    }
}
