//! Generated programs, each executed twice: by the interpreter of core's own tests, and printed
//! as Rhai by the real host. Both must write the same log.

use std::sync::Arc;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::entry::{Body, Entry};
use tongban_core::id::ServiceCode;
use tongban_core::port::{Look, RunJob, RunOutput, Script, ScriptFault};
use tongban_core::replay::Replay;
use tongban_core::value::Value;
use tongban_scripts::Host;

use crate::program::{Program, Shape, play, programs};
use crate::world::{Answers, World, ask_the_same};
use crate::{host, print};

/// Plays a program in the place of a host that has the same closure.
struct Interpreter<'a> {
    host: &'a Host,
    program: &'a Program,
}

impl Script for Interpreter<'_> {
    fn services(&self) -> Vec<Arc<Closure>> {
        self.host.services()
    }
    fn active(&self, service: &ServiceCode) -> Option<Arc<Closure>> {
        self.host.active(service)
    }
    fn closure(&self, digest: &Digest) -> Option<Arc<Closure>> {
        self.host.closure(digest)
    }
    fn sources(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.host.sources(digest)
    }
    fn adopt(&self, digest: &Digest, sources: &[u8]) -> Result<(), ScriptFault> {
        self.host.adopt(digest, sources)
    }
    fn select(&self, closure: &Closure, answers: &Value) -> Result<Vec<bool>, ScriptFault> {
        self.host.select(closure, answers)
    }
    fn run(&self, job: &RunJob<'_>, replay: Replay) -> RunOutput {
        self.look(job, replay).into()
    }
    fn look(&self, _job: &RunJob<'_>, mut replay: Replay) -> Look {
        let (said, _) = play(self.program, &mut replay);
        replay.shown(said)
    }
}

#[track_caller]
fn assert_same_log(ours: &[Entry], theirs: &[Entry], text: &str) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        if let (Body::CaseStarted(_), Body::CaseStarted(_)) = (&ours.body, &theirs.body) {
            continue;
        }
        assert_eq!(ours, theirs, "{text}");
    }
    assert_eq!(ours.len(), theirs.len(), "{text}");
}

fn any_program() -> impl Strategy<Value = Program> {
    prop_oneof![3 => programs(Shape::Any), 1 => programs(Shape::Orderless)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn the_host_writes_the_log_that_the_interpreter_writes(
        program in any_program(),
        arrivals in proptest::collection::vec(proptest::collection::vec(any::<(u8, u8)>(), 1..5), 1..16),
        answers in prop_oneof![
            proptest::prelude::Just(Answers::AsTheyCome),
            proptest::prelude::Just(Answers::ByRequest),
        ],
    ) {
        let text = print::matter(&program);
        let host = host(&text);
        let interpreter = Interpreter { host: &host, program: &program };
        let (mut real, mut model) = (World::begin(&host), World::begin(&interpreter));
        let mut single = World::begin(&host);
        for arrivals in &arrivals {
            let Some(batch) = model.batch(arrivals, answers) else {
                break;
            };
            model.take(&batch);
            real.take(&batch);
            single.take_singly(&batch);
        }
        assert_same_log(&real.entries, &model.entries, &text);
        let none: Vec<&str> = Vec::new();
        assert_eq!(real.incidents(), none, "{text}");
        for (ours, theirs) in real.requests().iter().zip(single.requests()) {
            assert!(ask_the_same(ours, theirs), "{:?} {:?}\n{text}", ours.made, theirs.made);
        }
        assert_eq!(real.requests().len(), single.requests().len(), "{text}");
        // The host stands at any place of the log where the interpreter stands.
        let end = real.entries.len();
        assert!(real.commits.last() == Some(&end) && real.matter().run.begun.is_some());
        let again = real.replay_at(end).map(|mut replay| play(&program, &mut replay).1.len());
        assert_eq!(again, Some(real.requests().len()), "{text}");
    }
}
