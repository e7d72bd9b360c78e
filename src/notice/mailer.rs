//! The mailer: takes due notices from the outbox, hands them to the relay, reports the outcome.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::html::html;
use super::message::message as message_of;
use crate::queue::Notice;
use crate::words::{Lang, Words, office};

/// Notices per round.
const ROUND_MAX: usize = 50;
/// Pause between rounds: an applicant who has just sent a request looks for the mail.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest wait for the relay.
const RELAY_TIMEOUT: Duration = Duration::from_secs(20);

//------------ Outbox --------------------------------------------------------

/// Where notices wait. Calls block on the database.
pub trait Outbox: Send + Sync {
    /// At most `most` notices that are due now, the oldest first.
    fn due(&self, most: usize) -> Result<Vec<Notice>, String>;

    /// The relay took it.
    fn sent(&self, id: &str) -> Result<(), String>;

    /// The relay did not take it. A refusal for good is not tried again.
    fn failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), String>;
}

//------------ Relay ---------------------------------------------------------

/// `[mail]` and the site's address.
#[derive(Clone, Debug)]
pub struct Relay {
    /// `smtp://host:port` or `smtps://…`; empty: no mail.
    pub relay: String,
    /// The sender's address.
    pub from: String,
    /// How people reach the site.
    pub url: String,
}

/// Why there is no mailer, or no mail.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The relay's address cannot be read.
    #[error("mail.relay is not an address such as smtp://host:port")]
    Relay(#[source] SmtpError),
    /// The sender's address cannot be read.
    #[error("mail.from is not a mail address")]
    From(#[source] lettre::address::AddressError),
    /// The recipient's address cannot be read.
    #[error("the recipient's address cannot be read")]
    To(#[source] lettre::address::AddressError),
    /// The relay did not take a mail. Holds nothing that names the mailbox.
    #[error("the relay did not take a mail: {0}")]
    NotTaken(String),
}

//------------ CodeFor -------------------------------------------------------

/// What a mailed code is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CodeFor {
    /// It proves the mailbox of a request that is being filled in.
    Mailbox,
    /// It gets the applicant another secret.
    Secret,
}

impl CodeFor {
    /// The messages of subject and text.
    const fn ids(self) -> (&'static str, &'static str) {
        match self {
            Self::Mailbox => ("mail-code-subject", "mail-code-text"),
            Self::Secret => ("mail-lost-subject", "mail-lost-text"),
        }
    }
}

//------------ Mailer --------------------------------------------------------

/// Sends messages through one relay.
pub struct Mailer {
    /// The relay's connection.
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// The sender.
    from: Mailbox,
    /// How people reach the site.
    url: String,
}

impl Mailer {
    /// A mailer for these settings; none if no relay is set, so that notices are printed.
    pub fn new(relay: &Relay) -> Result<Option<Self>, MailerError> {
        if relay.relay.is_empty() {
            return Ok(None);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&relay.relay)
            .map_err(MailerError::Relay)?
            .timeout(Some(RELAY_TIMEOUT))
            .build();
        let from = relay.from.parse().map_err(MailerError::From)?;
        Ok(Some(Self { transport, from, url: relay.url.clone() }))
    }

    /// Sends what is due until `stop` resolves. A round that fails is tried again later.
    pub async fn run(self, outbox: Arc<dyn Outbox>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            if let Err(error) = self.round(&outbox).await {
                tracing::warn!(%error, "the outbox could not be processed");
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = &mut stop => return,
            }
        }
    }

    /// Sends what is due now; returns the count of notices the relay took.
    pub async fn round(&self, outbox: &Arc<dyn Outbox>) -> Result<usize, String> {
        let due = blocking(outbox, |outbox| outbox.due(ROUND_MAX)).await?;
        let mut taken = 0;
        for notice in due.into_iter().filter(|notice| !notice.to.is_empty()) {
            let id = notice.id.clone();
            match self.send(&notice).await {
                Ok(()) => {
                    taken += 1;
                    blocking(outbox, move |outbox| outbox.sent(&id)).await?;
                }
                Err(Refused { error, said, for_good }) => {
                    tracing::info!(notice = %id, error = %said, for_good, "the relay did not take a notice");
                    blocking(outbox, move |outbox| outbox.failed(&id, &error, for_good)).await?;
                }
            }
        }
        Ok(taken)
    }

    /// Hands one message to the relay.
    async fn send(&self, notice: &Notice) -> Result<(), Refused> {
        let to: Mailbox = notice.to.parse().map_err(|error| Refused::here(&error))?;
        let message = message_of(notice, Words::of(Lang::Id), &self.url);
        // The same notice has the same id when it is sent again after a crash (RFC 5322 §3.6.4).
        let id = format!("<{}@{}>", notice.id, self.from.email.domain());
        let html = html(&message.subject, &message.text, Some(&message.link), Lang::Id);
        self.hand_over(to, Some(id), message.subject, (message.text, html)).await
    }

    /// Mails a code, at once and once: the applicant waits for it, and can ask for another. Nothing of it is
    /// kept or logged.
    pub async fn send_code(
        &self,
        purpose: CodeFor,
        to: &str,
        code: &str,
        words: Words,
    ) -> Result<(), MailerError> {
        let to: Mailbox = to.trim().parse().map_err(MailerError::To)?;
        let (subject, text) = purpose.ids();
        let text = words.with(text, &[("code", code), ("site", &self.url)]);
        let text = format!("{text}\n\n{}\n", words.s("mail-end"));
        let subject = words.s(subject);
        let html = html(&subject, &text, None, words.lang());
        let sent = self.hand_over(to, None, subject, (text, html)).await;
        sent.map_err(|refused| MailerError::NotTaken(refused.said))
    }

    /// Mails a link to a form that was begun, at once and once. Nothing of it is kept or logged.
    pub async fn send_draft_link(
        &self,
        to: &str,
        what: &str,
        token: &str,
        words: Words,
    ) -> Result<(), MailerError> {
        let to: Mailbox = to.trim().parse().map_err(MailerError::To)?;
        let link = format!("{}/permohonan/lanjut/{token}", self.url);
        let text = words.with("mail-draft-text", &[("what", what), ("link", &link)]);
        let text = format!("{text}\n\n{}\n", words.s("mail-end"));
        let subject = words.s("mail-draft-subject");
        let html = html(&subject, &text, Some(&link), words.lang());
        let sent = self.hand_over(to, None, subject, (text, html)).await;
        sent.map_err(|refused| MailerError::NotTaken(refused.said))
    }

    /// The sender, by the name that the settings give it, or else the office's.
    fn sender(&self) -> Mailbox {
        let name = self.from.name.clone().or_else(|| {
            let office = office();
            let name = format!("{} {}", office.short_name, office.region);
            Some(name.trim().to_owned()).filter(|name| !name.is_empty())
        });
        Mailbox::new(name, self.from.email.clone())
    }

    /// Hands a text to the relay, plain and as HTML.
    async fn hand_over(
        &self,
        to: Mailbox,
        id: Option<String>,
        subject: String,
        (text, html): (String, String),
    ) -> Result<(), Refused> {
        // The builder encodes headers, so that a name or subject cannot add one.
        let message = Message::builder()
            .from(self.sender())
            .to(to)
            .message_id(id)
            .header(AutoSubmitted)
            .subject(subject)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| Refused::here(&error))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Refused::by_relay(&error)),
        }
    }
}

/// `Auto-Submitted: auto-generated` (RFC 3834 §5): no absence note shall answer.
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What the relay said instead of yes.
struct Refused {
    /// Its words: most relays repeat the mailbox in them. They are kept sealed, and never logged.
    error: String,
    /// The same for the log.
    said: String,
    /// Whether trying again is of no use.
    for_good: bool,
}

impl Refused {
    /// A mail that cannot be made; the errors name the fault, not the mailbox.
    fn here(error: &dyn Display) -> Self {
        Self { error: error.to_string(), said: error.to_string(), for_good: true }
    }

    /// What the relay answered, or that it did not.
    fn by_relay(error: &SmtpError) -> Self {
        let words = error.to_string();
        let said = error.status().map_or_else(
            || words.clone(),
            |code| format!("it answered {code}; its own words are with the notice, not in the log"),
        );
        Self { error: words, said, for_good: error.is_permanent() }
    }
}

/// Runs a call that waits for the database off the runtime's threads.
async fn blocking<T: Send + 'static>(
    outbox: &Arc<dyn Outbox>,
    job: impl FnOnce(&dyn Outbox) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let outbox = Arc::clone(outbox);
    let done = tokio::task::spawn_blocking(move || job(outbox.as_ref())).await;
    done.map_err(|error| error.to_string())?
}
