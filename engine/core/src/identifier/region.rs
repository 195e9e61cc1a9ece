//! Administrative divisions by table (GB/T 2260), with codes of the past and of local systems.
//!
//! Six digits must stand in a table. Towns (nine digits) and villages (twelve) are too many to
//! list; they are good when their first six digits are known. A zone without a national code
//! has a local one, which is loaded as data with its parent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::check::{self, Alphabet};
use super::flaw::{self, Flaw, IdentifierError};
use super::kind::Kind;
use super::warning::Warning;

const NATIONAL: &str = include_str!("../../data/regions.csv");
const FORMER: &str = include_str!("../../data/codes/former-regions.csv");

/// Codes of GB/T 2260 that the statistics table leaves out.
const BESIDE: &str = "\
710000,台湾省,province,
810000,香港特别行政区,province,
820000,澳门特别行政区,province,";

/// Prefixes that stand in people's and bodies' numbers but name no division.
const PREFIXES: [(&str, &str); 2] = [("100000", "国家级登记"), ("830000", "台湾居民居住证地址码")];

/// Digits of a county, of a town, of a village.
const COUNTY: usize = 6;
const TOWN: usize = 9;
const VILLAGE: usize = 12;
const LOCAL_MAX: usize = 12;

static TABLE: LazyLock<BTreeMap<&'static str, Region>> = LazyLock::new(|| {
    let current = NATIONAL.lines().skip(1).chain(BESIDE.lines());
    let rows = current.filter_map(|line| Some((line, Region::from_row(line)?)));
    let mut table: BTreeMap<&str, Region> =
        rows.map(|(line, region)| (&line[..COUNTY], region)).collect();
    for line in FORMER.lines().skip(1) {
        let mut cells = line.split(',');
        let (Some(code), Some(name), Some(now)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        let Some(successor) = table.get(now).cloned() else { continue };
        let standing = RegionStanding::Former { now: now.to_owned() };
        let region = Region { code: code.to_owned(), name: name.to_owned(), standing, ..successor };
        table.insert(code, region);
    }
    table
});

/// How large a division is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RegionLevel {
    /// 省级.
    Province,
    /// 地级.
    City,
    /// 县级.
    County,
    /// 乡镇、街道.
    Town,
    /// 村、社区.
    Village,
}

impl RegionLevel {
    /// Every level with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Province, "province", "省级"),
        (Self::City, "city", "地级"),
        (Self::County, "county", "县级"),
        (Self::Town, "town", "乡镇级"),
        (Self::Village, "village", "村级"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(level, ..)| *level == self)
            .map_or(("", ""), |(_, code, name)| (code, name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(level, ..)| *level)
    }
}

/// What a code's standing is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegionStanding {
    /// In the table of today.
    Current,
    /// Out of use.
    Former {
        /// The code that took its place.
        now: String,
    },
    /// Given by a local system.
    Local,
}

/// An administrative division.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region {
    /// The code, as it was given.
    pub code: String,
    /// Its name; of a town or village that of its county, since those have no table.
    pub name: String,
    /// Its level.
    pub level: RegionLevel,
    /// The code of the division it belongs to; none for a province.
    pub parent: Option<String>,
    /// Whether the code is in use.
    pub standing: RegionStanding,
}

impl Region {
    /// Reads a row `code,name,level,parent`.
    fn from_row(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        let [code, name, level, parent] = cells.as_slice() else { return None };
        let is_code = |text: &str| text.len() >= COUNTY && text.is_ascii();
        (is_code(code) && !name.is_empty()).then_some(())?;
        Some(Self {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            level: RegionLevel::from_code(level)?,
            parent: (!parent.is_empty()).then(|| (*parent).to_owned()),
            standing: RegionStanding::Current,
        })
    }

    /// Returns what is worth a second look.
    pub fn warning(&self) -> Option<Warning> {
        match &self.standing {
            RegionStanding::Current | RegionStanding::Local => None,
            RegionStanding::Former { now } => Some(Warning::FormerRegion {
                code: self.code.clone(),
                name: self.name.clone(),
                now: now.clone(),
            }),
        }
    }
}

/// A row of local codes that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "本地区划代码表第 {line} 行不能使用:{text:?};应为 code,name,level,parent,代码 6 至 12 位且未被占用,上级须已存在 / cannot use line {line} of the local region codes: {text:?}; it reads code,name,level,parent, with a code of 6 to 12 digits or capitals that is not taken and a parent that is known"
)]
pub struct RegionTableError {
    /// Line, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
}

/// The regions that are known: those of the nation, and what was loaded for this place.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    local: BTreeMap<String, Region>,
}

impl Regions {
    /// Returns the national table (edition of 30 June 2023) with the codes of the past.
    pub fn national() -> Self {
        Self::default()
    }

    /// Adds local codes: lines `code,name,level,parent` under a header, parents first.
    pub fn with_local(mut self, csv: &str) -> Result<Self, RegionTableError> {
        for (index, line) in csv.lines().enumerate().skip(1) {
            let error = || RegionTableError { line: index + 1, text: line.to_owned() };
            let row = Region::from_row(line.trim_end()).ok_or_else(error)?;
            let region = Region { standing: RegionStanding::Local, ..row };
            self.check_local(&region).ok_or_else(error)?;
            self.local.insert(region.code.clone(), region);
        }
        Ok(self)
    }

    fn check_local(&self, region: &Region) -> Option<()> {
        let code = region.code.as_str();
        let is_spelt =
            code.len() <= LOCAL_MAX && Alphabet::DigitsAndLetters.spells(code, 0).is_ok();
        let is_taken = self.local.contains_key(code) || TABLE.contains_key(code);
        let parent = self.find(region.parent.as_deref()?).ok()?;
        (is_spelt && !is_taken && parent.level < region.level).then_some(())
    }

    /// Returns the region with this code.
    pub fn find(&self, code: &str) -> Result<Region, IdentifierError> {
        self.look_up(code).map_err(flaw::of(Kind::RegionCode))
    }

    fn look_up(&self, code: &str) -> Result<Region, Flaw> {
        if let Some(local) = self.local.get(code) {
            return Ok(local.clone());
        }
        if code.is_empty() {
            return Err(Flaw::Empty);
        }
        if !matches!(code.len(), TOWN | VILLAGE) {
            check::length(code, COUNTY)?;
        }
        Alphabet::Digits.spells(code, 0)?;
        let base = TABLE.get(&code[..COUNTY]).ok_or(Flaw::NoSuchRegion)?;
        Ok(inside(base, code))
    }

    /// Returns the names from the province down, without the gaps that the table fills with
    /// `市辖区` and the like.
    pub fn full_name(&self, region: &Region) -> String {
        let mut names = vec![region.name.as_str()];
        let mut above = region.parent.as_deref();
        while let Some(code) = above {
            let parent = self.local.get(code).or_else(|| TABLE.get(code));
            let Some(parent) = parent.or_else(|| TABLE.get(code.get(..COUNTY)?)) else { break };
            let is_gap =
                matches!(parent.name.as_str(), "市辖区" | "县") || parent.name.contains("直辖县级");
            if !is_gap && names.last() != Some(&parent.name.as_str()) {
                names.push(&parent.name);
            }
            above = parent.parent.as_deref();
        }
        names.into_iter().rev().collect()
    }

    /// Returns what is worth a second look in the region prefix of a number, and its name.
    pub(super) fn prefix(&self, code: &str) -> (String, Option<Warning>) {
        if let Some((_, name)) = PREFIXES.iter().find(|(known, _)| *known == code) {
            return ((*name).to_owned(), None);
        }
        match self.look_up(code) {
            Ok(region) => (self.full_name(&region), region.warning()),
            Err(_) => (String::new(), Some(Warning::UnknownRegion { code: code.to_owned() })),
        }
    }
}

/// Returns the town or village `code` of the county `base`, or the county itself.
fn inside(base: &Region, code: &str) -> Region {
    let whole = code.trim_end_matches("000");
    let (level, parent) = match whole.len() {
        0..=COUNTY => (base.level, base.parent.clone()),
        7..=TOWN => (RegionLevel::Town, Some(base.code.clone())),
        _ => (RegionLevel::Village, Some(code[..TOWN].to_owned())),
    };
    Region { code: code.to_owned(), level, parent, ..base.clone() }
}
