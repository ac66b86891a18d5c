//! Hosts of their own address on one machine: network namespaces on a bridge, which lies in a
//! namespace too, so that nothing of it touches the machine's own network.

use anyhow::{Result, bail};
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::process::Command;

/// A home network with hosts; taken down when dropped.
pub struct Network {
    prefix: String,
    hosts: Vec<Host>,
}

#[derive(Clone, Debug)]
pub struct Host {
    /// Name of its namespace.
    pub namespace: String,
    pub address: String,
}

/// Whether this machine lets us make namespaces.
pub fn available() -> bool {
    let name = format!("hwprobe{}", std::process::id());
    let made = ip(&["netns", "add", &name]).is_ok();
    let _ = ip(&["netns", "del", &name]);
    made
}

impl Network {
    /// `names` become hosts 10.78.0.1, .2, … with multicast between them.
    pub fn of(names: &[&str]) -> Result<Network> {
        let prefix = format!("hw{}", std::process::id());
        let mut network = Network { prefix: prefix.clone(), hosts: vec![] };
        let switch = format!("{prefix}-switch");
        ip(&["netns", "add", &switch])?;
        ip(&["-n", &switch, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", &switch, "link", "set", "br0", "up"])?;
        for (n, name) in names.iter().enumerate() {
            let host = format!("{prefix}-{name}");
            ip(&["netns", "add", &host])?;
            let (inside, outside) = ("eth0", format!("port{n}"));
            let link = ["link", "add", &outside, "type", "veth", "peer", "name", inside, "netns", &host];
            ip(&[&["-n", &switch][..], &link[..]].concat())?;
            ip(&["-n", &switch, "link", "set", &outside, "master", "br0", "up"])?;
            let address = format!("10.78.0.{}", n + 1);
            ip(&["-n", &host, "addr", "add", &format!("{address}/24"), "dev", inside])?;
            ip(&["-n", &host, "link", "set", "lo", "up"])?;
            ip(&["-n", &host, "link", "set", inside, "up"])?;
            ip(&["-n", &host, "route", "add", "224.0.0.0/4", "dev", inside])?;
            network.hosts.push(Host { namespace: host, address });
        }
        Ok(network)
    }

    pub fn host(&self, n: usize) -> &Host {
        &self.hosts[n]
    }

    /// Pulls a host's cable, or plugs it in again.
    pub fn plug(&self, n: usize, connected: bool) -> Result<()> {
        let state = if connected { "up" } else { "down" };
        ip(&["-n", &format!("{}-switch", self.prefix), "link", "set", &format!("port{n}"), state])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = ip(&["netns", "del", &host.namespace]);
        }
        let _ = ip(&["netns", "del", &format!("{}-switch", self.prefix)]);
    }
}

impl Host {
    /// Words to put before a command so that it runs on this host.
    pub fn through(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.namespace].map(String::from).to_vec()
    }

    /// A command that runs on this host.
    pub fn command(&self, program: &std::path::Path) -> Command {
        let mut c = Command::new("ip");
        c.args(["netns", "exec", &self.namespace]).arg(program);
        c
    }

    /// Runs asynchronous work on a thread that stands on this host: its sockets are this host's.
    pub fn run<T: Send>(&self, work: impl AsyncFnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let file = File::open(format!("/var/run/netns/{}", self.namespace))
                        .expect("the namespace is there");
                    setns(file, CloneFlags::CLONE_NEWNET).expect("root may enter it");
                    // one thread: other threads of a runtime would stand on the machine's own network
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(work())
                })
                .join()
                .unwrap_or_else(|e| std::panic::resume_unwind(e))
        })
    }
}

fn ip(args: &[&str]) -> Result<()> {
    let program = if std::path::Path::new("/usr/sbin/ip").exists() { "/usr/sbin/ip" } else { "ip" };
    let out = Command::new(program).args(args).output()?;
    if !out.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}
