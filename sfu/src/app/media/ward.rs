//! The doctors of all publishers' sessions: shards' reports go in, findings come out.

use super::router::Report;
use crate::{
    publish::{advice::Program, doctor::Doctor, vitals::Vitals},
    rtc::peer::PeerKey,
};
use shared::publish::Finding;
use std::{collections::HashMap, time::Instant};

/// See the module. As many doctors as there are publishers' sessions.
#[derive(Debug, Default)]
pub struct Ward {
    doctors: HashMap<PeerKey, Doctor>,
}

impl Ward {
    /// Takes from a report what is a doctor's. Answers whose vitals there are to be looked at.
    pub fn hear(&mut self, report: &mut Report, now: Instant) -> Option<(PeerKey, Vitals)> {
        match report {
            Report::Measured(_, measured) => {
                return Some((measured.publisher, std::mem::take(&mut measured.vitals)));
            }
            Report::Heard(publisher, level) => {
                // One of a session that is over has no doctor any more.
                if let Some(doctor) = self.doctors.get_mut(publisher) {
                    doctor.heard(*level, now);
                }
            }
            Report::Closed(peer, ..) => drop(self.doctors.remove(peer)),
            _ => {}
        }
        None
    }

    /// Looks at a publisher's vitals and says what it should change.
    pub fn look(
        &mut self,
        publisher: PeerKey,
        vitals: &Vitals,
        program: Program,
        now: Instant,
    ) -> Vec<Finding> {
        let doctor = self.doctors.entry(publisher).or_default();
        doctor.look(vitals, program, now);
        doctor.findings(program)
    }
}
