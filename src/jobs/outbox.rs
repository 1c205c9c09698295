//! Sending what waits in the outbox: signed webhooks and e-mail, tried again until they are taken.

use super::notices::Notice;
use crate::catalog::with_causes;
use crate::config::{Config, Mail};
use crate::operations::{Operations, OperationsError, OutboxRow};
use jiff::{Timestamp, ToSpan};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::collections::HashSet;
use std::time::Duration;

/// The header that holds the signature: HMAC-SHA-256 of the body, in hexadecimal.
const SIGNATURE: &str = "X-Moisson-Signature";
/// The wait before the second attempt, in seconds; it doubles.
const FIRST_WAIT: i64 = 30;
/// The longest wait.
const LONGEST_WAIT: i64 = 6 * 3_600;

/// Sends what is due.
pub(super) struct Postman<'p> {
    pub(super) operations: &'p Operations,
    pub(super) config: &'p Config,
    pub(super) http: &'p reqwest::Client,
    pub(super) now: Timestamp,
}

impl Postman<'_> {
    /// Goes through what is due, once, until it is told to stop. A channel that fails is left alone for the round.
    pub(super) async fn go(&self, stops: impl Fn() -> bool) -> Result<(), OperationsError> {
        let mut failing: HashSet<String> = HashSet::new();
        for message in self.operations.due_messages(&self.now.to_string()).await? {
            if stops() {
                break;
            }
            if failing.contains(&message.channel) {
                continue;
            }
            match self.send(&message).await {
                Ok(()) => {
                    self.operations.note_sent(&message.id, &self.now.to_string()).await?;
                }
                Err(error) => {
                    let wait = (FIRST_WAIT << message.attempts.clamp(0, 12)).min(LONGEST_WAIT);
                    let due = self.now.checked_add(wait.seconds()).unwrap_or(self.now);
                    tracing::warn!(
                        channel = message.channel,
                        error,
                        attempts = message.attempts + 1,
                        "a message was not sent"
                    );
                    self.operations.note_unsent(&message.id, &error, &due.to_string()).await?;
                    failing.insert(message.channel);
                }
            }
        }
        Ok(())
    }

    async fn send(&self, message: &OutboxRow) -> Result<(), String> {
        match message.channel.split_once(':') {
            Some(("webhook", url)) => self.call(url, message).await,
            Some(("mail", to)) => {
                let notice: Notice = serde_json::from_str(&message.message).map_err(|error| error.to_string())?;
                let mail = self.config.notify.mail.as_ref().ok_or("no mail server is configured any more")?;
                write_to(mail, to, &notice).await
            }
            _ => Err(format!("{} is no channel", message.channel)),
        }
    }

    async fn call(&self, url: &str, message: &OutboxRow) -> Result<(), String> {
        let webhook = self.config.notify.webhooks.iter().find(|webhook| webhook.url.as_str() == url);
        let webhook = webhook.ok_or("the webhook is not configured any more")?;
        let mut request = self
            .http
            .post(webhook.url.clone())
            .timeout(Duration::from_secs(20))
            .header("Content-Type", "application/json")
            .header("X-Moisson-Delivery", &message.id);
        if let Some(name) = &webhook.secret_env {
            let secret = std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?;
            request = request.header(SIGNATURE, signature(secret.as_bytes(), message.message.as_bytes()));
        }
        let answer = request.body(message.message.clone()).send().await.map_err(|error| with_causes(&error))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(format!("the webhook answered {}", answer.status()))
        }
    }
}

/// HMAC-SHA-256 (RFC 2104), in hexadecimal.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    format!("sha256={}", crate::catalog::hex(ring::hmac::sign(&key, body).as_ref()))
}

async fn write_to(mail: &Mail, to: &str, notice: &Notice) -> Result<(), String> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"));
    let letter = Message::builder()
        .from(mailbox(&mail.from)?)
        .to(mailbox(to)?)
        .subject(notice.title.clone())
        .body(notice.text.clone())
        .map_err(|error| error.to_string())?;
    transport(mail)?.send(letter).await.map(|_| ()).map_err(|error| with_causes(&error))
}

fn transport(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let host = mail.server.host_str().ok_or("the mail server has no host")?;
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let mut builder = match mail.server.scheme() {
        "smtps" => AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(|error| with_causes(&error))?,
        "smtp" if is_local => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        "smtp" => {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(|error| with_causes(&error))?
        }
        other => return Err(format!("{other} is not a way to a mail server: smtp and smtps are")),
    };
    if let Some(port) = mail.server.port() {
        builder = builder.port(port);
    }
    if !mail.server.username().is_empty() {
        builder = builder.credentials(Credentials::new(mail.server.username().to_owned(), password(mail)?));
    }
    Ok(builder.timeout(Some(Duration::from_secs(20))).build())
}

fn password(mail: &Mail) -> Result<String, String> {
    if let Some(name) = &mail.password_env {
        return std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"));
    }
    if let Some(path) = &mail.password_file {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(text.trim().to_owned());
    }
    Err("the mail server has a user and no password: name password_env or password_file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        // RFC 4231, test case 2.
        let known = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature(b"Jefe", b"what do ya want for nothing?"), known);
    }

    /// A webhook that first fails, then takes; gives the identifiers of the deliveries.
    async fn answers(listener: tokio::net::TcpListener, statuses: Vec<&'static str>) -> Vec<String> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut deliveries = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let (mut head, mut bytes) = (String::new(), [0; 4096]);
            while !head.contains("the message") {
                let length = stream.read(&mut bytes).await.expect("a request");
                head.push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
            let delivery = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("x-moisson-delivery: ").map(str::to_owned)
            });
            deliveries.push(delivery.expect("a delivery"));
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
        deliveries
    }

    #[tokio::test]
    async fn what_a_webhook_does_not_take_is_sent_again_later_as_the_same_delivery() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = std::env::temp_dir().join(format!("moisson-outbox-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let operations = Operations::open(&folder.join("operations.sqlite")).await.expect("a database");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: url::Url =
            format!("http://{}/hook", listener.local_addr().expect("an address")).parse().expect("an address");
        let hook = tokio::spawn(answers(listener, vec!["503 Busy", "200 OK"]));
        let mut config = Config::load(&folder, |_| None).expect("a configuration");
        config.notify.webhooks.push(crate::config::Webhook { url: url.clone(), secret_env: None });
        let start: Timestamp = "2026-11-02T06:00:00Z".parse().expect("a time");
        operations.post(&format!("webhook:{url}"), "the message", &start.to_string()).await.expect("a database");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut waiting = Vec::new();
        for seconds in [0, FIRST_WAIT - 1, FIRST_WAIT + 1] {
            let now = start.checked_add(seconds.seconds()).expect("a time");
            let postman = Postman { operations: &operations, config: &config, http: &http, now };
            postman.go(|| false).await.expect("a database");
            let far = start.checked_add(24.hours()).expect("a time");
            waiting.push(operations.due_messages(&far.to_string()).await.expect("a database").len());
        }
        assert_eq!(waiting, [1, 1, 0]);
        let deliveries = hook.await.expect("the hook ends");
        assert_eq!(deliveries[0], deliveries[1]);
        operations.close().await;
        std::fs::remove_dir_all(folder).expect("a folder");
    }
}
