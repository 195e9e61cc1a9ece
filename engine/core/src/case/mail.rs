//! Folding mailboxes: a message is kept from its arrival until a script receives it, and a
//! request that lost gives back what it had received.

use std::sync::Arc;

use super::{Case, FoldError, Mail, Matter};
use crate::entry::{Body, Entry};
use crate::id::Seq;
use crate::request::{End, RequestKey};
use crate::way_out::{Handling, Message};

impl Case {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller names every kind that comes")]
    pub(super) fn fold_mail(&mut self, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::MessageArrived(message) => {
                let message = Arc::clone(message);
                let mail = Mail { at: entry.seq, message, taken: None, looked_at: false };
                self.matter_mut(entry)?.mail.push(mail);
                Ok(())
            }
            Body::MessageTaken { request, message } => {
                let taken = self.take_mail(entry, *message, request)?;
                self.settle(entry, request, End::Received(taken))
            }
            other => Err(self.at(entry).wrong(format!("{other:?} is not about mail"))),
        }
    }

    fn take_mail(
        &mut self,
        entry: &Entry,
        message: Seq,
        by: &RequestKey,
    ) -> Result<Arc<Message>, FoldError> {
        let at = self.at(entry);
        let error = || at.wrong(format!("there is no unread message {message}"));
        let mail = &mut self.matter_mut(entry)?.mail;
        let mail = mail.iter_mut().find(|mail| mail.at == message && mail.taken.is_none());
        let mail = mail.ok_or_else(error)?;
        mail.taken = Some(by.clone());
        Ok(Arc::clone(&mail.message))
    }

    /// A request that lost gives back what it had received.
    pub(super) fn give_back(&mut self, entry: &Entry, key: &RequestKey) -> Result<(), FoldError> {
        self.request_mut(entry, key)?.settled = None;
        self.settle(entry, key, End::Otherwise(crate::replay::no_longer_waited_for()))?;
        let mail = &mut self.matter_mut(entry)?.mail;
        for mail in mail.iter_mut().filter(|mail| mail.taken.as_ref() == Some(key)) {
            mail.taken = None;
        }
        Ok(())
    }
}

impl Matter {
    /// Puts back what was received, but for what requests before `kept` had received.
    pub(super) fn give_back_mail(&mut self, kept: Option<Seq>) {
        let run = &self.run;
        for mail in &mut self.mail {
            let stays =
                mail.taken.as_ref().and_then(|key| run.request(key)).is_some_and(|request| {
                    kept.is_some_and(|kept| request.at < kept) && !request.discarded
                });
            if !stays {
                mail.taken = None;
            }
        }
    }

    /// Returns the messages that nobody has received, oldest first.
    pub fn unread(&self) -> impl Iterator<Item = &Mail> {
        self.mail.iter().filter(|mail| mail.taken.is_none())
    }

    /// Tells whether a message waits that must be handled before the matter closes.
    pub fn has_unhandled_mail(&self) -> bool {
        let mut unread = self.unread();
        unread.any(|mail| mail.message.handling == Handling::Required && !mail.looked_at)
    }

    /// A person has looked at what no script had received when `incident` told him of it; what
    /// came later he has not seen.
    pub(super) fn look_at_mail(&mut self, incident: Seq) {
        let untaken = self.mail.iter_mut().filter(|mail| mail.taken.is_none());
        for mail in untaken.filter(|mail| mail.at < incident) {
            mail.looked_at = true;
        }
    }
}
