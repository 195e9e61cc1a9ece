//! Writes a generated program as the Rhai source of a matter.

use std::fmt::Write as _;

use crate::HEAD;
use crate::program::{
    By, Fails, Input, Kind, Leaf, Name, Program, Step, hours_after_the_start, hours_text,
};
use crate::world::channel;

/// Returns the source of a matter whose `handle` is the program.
pub(crate) fn matter(program: &Program) -> String {
    let mut printer = Printer::default();
    printer.steps(&program.steps, 1);
    let told: Vec<String> = program.told.iter().map(|name| format!("v{name}: v{name}")).collect();
    let told = told.join(", ");
    format!("{HEAD}fn handle(m) {{\n{}    ask(\"agency.end\", #{{ {told} }});\n}}\n", printer.text)
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.text, "{}{text}", "    ".repeat(depth)).expect("memory is the only limit");
    }

    fn steps(&mut self, steps: &[Step], depth: usize) {
        for step in steps {
            self.step(step, depth);
        }
    }

    fn step(&mut self, step: &Step, depth: usize) {
        match step {
            Step::Ask { handle, leaf } => {
                self.line(depth, &format!("let h{handle} = {};", asked(leaf)));
            }
            Step::Join { handle, kind, by, of } => {
                let members = members(*by, of);
                self.line(depth, &format!("let h{handle} = {}({members});", word(*kind)));
            }
            Step::Timeout { handle, of, hours } => {
                let hours = hours_text(*hours);
                self.line(depth, &format!("let h{handle} = timeout(h{of}, \"{hours}\");"));
            }
            Step::Wait { value, handle, fails } => self.wait(depth, *value, (*handle, *fails)),
            Step::Fan { handle, kind, calls } => {
                let list: Vec<String> = (0..*calls).map(|no| no.to_string()).collect();
                let list = list.join(", ");
                let kind = word(*kind);
                let asked = "|x| start(\"agency.fan\", #{ x: x })";
                self.line(depth, &format!("let h{handle} = {kind}([{list}].map({asked}));"));
            }
            Step::Either { handle, call, channel } => {
                let (call, mail) =
                    (asked(&Leaf::Call(*call, Input::Nothing)), asked(&Leaf::Mail(*channel)));
                self.line(depth, &format!("let h{handle} = race([{call}, {mail}]);"));
            }
            Step::When { settled, then, otherwise } => {
                self.line(depth, &format!("if v{settled}.ok {{"));
                self.steps(then, depth + 1);
                self.line(depth, "} else {");
                self.steps(otherwise, depth + 1);
                self.line(depth, "}");
            }
            Step::Repeat { times, steps } => {
                self.line(depth, &format!("for i in 0..{times} {{"));
                self.steps(steps, depth + 1);
                self.line(depth, "}");
            }
            Step::Until(hours) => {
                let until = hours_after_the_start(*hours);
                self.line(depth, &format!("wait_until(\"{until}\");"));
            }
            Step::ForwardUp => self.line(depth, "forward_up(\"上报\");"),
        }
    }

    fn wait(&mut self, depth: usize, value: Name, (handle, fails): (Name, Fails)) {
        match fails {
            Fails::Uncaught => self.line(depth, &format!("let v{value} = wait(h{handle});")),
            Fails::Settled => self.line(depth, &format!("let v{value} = settle(h{handle});")),
            Fails::Caught => {
                self.line(depth, &format!("let v{value} = ();"));
                let kept = "#{ kind: e.kind, reason: e.reason }";
                let text = format!(
                    "try {{ v{value} = wait(h{handle}); }} catch (e) {{ v{value} = {kept}; }}"
                );
                self.line(depth, &text);
            }
        }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "all",
        Kind::AllSettled => "all_settled",
        Kind::Race => "race",
    }
}

fn members(by: By, of: &[Name]) -> String {
    match by {
        By::Order => {
            let of: Vec<String> = of.iter().map(|name| format!("h{name}")).collect();
            format!("[{}]", of.join(", "))
        }
        By::Name => {
            let named = (0..).zip(of).map(|(no, name): (usize, _)| format!("m{no}: h{name}"));
            format!("#{{ {} }}", named.collect::<Vec<_>>().join(", "))
        }
    }
}

fn asked(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Call(no, input) => {
            let input = match given(*input) {
                None => "#{}".to_owned(),
                Some(input) => format!("#{{ x: {input} }}"),
            };
            format!("start(\"agency.op{no}\", {input})")
        }
        Leaf::Question(input) => {
            let facts = given(*input).map_or_else(String::new, |facts| format!(", facts: {facts}"));
            format!("start_decide(\"natural-resources.approver\", #{{ title: \"审批\"{facts} }})")
        }
        Leaf::Mail(no) => format!("inbox(\"{}\")", channel(*no)),
        Leaf::Timer(hours) => format!("timer(\"{}\")", hours_text(*hours)),
    }
}

fn given(input: Input) -> Option<String> {
    match input {
        Input::Nothing => None,
        Input::Number(number) => Some(number.to_string()),
        Input::Earlier(name) => Some(format!("v{name}")),
        Input::Now => Some("now()".to_owned()),
    }
}
