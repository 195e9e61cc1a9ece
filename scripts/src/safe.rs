//! Our own versions of Rhai functions that are not safe as they come.
//!
//! `replace` and `pad` build their result before its size is checked; `sort` and `dedup` swallow
//! what their closure throws, so that a stop or a script error would go unseen. `sort` here is a
//! merge sort that ends with the first error and gives one order for one comparer, however
//! unreasonable. Decimals get the few exact functions that scripts need.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, FnPtr, INT, ImmutableString, NativeCallContext};
use rust_decimal::{Decimal, RoundingStrategy};
use tongban_core::limits::RUN_STRING_BYTES_MAX;

use crate::diagnose::Trouble;
use crate::suspend::Thrown;

pub(crate) fn register(engine: &mut Engine) {
    strings(engine);
    lists(engine);
    numbers(engine);
}

fn strings(engine: &mut Engine) {
    // The name of a closure differs from build to build, so no text may hold it.
    for name in [rhai::FUNC_TO_STRING, rhai::FUNC_TO_DEBUG] {
        engine.register_fn(name, |_: &mut FnPtr| "closure");
    }
    engine
        .register_fn("replace", |text: &mut ImmutableString, find: &str, by: &str| {
            replace(text, find, by)
        })
        .register_fn("replace", |text: &mut ImmutableString, find: &str, by: char| {
            replace(text, find, by.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, by: &str| {
            replace(text, find.encode_utf8(&mut [0; 4]), by)
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, by: char| {
            replace(text, find.encode_utf8(&mut [0; 4]), by.encode_utf8(&mut [0; 4]))
        })
        .register_fn("pad", |text: &mut ImmutableString, length: INT, by: &str| {
            pad(text, length, by)
        })
        .register_fn("pad", |text: &mut ImmutableString, length: INT, by: char| {
            pad(text, length, by.encode_utf8(&mut [0; 4]))
        });
}

fn too_long() -> Thrown {
    rhai::EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), rhai::Position::NONE)
        .into()
}

fn replace(text: &mut ImmutableString, find: &str, by: &str) -> Result<(), Thrown> {
    let hits = text.matches(find).count();
    let grown = text.len() + hits.saturating_mul(by.len());
    if grown.saturating_sub(hits * find.len()) > RUN_STRING_BYTES_MAX {
        return Err(too_long());
    }
    *text = text.replace(find, by).into();
    Ok(())
}

fn pad(text: &mut ImmutableString, length: INT, by: &str) -> Result<(), Thrown> {
    let wanted = usize::try_from(length).unwrap_or(0);
    let lacking = wanted.saturating_sub(text.chars().count());
    if lacking == 0 || by.is_empty() {
        return Ok(());
    }
    if lacking > RUN_STRING_BYTES_MAX {
        return Err(too_long());
    }
    let more: String = by.chars().cycle().take(lacking).collect();
    if text.len() + more.len() > RUN_STRING_BYTES_MAX {
        return Err(too_long());
    }
    *text = format!("{text}{more}").into();
    Ok(())
}

fn lists(engine: &mut Engine) {
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |context: NativeCallContext<'_>, list: &mut Array, by: FnPtr| {
            let sorted =
                sort(std::mem::take(list), &mut |one, other| compare(&context, &by, one, other))?;
            *list = sorted;
            Ok::<(), Thrown>(())
        });
    }
    engine
        .register_fn("order_by", |context: NativeCallContext<'_>, list: Array, by: FnPtr| {
            sort(list, &mut |one, other| compare(&context, &by, one, other))
        })
        .register_fn("dedup", |context: NativeCallContext<'_>, list: &mut Array, same: FnPtr| {
            dedup(list, &mut |one, other| {
                same.call_within_context(&context, (one.clone(), other.clone()))
            })
        })
        .register_fn("dedup", |context: NativeCallContext<'_>, list: &mut Array| {
            dedup(list, &mut |one, other| {
                context.call_native_fn("==", (one.clone(), other.clone()))
            })
        });
    for name in ["sort", "dedup"] {
        engine.register_fn(name, |_list: &mut Array, by: &str| by_name(by));
    }
}

fn by_name(name: &str) -> Result<(), Thrown> {
    Err(Trouble::new(
        "BY_NAME",
        format!("不能用函数名 {name} 作为比较方法"),
        format!("a comparer cannot be given by its name, {name}"),
    )
    .advise("请写闭包，例如 |a, b| a < b。", "write a closure, such as |a, b| a < b.")
    .thrown())
}

fn compare(
    context: &NativeCallContext<'_>,
    by: &FnPtr,
    one: &Dynamic,
    other: &Dynamic,
) -> Result<Ordering, Thrown> {
    let answer: Dynamic = by.call_within_context(context, (one.clone(), other.clone()))?;
    if let Ok(number) = answer.as_int() {
        return Ok(number.cmp(&0));
    }
    match answer.as_bool() {
        Ok(true) => Ok(Ordering::Less),
        Ok(false) => Ok(Ordering::Greater),
        Err(kind) => Err(Trouble::new(
            "COMPARER",
            format!("比较闭包必须返回数字或 true/false，而不是 {kind}"),
            format!("a comparer returns a number or true/false, not {kind}"),
        )
        .thrown()),
    }
}

fn sort(
    list: Array,
    compare: &mut dyn FnMut(&Dynamic, &Dynamic) -> Result<Ordering, Thrown>,
) -> Result<Array, Thrown> {
    if list.len() < 2 {
        return Ok(list);
    }
    let mut left = list;
    let right = left.split_off(left.len() / 2);
    let mut left = sort(left, compare)?.into_iter().peekable();
    let mut right = sort(right, compare)?.into_iter().peekable();
    let mut merged = Array::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if compare(one, other)?.is_gt() { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

fn dedup(
    list: &mut Array,
    same: &mut dyn FnMut(&Dynamic, &Dynamic) -> Result<bool, Thrown>,
) -> Result<(), Thrown> {
    let mut kept = Array::with_capacity(list.len());
    for item in std::mem::take(list) {
        let again = match kept.last() {
            Some(before) => same(before, &item)?,
            None => false,
        };
        if !again {
            kept.push(item);
        }
    }
    *list = kept;
    Ok(())
}

fn numbers(engine: &mut Engine) {
    engine
        .register_fn("parse_int", |text: &str| {
            text.trim().parse::<INT>().map_err(|_| not_a_number(text))
        })
        .register_fn("decimal", |text: &str| {
            Decimal::from_str_exact(text.trim()).map_err(|_| not_a_number(text))
        })
        .register_fn("decimal", |whole: INT| Decimal::from(whole))
        .register_fn("floor", |number: Decimal| number.floor())
        .register_fn("ceiling", |number: Decimal| number.ceil())
        .register_fn("round", |number: Decimal| round(number, 0))
        .register_fn("round", |number: Decimal, places: INT| round(number, places))
        .register_fn("to_int", |number: Decimal| {
            number
                .trunc()
                .try_into()
                .map_err(|_| not_a_number(&number.to_string()))
                .map(|whole: INT| whole)
        });
}

/// Rounds half away from zero, as fees are rounded.
fn round(number: Decimal, places: INT) -> Decimal {
    let places = u32::try_from(places).unwrap_or(0).min(28);
    number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

fn not_a_number(text: &str) -> Thrown {
    let shown: String = text.chars().take(40).collect();
    Trouble::new(
        "NUMBER",
        format!("“{shown}”不是可以精确表示的数字"),
        format!("'{shown}' is not a number that can be held exactly"),
    )
    .thrown()
}
