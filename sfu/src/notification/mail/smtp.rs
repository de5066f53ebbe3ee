//! Letters over SMTP.

use super::rules::Letter;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use shared::text::EmailAddress;
use std::{net::IpAddr, time::Duration};
use url::Url;

/// A mail server takes a letter within this, or is tried again.
const MOST: Duration = Duration::from_secs(20);

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It never will be.
    #[error("the mail server refuses it: {0}")]
    Refused(String),
    /// It may be later.
    #[error("the mail server can't take it now: {0}")]
    Later(String),
}

/// Why mail can't be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailSetUpError {
    /// The server's address.
    #[error("smtp.url must be like smtps://name:password@mail.example.org or smtp://localhost:25: {0}")]
    Url(String),
    /// The sender's.
    #[error("smtp.from must be an address, like Weir <weir@example.org>: {0}")]
    From(String),
    /// One without the other.
    #[error("smtp.url and smtp.from go together: set both, or neither to send no e-mail")]
    Half,
}

/// The URL of a mail server as it is used: one on another machine is spoken to over TLS, unless its URL says otherwise, as a
/// password and what people are told are nobody else's to read.
fn secured(text: &str) -> Result<Url, MailSetUpError> {
    let mut url = Url::parse(text).map_err(|error| MailSetUpError::Url(error.to_string()))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    if url.scheme() == "smtp" && !is_here && url.query_pairs().all(|(name, _)| name != "tls") {
        url.query_pairs_mut().append_pair("tls", "required");
    }
    Ok(url)
}

/// Sends letters; cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// By this mail server, as this sender; none if neither is set.
    pub fn set(url: Option<&str>, from: Option<&str>) -> Result<Option<Self>, MailSetUpError> {
        match (url, from) {
            (Some(url), Some(from)) => Self::new(url, from).map(Some),
            (None, None) => Ok(None),
            _ => Err(MailSetUpError::Half),
        }
    }

    /// By this mail server, as this sender.
    pub fn new(url: &str, from: &str) -> Result<Self, MailSetUpError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(secured(url)?.as_str());
        let builder = builder.map_err(|error| MailSetUpError::Url(error.to_string()))?;
        let from = from
            .parse()
            .map_err(|error: lettre::address::AddressError| MailSetUpError::From(error.to_string()))?;
        Ok(Self { transport: builder.timeout(Some(MOST)).build(), from })
    }

    /// Where its sender is found, as a URL.
    pub fn contact(&self) -> String {
        format!("mailto:{}", self.from.email)
    }

    /// Sends a letter. The same `id` again is the same letter.
    pub async fn send(&self, to: &EmailAddress, id: &str, letter: &Letter) -> Result<(), MailError> {
        let refused = |error: &dyn std::fmt::Display| MailError::Refused(error.to_string());
        let address = to.as_str().parse::<Address>().map_err(|error| refused(&error))?;
        let host = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(letter.subject.as_str())
            .message_id(Some(format!("<{id}@{host}>")));
        if let Some(link) = &letter.unsubscribe {
            // RFC 8058: one press in the mail program, without a page.
            let named = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
            message = message
                .raw_header(named("List-Unsubscribe", format!("<{link}>")))
                .raw_header(named("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        // What nobody should answer.
        let message = message
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| refused(&error))?;
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![address]).map_err(|error| refused(&error))?;
        match self.transport.send_raw(&envelope, &message.formatted()).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(refused(&error)),
            Err(error) => Err(MailError::Later(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_to_another_machine_go_over_tls() {
        let used = |url: &str| secured(url).unwrap().to_string();
        for here in ["smtp://localhost", "smtp://127.0.0.1:25", "smtp://[::1]:2525"] {
            assert_eq!(used(here), here);
        }
        assert_eq!(used("smtp://a:b@mail.example:587"), "smtp://a:b@mail.example:587?tls=required");
        for said in ["smtps://mail.example", "smtp://mail.example?tls=opportunistic"] {
            assert_eq!(used(said), said);
        }
        assert!(matches!(secured("mail.example"), Err(MailSetUpError::Url(_))));
    }

    #[test]
    fn what_is_set_by_half_or_wrongly_is_said_at_the_start() {
        assert!(Smtp::set(None, None).unwrap().is_none());
        let smtp = Smtp::set(Some("smtp://localhost"), Some("Weir <weir@tv.example>")).unwrap().unwrap();
        assert_eq!(smtp.contact(), "mailto:weir@tv.example");
        let refused = |url, from| Smtp::set(url, from).err().unwrap();
        assert!(matches!(refused(Some("smtp://localhost"), None), MailSetUpError::Half));
        assert!(matches!(refused(None, Some("weir@tv.example")), MailSetUpError::Half));
        assert!(matches!(refused(Some("smtp://localhost"), Some("weir")), MailSetUpError::From(_)));
        assert!(matches!(refused(Some("smtp://x?tls=never"), Some("a@b.example")), MailSetUpError::Url(_)));
    }
}
