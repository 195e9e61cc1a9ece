//! Every key of the one tree, built here and nowhere else.
//!
//! All numbers are big-endian, so that keys sort as the numbers do. A key begins with the byte
//! of its family; families that belong to a tenant name it next. Texts inside a key end with
//! two zero bytes (a zero byte within is escaped), so that a shorter text sorts first and a
//! region's prefix finds every place inside it. Index keys end with the row's place
//! ([`crate::store::page`]), which is what their family is ordered by.

use tongban_core::digest::Digest;
use tongban_core::id::{
    CallId, CaseId, CommitNo, DepartmentCode, RegionCode, RoleCode, Seq, ServiceCode,
};
use tongban_core::port::{FiledRow, ParkedPlace};
use tongban_core::summary::{Along, IndexRow, RoleMatch};
use tongban_core::time::Moment;

use crate::store::page;

/// The only tenant there is.
const TENANT: [u8; 4] = [0; 4];
const TENANT_END: usize = 1 + TENANT.len();

const META: u8 = 0x01;
const CASE: u8 = 0x10;
const FEED: u8 = 0x20;
const TIMER: u8 = 0x30;
const OUTBOX: u8 = 0x31;
const NUMBER: u8 = 0x40;
const IDEMPOTENCY: u8 = 0x50;
const PARKED: u8 = 0x51;
const FOREIGN: u8 = 0x52;
const PUBLICATION: u8 = 0x53;
const AUDITED: u8 = 0x54;
const QUEUE: u8 = 0x60;
const REGION: u8 = 0x61;
const DEPARTMENT: u8 = 0x62;
const APPLICANT: u8 = 0x63;
const INCIDENT: u8 = 0x64;

const HEAD: u8 = 0;
const CHUNK: u8 = 1;
const SUMMARY: u8 = 2;

const WINDOWS: u8 = 0;
const ONE_DEPARTMENT: u8 = 1;

/// Epoch of the newest opening.
pub(super) const EPOCH: &[u8] = &[META, b'e'];
/// Offset of the lawful clock.
pub(super) const CLOCK_OFFSET: &[u8] = &[META, b'o'];
/// Generation of the store, and the restore that it came from.
pub(super) const GENERATION: &[u8] = &[META, b'g'];
/// Newest commit that the feed has dropped.
pub(super) const FEED_FLOOR: &[u8] = &[META, b'f'];

fn family(byte: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(48);
    key.push(byte);
    key.extend_from_slice(&TENANT);
    key
}

fn put_text(key: &mut Vec<u8>, text: &str) {
    put_prefix(key, text);
    key.extend_from_slice(&[0, 0]);
}

fn put_prefix(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(u8::MAX);
        }
    }
}

/// Returns where the text that begins at `start` ends, its terminator included.
fn text_end(key: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match (key.get(at)?, key.get(at + 1)) {
            (0, Some(0)) => return Some(at + 2),
            (0, _) => at += 2,
            _ => at += 1,
        }
    }
}

fn of_case(case: CaseId, kind: u8) -> Vec<u8> {
    let mut key = family(CASE);
    key.extend_from_slice(&case.0);
    key.push(kind);
    key
}

/// Key of a case's head record.
pub(super) fn head(case: CaseId) -> Vec<u8> {
    of_case(case, HEAD)
}

/// Key of a sealed piece of a case's journal.
pub(super) fn chunk(case: CaseId, no: u32) -> Vec<u8> {
    let mut key = of_case(case, CHUNK);
    key.extend_from_slice(&no.to_be_bytes());
    key
}

/// Key of a piece of a summary that is too large for the head record.
pub(super) fn summary(case: CaseId, no: u32) -> Vec<u8> {
    let mut key = of_case(case, SUMMARY);
    key.extend_from_slice(&no.to_be_bytes());
    key
}

/// Prefix of the records of all cases that were created in one millisecond.
pub(super) fn created_at(at: Moment) -> Vec<u8> {
    let mut key = family(CASE);
    key.extend_from_slice(&at.millis_48());
    key
}

/// Prefix of the records of all cases.
pub(super) fn all_cases() -> Vec<u8> {
    family(CASE)
}

/// Returns the first key after all records of a case.
pub(super) fn after_case(case: CaseId) -> Vec<u8> {
    of_case(case, u8::MAX)
}

/// Reads the case out of the key of a head record; `None` for other keys.
pub(super) fn case_of_head(key: &[u8]) -> Option<CaseId> {
    let id = key.get(TENANT_END..)?.split_last()?;
    match id {
        (&HEAD, case) => Some(CaseId(case.try_into().ok()?)),
        _ => None,
    }
}

/// Key of the feed record whose last commit is this one.
pub(super) fn feed(last: CommitNo) -> Vec<u8> {
    let mut key = vec![FEED];
    key.extend_from_slice(&last.0.to_be_bytes());
    key
}

/// Prefix of the feed.
pub(super) const FEED_PREFIX: &[u8] = &[FEED];

/// Reads the commit out of a feed key.
pub(super) fn commit_of_feed(key: &[u8]) -> Option<CommitNo> {
    let no = key.get(1..)?.try_into().ok()?;
    Some(CommitNo(u64::from_be_bytes(no)))
}

fn timer(due: Moment, case: CaseId) -> Vec<u8> {
    let mut key = family(TIMER);
    key.extend_from_slice(&due.millis_48());
    key.extend_from_slice(&case.0);
    key
}

/// Prefix of all timers.
pub(super) fn timers() -> Vec<u8> {
    family(TIMER)
}

/// Reads due time and case out of the key of a timer.
pub(super) fn due_of_timer(key: &[u8]) -> Option<(Moment, CaseId)> {
    let (due, case) = key.get(TENANT_END..)?.split_at_checked(6)?;
    Some((Moment::from_millis_48(due.try_into().ok()?), CaseId(case.try_into().ok()?)))
}

/// Key of a case's outbox row.
pub(super) fn outbox(case: CaseId) -> Vec<u8> {
    let mut key = family(OUTBOX);
    key.extend_from_slice(&case.0);
    key
}

/// Prefix of all outbox rows.
pub(super) fn outboxes() -> Vec<u8> {
    family(OUTBOX)
}

/// Reads the case out of the key of an outbox row.
pub(super) fn case_of_outbox(key: &[u8]) -> Option<CaseId> {
    Some(CaseId(key.get(TENANT_END..)?.try_into().ok()?))
}

/// Key of a public number, and prefix of all that begin so.
pub(super) fn number(number: &str) -> Vec<u8> {
    let mut key = family(NUMBER);
    key.extend_from_slice(number.as_bytes());
    key
}

/// Reads the number out of its key.
pub(super) fn text_of_number(key: &[u8]) -> Option<String> {
    String::from_utf8(key.get(TENANT_END..)?.to_vec()).ok()
}

/// Key of an idempotency record.
pub(super) fn idempotency(digest: &Digest) -> Vec<u8> {
    let mut key = family(IDEMPOTENCY);
    key.extend_from_slice(&digest.0);
    key
}

/// Prefix of all idempotency records.
pub(super) fn idempotencies() -> Vec<u8> {
    family(IDEMPOTENCY)
}

/// Key of a step of a version.
pub(super) fn publication(service: &ServiceCode, no: u32) -> Vec<u8> {
    let mut key = family(PUBLICATION);
    put_text(&mut key, service.as_str());
    key.extend_from_slice(&no.to_be_bytes());
    key
}

/// Prefix of all steps of versions.
pub(super) fn publications() -> Vec<u8> {
    family(PUBLICATION)
}

/// Key of a record of the audit log.
pub(super) fn audited(no: u64) -> Vec<u8> {
    let mut key = family(AUDITED);
    key.extend_from_slice(&no.to_be_bytes());
    key
}

/// Prefix of the audit log.
pub(super) fn all_audited() -> Vec<u8> {
    family(AUDITED)
}

/// Key of a part of a parked message.
pub(super) fn parked(place: &ParkedPlace, part: u16) -> Vec<u8> {
    let mut key = parked_parts(place);
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// Prefix of all parts of a parked message.
pub(super) fn parked_parts((call, seq, connector): &ParkedPlace) -> Vec<u8> {
    let CallId(call) = call;
    let mut key = family(PARKED);
    key.extend_from_slice(call);
    key.extend_from_slice(&seq.to_be_bytes());
    put_text(&mut key, connector);
    key
}

/// Prefix of all parked messages.
pub(super) fn all_parked() -> Vec<u8> {
    family(PARKED)
}

/// Key of what belongs to a case from another store.
pub(super) fn foreign(case: CaseId) -> Vec<u8> {
    let mut key = family(FOREIGN);
    key.extend_from_slice(&case.0);
    key
}

/// Prefix of all of these.
pub(super) fn all_foreign() -> Vec<u8> {
    family(FOREIGN)
}

/// Returns what the parts of one parked message have in common.
pub(super) fn parked_message(key: &[u8]) -> Option<&[u8]> {
    let (message, _part) = key.split_last_chunk::<2>()?;
    Some(message)
}

/// Returns the ranges of keys in which all index rows lie, in order.
pub(super) fn index_rows() -> [(Vec<u8>, Vec<u8>); 2] {
    [(vec![TIMER], vec![IDEMPOTENCY]), (vec![QUEUE], vec![INCIDENT + 1])]
}

/// Reads an index row and its case; `None` when the record is no index row.
pub(super) fn row_of(key: &[u8], payload: &[u8]) -> Option<FiledRow> {
    let (family, _tenant) = key.split_at_checked(TENANT_END)?;
    match *family.first()? {
        TIMER => due_of_timer(key).map(|(due, case)| (IndexRow::Timer { due }, case)),
        OUTBOX => case_of_outbox(key).map(|case| (IndexRow::Outbox, case)),
        NUMBER => {
            let number = text_of_number(key)?;
            Some((IndexRow::Number { number }, CaseId(payload.try_into().ok()?)))
        }
        QUEUE => queue_row_of(key),
        REGION => {
            let (region, place) = take_text(key, TENANT_END)?;
            let along = Along::Region(RegionCode::new(region));
            let case = page::case_at(&along, place)?;
            let Along::Region(region) = along else { return None };
            Some((IndexRow::Region { region }, case))
        }
        INCIDENT => {
            let (region, place) = take_text(key, TENANT_END)?;
            let region = RegionCode::new(region);
            let case = page::case_at(&Along::Incident(region.clone()), place)?;
            Some((IndexRow::Incident { region }, case))
        }
        DEPARTMENT => {
            let (department, rest) = take_text(key, TENANT_END)?;
            let (region, place) = take_text(key, key.len() - rest.len())?;
            let (department, region) = (DepartmentCode::new(department), RegionCode::new(region));
            let case = page::case_at(&Along::Region(region.clone()), place)?;
            Some((IndexRow::Department { department, region }, case))
        }
        APPLICANT => {
            let (hash, place) = key.get(TENANT_END..)?.split_first_chunk()?;
            let case = page::case_at(&Along::Applicant(Digest(*hash)), place)?;
            Some((IndexRow::Applicant { hash: Digest(*hash) }, case))
        }
        _ => None,
    }
}

fn queue_row_of(key: &[u8]) -> Option<FiledRow> {
    let at = match *key.get(TENANT_END)? {
        WINDOWS => TENANT_END + 1,
        ONE_DEPARTMENT => text_end(key, TENANT_END + 1)?,
        _ => return None,
    };
    let (region, place) = take_text(key, at)?;
    let (due, rest) = place.split_first_chunk()?;
    let (case, rest) = rest.split_first_chunk()?;
    let (task, role) = rest.split_first_chunk()?;
    let row = IndexRow::Queue {
        region: RegionCode::new(region),
        role: RoleCode::new(String::from_utf8(role.to_vec()).ok()?),
        due: Moment::from_millis_48(*due),
        task: Seq(u32::from_be_bytes(*task)),
    };
    Some((row, CaseId(*case)))
}

/// Reads the text that begins at `start`, and returns what comes after it.
fn take_text(key: &[u8], start: usize) -> Option<(String, &[u8])> {
    let end = text_end(key, start)?;
    let mut text = Vec::with_capacity(end - start);
    let mut bytes = key.get(start..end - 2)?.iter();
    while let Some(byte) = bytes.next() {
        text.push(*byte);
        if *byte == 0 {
            bytes.next();
        }
    }
    Some((String::from_utf8(text).ok()?, key.get(end..)?))
}

/// Key of an index row. Only [`IndexRow::Number`] has a value, its case.
pub(super) fn row(row: &IndexRow, case: CaseId) -> Vec<u8> {
    let mut key = match row {
        IndexRow::Number { number: text } => return number(text),
        IndexRow::Timer { due } => return timer(*due, case),
        IndexRow::Outbox => return outbox(case),
        IndexRow::Queue { region, role, .. } => {
            let mut key = queue_of(role);
            put_text(&mut key, region.as_str());
            key
        }
        IndexRow::Region { region } => {
            let mut key = family(REGION);
            put_text(&mut key, region.as_str());
            key
        }
        IndexRow::Department { department, region } => {
            let mut key = family(DEPARTMENT);
            put_text(&mut key, department.as_str());
            put_text(&mut key, region.as_str());
            key
        }
        IndexRow::Incident { region } => {
            let mut key = family(INCIDENT);
            put_text(&mut key, region.as_str());
            key
        }
        IndexRow::Applicant { hash } => {
            let mut key = family(APPLICANT);
            key.extend_from_slice(&hash.0);
            key
        }
    };
    key.extend_from_slice(&page::place(row, case).expect("rows of these families have a place"));
    key
}

fn queue_of(role: &RoleCode) -> Vec<u8> {
    if RoleMatch::Windows.includes(role) {
        return windows();
    }
    queue_of_department(role.department().as_str())
}

fn windows() -> Vec<u8> {
    let mut key = family(QUEUE);
    key.push(WINDOWS);
    key
}

fn queue_of_department(department: &str) -> Vec<u8> {
    let mut key = family(QUEUE);
    key.push(ONE_DEPARTMENT);
    put_text(&mut key, department);
    key
}

/// A part of an index family: everything under a prefix, in one lane per region, or per
/// department and region.
#[derive(Debug)]
pub(super) struct Scope {
    /// Prefix of all its keys.
    pub(super) prefix: Vec<u8>,
    lanes: Lanes,
}

/// How the keys of a scope divide into lanes, each ordered by place.
#[derive(Debug)]
enum Lanes {
    /// There is one.
    One,
    /// By the region, whose text begins here.
    OfRegion(usize),
    /// By department and region, of the regions that begin so.
    OfDepartment(Vec<u8>),
}

/// What a key of a scope leads to.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// The lane in which it stands: all of it before the place.
    Lane(Vec<u8>),
    /// It is no part of the scope; go on from here.
    Seek(Vec<u8>),
}

impl Scope {
    fn within(fixed: Vec<u8>, region: &str) -> Self {
        let lanes = Lanes::OfRegion(fixed.len());
        let mut prefix = fixed;
        put_prefix(&mut prefix, region);
        Self { prefix, lanes }
    }

    /// Every department's rows within a region.
    fn of_departments(region: &str) -> Self {
        let mut within = Vec::new();
        put_prefix(&mut within, region);
        Self { prefix: family(DEPARTMENT), lanes: Lanes::OfDepartment(within) }
    }

    /// Returns where a key under the prefix stands; `None` when it is damaged.
    pub(super) fn step(&self, key: &[u8]) -> Option<Step> {
        let lane = |end| Some(Step::Lane(key.get(..end)?.to_vec()));
        let within = match &self.lanes {
            Lanes::One => return lane(self.prefix.len()),
            Lanes::OfRegion(start) => return lane(text_end(key, *start)?),
            Lanes::OfDepartment(within) => within,
        };
        let department = text_end(key, self.prefix.len())?;
        let (own, rest) = key.split_at_checked(department)?;
        if rest.starts_with(within) {
            return lane(text_end(key, department)?);
        }
        let ahead = rest < within.as_slice();
        Some(Step::Seek(if ahead { [own, within.as_slice()].concat() } else { end_of(own) }))
    }
}

/// Returns the scopes that a search runs along.
pub(super) fn scopes(along: &Along) -> Vec<Scope> {
    match along {
        Along::Queue { region, roles } => {
            let queues = match roles {
                RoleMatch::Windows => vec![windows()],
                RoleMatch::Departments(own) => {
                    own.iter().map(|department| queue_of_department(department.as_str())).collect()
                }
            };
            let within = |queue| Scope::within(queue, region.prefix());
            queues.into_iter().map(within).collect()
        }
        Along::Region(region) => vec![
            Scope::within(family(REGION), region.prefix()),
            Scope::of_departments(region.prefix()),
        ],
        Along::Department(department, region) => {
            let mut fixed = family(DEPARTMENT);
            put_text(&mut fixed, department.as_str());
            vec![Scope::within(fixed, region.prefix())]
        }
        Along::Incident(region) => vec![Scope::within(family(INCIDENT), region.prefix())],
        Along::Applicant(hash) => {
            let mut prefix = family(APPLICANT);
            prefix.extend_from_slice(&hash.0);
            vec![Scope { prefix, lanes: Lanes::One }]
        }
    }
}

/// Returns the first key after all that begin with `prefix`.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(no: u8) -> CaseId {
        CaseId::new(Moment::from_millis(1_772_413_200_000), [no; 10])
    }

    #[test]
    fn a_lane_ends_where_the_place_begins() {
        let row = IndexRow::Department {
            department: DepartmentCode::new("fire"),
            region: RegionCode::new("420302"),
        };
        let key = super::row(&row, case(1));
        let city = RegionCode::new("420300");
        let along = Along::Department(DepartmentCode::new("fire"), city);
        let scopes = scopes(&along);
        assert!(key.starts_with(&scopes[0].prefix));
        let Some(Step::Lane(lane)) = scopes[0].step(&key) else { panic!("a key of the scope") };
        assert_eq!(page::case_at(&along, &key[lane.len()..]), Some(case(1)));
    }

    #[test]
    fn a_region_seeks_from_department_to_department() {
        let key = |department: &str, region: &str| {
            let (department, region) = (DepartmentCode::new(department), RegionCode::new(region));
            super::row(&IndexRow::Department { department, region }, case(1))
        };
        let scope = Scope::of_departments(RegionCode::new("420300").prefix());
        let lane = key("fire", "420302").split_off(0);
        let lane = lane[..lane.len() - 16].to_vec();
        assert_eq!(scope.step(&key("fire", "420302")), Some(Step::Lane(lane)));
        let (before, after) = (key("fire", "411300"), key("fire", "420602"));
        let Some(Step::Seek(to)) = scope.step(&before) else { panic!("another region") };
        assert!(before < to && to < key("fire", "420300"));
        let Some(Step::Seek(to)) = scope.step(&after) else { panic!("another region") };
        assert!(after < to && to < key("fire-rescue", "110000"));
    }

    #[test]
    fn texts_with_zero_bytes_stay_apart() {
        let mut one = Vec::new();
        put_text(&mut one, "a\0b");
        let mut other = Vec::new();
        put_text(&mut other, "a");
        assert!(!one.starts_with(&other));
        assert_eq!(text_end(&one, 0), Some(one.len()));
        assert!(other < one);
    }

    #[test]
    fn index_rows_of_every_family_read_back() {
        let region = RegionCode::new("420302");
        let due = Moment::from_millis(1_772_499_600_000);
        let queue = |role: &str, due| IndexRow::Queue {
            region: region.clone(),
            role: RoleCode::new(role),
            due,
            task: Seq(9),
        };
        for row in [
            queue("fire.window", due),
            queue("fire.approver", Moment::from_millis(i64::MAX)),
            IndexRow::Region { region: RegionCode::new("42\u{0}0302") },
            IndexRow::Department { department: DepartmentCode::new("fire"), region },
            IndexRow::Applicant { hash: Digest([0; 32]) },
            IndexRow::Number { number: "420302202603020000018".to_owned() },
            IndexRow::Timer { due },
            IndexRow::Outbox,
        ] {
            let key = super::row(&row, case(7));
            assert_eq!(row_of(&key, &case(7).0), Some((row.clone(), case(7))), "{row:?}");
            let ranges = index_rows();
            assert!(ranges.iter().any(|(from, to)| *from <= key && key < *to), "{row:?}");
        }
        assert_eq!(row_of(&head(case(7)), &[]), None);
    }

    #[test]
    fn keys_of_a_case_read_back() {
        assert_eq!(case_of_head(&head(case(3))), Some(case(3)));
        assert_eq!(case_of_head(&chunk(case(3), 0)), None);
        let due = Moment::from_millis(99);
        assert_eq!(due_of_timer(&timer(due, case(3))), Some((due, case(3))));
        assert_eq!(case_of_outbox(&outbox(case(3))), Some(case(3)));
        assert_eq!(commit_of_feed(&feed(CommitNo(7))), Some(CommitNo(7)));
        assert_eq!(end_of(&[1, u8::MAX]), [2]);
    }
}
