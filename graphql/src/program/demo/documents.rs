//! The operations that the demo sends, as any client would.

pub(super) const START_CASE: &str = "
mutation Start($input: StartCaseInput!) {
  startCase(input: $input) {
    case { id number }
    errors { ... on UserError { code path zh: message(lang: ZH) en: message(lang: EN) } }
  }
}";

pub(super) const SUBMIT_CASE: &str = "
mutation Submit($input: SubmitCaseInput!) {
  submitCase(input: $input) {
    revision
    errors { ... on UserError { code path zh: message(lang: ZH) en: message(lang: EN) } }
  }
}";

pub(super) const CASE: &str = "
query Case($id: ID!) {
  serverInfo { lawfulNow }
  case(by: { id: $id }) {
    number state stateLabel revision submittedAt serviceCode serviceName
    matters {
      code name department state stateLabel resultNumber
      clocks { startedAt stoppedAt usedWorkingDays }
      waitingOn { kind nextStep }
      materials { code state }
    }
  }
}";

pub(super) const QUEUE: &str = "
query Queue {
  queue(view: OPEN, first: 100) {
    nodes { id kind version case { id } caseMatter { code } }
  }
}";

pub(super) const CLAIM_TASK: &str = "
mutation Claim($input: ClaimTaskInput!) {
  claimTask(input: $input) {
    task { version }
    errors { ... on UserError { code path zh: message(lang: ZH) en: message(lang: EN) } }
  }
}";

pub(super) const COMPLETE_TASK: &str = "
mutation Complete($input: CompleteTaskInput!) {
  completeTask(input: $input) {
    revision
    errors { ... on UserError { code path zh: message(lang: ZH) en: message(lang: EN) } }
  }
}";

pub(super) const ADVANCE_CLOCK: &str = "
mutation Advance($input: AdvanceClockInput!) {
  advanceClock(input: $input) {
    lawfulNow
    errors { ... on UserError { code path zh: message(lang: ZH) en: message(lang: EN) } }
  }
}";

pub(super) const CASE_EVENTS: &str = "
subscription Events($case: ID!, $after: String) {
  caseEvents(caseId: $case, after: $after) { cursor event { kind } }
}";
