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
