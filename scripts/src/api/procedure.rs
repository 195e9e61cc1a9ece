//! What a matter declares beside its regime: further limits, grounds that stop its clock, how
//! corrections go, how long a promise may take, and fees.
//!
//! Whatever goes beyond licensing law's defaults names its own basis; without it the file does
//! not load.

use std::str::FromStr as _;

use rhai::{Dynamic, Engine, INT, Map};
use rust_decimal::Decimal;
use tongban_core::definition::{Fee, Limits};
use tongban_core::law::{CorrectionRule, Ground, Procedure};

use crate::api::declare::unique;
use crate::api::members::{Members, basis_missing};
use crate::diagnose::Trouble;
use crate::suspend::Thrown;

/// Most rounds of correction that a matter may declare.
const ROUNDS_MAX: u8 = 9;

const LIMIT: [&str; 6] =
    ["statutory", "promised", "acceptance", "issuing", "first_review", "extension"];

const CORRECTION: [&str; 5] = ["limit", "rounds", "after_acceptance", "stops_clock_by", "ends_by"];

/// A ground that stops a matter's clock.
#[derive(Clone, Debug)]
struct DeclaredGround(Ground);

/// A fee of a matter.
#[derive(Clone, Debug)]
struct DeclaredFee(Fee);

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<DeclaredGround>("ground")
        .register_type_with_name::<DeclaredFee>("fee")
        .register_fn("ground", |code: &str, name: &str, basis: &str| {
            if code.trim().is_empty() || basis.trim().is_empty() {
                let (zh, en) = (format!("中止事由 {code} "), format!("ground {code}"));
                return Err(basis_missing(&zh, &en).thrown());
            }
            Ok(DeclaredGround(Ground {
                code: code.to_owned(),
                name: name.to_owned(),
                basis: basis.to_owned(),
            }))
        })
        .register_fn("ground", |code: &str, _: &str| -> Result<DeclaredGround, Thrown> {
            let (zh, en) = (format!("中止事由 {code} "), format!("ground {code}"));
            Err(basis_missing(&zh, &en).thrown())
        })
        .register_fn("fee", |name: &str, amount: Dynamic| fee(name, &amount, ""))
        .register_fn("fee", |name: &str, amount: Dynamic, basis: &str| fee(name, &amount, basis));
}

fn fee(name: &str, amount: &Dynamic, basis: &str) -> Result<DeclaredFee, Thrown> {
    if basis.trim().is_empty() {
        return Err(basis_missing(&format!("收费“{name}”"), &format!("fee {name}")).thrown());
    }
    let read = Decimal::from_str(&amount.to_string()).ok();
    let amount = read.filter(|amount| !amount.is_sign_negative() && amount.scale() <= 2);
    let amount = amount.ok_or_else(|| {
        Trouble::new(
            "FEE",
            format!("收费“{name}”的金额应为不小于零、最多两位小数的元数"),
            format!("the amount of fee {name} is in yuan, not negative, with at most two decimals"),
        )
        .thrown()
    })?;
    Ok(DeclaredFee(Fee { name: name.to_owned(), amount, basis: basis.to_owned() }))
}

/// Takes what a matter declares of limits, suspensions, corrections and promises.
pub(crate) fn read(members: &mut Members) -> Result<(Limits, Procedure), Thrown> {
    let map: Map = members.take("limit", "映射", "a map")?.unwrap_or_default();
    let mut limit = Members::new("DECLARATION", "limit", map);
    let limits =
        Limits { statutory: limit.period("statutory")?, promised: limit.period("promised")? };
    let procedure = Procedure {
        acceptance: limit.period("acceptance")?,
        issuing: limit.period("issuing")?,
        first_review: limit.period("first_review")?,
        extension: limit.period("extension")?,
        suspensions: suspensions(members)?,
        correction: correction(members)?,
        tolerance: members.period("tolerance")?,
    };
    limit.end(&LIMIT)?;
    Ok((limits, procedure))
}

fn suspensions(members: &mut Members) -> Result<Vec<Ground>, Thrown> {
    let list: Vec<DeclaredGround> = members.list("suspends", "ground(…)", "ground(…)")?;
    let grounds: Vec<Ground> = list.into_iter().map(|ground| ground.0).collect();
    unique(grounds.iter().map(|ground| ground.code.as_str()), "suspends")?;
    Ok(grounds)
}

fn correction(members: &mut Members) -> Result<CorrectionRule, Thrown> {
    let map: Map = members.take("correction", "映射", "a map")?.unwrap_or_default();
    let mut given = Members::new("DECLARATION", "correction", map);
    let default = CorrectionRule::default();
    let rule = CorrectionRule {
        limit: given.period("limit")?.unwrap_or(default.limit),
        rounds: rounds(&mut given, "rounds")?.unwrap_or(default.rounds),
        rounds_after: rounds(&mut given, "after_acceptance")?.unwrap_or(default.rounds_after),
        stops_clock_by: given.basis("stops_clock_by")?.unwrap_or_default(),
        ends_by: given.basis("ends_by")?.unwrap_or_default(),
    };
    given.end(&CORRECTION)?;
    Ok(rule)
}

fn rounds(given: &mut Members, name: &str) -> Result<Option<u8>, Thrown> {
    let Some(count) = given.take::<INT>(name, "整数", "a whole number")? else {
        return Ok(None);
    };
    let fits = u8::try_from(count).ok().filter(|count| *count <= ROUNDS_MAX);
    fits.map(Some).ok_or_else(|| {
        Trouble::new(
            "DECLARATION",
            format!("correction 的 {name} 应为 0 到 {ROUNDS_MAX}"),
            format!("{name} of correction is a number from 0 to {ROUNDS_MAX}"),
        )
        .thrown()
    })
}

/// Takes what the applicant pays.
pub(crate) fn fees(members: &mut Members) -> Result<Vec<Fee>, Thrown> {
    let list: Vec<DeclaredFee> = members.list("fees", "fee(…)", "fee(…)")?;
    Ok(list.into_iter().map(|fee| fee.0).collect())
}
