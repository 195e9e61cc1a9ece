//! The real host under the production turn: what it must write, and what cannot fool it.

#[path = "../../../engine/core/tests/replay_law/program.rs"]
mod program;
#[path = "../../../engine/core/tests/replay_law/world.rs"]
mod world;

mod generated;
mod hostile;
mod print;

use tongban_scripts::Host;

const SERVICE: &str = r#"service(#{
    code: "s", name: "服务", lead: "natural-resources", regions: ["420300"], matters: [part("m")],
    api_level: 2,
});
"#;

const HEAD: &str = r#"matter(#{
    code: "m", name: "事项", department: "natural-resources", intake: "auto",
    limit: #{ first_review: "20 working days" },
});
"#;

/// Loads a host of one service with one matter.
fn host(matter: &str) -> Host {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in [("services/s.rhai", SERVICE), ("matters/m.rhai", matter)] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the folder"))
            .expect("the folder is ours");
        std::fs::write(path, text).expect("the folder is ours");
    }
    Host::open(folder.path()).unwrap_or_else(|error| panic!("{error}\n{matter}"))
}
