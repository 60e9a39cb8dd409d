//! The real binary as a process of its own: started on a free port, looked at through /proc, killed when
//! dropped.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tempfile::NamedTempFile;

use super::client::Client;
use super::folder::Folder;
use super::patience::{PATIENCE, wait_until};

/// `program` without arguments, and without variables that pws or its log would heed.
pub fn command_of(program: &str) -> Command {
    cleared(Command::new(program))
}

/// `program` by way of a shell, which runs `preparation` first and then becomes the program.
pub fn command_after(preparation: &str, program: &str) -> Command {
    let mut command = cleared(Command::new("sh"));
    command.args(["-c", &format!("{preparation}; exec \"$0\" \"$@\""), program]);
    command
}

fn cleared(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PWS_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Adds to `command` what has it serve `folder` on a free port of the loopback.
#[track_caller]
pub fn serving(mut command: Command, folder: &Folder) -> Command {
    command.args(["--bind", "127.0.0.1", "--directory"]).arg(folder.root()).arg("0");
    command
}

/// Runs `command` to its end, which must come by itself.
#[track_caller]
pub fn run(mut command: Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
    let mut child = KilledOnDrop(child);
    wait_until("the process ends", || child.0.try_wait().expect("a child").is_some());
    let mut output =
        Output { status: child.0.wait().expect("an end"), stdout: Vec::new(), stderr: Vec::new() };
    let (stdout, stderr) = (child.0.stdout.take(), child.0.stderr.take());
    stdout.expect("a pipe").read_to_end(&mut output.stdout).expect("its output");
    stderr.expect("a pipe").read_to_end(&mut output.stderr).expect("its errors");
    output
}

/// A process that does not outlive its test.
pub struct KilledOnDrop(pub Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line that comes, without its end, and what it came from; empty if none ever will.
#[track_caller]
pub fn first_line<R: Read + Send + 'static>(from: R) -> (String, BufReader<R>) {
    let (sender, receiver) = mpsc::channel();
    let mut reader = BufReader::new(from);
    // A thread, because reading a pipe knows no patience.
    std::thread::spawn(move || {
        let mut line = String::new();
        let result = reader.read_line(&mut line).map(|_| line);
        let _ = sender.send((result, reader));
    });
    let (line, reader) = receiver.recv_timeout(PATIENCE).expect("a line in time");
    (line.expect("UTF-8").trim_end_matches('\n').to_owned(), reader)
}

#[track_caller]
fn urls_in(first_line: &str) -> Vec<&str> {
    let (_, urls) = first_line.rsplit_once(" at ").expect("' at ' in the first line");
    urls.split(' ').collect()
}

/// Where the first URL in a first line leads.
#[track_caller]
pub fn address_in(first_line: &str) -> SocketAddr {
    let authority = urls_in(first_line)[0].strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
    authority.expect("a URL").parse().expect("an address and a port")
}

/// Whether `command` has the access log on, as it has by default.
fn logs_access(command: &Command) -> bool {
    let args: Vec<&OsStr> = command.get_args().collect();
    let option = args.windows(2).find(|pair| pair[0] == "--access-log").map(|pair| pair[1]);
    let variable =
        command.get_envs().find(|(name, _)| *name == "PWS_ACCESS_LOG").and_then(|(_, value)| value);
    option.or(variable).is_none_or(|when| when != "off")
}

/// A running pws, killed when dropped.
pub struct Process {
    child: KilledOnDrop,
    /// What it told first: `Serving DIR at URL ...`.
    pub first_line: String,
    /// Standard output, behind the first line if that comes there. Nobody reads it unless a test does.
    pub stdout: Option<BufReader<ChildStdout>>,
    /// A file takes all that comes, so standard error never holds the process up.
    stderr: NamedTempFile,
    /// What is served, if it has to last as long.
    folder: Option<Folder>,
}

impl Process {
    /// Starts `command`, adds what has it serve `folder` on a free port, and waits until it does.
    #[track_caller]
    pub fn serve(command: Command, folder: Folder, args: &[&str]) -> Process {
        let mut command = serving(command, &folder);
        command.args(args);
        let mut process = Process::start(command);
        process.folder = Some(folder);
        process
    }

    /// Starts `command` and waits until it serves.
    #[track_caller]
    pub fn start(mut command: Command) -> Process {
        let stderr = NamedTempFile::new().expect("a temporary file");
        command.stdout(Stdio::piped()).stderr(stderr.reopen().expect("the same file"));
        let mut child = KilledOnDrop(command.spawn().expect("the binary"));
        let stdout = child.0.stdout.take().expect("a pipe");
        let mut process = Process { child, first_line: String::new(), stdout: None, stderr, folder: None };
        // Where the access log goes to standard output, it has that for itself.
        if !logs_access(&command) {
            let (first_line, rest) = first_line(stdout);
            (process.first_line, process.stdout) = (first_line, Some(rest));
        } else {
            process.stdout = Some(BufReader::new(stdout));
            process.first_line = process.first_line_on_stderr();
        }
        assert_ne!(process.first_line, "", "ended before it served: {}", process.stderr());
        process
    }

    /// Waits until standard error says that it serves; empty if it has ended before.
    #[track_caller]
    fn first_line_on_stderr(&mut self) -> String {
        let mut first_line = String::new();
        wait_until("it serves", || {
            let is_running = self.is_running();
            let told = self.stderr();
            let mut lines = told.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            first_line =
                lines.find(|line| line.starts_with("Serving ")).unwrap_or_default().trim_end().to_owned();
            !first_line.is_empty() || !is_running
        });
        first_line
    }

    /// Starts `command`, which listens at `address` and whose standard output nobody reads, and waits until it
    /// accepts connections.
    #[track_caller]
    pub fn start_unheard(mut command: Command, address: SocketAddr) -> Process {
        let stderr = NamedTempFile::new().expect("a temporary file");
        command.stderr(stderr.reopen().expect("the same file"));
        let child = KilledOnDrop(command.spawn().expect("the binary"));
        let first_line = format!("Serving something at http://{address}/");
        let mut process = Process { child, first_line, stdout: None, stderr, folder: None };
        wait_until("it listens", || {
            assert!(process.is_running(), "ended before it served: {}", process.stderr());
            TcpStream::connect(address).is_ok()
        });
        process
    }

    #[track_caller]
    pub fn urls(&self) -> Vec<&str> {
        urls_in(&self.first_line)
    }

    /// Where the first URL leads.
    pub fn address(&self) -> SocketAddr {
        address_in(&self.first_line)
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address())
    }

    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).expect("a process to signal");
    }

    /// Standard error so far.
    #[track_caller]
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).expect("UTF-8")
    }

    /// Waits until it has told `text` on standard error.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        wait_until(text, || self.stderr().contains(text));
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        wait_until("the process ends", || !self.is_running());
        self.child.0.wait().expect("an end")
    }

    #[track_caller]
    pub fn is_running(&mut self) -> bool {
        self.child.0.try_wait().expect("a child").is_none()
    }

    /// Stops the process, which must end well; returns the lines of standard output.
    #[track_caller]
    pub fn stop(mut self) -> Vec<String> {
        self.signal(Signal::TERM);
        // Read before it has ended, lest it have more to say than a pipe holds.
        let mut stdout = self.stdout.take().expect("standard output");
        let lines = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        assert_eq!(self.wait().code(), Some(0), "{}", self.stderr());
        let text = lines.join().expect("a reader").expect("UTF-8");
        text.lines().map(str::to_owned).collect()
    }
}

/// Each descriptor of a process and the flags it was opened with.
#[track_caller]
pub fn descriptor_flags(process: &str) -> Vec<(u32, u32)> {
    let files = std::fs::read_dir(format!("/proc/{process}/fdinfo")).expect("its descriptors");
    let paths = files.map(|file| file.expect("one").path());
    let flags = |path: PathBuf| {
        // One that is gone again was that of this very look.
        let text = std::fs::read_to_string(&path).ok()?;
        let octal = text.lines().find_map(|line| line.strip_prefix("flags:")).expect("its flags").trim();
        let number = path.file_name()?.to_str()?.parse().expect("a number");
        Some((number, u32::from_str_radix(octal, 8).expect("octal flags")))
    };
    paths.filter_map(flags).collect()
}

/// What the kernel tells of it.
impl Process {
    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.id()))
    }

    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    #[track_caller]
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).expect("its descriptors").count()
    }

    #[track_caller]
    pub fn threads(&self) -> usize {
        std::fs::read_dir(self.proc("task")).expect("its threads").count()
    }

    /// Lowers or raises the limit behind its back.
    #[track_caller]
    pub fn set_soft_open_files_limit(&self, limit: u64) {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let new = Rlimit { current: Some(limit), maximum };
        prlimit(Some(Pid::from_child(&self.child.0)), Resource::Nofile, new).expect("a limit to set");
    }

    /// Soft and hard limit on open files.
    #[track_caller]
    pub fn open_files_limits(&self) -> (String, String) {
        let line = self.line_of("limits", "Max open files");
        let mut columns = line.split_whitespace().map(str::to_owned);
        (columns.next().expect("the soft one"), columns.next().expect("the hard one"))
    }

    /// How often it has slept and woken.
    #[track_caller]
    pub fn sleeps(&self) -> u64 {
        self.line_of("status", "voluntary_ctxt_switches:").parse().expect("a number")
    }

    /// What stands behind `label` in a file that the kernel keeps about the process.
    #[track_caller]
    pub fn line_of(&self, file: &str, label: &str) -> String {
        let text = std::fs::read_to_string(self.proc(file)).expect("a file about it");
        let line = text.lines().find_map(|line| line.strip_prefix(label));
        line.expect(label).trim().to_owned()
    }

    /// Each descriptor and the flags it was opened with.
    pub fn descriptor_flags(&self) -> Vec<(u32, u32)> {
        descriptor_flags(&self.child.0.id().to_string())
    }

    /// The memory it has taken, in KiB. Parts of the program that run for the first time do not count.
    #[track_caller]
    pub fn memory_kib(&self) -> u64 {
        self.line_of("status", "RssAnon:").trim_end_matches(" kB").parse().expect("a number")
    }

    /// The most memory it has ever had, in KiB.
    #[track_caller]
    pub fn peak_memory_kib(&self) -> u64 {
        self.line_of("status", "VmHWM:").trim_end_matches(" kB").parse().expect("a number")
    }

    /// User and system time taken, in ticks of a hundredth of a second.
    #[track_caller]
    pub fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(self.proc("stat")).expect("its times");
        // The name, in parentheses, may contain anything; behind it `utime` and `stime` are 12th and 13th.
        let (_, behind_name) = stat.rsplit_once(") ").expect("a name");
        let columns: Vec<&str> = behind_name.split(' ').collect();
        columns[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }
}
