use super::*;

/// Both ends of a handshake, without a network.
struct Pair {
    server: Box<dyn DtlsInstance>,
    client: Box<dyn DtlsInstance>,
    now: Instant,
    done: [bool; 2],
}

/// Takes out what an end has to say.
fn said(end: &mut dyn DtlsInstance, done: &mut bool) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2048];
    let mut said = Vec::new();
    loop {
        match end.poll_output(&mut buffer) {
            DtlsOutput::Packet(packet) => said.push(packet.to_vec()),
            DtlsOutput::Connected => *done = true,
            DtlsOutput::Timeout(_) => return said,
            _ => {}
        }
    }
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let make = |is_client: bool| {
            let mut end =
                IMPATIENT.new_dtls(&certificate().unwrap(), now, DtlsVersion::Dtls12, Some(1200)).unwrap();
            end.set_active(is_client);
            end.handle_timeout(now).unwrap();
            end
        };
        Self { server: make(false), client: make(true), now, done: [false; 2] }
    }

    /// What the client sends next, after `time` if it waits for that.
    fn client_says(&mut self, time: Duration) -> Vec<Vec<u8>> {
        self.now += time;
        self.client.handle_timeout(self.now).unwrap();
        self.server.handle_timeout(self.now).unwrap();
        said(&mut *self.client, &mut self.done[1])
    }

    /// The server takes a datagram, which must not end its session, and the client what it answers.
    fn take(&mut self, datagram: &[u8]) {
        self.server.handle_packet(datagram).unwrap();
        for answer in said(&mut *self.server, &mut self.done[0]) {
            // Whatever the client makes of it: the server is tried here.
            let _ = self.client.handle_packet(&answer);
        }
    }

    /// Goes on as if nothing had been until both are done.
    fn is_done(&mut self) -> bool {
        for _ in 0..20 {
            for datagram in self.client_says(Duration::from_millis(60)) {
                self.take(&datagram);
            }
        }
        self.done == [true; 2]
    }
}

#[test]
fn a_handshake_is_done_when_nothing_is_broken() {
    assert!(Pair::new().is_done());
}

#[test]
fn a_hello_with_another_byte_in_a_header_does_not_stand_in_the_way_of_the_right_one() {
    for at in 0..25 {
        for change in [0x01, 0x55, 0x80] {
            let mut pair = Pair::new();
            let hello = pair.client_says(Duration::ZERO).remove(0);
            let mut other = hello.clone();
            other[at] ^= change;
            pair.take(&other);
            pair.take(&hello);
            assert!(pair.is_done(), "byte {at} changed by {change:#x}");
        }
    }
}

#[test]
fn a_hello_that_is_cut_or_grown_is_passed_over() {
    let length = Pair::new().client_says(Duration::ZERO)[0].len();
    for cut in 1..length {
        let mut pair = Pair::new();
        let hello = pair.client_says(Duration::ZERO).remove(0);
        pair.take(&hello[..cut]);
        pair.take(&[&hello[..], &hello[..cut]].concat());
        pair.take(&hello);
        assert!(pair.is_done(), "cut at {cut}");
    }
}

#[test]
fn a_last_flight_with_another_byte_in_a_header_is_passed_over() {
    for at in 0..25 {
        for change in [0x01, 0x55, 0x80] {
            let mut pair = Pair::new();
            let hello = pair.client_says(Duration::ZERO).remove(0);
            pair.take(&hello);
            for datagram in pair.client_says(Duration::ZERO) {
                let mut other = datagram.clone();
                other[at] ^= change;
                pair.take(&other);
                pair.take(&datagram);
            }
            assert!(pair.is_done(), "byte {at} changed by {change:#x}");
        }
    }
}

#[test]
fn no_changed_byte_ends_a_session_before_its_time() {
    let length = Pair::new().client_says(Duration::ZERO)[0].len();
    for at in 0..length {
        let mut pair = Pair::new();
        let hello = pair.client_says(Duration::ZERO).remove(0);
        let mut other = hello.clone();
        other[at] ^= 0x55;
        // It may be answered: that a random number is another, nobody can tell.
        pair.take(&other);
        pair.take(&hello);
    }
}

#[test]
fn a_flood_of_broken_datagrams_ends_the_handshake_that_it_comes_to() {
    let mut pair = Pair::new();
    let before = passed_over();
    let broken = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 1];
    for _ in 0..MOST_BROKEN {
        pair.server.handle_packet(&broken).unwrap();
    }
    assert!(passed_over() >= before + MOST_BROKEN as u64);
    assert!(pair.server.handle_packet(&broken).is_err());
    assert!(Pair::new().is_done(), "another one's");
}

#[test]
fn after_the_handshake_nothing_that_is_broken_ends_a_session() {
    let mut pair = Pair::new();
    assert!(pair.is_done());
    let hello = Pair::new().client_says(Duration::ZERO).remove(0);
    for round in 0..2 * MOST_BROKEN {
        pair.server.handle_packet(&hello[..round % hello.len()]).unwrap();
        pair.server.handle_packet(&hello).unwrap();
    }
}

#[test]
fn a_message_may_go_on_in_the_next_record_of_its_datagram_and_nowhere_else() {
    let fragment = |sequence: u8, offset: u8, length: u8| {
        let mut record = vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, offset, 0, 12 + length];
        record.extend([11, 0, 0, 90, 0, sequence, 0, 0, offset, 0, 0, length]);
        record.extend(vec![7; usize::from(length)]);
        record
    };
    let whole = |fragments: &[Vec<u8>]| record::is_whole(&fragments.concat());
    assert!(whole(&[fragment(1, 0, 40), fragment(1, 40, 40), fragment(1, 80, 10)]));
    assert!(whole(&[fragment(1, 0, 40)]), "the rest is in another datagram");
    assert!(!whole(&[fragment(1, 0, 40), fragment(1, 50, 40)]), "something is missing in between");
    assert!(!whole(&[fragment(1, 0, 40), fragment(2, 40, 50)]), "another message's rest");
}
