//! Simulated people who interfere: they write to matters, pause and resume and cancel scripts,
//! move pins to another version, and take ways out of incidents.

use tongban_core::command::Steering;
use tongban_core::digest::Digest;
use tongban_core::id::{CaseId, MatterNo, Seq, ServiceCode};
use tongban_core::request::{Outcome, OutcomeKind};
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_core::way_out::{Handling, Message, Overriding, WayKind, WayOut};

use std::sync::Arc;

use super::people::{Mutation, Person, REBINDING};
use super::program::{BUREAU, CHANNEL, COURT, REGION};
use crate::api::{IdempotencyKey, PageRequest};
use crate::handle::{IncidentFilter, IncidentItem};

/// Matters of a generated service, at most.
const MATTERS_MAX: usize = 3;
/// Rounds in which everything that was paused is resumed, once faults have ended.
const RESUMING_ROUNDS: u32 = 3;
const DAY_MILLIS: u64 = 24 * 3_600_000;

/// Returns those who interfere in a world.
pub(super) fn all() -> Vec<Viewer> {
    let head = |name: &str, department: &str| {
        Viewer::new(name, Role::OfficeHead).within(REGION).of(department)
    };
    vec![
        head("meddler-1", BUREAU),
        head("meddler-2", BUREAU),
        head("meddler-3", COURT),
        Viewer::new("admin", Role::SystemAdmin).within(REGION),
        Viewer::new("clerk-3", Role::WindowClerk).within(REGION),
    ]
}

impl Person {
    /// Interferes as long as faults last; afterwards the admin undoes what stands in the way.
    pub(super) async fn meddle(mut self, later: Vec<(ServiceCode, Digest)>) {
        while !self.weather.is_calm() {
            let pause = self.dice.between(600_000, 6 * 3_600_000);
            self.house.stage.sleep(pause).await;
            if !self.weather.strikes(|faults| faults.meddling) {
                continue;
            }
            let cases = self.witness.cases();
            if cases.is_empty() {
                continue;
            }
            let case = *self.dice.pick(&cases);
            self.interfere(case, &later).await;
        }
        if self.viewer.role == Role::SystemAdmin {
            self.resume_all().await;
        }
    }

    async fn interfere(&mut self, case: CaseId, later: &[(ServiceCode, Digest)]) {
        if self.viewer.role == Role::WindowClerk {
            // A submitted form is amended by the window.
            return if self.dice.chance(500) {
                self.amend(case).await;
            } else {
                self.write_to(case).await;
            };
        }
        match self.dice.below(8) {
            0 => self.write_to(case).await,
            1 | 2 => self.steer(case, Steering::Pause).await,
            3 => self.steer(case, Steering::Resume).await,
            4 => self.steer(case, Steering::Cancel).await,
            5 => self.rebind(case, later).await,
            _ => self.take_way_out(later).await,
        }
    }

    fn some_matter(&mut self) -> MatterNo {
        let no = 1 + self.dice.below(MATTERS_MAX);
        MatterNo(u16::try_from(no).expect("services are small"))
    }

    async fn write_to(&mut self, case: CaseId) {
        let (viewer, key, no) = (self.viewer.clone(), self.key(), self.some_matter());
        let required = self.dice.chance(300);
        let message = Message {
            channel: CHANNEL.to_owned(),
            body: Value::from(key.as_str()),
            handling: if required { Handling::Required } else { Handling::Optional },
        };
        let id = IdempotencyKey(key.clone());
        let send: Mutation = Arc::new(move |engine| {
            let (viewer, message, id) = (viewer.clone(), message.clone(), id.clone());
            Box::pin(async move { engine.send_message(&viewer, (case, no), message, id).await })
        });
        if self.mutate(&key, send).await.is_some() {
            self.witness.saw("a message");
        }
    }

    async fn steer(&mut self, case: CaseId, steering: Steering) {
        let whole = self.dice.chance(250) && steering != Steering::Cancel;
        let no = if whole { MatterNo::COORDINATOR } else { self.some_matter() };
        if steering == Steering::Pause {
            self.witness.paused(case, no);
        }
        self.steer_at((case, no), steering).await;
    }

    async fn steer_at(&mut self, at: (CaseId, MatterNo), steering: Steering) {
        let (viewer, key) = (self.viewer.clone(), self.key());
        let id = IdempotencyKey(key.clone());
        let steer: Mutation = Arc::new(move |engine| {
            let (viewer, id, reason) = (viewer.clone(), id.clone(), id.0.clone());
            Box::pin(async move { engine.steer(&viewer, at, (steering, reason), id).await })
        });
        if self.mutate(&key, steer).await.is_some() {
            self.witness.saw(match steering {
                Steering::Pause => "a pause",
                Steering::Resume => "a resumption",
                Steering::Cancel => "a cancellation",
            });
        }
    }

    async fn rebind(&mut self, case: CaseId, later: &[(ServiceCode, Digest)]) {
        let (viewer, key) = (self.viewer.clone(), format!("{REBINDING}{}", self.key()));
        let (_, digest) = *self.dice.pick(later);
        let id = IdempotencyKey(key.clone());
        let rebind: Mutation = Arc::new(move |engine| {
            let (viewer, id, reason) = (viewer.clone(), id.clone(), id.0.clone());
            Box::pin(async move { engine.rebind_case(&viewer, case, (digest, reason), id).await })
        });
        if self.mutate(&key, rebind).await.is_some() {
            self.witness.saw("a rebinding");
        }
    }

    async fn take_way_out(&mut self, later: &[(ServiceCode, Digest)]) {
        let viewer = self.viewer.clone();
        let listed = self.house.with(|engine| async move {
            let page = PageRequest { first: 20, after: None };
            engine.incidents(&viewer, &IncidentFilter::default(), page).await
        });
        let Some(Ok(found)) = listed.await else { return };
        if found.items.is_empty() {
            return;
        }
        let item = self.dice.pick(&found.items).clone();
        let kind = *self.dice.pick(item.state.incident.kind.ways());
        let Some(way) = self.way(&item, kind, later).await else { return };
        let taken = way.kind();
        let (viewer, key) = (self.viewer.clone(), self.key());
        let (id, at) = (IdempotencyKey(key.clone()), (item.case, item.seq));
        let settle: Mutation = Arc::new(move |engine| {
            let (viewer, way, id) = (viewer.clone(), way.clone(), id.clone());
            Box::pin(async move {
                let settling = (way, id.0.clone());
                engine.settle_incident(&viewer, at, settling, id).await
            })
        });
        if self.mutate(&key, settle).await.is_some() {
            self.witness.saw(taken.code());
        }
    }

    async fn way(
        &mut self,
        item: &IncidentItem,
        kind: WayKind,
        later: &[(ServiceCode, Digest)],
    ) -> Option<WayOut> {
        // Of what two must say, both say the same.
        if let Some((_, first)) = &item.state.proposed {
            return Some(first.way.clone());
        }
        Some(match kind {
            WayKind::Retry => WayOut::Retry,
            WayKind::Rebind => {
                let (_, closure) = later.iter().find(|(code, _)| *code == item.service)?;
                WayOut::Rebind { closure: *closure }
            }
            WayKind::Restart => {
                let most = usize::try_from(item.seq.0).unwrap_or(usize::MAX);
                let from = u32::try_from(2 + self.dice.below(most)).unwrap_or(u32::MAX);
                WayOut::Restart { from: Seq(from) }
            }
            WayKind::Override => {
                let (viewer, at) = (self.viewer.clone(), (item.case, item.state.matter));
                let asked = self
                    .house
                    .with(|engine| async move { engine.left_behind(&viewer, at, Seq(1)).await });
                let calls = asked.await?.ok()??;
                if calls.is_empty() {
                    return None;
                }
                let request = self.dice.pick(&calls).request.clone();
                let with = if self.dice.chance(500) {
                    Overriding::Output(Value::from("as told by phone"))
                } else {
                    let (kind, reason) = (OutcomeKind::Rejected, "as told by phone".to_owned());
                    Overriding::Outcome(Outcome { kind, reason, detail: Value::Null })
                };
                WayOut::Override { request, with }
            }
            WayKind::Cancel => WayOut::Cancel,
            WayKind::Skip => WayOut::Skip,
            WayKind::Acknowledge => WayOut::Acknowledge,
        })
    }

    async fn resume_all(&mut self) {
        for _ in 0..RESUMING_ROUNDS {
            for at in self.witness.pauses() {
                self.steer_at(at, Steering::Resume).await;
            }
            self.house.stage.sleep(DAY_MILLIS).await;
        }
    }
}
