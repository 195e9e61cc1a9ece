//! Moving lawful time, for demonstrations. The engine refuses it on a real clock.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use tongban_core::time::Moment;

use super::outcome::{read_key, refuse};
use crate::error::{AdvanceClockError, Fault, Stop};
use crate::schema::{Asking, asking};
use crate::view::{DateTime, Revision};

/// advanceClock 的输入 / Input of advanceClock
#[derive(InputObject)]
pub(crate) struct AdvanceClockInput {
    /// 法定时间前移到此刻;已到则不动,因此重复请求无害 / Lawful time moves forward to this; it stays when it is there, so a repetition does no harm
    until: DateTime,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// advanceClock 的结果 / What came of advanceClock
#[derive(SimpleObject)]
pub(crate) struct AdvanceClockPayload {
    /// 现在的法定时间 / Lawful time now
    lawful_now: DateTime,
    /// 业务错误;空则成功 / Refusals; none means it was done
    errors: Vec<AdvanceClockError>,
    /// 当前修订号 / Newest revision
    revision: Revision,
    /// 是否此前已到该时刻 / Whether it was there before
    replayed: bool,
}

/// The field that moves lawful time.
#[derive(Default)]
pub(crate) struct ClockMutations;

#[Object]
impl ClockMutations {
    /// 前移法定时间,仅用于虚拟时钟(演示和开发) / Moves lawful time forward; only with a virtual clock, for demonstration and development
    async fn advance_clock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: AdvanceClockInput,
    ) -> Option<Result<AdvanceClockPayload, Fault>> {
        let (errors, replayed) = match advance(asking(ctx), input).await {
            Ok(moved) => (Vec::new(), moved == Moved::NotAtAll),
            Err(Stop::Denied(denied)) => (vec![refuse(ctx, *denied)], false),
            Err(Stop::Fault(fault)) => return Some(Err(fault)),
        };
        let engine = asking(ctx).engine;
        Some(Ok(AdvanceClockPayload {
            lawful_now: engine.lawful_now().into(),
            errors,
            revision: Revision(engine.revision()),
            replayed,
        }))
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Moved {
    Forward,
    NotAtAll,
}

async fn advance(asking: Asking<'_>, input: AdvanceClockInput) -> Result<Moved, Stop> {
    read_key(input.idempotency_key)?;
    let left = missing(input.until.0, asking.engine.lawful_now());
    // Asked even with nothing left, so that a real clock and a stranger are refused.
    asking.engine.advance_clock(asking.viewer, left).await?;
    Ok(if left == 0 { Moved::NotAtAll } else { Moved::Forward })
}

fn missing(until: Moment, now: Moment) -> u64 {
    u64::try_from(until.since(now)).unwrap_or_default()
}
