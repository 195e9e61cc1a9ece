//! Many tasks at once. Each item stands for itself: one that is refused or fails leaves the
//! others as they are, and the numbers add up.

use async_graphql::{Context, ID, InputObject, Object};
use futures_util::future::join_all;
use tongban_core::id::CommitNo;
use tongban_engine::{IdempotencyKey, Receipt};

use super::hands::urge;
use super::outcome::{read_id, read_key, refuse};
use super::tasks::{TaskChanged, change, load};
use crate::error::{
    ClaimTaskError, ClaimTasksError, Denied, Fault, Stop, UrgeTaskError, UrgeTasksError,
};
use crate::schema::{Asking, asking};
use crate::view::{Revision, Task};

/// Most items of one list.
const ITEMS_MAX: usize = 100;

/// 要认领的一个待办 / A task to claim
#[derive(InputObject)]
pub(crate) struct ClaimTasksItem {
    /// 待办标识 / Id of the task
    task_id: ID,
    /// 看到的版本号;已变动则拒绝 / Version that was seen; refused when it has changed
    expected_version: u32,
}

/// claimTasks 的输入 / Input of claimTasks
#[derive(InputObject)]
pub(crate) struct ClaimTasksInput {
    /// 待办,1 到 100 个 / The tasks, 1 to 100
    items: Vec<ClaimTasksItem>,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// urgeTasks 的输入 / Input of urgeTasks
#[derive(InputObject)]
pub(crate) struct UrgeTasksInput {
    /// 待办标识,1 到 100 个 / Ids of the tasks, 1 to 100
    task_ids: Vec<ID>,
    /// 催办内容 / What to say
    reason: String,
    /// 幂等键:重复请求用同一个键,被拒后再试用新键 / Idempotency key: the same one for a repetition, a new one to try again after a refusal
    idempotency_key: String,
}

/// What came of one item.
struct Item<E> {
    id: ID,
    done: Result<TaskChanged<E>, Fault>,
}

impl<E> Item<E> {
    fn is_done(&self) -> bool {
        self.done.as_ref().is_ok_and(|changed| changed.outcome.case.is_some())
    }

    fn errors(&self) -> &[E] {
        self.done.as_ref().map(|changed| changed.outcome.errors.as_slice()).unwrap_or_default()
    }

    fn is_replayed(&self) -> bool {
        self.done.as_ref().is_ok_and(|changed| changed.outcome.replayed)
    }

    async fn task(&self, ctx: &Context<'_>) -> Option<Result<Task, Fault>> {
        match &self.done {
            Ok(changed) => {
                changed.outcome.case?;
                load(ctx, changed.task?).await
            }
            Err(fault) => Some(Err(fault.clone())),
        }
    }
}

/// What came of a list: each item, or why none was looked at.
struct Many<E, L> {
    items: Vec<Item<E>>,
    errors: Vec<L>,
    revision: CommitNo,
}

macro_rules! bulk_payloads {
    ($(
        $(#[doc = $doc:literal])+
        $payload:ident($error:ident) of $(#[doc = $one:literal])+ $item:ident($item_error:ident);
    )*) => {$(
        $(#[doc = $one])+
        pub(crate) struct $item<'a>(&'a Item<$item_error>);

        $(#[doc = $one])+
        #[Object]
        impl $item<'_> {
            /// 待办标识,与输入一致 / Id of the task, as it was given
            async fn task_id(&self) -> &ID {
                &self.0.id
            }

            /// 是否完成 / Whether it was done
            async fn done(&self) -> bool {
                self.0.is_done()
            }

            /// 变更后的待办;被拒绝时为空 / The task afterwards; null when refused
            async fn task(&self, ctx: &Context<'_>) -> Option<Result<Task, Fault>> {
                self.0.task(ctx).await
            }

            /// 本项的业务错误 / Refusals of this item
            async fn errors(&self) -> &[$item_error] {
                self.0.errors()
            }

            /// 是否由同一幂等键的先前请求完成 / Whether an earlier request with the same key did it
            async fn replayed(&self) -> bool {
                self.0.is_replayed()
            }
        }

        $(#[doc = $doc])+
        pub(crate) struct $payload(Many<$item_error, $error>);

        $(#[doc = $doc])+
        #[Object]
        impl $payload {
            /// 每项的结果,顺序与输入一致 / What came of each item, in the order of the input
            async fn results(&self) -> Vec<$item<'_>> {
                self.0.items.iter().map($item).collect()
            }

            /// 完成的项数 / How many were done
            async fn done_count(&self) -> usize {
                self.0.items.iter().filter(|item| item.is_done()).count()
            }

            /// 未完成的项数 / How many were not
            async fn failed_count(&self) -> usize {
                self.0.items.iter().filter(|item| !item.is_done()).count()
            }

            /// 整个请求的业务错误;单项的错误见 results / Refusals of the whole request; those of an item are in results
            async fn errors(&self) -> &[$error] {
                &self.0.errors
            }

            /// 此变更可读的修订号 / Revision by which the changes can be read
            async fn revision(&self) -> Revision {
                Revision(self.0.revision)
            }

            /// 是否全部由同一幂等键的先前请求完成 / Whether an earlier request with the same key did all of it
            async fn replayed(&self) -> bool {
                !self.0.items.is_empty() && self.0.items.iter().all(Item::is_replayed)
            }
        }
    )*};
}

bulk_payloads! {
    /// claimTasks 的结果 / What came of claimTasks
    ClaimTasksPayload(ClaimTasksError) of
        /// 一个待办的认领结果 / What came of claiming one task
        ClaimTasksResult(ClaimTaskError);
    /// urgeTasks 的结果 / What came of urgeTasks
    UrgeTasksPayload(UrgeTasksError) of
        /// 一个待办的催办结果 / What came of urging one task
        UrgeTasksResult(UrgeTaskError);
}

/// The fields that change many tasks.
#[derive(Default)]
pub(crate) struct BulkMutations;

#[Object]
impl BulkMutations {
    /// 批量认领;各项互不影响 / Claims many tasks; each stands for itself
    async fn claim_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: ClaimTasksInput,
    ) -> Option<Result<ClaimTasksPayload, Fault>> {
        let key = match check(("items", input.items.len()), input.idempotency_key) {
            Ok(key) => key,
            Err(denied) => return Some(Ok(ClaimTasksPayload(none(ctx, denied)))),
        };
        let items = input.items.into_iter().map(async |item| {
            let claimed = claim(asking(ctx), &item, &key).await;
            let done = change(ctx, &item.task_id, claimed).await;
            Item { id: item.task_id, done }
        });
        let items = join_all(items.map(Box::pin)).await;
        let revision = asking(ctx).engine.revision();
        Some(Ok(ClaimTasksPayload(Many { items, errors: Vec::new(), revision })))
    }

    /// 批量催办;各项互不影响 / Urges many tasks; each stands for itself
    async fn urge_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "输入 / Input")] input: UrgeTasksInput,
    ) -> Option<Result<UrgeTasksPayload, Fault>> {
        let key = match check(("taskIds", input.task_ids.len()), input.idempotency_key) {
            Ok(key) => key,
            Err(denied) => return Some(Ok(UrgeTasksPayload(none(ctx, denied)))),
        };
        let items = input.task_ids.into_iter().map(async |id| {
            let said = (input.reason.clone(), own_key(&key, &id));
            let urged = urge(asking(ctx), &id, said).await;
            let done = change(ctx, &id, urged).await;
            Item { id, done }
        });
        let items = join_all(items.map(Box::pin)).await;
        let revision = asking(ctx).engine.revision();
        Some(Ok(UrgeTasksPayload(Many { items, errors: Vec::new(), revision })))
    }
}

/// Checks a list, named and counted, and its key.
fn check(list: (&str, usize), key: String) -> Result<String, Denied> {
    let (path, count) = list;
    if !(1..=ITEMS_MAX).contains(&count) {
        return Err(Denied::invalid(path, "须为 1 到 100 个", "there must be 1 to 100"));
    }
    Ok(read_key(key)?.0)
}

/// Every item has a key of its own, so that a repetition does what the first request left undone
/// and nothing else.
fn own_key(key: &str, id: &ID) -> IdempotencyKey {
    IdempotencyKey(format!("{key}#{}", id.as_str()))
}

fn none<E, L: From<Denied>>(ctx: &Context<'_>, denied: Denied) -> Many<E, L> {
    let revision = asking(ctx).engine.revision();
    Many { items: Vec::new(), errors: vec![refuse(ctx, denied)], revision }
}

async fn claim(asking: Asking<'_>, item: &ClaimTasksItem, key: &str) -> Result<Receipt, Stop> {
    let task = read_id("taskId", &item.task_id)?;
    let key = own_key(key, &item.task_id);
    Ok(asking.engine.claim_task(asking.viewer, task, item.expected_version, key).await?)
}
