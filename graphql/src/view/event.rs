//! What happened in a case, and how it is read: in pages, or as it happens.

use async_graphql::{ID, Object, SimpleObject};
use tongban_core::id::CaseId;
use tongban_engine::EventView;

use super::code::{Lang, in_lang};
use super::{DateTime, EntryKind, PageInfo, Revision, read_first, write_entry_id};
use crate::error::Fault;
use crate::schema::Asking;

/// Entries that are read at once while a page is filled.
const READ_AT_ONCE: usize = 256;

/// An event as its viewer may read it.
pub(crate) struct Event {
    case: CaseId,
    view: EventView,
}

impl Event {
    /// Puts an event beside the id of its case.
    pub(crate) fn of(case: CaseId, view: EventView) -> Self {
        Self { case, view }
    }
}

/// 办件中发生的一件事 / Something that happened in a case
#[Object]
impl Event {
    /// 标识 / Id
    async fn id(&self) -> ID {
        write_entry_id(EntryKind::Event, self.case, self.view.seq)
    }

    /// 在办件中的序号 / Its place in the case
    async fn seq(&self) -> u32 {
        self.view.seq.0
    }

    /// 记录时间 / When it was recorded
    async fn at(&self) -> DateTime {
        self.view.at.into()
    }

    /// 生效时间 / When it took effect
    async fn effective_at(&self) -> DateTime {
        self.view.effective_at.into()
    }

    /// 类别代码。会增加。 / Stable code of what happened. More will come.
    async fn kind(&self) -> &str {
        self.view.kind
    }

    /// 事项标识;整个办件的事件为空 / Id of the matter; null for the case as a whole
    async fn matter_id(&self) -> Option<ID> {
        let no = tongban_core::id::MatterNo(self.view.matter);
        let id = tongban_core::id::MatterId { case: self.case, no };
        (self.view.matter != 0).then(|| ID(id.to_string()))
    }

    /// 行为人;申请人看不到 / Who caused it; not shown to applicants
    async fn actor(&self) -> Option<&str> {
        Some(self.view.actor.as_str()).filter(|actor| !actor.is_empty())
    }

    /// 一句话说明 / One sentence
    async fn text(
        &self,
        #[graphql(desc = "语言,默认中文 / Language, Chinese by default")] lang: Option<Lang>,
    ) -> &str {
        in_lang(lang, &self.view.zh, &self.view.en)
    }

    /// 续读游标:从此事件之后继续 / Cursor to go on after this event
    async fn cursor(&self) -> &str {
        &self.view.cursor
    }
}

/// 事件的一页 / A page of events
#[derive(SimpleObject)]
pub(crate) struct EventConnection {
    /// 事件,从早到晚 / The events, oldest first
    nodes: Vec<Event>,
    /// 分页信息;末页也给出游标,供订阅续接 / Where the page stands; the last page has a cursor too, for a subscription to go on from
    page_info: PageInfo,
    /// 本页完整至此修订号 / Revision up to which the page is complete
    revision: Revision,
}

/// 订阅送达的一个事件 / One event, as a subscription delivers it
#[derive(SimpleObject)]
pub(crate) struct EventDelta {
    /// 续接游标:断线后由此继续,不丢不重 / Cursor: go on from here after a break, nothing lost or twice
    pub(crate) cursor: String,
    /// 事件 / The event
    pub(crate) event: Event,
    /// 事件所在的修订号 / Revision at which it was read
    pub(crate) revision: Revision,
}

/// Reads a page of events: `(first, after)`. `None` when there is no such case for this viewer.
pub(crate) async fn events_of(
    asking: Asking<'_>,
    case: CaseId,
    page: (i32, Option<String>),
) -> Result<Option<EventConnection>, Fault> {
    let first = read_first(page.0)?;
    // The engine may answer "nothing new" from a cursor alone; who may see is asked first.
    if asking.engine.case(asking.viewer, case).await?.is_none() {
        return Ok(None);
    }
    let mut cursor = page.1;
    let mut found: Vec<EventView> = Vec::new();
    loop {
        let read = asking.engine.events(asking.viewer, case, cursor.as_deref(), READ_AT_ONCE);
        let Some(read) = read.await? else { return Ok(None) };
        let is_end = cursor.as_deref() == Some(read.cursor.as_str());
        cursor = Some(read.cursor);
        found.extend(read.events);
        if is_end || found.len() > first {
            let has_next_page = found.len() > first;
            found.truncate(first);
            let last = found.last().filter(|_| has_next_page).map(|event| event.cursor.clone());
            let page_info = PageInfo { has_next_page, end_cursor: last.or(cursor) };
            let nodes = found.into_iter().map(|view| Event::of(case, view)).collect();
            return Ok(Some(EventConnection {
                nodes,
                page_info,
                revision: Revision(read.revision),
            }));
        }
    }
}
