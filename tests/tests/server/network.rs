//! Networks as they are: without UDP, with addresses that change, with strangers at the port.

use crate::SOON;
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};
use weir_tests::{
    eventually,
    link::framed,
    peer::{Offering, Peer, Source, post_whep},
    server::{NewChannel, Weir, free_udp_ports},
};

fn live(environment: &[(&str, &str)]) -> (Weir, NewChannel, Peer) {
    let weir = Weir::start_with(environment);
    let channel = weir.create_channel("ada");
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    (weir, channel, publisher)
}

fn candidates(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.strip_prefix("a=candidate:")).collect()
}

#[test]
fn a_viewer_without_udp_gets_the_picture_by_tcp() {
    let (mut weir, _, _publisher) = live(&[]);
    let viewer = Peer::watch_over_tcp(weir.http, "ada");
    viewer.more_video(150);
    let seen = viewer.seen();
    let mut numbers: Vec<_> = seen.video().map(|packet| packet.sequence).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "a stream loses nothing");
    drop(seen);
    assert_eq!(viewer.leave().status, 200);
    weir.assert_healthy();
}

#[test]
fn a_publisher_without_udp_goes_live_by_tcp() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let _publisher = Peer::publish_over_tcp(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let by_udp = Peer::watch(weir.http, "ada");
    let by_tcp = Peer::watch_over_tcp(weir.http, "ada");
    by_udp.more_video(60);
    by_tcp.more_video(60);
}

#[test]
fn an_answer_names_udp_first_and_tcp_with_less_priority() {
    let (weir, ..) = live(&[]);
    let offering = Offering::to_receive();
    let answer = post_whep(weir.http, "ada", &offering.sdp).text();
    let found: Vec<Vec<&str>> = candidates(&answer).iter().map(|line| line.split(' ').collect()).collect();
    let priority = |words: &[&str]| words[3].parse::<u32>().expect("a priority");
    assert_eq!(found.len(), 2, "{answer}");
    assert_eq!((found[0][2], found[1][2]), ("udp", "tcp"));
    assert!(priority(&found[0]) > priority(&found[1]));
    assert_eq!(found[0][4..6], found[1][4..6], "the same address and port");
    assert_eq!(found[1][8..10], ["tcptype", "passive"]);

    let (weir, ..) = live(&[("WEIR_MEDIA_TCP", "false")]);
    let answer = post_whep(weir.http, "ada", &offering.sdp).text();
    assert!(candidates(&answer).iter().all(|line| line.contains(" udp ")), "{answer}");
    TcpStream::connect(weir.media).expect_err("nobody listens");
}

#[test]
fn a_tcp_port_in_use_leaves_udp_and_is_told() {
    let port = free_udp_ports();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port");
    let address = format!("127.0.0.1:{port}");
    let (weir, ..) = live(&[("WEIR_MEDIA_LISTEN", &address), ("WEIR_MEDIA_SHARDS", "1")]);
    assert!(weir.console().contains(&address), "{}", weir.console());
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    assert!(!viewer.answer.contains(" tcp "));
}

/// Whether the server has closed a connection; waits for it.
fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).expect("a timeout");
    match stream.read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => panic!("it answered"),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// A check that names a ufrag, as anybody could make it.
fn check(ufrag: &str) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([9; 12]);
    let name = format!("{ufrag}:abcd");
    message.extend([0, 6, 0, name.len() as u8]);
    message.extend(name.as_bytes());
    message.resize(message.len().next_multiple_of(4), 0);
    let length = (message.len() - 20) as u8;
    message[3] = length;
    message
}

#[test]
fn strangers_at_the_tcp_port_are_shown_out_and_nobody_else_notices() {
    let (mut weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let viewer = Peer::watch_over_tcp(weir.http, "ada");
    viewer.connected();
    let ufrag = viewer.answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag");
    let cases: [(&str, Vec<u8>); 8] = [
        ("a web request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("an empty frame", vec![0, 0]),
        ("a frame that never ends", [vec![0xff, 0xff], vec![0; 4096]].concat()),
        ("media", framed(&[0x80; 200])),
        ("a handshake", framed(&[22; 200])),
        ("a check for nobody", framed(&check("nobody"))),
        ("a check that proves nothing", framed(&check(ufrag))),
        ("rubbish", framed(&[5; 100])),
    ];
    for (what, bytes) in cases {
        let mut stream = TcpStream::connect(weir.media).expect("a connection");
        stream.write_all(&bytes).expect("to write");
        assert!(is_closed(&mut stream, SOON), "{what}");
    }
    // Who says nothing is waited for, but not for long.
    let mut silent = TcpStream::connect(weir.media).expect("a connection");
    let mut slow = TcpStream::connect(weir.media).expect("a connection");
    slow.write_all(&framed(&check(ufrag))[..30]).expect("to write");
    assert!(is_closed(&mut silent, SOON * 3) && is_closed(&mut slow, SOON * 3));
    viewer.more_video(30);
    weir.assert_healthy();
}

#[test]
fn strangers_without_number_hold_a_bounded_number_of_connections() {
    let (mut weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let viewer = Peer::watch_over_tcp(weir.http, "ada");
    viewer.connected();
    let descriptors = || {
        let folder = format!("/proc/{}/fd", weir.pid());
        std::fs::read_dir(folder).expect("its descriptors").count()
    };
    let before = descriptors();
    let crowd: Vec<_> = (0..200).map(|_| TcpStream::connect(weir.media).expect("a connection")).collect();
    eventually("most are shown out", SOON, || {
        let gone = crowd.iter().filter(|stream| {
            stream.set_nonblocking(true).expect("an option");
            let mut stream: &TcpStream = stream;
            match stream.read(&mut [0; 8]) {
                Ok(size) => size == 0,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        });
        (gone.count() >= 180).then_some(())
    });
    assert!(descriptors() <= before + 20, "{} and then {}", before, descriptors());
    drop(crowd);
    viewer.more_video(30);
    eventually("room again", SOON, || {
        let newcomer = Peer::watch_over_tcp(weir.http, "ada");
        newcomer.more_video(10);
        Some(())
    });
    weir.assert_healthy();
}

#[test]
fn a_tcp_viewer_that_stops_reading_costs_only_itself() {
    let (mut weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let stuck = Peer::watch_over_tcp(weir.http, "ada");
    stuck.more_video(10);
    stuck.freeze();
    let others = [Peer::watch_over_tcp(weir.http, "ada"), Peer::watch(weir.http, "ada")];
    for other in &others {
        other.more_video(150);
    }
    // Nothing is heard from it any more, either.
    eventually("its end", Duration::from_secs(20), || (weir.state("ada")["viewerCount"] == 2).then_some(()));
    weir.assert_healthy();
}

#[test]
fn a_connection_that_breaks_ends_no_other_session() {
    let (mut weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let stays = Peer::watch_over_tcp(weir.http, "ada");
    stays.more_video(10);
    for _ in 0..20 {
        Peer::watch_over_tcp(weir.http, "ada").vanish();
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, weir.media.port())));
        stream.expect("a connection").shutdown(Shutdown::Both).expect("to close it");
    }
    stays.more_video(60);
    weir.assert_healthy();
}
