//! What `fn on_partial(c)` of a service returns: `go_on()`, `let_applicant_choose(title)` or
//! `let_lead_choose(title)`.
//!
//! It is called when a matter has ended against the applicant while others are open, and says whom
//! to ask; a person decides.

use rhai::{Dynamic, Engine};
use tongban_core::partial::Partial;

use crate::diagnose::Trouble;
use crate::suspend::Thrown;

/// The functions whose results `on_partial` returns.
pub(crate) const CHOICES: [&str; 3] = ["go_on", "let_applicant_choose", "let_lead_choose"];

/// Most characters of what a person is asked.
const TITLE_MAX: usize = 80;

/// A choice, on its way out of the script.
#[derive(Clone, Debug)]
struct Said(Partial);

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Said>("choice")
        .register_fn("go_on", || Said(Partial::GoOn))
        .register_fn("let_applicant_choose", |title: &str| {
            titled(title).map(|title| Said(Partial::AskApplicant { title }))
        })
        .register_fn("let_lead_choose", |title: &str| {
            titled(title).map(|title| Said(Partial::AskLead { title }))
        });
}

fn titled(title: &str) -> Result<String, Thrown> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > TITLE_MAX {
        return Err(Trouble::new(
            "ON_PARTIAL",
            format!("请用 1 到 {TITLE_MAX} 个字说明请人决定什么"),
            format!("say in 1 to {TITLE_MAX} characters what the person is asked"),
        )
        .thrown());
    }
    Ok(title.to_owned())
}

/// Reads what `on_partial` returned.
pub(crate) fn said(returned: &Dynamic) -> Result<Partial, Trouble> {
    match returned.read_lock::<Said>() {
        Some(said) => Ok(said.0.clone()),
        None => Err(Trouble::new(
            "ON_PARTIAL",
            format!("on_partial 应返回去留的办法，而不是 {}", returned.type_name()),
            format!("on_partial returns a choice, not {}", returned.type_name()),
        )
        .advise(
            format!("请以 {} 之一结束每一条路径。", CHOICES.join("、")),
            format!("end every path with one of {}.", CHOICES.join(", ")),
        )),
    }
}
