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
use std::time::Duration;

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
}

/// Sends letters; cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// By this mail server, as this sender.
    pub fn new(url: &str, from: &str) -> Result<Self, MailSetUpError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let builder = builder.map_err(|error| MailSetUpError::Url(error.to_string()))?;
        let from = from
            .parse()
            .map_err(|error: lettre::address::AddressError| MailSetUpError::From(error.to_string()))?;
        Ok(Self { transport: builder.timeout(Some(MOST)).build(), from })
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
