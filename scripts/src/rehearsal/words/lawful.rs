//! Expectations on what the law brought: cards, documents, materials and their sources,
//! suspensions. Each compares two texts.

use rhai::{Engine, INT, NativeCallContext};
use tongban_core::card::CardLevel;
use tongban_core::case::Matter;
use tongban_core::document::DocumentKind;
use tongban_core::material::{Cause, Requirement};

use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, with};

use super::R;
use super::expect::{matter_of, same};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn(
            "expect_card",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, level: &str| {
                with(&context, |current| expect_card(current, matter, level))
            },
        )
        .register_fn(
            "expect_cards",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, count: INT| {
                with(&context, |current| {
                    let got = cards(current, matter)?.len();
                    let what = (format!("{matter} 的督办牌数"), format!("cards of {matter}"));
                    same(current, (&what.0, &what.1), &count.to_string(), &got.to_string())
                })
            },
        )
        .register_fn(
            "expect_document",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, kind: &str| {
                with(&context, |current| expect_document(current, matter, kind))
            },
        )
        .register_fn(
            "expect_suspended",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, ground: &str| {
                with(&context, |current| {
                    let case = current.case()?;
                    let own = matter_of(current, &case, matter)?;
                    let got = own.law.suspended().map_or("", |open| open.ground.as_str());
                    let what = (format!("{matter} 的中止事由"), format!("suspension of {matter}"));
                    same(current, (&what.0, &what.1), ground, got)
                })
            },
        );
    materials(engine);
}

fn materials(engine: &mut Engine) {
    engine
        .register_fn(
            "expect_material",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, code: &str, how: &str| {
                with(&context, |current| {
                    let case = current.case()?;
                    let known = requirement(matter_of(current, &case, matter)?, code)?;
                    let got = known.how.code();
                    let what = (format!("{matter} 的材料 {code}"), format!("{code} of {matter}"));
                    same(current, (&what.0, &what.1), how, got)
                })
            },
        )
        .register_fn(
            "expect_source",
            |context: NativeCallContext<'_>, _: &mut R, matter: &str, code: &str, cause: &str| {
                with(&context, |current| expect_source(current, (matter, code), cause))
            },
        );
}

fn requirement<'m>(matter: &'m Matter, code: &str) -> Result<&'m Requirement, Trouble> {
    matter.requirement(code).ok_or_else(|| {
        let name = &matter.planned.code;
        Trouble::new(
            "UNKNOWN_MATERIAL",
            format!("事项 {name} 没有材料 {code},或尚未提交给部门"),
            format!("matter {name} has no material {code}, or was not filed yet"),
        )
        .advise_nearest(code, matter.requirements.iter().map(|known| known.code.as_str()))
    })
}

/// Compares what came of the last try of a material's sources.
fn expect_source(current: &mut Current, of: (&str, &str), cause: &str) -> Result<(), Trouble> {
    let (matter, material) = of;
    if !Cause::ALL.iter().any(|(_, known, _)| *known == cause) {
        let trouble = Trouble::new(
            "UNKNOWN_CAUSE",
            format!("没有原因 {cause}"),
            format!("there is no cause {cause}"),
        );
        return Err(trouble.advise_nearest(cause, Cause::ALL.iter().map(|(_, code, _)| *code)));
    }
    let filed = current.case()?;
    let known = requirement(matter_of(current, &filed, matter)?, material)?;
    let got = known.attempts.last().map_or("", |(_, attempt)| attempt.cause.code());
    let what =
        (format!("{matter} 的 {material} 的来源"), format!("source of {material} of {matter}"));
    same(current, (&what.0, &what.1), cause, got)
}

/// Returns the levels of a matter's cards, in the order in which they were raised.
fn cards(current: &Current, matter: &str) -> Result<Vec<&'static str>, Trouble> {
    let case = current.case()?;
    let no = matter_of(current, &case, matter)?.no;
    let own = case.cards.values().filter(|card| card.matter == no && card.counts());
    Ok(own.map(|card| card.raised.level.code()).collect())
}

fn expect_card(current: &mut Current, matter: &str, level: &str) -> Result<(), Trouble> {
    if !CardLevel::ALL.iter().any(|known| known.code() == level) {
        let trouble = Trouble::new(
            "UNKNOWN_LEVEL",
            format!("没有 {level} 这种督办牌"),
            format!("there is no card of level {level}"),
        );
        return Err(trouble.advise_nearest(level, CardLevel::ALL.map(CardLevel::code)));
    }
    let raised = cards(current, matter)?;
    let got = if raised.contains(&level) { level.to_owned() } else { raised.join("、") };
    let what = (format!("{matter} 的督办牌"), format!("cards of {matter}"));
    same(current, (&what.0, &what.1), level, &got)
}

fn expect_document(current: &mut Current, matter: &str, kind: &str) -> Result<(), Trouble> {
    let case = current.case()?;
    if !DocumentKind::ALL.iter().any(|row| row.code == kind) {
        let trouble = Trouble::new(
            "UNKNOWN_DOCUMENT",
            format!("没有文书 {kind}"),
            format!("there is no kind of document {kind}"),
        );
        return Err(trouble.advise_nearest(kind, DocumentKind::ALL.iter().map(|row| row.code)));
    }
    let no = matter_of(current, &case, matter)?.no;
    let own = case.documents.values().filter(|document| document.matter == no);
    let kinds: Vec<&str> = own.map(|document| document.drafted.number.kind().code()).collect();
    let got = if kinds.contains(&kind) { kind.to_owned() } else { kinds.join("、") };
    same(current, (&format!("{matter} 的文书"), &format!("documents of {matter}")), kind, &got)
}
