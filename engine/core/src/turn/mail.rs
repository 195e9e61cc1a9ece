//! Mailboxes: a message is kept before anybody waits for it, and given to the requests that do
//! in the order in which they asked.

use std::sync::Arc;

use crate::case::FoldError;
use crate::command::{Answer, Refusal};
use crate::entry::{Body, IncidentKind, Origin};
use crate::id::{MatterNo, Seq};
use crate::law::ActAnswer;
use crate::limits;
use crate::request::{Ask, End, RequestKey};
use crate::viewer::{Role, Viewer};
use crate::way_out::Message;

use super::Turn;
use super::accept::person;

/// Code of a refusal for a message that must be handled first.
pub(super) const MESSAGE_UNREAD: &str = "MESSAGE_UNREAD";

impl Turn<'_> {
    /// Puts a message into a matter's mailbox.
    pub(super) fn send_message(
        &mut self,
        by: &Viewer,
        no: MatterNo,
        message: &Message,
    ) -> Result<Answer, FoldError> {
        if let Err(refusal) = self.check_message(by, no, message) {
            return Ok(Answer::Refused(refusal));
        }
        let body = Body::MessageArrived(Arc::new(message.clone()));
        self.push(no, person(by), body)?;
        self.deliver(no)?;
        self.raise_unread(no)?;
        Ok(Answer::Done)
    }

    fn check_message(&self, by: &Viewer, no: MatterNo, message: &Message) -> Result<(), Refusal> {
        let Some(matter) = self.case.matter(no).filter(|matter| matter.is_included()) else {
            return Err(Refusal::new(
                "MATTER_NOT_FOUND",
                "没有这个事项",
                "there is no such matter",
            ));
        };
        let own = by.departments.contains(&matter.planned.department);
        let may = match by.role {
            Role::WindowClerk => true,
            Role::Approver | Role::OfficeHead => own,
            Role::Applicant | Role::Integrator | Role::Supervisor | Role::SystemAdmin => false,
        };
        if !may {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "消息由窗口或承办部门发送",
                "a window or the department sends messages",
            ));
        }
        if !matter.is_open() {
            return Err(Refusal::new("MATTER_ENDED", "该事项已办结", "the matter has ended"));
        }
        let named = !message.channel.trim().is_empty()
            && message.channel.len() <= limits::CHANNEL_BYTES_MAX;
        if !named || message.body.size() > limits::MESSAGE_BYTES_MAX {
            return Err(Refusal::new(
                "MESSAGE_TOO_LARGE",
                format!(
                    "频道名须为 1–{} 字节,内容最多 {} 字节",
                    limits::CHANNEL_BYTES_MAX,
                    limits::MESSAGE_BYTES_MAX
                ),
                format!(
                    "a channel has 1 to {} bytes, a message at most {}",
                    limits::CHANNEL_BYTES_MAX,
                    limits::MESSAGE_BYTES_MAX
                ),
            ));
        }
        if matter.unread().count() >= limits::MAILBOX_MAX {
            return Err(Refusal::new(
                "MAILBOX_FULL",
                "该事项的未读消息过多,请先处理",
                "the matter has too many unread messages; have them handled first",
            ));
        }
        Ok(())
    }

    /// Gives unread messages to the requests that wait for them. Returns whether any was given.
    pub(super) fn deliver(&mut self, no: MatterNo) -> Result<bool, FoldError> {
        let mut moved = false;
        while let Some((request, message)) = self.next_delivery(no) {
            self.push(no, Origin::Engine, Body::MessageTaken { request, message })?;
            moved = true;
        }
        Ok(moved)
    }

    fn next_delivery(&self, no: MatterNo) -> Option<(RequestKey, Seq)> {
        let matter = self.case.matter(no)?;
        matter.unread().next()?;
        let waiting = matter.run.requests.iter().filter(|request| {
            request.settled.is_none()
                && !request.discarded
                && request.made.key.generation == matter.run.generation
        });
        waiting
            .filter_map(|request| match &request.made.ask {
                Ask::Receive { channel } => Some((channel, &request.made.key)),
                Ask::Call { .. }
                | Ask::Decide { .. }
                | Ask::Timer { .. }
                | Ask::Act { .. }
                | Ask::Compensate { .. }
                | Ask::Patch { .. } => None,
            })
            .find_map(|(channel, key)| {
                let mail = matter.unread().find(|mail| mail.message.channel == *channel)?;
                Some((key.clone(), mail.at))
            })
    }

    /// A script whose act was refused for a message begins again and asks for it once more, now
    /// that a person has looked at the message.
    pub(super) fn ask_again_after_mail(
        &mut self,
        by: &Viewer,
        no: MatterNo,
    ) -> Result<(), FoldError> {
        let run = self.case.matter(no).map(|matter| &matter.run);
        let ended = run.is_some_and(|run| run.finished || run.stopped.is_some());
        if !ended || !self.is_held_up_by_mail(no) {
            return Ok(());
        }
        self.settle_by_itself(
            |incident, matter| matter == no && incident.kind.stops_script(),
            "消息已阅,脚本重新执行 / the message was looked at, and the script begins again",
        )?;
        self.begin_again(no, person(by))
    }

    /// Tells whether the script's own act was refused for a message that must be handled.
    fn is_held_up_by_mail(&self, no: MatterNo) -> bool {
        let Some(matter) = self.case.matter(no).filter(|matter| matter.is_open()) else {
            return false;
        };
        let generation = matter.run.generation;
        let mut own = matter
            .run
            .requests
            .iter()
            .filter(|request| request.made.key.generation == generation && !request.discarded);
        own.any(|request| {
            let end = request.settled.as_ref().map(|settled| &settled.end);
            matches!(end, Some(End::Answered(ActAnswer::Refused { code, .. })) if code == MESSAGE_UNREAD)
        })
    }

    /// Nothing closes over a message that must be handled: a person looks at it instead.
    pub(super) fn raise_unread(&mut self, no: MatterNo) -> Result<(), FoldError> {
        let closed = self.case.matter(no).is_some_and(|matter| {
            let over = matter.run.finished || !matter.is_open() || self.is_held_up_by_mail(no);
            matter.has_unhandled_mail() && over
        });
        let known = self.case.open_incidents().any(|(_, state)| {
            state.matter == no && state.incident.kind == IncidentKind::MessageUnread
        });
        if closed && !known {
            let text = "脚本已结束,但有须处理的消息未读;请查看并处理 / the script has ended over a message that must be handled; look at it";
            self.raise(no, IncidentKind::MessageUnread, text)?;
        }
        Ok(())
    }
}
