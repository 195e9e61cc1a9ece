//! Reading a GraphQL request: the four members, each of its own type, and nothing twice.

use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use serde_json::{Map, Value as Json};

use super::failure::Failure;
use crate::gate;

/// A request whose document has passed the gate.
pub(crate) struct Asked {
    pub(crate) document: ExecutableDocument,
    pub(crate) operation_name: Option<String>,
    pub(crate) variables: Variables,
    pub(crate) operation: OperationType,
}

/// The members of a request as they came.
#[derive(Default)]
pub(crate) struct Members {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Json>>,
}

impl Members {
    /// Reads the body of a POST, or the payload of a subscribe message.
    pub(crate) fn from_json(json: Json) -> Result<Self, Failure> {
        if json.is_array() {
            return Err(Failure::batch());
        }
        let Json::Object(mut members) = json else {
            let text = "请求须为 JSON 对象 / the request must be a JSON object";
            return Err(Failure::bad_request(text));
        };
        let Some(Json::String(query)) = members.remove("query") else {
            return Err(Failure::bad_request("query 须为字符串 / query must be a string"));
        };
        let operation_name = match members.remove("operationName") {
            None | Some(Json::Null) => None,
            Some(Json::String(name)) => Some(name),
            Some(_) => {
                return Err(Failure::bad_request(
                    "operationName 须为字符串 / operationName must be a string",
                ));
            }
        };
        let variables = map("variables", members.remove("variables"))?;
        // Extensions are checked for their shape; none is known.
        map("extensions", members.remove("extensions"))?;
        Ok(Self { query, operation_name, variables })
    }

    /// Reads the parameters of a GET, in which maps are JSON texts.
    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut members = Map::new();
        for (name, value) in pairs {
            let is_text = matches!(name.as_str(), "query" | "operationName");
            if !is_text && !matches!(name.as_str(), "variables" | "extensions") {
                continue;
            }
            // A blank value means none, as forms send it.
            let value = match () {
                () if value.is_empty() => Json::Null,
                () if is_text => Json::String(value),
                () => serde_json::from_str(&value).map_err(|_| {
                    let text = format!("{name} 须为 JSON / {name} must be JSON");
                    Failure::bad_request(&text)
                })?,
            };
            members.insert(name, value);
        }
        Self::from_json(Json::Object(members))
    }

    /// Puts the document through the gate and finds the operation that is meant.
    pub(crate) fn admit(self) -> Result<Asked, Failure> {
        let document = gate::admit(&self.query)?;
        let name = self.operation_name.as_deref();
        let operation = gate::operation(&document, name).ok_or_else(Failure::unknown_operation)?;
        let variables = self.variables.unwrap_or_default();
        given(&operation.node, &variables)?;
        Ok(Asked {
            operation: operation.node.ty,
            operation_name: self.operation_name,
            variables: Variables::from_json(Json::Object(variables)),
            document,
        })
    }
}

/// Checks that every variable that must be given is; their types are for validation.
fn given(operation: &OperationDefinition, variables: &Map<String, Json>) -> Result<(), Failure> {
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let value = variables.get(variable.name.node.as_str());
        let missing = match value {
            None => variable.default_value.is_none(),
            Some(value) => value.is_null(),
        };
        if missing && !variable.var_type.node.nullable {
            return Err(Failure::bad_variable(&variable.name.node));
        }
    }
    Ok(())
}

fn map(name: &str, json: Option<Json>) -> Result<Option<Map<String, Json>>, Failure> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(map)) => Ok(Some(map)),
        Some(_) => {
            Err(Failure::bad_request(&format!("{name} 须为对象 / {name} must be an object")))
        }
    }
}
