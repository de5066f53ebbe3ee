//! A bad network between one client and the server: a UDP relay on loopback that loses, delays, reorders, narrows, falls
//! silent and changes its port, by a seed, while it runs.
//!
//! A client reaches it through the answer to its offer: [`Relay::through`] puts the relay's address in the place of the
//! server's candidates. The server takes STUN by its ufrag from any address, so nothing else has to know.
//!
//! ```no_run
//! use std::time::Duration;
//! use weir_tests::relay::{Conditions, Relay, Way};
//! let relay = Relay::start(42);
//! relay.set(Way::Down, Conditions { loss: 0.05, delay: Duration::from_millis(20), ..Conditions::default() });
//! # let answer = String::new();
//! let answer = relay.through(&answer); // what the client is given
//! relay.set(Way::Down, Conditions { rate: Some(500_000), ..Conditions::default() });
//! relay.rebind(); // the server sees another port
//! relay.black_out(true);
//! ```

mod link;

pub use link::{Conditions, Link, Random};

use mio::{Events, Interest, Poll, Token, Waker, net::UdpSocket};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Which way datagrams go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What went through one way so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Datagrams and bytes that came out again.
    pub passed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Datagrams that did not.
    pub lost: u64,
}

enum Command {
    Set(Way, Conditions),
    Server(SocketAddr),
    BlackOut(bool),
    Rebind,
    Stop,
}

/// The most clients' ports that are kept apart: one that reconnects has a new port each time.
const MOST_FLOWS: usize = 64;
const CLIENT: Token = Token(0);
const WAKER: Token = Token(1);

/// See the module. Ends with its value.
pub struct Relay {
    /// Where the client sends to.
    pub address: SocketAddr,
    commands: Sender<Command>,
    waker: Arc<Waker>,
    counts: Arc<Mutex<[Count; 2]>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A relay whose chance is `seed`'s, without any badness yet.
    ///
    /// # Panics
    /// When the machine has no UDP port on loopback left.
    pub fn start(seed: u64) -> Self {
        let poll = Poll::new().expect("a poll");
        let mut client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a UDP socket");
        poll.registry().register(&mut client, CLIENT, Interest::READABLE).expect("to poll it");
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).expect("a waker"));
        let address = client.local_addr().expect("its address");
        let (commands, inbox) = channel();
        let counts = Arc::default();
        let runner = Runner {
            poll,
            client,
            inbox,
            flows: BTreeMap::new(),
            next: WAKER.0 + 1,
            server: None,
            links: [Link::new(seed), Link::new(seed.wrapping_add(0x5eed))],
            dark: false,
            waiting: BinaryHeap::new(),
            number: 0,
            counts: Arc::clone(&counts),
        };
        let thread = Some(std::thread::spawn(move || runner.run()));
        Self { address, commands, waker, counts, thread }
    }

    /// The same answer with the relay in the place of the server: its loopback UDP candidate is where the relay sends to
    /// from now on, and all others go, so that nothing goes past it.
    ///
    /// # Panics
    /// When the answer has no UDP candidate on loopback: a relay sends nowhere else.
    pub fn through(&self, answer: &str) -> String {
        let server = answer
            .lines()
            .filter_map(candidate)
            .find(|address| address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST))
            .expect("a candidate on 127.0.0.1");
        self.tell(Command::Server(server));
        rewritten(answer, self.address)
    }

    /// One way is so from now on.
    pub fn set(&self, way: Way, conditions: Conditions) {
        self.tell(Command::Set(way, conditions));
    }

    /// Both ways are so from now on.
    pub fn set_both(&self, conditions: Conditions) {
        self.set(Way::Up, conditions);
        self.set(Way::Down, conditions);
    }

    /// Nothing passes either way while it is dark. What was on its way is lost, too.
    pub fn black_out(&self, dark: bool) {
        self.tell(Command::BlackOut(dark));
    }

    /// A NAT that forgot: from now on the server sees all clients at other ports, and the old ones lead nowhere.
    pub fn rebind(&self) {
        self.tell(Command::Rebind);
    }

    /// What passed and what did not.
    pub fn count(&self, way: Way) -> Count {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)[way as usize]
    }

    fn tell(&self, command: Command) {
        // The relay only ends with its value.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The address of a UDP candidate's line.
fn candidate(line: &str) -> Option<SocketAddr> {
    let mut fields = line.strip_prefix("a=candidate:")?.split_whitespace().skip(2);
    if !fields.next()?.eq_ignore_ascii_case("udp") {
        return None;
    }
    let (_, ip, port) = (fields.next()?, fields.next()?, fields.next()?);
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

fn rewritten(answer: &str, relay: SocketAddr) -> String {
    let mut text = String::with_capacity(answer.len());
    for line in answer.lines() {
        if line.starts_with("a=candidate:") {
            if candidate(line).is_none_or(|address| address.ip() != relay.ip()) {
                continue;
            }
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (ip, port) = (relay.ip().to_string(), relay.port().to_string());
            let fields: Vec<&str> = fields
                .iter()
                .enumerate()
                .map(|(i, field)| match i {
                    4 => &ip,
                    5 => &port,
                    _ => *field,
                })
                .collect();
            text.push_str(&fields.join(" "));
        } else {
            text.push_str(line);
        }
        text.push_str("\r\n");
    }
    text
}

/// A client's port, with the port that stands for it towards the server.
struct Flow {
    socket: UdpSocket,
    token: Token,
    server: SocketAddr,
}

/// A datagram on its way.
struct Waiting {
    at: Instant,
    number: u64,
    way: Way,
    client: SocketAddr,
    bytes: Vec<u8>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

struct Runner {
    poll: Poll,
    client: UdpSocket,
    inbox: Receiver<Command>,
    flows: BTreeMap<SocketAddr, Flow>,
    next: usize,
    server: Option<SocketAddr>,
    links: [Link; 2],
    dark: bool,
    waiting: BinaryHeap<Reverse<Waiting>>,
    number: u64,
    counts: Arc<Mutex<[Count; 2]>>,
}

impl Runner {
    fn run(mut self) {
        let mut events = Events::with_capacity(16);
        let mut buffer = vec![0; 65_536];
        loop {
            let wait =
                self.waiting.peek().map(|Reverse(next)| next.at.saturating_duration_since(Instant::now()));
            // A poll counts in milliseconds: rather a moment early than late.
            let wait = wait.map(|wait| Duration::from_millis(wait.as_millis() as u64));
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != ErrorKind::Interrupted
            {
                return;
            }
            loop {
                match self.inbox.try_recv() {
                    Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return,
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                }
            }
            self.take_from_client(&mut buffer);
            self.take_from_server(&mut buffer);
            self.deliver();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Set(way, conditions) => self.links[way as usize].set(conditions),
            Command::Server(server) => self.server = Some(server),
            Command::BlackOut(dark) => {
                self.dark = dark;
                if dark {
                    self.waiting.clear();
                }
            }
            Command::Rebind => {
                let clients: Vec<_> =
                    self.flows.iter().map(|(client, flow)| (*client, flow.server)).collect();
                self.flows.clear();
                for (client, server) in clients {
                    self.open(client, server);
                }
            }
            Command::Stop => {}
        }
    }

    fn open(&mut self, client: SocketAddr, server: SocketAddr) {
        let mut socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a UDP socket");
        let token = Token(self.next);
        self.next += 1;
        self.poll.registry().register(&mut socket, token, Interest::READABLE).expect("to poll it");
        self.flows.insert(client, Flow { socket, token, server });
    }

    fn take_from_client(&mut self, buffer: &mut [u8]) {
        while let Ok((size, client)) = self.client.recv_from(buffer) {
            if !self.flows.contains_key(&client) {
                let Some(server) = self.server else { continue };
                if self.flows.len() >= MOST_FLOWS
                    && let Some(oldest) =
                        self.flows.iter().min_by_key(|(_, flow)| flow.token).map(|(client, _)| *client)
                {
                    self.flows.remove(&oldest);
                }
                self.open(client, server);
            }
            self.enter(Way::Up, client, &buffer[..size]);
        }
    }

    fn take_from_server(&mut self, buffer: &mut [u8]) {
        let clients: Vec<SocketAddr> = self.flows.keys().copied().collect();
        for client in clients {
            while let Some(Ok((size, source))) =
                self.flows.get(&client).map(|flow| flow.socket.recv_from(buffer))
            {
                if self.flows.get(&client).is_some_and(|flow| flow.server == source) {
                    self.enter(Way::Down, client, &buffer[..size]);
                }
            }
        }
    }

    fn enter(&mut self, way: Way, client: SocketAddr, bytes: &[u8]) {
        let now = Instant::now();
        let passes = if self.dark { None } else { self.links[way as usize].pass(bytes.len(), now) };
        match passes {
            Some(at) => {
                self.number += 1;
                let waiting = Waiting { at, number: self.number, way, client, bytes: bytes.to_vec() };
                self.waiting.push(Reverse(waiting));
            }
            None => self.count(way, |count| count.lost += 1),
        }
    }

    fn deliver(&mut self) {
        // Half a millisecond early is what a poll's clock makes of on time.
        let now = Instant::now() + Duration::from_micros(500);
        while self.waiting.peek().is_some_and(|Reverse(next)| next.at <= now) {
            let Some(Reverse(Waiting { way, client, bytes, .. })) = self.waiting.pop() else { return };
            // A full socket or a closed port loses it, as any network would.
            let _ = match (way, self.flows.get(&client)) {
                (Way::Up, Some(flow)) => flow.socket.send_to(&bytes, flow.server),
                (Way::Down, _) => self.client.send_to(&bytes, client),
                (Way::Up, None) => continue,
            };
            self.count(way, |count| {
                count.passed += 1;
                count.bytes += bytes.len() as u64;
            });
        }
    }

    fn count(&self, way: Way, change: impl FnOnce(&mut Count)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner)[way as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket as Socket;

    fn socket() -> Socket {
        let socket = Socket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    fn answer(port: u16) -> String {
        format!(
            "v=0\r\nm=audio 9 x 0\r\na=candidate:1 1 udp 2130706175 127.0.0.1 {port} typ host\r\n\
             a=candidate:2 1 udp 2130706175 192.0.2.7 {port} typ host\r\n\
             a=candidate:3 1 tcp 2105458943 127.0.0.1 {port} typ host tcptype passive\r\na=end-of-candidates\r\n"
        )
    }

    #[test]
    fn an_answer_leads_to_the_relay_and_nowhere_else() {
        let relay = Relay::start(1);
        let text = relay.through(&answer(7880));
        let candidates: Vec<_> = text.lines().filter(|line| line.starts_with("a=candidate:")).collect();
        let port = relay.address.port();
        assert_eq!(candidates, [format!("a=candidate:1 1 udp 2130706175 127.0.0.1 {port} typ host")]);
        assert!(text.ends_with("a=end-of-candidates\r\n"));
    }

    #[test]
    fn it_carries_both_ways_counts_and_changes_its_port() {
        let (server, client) = (socket(), socket());
        let relay = Relay::start(1);
        relay.through(&answer(server.local_addr().unwrap().port()));
        let mut buffer = [0; 2000];
        let mut exchange = || {
            client.send_to(b"up", relay.address).unwrap();
            let (size, source) = server.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], b"up");
            server.send_to(b"down", source).unwrap();
            let (size, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..size], from), (&b"down"[..], relay.address));
            source
        };
        let before = exchange();
        assert_eq!(exchange(), before);
        relay.rebind();
        assert_ne!(exchange(), before);
        let counted = crate::eventually("the counts", Duration::from_secs(5), || {
            let down = relay.count(Way::Down);
            (down.passed == 3).then_some(down)
        });
        assert_eq!(counted, Count { passed: 3, bytes: 12, lost: 0 });
    }

    #[test]
    fn in_the_dark_nothing_passes() {
        let (server, client) = (socket(), socket());
        let relay = Relay::start(1);
        relay.through(&answer(server.local_addr().unwrap().port()));
        relay.black_out(true);
        client.send_to(b"lost", relay.address).unwrap();
        crate::eventually("the loss", Duration::from_secs(5), || {
            (relay.count(Way::Up).lost == 1).then_some(())
        });
        relay.black_out(false);
        client.send_to(b"there", relay.address).unwrap();
        let mut buffer = [0; 2000];
        let (size, _) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..size], b"there");
    }
}
