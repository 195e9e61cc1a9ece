//! Every hole of the sandbox that is closed, and every limit, by a script that tries it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tongban_core::port::{RunEnd, ScriptFaultKind};

use crate::testing::{Desk, HEAD, host};

#[track_caller]
fn limited(body: &str) {
    let fault = Desk::handling(body).fault();
    assert_eq!(fault.kind, ScriptFaultKind::Limit, "{body}: {fault}");
    assert!(fault.line > 0, "{body}: {fault}");
}

#[track_caller]
fn refused_at_load(functions: &str, wanted: &str) {
    let text = format!("{HEAD}{functions}");
    let service = r#"service(#{ code: "s", name: "s", lead: "d", matters: [part("m")] });"#;
    let files = [("services/s.rhai", service), ("matters/d/m.rhai", text.as_str())];
    let error = host(&files).err().unwrap_or_else(|| panic!("it loaded: {functions}"));
    let shown = error.to_string();
    assert!(shown.contains(wanted), "{functions}\n{shown}");
}

#[test]
fn endless_loops_and_recursion_end() {
    limited("loop { }");
    limited("let i = 0; while true { i += 1; }");
    limited("let a = []; a.pad(4000, 0); a.for_each(|x| { for i in 0..40000 { } });");
    limited("let a = []; a.pad(4000, 0); let b = a + []; a.map(|x| b.map(|y| y));");
    let fault = Desk::new("fn again(n) { again(n + 1) }\nfn handle(m) { again(0) }").fault();
    assert_eq!(fault.kind, ScriptFaultKind::Limit, "{fault}");
}

#[test]
fn texts_cannot_grow_past_the_limit() {
    limited(r#"let s = "x"; loop { s += s; }"#);
    limited(r#"let s = "x"; loop { s = s + s; }"#);
    limited(r#"let s = "x"; loop { s = `${s}${s}`; }"#);
    limited(r#"let s = "x"; s.pad(1000000000, "yy");"#);
    limited(r#"let s = "x"; s.pad(40000, 'y');"#);
    limited(r#"let s = "x"; s.pad(32000, "x"); s.replace("x", s);"#);
    limited(r#"let s = "x"; s.pad(32000, 'x'); s.replace('x', s);"#);
    limited(r#"let s = "x"; s.pad(32000, 'x'); s.replace("", s);"#);
    limited(r#"let s = "x"; loop { s.append(s); }"#);
}

#[test]
fn containers_cannot_grow_past_the_limit() {
    limited("let a = []; loop { a.push(1); }");
    limited("let a = [1]; loop { a += a; }");
    limited("let a = []; a.pad(1000000000, 0);");
    limited("let m = #{}; let i = 0; loop { m.set(`k${i}`, 1); i += 1; }");
    limited("let a = [1]; loop { a = [a, a]; }");
    limited("let a = [1]; loop { a = [a]; }");
    limited("let x = 1; loop { x = #{ x: x }; }");
    limited("let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }");
    limited("let m = #{ a: 1, b: 1 }; loop { m.a = m; m.b = m; }");
    limited("let x = #{ a: 1, b: 1 }; loop { x.a = x; x.b = x; }");
    limited("let a = []; loop { a.push(a); }");
    limited(r#"let a = []; let s = "x"; s.pad(30000, 'x'); loop { a.push(s); }"#);
}

#[test]
fn assignment_by_index_does_not_load() {
    for body in [
        "let x = #{}; x[\"k\"] = 1;",
        "let x = [1]; x[0] = 2;",
        "let x = #{a: [1]}; x.a[0] = 2;",
        "let x = [1]; x[0] += 2;",
        "let x = [#{}]; x[0].a = 2;",
        "let f = |x| { x[0] = 1 };",
    ] {
        refused_at_load(&format!("fn handle(m) {{ {body} }}"), "INDEX_ASSIGNMENT");
    }
}

#[test]
fn an_unknown_member_is_neither_read_nor_made() {
    for body in
        ["let x = #{ a: 1 }; x.b", "let x = #{ a: 1 }; x.b = 2;", "let x = #{ a: 1 }; x[\"b\"]"]
    {
        let fault = Desk::handling(body).fault();
        assert!(fault.message.contains("no member b"), "{body}: {fault}");
    }
}

#[test]
fn what_the_sandbox_leaves_out_does_not_load() {
    for (body, wanted) in [
        ("eval(\"1\")", "eval"),
        ("import \"x\" as y;", "import"),
        ("print(1)", "print"),
        ("debug(1)", "debug"),
        ("let t = timestamp();", "timestamp"),
        ("exit()", "exit"),
        ("let f = Fn(\"ask\");", "Fn"),
        ("parse_json(\"1\")", "parse_json"),
        ("rand()", "rand"),
        ("let f = |x| x; f.curry(1)", "curry"),
        ("sleep(1, 2)", "WRONG_ARITY"),
    ] {
        refused_at_load(&format!("fn handle(m) {{ {body} }}"), wanted);
    }
    let fault = Desk::handling("sleep(100000)").fault();
    assert!(fault.message.contains("sleep"), "{fault}");
}

#[test]
fn closures_are_not_called_by_name() {
    for body in ["[2, 1].sort(\"f\")", "[2, 1].dedup(\"f\")"] {
        let fault = Desk::handling(body).fault();
        assert!(fault.message.contains("closure"), "{fault}");
    }
}

#[test]
fn host_names_are_not_defined_again() {
    for name in ["ask", "grant", "wait", "all", "part", "sort", "now", "__only_outcomes"] {
        let functions = format!("fn {name}(x) {{ x }}\nfn handle(m) {{ }}");
        refused_at_load(&functions, "HOST_NAME");
    }
}

#[test]
fn reserved_words_get_advice() {
    for word in ["case", "match", "new", "shared", "default", "async"] {
        refused_at_load(&format!("fn handle(m) {{ m.form.{word} }}"), "x[\"");
        refused_at_load(&format!("fn {word}() {{ }}\nfn handle(m) {{ }}"), "RESERVED_WORD");
    }
}

#[test]
fn a_catch_needs_a_name_and_a_place_of_its_own() {
    refused_at_load("fn handle(m) { try { 1 } catch { 2 } }", "CATCH_NAME");
    let shown =
        Desk::handling("let x = `${ if true { try { 1/0 } catch (e) { 1 } } }`; deny(\"x\")");
    // Wherever a catch loads, its guard stands before it.
    assert!(matches!(shown.look().0, RunEnd::Failed(_)));
}

#[test]
fn places_on_a_guarded_line_are_those_of_the_file() {
    let desk = Desk::handling("try { ask(\"a.b\") } catch (e) { 1/0 }");
    let mut desk = desk;
    desk.run();
    desk.reject(0, "x");
    let fault = desk.fault();
    assert_eq!((fault.line, fault.column), (6, 33), "{fault}");
}

#[test]
fn chinese_counts_as_characters_and_errors_in_helpers_are_found() {
    let fault =
        Desk::new("fn 计算(x) { let 说明 = \"很长的说明\"; x / 0 }\nfn handle(m) { 计算(1) }")
            .fault();
    assert_eq!((fault.line, fault.column), (5, 32), "{fault}");
}

#[test]
fn the_wall_clock_guard_is_an_infrastructure_fault() {
    let ticks = Arc::new(AtomicU64::new(0));
    let guard = Arc::clone(&ticks);
    let desk = Desk::handling("for i in 0..10000 { let x = i + 1; } deny(\"x\")")
        .guarded(Arc::new(move || guard.fetch_add(1_000, Ordering::Relaxed)));
    let fault = desk.fault();
    assert_eq!(fault.kind, ScriptFaultKind::Infrastructure);
}

#[test]
fn a_panic_takes_one_run_and_nothing_else() {
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    let desk = Desk::handling("for i in 0..1000 { let x = i + 1; } ask(\"a.b\")").guarded(
        Arc::new(move || {
            let look = counted.fetch_add(1, Ordering::Relaxed);
            assert!(look != 1, "the guard fails once, in the middle of the first run");
            0
        }),
    );
    assert_eq!(desk.fault().kind, ScriptFaultKind::Infrastructure);
    assert_eq!(desk.look().0, RunEnd::Suspended, "the next run on this thread goes well");
}

#[test]
fn padding_past_all_numbers_is_refused() {
    limited("let x = []; x.pad(63, 0); let a = []; a.pad(288230376151711744, x)");
    limited("let a = []; a.pad(4611686018427387904, [1, 1, 1])");
    limited("let x = []; x.pad(2000, 0); let a = []; a.pad(3, x)");
}

#[test]
fn durable_functions_do_nothing_outside_of_handle() {
    for (place, wanted) in [
        ("let x = ask(\"a.b\");\nfn handle(m) { }", "ONLY_IN_HANDLE"),
        ("now();\nfn handle(m) { }", "ONLY_IN_HANDLE"),
    ] {
        refused_at_load(place, wanted);
    }
}

#[test]
fn too_many_requests_are_a_limit() {
    let fault = Desk::handling("for i in 0..2000 { start(\"a.b\"); }").fault();
    assert_eq!(fault.kind, ScriptFaultKind::Limit, "{fault}");
}

#[test]
fn the_name_of_a_closure_is_in_no_text() {
    for body in ["deny(`${|x| x}`)", "deny(\"\" + |x| x)", "deny(\"\" + [|x| x])"] {
        let (_, requests) = Desk::handling(body).look();
        let shown = format!("{:?}", requests[0].ask);
        assert!(!shown.contains("anon$"), "{body}: {shown}");
    }
}

#[test]
fn handles_and_functions_are_not_data() {
    for given in ["start(\"a.c\")", "|x| x", "[start(\"a.c\")]", "m"] {
        let fault = Desk::handling(&format!("ask(\"a.b\", #{{ x: {given} }})")).fault();
        assert!(fault.message.contains("data"), "{given}: {fault}");
    }
}
