//! Which connector carries which operation at a place, as a document says it.
//!
//! An entry has the members of a `[[bindings]]` table of the program's configuration and means
//! the same: an exact operation before `role.*`, then a district before its city before its
//! province. The look-up is the connectors' own; here is what can be imported, versioned and
//! checked together with the rest of the organisation. Where the configuration binds the same
//! operation at the same region, the configuration wins, for it is the operator's.

use serde::{Deserialize, Serialize};

use super::kind::DocumentKind;
use super::text;
use crate::id::RegionCode;
use crate::time::Period;

/// A document of bindings.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindingsDocument {
    /// Where the schema of this document lies, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Always [`DocumentKind::Bindings`].
    pub kind: DocumentKind,
    /// Which one of its kind, such as a region's code.
    pub code: String,
    /// What the document is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The entries; their order says nothing.
    pub bindings: Vec<BindingEntry>,
}

/// One entry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindingEntry {
    /// `role.operation`, or `role.*` for every operation of the role.
    pub operation: String,
    /// The place, with everything inside it.
    pub region: RegionCode,
    /// Name of the connector.
    pub connector: String,
    /// Within which lawful time the agency is to answer, if a limit is agreed.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub reply_within: Option<Period>,
}
