//! What a publisher is told of its media.

use super::uplink::{Sent, Uplink};
use std::{collections::BTreeSet, time::Duration};
use str0m::rtp::{
    ExtensionValues,
    rtcp::{ReceptionReport, Rtcp, Twcc},
};

const MS: Duration = Duration::from_millis(1);

impl Uplink {
    /// A packet of sound and one of the picture.
    fn both(&mut self, seq: u64) {
        for (pt, ticks) in [(self.sound().0, 960), (self.picture(), 1800)] {
            let values = ExtensionValues::default();
            self.send(pt, Sent { seq, time: seq as u32 * ticks, payload: vec![0x10; 200], values });
        }
    }

    fn feedback(&self) -> Vec<(Duration, &Twcc)> {
        let all = self.told.iter().filter_map(|(at, told)| match told {
            Rtcp::Twcc(feedback) => Some((self.now.duration_since(*at), feedback)),
            _ => None,
        });
        all.collect()
    }

    fn reports(&self) -> Vec<ReceptionReport> {
        let all = self.told.iter().filter_map(|(_, told)| match told {
            Rtcp::ReceiverReport(report) => Some(&report.reports),
            _ => None,
        });
        all.flatten().copied().collect()
    }
}

#[test]
fn a_publisher_is_told_of_every_packet_from_the_first_on() {
    let mut uplink = Uplink::connected();
    uplink.pass(MS * 500);
    assert!(uplink.feedback().is_empty(), "of nothing, nothing is to be said");
    uplink.both(1);
    uplink.pass(MS * 100);
    let first = uplink.feedback();
    let told: usize = first.iter().map(|(_, feedback)| feedback.delta.len()).sum();
    assert_eq!(told, 2, "of both, within a tenth of a second: {first:?}");
    for seq in 2..=100 {
        uplink.both(seq);
        uplink.pass(MS * 20);
    }
    uplink.pass(MS * 100);
    let all = uplink.feedback();
    let told: usize = all.iter().map(|(_, feedback)| feedback.delta.len()).sum();
    assert_eq!(told, 200, "both lines are counted together");
    let counts: BTreeSet<u8> = all.iter().map(|(_, feedback)| feedback.feedback_count).collect();
    assert_eq!(counts.len(), all.len(), "each has a number of its own");
    for pair in all.windows(2) {
        let between = pair[0].0 - pair[1].0;
        assert!(between <= MS * 110, "{between:?} without a word: an encoder's controller goes by this");
    }
}

#[test]
fn a_publisher_is_told_which_packets_did_not_come() {
    let mut uplink = Uplink::connected();
    for seq in 1..=100 {
        let is_lost = seq % 10 == 5;
        uplink.held = is_lost.then(Vec::new);
        uplink.both(seq);
        uplink.held = None;
        uplink.pass(MS * 20);
    }
    uplink.pass(MS * 600);
    let feedback = uplink.feedback();
    let came: usize = feedback.iter().map(|(_, feedback)| feedback.delta.len()).sum();
    assert_eq!(came, 180, "of 200, a tenth was lost");

    let reports = uplink.reports();
    let lines: BTreeSet<u32> = reports.iter().map(|report| *report.ssrc).collect();
    assert_eq!(lines.len(), 2, "each line is reported of");
    for line in lines {
        let of_line: Vec<_> = reports.iter().filter(|report| *report.ssrc == line).collect();
        assert!(of_line.len() >= 4, "twice a second: {of_line:?}");
        let last = of_line.last().unwrap();
        assert_eq!((last.packets_lost, last.max_seq & 0xffff), (10, 100), "{last:?}");
        assert!(last.last_sr_time != 0, "what a round trip is measured by: {last:?}");
    }
}
