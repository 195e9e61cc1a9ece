//! Bindings: which connector carries an operation at a place.
//!
//! Data, not code: a list of operation (or `role.*`), region and connector. The most specific
//! entry wins: an exact operation before its role, then a district before its city before its
//! province. Two entries that say something about the same operation and region are refused when
//! the list is read, so that no order of lines ever matters.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tongban_core::error::ErrorClass;
use tongban_core::id::RegionCode;
use tongban_core::port::Wiring;
use tongban_core::time::Period;

/// One entry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// `role.operation`, or `role.*` for every operation of the role.
    pub operation: String,
    /// The place, with everything inside it.
    pub region: RegionCode,
    /// Name of the connector.
    pub connector: String,
    /// Within which lawful time the agency is to answer, such as `2 working days`; no limit when
    /// left out.
    #[serde(default, with = "within", skip_serializing_if = "Option::is_none")]
    pub reply_within: Option<Period>,
}

/// How a limit stands in data: as people write it.
mod within {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use tongban_core::time::Period;

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands the field over by reference"
    )]
    pub(super) fn serialize<S: Serializer>(
        within: &Option<Period>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match within {
            Some(within) => to.collect_str(within),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D>(from: D) -> Result<Option<Period>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// A checked list of bindings.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Binding>", into = "Vec<Binding>")]
pub struct Bindings {
    /// By operation pattern; within one, longer region prefixes first.
    by_operation: BTreeMap<String, Vec<Binding>>,
}

/// A list of bindings that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// Not `role.operation` and not `role.*`.
    #[error(
        "绑定中的操作 {0:?} 应为 角色.操作 或 角色.* / binding names {0:?}, write role.operation or role.*"
    )]
    Operation(String),
    /// Not a division code.
    #[error(
        "绑定 {operation} 的行政区划代码 {region:?} 不正确,应为至少六位数字 / binding of {operation} has region {region:?}, write six digits or more"
    )]
    Region {
        /// The entry.
        operation: String,
        /// Its region.
        region: String,
    },
    /// No connector is named.
    #[error(
        "绑定 {operation}@{region} 没有连接器 / binding {operation}@{region} names no connector"
    )]
    NoConnector {
        /// The entry.
        operation: String,
        /// Its region.
        region: String,
    },
    /// Two entries for the same operation and region.
    #[error(
        "绑定 {operation}@{region} 重复:{first} 与 {second},请只留一个 / {operation}@{region} is bound to {first} and to {second}, keep one"
    )]
    Conflict {
        /// The operation.
        operation: String,
        /// The region.
        region: String,
        /// One connector.
        first: String,
        /// The other.
        second: String,
    },
    /// A connector that does not exist.
    #[error(
        "绑定用到的连接器 {0:?} 未定义,请先定义它 / bindings use connector {0:?}, which is not defined"
    )]
    UnknownConnector(String),
}

impl BindingError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Operation(_) => "BINDING_OPERATION",
            Self::Region { .. } => "BINDING_REGION",
            Self::NoConnector { .. } => "BINDING_NO_CONNECTOR",
            Self::Conflict { .. } => "BINDING_CONFLICT",
            Self::UnknownConnector(_) => "BINDING_UNKNOWN_CONNECTOR",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

impl Binding {
    fn check(&self) -> Result<(), BindingError> {
        let shaped = self.operation.split_once('.').is_some_and(|(role, operation)| {
            let plain = |text: &str| !text.is_empty() && !text.contains(['*', '.', ' ', '\t']);
            plain(role) && (operation == "*" || plain(operation))
        });
        if !shaped {
            return Err(BindingError::Operation(self.operation.clone()));
        }
        let region = self.region.as_str();
        if region.len() < 6 || !region.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BindingError::Region {
                operation: self.operation.clone(),
                region: region.to_owned(),
            });
        }
        if self.connector.trim().is_empty() {
            return Err(BindingError::NoConnector {
                operation: self.operation.clone(),
                region: region.to_owned(),
            });
        }
        Ok(())
    }
}

impl Bindings {
    /// Checks a list.
    pub fn new(list: Vec<Binding>) -> Result<Self, BindingError> {
        let mut by_operation: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
        for binding in list {
            binding.check()?;
            let known = by_operation.entry(binding.operation.clone()).or_default();
            let same = known.iter().find(|other| other.region.prefix() == binding.region.prefix());
            if let Some(other) = same {
                return Err(BindingError::Conflict {
                    operation: binding.operation,
                    region: binding.region.0,
                    first: other.connector.clone(),
                    second: binding.connector,
                });
            }
            known.push(binding);
        }
        for list in by_operation.values_mut() {
            list.sort_by_key(|binding| std::cmp::Reverse(binding.region.prefix().len()));
        }
        Ok(Self { by_operation })
    }

    /// Returns the names of the connectors in use.
    pub fn connectors(&self) -> BTreeSet<&str> {
        let all = self.by_operation.values().flatten();
        all.map(|binding| binding.connector.as_str()).collect()
    }

    /// Checks that every connector in use is one of `defined`.
    pub fn check_connectors(&self, defined: &BTreeSet<&str>) -> Result<(), BindingError> {
        let mut used = self.connectors().into_iter();
        match used.find(|name| !defined.contains(name)) {
            Some(name) => Err(BindingError::UnknownConnector(name.to_owned())),
            None => Ok(()),
        }
    }

    fn find(&self, pattern: &str, region: &RegionCode) -> Option<&Binding> {
        let list = self.by_operation.get(pattern)?;
        list.iter().find(|binding| binding.region.covers(region))
    }

    /// Returns the entry that holds for an operation at a place.
    fn binding(&self, operation: &str, region: &RegionCode) -> Option<&Binding> {
        let (role, _) = operation.split_once('.')?;
        self.find(operation, region).or_else(|| self.find(&format!("{role}.*"), region))
    }
}

impl Wiring for Bindings {
    fn connector_for(&self, operation: &str, region: &RegionCode) -> Option<String> {
        self.binding(operation, region).map(|binding| binding.connector.clone())
    }

    fn reply_within(&self, operation: &str, region: &RegionCode) -> Option<Period> {
        self.binding(operation, region)?.reply_within
    }
}

impl TryFrom<Vec<Binding>> for Bindings {
    type Error = BindingError;

    fn try_from(list: Vec<Binding>) -> Result<Self, BindingError> {
        Self::new(list)
    }
}

impl From<Bindings> for Vec<Binding> {
    fn from(bindings: Bindings) -> Self {
        bindings.by_operation.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn binding(operation: &str, region: &str, connector: &str) -> Binding {
        Binding {
            operation: operation.to_owned(),
            region: RegionCode::new(region),
            connector: connector.to_owned(),
            reply_within: None,
        }
    }

    #[test]
    fn the_entry_that_binds_an_operation_says_how_long_its_agency_may_take() {
        let bindings: Bindings = serde_json::from_value(json!([
            {"operation": "tax.*", "region": "420300", "connector": "tax",
             "reply_within": "3 working days"},
            {"operation": "tax.payment", "region": "420300", "connector": "tax",
             "reply_within": "2 hours"},
            {"operation": "tax.*", "region": "420302", "connector": "tax-district"},
        ]))
        .unwrap();
        let within = |operation, region| {
            let within = bindings.reply_within(operation, &RegionCode::new(region));
            within.map(|within| within.to_string())
        };
        assert_eq!(within("tax.status", "420303").as_deref(), Some("3 working days"));
        assert_eq!(within("tax.payment", "420302").as_deref(), Some("2 hours"));
        assert_eq!(within("tax.status", "420302"), None, "the district agreed to nothing");
        let again = serde_json::to_value(&bindings).unwrap();
        assert_eq!(serde_json::from_value::<Bindings>(again).unwrap(), bindings);
        let soon = json!([{"operation": "tax.*", "region": "420300", "connector": "tax",
            "reply_within": "soon"}]);
        assert!(serde_json::from_value::<Bindings>(soon).is_err());
    }

    #[test]
    fn the_most_specific_binding_wins() {
        let bindings = Bindings::new(vec![
            binding("natural-resources.*", "420000", "province"),
            binding("natural-resources.*", "420302", "district"),
            binding("natural-resources.*", "420300", "city"),
            binding("natural-resources.parcel", "420000", "registry"),
        ])
        .unwrap();
        let table = [
            ("natural-resources.title", "420302", Some("district")),
            ("natural-resources.title", "420303", Some("city")),
            ("natural-resources.title", "420600", Some("province")),
            ("natural-resources.title", "411300", None),
            ("natural-resources.parcel", "420302", Some("registry")),
            ("civil-air-defence.review", "420302", None),
            ("parcel", "420302", None),
        ];
        for (operation, region, connector) in table {
            let found = bindings.connector_for(operation, &RegionCode::new(region));
            assert_eq!(found.as_deref(), connector, "{operation}@{region}");
        }
    }

    #[test]
    fn bad_lists_are_refused_with_the_place() {
        let table = [
            (vec![binding("parcel", "420300", "a")], "BINDING_OPERATION"),
            (vec![binding("a.b.*", "420300", "a")], "BINDING_OPERATION"),
            (vec![binding("*.*", "420300", "a")], "BINDING_OPERATION"),
            (vec![binding("a.*", "4203", "a")], "BINDING_REGION"),
            (vec![binding("a.*", "shiyan", "a")], "BINDING_REGION"),
            (vec![binding("a.*", "420300", " ")], "BINDING_NO_CONNECTOR"),
            (
                vec![binding("a.*", "420300", "x"), binding("a.*", "420300", "y")],
                "BINDING_CONFLICT",
            ),
        ];
        for (list, code) in table {
            assert_eq!(Bindings::new(list).unwrap_err().code(), code);
        }
    }

    #[test]
    fn bindings_are_read_from_data_and_checked_on_the_way() {
        let list = json!([
            {"operation": "tax.*", "region": "420300", "connector": "tax"},
            {"operation": "tax.*", "region": "420302", "connector": "tax-district"},
        ]);
        let bindings: Bindings = serde_json::from_value(list.clone()).unwrap();
        assert_eq!(bindings.connectors(), BTreeSet::from(["tax", "tax-district"]));
        let again = serde_json::to_value(&bindings).unwrap();
        assert_eq!(serde_json::from_value::<Bindings>(again).unwrap(), bindings);
        let missing = bindings.check_connectors(&BTreeSet::from(["tax"]));
        assert_eq!(missing.unwrap_err().code(), "BINDING_UNKNOWN_CONNECTOR");
        let twice = json!([list[0], list[0]]);
        let error = serde_json::from_value::<Bindings>(twice).unwrap_err();
        assert!(error.to_string().contains("tax.*@420300"), "{error}");
    }
}
