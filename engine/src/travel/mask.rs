//! Masking what names a person in the values of a script: parties, citizens' numbers, mobiles.

use tongban_core::case::Case;
use tongban_core::entry::Party;
use tongban_core::identifier::CitizenId;
use tongban_core::summary::{mask_id, mask_name};
use tongban_core::value::Value;

/// Digits of a mobile telephone's number.
const MOBILE_DIGITS: usize = 11;

/// Returns a value with everything masked that names a person of the case.
pub fn masked(case: &Case, value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) => value.clone(),
        Value::Text(text) => Value::text(masked_text(case, text)),
        Value::List(items) => Value::List(items.iter().map(|item| masked(case, item)).collect()),
        Value::Map(members) => {
            let members = members.iter().map(|(name, item)| (name.clone(), masked(case, item)));
            Value::Map(members.collect())
        }
    }
}

fn masked_text(case: &Case, text: &str) -> String {
    let started = &case.started;
    let parties: [Option<&Party>; 2] = [Some(&started.applicant), started.agent.as_ref()];
    let mut shown = text.to_owned();
    for party in parties.into_iter().flatten() {
        for (known, masked) in
            [(&party.id, mask_id(&party.id)), (&party.name, mask_name(&party.name))]
        {
            if !known.is_empty() {
                shown = shown.replace(known.as_str(), &masked);
            }
        }
    }
    masked_numbers(case, &shown)
}

/// Masks the numbers of people inside of a text.
fn masked_numbers(case: &Case, text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter: char| !letter.is_ascii_alphanumeric());
        let (word, after) = from.split_at(end.unwrap_or(from.len()));
        shown.push_str(before);
        shown.push_str(&masked_word(case, word));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn masked_word(case: &Case, word: &str) -> String {
    if CitizenId::for_lookup(word, case.updated_at.date()).is_ok() {
        return mask_id(word);
    }
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if digits && word.len() == MOBILE_DIGITS && word.starts_with('1') {
        return format!("{}****{}", &word[..3], &word[7..]);
    }
    word.to_owned()
}
