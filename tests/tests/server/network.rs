//! Networks as they are: without UDP, with addresses that change, with strangers at the port.

use crate::SOON;
use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex},
    time::Duration,
};
use str0m::{format::Codec, media::Direction};
use weir_tests::{
    events::Events,
    eventually,
    http::Request,
    link::framed,
    peer::{Offering, Peer, Source, post_whep},
    relay::Relay,
    server::{NewChannel, Weir, free_udp_ports, signal},
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
    let (weir, _, _publisher) = live(&[]);
    let offering = Offering::to_receive();
    let answer = post_whep(weir.http, "ada", &offering.sdp).text();
    let found: Vec<Vec<&str>> = candidates(&answer).iter().map(|line| line.split(' ').collect()).collect();
    let priority = |words: &[&str]| words[3].parse::<u32>().expect("a priority");
    assert_eq!(found.len(), 2, "{answer}");
    assert_eq!((found[0][2], found[1][2]), ("udp", "tcp"));
    assert!(priority(&found[0]) > priority(&found[1]));
    assert_eq!(found[0][4..6], found[1][4..6], "the same address and port");
    assert_eq!(found[1][8..10], ["tcptype", "passive"]);

    let (weir, _, _publisher) = live(&[("WEIR_MEDIA_TCP", "false")]);
    let answer = post_whep(weir.http, "ada", &offering.sdp).text();
    assert!(candidates(&answer).iter().all(|line| line.contains(" udp ")), "{answer}");
    TcpStream::connect(weir.media).expect_err("nobody listens");
}

#[test]
fn a_tcp_port_in_use_leaves_udp_and_is_told() {
    let port = free_udp_ports();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port");
    let address = format!("127.0.0.1:{port}");
    let (weir, _, _publisher) = live(&[("WEIR_MEDIA_LISTEN", &address), ("WEIR_MEDIA_SHARDS", "1")]);
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

#[test]
fn a_nat_that_gives_another_port_is_followed_and_the_session_stays() {
    let (weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let relay = Relay::start(1);
    let offering = Offering::to_receive();
    let response = post_whep(weir.http, "ada", &offering.sdp);
    let answer = relay.through(&response.text());
    let viewer = offering.start_with(weir.http, &response, &answer, None, None);
    viewer.more_video(60);
    for _ in 0..2 {
        relay.rebind();
        viewer.more_video_within(60, SOON * 3);
    }
    assert!(!viewer.seen().closed);
    assert_eq!(viewer.leave().status, 200, "the same session");
}

/// Stands between a viewer and the server, and keeps the viewer's checks.
fn tap(server: SocketAddr, checks: Arc<Mutex<Vec<Vec<u8>>>>) -> SocketAddr {
    let inner = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let outer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = inner.local_addr().expect("its address");
    let viewer = Arc::new(Mutex::new(None));
    let (back, to_viewer) = (Arc::clone(&viewer), inner.try_clone().expect("a socket"));
    let from_server = outer.try_clone().expect("a socket");
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((size, _)) = from_server.recv_from(&mut buffer) {
            let viewer: Option<SocketAddr> = *back.lock().expect("the viewer");
            if let Some(viewer) = viewer {
                let _ = to_viewer.send_to(&buffer[..size], viewer);
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((size, from)) = inner.recv_from(&mut buffer) {
            *viewer.lock().expect("the viewer") = Some(from);
            if buffer[..2] == [0, 1] {
                checks.lock().expect("the checks").push(buffer[..size].to_vec());
            }
            let _ = outer.send_to(&buffer[..size], server);
        }
    });
    address
}

#[test]
fn checks_that_somebody_else_sends_again_bring_no_media_and_move_nobody() {
    let (mut weir, _, _publisher) = live(&[("WEIR_MEDIA_SHARDS", "1")]);
    let checks = Arc::new(Mutex::new(Vec::new()));
    let tap = tap(weir.media, Arc::clone(&checks));
    let offering = Offering::to_receive();
    let response = post_whep(weir.http, "ada", &offering.sdp);
    let (at, through) =
        (format!(" 127.0.0.1 {} typ", weir.media.port()), format!(" 127.0.0.1 {} typ", tap.port()));
    let answer = response.text().replace(&at, &through);
    let viewer = offering.start_with(weir.http, &response, &answer, None, None);
    viewer.more_video(30);
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    for _ in 0..5 {
        let copies = checks.lock().expect("the checks").clone();
        assert!(!copies.is_empty());
        for copy in copies {
            let mut forged = copy.clone();
            forged[8] ^= 1;
            for datagram in [copy, forged, vec![0x80; 200], vec![22; 200]] {
                stranger.send_to(&datagram, weir.media).expect("to send");
            }
        }
        viewer.more_video(30);
    }
    stranger.set_nonblocking(true).expect("an option");
    let mut buffer = [0; 2048];
    assert!(stranger.recv_from(&mut buffer).is_err(), "a stranger got an answer: {:02x?}", &buffer[..20]);
    weir.assert_healthy();
}

#[test]
fn viewers_come_by_ipv6_and_ipv4_to_one_port() {
    let codecs = [Codec::Vp8];
    let watch = |weir: &Weir, ip: IpAddr| {
        let offering = Offering::from(ip, Direction::RecvOnly, &codecs);
        let response = post_whep(weir.http, "ada", &offering.sdp);
        offering.start(weir.http, &response, None, None)
    };
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    if UdpSocket::bind((v6, 0)).is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let port = free_udp_ports();
    let (weir, _, _publisher) = live(&[("WEIR_MEDIA_LISTEN", &format!("[::]:{port}"))]);
    let viewers = [watch(&weir, v4), watch(&weir, v6), Peer::watch_over_tcp(weir.http, "ada")];
    for viewer in &viewers {
        viewer.more_video(60);
    }
    let answer = &viewers[0].answer;
    assert!(answer.contains(" ::1 ") && answer.contains(" 127.0.0.1 "), "{answer}");
    assert!(!answer.contains(" fe80:"), "an address of one link alone: {answer}");

    let port = free_udp_ports();
    let weir = Weir::start_with(&[("WEIR_MEDIA_LISTEN", &format!("[::1]:{port}"))]);
    let channel = weir.create_channel("ada");
    let offering = Offering::from(v6, Direction::SendOnly, &codecs);
    let response = weir_tests::peer::post_whip(weir.http, "/whip/ada", &channel.key, &offering.sdp);
    let _publisher = offering.start(weir.http, &response, Some(&channel.key), Some(Source::new(1)));
    weir.until_state("ada", "live", SOON);
    let viewer = watch(&weir, v6);
    viewer.more_video(60);
    assert!(candidates(&viewer.answer).iter().all(|line| line.contains(" ::1 ")), "{}", viewer.answer);
}

#[test]
fn an_answer_names_every_public_address() {
    let (weir, _, _publisher) = live(&[("WEIR_MEDIA_PUBLIC_IP", "127.0.0.1, 203.0.113.7, 2001:db8::7")]);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(30);
    for address in ["127.0.0.1", "203.0.113.7", "2001:db8::7"] {
        let lines = candidates(&viewer.answer);
        let of = lines.iter().filter(|line| line.contains(&format!(" {address} ")));
        assert_eq!(of.count(), 2, "{address} by UDP and TCP: {lines:?}");
    }
}

#[test]
fn who_is_on_goes_on_while_the_server_drains_and_nobody_new_comes() {
    let (mut weir, channel, publisher) = live(&[("WEIR_DRAIN_SECONDS", "4")]);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    let mut events = Events::open(weir.http);
    events.request("channel:stream_state:v1", "s1", Some("ada"));
    events.until("the state", SOON, |message| message["event"] == "channel:stream_state:v1:stream");
    signal(weir.pid(), "TERM");
    assert!(events.is_closed(), "those who follow are told");
    let (offer, other) = (Offering::to_receive().sdp, Offering::to_send().sdp);
    let refused = [
        post_whep(weir.http, "ada", &offer),
        weir_tests::peer::post_whip(weir.http, "/whip/ada", &channel.key, &other),
    ];
    for response in refused {
        assert_eq!(response.status, 503, "{}", response.text());
        assert!(response.header("retry-after").is_some());
        assert_eq!(response.json()["type"].as_str().map(|kind| kind.ends_with("draining")), Some(true));
    }
    assert_eq!(Request::new("GET", "/readyz").send(weir.http).status, 503);
    assert_eq!(Request::new("GET", "/healthz").send(weir.http).status, 200);
    assert_eq!(weir_tests::events::open(weir.http, None, None).err(), Some(503));
    viewer.more_video(30);
    let status = weir.wait(Duration::from_secs(20));
    assert!(status.success(), "{status}: {}", weir.console());
    for peer in [&viewer, &publisher] {
        peer.until("a goodbye", SOON, |seen| seen.closed.then_some(()));
    }
}

#[test]
fn a_drain_ends_with_the_last_session_or_the_second_signal() {
    let slow = [("WEIR_DRAIN_SECONDS", "20")];
    let mut idle = Weir::start_with(&slow);
    assert!(idle.terminate(SOON).success(), "nobody is on");

    let (mut weir, _, publisher) = live(&slow);
    signal(weir.pid(), "TERM");
    eventually("the drain", SOON, || weir.console().contains("draining").then_some(()));
    assert_eq!(publisher.leave().status, 200, "a goodbye is heard while it drains");
    assert!(weir.wait(SOON).success());

    let (mut weir, _, _publisher) = live(&slow);
    signal(weir.pid(), "TERM");
    eventually("the drain", SOON, || weir.console().contains("draining").then_some(()));
    assert!(weir.terminate(SOON).success(), "the second signal waits for nobody");

    let (mut weir, _, _publisher) = live(&slow);
    signal(weir.pid(), "INT");
    assert!(weir.wait(SOON).success(), "neither does Ctrl-C");
}

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let mut weir = Weir::start();
    let mut slow = TcpStream::connect(weir.http).expect("a connection");
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").expect("to write");
    slow.set_read_timeout(Some(SOON * 6)).expect("a timeout");
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    let mut large = TcpStream::connect(weir.http).expect("a connection");
    let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(200_000));
    // It may close before all is written.
    let _ = large.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = large.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    weir.assert_healthy();
}
