//! Programs under test: started with their output kept, stopped by their own id, never left behind.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Lines of output that are kept for the message of a failing test.
const KEPT_LINES: usize = 400;

/// Some library of the workspace asks for HTTP without a choice of cryptography, and then every
/// HTTP client of this process needs the choice to be made before it is built.
fn choose_cryptography() {
    // somebody else was first: as good
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    lines: Arc<Mutex<VecDeque<String>>>,
    name: String,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        choose_cryptography();
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{name} can't be started: {e}"));
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        collect(child.stdout.take().expect("piped"), lines.clone());
        collect(child.stderr.take().expect("piped"), lines.clone());
        Program { child, lines, name }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far, the last [`KEPT_LINES`] lines.
    pub fn output(&self) -> String {
        self.lines.lock().expect("no writer panics").iter().cloned().collect::<Vec<_>>().join("\n")
    }

    /// Waits for a line that `pick` takes something from.
    pub fn wait_for_line<T>(&mut self, within: Duration, pick: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + within;
        loop {
            if let Some(found) = self.lines.lock().expect("no writer panics").iter().find_map(|l| pick(l)) {
                return found;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended with {status}:\n{}", self.name, self.output());
            }
            assert!(
                Instant::now() < until,
                "{} did not say it within {within:?}:\n{}",
                self.name,
                self.output()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and the exit status if it ends in time.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.has_ended() {
                return status;
            }
            assert!(
                Instant::now() < until,
                "{} did not end within {within:?}:\n{}",
                self.name,
                self.output()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
    }

    /// Resident memory in kilobytes, and CPU time in clock ticks, of this process alone.
    pub fn usage(&self) -> (u64, u64) {
        usage_of(self.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Resident memory in kilobytes, and CPU time in clock ticks (1/100 s), of a process.
pub fn usage_of(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .and_then(|l| l.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // after the name in parentheses: field 3 onward; user and system time are fields 14 and 15
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n - 3).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (rss, ticks(14) + ticks(15))
}

/// The most resident memory a process ever had, in kilobytes.
pub fn peak_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Memory of the processes that a program started, and of theirs, in kilobytes; what several of them
/// share is divided among them.
pub fn web_view_kb(pid: u32) -> u64 {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // after the name in parentheses: state, then the parent
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        if let Some(parent) = fields.nth(1).and_then(|f| f.parse::<u32>().ok()) {
            all.push((child, parent));
        }
    }
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(all.iter().filter(|(_, p)| *p == parent).map(|(c, _)| *c));
        next += 1;
    }
    let pss = |pid: &u32| {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|l| l.strip_prefix("Pss:").map(str::to_owned));
        line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    family[1..].iter().map(pss).sum()
}

fn collect(from: impl Read + Send + 'static, into: Arc<Mutex<VecDeque<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let mut lines = into.lock().expect("no reader panics");
            lines.push_back(String::from_utf8_lossy(&line).into_owned());
            if lines.len() > KEPT_LINES {
                lines.pop_front();
            }
        }
    });
}

/// A TCP port of loopback that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("loopback has a free port")
        .port()
}

/// Whether a program is on the path.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}
