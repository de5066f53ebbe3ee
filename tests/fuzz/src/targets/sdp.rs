//! Texts that claim to be SDP.

use sfu::rtc::sdp;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let completed = sdp::completed(&text);
    assert_eq!(sdp::completed(&completed), completed, "what is complete stays as it is");
    let mut order = sdp::preference(&text);
    assert_eq!(order.len(), 4);
    order.sort_unstable_by_key(|codec| codec.name());
    order.dedup();
    assert_eq!(order.len(), 4, "each codec once");
    if let Ok(fragment) = sdp::fragment(&text) {
        assert!(fragment.candidates.len() <= 64);
        if let Some((ufrag, password)) = fragment.credentials {
            assert!((4..=256).contains(&ufrag.len()) && (22..=256).contains(&password.len()));
            let restarted = sdp::with_credentials(&text, &ufrag, &password);
            assert!(!restarted.contains("\na=candidate:"));
            let _ = sdp::offer(&restarted);
        }
    }
    for text in [&*text, &completed] {
        if sdp::offer(text).is_ok() {
            assert!(text.lines().filter(|line| line.starts_with("m=")).count() <= 8);
            if let Some(ufrag) = sdp::ufrag(text) {
                assert!((4..=256).contains(&ufrag.len()));
            }
        }
    }
}
