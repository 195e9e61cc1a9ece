//! What the words of a rehearsal may name: operations, matters, and the files they come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::agency::ManualTask;
use tongban_core::definition::MatterDef;
use tongban_core::rehearsal::{Conduct, Said, Saying};
use tongban_core::value::Value;

use crate::api::API_LEVEL;
use crate::check::{Catalogue, Operation, names, walk};
use crate::compile::Unit;
use crate::levels::Levels;
use crate::load::Project;
use crate::program::Program;
use crate::sources::Sources;

/// The scripts around a rehearsal, as far as its words need them.
pub(crate) struct Known {
    pub(crate) sources: Sources,
    pub(crate) matters: BTreeMap<String, (String, Arc<MatterDef>)>,
    services: Vec<String>,
    /// Level that each file is written for.
    levels: BTreeMap<String, u32>,
    /// Operations that scripts call or the catalogue holds.
    pub(crate) operations: BTreeMap<String, Option<Operation>>,
}

impl Known {
    pub(crate) fn new(sources: &Sources, catalogue: &Catalogue) -> Self {
        let levels = Levels::all();
        let project = Project::read(levels.newest(), sources);
        let mut operations: BTreeMap<String, Option<Operation>> = catalogue
            .operations
            .iter()
            .map(|(name, operation)| (name.clone(), Some(operation.clone())))
            .collect();
        for program in names::programs(&project) {
            let libraries = program.libraries().iter().map(AsRef::as_ref);
            for unit in std::iter::once(program.main()).chain(libraries) {
                add_called(unit, &mut operations);
            }
        }
        let file = |program: &Program| program.main().file.clone();
        let matters = project
            .matters
            .iter()
            .map(|(program, def)| (def.code.to_string(), (file(program), Arc::new(def.clone()))));
        let files = names::programs(&project).map(file);
        Self {
            levels: files.map(|file| (file.clone(), project.level_of(&file))).collect(),
            matters: matters.collect(),
            services: project.services.iter().map(|(program, _)| file(program)).collect(),
            operations,
            sources: sources.clone(),
        }
    }

    /// Returns the level that a file is written for.
    pub(crate) fn level_of(&self, file: &str) -> u32 {
        self.levels.get(file).copied().unwrap_or(API_LEVEL)
    }

    /// Returns the files of services and matters.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let matters = self.matters.values().map(|(file, _)| file.as_str());
        self.services.iter().map(String::as_str).chain(matters)
    }

    /// Returns what the agency of an operation does when all goes well: what the catalogue gives
    /// as its example, with `given` in the place of what it says otherwise.
    pub(crate) fn example(&self, operation: &str, given: Option<Value>) -> Conduct {
        let at_once = |what| Said { what, after: None };
        let Some(Some(known)) = self.operations.get(operation) else {
            return vec![at_once(completion(None, given))];
        };
        let office = known.carried_by.as_deref() == Some("manual") && given.is_none();
        if office {
            let role = operation.split_once('.').map_or(operation, |(role, _)| role);
            let task = ManualTask { role: format!("{role}.clerk"), title: known.name.clone() };
            return vec![at_once(Saying::AsksPerson(task))];
        }
        let number = known.documents.first().map(|document| document.number.clone());
        let acts = known.acts.iter().map(|act| {
            let decided = act == "decided";
            at_once(Saying::Reports {
                act: act.clone(),
                ground: if decided { "granted".to_owned() } else { String::new() },
                number: number.clone().filter(|_| decided).unwrap_or_default(),
                detail: if decided { known.example_output() } else { Value::Null },
            })
        });
        let end = at_once(completion(Some(known), given));
        acts.chain([end]).collect()
    }

    /// Returns only how an operation completes, without the acts before.
    pub(crate) fn completion(&self, operation: &str, given: Option<Value>) -> Saying {
        completion(self.operations.get(operation).and_then(Option::as_ref), given)
    }
}

/// Adds the operations that a file calls by a literal name.
fn add_called(unit: &Unit, operations: &mut BTreeMap<String, Option<Operation>>) {
    walk::calls(&unit.ast, &mut |call| {
        if matches!(call.expr.name.as_str(), "ask" | "start")
            && let Some(name) = call.expr.args.first().and_then(walk::text)
        {
            operations.entry(name.to_owned()).or_default();
        }
    });
}

/// Builds a completion: the example, overlaid with what is given; a `number` that is given is
/// that of the first document.
fn completion(known: Option<&Operation>, given: Option<Value>) -> Saying {
    let mut documents: Vec<(String, String)> = known
        .into_iter()
        .flat_map(|known| &known.documents)
        .map(|document| (document.role.clone(), document.number.clone()))
        .collect();
    let mut output = known.map_or_else(Value::map, Operation::example_output);
    let Some(Value::Map(given)) = given else {
        return Saying::Completes { output, documents };
    };
    if let Some(number) = given.get("number").and_then(Value::as_text) {
        match documents.first_mut() {
            Some(first) => number.clone_into(&mut first.1),
            None => documents.push(("document".to_owned(), number.to_owned())),
        }
    }
    if let Value::Map(members) = &mut output {
        members.extend(given);
    } else {
        output = Value::Map(given);
    }
    Saying::Completes { output, documents }
}
