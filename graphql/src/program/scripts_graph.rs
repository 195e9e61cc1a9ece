//! `tongban scripts graph`: the matters of a service, their order, limits and critical path.
//!
//! One [`Graph`] is made from the declarations; `mermaid` and `svg` write it. `layout` places
//! the picture: columns by what comes after what, as few crossings as a few sweeps find. No
//! other program draws anything.

mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use serde::Serialize;
use tongban_core::definition::{After, Closure, MatterDef, Source};
use tongban_core::guide::{Guide, limit_words};
use tongban_core::id::MatterCode;

use super::args::{GraphArguments, GraphFormat};
use super::error::ProgramError;
use super::output;
use super::scripts_situation::Situation;

/// Prints the graph.
pub(crate) fn run(arguments: &GraphArguments) -> Result<(), ProgramError> {
    let situation = Situation::read(&arguments.situation)?;
    let guide = match &situation.answers {
        Some(_) => situation.guide()?,
        None => situation.guide_of_all(),
    };
    let graph = Graph::of(&situation.closure, &guide);
    output::data(written(&graph, arguments.format).trim_end());
    Ok(())
}

fn written(graph: &Graph, format: GraphFormat) -> String {
    match format {
        GraphFormat::Mermaid => mermaid::write(graph),
        GraphFormat::Svg => svg::write(graph),
        GraphFormat::Json => {
            serde_json::to_string_pretty(graph).expect("a graph has only text names and numbers")
        }
    }
}

/// The matters of a service and what joins them.
#[derive(Debug, Serialize)]
struct Graph {
    /// Code of the service.
    service: String,
    /// Its name.
    name: String,
    /// The promise for the whole, in words.
    promise: Option<String>,
    /// Sum of the limits along the critical path, in words.
    path: String,
    /// The matters, in the service's order.
    nodes: Vec<Node>,
    /// What joins them, by their places in `nodes`.
    edges: Vec<Edge>,
}

/// A matter.
#[derive(Debug, Serialize)]
struct Node {
    code: String,
    name: String,
    department: String,
    /// The limits, in words.
    promised: Option<String>,
    statutory: Option<String>,
    /// Whether answers decide on it.
    conditional: bool,
    state: NodeState,
}

/// How a matter stands in the situation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum NodeState {
    /// Needed.
    Needed,
    /// Needed, and on the critical path.
    Critical,
    /// Not needed for these answers.
    Skipped,
}

/// What joins two matters.
#[derive(Debug, Serialize)]
struct Edge {
    from: usize,
    to: usize,
    kind: EdgeKind,
    /// Whether the critical path goes along it.
    critical: bool,
}

/// Why a matter waits for another, or does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum EdgeKind {
    /// It waits for the grant.
    Granted,
    /// It waits for the end.
    Ended,
    /// It waits for the acceptance.
    Accepted,
    /// It takes the result, but does not wait for it (容缺).
    Tolerant,
}

impl From<After> for EdgeKind {
    fn from(after: After) -> Self {
        match after {
            After::Granted => Self::Granted,
            After::Ended => Self::Ended,
            After::Accepted => Self::Accepted,
        }
    }
}

impl EdgeKind {
    /// What stands at the edge; the usual one needs no word.
    fn label(self) -> &'static str {
        match self {
            Self::Granted => "",
            Self::Ended => "办结后",
            Self::Accepted => "受理后",
            Self::Tolerant => "容缺",
        }
    }
}

impl Graph {
    fn of(closure: &Closure, guide: &Guide) -> Self {
        let path: Vec<&MatterCode> =
            guide.time.critical_path.iter().map(|one| &one.matter.code).collect();
        let skipped: Vec<&MatterCode> = guide.skipped.iter().map(|one| &one.code).collect();
        let state = |code: &MatterCode| match () {
            () if skipped.contains(&code) => NodeState::Skipped,
            () if path.contains(&code) => NodeState::Critical,
            () => NodeState::Needed,
        };
        let parts = &closure.service.parts;
        let nodes = parts.iter().filter_map(|part| {
            let matter = closure.matters.get(&part.matter)?;
            Some(Node { conditional: part.conditional, ..node(matter, state(&part.matter)) })
        });
        let mut edges = edges(closure);
        for edge in &mut edges {
            let (from, to) = (&parts[edge.from].matter, &parts[edge.to].matter);
            let follows = path.windows(2).any(|pair| pair == [from, to]);
            edge.critical = follows && edge.kind != EdgeKind::Tolerant;
        }
        Self {
            service: closure.service.code.to_string(),
            name: closure.service.name.clone(),
            promise: closure.service.promise.map(|promise| limit_words(promise).zh),
            path: guide.time.total.words().zh,
            nodes: nodes.collect(),
            edges,
        }
    }
}

fn node(matter: &MatterDef, state: NodeState) -> Node {
    let words = |limit| limit_words(limit).zh;
    Node {
        code: matter.code.to_string(),
        name: matter.name.clone(),
        department: matter.department.to_string(),
        promised: matter.limits.promised.map(words),
        statutory: matter.limits.statutory.map(words),
        conditional: false,
        state,
    }
}

fn edges(closure: &Closure) -> Vec<Edge> {
    let parts = &closure.service.parts;
    let place = |code: &MatterCode| parts.iter().position(|part| part.matter == *code);
    let mut edges = Vec::new();
    for (to, part) in parts.iter().enumerate() {
        for (code, after) in &part.after {
            if let Some(from) = place(code) {
                edges.push(Edge { from, to, kind: (*after).into(), critical: false });
            }
        }
        let Some(matter) = closure.matters.get(&part.matter) else { continue };
        for material in matter.materials.iter().filter(|one| part.tolerates.contains(&one.code)) {
            for source in &material.sources {
                let Source::ResultOf(code) = source else { continue };
                let waits = part.after.iter().any(|(earlier, _)| earlier == code);
                if let Some(from) = place(code).filter(|from| *from != to && !waits) {
                    edges.push(Edge { from, to, kind: EdgeKind::Tolerant, critical: false });
                }
            }
        }
    }
    edges
}
