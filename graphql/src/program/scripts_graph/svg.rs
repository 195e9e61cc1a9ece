//! The graph as a picture: one self-contained SVG, readable on screen and on paper.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::layout::{self, BOX_WIDTH, Layout, Place};
use super::{Edge, EdgeKind, Graph, Node, NodeState};

const MARGIN: i32 = 28;
const HEAD: i32 = 64;
const FOOT: i32 = 44;
/// Room inside a box beside its text.
const PAD: i32 = 12;
/// Columns of text that a line of a box holds: at 14 px a column is 7 px.
const NAME_COLUMNS: usize = 26;
const NAME_LINES: usize = 3;
const LINE: i32 = 19;
const SMALL_LINE: i32 = 17;
/// How far an edge within a column swings out.
const SWING: i32 = 42;

const STYLE: &str = "text{font-family:'Noto Sans CJK SC','Source Han Sans SC','PingFang SC',\
'Microsoft YaHei','WenQuanYi Micro Hei',sans-serif;font-size:12px;fill:#5a6270}\
.title{font-size:19px;font-weight:600;fill:#1c2430}.name{font-size:14px;fill:#1c2430}\
.box{fill:#fff;stroke:#8a94a3;stroke-width:1.2}.critical .box{stroke:#b3261e;stroke-width:2.4}\
.skipped .box{fill:#f3f4f6;stroke:#cfd4da}.skipped text{fill:#a8afb9}\
.edge{fill:none;stroke:#8a94a3;stroke-width:1.3}.edge.critical{stroke:#b3261e;stroke-width:2.4}\
.edge.tolerant{stroke-dasharray:5 4}.edge.skipped{stroke:#d6dade}\
.label{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}";

/// Writes the picture.
pub(super) fn write(graph: &Graph) -> String {
    let names: Vec<Vec<String>> =
        graph.nodes.iter().map(|node| wrapped(&node.name, NAME_COLUMNS, NAME_LINES)).collect();
    let heights: Vec<i32> =
        graph.nodes.iter().zip(&names).map(|(node, name)| height(node, name.len())).collect();
    let layout = layout::place(graph, &heights);
    let mut out = String::new();
    open(&mut out, graph, &layout);
    // The critical path lies on top.
    let (critical, others): (Vec<_>, Vec<_>) =
        graph.edges.iter().enumerate().partition(|(_, edge)| edge.critical);
    for (no, edge) in others.into_iter().chain(critical) {
        draw_edge(&mut out, graph, edge, &route(&layout, edge, no));
    }
    for ((node, name), place) in graph.nodes.iter().zip(&names).zip(&layout.places) {
        draw_node(&mut out, node, name, *place);
    }
    out.push_str("</g>\n");
    legend(&mut out, layout.height + HEAD + MARGIN + 26);
    out.push_str("</svg>\n");
    out
}

fn put(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a text can be written to");
}

fn open(out: &mut String, graph: &Graph, layout: &Layout) {
    let width = (layout.width + SWING).max(720) + 2 * MARGIN;
    let height = layout.height + HEAD + FOOT + MARGIN + 12;
    put(
        out,
        &format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
        ),
    );
    put(out, &format!("<title>{}</title>", escaped(&graph.name)));
    put(out, &format!("<style>{STYLE}</style>"));
    put(
        out,
        r##"<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 8 4 0 7.5z" fill="#8a94a3"/></marker><marker id="critical-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 8 4 0 7.5z" fill="#b3261e"/></marker></defs>"##,
    );
    put(out, r##"<rect width="100%" height="100%" fill="#fff"/>"##);
    text(out, ("title", MARGIN, 34), &graph.name);
    let promise = graph.promise.as_ref().map_or_else(|| "未公布".to_owned(), ToOwned::to_owned);
    let said = format!(
        "{} · {} 个事项 · 总承诺时限 {promise} · 关键路径合计 {}",
        graph.service,
        graph.nodes.len(),
        graph.path
    );
    text(out, ("", MARGIN, 55), &said);
    put(out, &format!(r#"<g transform="translate({MARGIN} {})">"#, HEAD + 12));
}

/// Writes one line of text at a place.
fn text(out: &mut String, (class, x, y): (&str, i32, i32), said: &str) {
    let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
    put(out, &format!(r#"<text{class} x="{x}" y="{y}">{}</text>"#, escaped(said)));
}

/// The lines below a matter's name.
fn facts(node: &Node) -> Vec<String> {
    let limits = match (&node.promised, &node.statutory) {
        (Some(promised), Some(statutory)) => format!("承诺 {promised} · 法定 {statutory}"),
        (Some(promised), None) => format!("承诺 {promised}"),
        (None, Some(statutory)) => format!("法定 {statutory}"),
        (None, None) => "无公布时限".to_owned(),
    };
    let mut facts = vec![shortened(&node.department, NAME_COLUMNS + 3), limits];
    match (node.state, node.conditional) {
        (NodeState::Skipped, _) => facts.push("本情形不需要".to_owned()),
        (NodeState::Needed | NodeState::Critical, true) => facts.push("视情形".to_owned()),
        (NodeState::Needed | NodeState::Critical, false) => {}
    }
    facts
}

fn lines(count: usize, line: i32) -> i32 {
    i32::try_from(count).unwrap_or_default() * line
}

fn height(node: &Node, name_lines: usize) -> i32 {
    2 * PAD - 4 + lines(name_lines, LINE) + lines(facts(node).len(), SMALL_LINE)
}

fn draw_node(out: &mut String, node: &Node, name: &[String], place: Place) {
    let class = match node.state {
        NodeState::Needed => "needed",
        NodeState::Critical => "critical",
        NodeState::Skipped => "skipped",
    };
    put(out, &format!(r#"<g class="{class}"><title>{}</title>"#, escaped(&node.code)));
    let Place { x, y, height, .. } = place;
    put(
        out,
        &format!(
            r#"<rect class="box" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{height}" rx="7"/>"#
        ),
    );
    let mut at = y + PAD + 11;
    for line in name {
        text(out, ("name", x + PAD, at), line);
        at += LINE;
    }
    for fact in facts(node) {
        text(out, ("", x + PAD, at), &fact);
        at += SMALL_LINE;
    }
    put(out, "</g>");
}

/// The way of an edge: where it begins, its curves, and where a word about it stands.
struct Route {
    path: String,
    label: (i32, i32),
}

fn route(layout: &Layout, edge: &Edge, no: usize) -> Route {
    let (from, to) = (layout.places[edge.from], layout.places[edge.to]);
    if to.column <= from.column {
        return aside(from, to);
    }
    let mut path = String::new();
    let (mut x, mut y) = (from.right(), from.middle());
    write!(path, "M{x} {y}").expect("a text can be written to");
    let mut curve = |to_x: i32, to_y: i32| {
        let half = i32::midpoint(x, to_x);
        write!(path, " C{half} {y} {half} {to_y} {to_x} {to_y}").expect("a text can be written to");
        (x, y) = (to_x, to_y);
        half
    };
    let mut first_half = None;
    for (bend_x, bend_y) in &layout.bends[no] {
        let half = curve(*bend_x, *bend_y);
        first_half.get_or_insert((half, *bend_y));
        // Straight through the column, so that it passes between the boxes.
        curve(bend_x + BOX_WIDTH, *bend_y);
    }
    let half = curve(to.x - 1, to.middle());
    let (label_x, label_y) = first_half.unwrap_or_else(|| (half, to.middle()));
    Route { path, label: (label_x, i32::midpoint(from.middle(), label_y) - 4) }
}

/// An edge within a column, or back: out at the right side and in again there.
fn aside(from: Place, to: Place) -> Route {
    let (start, end) = (from.middle() + 10, to.middle() - 10);
    let (start, end) =
        if from.y < to.y { (start, end) } else { (from.middle() - 10, to.middle() + 10) };
    let out = from.right().max(to.right()) + SWING;
    let (x, to_x) = (from.right(), to.right() + 1);
    let label = (i32::midpoint(from.right(), out) + 4, i32::midpoint(start, end) + 4);
    Route { path: format!("M{x} {start} C{out} {start} {out} {end} {to_x} {end}"), label }
}

fn draw_edge(out: &mut String, graph: &Graph, edge: &Edge, route: &Route) {
    let mut class = String::from("edge");
    if edge.critical {
        class.push_str(" critical");
    }
    if edge.kind == EdgeKind::Tolerant {
        class.push_str(" tolerant");
    }
    let ends = [edge.from, edge.to];
    if ends.iter().any(|end| graph.nodes[*end].state == NodeState::Skipped) {
        class.push_str(" skipped");
    }
    let tip = if edge.critical { "critical-tip" } else { "tip" };
    let path = &route.path;
    put(out, &format!(r#"<path class="{class}" d="{path}" marker-end="url(#{tip})"/>"#));
    let label = edge.kind.label();
    if !label.is_empty() {
        let (x, y) = route.label;
        put(
            out,
            &format!(r#"<text class="label" x="{x}" y="{y}" text-anchor="middle">{label}</text>"#),
        );
    }
}

fn legend(out: &mut String, y: i32) {
    let mut x = MARGIN;
    for (class, said) in [
        ("edge critical", "关键路径 critical path"),
        ("edge", "先后 comes after"),
        ("edge tolerant", "可容缺,不等待 may come later"),
        ("edge skipped", "本情形不需要 not needed"),
    ] {
        put(out, &format!(r#"<path class="{class}" d="M{x} {} h30"/>"#, y - 4));
        text(out, ("", x + 38, y), said);
        let columns = i32::try_from(said.width()).unwrap_or_default();
        x += 38 + columns * 6 + 26;
    }
}

/// Breaks a text into lines of at most so many columns; what does not fit the last is cut.
fn wrapped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() && line.width() + word.trim_end().width() > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        if line.is_empty() {
            line.push_str(word.trim_start());
        } else {
            line.push_str(word);
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    if lines.len() > most {
        let rest = lines.split_off(most - 1).concat();
        lines.push(shortened(&rest, columns));
    }
    lines
}

/// Divides a text where a line may end: after each wide letter, and after blanks.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut wide_before = false;
    for (at, letter) in text.char_indices() {
        let wide = letter.width().unwrap_or_default() > 1;
        let breaks = wide_before || wide || text[start..at].ends_with(' ');
        // Closing marks stay with what they close.
        if breaks && at > start && !"，。、；：）》”》)".contains(letter) {
            words.push(&text[start..at]);
            start = at;
        }
        wide_before = wide;
    }
    words.push(&text[start..]);
    words
}

/// Cuts a text to so many columns, with a mark where something is missing.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if short.width() + letter.width().unwrap_or_default() + 1 > columns {
            break;
        }
        short.push(letter);
    }
    short.push('…');
    short
}

/// Writes text so that XML reads nothing else into it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            control if control.is_control() => out.push('\u{fffd}'),
            plain => out.push(plain),
        }
    }
    out
}
