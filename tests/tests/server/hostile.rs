//! What nobody well-meaning sends: each gets a clear answer or silence, and harms no one else.

use crate::{SOON, whip_key};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};
use weir_tests::{
    events::Events,
    http::{Request, read_response},
    peer::{FRAGMENT, Offering, Peer, SDP, Source, post_whep, post_whip},
    server::Weir,
};

/// A refusal takes no thought.
const QUICK: Duration = Duration::from_secs(1);

fn offers() -> Vec<(&'static str, Vec<u8>)> {
    let good = Offering::to_send().sdp;
    let without = |prefix: &str| -> Vec<u8> {
        good.lines()
            .filter(|line| !line.starts_with(prefix))
            .map(|line| format!("{line}\r\n"))
            .collect::<String>()
            .into()
    };
    let with = |from: &str, to: &str| -> Vec<u8> { good.replace(from, to).into_bytes() };
    let session: String =
        good.lines().take_while(|line| !line.starts_with("m=")).map(|l| format!("{l}\r\n")).collect();
    let media: String =
        good.lines().skip_while(|line| !line.starts_with("m=")).map(|l| format!("{l}\r\n")).collect();
    let video: String =
        good.lines().skip_while(|line| !line.starts_with("m=video")).map(|l| format!("{l}\r\n")).collect();
    let many = |count: usize| {
        let lines = (0..count).map(|i| {
            format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{i}\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\n")
        });
        format!("{session}{}", lines.collect::<String>()).into_bytes()
    };
    let payloads: String = (0..2000).map(|i| format!("a=rtpmap:{} VP8/90000\r\n", i % 128)).collect();
    vec![
        ("nothing", Vec::new()),
        ("a blank line", b"\r\n".to_vec()),
        ("text", b"hello".to_vec()),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("JSON", br#"{"type":"offer","sdp":"v=0"}"#.to_vec()),
        ("only the version", b"v=0\r\n".to_vec()),
        ("only the session part", session.clone().into()),
        ("only the media part", media.into()),
        ("cut in the middle", good.as_bytes()[..good.len() / 2].to_vec()),
        ("cut in the first line", b"v=".to_vec()),
        ("zeroes", vec![0; 4096]),
        ("bytes that are no UTF-8", (0..=255).cycle().take(8192).collect()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("one line of 60 KB", format!("v=0\r\na={}\r\n", "x".repeat(60_000)).into()),
        ("10,000 lines", format!("{session}{}", "a=x\r\n".repeat(10_000)).into()),
        ("500 media lines", many(500)),
        ("a thousand media lines", many(1000)),
        ("no ICE user", without("a=ice-ufrag")),
        ("no ICE password", without("a=ice-pwd")),
        ("no fingerprint", without("a=fingerprint")),
        ("a fingerprint of nothing", with("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 ZZ:")),
        (
            "an ICE password of 5,000 characters",
            with("a=ice-pwd:", &format!("a=ice-pwd:{}", "p".repeat(5000))),
        ),
        ("an unknown version", with("v=0", "v=7")),
        ("SDES keys", with("UDP/TLS/RTP/SAVPF", "RTP/SAVP")),
        ("a port that is none", with("m=video 9 ", "m=video 99999999999 ")),
        ("a negative port", with("m=video 9 ", "m=video -1 ")),
        ("2,000 payload types", format!("{session}{video}{payloads}").into()),
        (
            "a data channel alone",
            format!("{session}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n").into(),
        ),
        ("bare carriage returns", good.replace("\r\n", "\r").into()),
    ]
}

#[test]
fn broken_offers_are_refused_in_words() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let live = weir.create_channel("bob");
    let _publisher = Peer::publish(weir.http, "bob", &live.key, Source::new(1));
    weir.until_state("bob", "live", SOON);
    for (name, offer) in offers() {
        for (path, key) in [("/whip/ada", Some(&channel.key)), ("/whep/bob", None)] {
            let mut request = Request::new("POST", path).body(SDP, offer.clone());
            if let Some(key) = key {
                request = request.bearer(key);
            }
            let started = Instant::now();
            let response = request.send(weir.http);
            let took = started.elapsed();
            assert!(
                (400..500).contains(&response.status),
                "{name} to {path}: {} {}",
                response.status,
                response.text()
            );
            response.problem(response.status);
            assert!(took < QUICK, "{name} to {path} took {took:?}");
        }
    }
    weir.assert_healthy();
    let viewer = Peer::watch(weir.http, "bob");
    viewer.more_video(20);
    assert_eq!(weir.state("ada")["state"], "offline");
}

#[test]
fn fuzz_offers_and_fragments() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let live = weir.create_channel("bob");
    let publisher = Peer::publish(weir.http, "bob", &live.key, Source::new(1));
    let viewer_session = {
        weir.until_state("bob", "live", SOON);
        Peer::watch(weir.http, "bob")
    };
    let (seed, until) = fuzzing();
    let mut random = StdRng::seed_from_u64(seed);
    let (publish, play) = (Offering::to_send().sdp, Offering::to_receive().sdp);
    let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
        a=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n";
    let mut count = 0;
    while Instant::now() < until {
        let target = random.random_range(0..3);
        let text = mutate(&mut random, [&publish, &play, fragment][target]);
        let started = Instant::now();
        let response = match target {
            0 => {
                Request::new("POST", "/whip/ada").bearer(&channel.key).body(SDP, text.clone()).send(weir.http)
            }
            1 => Request::new("POST", "/whep/bob").body(SDP, text.clone()).send(weir.http),
            _ => {
                let session = Request::new("PATCH", &viewer_session.session).header("if-match", "*");
                session.body(FRAGMENT, text.clone()).send(weir.http)
            }
        };
        // 503: enough sessions that nobody ever connects to are a full house, and that is an answer.
        let fine = matches!(response.status, 200 | 201 | 204 | 400..=499 | 503);
        let took = started.elapsed();
        assert!(
            fine && took < QUICK,
            "seed {seed}: {} after {took:?} for {:?}",
            response.status,
            String::from_utf8_lossy(&text)
        );
        count += 1;
    }
    println!("{count} texts");
    weir.assert_healthy();
    let before = publisher.seen().frames_sent;
    publisher.until("frames", SOON, |seen| (seen.frames_sent > before + 10).then_some(()));
    assert_eq!(weir.state("bob")["state"], "live");
}

/// A seed (printed; `WEIR_FUZZ_SEED` gives it back) and until when to go on (`WEIR_FUZZ_SECONDS`, 3 without).
fn fuzzing() -> (u64, Instant) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = number("WEIR_FUZZ_SEED").unwrap_or_else(rand::random);
    println!("seed {seed}");
    (seed, Instant::now() + Duration::from_secs(number("WEIR_FUZZ_SECONDS").unwrap_or(3)))
}

fn mutate(random: &mut StdRng, text: &str) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split("\r\n").map(|line| line.as_bytes().to_vec()).collect();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..lines.len());
        match random.random_range(0..6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = random.random_range(0..lines.len());
                lines.swap(at, other);
            }
            3 => {
                let end = random.random_range(0..=lines[at].len());
                lines[at].truncate(end);
            }
            4 => {
                if let Some(byte) = (!lines[at].is_empty()).then(|| random.random_range(0..lines[at].len())) {
                    lines[at][byte] = random.random();
                }
            }
            _ => {
                let digits =
                    ["0", "-1", "65536", "4294967296", "18446744073709551616", "99999999999999999999999"];
                let number = digits[random.random_range(0..digits.len())];
                let line = String::from_utf8_lossy(&lines[at]).into_owned();
                let start = line.find(|c: char| c.is_ascii_digit()).unwrap_or(line.len());
                let rest = line[start..].trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
                lines[at] = format!("{}{number}{rest}", &line[..start]).into_bytes();
            }
        }
        if lines.is_empty() {
            lines.push(Vec::new());
        }
    }
    lines.join(&b"\r\n"[..])
}

/// A datagram that looks like something.
fn garbage(random: &mut StdRng, ufrags: &[String]) -> Vec<u8> {
    let size = *[0, 1, 3, 4, 12, 19, 20, 21, 27, 64, 200, 1200, 1472, 9000]
        .get(random.random_range(0..14))
        .unwrap_or(&20);
    let mut datagram = vec![0; size];
    random.fill(&mut datagram[..]);
    let kind = random.random_range(0..7);
    match (kind, datagram.first_mut()) {
        // STUN: a binding request cut anywhere, its length a lie.
        (0, Some(_)) => {
            let header = [0, 1, random.random(), random.random(), 0x21, 0x12, 0xa4, 0x42];
            let length = header.len().min(size);
            datagram[..length].copy_from_slice(&header[..length]);
        }
        // STUN that names a session that lives, without its password.
        (1, _) => {
            let ufrag = &ufrags[random.random_range(0..ufrags.len())];
            datagram = binding_request(random, ufrag);
        }
        // DTLS.
        (2, Some(first)) => *first = random.random_range(20..64),
        // RTP and RTCP.
        (3 | 4, Some(first)) => {
            *first = random.random_range(128..192);
            if let (4, Some(second)) = (kind, datagram.get_mut(1)) {
                *second = random.random_range(200..208);
            }
        }
        // TURN channel data.
        (5, Some(first)) => *first = random.random_range(64..80),
        _ => {}
    }
    datagram
}

fn binding_request(random: &mut StdRng, user: &str) -> Vec<u8> {
    let name = user.as_bytes();
    let padded = name.len().next_multiple_of(4);
    let mut attributes = vec![0, 6, 0, name.len() as u8];
    attributes.extend_from_slice(name);
    attributes.resize(4 + padded, 0);
    attributes.extend_from_slice(&[0, 8, 0, 20]); // MESSAGE-INTEGRITY of nobody
    attributes.extend((0..20).map(|_| random.random::<u8>()));
    let mut request =
        vec![0, 1, (attributes.len() >> 8) as u8, attributes.len() as u8, 0x21, 0x12, 0xa4, 0x42];
    request.extend((0..12).map(|_| random.random::<u8>()));
    request.extend(attributes);
    request
}

#[test]
fn fuzz_datagrams() {
    let mut weir = Weir::start();
    let channel = weir.create_channel("ada");
    let source = Source::new(1);
    let publisher = Peer::publish(weir.http, "ada", &channel.key, source);
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    let ufrag = |sdp: &str| {
        sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag").to_owned()
    };
    let ufrags: Vec<String> =
        [&publisher.answer, &viewer.answer].iter().map(|sdp| format!("{}:abcd", ufrag(sdp))).collect();
    let shards = std::thread::available_parallelism().map_or(1, usize::from) as u16;
    let (seed, until) = fuzzing();
    let mut random = StdRng::seed_from_u64(seed);
    let mut sockets: Vec<_> =
        (0..8).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket")).collect();
    let mut count = 0_usize;
    let mut turn = 0_usize;
    while Instant::now() < until {
        // As fast as the receiver takes it, so that what is lost is lost by garbage and not by a full socket.
        for _ in 0..20 {
            let datagram = garbage(&mut random, &ufrags);
            let port = weir.media.port() + random.random_range(0..shards);
            let socket = &sockets[turn % sockets.len()];
            let _ = socket.send_to(&datagram, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
            count += 1;
            turn += 1;
        }
        if turn.is_multiple_of(2000) {
            let at = turn / 2000 % sockets.len();
            sockets[at] = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        }
        viewer.until("media during the noise", SOON, |seen| (!seen.packets.is_empty()).then_some(()));
        std::thread::sleep(Duration::from_millis(2));
    }
    println!("{count} datagrams");
    weir.assert_healthy();
    viewer.more_video(60);
    assert_eq!(weir.state("ada")["state"], "live");
    let mut sequences: Vec<_> = viewer.seen().video().map(|packet| packet.sequence).collect();
    sequences.sort_unstable();
    sequences.dedup();
    let expected = sequences.last().expect("packets") - sequences[0] + 1;
    assert_eq!(sequences.len() as u64, expected, "seed {seed}: packets were lost");
    assert!(
        viewer.seen().video().all(|packet| packet.parsed().label.source == 1),
        "a stranger's packet got in"
    );
    assert!(!publisher.seen().closed && !viewer.seen().closed, "seed {seed}");
}

#[test]
fn a_stranger_cannot_take_a_session_over_by_its_address() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    // The server's side of the address is known to everybody; the answer to a stranger is silence or a STUN error.
    let ufrag =
        viewer.answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag").to_owned();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let mut random = StdRng::seed_from_u64(1);
    for port in 0..2 {
        for _ in 0..50 {
            let request = binding_request(&mut random, &format!("{ufrag}:abcd"));
            let _ =
                stranger.send_to(&request, SocketAddr::from((Ipv4Addr::LOCALHOST, weir.media.port() + port)));
        }
    }
    viewer.more_video(60);
    stranger.set_nonblocking(true).expect("nonblocking");
    let mut buffer = [0; 2000];
    while let Ok((size, _)) = stranger.recv_from(&mut buffer) {
        assert!(
            size < 200 && buffer[0] < 2 && buffer[..2] != [1, 1],
            "media or a success for a stranger: {:02x?}",
            &buffer[..size]
        );
    }
    drop(publisher);
}

#[test]
fn broken_requests_are_answered_or_cut_off() {
    let mut weir = Weir::start();
    let (key, _) = whip_key(&weir);
    let raw: Vec<Vec<u8>> = vec![
        b"GET\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"POST /whip/ada HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /whip/ada HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello".to_vec(),
        b"POST /whip/ada HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        format!("POST /whip/ada HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/sdp\r\ncontent-length: 99999999999999\r\n\r\nv=0").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000)).into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(20_000)).into_bytes(),
    ];
    for request in raw {
        let name: String = String::from_utf8_lossy(&request).chars().take(60).collect();
        let mut stream = TcpStream::connect(weir.http).expect("a connection");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(Shutdown::Write);
        match read_response(&mut stream, false) {
            Ok(response) => assert!(
                (400..=505).contains(&response.status) && response.status != 500,
                "{name}: {}",
                response.status
            ),
            Err(error) => assert!(
                !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
                "{name}: {error}"
            ),
        }
    }
    weir.assert_healthy();
}

#[test]
fn paths_out_of_the_house_lead_nowhere() {
    let mut weir = Weir::start();
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fweir.db",
        "/%00",
        "/assets/%00",
        "/api/v1/channels/..%2f..%2fme",
        "//etc/passwd",
        "/assets/does-not-exist.js",
        "/api/v1/nothing",
        "/.git/config",
        "/weir.db",
        "/data/weir.db",
    ] {
        let response = Request::new("GET", path).header("accept", "*/*").send(weir.http);
        assert!(response.status < 500, "{path}: {}", response.status);
        let text = response.text();
        assert!(!text.contains("root:x:") && !text.contains("SQLite format"), "{path}");
        if path.starts_with("/assets/") || path.starts_with("/api/") {
            assert!((400..500).contains(&response.status), "{path}: {}", response.status);
        }
    }
    weir.assert_healthy();
}

#[test]
fn broken_frames_close_one_event_socket_and_no_other() {
    let mut weir = Weir::start();
    weir.create_channel("ada");
    let mut bystander = Events::open(weir.http);
    bystander.request("channel:stream_state:v1", "s1", Some("ada"));
    bystander.until("the state", SOON, |message| message["payload"]["state"] == "offline");
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        frame
    };
    let frames: Vec<(&str, Vec<u8>)> = vec![
        ("a reserved opcode", masked(0x83, b"x")),
        ("reserved bits", masked(0xf1, b"x")),
        ("no mask", vec![0x81, 2, b'{', b'}']),
        ("a control frame in pieces", masked(0x09, b"x")),
        ("a ping of 200 bytes", {
            let mut frame = vec![0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0];
            frame.extend([7; 200]);
            frame
        }),
        ("a continuation of nothing", masked(0x80, b"x")),
        ("text that is no UTF-8", masked(0x81, &[0xff, 0xfe, 0xc0])),
        ("a length of 2^63", vec![0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("a length of 1 GB", vec![0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]),
        ("a message of 4 MB", masked(0x81, &vec![b'x'; 4 << 20])),
        ("garbage", (0..400_u32).map(|i| (i * 37 % 251) as u8).collect()),
    ];
    for (name, frame) in frames {
        let mut stream = Events::open(weir.http).into_stream();
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        let _ = stream.write_all(&frame);
        let mut said = Vec::new();
        // Closed: with a close frame, or at once.
        if let Err(error) = stream.read_to_end(&mut said) {
            let still_open =
                matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
            assert!(!still_open, "{name}: the connection stays open");
        }
    }
    weir.assert_healthy();
    bystander.request("instance:stream_directory:v1", "d1", None);
    bystander.until("the directory", SOON, |message| message["id"] == "d1");
}

#[test]
fn events_that_make_no_sense_are_answered_and_a_flood_is_bounded() {
    let mut weir = Weir::start();
    weir.create_channel("ada");
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "hello",
        "{\"event\":1}",
        "{\"event\":\"x\",\"id\":\"a\"}",
        "{\"event\":\"channel:stream_state:v1:requested\",\"id\":\"a b\"}",
        "{\"event\":\"channel:stream_state:v1:started\",\"id\":\"a\"}",
        "{\"event\":\"channel:stream_state:v9:requested\",\"id\":\"a\"}",
        "{\"event\":\"channel:stream_state:v1:requested\",\"id\":\"a\"}",
        "{\"event\":\"channel:stream_state:v1:requested\",\"id\":\"a\",\"payload\":{\"channel\":\"no such\"}}",
        "{\"event\":\"channel:stream_state:v1:requested\",\"id\":\"a\",\"payload\":{\"channel\":\"nobody\"}}",
        &"[".repeat(10_000),
    ] {
        let mut events = Events::open(weir.http);
        events.send_text(text);
        let shown: String = text.chars().take(90).collect();
        match events.next(SOON) {
            Some(answer) => {
                let event = answer["event"].as_str().unwrap_or_default();
                assert!(
                    event.ends_with(":failed") || answer["payload"]["detail"].is_string(),
                    "{shown}: {answer}"
                );
            }
            // Closed with a reason, then: not left waiting.
            None => assert!(events.is_closed(), "{shown}: no answer, and still open"),
        }
    }
    let mut events = Events::open(weir.http);
    events.send_binary(vec![0; 100]);
    assert!(events.next(SOON).is_some() || events.is_closed(), "binary");
    // Two thousand requests on one connection: refused at some point, never a fault.
    let mut flood = Events::open(weir.http);
    for i in 0..2000 {
        if !flood.try_request("channel:stream_state:v1", &format!("r{i}"), Some("ada")) {
            break;
        }
    }
    weir.assert_healthy();
    let mut other = Events::open(weir.http);
    other.request("channel:stream_state:v1", "s1", Some("ada"));
    other.until("the state", SOON, |message| message["payload"]["state"] == "offline");
}

#[test]
fn the_event_socket_is_for_the_app_s_own_pages() {
    let weir = Weir::start();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"] {
        let refused = weir_tests::events::open(weir.http, Some(origin), None).err();
        assert!(matches!(refused, Some(400..=403)), "{origin}: {refused:?}");
    }
}

#[test]
fn a_thousand_half_requests_keep_nobody_out() {
    let mut weir = Weir::start();
    weir.create_channel("ada");
    let slow: Vec<_> = (0..500)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(weir.http).ok()?;
            stream.write_all(b"POST /whip/ada HTTP/1.1\r\nhost: x\r\n").ok()?;
            Some(stream)
        })
        .collect();
    assert!(slow.len() > 400, "{}", slow.len());
    let started = Instant::now();
    weir.assert_healthy();
    assert!(started.elapsed() < QUICK);
}

#[test]
fn sessions_that_never_connect_are_let_go() {
    let weir = Weir::start();
    let channel = weir.create_channel("ada");
    let _publisher = Peer::publish(weir.http, "ada", &channel.key, Source::new(1));
    weir.until_state("ada", "live", SOON);
    for _ in 0..50 {
        let response = post_whep(weir.http, "ada", &Offering::to_receive().sdp);
        assert!(matches!(response.status, 201 | 503), "{}", response.status);
    }
    let viewer = Peer::watch(weir.http, "ada");
    viewer.more_video(10);
    weir_tests::eventually("the sessions to be let go", Duration::from_secs(40), || {
        (weir.state("ada")["viewerCount"] == 1).then_some(())
    });
}

#[test]
fn an_offer_that_stops_half_way_harms_nobody() {
    let mut weir = Weir::start();
    let (key, session) = whip_key(&weir);
    let mut stream = TcpStream::connect(weir.http).expect("a connection");
    let head = format!(
        "POST /whip/ada HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/sdp\r\ncontent-length: 5000\r\n\r\nv=0\r\n"
    );
    stream.write_all(head.as_bytes()).expect("to send");
    drop(stream);
    weir.assert_healthy();
    assert_eq!(post_whip(weir.http, "/whip/ada", &key, &session).status, 201);
}
