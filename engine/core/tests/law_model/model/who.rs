//! Who may ask for which act, from the column "who" of the transition table.
//!
//! Where the sources name one person, those count too who stand in his place: a window clerk for
//! an applicant before him, the department's own system for its officers. What the law itself
//! brings, and what only bookkeeping brings, nobody may ask for.

use tongban_core::law::{Act, ActKind, Actor};

use super::{Answer, Model};

impl Model<'_> {
    /// Answers an act that somebody asks for; changes nothing.
    pub(crate) fn answer_to(&self, who: Actor, act: &Act) -> Answer {
        if may(who, act.kind) { self.answer(act) } else { Answer::NotHis }
    }
}

fn may(who: Actor, kind: ActKind) -> bool {
    use ActKind as K;
    use Actor as A;
    match who {
        // It takes in and passes on what is complete; it decides nothing, least of all against
        // anybody, but for what a recommendation of the matter's own script lets it do.
        A::Engine => matches!(
            kind,
            K::Receive
                | K::Accept
                | K::NotAccept
                | K::NotFile
                | K::AskCorrection
                | K::ServeCorrection
                | K::MakeLicense
                | K::Deliver
        ),
        // Silence accepts; a missed correction ends a matter whose own rule says so.
        A::Clock => matches!(kind, K::DeemAccept | K::Terminate),
        A::Script => matches!(kind, K::Grant | K::GrantTolerant | K::Deny | K::ForwardUp),
        A::Applicant => matches!(kind, K::Withdraw | K::Resubmit | K::SupplyCorrection),
        // The applicant's hand, and the department's before the acceptance and after the decision.
        A::Window => matches!(
            kind,
            K::Receive
                | K::Accept
                | K::NotAccept
                | K::Return
                | K::Withdraw
                | K::Resubmit
                | K::AskCorrection
                | K::ServeCorrection
                | K::SupplyCorrection
                | K::MakeLicense
                | K::Deliver
        ),
        A::Department => matches!(
            kind,
            K::Accept
                | K::NotAccept
                | K::Return
                | K::Suspend
                | K::Resume
                | K::RebutAcceptance
                | K::AskCorrection
                | K::ServeCorrection
                | K::ForwardUp
                | K::Grant
                | K::GrantTolerant
                | K::Deny
                | K::Terminate
                | K::MakeLicense
                | K::Deliver
        ),
        // Who answers for the office: more time, and taking back what it decided.
        A::Head => matches!(kind, K::Extend | K::Revoke),
        // A department's own system says what its people did there, in any of their capacities.
        A::Agency => {
            !matches!(kind, K::NotFile | K::Withdraw | K::Return | K::Resubmit | K::DeemAccept)
        }
    }
}
