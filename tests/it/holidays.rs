//! A holiday notice that was not there when a case was filed: that of the year after the shipped
//! ones.

use std::sync::Arc;

use tongban_core::calendar::{CalendarDocument, Calendars, DayKind, SpecialDay};
use tongban_engine::standing::Standing;

/// The shipped calendar with holidays of the year after it; the first working day of that year
/// is 4 January.
pub(crate) fn with_new_year_2027() -> Standing {
    let mut national = CalendarDocument::national();
    national.last_year = 2027;
    let days = [("2027-01-01", "元旦"), ("2027-05-01", "劳动节"), ("2027-10-01", "国庆节")];
    national.days.extend(days.map(|(date, name)| SpecialDay {
        date: date.parse().unwrap(),
        kind: DayKind::Holiday,
        name: name.to_owned(),
        source: Some("示例通知".to_owned()),
    }));
    let calendars = Arc::new(Calendars::of(&[national]).unwrap());
    Standing { calendars, ..Standing::default() }
}
