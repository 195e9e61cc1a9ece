//! The connector of an office that has no system: a person is asked, in a task.
//!
//! Nothing leaves the engine. The task stands in the case's own log, so this connector keeps
//! nothing, and the person's answer comes back as a completed task, not through here.

use serde::{Deserialize, Serialize};
use tongban_core::agency::{Call, CallContext, Fault, Invoked, ManualTask, Queried};
use tongban_core::port::{Connector, Later};

/// Whom to ask, and how.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualOffice {
    /// `department.role` of the person.
    pub role: String,
    /// What the person reads.
    pub title: String,
}

/// Answers every call by asking a person of one office.
#[derive(Clone, Debug)]
pub struct ManualConnector {
    office: ManualOffice,
}

impl ManualConnector {
    /// Builds the connector of an office.
    pub fn new(office: ManualOffice) -> Self {
        Self { office }
    }
}

impl Connector for ManualConnector {
    fn invoke<'a>(
        &'a self,
        _call: &'a Call,
        _context: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>> {
        let task = ManualTask { role: self.office.role.clone(), title: self.office.title.clone() };
        Box::pin(std::future::ready(Ok(Invoked::AskPerson(task))))
    }

    /// Answers that nothing is known. That is true and safe as a fence: outside the case's log
    /// there is no trace of a manual call, and a call whose task stands in the log is not asked
    /// about.
    fn query<'a>(
        &'a self,
        _call: &'a Call,
        _context: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>> {
        Box::pin(std::future::ready(Ok(Queried::UnknownFenced)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::fixture;

    #[tokio::test]
    async fn a_person_of_the_office_is_asked() {
        let connector = ManualConnector::new(ManualOffice {
            role: "urban-management.clerk".to_owned(),
            title: "核准建筑垃圾处置".to_owned(),
        });
        let call = fixture::call(1);
        let context = fixture::context();
        let Ok(Invoked::AskPerson(task)) = connector.invoke(&call, &context).await else {
            panic!("no task");
        };
        assert_eq!(task.role, "urban-management.clerk");
        let asked = connector.query(&call, &context).await;
        assert_eq!(asked, Ok(Queried::UnknownFenced));
    }
}
