//! What a webhook may be. Pure.

use shared::webhook::WebhookKind;

/// The most webhooks of one channel.
pub const WEBHOOKS_MOST: i64 = 20;

/// The kinds that were chosen, each once and in their order; none if there are none, or one that can't be chosen.
pub fn kinds(mut chosen: Vec<WebhookKind>) -> Option<Vec<WebhookKind>> {
    chosen.sort();
    chosen.dedup();
    let fits = !chosen.is_empty() && !chosen.contains(&WebhookKind::Ping);
    fits.then_some(chosen)
}

/// As the store keeps them: each between spaces.
pub fn kinds_text(kinds: &[WebhookKind]) -> String {
    kinds.iter().fold(" ".to_owned(), |text, kind| text + kind.name() + " ")
}

/// As the store kept them.
pub fn kinds_of(text: &str) -> Option<Vec<WebhookKind>> {
    text.split(' ').filter(|name| !name.is_empty()).map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_chosen_once_and_come_back() {
        let chosen = vec![WebhookKind::StreamEnded, WebhookKind::StreamStarted, WebhookKind::StreamEnded];
        let kinds = kinds(chosen).unwrap();
        assert_eq!(kinds, [WebhookKind::StreamStarted, WebhookKind::StreamEnded]);
        assert_eq!(kinds_text(&kinds), " StreamStarted StreamEnded ");
        assert_eq!(kinds_of(&kinds_text(&kinds)), Some(kinds));
        assert_eq!(kinds_of(" Nothing "), None);
        assert_eq!(super::kinds(Vec::new()), None);
        assert_eq!(super::kinds(vec![WebhookKind::Ping]), None);
    }
}
