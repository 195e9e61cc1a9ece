//! Our own versions of Rhai functions that are not safe as they come.
//!
//! `replace`, `pad`, `map` and `zip` build their result before its size is checked, and Rhai's own
//! check of `pad` can overflow; `sort` and `dedup` swallow what their closure throws, so that a
//! stop or a script error would go unseen. `sort` here is a merge sort that ends with the first
//! error and gives one order for one comparer, however unreasonable. Decimals get the few exact
//! functions that scripts need.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, FnPtr, INT, ImmutableString, Map, NativeCallContext};
use rust_decimal::{Decimal, RoundingStrategy};
use tongban_core::limits::{RUN_ARRAY_SIZE_MAX, RUN_MAP_SIZE_MAX, RUN_STRING_BYTES_MAX};

use crate::diagnose::Trouble;
use crate::suspend::Thrown;

pub(crate) fn register(engine: &mut Engine) {
    strings(engine);
    lists(engine);
    growing(engine);
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

/// What a value takes, with everything inside it.
#[derive(Clone, Copy, Default)]
struct Size {
    items: usize,
    members: usize,
    text: usize,
}

impl Size {
    fn of(value: &Dynamic) -> Self {
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Self { text: text.len(), ..Self::default() };
        }
        if let Some(list) = value.read_lock::<Array>() {
            let own = Self { items: list.len(), ..Self::default() };
            return list.iter().map(Self::of).fold(own, Self::and);
        }
        if let Some(map) = value.read_lock::<Map>() {
            let own = Self { members: map.len(), ..Self::default() };
            return map.values().map(Self::of).fold(own, Self::and);
        }
        Self::default()
    }

    fn and(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_add(other.items),
            members: self.members.saturating_add(other.members),
            text: self.text.saturating_add(other.text),
        }
    }

    fn times(self, times: usize) -> Self {
        Self {
            items: self.items.saturating_mul(times),
            members: self.members.saturating_mul(times),
            text: self.text.saturating_mul(times),
        }
    }

    /// Refuses what Rhai would refuse once it is built.
    fn check(self) -> Result<Self, Thrown> {
        let what = match self {
            Self { text, .. } if text > RUN_STRING_BYTES_MAX => "Length of string",
            Self { items, .. } if items > RUN_ARRAY_SIZE_MAX => "Size of array",
            Self { members, .. } if members > RUN_MAP_SIZE_MAX => "Size of object map",
            Self { .. } => return Ok(self),
        };
        let place = rhai::Position::NONE;
        Err(rhai::EvalAltResult::ErrorDataTooLarge(what.to_owned(), place).into())
    }
}

/// Collects what a closure makes, no further than its size allows.
fn collect<T>(
    made: impl Iterator<Item = Result<(T, Dynamic), Thrown>>,
) -> Result<Vec<(T, Dynamic)>, Thrown> {
    let mut all = Vec::new();
    let mut size = Size::default();
    for made in made {
        let (name, value) = made?;
        let one = Size { items: 1, ..Size::default() };
        size = size.and(Size::of(&value)).and(one).check()?;
        all.push((name, value));
    }
    Ok(all)
}

fn growing(engine: &mut Engine) {
    let number = |index: usize| Dynamic::from(INT::try_from(index).unwrap_or(INT::MAX));
    engine
        .register_fn("pad", |list: &mut Array, length: INT, item: Dynamic| {
            pad_list(list, length, item)
        })
        .register_fn("map", move |context: NativeCallContext<'_>, mut list: Array, by: FnPtr| {
            let made = list.iter_mut().enumerate().map(|(index, item)| {
                let extra = [number(index)];
                let made =
                    by.call_raw_with_extra_args("map", &context, Some(item), [], extra, Some(0));
                made.map(|made| ((), made))
            });
            let made = collect(made)?;
            Ok::<Array, Thrown>(made.into_iter().map(|((), made)| made).collect())
        })
        .register_fn("map", |context: NativeCallContext<'_>, mut map: Map, by: FnPtr| {
            let made = map.iter_mut().map(|(name, item)| {
                let given = [Dynamic::from(ImmutableString::from(name.clone()))];
                let made =
                    by.call_raw_with_extra_args("map", &context, Some(item), given, [], Some(1));
                made.map(|made| (name.clone(), made))
            });
            Ok::<Map, Thrown>(collect(made)?.into_iter().collect())
        })
        .register_fn(
            "zip",
            move |context: NativeCallContext<'_>, list: Array, other: Array, by: FnPtr| {
                let made = list.into_iter().zip(other).enumerate().map(|(index, (one, other))| {
                    let (both, extra) = ([one, other], [number(index)]);
                    let made =
                        by.call_raw_with_extra_args("zip", &context, None, both, extra, None);
                    made.map(|made| ((), made))
                });
                let made = collect(made)?;
                Ok::<Array, Thrown>(made.into_iter().map(|((), made)| made).collect())
            },
        );
}

fn pad_list(list: &mut Array, length: INT, item: Dynamic) -> Result<(), Thrown> {
    let wanted = usize::try_from(length).unwrap_or(0);
    let lacking = wanted.saturating_sub(list.len());
    if lacking == 0 {
        return Ok(());
    }
    let each = Size::of(&item).and(Size { items: 1, ..Size::default() });
    list.iter().map(Size::of).fold(each.times(lacking), Size::and).check()?;
    list.resize(wanted, item);
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
