//! Which addresses are called: every block that isn't public, at its edges and in between, in every way to write it.

use super::outgoing::{Outgoing, OutgoingError, is_public};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are nobody's on the internet.
const SPECIAL: [&str; 17] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/5",
    "248.0.0.0/6",
    "252.0.0.0/6",
];

/// Public neighbours of those.
const PUBLIC: [&str; 28] = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "8.8.8.8",
    "93.184.215.14",
    "1.1.1.1",
];

/// An address as IPv6 has it, by each of the ways that lead to IPv4.
fn ways(v4: Ipv4Addr) -> [Ipv6Addr; 3] {
    let [a, b, c, d] = v4.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [
        v4.to_ipv6_mapped(),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
    ]
}

/// The first and last address of a block, and one in between.
fn edges(block: &str) -> [Ipv4Addr; 3] {
    let IpNet::V4(block) = block.parse().unwrap() else { panic!("{block} is IPv4") };
    let (first, last) = (block.network().to_bits(), block.broadcast().to_bits());
    [first, first + (last - first) / 2, last].map(Ipv4Addr::from_bits)
}

#[test]
fn no_block_that_is_special_is_public_in_any_way_to_write_it() {
    let outgoing = Outgoing::new([].into());
    let mut cases = 0;
    for address in SPECIAL.iter().flat_map(|block| edges(block)) {
        assert!(!is_public(IpAddr::V4(address)), "{address}");
        // Whole, in parts, in octal and hexadecimal: whatever a URL takes for an IPv4 address.
        let [a, b, c, d] = address.octets();
        let bits = address.to_bits();
        let written = [
            format!("{address}"),
            format!("{bits}"),
            format!("0x{bits:x}"),
            format!("0{bits:o}"),
            format!("{a}.{}", bits & 0xff_ffff),
            format!("{a}.{b}.{}", bits & 0xffff),
            format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
            format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("{address}."),
        ];
        for host in written {
            cases += 1;
            let answer = outgoing.check(&format!("https://{host}/"));
            assert_eq!(answer, Err(OutgoingError::Private), "{host}");
        }
        for v6 in ways(address) {
            cases += 1;
            assert!(!is_public(IpAddr::V6(v6)), "{v6}");
            assert_eq!(outgoing.check(&format!("https://[{v6}]/")), Err(OutgoingError::Private), "{v6}");
        }
        // The old way to put IPv4 into IPv6, which nobody routes.
        assert!(!is_public(IpAddr::V6(Ipv6Addr::from_bits(u128::from(bits)))), "::{address}");
    }
    assert!(cases > 500, "{cases}");
}

#[test]
fn the_neighbours_of_special_blocks_are_public() {
    for text in PUBLIC {
        let address: Ipv4Addr = text.parse().unwrap();
        assert!(is_public(IpAddr::V4(address)), "{address}");
        for v6 in ways(address) {
            assert!(is_public(IpAddr::V6(v6)), "{v6}");
        }
    }
}

#[test]
fn of_ipv6_only_what_is_given_out_is_public() {
    for high in 0..=u16::MAX {
        let is_given_out = (0x2000..0x4000).contains(&high);
        let address = Ipv6Addr::new(high, 0x4700, 0x1, 0, 0, 0, 0, 1);
        // Of 6to4 it depends on the address inside, which here is a public one.
        assert_eq!(is_public(IpAddr::V6(address)), is_given_out, "{address}");
    }
    for special in [
        "2001::1",
        "2001:1::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff::1",
        "::",
        "::1",
        "100::1",
        "64:ff9b:1::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
    ] {
        assert!(!is_public(special.parse().unwrap()), "{special}");
    }
}

#[test]
fn what_is_allowed_is_just_that() {
    let outgoing = Outgoing::new(["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()].into());
    for good in [
        "https://10.1.2.3/",
        "http://10.1.2.3:8080/",
        "https://[::ffff:10.1.2.3]/",
        "http://[fd00:1::5]/",
        "https://1.1.1.1/",
        "https://example.com/",
    ] {
        assert!(outgoing.check(good).is_ok(), "{good}");
    }
    for bad in ["https://10.2.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://[fd00:2::5]/"] {
        assert_eq!(outgoing.check(bad), Err(OutgoingError::Private), "{bad}");
    }
    assert_eq!(outgoing.check("http://1.1.1.1/"), Err(OutgoingError::Address), "public ones with TLS alone");
}
