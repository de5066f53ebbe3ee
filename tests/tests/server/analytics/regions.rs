//! Countries from addresses, and addresses nowhere.

use super::{Evening, PHONE};
use serde_json::json;
use std::{fs, net::Ipv4Addr, path::Path};
use weir_tests::{
    mmdb,
    server::{free_tcp_port, free_udp_ports, refused},
};

/// Addresses are from the blocks that are kept for documentation.
fn database(folder: &Path) -> String {
    let path = folder.join("countries.mmdb");
    let networks = [
        (Ipv4Addr::new(203, 0, 113, 0), 24, "DE"),
        (Ipv4Addr::new(198, 51, 100, 0), 24, "FR"),
        (Ipv4Addr::new(192, 0, 2, 0), 25, "=1"),
    ];
    fs::write(&path, mmdb::countries(&networks)).expect("a file");
    path.display().to_string()
}

#[test]
fn countries_are_told_where_they_hide_everybody_and_addresses_are_kept_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(folder.path());
    let (evening, publisher) = Evening::begin_with(&[("WEIR_GEOIP_DATABASE", &path), ("WEIR_LOG", "debug")]);
    let addresses: Vec<String> = (1..=5)
        .map(|n| format!("203.0.113.{}", 70 + n))
        .chain((1..=4).map(|n| format!("198.51.100.{}", 70 + n)))
        .chain(["192.0.2.77".to_owned(), "10.20.30.40".to_owned(), "2001:db8::77".to_owned()])
        .collect();
    let viewers: Vec<_> = (1..)
        .zip(&addresses)
        .map(|(count, address)| {
            evening.come("", &[("x-forwarded-for", address), ("user-agent", PHONE)], count)
        })
        .collect();
    let share = |name: &str, views| json!({ "name": name, "views": views });
    let regions = json!([share("unknown", 7), share("DE", 5)]);
    assert_eq!(evening.figures()["regions"], regions);
    drop(viewers);
    let figures = evening.end(publisher);
    assert_eq!(figures["regions"], regions);
    let file =
        |ending: &str| evening.get(&format!("/api/v1/broadcasts/{}/analytics.{ending}", evening.broadcast));
    let csv = file("csv").text();
    assert!(csv.contains("regions,DE,5") && csv.contains("regions,unknown,7"), "{csv}");
    assert!(!csv.contains("FR") && !file("json").text().contains("\"FR\""));
    let mut searched = 0;
    for file in files(evening.weir.data()) {
        let bytes = fs::read(&file).expect("a file");
        searched += bytes.len();
        for address in &addresses {
            let found = bytes.windows(address.len()).any(|window| window == address.as_bytes());
            assert!(!found, "{address} is in {}", file.display());
        }
        for octets in [[203u8, 0, 113, 71], [198, 51, 100, 71]] {
            assert!(!bytes.windows(4).any(|window| window == octets), "{octets:?} in {}", file.display());
        }
    }
    assert!(searched > 10_000, "the database was looked at");
    let console = evening.weir.console();
    for address in &addresses {
        assert!(!console.contains(address.as_str()), "{address} is in the log");
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_database_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = fs::read(database(folder.path())).expect("the file");
    let cases: [(&str, Option<Vec<u8>>); 4] = [
        ("missing.mmdb", None),
        ("text.mmdb", Some(b"this is no database".to_vec())),
        ("cut.mmdb", Some(whole[..whole.len() / 2].to_vec())),
        ("empty.mmdb", Some(Vec::new())),
    ];
    for (name, content) in cases {
        let path = folder.path().join(name);
        if let Some(content) = content {
            fs::write(&path, content).expect("a file");
        }
        let path = path.display().to_string();
        let data = folder.path().join("data").display().to_string();
        let (http, media) =
            (format!("127.0.0.1:{}", free_tcp_port()), format!("127.0.0.1:{}", free_udp_ports()));
        let environment = [
            ("WEIR_DATA_DIR", data.as_str()),
            ("WEIR_HTTP_LISTEN", &http),
            ("WEIR_MEDIA_LISTEN", &media),
            ("WEIR_GEOIP_DATABASE", &path),
        ];
        let (status, said) = refused(&environment, &["serve"]);
        assert!(!status.success() && said.contains(&path), "{said}");
        assert!(said.contains("WEIR_GEOIP_DATABASE") && !said.contains("panicked"), "{said}");
    }
}
