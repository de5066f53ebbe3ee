//! Pure rules of e-mail: what a letter says, and how one gets no more of them.

use crate::secret::hex;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use shared::{id::AccountId, notification::NotificationKind};

/// What a letter tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub kind: NotificationKind,
    /// What happened, in a sentence.
    pub title: String,
    /// More of it; may be empty.
    pub detail: String,
    /// Where it leads, a path of this server.
    pub url: String,
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// What it says, in plain text.
    pub text: String,
    /// A link to get no more of any of these.
    pub unsubscribe: Option<String>,
}

/// What everybody calls a kind.
pub fn name_of(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::WentLive => "wentLive",
        NotificationKind::Mention => "mention",
        NotificationKind::Follower => "follower",
        NotificationKind::Moderation => "moderation",
        NotificationKind::Subscription => "subscription",
        NotificationKind::System => "system",
    }
}

fn words(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::WentLive => "channels that go live",
        NotificationKind::Mention => "mentions",
        NotificationKind::Follower => "new followers",
        NotificationKind::Moderation => "what moderators do",
        NotificationKind::Subscription => "your subscriptions",
        NotificationKind::System => "word from the server",
    }
}

/// One letter for all that happened.
pub fn letter(instance: &str, base_url: &str, key: &[u8; 32], account: &AccountId, lines: &[Line]) -> Letter {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.title);
        text.push('\n');
        if !line.detail.is_empty() {
            text.push_str(&line.detail);
            text.push('\n');
        }
        text.push_str(&format!("{base_url}{}\n\n", line.url));
    }
    let mut kinds: Vec<NotificationKind> = lines.iter().map(|line| line.kind).collect();
    kinds.sort();
    kinds.dedup();
    text.push_str("-- \n");
    let link = |kinds: &[NotificationKind]| {
        format!("{base_url}/unsubscribe?token={}", unsubscribe_token(key, account, kinds))
    };
    for kind in &kinds {
        text.push_str(&format!("No more e-mail about {}: {}\n", words(*kind), link(&[*kind])));
    }
    text.push_str(&format!("All you can be told: {base_url}/notifications\n"));
    let subject = match lines {
        [line] => line.title.clone(),
        _ => format!(
            "{}, and {} more on {instance}",
            lines.first().map_or("", |line| &line.title),
            lines.len().saturating_sub(1)
        ),
    };
    // A mail program's one press is for the letter, and so for all that is in it.
    Letter { subject: header_safe(&subject), text, unsubscribe: Some(link(&kinds)) }
}

/// The letter that asks whether an address is somebody's.
pub fn confirmation(instance: &str, base_url: &str, name: &str, token: &str) -> Letter {
    let text = format!(
        "Somebody, probably you, wants to be told by e-mail what happens on {instance}, as {name}.\n\n\
         To confirm this address, open this page within a day:\n{base_url}/confirm-email?token={token}\n\n\
         If it wasn't you, do nothing: no more e-mail comes.\n"
    );
    Letter { subject: header_safe(&format!("Confirm your address on {instance}")), text, unsubscribe: None }
}

/// The letter with a link to a new password.
pub fn password_reset(instance: &str, base_url: &str, name: &str, token: &str) -> Letter {
    let text = format!(
        "Somebody, probably you, asked for a new password for the account {name} on {instance}.\n\n\
         To choose one, open this page within an hour; it works once:\n{base_url}/reset-password?token={token}\n\n\
         If it wasn't you, do nothing: the password stays as it is. Give the link to nobody.\n"
    );
    Letter { subject: header_safe(&format!("A new password on {instance}")), text, unsubscribe: None }
}

/// Names of channels and people stand in subjects: nothing of them may begin another header.
fn header_safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(180).collect()
}

fn mark(key: &[u8; 32], account: &str, kinds: &str) -> Hmac<Sha256> {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(b"unsubscribe\0");
    mac.update(account.as_bytes());
    mac.update(b"\0");
    mac.update(kinds.as_bytes());
    mac
}

/// What lets whoever has it stop a person's e-mail of some kinds, and nothing else.
pub fn unsubscribe_token(key: &[u8; 32], account: &AccountId, kinds: &[NotificationKind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| name_of(*kind)).collect();
    let kinds = names.join("-");
    let mark = mark(key, account.as_str(), &kinds).finalize().into_bytes();
    let mark = hex(&mark[..16]);
    format!("{account}.{kinds}.{mark}")
}

/// Whose e-mail of which kinds a token stops; `None` if it is none of ours.
pub fn unsubscribed(key: &[u8; 32], token: &str) -> Option<(AccountId, Vec<NotificationKind>)> {
    let mut parts = token.split('.');
    let (account, kinds, given) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || given.len() != 32 || !given.is_ascii() {
        return None;
    }
    let given: Option<Vec<u8>> =
        (0..16).map(|place| u8::from_str_radix(&given[place * 2..place * 2 + 2], 16).ok()).collect();
    mark(key, account, kinds).verify_truncated_left(&given?).ok()?;
    let known = |name: &str| NotificationKind::ALL.into_iter().find(|known| name_of(*known) == name);
    let kinds: Option<Vec<NotificationKind>> = kinds.split('-').map(known).collect();
    Some((account.parse().ok()?, kinds?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(title: &str, kind: NotificationKind) -> Line {
        Line { kind, title: title.to_owned(), detail: String::new(), url: "/ada".to_owned() }
    }

    #[test]
    fn what_happened_goes_as_one_letter_with_a_way_out() {
        let account: AccountId = "a1".parse().unwrap();
        let lines = [
            line("Ada is live", NotificationKind::WentLive),
            line("Ben follows ada", NotificationKind::Follower),
        ];
        let letter = letter("Weir", "https://tv.example", &[7; 32], &account, &lines);
        assert_eq!(letter.subject, "Ada is live, and 1 more on Weir");
        assert!(letter.text.contains("https://tv.example/ada\n"));
        assert_eq!(letter.text.matches("/unsubscribe?token=").count(), 2);
        let link = letter.unsubscribe.unwrap();
        let (_, token) = link.split_once("token=").unwrap();
        let (_, kinds) = unsubscribed(&[7; 32], token).unwrap();
        assert_eq!(kinds, [NotificationKind::WentLive, NotificationKind::Follower], "all that is in it");
        let alone = super::letter("Weir", "https://tv.example", &[7; 32], &account, &lines[..1]);
        assert_eq!(alone.subject, "Ada is live");
        assert!(alone.unsubscribe.unwrap().starts_with("https://tv.example/unsubscribe?token=a1.wentLive."));
    }

    #[test]
    fn no_name_begins_a_header_of_its_own() {
        let account: AccountId = "a1".parse().unwrap();
        let lines = [line("Ada\r\nBcc: all@example.org", NotificationKind::WentLive)];
        let letter = letter("Weir", "", &[7; 32], &account, &lines);
        assert!(!letter.subject.contains(['\r', '\n']));
        let reset = password_reset("Weir\r\nBcc: all@example.org", "https://tv.example", "ada", "t0k");
        assert!(!reset.subject.contains(['\r', '\n']) && reset.unsubscribe.is_none());
        assert!(reset.text.contains("https://tv.example/reset-password?token=t0k\n"));
    }

    #[test]
    fn a_token_stops_its_kinds_for_one_person() {
        let (ada, key) = ("ada".parse::<AccountId>().unwrap(), [7; 32]);
        let token = unsubscribe_token(&key, &ada, &[NotificationKind::Mention]);
        assert_eq!(unsubscribed(&key, &token), Some((ada, vec![NotificationKind::Mention])));
        let (_, mark) = token.rsplit_once('.').unwrap();
        for bad in [
            String::new(),
            format!("bob.mention.{mark}"),
            format!("ada.system.{mark}"),
            format!("ada.mention-system.{mark}"),
            format!("{token}0"),
            format!("{token}.x"),
            token.replace(mark, &"é".repeat(16)),
            token[..token.len() - 2].to_owned(),
        ] {
            assert_eq!(unsubscribed(&key, &bad), None, "{bad}");
        }
        assert_eq!(unsubscribed(&[8; 32], &token), None);
    }
}
