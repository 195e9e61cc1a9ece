//! Scripts that try to fool the host, each as the only matter of a case under the production
//! turn. Each ends as the suspension it hides or as one incident, in bounded time and memory,
//! and the next case runs as if nothing had been.

use tongban_core::limits::RUN_STACK_BYTES;

use crate::world::World;
use crate::{HEAD, host};

/// Thread time that one hostile run may take in a build without optimisation.
const CPU_MILLIS_MAX: u64 = 20_000;
/// By how much the process may grow over all of them.
const GROWTH_KIB_MAX: u64 = 128 * 1024;

const SUSPENDS: &str = "";
const FAILS: &str = "SCRIPT_FAILED";
const LIMIT: &str = "LIMIT_EXCEEDED";

/// What came of a script: the incidents of its case, and what it had asked for.
#[derive(Debug, Eq, PartialEq)]
struct Came {
    incidents: Vec<&'static str>,
    asked: Vec<String>,
}

/// Plays a case of this script on a thread as the engine's are, and then another case.
#[track_caller]
fn play(functions: &str) -> Came {
    let text = format!("{HEAD}{functions}");
    let body = move || {
        let (bad, good) =
            (host(&text), host(&format!("{HEAD}fn handle(m) {{ ask(\"a.good\"); }}")));
        let before = cpu_millis();
        let world = World::begin(&bad);
        let took = cpu_millis() - before;
        assert!(took < CPU_MILLIS_MAX, "it took {took} ms: {text}");
        let next = World::begin(&good);
        assert_eq!(came(&next), Came { incidents: vec![], asked: vec!["a.good".to_owned()] });
        came(&world)
    };
    let thread = std::thread::Builder::new().stack_size(RUN_STACK_BYTES).spawn(body);
    thread.expect("there is room for a thread").join().unwrap_or_else(|_| panic!("{functions}"))
}

fn came(world: &World<'_>) -> Came {
    let asked = world.requests().iter().map(|request| request.made.ask.target());
    Came { incidents: world.incidents(), asked: asked.collect() }
}

/// Plays each script; all that end otherwise than wanted are told at once.
#[track_caller]
fn check(bodies: &[&str], wanted: &str) {
    let mut wrong = Vec::new();
    for body in bodies {
        let functions = format!("fn helper(x) {{ ask(\"a.b\") }}\nfn handle(m) {{\n{body}\n}}\n");
        let came = play(&functions);
        let expected = match wanted {
            SUSPENDS => Came { incidents: vec![], asked: vec!["a.b".to_owned()] },
            _ => Came { incidents: came.incidents.clone(), asked: vec![] },
        };
        let incidents = usize::from(wanted != SUSPENDS);
        let kind = came.incidents.iter().all(|kind| *kind == wanted);
        if came != expected || came.incidents.len() != incidents || !kind {
            wrong.push(format!("{body}: {came:?}"));
        }
    }
    assert!(wrong.is_empty(), "wanted {wanted:?}: {wrong:#?}");
}

/// Returns the processor time of this thread.
fn cpu_millis() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok());
    nanos.unwrap_or_default() / 1_000_000
}

/// Returns the most memory that the process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
    peak.unwrap_or_default()
}

#[test]
fn a_suspension_is_not_swallowed() {
    let bodies = [
        // Functions that call a closure, wherever the closure comes from.
        r#"let f = |x| helper(x); [1, 2].map(f); deny("x")"#,
        r#"let f = |x| helper(x).ok; [1, 2].filter(f); deny("x")"#,
        r#"let f = |r, x| helper(x); [1, 2].reduce(f); deny("x")"#,
        r#"let f = |a, b| helper(a).n; [2, 1].sort(f); deny("x")"#,
        r#"let f = |a, b| helper(a).n; [2, 1, 3, 4].order_by(f); deny("x")"#,
        r#"let f = |a, b| helper(a).same; [2, 2].dedup(f); deny("x")"#,
        r#"let f = |x| helper(x); [1].for_each(f); deny("x")"#,
        r#"let f = |x| helper(x); [1].some(f); [1].all(f); deny("x")"#,
        r#"let f = |x| helper(x); [1].find(f); [1].find_map(f); deny("x")"#,
        r#"let f = |x| helper(x); [1].index_of(f); deny("x")"#,
        r#"let f = |x| helper(x); let a = [1]; a.drain(f); a.retain(f); deny("x")"#,
        r#"let f = |k, v| helper(v); #{ a: 1 }.map(f); #{ a: 1 }.filter(f); deny("x")"#,
        r#"let f = |k, v| helper(v); let x = #{ a: 1 }; x.drain(f); x.retain(f); deny("x")"#,
        r#"let f = |x| helper(x); [[1]].map(|inner| inner.map(|y| f.call(y))); deny("x")"#,
        // Catching it, once, nested, in a loop, in a closure.
        r#"try { helper(1) } catch (e) { deny("x") }"#,
        r#"try { try { helper(1) } catch (e) { 1 } } catch (e) { deny("x") } deny("y")"#,
        r#"try { try { helper(1) } catch (e) { throw e; } } catch (e) { deny("x") }"#,
        r#"loop { try { helper(1); break; } catch (e) { } }"#,
        r#"let f = || { try { helper(1) } catch (e) { 7 } }; f.call(); deny("x")"#,
        r#"[1, 2, 3].map(|x| { try { helper(x) } catch (e) { x } }); deny("x")"#,
        r#"try { helper(1) } catch (e) { try { helper(2) } catch (f) { deny("x") } }"#,
        // Leaving the catch early, or by throwing something else.
        r#"try { helper(1) } catch (e) { return; } deny("x")"#,
        r#"try { helper(1) } catch (e) { throw "no"; }"#,
        r#"let x = 1; try { x = helper(1) } catch (e) { x = e; return x; }"#,
        r#"for i in 0..9 { try { helper(i) } catch (e) { continue; } } deny("x")"#,
        r#"while true { try { helper(1) } catch (e) { break; } } deny("x")"#,
        // In places that look harmless.
        r#"let text = `${helper(1)}`; deny(text)"#,
        r#"let list = [helper(1), 2]; deny("x")"#,
        r#"let map = #{ a: helper(1) }; deny("x")"#,
        r#"if helper(1) == 1 || true { deny("x") } deny("y")"#,
        r#"switch helper(1) { 1 => deny("x"), _ => deny("y") }"#,
        r#"let seen = 0; let f = |x| { seen += 1; helper(x) }; f.call(1); deny("x")"#,
        r#"let h = start("a.b"); try { wait(h) } catch (e) { settle(h) } deny("x")"#,
    ];
    check(&bodies, SUSPENDS);
}

#[test]
fn a_fault_is_not_swallowed() {
    let bodies = [
        r#"try { 1 / 0 } catch (e) { helper(1) }"#,
        r#"try { throw "no" } catch (e) { return; }"#,
        r#"try { [1][9] } catch (e) { throw e; }"#,
        r#"try { try { 1 / 0 } catch (e) { } } catch (e) { }"#,
        r#"for i in 0..3 { try { 1 / 0 } catch (e) { continue; } }"#,
        r#"[1, 2].map(|x| { try { x / 0 } catch (e) { 7 } });"#,
        r#"let f = |a, b| a / 0; try { [2, 1].sort(f) } catch (e) { }"#,
        r#"let f = |a, b| a / 0; try { [2, 1].dedup(f) } catch (e) { }"#,
        r#"throw #{ kind: "rejected", reason: "made up" }"#,
        r#"let r = race([]); settle(r)"#,
        r#"let f = |x| x; ask("a.b", #{ f: f })"#,
    ];
    check(&bodies, FAILS);
}

#[test]
fn what_is_endless_ends() {
    let before = peak_kib();
    let bodies = [
        "loop { }",
        "while true { let x = 1; }",
        "do { } while true;",
        "for i in 0..9223372036854775807 { }",
        "for i in 0..=9223372036854775807 { }",
        "for i in range(0, 9223372036854775807, 1) { }",
        "for i in range(0, 9223372036854775807, 4611686018427387904) { let x = i; } loop { }",
        "let f = |f| f.call(f); f.call(f)",
        "let f = |x| x; loop { f.call(1); }",
        "let a = []; a.pad(4000, 1); a.map(|x| { for i in 0..4000 { } });",
        "try { loop { } } catch (e) { loop { } }",
        r#"let s = "x"; loop { s += s; }"#,
        r#"let s = "x"; loop { s = s + s; }"#,
        r#"let s = "x"; loop { s = `${s}${s}`; }"#,
        r#"let s = "x"; s.pad(9223372036854775807, "y")"#,
        r#"let s = "x"; s.pad(32000, "x"); s.replace("x", s)"#,
        r#"let s = "x"; s.pad(32000, "x"); s.replace("", s)"#,
        r#"let s = "x"; s.pad(20000, "中")"#,
        r#"let s = "x"; s.pad(30000, "x"); let a = []; a.pad(4000, 0); a.map(|x| s + x)"#,
        r#"let s = "x"; s.pad(30000, "x"); let a = []; loop { a += [s + a.len()]; }"#,
        r#"let s = "x"; s.pad(30000, "x"); let m = #{}; loop { m.set(`k${m.len()}`, s + 1); }"#,
        r#"let s = "x"; s.pad(32000, "x"); let a = s.split(""); a.map(|x| s.split(""))"#,
        r#"let a = []; a.pad(4000, 0); let c = a + []; a.map(|x| c + [])"#,
        r#"let a = []; a.pad(4000, 0); let c = a + []; a.map(|x| c)"#,
        "let a = []; loop { a.push(1); }",
        "let a = [1]; loop { a += a; }",
        "let a = [1]; loop { a.append(a); }",
        "let a = [1]; loop { a.insert(0, a); }",
        "let a = [1]; loop { a.splice(0..0, a); }",
        "let a = []; a.pad(9223372036854775807, 0)",
        "let a = [1]; loop { a = [a, a]; }",
        "let a = [1]; loop { a = [a]; }",
        "let a = []; loop { a.push(a); }",
        "let m = #{}; let i = 0; loop { m.set(`k${i}`, 1); i += 1; }",
        "let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }",
        "let m = #{ a: 1 }; loop { m.a = m; }",
        "let m = #{ a: 1, b: 1 }; loop { m.a = m; m.b = m; }",
        r#"for i in 0..2000 { start("a.b"); }"#,
        r#"let h = start("a.b"); loop { h = all([h, h]); }"#,
        r#"let h = start("a.b"); loop { all([h]); }"#,
        r#"let s = "x"; s.pad(30000, "x"); for i in 0..100 { start("a.b", #{ x: s + i }); }"#,
    ];
    check(&bodies, LIMIT);
    let grown = peak_kib().saturating_sub(before);
    assert!(grown < GROWTH_KIB_MAX, "the process grew by {grown} KiB");
}

#[test]
fn deep_recursion_ends() {
    let came = play("fn again(n) { again(n + 1) }\nfn handle(m) { again(0) }");
    assert_eq!(came.incidents, [LIMIT]);
    let came =
        play("fn one(f) { two(f) }\nfn two(f) { f.call(f) }\nfn handle(m) { one(|f| one(f)) }");
    assert_eq!(came.incidents, [LIMIT]);
}

/// Containers as deep as they may become, given to whatever walks them.
#[test]
fn deep_containers_do_not_overflow_the_stack() {
    for walk in [
        "let text = `${x}`;",
        "let same = x == x;",
        "let text = x.to_string(); let other = x.to_debug();",
        "let y = x; let z = [y, y] == [x, x];",
        "[1, 2].contains(x);",
        "let y = x; y += x;",
        "start(\"a.b\", #{ x: x });",
        "deny(`${x}`);",
        "throw x;",
        "log(x);",
    ] {
        for grow in ["x = [x];", "x = #{ x: x };"] {
            let functions =
                format!("fn handle(m) {{ let x = 1; for i in 0..900 {{ {grow} }} {walk} }}");
            let came = play(&functions);
            assert!(came.incidents.len() <= 1, "{functions}: {came:?}");
        }
    }
}

#[test]
fn a_map_is_walked_in_the_order_of_its_names() {
    for (body, wanted) in [
        ("let x = #{ c: 1, a: 2, b: 3 }; let s = \"\"; for k in x.keys() { s += k; } s", "abc"),
        (
            "let x = #{}; x.set(\"b\", 1); x.set(\"a\", 2); let s = \"\"; for k in x.keys() { s += k; } s",
            "ab",
        ),
        ("let s = \"\"; for v in #{ c: \"3\", a: \"1\" }.values() { s += v; } s", "13"),
        ("let s = \"\"; for c in [3, 1, 2] { s += c; } s", "312"),
        ("`${#{ b: 1, a: 2 }}`", "#{\"a\": 2, \"b\": 1}"),
    ] {
        let functions = format!(
            "fn said() {{ {body} }}\nfn handle(m) {{ decide(\"d.approver\", #{{ title: said() }}) }}"
        );
        let host = host(&format!("{HEAD}{functions}"));
        let world = World::begin(&host);
        let tongban_core::request::Ask::Decide { title, .. } = &world.requests()[0].made.ask else {
            panic!("{:?}", world.requests());
        };
        assert_eq!(title, wanted, "{body}");
    }
}
