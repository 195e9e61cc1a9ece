//! Runs one case inside a Rust program, without a server: start, submit, decide, granted.
//!
//! Run it with `cargo run -p tongban-examples --example embed`. It prints each thing that
//! happened in the case and ends with the number of the card.

use std::error::Error;
use std::sync::Arc;

use tongban_core::agency::{
    AgencyReply, Call, CallContext, DocumentRef, Fault, Invoked, Queried, ReplyBody,
};
use tongban_core::command::TaskOutcome;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::Party;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::{Connector, Later};
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::store::MemoryStore;
use tongban_engine::{Decided, Engine, IdempotencyKey, PageRequest, QueueView};

/// The library's card system: answers every call with a card.
struct CardSystem;

impl CardSystem {
    fn card(call: &Call) -> AgencyReply {
        let number = format!("SY-{}", &call.id.to_string()[24..]);
        let digest = Digest::of(number.as_bytes());
        let document = DocumentRef { role: "card".to_owned(), number, digest };
        let body = ReplyBody::Completed { output: Value::map(), documents: vec![document] };
        AgencyReply { call: call.id, seq: 1, digest, at: call.issued_at, body }
    }
}

impl Connector for CardSystem {
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        Box::pin(async { Ok(Invoked::Replied(Self::card(call))) })
    }

    fn query<'a>(
        &'a self,
        call: &'a Call,
        _: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(async { Ok(Queried::Known(Self::card(call))) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/hello");
    let engine = Engine::builder()
        .store(Arc::new(MemoryStore::new(Secret::new([7; 32]))))
        .scripts(Arc::new(tongban_scripts::Host::open(scripts)?))
        .wiring(Arc::new(tongban_connectors::Bindings::new(vec![tongban_connectors::Binding {
            operation: "culture.*".to_owned(),
            region: RegionCode::new("420300"),
            connector: "card-system".to_owned(),
            reply_within: None,
        }])?))
        .connector("card-system", Arc::new(CardSystem))
        .start()
        .await?;
    let key = |key: &str| IdempotencyKey(key.to_owned());

    let reader = Viewer::new("reader", Role::Applicant).for_party("420302199001010015");
    let party = Party { id: "420302199001010015".to_owned(), name: "测试甲".to_owned() };
    let application = StartCase {
        form: Value::of([("branch", "茅箭馆".into())]),
        ..StartCase::new(ServiceCode::new("library-card"), RegionCode::new("420302"), party)
    };
    let case = engine.start_case(&reader, application, key("1")).await?.case;
    engine.submit_case(&reader, case, key("2")).await?;

    let librarian = Viewer::new("librarian", Role::Approver).within("420300").of("culture");
    let page = PageRequest { first: 10, after: None };
    let queue = engine.queue(&librarian, QueueView::Open, page).await?;
    let task = queue.items.first().ok_or("no task waits for the librarian")?;
    let yes = TaskOutcome { granted: true, opinion: "同意".to_owned(), fields: Value::map() };
    engine
        .complete_task(&librarian, task.id, Decided::at(task.task.version, yes), key("3"))
        .await?;

    // The call to the card system is under way; every commit is a hint to look again.
    let mut commits = engine.watch();
    loop {
        commits.borrow_and_update();
        let view = engine.case(&reader, case).await?.ok_or("the case is gone")?;
        if let Some(result) = &view.case().matters[0].result {
            tell(&engine, &librarian, case).await?;
            say(&format!("card {}", result.number));
            break;
        }
        commits.changed().await?;
    }
    engine.shutdown().await;
    Ok(())
}

async fn tell(
    engine: &Engine,
    viewer: &Viewer,
    case: tongban_core::id::CaseId,
) -> Result<(), Box<dyn Error>> {
    let page = engine.events(viewer, case, None, 100).await?.ok_or("no events")?;
    for event in page.events {
        say(&format!("{:>2} {:<15} {}", event.seq, event.kind, event.zh));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what an example is for")]
fn say(line: &str) {
    println!("{line}");
}
