//! A MaxMind DB file of countries, as small as one can be: made by the test that needs it.

use std::net::Ipv4Addr;

const MAP: u8 = 7;
const TEXT: u8 = 2;
const U16: u8 = 5;
const U32: u8 = 6;
/// Types from 8 on have a byte of their own behind the control byte.
const U64: u8 = 9;
const ARRAY: u8 = 11;
const RECORD_BITS: u16 = 24;

/// A database in which each network (an address and how many of its bits count) is in a country.
pub fn countries(networks: &[(Ipv4Addr, u8, &str)]) -> Vec<u8> {
    let mut tree: Vec<[Record; 2]> = vec![[Record::Nothing; 2]];
    let mut data = Vec::new();
    for (address, bits, code) in networks {
        let offset = data.len();
        map(&mut data, 1);
        text(&mut data, "country");
        map(&mut data, 1);
        text(&mut data, "iso_code");
        text(&mut data, code);
        let address = u32::from(*address);
        let mut node = 0;
        for bit in 0..*bits {
            let side = (address >> (31 - bit) & 1) as usize;
            if bit + 1 == *bits {
                tree[node][side] = Record::Data(offset);
            } else if let Record::Node(next) = tree[node][side] {
                node = next;
            } else {
                tree.push([Record::Nothing; 2]);
                let next = tree.len() - 1;
                tree[node][side] = Record::Node(next);
                node = next;
            }
        }
    }
    let nodes = tree.len();
    let mut file = Vec::new();
    for record in tree.iter().flatten() {
        let value = match record {
            Record::Node(node) => *node,
            Record::Nothing => nodes,
            Record::Data(offset) => nodes + 16 + offset,
        };
        file.extend(&(value as u32).to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    map(&mut file, 9);
    text(&mut file, "node_count");
    number(&mut file, U32, nodes as u64);
    text(&mut file, "record_size");
    number(&mut file, U16, RECORD_BITS.into());
    text(&mut file, "ip_version");
    number(&mut file, U16, 4);
    text(&mut file, "database_type");
    text(&mut file, "Weir-Test-Country");
    text(&mut file, "languages");
    control(&mut file, ARRAY, 0);
    text(&mut file, "binary_format_major_version");
    number(&mut file, U16, 2);
    text(&mut file, "binary_format_minor_version");
    number(&mut file, U16, 0);
    text(&mut file, "build_epoch");
    number(&mut file, U64, 1_700_000_000);
    text(&mut file, "description");
    map(&mut file, 0);
    file
}

#[derive(Debug, Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

fn control(out: &mut Vec<u8>, kind: u8, size: u8) {
    assert!(size < 29, "longer values have longer heads");
    if kind > 7 {
        out.extend([size, kind - 7]);
    } else {
        out.push(kind << 5 | size);
    }
}

fn map(out: &mut Vec<u8>, pairs: u8) {
    control(out, MAP, pairs);
}

fn text(out: &mut Vec<u8>, text: &str) {
    control(out, TEXT, text.len() as u8);
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, kind: u8, value: u64) {
    let bytes = value.to_be_bytes();
    let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(8)..];
    control(out, kind, bytes.len() as u8);
    out.extend(bytes);
}
