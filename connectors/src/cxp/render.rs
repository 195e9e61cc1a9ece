//! The bytes of a call.
//!
//! A call renders to the same body whenever and wherever it is sent again: nothing goes in but
//! the [`Call`] itself and the names of both sides and their contract. No attempt, no clock of
//! the sending moment, no nonce. The journal keeps what goes in and the digest of these bytes with
//! the version of the encoding; the engine compares before it sends. When this encoding changes,
//! the golden test below changes with it and [`ENCODING`] rises.

use serde::Serialize;
use tongban_core::agency::Call;
use tongban_core::digest::Digest;
use tongban_core::id::CallId;

use super::message::{CaseRef, Contract, Invoke, Message as _, Party, Query};
use super::text::{Json, Text};

/// Version of this encoding.
pub const ENCODING: u16 = 1;

/// The names that a connector puts into every call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sides {
    /// The engine.
    pub from: Party,
    /// The agency.
    pub to: Party,
    /// Their contract.
    pub contract: Contract,
}

/// A call ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rendered {
    /// The body.
    pub body: Vec<u8>,
    /// SHA-256 of the body.
    pub digest: Digest,
    /// Digest over operation, contract, input, attachments and salt.
    pub input_digest: Digest,
}

/// What [`Rendered::input_digest`] covers, in this order, as compact JSON.
#[derive(Serialize)]
struct DigestedInput<'a> {
    operation: &'a str,
    contract: &'a Contract,
    input: &'a Json,
    attachments: &'a [Json],
    salt: &'a str,
}

fn digest_input(input: &DigestedInput<'_>) -> Digest {
    Digest::of(&serde_json::to_vec(input).expect("a value always renders as JSON"))
}

/// Renders the body of a call.
pub fn render_invoke(call: &Call, sides: &Sides) -> Rendered {
    let operation = format!("{}.{}", call.role, call.operation);
    let input = Json(call.input.clone());
    let salt = call.salt.hex();
    let input_digest = digest_input(&DigestedInput {
        operation: &operation,
        contract: &sides.contract,
        input: &input,
        attachments: &[],
        salt: &salt,
    });
    let message = Invoke {
        call_id: Text(call.id),
        from: sides.from.clone(),
        to: sides.to.clone(),
        contract: sides.contract.clone(),
        operation,
        place: call.region.clone(),
        case_ref: CaseRef { case: call.case_no.clone(), matter: call.matter.to_string() },
        purpose: call.matter.to_string(),
        issued_at: Text(call.issued_at),
        deadline: Text(call.deadline),
        callback: true,
        salt,
        input_digest: Text(input_digest),
        input,
        attachments: Vec::new(),
        amends: call.amends.map(Text),
    };
    let body = message.to_bytes();
    Rendered { digest: Digest::of(&body), body, input_digest }
}

/// Renders the body of a question about a call.
pub fn render_query(call: CallId, after_seq: Option<u32>, sides: &Sides) -> Vec<u8> {
    let message =
        Query { from: sides.from.clone(), to: sides.to.clone(), call_id: Text(call), after_seq };
    message.to_bytes()
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use tongban_core::value::Value;

    use super::*;
    use crate::sandbox::fixture;

    #[test]
    fn the_bytes_of_a_call_never_change() {
        let rendered = render_invoke(&fixture::call(1), &fixture::sides());
        expect_file!["golden/invoke.json"].assert_eq(std::str::from_utf8(&rendered.body).unwrap());
        assert_eq!(rendered, render_invoke(&fixture::call(1), &fixture::sides()));
        expect_file!["golden/query.json"].assert_eq(
            std::str::from_utf8(&render_query(fixture::call(1).id, None, &fixture::sides()))
                .unwrap(),
        );
    }

    #[test]
    fn the_digest_of_the_input_depends_on_input_and_salt_and_not_on_times() {
        let sides = fixture::sides();
        let call = fixture::call(1);
        let digest = |call: &Call| render_invoke(call, &sides).input_digest;
        let later = Call { deadline: call.deadline.plus_millis(1), ..call.clone() };
        assert_eq!(digest(&later), digest(&call));
        assert_ne!(render_invoke(&later, &sides).digest, render_invoke(&call, &sides).digest);
        let other = Call { input: Value::map(), ..call.clone() };
        assert_ne!(digest(&other), digest(&call));
        let salted = Call { salt: Digest::of(b"other"), ..call.clone() };
        assert_ne!(digest(&salted), digest(&call));
    }
}
