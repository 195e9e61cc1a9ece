//! The synthetic numbers of the domain, right and wrong ones, and properties of every kind.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

const CITIZEN: &str = "420302199001010015";
const CREDIT: &str = "91420302MA4DEM010M";
const DEPARTMENT: &str = "1142030000DEM00156";
const IMPLEMENTATION: &str = "1142030000DEM001563000117002000";
const LICENSE: &str =
    "1.2.156.3005.2.11100000000013338W011.1142030000DEM00156.4203002026000001.001.F";
const PROJECT: &str = "2604-420302-04-01-123456";

const CITIZENS: [&str; 5] = [
    CITIZEN,
    "42030319851231002X",
    "41130320000229003X",
    "611025197806150045",
    "420302199001010023",
];
const CREDITS: [&str; 7] = [
    CREDIT,
    "92420303MA4DEM029X",
    "91411300MA9DEM028R",
    DEPARTMENT,
    "12420300DEM0000301",
    "52420300MJ0DEM040L",
    "11100000000013338W",
];

fn today() -> Date {
    date(2026, 11, 22)
}

#[track_caller]
fn valid(value: &str, kind: Kind) -> Verdict {
    let verdict = identify(value, today());
    assert_eq!((verdict.kind, verdict.reason.clone()), (Some(kind), None), "{value}");
    verdict
}

#[track_caller]
fn wrong(value: &str, kind: Option<Kind>, code: &str) {
    let verdict = identify(value, today());
    let found = verdict.reason.as_ref().map(Flaw::code);
    assert_eq!((verdict.kind, found), (kind, Some(code)), "{value}");
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.warnings.iter().map(Warning::code).collect()
}

fn part<'a>(verdict: &'a Verdict, code: &str) -> (&'a str, &'a str) {
    let part = verdict.parts.iter().find(|part| part.code == code);
    part.map_or(("", ""), |part| (&part.value, &part.meaning))
}

#[test]
fn citizen_numbers_of_the_domain_are_valid() {
    for value in CITIZENS {
        let verdict = valid(value, Kind::CitizenId);
        assert_eq!(verdict.value, value);
    }
    let verdict = valid(CITIZEN, Kind::CitizenId);
    assert_eq!(codes(&verdict), [""; 0]);
    assert_eq!(part(&verdict, "region"), ("420302", "湖北省十堰市茅箭区"));
    assert_eq!(part(&verdict, "birth_date"), ("1990-01-01", ""));
    assert_eq!(part(&verdict, "sex"), ("male", "男"));
    let verdict = valid("420302199001010023", Kind::CitizenId);
    assert_eq!(part(&verdict, "sex"), ("female", "女"));
}

#[test]
fn a_small_x_is_kept_as_a_capital() {
    let verdict = valid(" 42030319851231002x\n", Kind::CitizenId);
    assert_eq!(verdict.value, "42030319851231002X");
}

#[test]
fn wrong_citizen_numbers_are_told_apart() {
    let table = [
        ("420302199001010016", "CHECK_CHARACTER"),
        ("42030219900101001X", "CHECK_CHARACTER"),
        ("42030219900101001", "LENGTH"),
        ("4203021990010100155", "LENGTH"),
        ("4203021990O1010015", "CHARACTER"),
        ("420302199002300015", "NO_SUCH_DATE"),
        ("420302189912310015", "DATE_TOO_EARLY"),
        ("420302202611230015", "DATE_IN_FUTURE"),
    ];
    for (value, code) in table {
        wrong(value, Some(Kind::CitizenId), code);
    }
}

#[test]
fn a_wrong_citizen_number_is_not_taken_for_a_credit_code_that_checks() {
    let value = "420302189912310015";
    assert!(CreditCode::parse(value).is_ok());
    wrong(value, Some(Kind::CitizenId), "DATE_TOO_EARLY");
}

#[test]
fn a_credit_code_of_digits_alone_is_told_by_its_beginning() {
    let first = "12420300000000030";
    let value = format!("{first}{}", check::credit(first).unwrap());
    valid(&value, Kind::CreditCode);
}

#[test]
fn a_citizen_is_born_today_at_the_latest() {
    let born = date(2000, 2, 29);
    let value = "41130320000229003X";
    assert!(CitizenId::parse(value, born).is_ok());
    let error = CitizenId::parse(value, born.yesterday().unwrap()).unwrap_err();
    assert_eq!(error.flaw, Flaw::DateInFuture);
}

#[test]
fn a_leap_day_needs_a_leap_year() {
    let error = CitizenId::parse("41130319000229003X", today()).unwrap_err();
    assert_eq!(error.flaw, Flaw::NoSuchDate);
}

#[test]
fn a_number_of_fifteen_digits_serves_for_looking_up_alone() {
    let verdict = identify("420302900101001", today());
    assert!(!verdict.is_valid());
    assert_eq!(verdict.kind, Some(Kind::CitizenId));
    assert_eq!(part(&verdict, "lookup"), (CITIZEN, ""));
    let citizen = CitizenId::for_lookup("420302900101001", today()).unwrap();
    assert_eq!(citizen.as_str(), CITIZEN);
    assert!(CitizenId::for_lookup("420302900132001", today()).is_err());
}

#[test]
fn old_region_codes_live_on_in_peoples_numbers() {
    for (prefix, code) in [("420321", "former_region"), ("422623", "former_region")] {
        let verdict = valid(&with_check(&format!("{prefix}19900101001")), Kind::CitizenId);
        assert_eq!(codes(&verdict), [code]);
    }
    let verdict = valid(&with_check("49990119900101001"), Kind::CitizenId);
    assert_eq!(codes(&verdict), ["unknown_region"]);
    let resident = valid(&with_check("83000019900101001"), Kind::CitizenId);
    assert_eq!(codes(&resident), [""; 0]);
}

fn with_check(first: &str) -> String {
    format!("{first}{}", check::citizen(first).unwrap())
}

#[test]
fn debug_output_of_a_citizen_number_is_masked() {
    let citizen = CitizenId::parse(CITIZEN, today()).unwrap();
    assert_eq!(format!("{citizen:?}"), "CitizenId(420302********0015)");
}

#[test]
fn credit_codes_of_the_domain_are_valid() {
    for value in CREDITS {
        let verdict = valid(value, Kind::CreditCode);
        assert_eq!(codes(&verdict), [""; 0], "{value}");
        assert_eq!(CreditCode::parse(value).unwrap().to_string(), value);
    }
    let verdict = valid(CREDIT, Kind::CreditCode);
    assert_eq!(part(&verdict, "registrar"), ("9", "市场监管"));
    assert_eq!(part(&verdict, "body"), ("91", "企业"));
    assert_eq!(part(&verdict, "region"), ("420302", "湖北省十堰市茅箭区"));
    assert_eq!(part(&verdict, "organisation_code"), ("MA4DEM010", ""));
}

#[test]
fn wrong_credit_codes_are_told_apart() {
    let table = [
        ("91420302MA4DEM010N", "CHECK_CHARACTER"),
        ("91420302MA4DEM01M", "LENGTH"),
        ("91420302MA4DEMO10M", "CHARACTER"),
        ("91420302ma4DEM010M", "LOWER_CASE"),
    ];
    for (value, code) in table {
        wrong(value, Some(Kind::CreditCode), code);
    }
}

#[test]
fn a_broken_inner_organisation_code_is_a_warning_only() {
    let first = "91420302MA4DEM019";
    let value = format!("{first}{}", check::credit(first).unwrap());
    assert_eq!(codes(&valid(&value, Kind::CreditCode)), ["organisation_check"]);
    let first = "T1420399MA4DEM010";
    let value = format!("{first}{}", check::credit(first).unwrap());
    let verdict = valid(&value, Kind::CreditCode);
    assert_eq!(codes(&verdict), ["unknown_registrar", "unknown_region"]);
}

#[test]
fn regions_are_found_by_table() {
    let shiyan = valid("420300", Kind::RegionCode);
    assert_eq!(part(&shiyan, "name"), ("湖北省十堰市", ""));
    assert_eq!(part(&shiyan, "level"), ("city", "地级"));
    assert_eq!(part(&shiyan, "parent"), ("420000", ""));
    assert_eq!(part(&valid("110101", Kind::RegionCode), "name"), ("北京市东城区", ""));
    assert_eq!(part(&valid("429021", Kind::RegionCode), "name"), ("湖北省神农架林区", ""));
    assert_eq!(part(&valid("810000", Kind::RegionCode), "name"), ("香港特别行政区", ""));
    wrong("420399", Some(Kind::RegionCode), "NO_SUCH_REGION");
    wrong("420399001", Some(Kind::RegionCode), "NO_SUCH_REGION");
}

#[test]
fn towns_and_villages_are_good_when_their_county_is_known() {
    let town = valid("420302001", Kind::RegionCode);
    assert_eq!(part(&town, "level"), ("town", "乡镇级"));
    assert_eq!(part(&town, "parent"), ("420302", ""));
    let village = valid("420302001002", Kind::RegionCode);
    assert_eq!(part(&village, "level"), ("village", "村级"));
    assert_eq!(part(&village, "parent"), ("420302001", ""));
    assert_eq!(part(&village, "name"), ("湖北省十堰市茅箭区", ""));
    let padded = valid("420302000000", Kind::RegionCode);
    assert_eq!(part(&padded, "level"), ("county", "县级"));
    let former = valid("420321001", Kind::RegionCode);
    assert_eq!(codes(&former), ["former_region"]);
}

#[test]
fn every_former_code_names_one_of_today() {
    let regions = Regions::national();
    let rows = include_str!("../../data/codes/former-regions.csv").lines().skip(1);
    for row in rows {
        let code = &row[..6];
        let region = regions.find(code).unwrap();
        let RegionStanding::Former { now } = &region.standing else {
            panic!("{code} is in the table of today");
        };
        assert_eq!(regions.find(now).unwrap().standing, RegionStanding::Current, "{code}");
    }
}

#[test]
fn the_whole_national_table_is_read() {
    let rows = include_str!("../../data/regions.csv").lines().skip(1);
    let regions = Regions::national();
    let mut count = 0;
    for row in rows {
        let code = row.split(',').next().unwrap();
        assert_eq!(regions.find(code).unwrap().standing, RegionStanding::Current, "{code}");
        count += 1;
    }
    assert_eq!(count, 3224);
}

#[test]
fn local_codes_are_loaded_with_their_parent() {
    let csv =
        "code,name,level,parent\n4203A1,示例开发区,county,420300\n4203A1001,示例街道,town,4203A1\n";
    let regions = Regions::national().with_local(csv).unwrap();
    let zone = regions.find("4203A1").unwrap();
    assert_eq!(zone.standing, RegionStanding::Local);
    assert_eq!(regions.full_name(&zone), "湖北省十堰市示例开发区");
    let town = regions.find("4203A1001").unwrap();
    assert_eq!(regions.full_name(&town), "湖北省十堰市示例开发区示例街道");
    let verdict = Reader::new(&regions, today()).identify_as(Kind::RegionCode, "4203A1");
    assert!(verdict.is_valid());
    assert!(Regions::national().find("4203A1").is_err());
}

#[test]
fn local_codes_without_a_place_are_refused_with_their_line() {
    let table = [
        ("4203A1,x,county,499999", "unknown parent"),
        ("4203A1,x,county,", "no parent"),
        ("420302,x,county,420300", "taken"),
        ("4203A1,x,province,420300", "larger than its parent"),
        ("4203a1,x,county,420300", "small letter"),
        ("4203A1,x,zone,420300", "unknown level"),
        ("42,x,county,420300", "too short"),
    ];
    for (row, what) in table {
        let csv = format!("code,name,level,parent\n{row}\n");
        let error = Regions::national().with_local(&csv).unwrap_err();
        assert_eq!((error.line, error.text.as_str()), (2, row), "{what}");
    }
}

#[test]
fn matter_item_codes_are_opaque_but_shown_in_parts() {
    let verdict = valid(IMPLEMENTATION, Kind::MatterItemCode);
    assert_eq!(codes(&verdict), [""; 0]);
    assert_eq!(part(&verdict, "implementer"), (DEPARTMENT, ""));
    assert_eq!(part(&verdict, "exercise_level"), ("3", "市级/隶属"));
    assert_eq!(part(&verdict, "basic_code"), ("000117002000", ""));
    assert_eq!(part(&verdict, "matter_type"), ("01", "行政许可"));
    let business = valid(&format!("{IMPLEMENTATION}01"), Kind::MatterItemCode);
    assert_eq!(part(&business, "variant"), ("01", ""));
    let basic = valid("000117002000", Kind::MatterItemCode);
    assert_eq!(part(&basic, "matter_type"), ("01", "行政许可"));
}

#[test]
fn odd_parts_of_a_matter_item_code_are_warnings() {
    let code = |text: &str| MatterItemCode::parse(text).unwrap().warnings();
    let codes = |text: &str| code(text).iter().map(Warning::code).collect::<Vec<_>>();
    let odd = "1142030000DEM001579009917002000";
    assert_eq!(codes(odd), ["inner_credit_code", "unknown_exercise_level", "unknown_matter_type"]);
    assert_eq!(codes("ABC-123"), ["opaque"]);
    assert!(MatterItemCode::parse(&"1".repeat(50)).is_ok());
    let long = MatterItemCode::parse(&"1".repeat(51)).unwrap_err();
    assert_eq!(long.flaw, Flaw::TooLong { max: 50, got: 51 });
    assert_eq!(MatterItemCode::parse("A B").unwrap_err().code(), "CHARACTER");
    assert_eq!(MatterItemCode::parse("").unwrap_err().flaw, Flaw::Empty);
}

#[test]
fn twelve_digits_that_are_both_a_village_and_a_matter_say_so() {
    let verdict = valid("420117002000", Kind::RegionCode);
    assert_eq!(codes(&verdict), ["ambiguous"]);
    let unlisted = valid("420399001002", Kind::MatterItemCode);
    assert_eq!(codes(&unlisted), ["ambiguous"]);
}

#[test]
fn case_numbers_carry_place_date_serial_and_check() {
    let number = CaseNo::new("420300", date(2026, 3, 2), 1);
    let text = number.to_string();
    assert_eq!(text.len(), 21);
    assert!(text.starts_with("42030020260302000001"));
    assert_eq!(CaseNo::parse(&text), Ok(number));
    let verdict = valid(&text, Kind::CaseNo);
    assert_eq!(part(&verdict, "date"), ("2026-03-02", ""));
    let town = CaseNo::new("420302001", date(2026, 3, 2), 999_999);
    assert_eq!(CaseNo::parse(&town.to_string()), Ok(town));
    let future = CaseNo::new("420399", date(2027, 1, 1), 1).to_string();
    assert_eq!(codes(&valid(&future, Kind::CaseNo)), ["unknown_region", "future_date"]);
}

#[test]
fn wrong_case_numbers_are_told_apart() {
    let right = CaseNo::new("420300", date(2026, 3, 2), 1).to_string();
    let check = right.chars().last().unwrap();
    let other = if check == 'A' { 'B' } else { 'A' };
    let table = [
        (format!("{}{other}", &right[..20]), "CHECK_CHARACTER"),
        (right.replace("20260302", "20260231"), "NO_SUCH_DATE"),
        (right.replace("000001", "00O001"), "CHARACTER"),
    ];
    for (value, code) in table {
        wrong(&value, Some(Kind::CaseNo), code);
    }
    let short = CaseNo::parse(&right[..20]).unwrap_err();
    assert_eq!(short.flaw, Flaw::Length { wanted: 21, got: 20 });
}

#[test]
fn the_example_of_the_case_number_form_is_a_case_number() {
    let shown = CaseNo::new("420300", date(2026, 3, 2), 1).to_string();
    let flaw = Flaw::Shape { form: case_no::FORM };
    assert!(flaw.english().contains(&shown), "{shown}");
}

#[test]
fn license_identifiers_check_over_all_their_parts() {
    let verdict = valid(LICENSE, Kind::LicenseId);
    assert_eq!(codes(&verdict), [""; 0]);
    assert_eq!(part(&verdict, "issuer"), (DEPARTMENT, ""));
    let license = LicenseId::parse(LICENSE).unwrap();
    assert_eq!(license.to_string(), LICENSE);
    assert_eq!(license.serial(), "4203002026000001");
    let table = [
        (LICENSE.replace(".F", ".G"), "CHECK_CHARACTER"),
        (LICENSE.replace(".001.F", ".F"), "SHAPE"),
        (LICENSE.replace(".001.F", ".01.F"), "LENGTH"),
        (LICENSE.replace("W011", "w011"), "LOWER_CASE"),
        (LICENSE.replace("3005.2", "3005.3"), "SHAPE"),
        (LICENSE.replace("4203002026000001", ""), "SHAPE"),
    ];
    for (value, code) in table {
        wrong(&value, Some(Kind::LicenseId), code);
    }
}

#[test]
fn project_codes_name_month_and_place() {
    let verdict = valid(PROJECT, Kind::ProjectCode);
    assert_eq!(part(&verdict, "period"), ("2026-04", ""));
    assert_eq!(part(&verdict, "region"), ("420302", "湖北省十堰市茅箭区"));
    assert_eq!(ProjectCode::parse(PROJECT).unwrap().serial(), "123456");
    let old = valid("2017-420302-04-01-123456", Kind::ProjectCode);
    assert_eq!(part(&old, "period"), ("2017", ""));
    let future = valid("2612-420302-04-01-123456", Kind::ProjectCode);
    assert_eq!(codes(&future), ["future_date"]);
    let table = [
        ("2604-420302-04-01-12345", "LENGTH"),
        ("2604-42030-204-01-123456", "SHAPE"),
        ("2613-420302-04-01-123456", "NO_SUCH_DATE"),
        ("2604-420302-04-0A-123456", "CHARACTER"),
    ];
    for (value, code) in table {
        wrong(value, Some(Kind::ProjectCode), code);
    }
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    wrong("", None, "EMPTY");
    wrong("   ", None, "EMPTY");
    for value in ["12345", "hello", "张三", "0123456789", "４２０３０２"] {
        wrong(value, None, "UNRECOGNISED");
    }
}

#[test]
fn a_named_kind_gives_the_reason_for_that_kind() {
    let regions = Regions::national();
    let reader = Reader::new(&regions, today());
    for (kind, ..) in Kind::ALL {
        assert_eq!(Kind::from_code(kind.code()), Some(kind));
        let verdict = reader.identify_as(kind, "张 三");
        assert_eq!(verdict.kind, Some(kind));
        assert!(!verdict.is_valid(), "{kind:?}");
        assert_eq!(reader.identify_as(kind, "").reason, Some(Flaw::Empty), "{kind:?}");
    }
}

#[test]
fn errors_speak_both_languages_and_keep_the_number_to_themselves() {
    let error = CitizenId::parse("420302199001010016", today()).unwrap_err();
    let text = error.to_string();
    let (zh, en) = text.split_once(" / ").unwrap();
    assert!(zh.starts_with("公民身份号码不正确:"), "{zh}");
    assert!(en.starts_with("not a valid citizen identity number:"), "{en}");
    assert!(!text.contains("4203021990"), "{text}");
    assert_eq!(error.class(), crate::error::ErrorClass::Invalid);
}

/// Puts another character of `alphabet` at `index` of `text`.
fn changed(text: &str, index: usize, other: char) -> Option<String> {
    let mut letters: Vec<char> = text.chars().collect();
    let old = std::mem::replace(letters.get_mut(index)?, other);
    (old != other).then(|| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn a_changed_digit_of_a_citizen_number_is_found(
        which in 0..CITIZENS.len(), index in 0..18usize, digit in 0..10u32,
    ) {
        let other = char::from_digit(digit, 10).unwrap();
        if let Some(value) = changed(CITIZENS[which], index, other) {
            prop_assert!(CitizenId::parse(&value, today()).is_err(), "{}", value);
        }
    }

    #[test]
    fn a_changed_character_of_a_credit_code_is_found(
        which in 0..CREDITS.len(), index in 0..18usize, other in "[0-9A-Z]",
    ) {
        if let Some(value) = changed(CREDITS[which], index, other.chars().next().unwrap()) {
            prop_assert!(CreditCode::parse(&value).is_err(), "{}", value);
        }
    }

    #[test]
    fn a_changed_character_of_a_license_identifier_is_found(
        index in 0..LICENSE.len(), other in "[0-9A-Z]",
    ) {
        if let Some(value) = changed(LICENSE, index, other.chars().next().unwrap()) {
            prop_assert!(LicenseId::parse(&value).is_err(), "{}", value);
        }
    }

    #[test]
    fn case_numbers_read_back_what_they_print_and_notice_a_change(
        day in 0..20_000i32, serial in 0..1_000_000u32, index in 0..21usize, other in "[0-9A-Z]",
    ) {
        let day = date(2000, 1, 1).saturating_add(jiff::Span::new().days(day));
        let number = CaseNo::new("420302", day, serial);
        let text = number.to_string();
        prop_assert_eq!(CaseNo::parse(&text), Ok(number));
        if let Some(value) = changed(&text, index, other.chars().next().unwrap()) {
            prop_assert!(CaseNo::parse(&value).is_err(), "{}", value);
        }
    }

    #[test]
    fn citizen_numbers_read_back_what_they_print(
        day in 0..46_000i32, serial in 0..1_000u32, region in 100_000..1_000_000u32,
    ) {
        let born = date(1900, 1, 1).saturating_add(jiff::Span::new().days(day));
        let digits = format!("{:04}{:02}{:02}", born.year(), born.month(), born.day());
        let value = with_check(&format!("{region}{digits}{serial:03}"));
        let citizen = CitizenId::parse(&value, today()).unwrap();
        prop_assert_eq!(citizen.as_str(), &value);
        prop_assert_eq!(citizen.birth_date(), born);
        prop_assert_eq!(citizen.sex() == Sex::Male, serial % 2 == 1);
        prop_assert!(identify(&value, today()).is_valid());
    }

    #[test]
    fn project_codes_read_back_what_they_print(
        month in 1..13u32, year in 14..27u32, region in 100_000..1_000_000u32, serial in 0..1_000_000u32,
    ) {
        let value = format!("{year:02}{month:02}-{region}-04-01-{serial:06}");
        prop_assert_eq!(ProjectCode::parse(&value).unwrap().to_string(), value);
    }

    #[test]
    fn a_changed_digit_is_never_called_valid(
        which in 0..CITIZENS.len(), index in 0..18usize, digit in 0..10u32,
    ) {
        let other = char::from_digit(digit, 10).unwrap();
        if let Some(value) = changed(CITIZENS[which], index, other) {
            let verdict = identify(&value, today());
            prop_assert_eq!(verdict.kind, Some(Kind::CitizenId), "{}", value);
            prop_assert!(!verdict.is_valid(), "{}", value);
        }
    }

    #[test]
    fn nothing_that_a_person_types_breaks_it(value in "\\PC{0,40}|[0-9A-Zx.-]{0,40}") {
        let regions = Regions::national();
        let reader = Reader::new(&regions, today());
        let verdict = reader.identify(&value);
        prop_assert_eq!(verdict.is_valid(), verdict.reason.is_none());
        for (kind, ..) in Kind::ALL {
            let verdict = reader.identify_as(kind, &value);
            prop_assert_eq!(verdict.kind, Some(kind));
        }
    }
}
