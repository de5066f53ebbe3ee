//! Which way media takes to a peer. ICE-lite leaves the choice to the peer's own checks; this adds what makes it quick
//! when a NAT gives the peer another port, and what keeps an old check, sent again by somebody else, from moving it. Pure
//! but for the names of protocols.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::net::Protocol;

/// A way between a peer and this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// By UDP or TCP.
    pub proto: Protocol,
    /// The candidate here.
    pub local: SocketAddr,
    /// The peer's address, as it is seen from here.
    pub remote: SocketAddr,
}

/// What a check (STUN binding request) says, of what is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Unlike any other's.
    pub transaction: [u8; 12],
    /// The peer wants this way (USE-CANDIDATE).
    pub nominates: bool,
}

/// A way that the peer nominates is taken once the one before is quiet for so long: nominated ways come in several while
/// ICE still looks for the best. Who is sent media tells how it comes at least four times a second.
const QUIET: Duration = Duration::from_millis(600);
/// Without a nomination, as some don't repeat theirs; longer than reports and checks are apart.
const GONE: Duration = Duration::from_secs(6);
/// Consent to be sent to ends so long after the last check (RFC 7675, 5.1).
pub const CONSENT: Duration = Duration::from_secs(30);
/// How many checks are remembered, to know one that was taken off the wire and is sent again from elsewhere.
const CHECKS: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Path {
    /// Where ICE says that media goes.
    nominated: Option<Route>,
    /// Where it goes instead.
    moved: Option<Route>,
    /// Nominated, while the current one wasn't quiet for long enough; nothing came by that one since.
    next: Option<Route>,
    /// When something last came that way; never, if the way itself is no more.
    heard: Option<Instant>,
    checked: Instant,
    checks: VecDeque<([u8; 12], Route)>,
}

impl Path {
    /// Nothing is known yet.
    pub fn new(now: Instant) -> Self {
        Self { nominated: None, moved: None, next: None, heard: None, checked: now, checks: VecDeque::new() }
    }

    fn current(&self) -> Option<Route> {
        self.moved.or(self.nominated)
    }

    /// Whether a check is one that came before, from elsewhere: a copy.
    pub fn is_copy(&self, route: Route, check: &Check) -> bool {
        self.checks.iter().any(|(known, from)| *known == check.transaction && *from != route)
    }

    /// The peer checked a way, and proved that it is itself.
    pub fn checked(&mut self, route: Route, check: &Check, now: Instant) {
        self.checked = now;
        if !self.checks.iter().any(|(known, _)| *known == check.transaction) {
            if self.checks.len() >= CHECKS {
                self.checks.pop_front();
            }
            self.checks.push_back((check.transaction, route));
        }
        let Some(current) = self.current() else { return };
        let patience = if check.nominates { QUIET } else { GONE };
        if route != current && self.is_quiet(patience, now) {
            self.moved = Some(route);
            self.next = None;
        } else if route != current && check.nominates {
            // Its next check may be seconds away.
            self.next = Some(route);
        }
        self.heard(route, now);
    }

    fn is_quiet(&self, least: Duration, now: Instant) -> bool {
        self.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= least)
    }

    /// Something came from the peer.
    pub fn heard(&mut self, route: Route, now: Instant) {
        if self.current() == Some(route) {
            self.heard = Some(now);
            self.next = None;
        }
    }

    /// A way is no more: its connection was closed.
    pub fn lost(&mut self, route: Route) {
        if self.current() == Some(route) {
            self.heard = None;
        }
    }

    /// ICE says that media goes this way.
    pub fn nominate(&mut self, nominated: Route, now: Instant) {
        if self.nominated != Some(nominated) {
            self.nominated = Some(nominated);
            self.moved = None;
            self.next = None;
            self.heard = Some(now);
        }
    }

    /// The way that media takes, once ICE has found one.
    pub fn way(&mut self, now: Instant) -> Option<Route> {
        if self.nominated.is_some()
            && self.is_quiet(QUIET, now)
            && let Some(next) = self.next.take()
        {
            self.moved = Some(next);
            self.heard = Some(now);
        }
        self.current()
    }

    /// Whether the peer has proven lately that it is there, by a check.
    pub fn knows(&self, route: Route) -> bool {
        self.current() == Some(route) || self.checks.iter().any(|(_, from)| *from == route)
    }

    /// Whether the peer has said often enough that it wants what is sent to it.
    pub fn has_consent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.checked) <= CONSENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(port: u16) -> Route {
        let local = SocketAddr::from(([192, 0, 2, 1], 7880));
        Route { proto: Protocol::Udp, local, remote: SocketAddr::from(([198, 51, 100, 7], port)) }
    }

    fn check(number: u8, nominates: bool) -> Check {
        Check { transaction: [number; 12], nominates }
    }

    const S: Duration = Duration::from_secs(1);

    impl Path {
        /// The way for what ICE would send by `nominated`.
        fn take(&mut self, nominated: Route, now: Instant) -> Route {
            self.nominate(nominated, now);
            self.way(now).unwrap()
        }
    }

    #[test]
    fn a_rebound_port_is_followed_with_the_next_check_that_nominates_it() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.checked(route(1), &check(1, true), start);
        assert_eq!(path.take(route(1), start), route(1));
        path.heard(route(1), start + S * 10);
        path.checked(route(2), &check(2, true), start + S * 11);
        assert_eq!(path.take(route(1), start + S * 11), route(2));
        path.heard(route(2), start + S * 12);
        path.checked(route(1), &check(3, true), start + S * 12);
        assert_eq!(path.take(route(1), start + S * 12), route(2), "not back and forth");
        // ICE gives the old pair up and takes the new one by itself.
        assert_eq!(path.take(route(2), start + S * 26), route(2));
        assert_eq!(path.moved, None);
    }

    #[test]
    fn a_check_that_comes_before_the_old_way_is_quiet_counts_once_it_is() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.take(route(1), start);
        path.heard(route(1), start + S);
        path.checked(route(2), &check(1, true), start + S + QUIET / 3);
        assert_eq!(path.take(route(1), start + S + QUIET / 2), route(1));
        assert_eq!(path.take(route(1), start + S + QUIET), route(2));
        // What came before but was late on its way changes nothing.
        path.heard(route(1), start + S + QUIET);
        assert_eq!(path.take(route(1), start + S * 2), route(2));
        // Who goes on by the old way stays there.
        let mut path = Path::new(start);
        path.take(route(1), start);
        path.checked(route(2), &check(1, true), start + S / 10);
        path.heard(route(1), start + S / 5);
        assert_eq!(path.take(route(1), start + S * 3), route(1));
    }

    #[test]
    fn nothing_moves_while_the_way_is_in_use() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.take(route(1), start);
        for step in 1..200u8 {
            let now = start + S / 4 * u32::from(step);
            path.heard(route(1), now);
            path.checked(route(2), &check(step, true), now);
            assert_eq!(path.take(route(1), now), route(1));
        }
    }

    #[test]
    fn who_does_not_repeat_a_nomination_is_followed_once_the_old_way_is_given_up() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.take(route(1), start);
        path.checked(route(2), &check(1, false), start + S * 5);
        assert_eq!(path.take(route(1), start + S * 5), route(1));
        path.checked(route(2), &check(2, false), start + GONE);
        assert_eq!(path.take(route(1), start + GONE), route(2));
    }

    #[test]
    fn a_closed_connection_is_left_at_once() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.take(route(1), start);
        path.heard(route(1), start + S);
        path.lost(route(1));
        path.checked(route(2), &check(1, false), start + S);
        assert_eq!(path.take(route(1), start + S), route(2));
    }

    #[test]
    fn a_check_sent_again_from_elsewhere_is_known_and_from_the_same_place_is_a_repetition() {
        let start = Instant::now();
        let mut path = Path::new(start);
        for number in 0..CHECKS as u8 {
            path.checked(route(1), &check(number, true), start);
        }
        assert!(path.is_copy(route(2), &check(0, true)));
        assert!(!path.is_copy(route(1), &check(0, true)));
        for number in 0..200 {
            path.checked(route(1), &check(number, true), start);
        }
        assert_eq!(path.checks.len(), CHECKS);
    }

    #[test]
    fn consent_ends_thirty_seconds_after_the_last_check_whatever_else_comes() {
        let start = Instant::now();
        let mut path = Path::new(start);
        path.checked(route(1), &check(1, true), start + S);
        path.take(route(1), start + S);
        path.heard(route(1), start + S * 40);
        assert!(path.has_consent(start + S * 31));
        assert!(!path.has_consent(start + S * 32));
    }
}
