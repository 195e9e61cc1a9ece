//! Documents, their versions, and the calendars of places.

use super::*;
use crate::error::ErrorClass;
use crate::id::RegionCode;

fn hall() -> CalendarDocument {
    let json = r#"{
        "code": "shiyan-hall", "name": "十堰市政务服务大厅", "regions": ["420300"], "based_on": "cn",
        "working_weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
        "first_year": 2025, "last_year": 2030, "source": "十堰市政务服务大厅周六延时服务公告",
        "days": [{ "date": "2026-03-07", "kind": "holiday", "name": "大厅检修" }]
    }"#;
    CalendarDocument::from_json(json.as_bytes()).unwrap()
}

fn year(year: i16) -> String {
    format!(
        "date,kind,name\n{year}-01-01,holiday,元旦\n{year}-05-01,holiday,劳动节\n{year}-10-01,holiday,国庆节\n"
    )
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut CalendarDocument), wanted: &str) {
    let mut document = hall();
    change(&mut document);
    let error = document.check().unwrap_err();
    assert!(error.to_string().contains(wanted), "{error}");
    assert_eq!((error.code(), error.class()), ("CALENDAR_WRONG", ErrorClass::Invalid));
}

#[test]
fn a_bad_line_is_named() {
    for line in [
        "2026-01-01,feast,x",
        "2026-1-1,holiday,元旦",
        "20260101,holiday,元旦",
        "2026-01-01,holiday",
    ] {
        let table = format!("{}{line}\n", year(2026));
        let error = CalendarDocument::from_csv(&table, "x").unwrap_err();
        assert_eq!(error, CalendarError::Line { line: 5, text: line.to_owned() });
        assert_eq!(error.code(), "CALENDAR_UNREADABLE");
    }
}

#[test]
fn a_table_claims_the_years_that_it_has_whole() {
    let table = year(2027).replacen("2027-01-01", "2026-12-31,holiday,元旦\n2027-01-01", 1);
    let document = CalendarDocument::from_csv(&table, "通知").unwrap();
    assert_eq!((document.first_year, document.last_year, document.days.len()), (2027, 2027, 4));
    let error = CalendarDocument::from_csv("date,kind,name\n", "通知").unwrap_err();
    assert_eq!(error, CalendarError::NoYear);
    let half = year(2027).replace("2027-05-01,holiday", "2027-05-02,holiday");
    let error = CalendarDocument::from_csv(&half, "通知").unwrap_err();
    assert!(matches!(error, CalendarError::YearNotWhole { .. }), "{error}");
}

#[test]
fn documents_that_say_what_cannot_be_are_refused() {
    check_refused(|it| it.code = "Hall".to_owned(), "calendar code");
    check_refused(|it| it.name = " ".to_owned(), "has no name");
    check_refused(|it| it.source.clear(), "has no source");
    check_refused(|it| it.regions.clear(), "names its regions");
    check_refused(|it| it.code = "cn".to_owned(), "names no regions");
    check_refused(|it| it.regions.push(RegionCode::new("4203")), "names region");
    check_refused(|it| it.regions.push(RegionCode::new("420300")), "named twice");
    check_refused(|it| it.last_year = 2024, "cannot cover the years");
    check_refused(|it| it.first_year = 2027, "lies outside its years");
    check_refused(|it| it.working_weekdays = Some(Vec::new()), "is empty");
    check_refused(|it| it.days.push(it.days[0].clone()), "twice");
    check_refused(|it| it.days[0].name.clear(), "has no days.name");
    check_refused(|it| it.based_on = None, "that year is not whole");
}

#[test]
fn json_that_is_no_calendar_is_refused_with_its_place() {
    for text in ["{", "{\"code\": \"x\", \"colour\": 1}", "{\"days\": [{\"date\": \"2026-2-1\"}]}"]
    {
        let error = CalendarDocument::from_json(text.as_bytes()).unwrap_err();
        assert!(matches!(error, CalendarError::Json { line: 1, .. }), "{error}");
    }
}

#[test]
fn documents_read_back_what_they_write() {
    let json = serde_json::to_vec(&hall()).unwrap();
    assert_eq!(CalendarDocument::from_json(&json).unwrap(), hall());
}

#[test]
fn versions_tell_contents_apart_and_nothing_else() {
    let version = |documents: &[CalendarDocument]| {
        Calendars::of(documents).unwrap().named("shiyan-hall").unwrap().version().to_owned()
    };
    let plain = version(&[hall()]);
    assert!(plain.starts_with("shiyan-hall@") && plain.len() == 28, "{plain}");
    let mut turned = hall();
    turned.working_weekdays.as_mut().unwrap().reverse();
    assert_eq!(version(&[turned]), plain);
    let mut other = hall();
    other.days[0].kind = DayKind::Workday;
    assert_ne!(version(&[other]), plain);
    let next = CalendarDocument::from_csv(&year(2027), "通知").unwrap();
    assert_ne!(version(&[hall(), next]), plain, "its base has changed");
}

#[test]
fn a_local_calendar_opens_saturdays_and_keeps_the_nations_holidays() {
    let calendars = Calendars::of(&[hall()]).unwrap();
    let hall = calendars.of_place(&RegionCode::new("420300"));
    assert!(hall.is_working(date("2026-03-14")), "an open Saturday");
    assert!(!hall.is_working(date("2026-03-07")), "its own day of rest");
    assert!(!hall.is_working(date("2026-10-03")), "a Saturday of the National Day");
    assert!(!hall.is_working(date("2026-03-15")), "a Sunday");
    assert_eq!((hall.first_year(), hall.last_year()), (2025, 2026), "no longer than its base");
    let due = hall.due(at("2026-03-12"), period("2 working days"), 0);
    assert_eq!(due.at.date(), date("2026-03-14"));
}

#[test]
fn places_fall_back_to_the_region_around_them_and_to_the_nation() {
    let mut province = hall();
    province.code = "hubei".to_owned();
    province.regions = vec![RegionCode::new("420000")];
    let mut centre = hall();
    centre.code = "maojian-centre".to_owned();
    centre.regions = vec![RegionCode::new("420302A01")];
    let calendars = Calendars::of(&[hall(), province, centre]).unwrap();
    let code = |region| calendars.of_place(&RegionCode::new(region)).code().to_owned();
    assert_eq!(code("420302A01"), "maojian-centre");
    assert_eq!(code("420302"), "shiyan-hall");
    assert_eq!(code("420600"), "hubei");
    assert_eq!(code("110101"), "cn");
    assert_eq!(calendars.all().count(), 4);
}

#[test]
fn a_notice_for_the_next_year_continues_the_calendar() {
    let next = CalendarDocument::from_csv(&year(2027), "2027 年的通知").unwrap();
    let calendars = Calendars::of(&[next]).unwrap();
    let national = calendars.national();
    assert_eq!((national.first_year(), national.last_year()), (2024, 2027));
    let due = national.due(at("2026-12-30"), period("2 working days"), 0);
    assert_eq!((due.at.date(), due.provisional), (date("2027-01-04"), false));
    let late = CalendarDocument::from_csv(&year(2028), "2028 年的通知").unwrap();
    let error = Calendars::of(&[late]).unwrap_err();
    assert_eq!(error.code(), "CALENDAR_GAP");
}

#[test]
fn calendars_that_do_not_fit_together_are_refused() {
    let named = |code: &str, base: &str| CalendarDocument {
        code: code.to_owned(),
        based_on: Some(base.to_owned()),
        ..hall()
    };
    let refused = |documents: &[CalendarDocument]| Calendars::of(documents).unwrap_err().code();
    assert_eq!(refused(&[hall(), hall()]), "CALENDAR_SHARED");
    assert_eq!(refused(&[hall(), named("other", "cn")]), "CALENDAR_SHARED");
    assert_eq!(refused(&[named("a", "nowhere")]), "CALENDAR_BASE");
    assert_eq!(refused(&[named("a", "b"), named("b", "a")]), "CALENDAR_BASE");
    assert_eq!(Calendar::of(&hall()).unwrap_err().code(), "CALENDAR_BASE");
}

#[test]
fn the_shipped_calendar_names_its_notices() {
    let national = CalendarDocument::national();
    assert_eq!((national.first_year, national.last_year), (2024, 2026));
    assert!(national.days.iter().all(|day| {
        let notice = day.source.as_deref().unwrap_or_default();
        notice.contains(&format!("关于{}年部分节假日安排的通知", day.date.year()))
    }));
    let calendars = Calendars::shipped();
    assert_eq!(calendars.national().version(), Calendar::national().version());
}

#[test]
fn a_case_names_its_own_calendar_and_each_of_the_other_places() {
    let calendars = Calendars::of(&[hall()]).unwrap();
    let [home, hall, other] = ["110101", "420302", "330100"].map(RegionCode::new);
    let national = calendars.national().version();
    let named = |places: &[&RegionCode]| calendars.version_of(&home, places.iter().copied());
    assert_eq!(named(&[]), national);
    assert_eq!(named(&[&home, &home]), national, "as before there were other places");
    let at_hall = calendars.of_place(&hall).version();
    assert_ne!(at_hall, national);
    assert_eq!(
        named(&[&hall, &other, &home, &hall]),
        format!("{national};330100={national};420302={at_hall}"),
        "also one that has none of its own yet: it may get one"
    );
}
