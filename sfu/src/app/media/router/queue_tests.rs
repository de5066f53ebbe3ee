//! What is lost while another shard has no room for it, and comes again once it has.

use super::*;
use std::sync::mpsc::Receiver;

/// Two shards whose queues a test empties, with room for one message each.
struct Two {
    routers: [ShardRouter; 2],
    handles: Vec<ShardHandle<ShardRouter>>,
    queues: Vec<Receiver<Command<ShardRouter>>>,
    peers: Peers,
    now: Instant,
    _polls: Vec<mio::Poll>,
}

impl Two {
    fn new() -> Self {
        let (mut handles, mut queues, mut polls) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..2 {
            let (handle, queue, poll) = ShardHandle::stuck(1);
            handles.push(handle);
            queues.push(queue);
            polls.push(poll);
        }
        let router = |index| {
            // Nobody reads what is told of sessions here.
            let reports = mpsc::channel(1).0;
            ShardRouter::new(index, handles.clone(), reports, None, Ladders::default())
        };
        let routers = [router(0), router(1)];
        Self { routers, handles, queues, peers: Peers::default(), now: Instant::now(), _polls: polls }
    }

    /// A tenth of a second passes on a shard.
    fn tick(&mut self, shard: usize) {
        self.now += Duration::from_millis(100);
        self.routers[shard].tick(&mut self.peers, self.now);
    }

    /// A shard takes what is in its queue; how much that was.
    fn wake(&mut self, shard: usize) -> usize {
        let mut taken = 0;
        while let Ok(command) = self.queues[shard].try_recv() {
            taken += 1;
            if let Command::Message(message) = command {
                self.routers[shard].message(message, &mut self.peers, self.now);
            }
        }
        taken
    }

    fn subscribers(&self, room: RoomKey) -> u64 {
        self.routers[1].rooms.get(&room).map_or(0, |room| room.subscribers)
    }
}

#[test]
fn a_subscription_that_a_stuck_shard_had_no_room_for_comes_again_once_it_has() {
    let mut two = Two::new();
    let room = RoomKey(1);
    let (publisher, viewer) = (PeerKey(1), PeerKey(2));
    two.routers[1].opened(publisher, Usher::Publisher(room), &mut two.peers, two.now);
    // What fills its queue is of no consequence.
    let other = Message::Unsubscribe { room: RoomKey(9), shard: 0 };
    two.handles[1].tell(Command::Message(other)).unwrap();
    two.routers[0].opened(viewer, Usher::Viewer(room), &mut two.peers, two.now);
    assert_eq!(two.handles[1].refused(), 1, "it is told at once, and has no room");
    for _ in 0..100 {
        two.tick(0);
    }
    let refused = two.handles[1].refused();
    assert!((2..=20).contains(&refused), "asked again each second, and not more often: {refused}");
    assert_eq!(two.wake(1), 1, "nothing waits but what its queue had room for");
    assert_eq!(two.subscribers(room), 0);

    (0..10).for_each(|_| two.tick(0));
    two.wake(1);
    assert_eq!(two.subscribers(room), 0b01, "within a second");
    assert_eq!(two.handles[1].refused(), refused);
}

#[test]
fn a_farewell_that_a_stuck_shard_had_no_room_for_is_said_again_when_media_still_comes() {
    let mut two = Two::new();
    let room = RoomKey(1);
    two.routers[1].opened(PeerKey(1), Usher::Publisher(room), &mut two.peers, two.now);
    two.routers[0].opened(PeerKey(2), Usher::Viewer(room), &mut two.peers, two.now);
    assert_eq!((two.wake(1), two.subscribers(room)), (1, 0b01));
    let other = Message::Unsubscribe { room: RoomKey(9), shard: 0 };
    two.handles[1].tell(Command::Message(other)).unwrap();
    two.routers[0].closed(PeerKey(2), Closed::ByPeer, &mut two.peers, Duration::ZERO);
    two.tick(0);
    two.wake(1);
    assert_eq!(two.subscribers(room), 0b01, "it doesn't know yet");
    let media = Message::Media { room, from: 1, packets: Arc::new([]) };
    two.routers[0].message(media, &mut two.peers, two.now);
    two.wake(1);
    assert_eq!(two.subscribers(room), 0, "what is sent in vain is sent once");
}
