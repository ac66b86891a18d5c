//! A foreign broker: Debian's mosquitto, killed and restarted, with passwords, with TLS. Passed over
//! where it is not installed.

use super::*;
use hearthwatt_discovery::net::Credentials;
use hearthwatt_discovery::net::mqtt::Tls;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Mosquitto {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

fn program() -> Option<PathBuf> {
    let found =
        ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].map(PathBuf::from).into_iter().find(|p| p.exists());
    if found.is_none() {
        println!("passed over: mosquitto is not installed");
    }
    found
}

impl Mosquitto {
    /// `extra` configures the one listener; `{dir}` is its folder.
    fn start(program: &Path, extra: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = folder.path().display().to_string();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let config = format!(
            "user root\nlistener {port} 127.0.0.1\npersistence false\n{}\n",
            extra.replace("{dir}", &dir)
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let child = Self::spawn(program, folder.path());
        Self { child, port, folder }
    }

    fn spawn(program: &Path, folder: &Path) -> Child {
        Command::new(program)
            .arg("-c")
            .arg(folder.join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_restarted_it_is_subscribed_to_again() {
    let Some(program) = program() else { return };
    let mut broker = Mosquitto::start(&program, "allow_anonymous true", &[]);
    let (handle, mut messages) = listen(config(broker.port, &["a/#"]), 64);
    connected(&handle).await;
    handle.subscribe("b");
    let publisher = Publisher::new(broker.port);
    subscribed(&publisher, &mut messages, "b").await;
    for round in 2..4 {
        broker.kill();
        state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
        broker.child = Mosquitto::spawn(&program, broker.folder.path());
        connected(&handle).await;
        subscribed(&publisher, &mut messages, "a/x").await;
        subscribed(&publisher, &mut messages, "b").await;
        assert_eq!(handle.counters().connects, round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_from_a_missing_broker() {
    let Some(program) = program() else { return };
    // mosquitto hashes plain files with its own tool only; no user at all refuses everybody as well
    let broker =
        Mosquitto::start(&program, "allow_anonymous false\npassword_file {dir}/users", &[("users", "")]);
    let mut config = config(broker.port, &[]);
    config.credentials = Some(Credentials { username: "home".into(), password: "wrong".into() });
    let (handle, _messages) = listen(config, 1);
    state(&handle, "refused", |s| *s == ConnState::BadCredentials).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_certificate_is_refused_with_its_fingerprint_and_a_known_one_taken() {
    let Some(program) = program() else { return };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let extra = "allow_anonymous true\ncertfile {dir}/cert.pem\nkeyfile {dir}/key.pem";
    let broker = Mosquitto::start(&program, extra, &[("cert.pem", &cert), ("key.pem", &key)]);

    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap().cert.pem();
    let mut stranger = config(broker.port, &["a"]);
    stranger.tls = Tls::Authority { pem: other };
    let (handle, _messages) = listen(stranger, 1);
    let refused = state(&handle, "refused", |s| matches!(s, ConnState::BadCertificate { .. })).await;
    let ConnState::BadCertificate { reason, fingerprint } = refused else { panic!("{refused:?}") };
    let digest = ring::digest::digest(&ring::digest::SHA256, made.cert.der());
    let wanted: Vec<String> = digest.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    assert_eq!(fingerprint, Some(wanted.join(":")), "{reason}");

    let mut system = config(broker.port, &["a"]);
    system.tls = Tls::SystemRoots;
    let (handle, _messages) = listen(system, 1);
    state(&handle, "refused", |s| matches!(s, ConnState::BadCertificate { .. })).await;

    let mut known = config(broker.port, &["a"]);
    known.tls = Tls::Authority { pem: cert };
    let (handle, _messages) = listen(known, 1);
    connected(&handle).await;

    let mut broken = config(broker.port, &["a"]);
    broken.tls =
        Tls::Authority { pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into() };
    let (handle, _messages) = listen(broken, 1);
    state(&handle, "refused", |s| matches!(s, ConnState::BadCertificate { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_clients_get_along_with_our_broker_at_every_quality_of_service() {
    use hearthwatt_discovery::net::broker::{self, BrokerOptions};
    let tool = |name: &str| Command::new(format!("/usr/bin/{name}"));
    if !Path::new("/usr/bin/mosquitto_sub").exists() {
        return println!("passed over: mosquitto's clients are not installed");
    }
    let credentials = Some(Credentials { username: "home".into(), password: "pass word".into() });
    let broker = broker::start(BrokerOptions { credentials, ..BrokerOptions::loopback() }).unwrap();
    let port = broker.address().port().to_string();
    let common = ["-h", "127.0.0.1", "-p", &port, "-V", "mqttv311", "-u", "home", "-P", "pass word"];
    let mut heard = tool("mosquitto_sub")
        .args(common)
        .args(["-q", "2", "-t", "x/#", "-C", "4", "-W", "10", "-F", "%t %r %p"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while broker.counters().connections == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut wrong = tool("mosquitto_pub");
    wrong.args(&common[..6]).args(["-t", "x", "-m", "no"]).stderr(Stdio::null());
    assert!(!wrong.status().unwrap().success(), "without a password");
    // the first one may come before the subscription and is kept for it
    tool("mosquitto_pub").args(common).args(["-r", "-q", "1", "-t", "x/0", "-m", "kept"]).status().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    for qos in ["0", "1", "2"] {
        let mut publish = tool("mosquitto_pub");
        publish.args(common).args(["-q", qos, "-t", &format!("x/{qos}/y"), "-m", "Grüße"]);
        assert!(publish.status().unwrap().success(), "QoS {qos}");
    }
    let heard = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut heard.stdout.take().unwrap(), &mut text).unwrap();
        (heard.wait().unwrap(), text)
    });
    let (status, text) = heard.await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(status.success() && lines.len() == 4, "{text}");
    assert_eq!(lines[1..], ["x/0/y 0 Grüße", "x/1/y 0 Grüße", "x/2/y 0 Grüße"]);
    assert!(lines[0].starts_with("x/0 ") && lines[0].ends_with(" kept"), "{text}");
    assert_eq!(broker.counters().refused, 1);
    broker.stop().await;
}
