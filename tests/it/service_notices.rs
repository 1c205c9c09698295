//! What people are told: once for a state, signed, and again until it is taken.

use crate::moisson::Bench;
use crate::serving::{Serving, administrator, source, until};
use crate::sources::datasets;
use crate::stand_in::{Page, StandIn};
use moisson::catalog::hex;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A mail server that takes everything; gives the letters that came.
fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let letters = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&letters);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || drop(take_letters(stream, &kept)));
        }
    });
    (port, letters)
}

fn take_letters(mut stream: std::net::TcpStream, letters: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 test\r\n")?;
    let (mut letter, mut is_data, mut line) = (String::new(), false, String::new());
    while reader.read_line(&mut line)? > 0 {
        if is_data {
            if line == ".\r\n" {
                is_data = false;
                letters.lock().expect("a lock").push(std::mem::take(&mut letter));
                stream.write_all(b"250 taken\r\n")?;
            } else {
                letter.push_str(&line);
            }
        } else if line.starts_with("DATA") {
            is_data = true;
            stream.write_all(b"354 go on\r\n")?;
        } else if line.starts_with("QUIT") {
            return stream.write_all(b"221 bye\r\n");
        } else {
            stream.write_all(b"250 well\r\n")?;
        }
        line.clear();
    }
    Ok(())
}

#[test]
fn people_are_told_once_for_a_state_by_signed_webhooks_and_by_mail() {
    let (bench, portal, hook) = (Bench::new(), StandIn::start(), StandIn::start());
    let (port, letters) = mail_server();
    bench.write(
        "moisson.toml",
        &format!(
            "[notify]\nwebhooks = [{{ url = '{}', secret_env = 'MOISSON_TEST_SECRET' }}]\n[notify.mail]\nserver = 'smtp://127.0.0.1:{port}'\nfrom = 'moisson@data.example'\nto = ['operator@data.example']\n",
            hook.url("/hook")
        ),
    );
    // The hook is down at first: what was to be told waits.
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "a")));
    source(&bench, "s", &portal.url("/c.ttl"), &["--title", "Ville"]);
    let admin = administrator(&bench);
    let mut command = bench.command();
    command.env("MOISSON_TEST_SECRET", "key");
    let serving = Serving::start_with(command, &[]);
    serving.wait_for_quiet();
    let letter = until(Duration::from_secs(20), || {
        letters.lock().expect("a lock").iter().find(|letter| letter.contains("was accepted")).cloned()
    });
    assert!(letter.contains("To: operator@data.example") && letter.contains("Ville"), "{letter}");
    hook.take_posted();
    hook.set("/hook", Page { status: 200, ..Page::turtle("taken") });
    // Three failures in a row are told once, and the recovery once.
    portal.set("/c.ttl", Page { status: 404, ..Page::turtle("gone") });
    for _ in 0..3 {
        serving.harvest("s", &admin);
    }
    portal.set("/c.ttl", Page::turtle(datasets(1..=3, "b")));
    serving.harvest("s", &admin);
    serving.harvest("s", &admin);
    let mut told: Vec<(String, String)> = Vec::new();
    let events = |told: &[(String, String)]| -> Vec<String> {
        let event = |(_, body): &(String, String)| -> String {
            let notice: Value = serde_json::from_str(body).expect("a notice");
            notice["event"].as_str().expect("an event").to_owned()
        };
        told.iter().map(event).collect()
    };
    until(Duration::from_secs(60), || {
        told.extend(hook.take_posted());
        (events(&told).contains(&"recovered".to_owned())).then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));
    told.extend(hook.take_posted());
    let news: Vec<String> =
        events(&told).into_iter().filter(|event| event != "accepted" && event != "created").collect();
    assert_eq!(news, ["failed", "recovered"]);
    for (head, body) in &told {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key");
        let signature = hex(ring::hmac::sign(&key, body.as_bytes()).as_ref());
        assert!(head.to_ascii_lowercase().contains(&format!("x-moisson-signature: sha256={signature}")), "{head}");
    }
    let subjects =
        letters.lock().expect("a lock").iter().filter(|letter| letter.contains("could not be harvested")).count();
    assert_eq!(subjects, 1, "one letter for three failures");
}
