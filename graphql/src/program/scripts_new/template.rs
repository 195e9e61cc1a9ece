//! The texts that a new script begins with.

use super::{NewMatterArguments, NewServiceArguments};

/// Writes a service over these matters.
pub(super) fn service(new: &NewServiceArguments, matters: &[String]) -> String {
    let parts: Vec<String> =
        matters.iter().map(|code| format!("        part(\"{code}\"),\n")).collect();
    let parts = parts.concat();
    let (code, lead) = (&new.code, &new.lead);
    let (title, name, region) = (commented(&new.name), quoted(&new.name), quoted(&new.region));
    format!(
        r#"// {title}: say in one sentence what it is for.
//
// A service (一件事) composes matters of several departments into one application. Those that do
// not wait for each other run in parallel; each department decides its own matter.
service(#{{
    code:    "{code}",
    name:    {name},
    // name_en: "",
    lead:    "{lead}", // the department that coordinates (牵头部门)
    target:  "person", // or "enterprise", "project"
    regions: [{region}], // where it is offered; a city's code offers it in its districts too
    promise: "5 working days", // the published promise for the whole
    questions: [
        // Answers decide which matters are needed (情形引导):
        // question("outdoor", "是否在户外经营？", yes_no()).label_en("Is business done outdoors?"),
    ],
    matters: [
{parts}        // part("b").after("a"),              once a is granted; also .after_end, .after_accepted
        // part("c").when(|q| q.outdoor),      only for these answers
        // part("d").after("a").tolerant("x"), material x may come later (容缺)
    ],
}});
"#
    )
}

/// Writes a matter.
pub(super) fn matter(new: &NewMatterArguments) -> String {
    let (code, department, regime) = (&new.code, &new.department, &new.regime);
    let name = new.name.as_deref().unwrap_or(code);
    let (title, name) = (commented(name), quoted(name));
    let gives = match regime.as_str() {
        "benefit" | "public_service" => {
            format!("    // gives: license(\"{code}\"), // the licence that a grant gives")
        }
        _ => format!("    gives: license(\"{code}\"), // the licence that a grant gives"),
    };
    format!(
        r#"// {title}: say in one sentence what is decided.
//
// A matter (事项) is one department's procedure, with its own clock, decision and result.
matter(#{{
    code:       "{code}",
    name:       {name},
    // name_en:  "",
    department: "{department}",
    regime:     "{regime}", // the body of rules that its clocks and acts follow
    basis:      "", // the legal basis, as notices cite it
    intake:     "window", // or "auto": accepted at once when every material is there
    // decides_in: "connector", when the department decides in its own system; or "manual"
    limit:      #{{ statutory: "20 working days", promised: "5 working days" }},
    form: [
        field("remark", "申请说明", text(200)).label_en("Remark").optional(),
        // field("area", "面积（㎡）", number().above(0)), date(), yes_no(), choice(["a", "b"])
    ],
    materials: [
        // Where it may come from, tried in order:
        material("application", "申请书").from(upload("pdf")),
        // material("title", "不动产权证书").from(license("real-estate-title")).or(upload("pdf")),
        // material("permit", "前置许可").from(result_of("earlier-matter")),
    ],
{gives}
}});

// Starts once the matter is accepted, and again from the start whenever something it waits for
// has come; what it asked before is not asked twice.
fn handle(m) {{
    // let facts = ask("{department}.some_operation", #{{ id: m.applicant.id }});
    let opinion = decide("{department}.approver", #{{
        title: {name},
        facts: #{{ remark: m.form.remark }},
    }});
    if opinion.denied {{ return deny(opinion); }}
    grant(opinion)
}}
"#
    )
}

/// Writes the rehearsal of a new service.
pub(super) fn service_rehearsal(new: &NewServiceArguments) -> String {
    let (code, title, region) = (&new.code, commented(&new.name), quoted(&new.region));
    format!(
        r#"// Rehearsals of {title}: play them with `tongban scripts rehearse`.

rehearse("各事项都同意时全部办结", |r| {{
    r.at("2026-03-02 09:00");
    r.agencies_answer();
    r.file(#{{
        service: "{code}",
        region: {region},
        // answers: #{{ outdoor: true }},
        // form: #{{ area: 120 }}, whatever the matters require
    }});
    r.everyone_approves();
    r.expect_case("completed_all");
}});
"#
    )
}

/// Writes the rehearsals of a new matter.
pub(super) fn matter_rehearsal(new: &NewMatterArguments) -> String {
    let (code, department) = (&new.code, &new.department);
    let title = commented(new.name.as_deref().unwrap_or(code));
    format!(
        r#"// Rehearsals of {title}: play them with `tongban scripts rehearse`.

fn application() {{
    #{{ matter: "{code}", form: #{{ remark: "示例" }} }}
}}

rehearse("窗口受理、审批同意后准予", |r| {{
    r.at("2026-03-02 09:00");
    r.file_matter(application());
    r.person("{department}.window").accepts();
    r.wait("2 hours"); // time jumps; nothing waits for it
    r.person("{department}.approver").approves("同意");
    r.expect("{code}", "granted");
}});

rehearse("审批不同意时不予", |r| {{
    r.file_matter(application());
    r.person("{department}.window").accepts();
    r.person("{department}.approver").denies("请写明不予的理由");
    r.expect("{code}", "denied");
}});
"#
    )
}

/// Writes a text as a string literal.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control.is_control() => out.push(' '),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// Writes a text so that it stays on its comment's line.
fn commented(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
