//! Pages of lists: how many, where to go on, and the connections that hold them.
//!
//! The engine compiles the viewer's scope into what it reads, so a cursor needs no secret: a
//! forged one leads to another place of the same viewer's list, or nowhere.

use std::fmt::Write as _;

use async_graphql::{Context, Object, SimpleObject};
use tongban_core::limits::PAGE_MAX;
use tongban_engine::{CaseFilter, IncidentFilter, PageRequest, QueueView};

use super::{Case, Task};
use crate::error::Fault;
use crate::schema::{Asking, asking};

/// Pages that a total is counted over before it stops.
const COUNT_PAGES_MAX: usize = 10;

/// 分页信息 / Where a page stands
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct PageInfo {
    /// 是否还有下一页 / Whether there is a next page
    pub(crate) has_next_page: bool,
    /// 下一页从此游标之后开始 / Cursor after which the next page begins
    pub(crate) end_cursor: Option<String>,
}

impl PageInfo {
    /// Stands before the page that `next` begins.
    pub(crate) fn before(next: Option<&Vec<u8>>) -> Self {
        Self { has_next_page: next.is_some(), end_cursor: next.map(|next| write_cursor(next)) }
    }
}

/// 总数 / A total
#[derive(Clone, Copy, Debug, SimpleObject)]
pub(crate) struct TotalCount {
    /// 数目 / The number
    value: usize,
    /// 是否数完;否表示至少这么多 / Whether it is the whole; otherwise there are at least so many
    exact: bool,
}

/// 办件列表的一页 / A page of cases
pub(crate) struct CaseConnection {
    pub(crate) nodes: Vec<Case>,
    pub(crate) next: Option<Vec<u8>>,
    pub(crate) filter: CaseFilter,
}

/// 办件列表的一页 / A page of cases
#[Object]
impl CaseConnection {
    /// 办件 / The cases
    async fn nodes(&self) -> &[Case] {
        &self.nodes
    }

    /// 分页信息 / Where the page stands
    async fn page_info(&self) -> PageInfo {
        PageInfo::before(self.next.as_ref())
    }

    /// 本人可见的总数;数到一千为止 / How many the viewer may see in all; counted up to a thousand
    async fn total_count(&self, ctx: &Context<'_>) -> Option<Result<TotalCount, Fault>> {
        Some(count(Counted::Cases(&self.filter), asking(ctx)).await)
    }
}

/// 工作台的一页 / A page of a work queue
pub(crate) struct TaskConnection {
    pub(crate) nodes: Vec<Task>,
    pub(crate) next: Option<Vec<u8>>,
    pub(crate) view: QueueView,
}

/// 工作台的一页 / A page of a work queue
#[Object]
impl TaskConnection {
    /// 待办,先到期者在前 / The tasks, earliest due first
    async fn nodes(&self) -> &[Task] {
        &self.nodes
    }

    /// 分页信息 / Where the page stands
    async fn page_info(&self) -> PageInfo {
        PageInfo::before(self.next.as_ref())
    }

    /// 本人可办理的总数;数到约一千为止 / How many the viewer may take in all; counted up to about a thousand
    async fn total_count(&self, ctx: &Context<'_>) -> Option<Result<TotalCount, Fault>> {
        Some(count(Counted::Tasks(self.view), asking(ctx)).await)
    }
}

/// What is counted: by walking the same pages that the list walks, so that a count can never
/// tell of a row that the list would not show.
enum Counted<'a> {
    Cases(&'a CaseFilter),
    Tasks(QueueView),
    Incidents(&'a IncidentFilter),
}

/// Counts the open incidents that a filter finds, as their list shows them.
pub(crate) async fn count_incidents(
    filter: &IncidentFilter,
    asking: Asking<'_>,
) -> Result<TotalCount, Fault> {
    count(Counted::Incidents(filter), asking).await
}

async fn count(what: Counted<'_>, asking: Asking<'_>) -> Result<TotalCount, Fault> {
    let mut value = 0;
    let mut after = None;
    for _ in 0..COUNT_PAGES_MAX {
        let page = PageRequest { first: PAGE_MAX, after };
        let (found, next) = match &what {
            Counted::Cases(filter) => {
                let page = asking.engine.cases(asking.viewer, (*filter).clone(), page).await?;
                (page.items.len(), page.next)
            }
            Counted::Tasks(view) => {
                let page = asking.engine.queue(asking.viewer, *view, page).await?;
                (page.items.len(), page.next)
            }
            Counted::Incidents(filter) => {
                let page = asking.engine.incidents(asking.viewer, filter, page).await?;
                (page.items.len(), page.next)
            }
        };
        value += found;
        after = next;
        if after.is_none() {
            return Ok(TotalCount { value, exact: true });
        }
    }
    Ok(TotalCount { value, exact: false })
}

/// Reads `first`: 1 to 100.
pub(crate) fn read_first(first: i32) -> Result<usize, Fault> {
    let wanted = usize::try_from(first).ok().filter(|first| (1..=PAGE_MAX).contains(first));
    wanted.ok_or_else(|| {
        let text = format!("first 须为 1 到 {PAGE_MAX} / first must be 1 to {PAGE_MAX}");
        Fault::new("BAD_REQUEST", text)
    })
}

/// Reads a cursor that [`PageInfo`] gave.
pub(crate) fn read_cursor(cursor: Option<String>) -> Result<Option<Vec<u8>>, Fault> {
    let Some(cursor) = cursor else { return Ok(None) };
    let byte = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(byte).collect();
    let is_hex = cursor.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes = bytes.filter(|_| is_hex && cursor.len().is_multiple_of(2));
    bytes.map(Some).ok_or_else(|| {
        Fault::new(
            "BAD_REQUEST",
            "游标无效,请从第一页开始 / the cursor is not valid, begin with the first page",
        )
    })
}

fn write_cursor(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_what_they_print() {
        let bytes = vec![0, 1, 0xff, 0x20];
        assert_eq!(read_cursor(Some(write_cursor(&bytes))).unwrap(), Some(bytes));
        for text in ["0", "zz", "+1", "张三"] {
            assert!(read_cursor(Some(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_has_one_to_a_hundred_items() {
        assert!(read_first(0).is_err());
        assert!(read_first(-1).is_err());
        assert_eq!(read_first(100).unwrap(), 100);
        assert!(read_first(101).is_err());
    }
}
