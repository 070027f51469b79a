//! A node as a process: started, listened to, ended or killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time in which a node opens its doors, however busy the machine: the proving key may have to be made first.
const START_LIMIT: Duration = Duration::from_mins(10);

/// What a process has written to its standard error so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn collect(&self, mut from: impl std::io::Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(len @ 1..) = from.read(&mut piece) {
                let mut all = log.0.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend_from_slice(&piece[..len]);
            }
        })
    }
}

/// A running node. Dropped, it is killed.
pub struct NodeProcess {
    child: Child,
    log: Log,
    collector: Option<JoinHandle<()>>,
    /// Address of the peers' door.
    pub peers: SocketAddr,
    /// Address of the public door.
    pub public: SocketAddr,
    /// Address of the operator's listener, if it has one.
    pub metrics: Option<SocketAddr>,
    /// Address of the residents' page, if it has one.
    pub page: Option<SocketAddr>,
}

impl NodeProcess {
    /// Starts a command that ends in the node's program and waits until its doors are open.
    ///
    /// # Errors
    /// The exit code and what the process wrote, if it ends instead, or does not open them within some minutes.
    pub fn start(command: Command) -> Result<Self, (Option<i32>, String)> {
        Self::start_within(command, START_LIMIT)
    }

    /// The same, with its own limit of time.
    ///
    /// # Errors
    /// As those of [`NodeProcess::start`].
    pub fn start_within(
        mut command: Command,
        limit: Duration,
    ) -> Result<Self, (Option<i32>, String)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program exists");
        let log = Log::default();
        let collector = log.collect(child.stderr.take().expect("piped"));
        let mut out = BufReader::new(child.stdout.take().expect("piped")).take(4096);
        let (said, says) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = out.read_line(&mut line);
            said.send(line)
        });
        let line = says.recv_timeout(limit).unwrap_or_default();
        let doors = line.strip_prefix("ready ").and_then(|line| {
            let address = |name| {
                let mut words = line.split_whitespace();
                words.find_map(|word| word.strip_prefix(name)?.parse().ok())
            };
            let doors = (address("peers=")?, address("public=")?);
            Some((doors, address("metrics="), address("page=")))
        });
        let Some(((peers, public), metrics, page)) = doors else {
            let _ = child.kill();
            let status = child.wait().expect("a child can be waited for");
            let _ = collector.join();
            return Err((status.code(), log.text()));
        };
        Ok(Self {
            child,
            log,
            collector: Some(collector),
            peers,
            public,
            metrics,
            page,
        })
    }

    /// The command that runs a node with a configuration file, logging as `filter` says.
    pub fn command(program: &Path, config: &Path, filter: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(config);
        command.env("RUST_LOG", filter);
        command
    }

    /// Asks the operator's listener, and gives status and body.
    ///
    /// # Panics
    /// If there is none, or it does not answer in HTTP.
    pub fn ask(&self, path: &str) -> (u16, String) {
        let at = self.metrics.expect("an operator's listener");
        let mut stream = TcpStream::connect(at).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Ends it at once, as a power cut ends a process: nothing is flushed, nobody is told (`SIGKILL`).
    ///
    /// # Panics
    /// If the system refuses.
    pub fn kill(mut self) -> Log {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        self.collector.take().map(JoinHandle::join);
        self.log.clone()
    }

    /// Asks it to end (`SIGTERM`) and gives its exit code.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn terminate(mut self) -> (Option<i32>, Log) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("kill exists").success(), "a child can be told");
        let status = self.child.wait().expect("a child can be waited for");
        self.collector.take().map(JoinHandle::join);
        if status.code().is_none() {
            let log = self.log.bytes();
            let tail = &log[log.len().saturating_sub(3000)..];
            eprintln!(
                "{status}; its last words: {}",
                String::from_utf8_lossy(tail)
            );
        }
        (status.code(), self.log.clone())
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
