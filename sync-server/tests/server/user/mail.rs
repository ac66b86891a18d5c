//! The outbox against a mail server that has its moods.

use super::site::{MINUTE, Site};
use hearthwatt_server::mail;
use hearthwatt_server::store::memory::Memory;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A mail server: answers `MAIL FROM` as it is told, one answer per message; keeps what it takes.
struct MailServer {
    address: String,
    taken: Arc<Mutex<Vec<String>>>,
}

async fn mail_server(answers: &'static [&'static str]) -> MailServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp+plain://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 ready\r\n").await.unwrap();
            let mut message: Option<String> = None;
            while let Ok(Some(line)) = lines.next_line().await {
                let reply = match (&mut message, line.as_str()) {
                    (Some(_), ".") => {
                        kept.lock().unwrap().extend(message.take());
                        "250 taken\r\n".to_owned()
                    }
                    (Some(text), line) => {
                        text.push_str(line);
                        text.push_str("\r\n");
                        continue;
                    }
                    (None, "DATA") => {
                        message = Some(String::new());
                        "354 go on\r\n".to_owned()
                    }
                    (None, line) if line.starts_with("MAIL FROM") => format!("{answer}\r\n"),
                    (None, "QUIT") => "221 bye\r\n".to_owned(),
                    (None, _) => "250 fine\r\n".to_owned(),
                };
                if write.write_all(reply.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    MailServer { address, taken }
}

async fn site_with(server: &MailServer) -> Site {
    let arguments = ["--smtp", &server.address, "--mail-from", "Hearthwatt <h@home.example>"];
    Site::with(Arc::new(Memory::default()), &arguments).await
}

async fn ask(site: &Site) {
    let mut first = site.browser();
    let fields = [("name", "Ada"), ("email", "ada@home.example"), ("password", super::site::PASSWORD)];
    first.submit("/", "/", &fields).await.expect(303);
    let mut browser = site.browser();
    browser.submit("/account/register", "/account/register", &[("email", "bob@home.example")]).await.ok();
}

fn message_id(text: &str) -> &str {
    text.lines().find(|l| l.starts_with("Message-ID:")).unwrap()
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again_under_the_same_name() {
    let server = mail_server(&["451 later", "250 fine", "250 fine"]).await;
    let site = site_with(&server).await;
    ask(&site).await;
    mail::deliver_due(&site.app).await.unwrap();
    assert_eq!(server.taken.lock().unwrap().len(), 0);
    // not before it is time
    mail::deliver_due(&site.app).await.unwrap();
    assert_eq!(server.taken.lock().unwrap().len(), 0);
    site.wait(MINUTE);
    mail::deliver_due(&site.app).await.unwrap();
    let first = server.taken.lock().unwrap().clone();
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("To: bob@home.example") && message_id(&first[0]).contains('@'), "{}", first[0]);
    // what was sent is not sent again
    site.wait(10 * MINUTE);
    mail::deliver_due(&site.app).await.unwrap();
    assert_eq!(server.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_for_good_is_a_dead_letter() {
    let server = mail_server(&["550 no such user", "250 fine"]).await;
    let site = site_with(&server).await;
    ask(&site).await;
    for _ in 0..5 {
        mail::deliver_due(&site.app).await.unwrap();
        site.wait(60 * MINUTE);
    }
    assert_eq!(server.taken.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn two_workers_send_a_message_once() {
    let server = mail_server(&["250 fine", "250 fine"]).await;
    let site = site_with(&server).await;
    ask(&site).await;
    let (a, b) = tokio::join!(mail::deliver_due(&site.app), mail::deliver_due(&site.app));
    a.and(b).unwrap();
    assert_eq!(server.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_that_died_is_followed_by_another_with_the_same_message() {
    let server = mail_server(&["250 fine"; 8]).await;
    let site = site_with(&server).await;
    ask(&site).await;
    let (key, message) = ("test/1".to_owned(), "Grüße".to_owned());
    let until = hearthwatt_server::World::now(site.world.as_ref()).plus_ms(60 * MINUTE);
    let outgoing = mail::Outgoing {
        key,
        to: "cy@home.example".into(),
        subject: "x".into(),
        text: message,
        useless_after: until,
    };
    mail::send(&site.app, outgoing.clone()).await.unwrap();
    // asked for twice it is still one
    mail::send(&site.app, outgoing).await.unwrap();
    // sent, but the worker dies before it can say so: the future is dropped at some point
    let worker = mail::deliver_due(&site.app);
    let _ = tokio::time::timeout(std::time::Duration::from_millis(1), worker).await;
    site.wait(3 * MINUTE);
    while mail::deliver_due(&site.app).await.unwrap() {}
    let taken = server.taken.lock().unwrap().clone();
    let to_cy: Vec<_> = taken.iter().filter(|t| t.contains("To: cy@home.example")).collect();
    assert!(!to_cy.is_empty());
    assert!(to_cy.iter().all(|t| message_id(t) == message_id(to_cy[0])));
}
