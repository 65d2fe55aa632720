//! A server's process under the watch of a shell: it ends when the test's process does, however
//! that ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::processes;

/// The shell that watches. Its input is a pipe of the test's process. A line there tells that the
/// test's process has ended the server; the pipe's end without a line, that the test's process was
/// killed: then nobody else stops the server, at the latest after some seconds, and removes its
/// folder. First it prints the server's number.
const WATCH: &str = r#"
signal=$1; folder=$2; shift 2
sh -c 'echo $$; exec "$@"' server "$@" 2>&1 &
server=$!
exec >/dev/null 2>&1
if read -r order; then wait "$server"; exit; fi
kill -s "$signal" "$server"
kill -s CONT "$server"
(sleep 2; kill -s KILL "$server") &
wait "$server"
kill "$!"
rm -rf "$folder"
"#;

/// A server that isn't ready by then never will be, on the slowest machine.
const START_SECONDS_MAX: u64 = 120;

/// How a kind of server shows that it is ready, and is told to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// What its log says once it takes connections.
    pub ready: &'static str,
    /// The signal that makes it stop all its processes.
    pub stop: &'static str,
}

/// A running server. Dropped, all its processes are killed at once and gone.
#[derive(Debug)]
pub(crate) struct Attended {
    watch: Child,
    order: Option<ChildStdin>,
    process: u32,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Attended {
    /// Starts a server in its folder and waits until it takes connections; its log when it ends
    /// before that.
    pub fn launch(server: &Command, folder: &Path, manners: Manners) -> Result<Self, String> {
        let mut watch = Command::new("sh")
            .args(["-c", WATCH, "watch", manners.stop])
            .arg(folder)
            .arg(server.get_program())
            .args(server.get_args())
            .current_dir(folder)
            // Who kills the test's group of processes must not kill the watch with it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let order = watch.stdin.take();
        let mut output = BufReader::new(watch.stdout.take().expect("its output is piped"));
        let process = process_number(&mut output);
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, ready) = mpsc::channel();
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || keep(output, manners.ready, &sender, &kept));
        let server = Self {
            watch,
            order,
            process,
            log,
            reader: Some(reader),
        };
        match ready.recv_timeout(Duration::from_secs(START_SECONDS_MAX)) {
            Ok(()) => Ok(server),
            Err(_) => Err(server.log()),
        }
    }

    /// What it has said.
    pub fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.clone()
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the server's log:\n{}", self.log());
        }
        processes::kill_with_children(self.process);
        if let Some(mut order) = self.order.take()
            && let Err(error) = order.write_all(b"end\n")
        {
            println!("the server's watch is gone: {error}");
        }
        if let Err(error) = self.watch.wait() {
            println!("the server's watch can't be waited for: {error}");
        }
        // The log ends when the last process that could write to it has ended.
        if let Some(reader) = self.reader.take()
            && reader.join().is_err()
        {
            println!("the server's log could not be read");
        }
    }
}

fn process_number(output: &mut BufReader<ChildStdout>) -> u32 {
    let mut line = String::new();
    output.read_line(&mut line).expect("the watch speaks");
    line.trim()
        .parse()
        .expect("the watch begins with the server's number")
}

/// Keeps what the server says, to the end: unread, it would wait for its own log.
fn keep(output: impl Read, ready: &str, sender: &Sender<()>, log: &Mutex<String>) {
    let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
    let mut waiting = Some(sender);
    for line in lines {
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_ready = line.contains(ready);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        *log += &line;
        log.push('\n');
        drop(log);
        if is_ready && let Some(sender) = waiting.take() {
            // Nobody may be waiting any longer.
            let _ = sender.send(());
        }
    }
}
