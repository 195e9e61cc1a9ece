//! Worked examples of the dossier, edges, documents, and places.

mod documents;
mod examples;
mod explained;
mod notices;
mod properties;

use super::*;

/// Reads a moment; a bare date is its 15:30.
fn at(text: &str) -> Moment {
    let full = if text.len() == 10 { format!("{text}T15:30:00+08:00") } else { text.to_owned() };
    Moment::parse(&full).unwrap()
}

/// Reads suspensions as `FROM..UNTIL`; an open one ends with the dots.
fn stood(texts: &[&str]) -> Vec<Stood> {
    let one = |text: &&str| {
        let (from, until) = text.split_once("..").unwrap();
        Stood { from: at(from), until: (!until.is_empty()).then(|| at(until)) }
    };
    texts.iter().map(one).collect()
}

fn period(text: &str) -> Period {
    text.parse().unwrap()
}
