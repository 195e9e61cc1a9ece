//! The graph as a Mermaid flowchart.

use std::fmt::Write as _;

use super::{Edge, EdgeKind, Graph, Node, NodeState};

/// Writes the flowchart.
pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::new();
    put(&mut text, "flowchart LR");
    for (no, node) in graph.nodes.iter().enumerate() {
        put(&mut text, &format!("    m{no}[\"{}\"]", label(node)));
    }
    for edge in &graph.edges {
        put(&mut text, &format!("    {}", arrow(edge)));
    }
    put(&mut text, "    classDef critical stroke:#b3261e,stroke-width:3px");
    put(&mut text, "    classDef skipped fill:#eeeeee,stroke:#bbbbbb,color:#999999");
    for (state, class) in [(NodeState::Critical, "critical"), (NodeState::Skipped, "skipped")] {
        let all = graph.nodes.iter().enumerate().filter(|(_, node)| node.state == state);
        let names: Vec<String> = all.map(|(no, _)| format!("m{no}")).collect();
        if !names.is_empty() {
            put(&mut text, &format!("    class {} {class}", names.join(",")));
        }
    }
    let places = graph.edges.iter().enumerate().filter(|(_, edge)| edge.critical);
    let places: Vec<String> = places.map(|(no, _)| no.to_string()).collect();
    if !places.is_empty() {
        let places = places.join(",");
        put(&mut text, &format!("    linkStyle {places} stroke:#b3261e,stroke-width:3px"));
    }
    text
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a text can be written to");
}

fn label(node: &Node) -> String {
    let limit = node.promised.as_ref().or(node.statutory.as_ref());
    let limit = limit.map_or_else(|| "无公布时限".to_owned(), ToOwned::to_owned);
    let condition = if node.conditional { " · 视情形" } else { "" };
    let (name, department) = (escaped(&node.name), escaped(&node.department));
    format!("{name}<br/>{department}<br/>{limit}{condition}")
}

fn arrow(edge: &Edge) -> String {
    let (from, to, label) = (edge.from, edge.to, edge.kind.label());
    match edge.kind {
        EdgeKind::Granted => format!("m{from} --> m{to}"),
        EdgeKind::Ended | EdgeKind::Accepted => format!("m{from} -->|{label}| m{to}"),
        EdgeKind::Tolerant => format!("m{from} -.->|{label}| m{to}"),
    }
}

/// Writes text so that neither Mermaid nor a browser reads anything else into it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '<' | '>' | '&' | '#' | '`' | '[' | ']' | '{' | '}' | '|' => {
                write!(out, "#{};", u32::from(letter)).expect("a text can be written to");
            }
            plain => out.push(plain),
        }
    }
    out
}
