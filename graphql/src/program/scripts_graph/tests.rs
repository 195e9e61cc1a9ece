//! Pictures of the shipped service, and of larger ones made up here.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect;

use super::*;
use crate::program::args::SituationArguments;

fn graph_of(service: &str, path: Option<&std::path::Path>, answers: Option<&str>) -> Graph {
    let situation = Situation::read(&SituationArguments {
        service: service.to_owned(),
        answers: answers.map(ToOwned::to_owned),
        path: path.map(ToOwned::to_owned),
    });
    let situation = situation.unwrap();
    let guide = match answers {
        Some(_) => situation.guide().unwrap(),
        None => situation.guide_of_all(),
    };
    Graph::of(&situation.closure, &guide)
}

fn shipped(answers: Option<&str>) -> Graph {
    graph_of("construction-start", None, answers)
}

const NO_WASTE: &str = r#"{"basement": true, "waste": false}"#;

#[test]
fn the_shipped_service_as_a_flowchart() {
    expect![[r#"
        flowchart LR
            m0["企业投资项目备案<br/>development-reform<br/>1个工作日"]
            m1["国有建设用地使用权首次登记<br/>natural-resources<br/>1个工作日"]
            m2["建设用地规划许可证核发<br/>natural-resources<br/>1个工作日"]
            m3["建设工程规划许可证核发<br/>natural-resources<br/>1个工作日"]
            m4["特殊建设工程消防设计审查<br/>housing-construction<br/>1个工作日"]
            m5["结合民用建筑修建防空地下室审批<br/>civil-air-defence<br/>1个工作日"]
            m6["建筑工程施工许可证核发<br/>housing-construction<br/>1个工作日"]
            m7["城市建筑垃圾处置核准<br/>urban-management<br/>1个工作日 · 视情形"]
            m0 --> m2
            m2 --> m3
            m2 --> m4
            m3 -.->|容缺| m4
            m3 --> m5
            m1 --> m6
            m3 --> m6
            m4 --> m6
            m5 --> m6
            classDef critical stroke:#b3261e,stroke-width:3px
            classDef skipped fill:#eeeeee,stroke:#bbbbbb,color:#999999
            class m0,m2,m3,m5,m6 critical
            class m7 skipped
            linkStyle 0,1,4,8 stroke:#b3261e,stroke-width:3px
    "#]]
    .assert_eq(&written(&shipped(Some(NO_WASTE)), GraphFormat::Mermaid));
}

#[test]
fn programs_read_the_same_graph() {
    let json = written(&shipped(Some(NO_WASTE)), GraphFormat::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["nodes"][7]["state"], "skipped");
    assert_eq!(json["nodes"][0]["state"], "critical");
    assert_eq!(json["nodes"][1]["state"], "needed");
    let edges = json["edges"].as_array().unwrap();
    let tolerant: Vec<_> = edges.iter().filter(|edge| edge["kind"] == "tolerant").collect();
    assert_eq!(tolerant.len(), 1);
    assert_eq!((&tolerant[0]["from"], &tolerant[0]["to"]), (&3.into(), &4.into()));
    assert_eq!(edges.iter().filter(|edge| edge["critical"] == true).count(), 4);
}

/// Reads the boxes of a picture: x, y, width, height.
fn boxes(svg: &str) -> Vec<[i32; 4]> {
    let rows = svg.lines().filter(|line| line.contains("class=\"box\""));
    let number = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    rows.map(|line| ["x", "y", "width", "height"].map(|name| number(line, name))).collect()
}

fn assert_readable(svg: &str, count: usize) {
    let boxes = boxes(svg);
    assert_eq!(boxes.len(), count);
    for (no, [x, y, width, height]) in boxes.iter().enumerate() {
        assert!(*x >= 0 && *y >= 0, "outside: {x} {y}");
        for [other_x, other_y, other_width, other_height] in &boxes[no + 1..] {
            let apart = x + width <= *other_x
                || other_x + other_width <= *x
                || y + height <= *other_y
                || other_y + other_height <= *y;
            assert!(apart, "boxes lie on each other at {x} {y}");
        }
    }
    assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
}

#[test]
fn eight_matters_make_a_picture_without_overlaps() {
    let svg = written(&shipped(None), GraphFormat::Svg);
    assert_readable(&svg, 8);
    assert_eq!(svg.matches("class=\"critical\"").count(), 5);
    assert_eq!(svg, written(&shipped(None), GraphFormat::Svg), "equal graphs, equal bytes");
}

#[test]
fn answers_grey_what_is_not_needed() {
    let svg = written(&shipped(Some(NO_WASTE)), GraphFormat::Svg);
    assert_eq!(svg.matches("<g class=\"skipped\">").count(), 1);
    assert!(svg.contains("本情形不需要"));
}

/// A service of twenty matters that wait for each other across columns.
fn twenty() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let names =
        ["特种设备使用登记与安全审查意见备案", "消防验收", "市政公用服务接入<联合>办理 & 报装"];
    let mut parts = String::new();
    for no in 0..20_usize {
        let name = names[no % names.len()];
        let text = format!(
            "matter(#{{ code: \"m{no}\", name: \"{name}\", department: \"department-{no}\", limit: #{{ promised: \"{} working days\" }} }});\nfn handle(m) {{ }}",
            1 + no % 4
        );
        write(&format!("matters/d/m{no}.rhai"), &text);
        let after = match no {
            0..4 => String::new(),
            4..12 => format!(".after(\"m{}\")", no % 4),
            12..17 => format!(".after(\"m{}\", \"m{}\")", no - 8, (no * 7) % 4),
            _ => format!(".after(\"m{}\", \"m{}\", \"m{}\")", no - 5, no - 9, no % 4),
        };
        writeln!(parts, "part(\"m{no}\"){after},").unwrap();
    }
    let service = format!(
        "service(#{{ code: \"twenty\", name: \"二十个事项\", lead: \"d\", target: \"project\", regions: [\"420300\"], promise: \"9 working days\", matters: [ {parts} ] }});"
    );
    write("services/twenty.rhai", &service);
    folder
}

#[test]
fn twenty_matters_make_a_picture_without_overlaps() {
    let folder = twenty();
    let graph = graph_of("twenty", Some(folder.path()), None);
    let svg = written(&graph, GraphFormat::Svg);
    if let Some(file) = std::env::var_os("KEEP_PICTURE") {
        fs::write(file, &svg).unwrap();
    }
    assert_readable(&svg, 20);
    assert!(svg.contains("&lt;联合&gt;"), "text stays text");
    let mermaid = written(&graph, GraphFormat::Mermaid);
    assert!(mermaid.contains("#60;联合#62;办理 #38; 报装"), "{mermaid}");
}
