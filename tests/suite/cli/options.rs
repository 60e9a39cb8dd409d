//! Options, variables and defaults, the first line, and errors before serving starts.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pws::limits::Limits;
use pws::net::listener;
use pws_testing::client::Client;
use pws_testing::folder::Folder;
use pws_testing::process::{self, KilledOnDrop, Process, first_line, serving};

use super::folder;
use crate::support::binary::{command, command_after, serve};
use crate::support::tools;

/// A loopback address of these tests' own: no other test's connection takes a port of it.
const OWN_ADDRESS: &str = "127.0.0.9";

/// A port of [`OWN_ADDRESS`] that nothing listens on.
#[track_caller]
fn free_port() -> String {
    let listener = TcpListener::bind((OWN_ADDRESS, 0)).expect("a free port");
    listener.local_addr().expect("its address").port().to_string()
}

#[track_caller]
fn shown(path: &Path) -> String {
    path.canonicalize().expect("an existing path").display().to_string()
}

#[test]
fn the_first_line_names_the_folder_and_the_url() {
    let folder = folder();
    let root = shown(&folder.root());
    let process = serve(folder, &[]);
    let port = process.address().port();
    assert_ne!(port, 0);
    let expected = format!("Serving {root} at http://127.0.0.1:{port}/");
    assert_eq!(process.first_line, expected);
    assert_eq!(process.connect().get("/").text(), "<p>home", "it serves by then");
}

#[test]
fn the_default_folder_is_the_current_one_and_that_of_the_demo_only_where_cargo_runs_it() {
    let folder = Folder::new().file("index.html", "<p>current").file("static/index.html", "<p>static");
    for (package, expected_folder, expected_text) in [
        (None, "root", "<p>current"),
        (Some("other"), "root", "<p>current"),
        (Some("pws"), "root/static", "<p>static"),
    ] {
        let mut command = command();
        command.env_remove("CARGO_PKG_NAME").env("CARGO_MANIFEST_DIR", folder.root());
        command.envs(package.map(|package| ("CARGO_PKG_NAME", package)));
        command.current_dir(folder.root()).args(["-b", "127.0.0.1", "0"]);
        let process = Process::start(command);
        let shown = shown(&folder.outside().join(expected_folder));
        assert!(process.first_line.starts_with(&format!("Serving {shown} at ")), "{}", process.first_line);
        assert_eq!(process.connect().get("/").text(), expected_text);
    }
}

#[test]
fn folder_and_port_need_no_names() {
    let folder = folder();
    let root = folder.root().display().to_string();
    for args in [[root.as_str(), "0"], ["0", root.as_str()]] {
        let mut command = command();
        command.args(args).args(["--bind", "127.0.0.1"]);
        assert_eq!(Process::start(command).connect().get("/page.html").text(), "<p>page", "{args:?}");
    }
}

/// What is typed, a variable, and what is said of them.
type Wrong<'a> = (&'a [&'a str], Option<(&'a str, &'a str)>, &'a str);

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let cases: [Wrong; 7] = [
        (
            &[],
            Some(("PWS_PORT", "abc")),
            "invalid value 'abc' for 'PWS_PORT': a number from 0 to 65535 is needed",
        ),
        (&["--log-level", "verbose"], None, "it may be off, error, warn, info, debug, trace"),
        (&["--bind", "127.0.0.1:80"], None, "the port stands by itself: '--bind 127.0.0.1 --port 80'"),
        (&["--mime", "tar.gz=a/b"], None, "only what is behind the last dot of a name counts: 'gz=a/b'"),
        (&["--memory", "8X"], None, "'X' is no unit: K, M or G is, as in 8M"),
        (&["--no-listings"], None, "'--no-listing'"),
        (&["80", "-p", "81"], None, "two ports were given, '81' and '80': one is needed"),
    ];
    for (args, variable, expected) in cases {
        let mut command = command();
        command.args(args).envs(variable);
        let output = process::run(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn what_is_passed_over_is_told() {
    let folder = folder();
    let mut command = serving(command(), &folder);
    command.env("PWS_PORT", "tcp://10.0.0.1:80").env("PWS_PORT_80_TCP", "x").env("PWS_MEMRY", "8M");
    command.args(["--fallback", "nowhere.html"]);
    let process = Process::start(command);
    for told in [
        "PWS_PORT=tcp://10.0.0.1:80 is passed over",
        "is it PWS_MEMORY?",
        "the fallback 'nowhere.html' leads nowhere",
    ] {
        process.wait_for(told);
    }
    assert!(!process.stderr().contains("PWS_PORT_80"), "{}", process.stderr());
}

#[test]
fn short_and_long_options_do_the_same() {
    let folder = folder();
    let root = folder.root();
    for (directory, bind) in [("-d", "-b"), ("--directory", "--bind")] {
        let mut command = command();
        command.arg(directory).arg(&root).args([bind, "127.0.0.1", bind, "127.0.0.2", "0"]);
        let process = Process::start(command);
        let port = process.address().port();
        let expected = ["127.0.0.1", "127.0.0.2"].map(|ip| format!("http://{ip}:{port}/"));
        assert_eq!(process.urls(), expected);
        for ip in [[127, 0, 0, 1], [127, 0, 0, 2]] {
            assert_eq!(Client::connect((ip, port).into()).get("/page.html").text(), "<p>page");
        }
    }
}

#[test]
fn every_variable_works() {
    let folder = folder();
    let port = free_port();
    let mut command = command();
    command.env("PWS_PORT", &port).env("PWS_BIND", format!("{OWN_ADDRESS},127.0.0.10"));
    command.env("PWS_DIRECTORY", folder.root()).env("PWS_ACCESS_LOG", "off").env("PWS_LOG_LEVEL", "off");
    let process = Process::start(command);
    let expected = [OWN_ADDRESS, "127.0.0.10"].map(|ip| format!("http://{ip}:{port}/"));
    assert_eq!(process.urls(), expected);
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    assert_eq!(process.stderr(), "");
    assert_eq!(process.stop(), [""; 0], "no access log");
}

#[test]
fn a_url_is_told_once() {
    let folder = folder();
    let mut command = command();
    // On a machine without IPv6, one of them alone.
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    let binds: &[&str] = if has_ipv6 { &["-b", "0.0.0.0", "-b", "::"] } else { &["-b", "0.0.0.0"] };
    command.args(binds).args(["--access-log", "off", "0"]).current_dir(folder.root());
    command.stdout(Stdio::piped());
    let mut child = KilledOnDrop(command.spawn().expect("the binary"));
    let (line, _reader) = first_line(child.0.stdout.take().expect("a pipe"));
    assert_eq!(line.matches("http://localhost:").count(), 1, "{line}");
}

#[test]
fn an_option_beats_its_variable() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken_port = taken.local_addr().expect("its address").port();
    let mut command = command();
    command.env("PWS_PORT", taken_port.to_string()).env("PWS_BIND", "192.0.2.1");
    command.env("PWS_DIRECTORY", "/nowhere").env("PWS_ACCESS_LOG", "off").env("PWS_LOG_LEVEL", "off");
    let mut command = serving(command, &folder);
    command.args(["--access-log", "on", "--log-level", "info"]);
    let process = Process::start(command);
    assert_eq!(process.address().ip().to_string(), "127.0.0.1");
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    assert!(process.stderr().contains("open files"), "{}", process.stderr());
    assert_eq!(process.stop().len(), 1);
}

#[test]
fn a_bare_port_beats_a_variable_that_is_none_and_memory_is_told_by_its_variable() {
    let folder = folder();
    let mut command = command();
    command.env("PWS_PORT", "abc").env("PWS_MEMORY", "8M");
    let process = Process::start(serving(command, &folder));
    assert_eq!(process.connect().get("/page.html").text(), "<p>page");
    process.wait_for("memory: 8192 KiB by PWS_MEMORY:");
}

#[test]
fn a_pattern_that_is_a_folder_as_well_is_remarked_on() {
    let folder = folder().file(".config/page.html", "hidden");
    for (words, is_told, found) in
        [(&["--hidden", ".config", "-d", "."][..], true, 200), (&["--hidden", "./.config"], false, 404)]
    {
        let mut command = command();
        command.current_dir(folder.root()).args(["--bind", "127.0.0.1", "--port", "0"]).args(words);
        let process = Process::start(command);
        assert_eq!(process.connect().get("/.config/page.html").status, found, "{words:?}");
        let told = ".config counts as the value of --hidden (try './.config' for the folder)";
        assert_eq!(process.stderr().contains(told), is_told, "{words:?}: {}", process.stderr());
    }
}

#[test]
fn a_preflight_tells_what_spoils_a_run_and_serves_nothing() {
    let few = |count: u64| {
        let mut command = command_after(&format!("ulimit -n {count}"));
        command.args(["--preflight", "--access-log", "off", "/nowhere"]);
        process::run(command)
    };
    let output = few(256);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("MEND  open files     256 may be open at once\n"), "{told}");
    assert!(told.contains("ulimit -Hn 1048576") && told.contains("well  access log"), "{told}");
    assert!(told.lines().all(|line| line.len() <= 110), "{told}");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_the_usage() {
    for args in [
        &["65536"][..],
        &["-1"],
        &["80", "81"],
        &["--no-such-option"],
        &["--access-log", "perhaps"],
        &["--log-level", "loud"],
        &["--directory"],
        &["--no-listing=x"],
        &["-p1", "-p1"],
        &["a", "1", "b"],
    ] {
        let mut command = command();
        command.args(args);
        let output = process::run(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("error: "), "{args:?}: {stderr}");
        assert_eq!(stderr.matches("Usage: pws [OPTIONS] [PATH] [PORT]\n").count(), 1, "{args:?}: {stderr}");
        assert!(stderr.ends_with("try '--help'.\n"), "{args:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{args:?}");
    }
}

#[test]
fn what_cannot_start_exits_with_1_and_one_line_that_helps() {
    let folder = folder();
    let root = shown(&folder.root());
    let missing = format!("{root}/nowhere");
    let no_folder = "/dev/null".to_owned();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|address| (taken, address)).expect("its address");
    let port = taken.1.port().to_string();
    let shown_taken = taken.1.to_string();
    for (args, named) in [
        (["-d", &missing, "-b", "127.0.0.1", "0"], [&missing, "no such folder"]),
        (["-d", &no_folder, "-b", "127.0.0.1", "0"], [&no_folder, "not a folder"]),
        (["-d", &root, "-b", "127.0.0.1", &port], [&shown_taken, "taken"]),
        (["-d", &root, "-b", "192.0.2.1", "0"], ["192.0.2.1", "no such address"]),
    ] {
        let mut command = command();
        command.args(args);
        let output = process::run(command);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with('\n') && stderr.lines().count() == 1, "one line: {stderr}");
        assert!(stderr.starts_with("pws: cannot ") && stderr.contains("(try "), "{stderr}");
        assert!(named.iter().all(|part| stderr.contains(part)), "{named:?} in {stderr}");
        assert_eq!(output.stdout, b"");
    }
}

#[test]
fn the_soft_limit_on_open_files_is_raised_and_told() {
    let folder = folder();
    let process = Process::start(serving(command_after("ulimit -S -n 100"), &folder));
    // The line comes behind the first one on standard output; whoever was answered comes behind both.
    assert_eq!(process.connect().get("/").status, 200);
    let (soft, hard) = process.open_files_limits();
    assert_eq!(soft, hard);
    let backlog = listener::effective_backlog(&Limits::default());
    let stderr = process.stderr();
    assert!(stderr.contains(&format!("limits: {hard} open files, ")), "{stderr}");
    assert!(stderr.contains(&format!(" connections, a backlog of {backlog}\n")), "{stderr}");
}

#[test]
fn log_level_off_is_silence() {
    let process = serve(folder(), &["--log-level", "off", "--access-log", "off"]);
    assert_eq!(process.connect().get("/").status, 200);
    assert_eq!(process.stderr(), "");
}

#[test]
fn a_file_the_server_may_not_read_is_forbidden() {
    let folder = folder().file("unreadable.html", "<p>secret");
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    };
    set_mode(&folder.root().join("unreadable.html"), 0o000);
    let command = match rustix::process::geteuid().is_root() {
        false => command(),
        // Root may read everything. As nobody, pws needs a way to the folder and to itself.
        true => {
            set_mode(folder.outside(), 0o755);
            let binary = folder.outside().join("pws");
            std::fs::copy(env!("CARGO_BIN_EXE_pws"), &binary).expect("a copy");
            let mut command = Command::new(binary);
            command.uid(65534).gid(65534).current_dir(folder.outside()).env_clear();
            let can_run = command.arg("--version").stdout(Stdio::null()).status();
            if !can_run.is_ok_and(|status| status.success()) {
                return tools::skip("root may read everything, and nobody cannot run pws here");
            }
            let mut command = Command::new(folder.outside().join("pws"));
            command.uid(65534).gid(65534).current_dir(folder.outside()).env_clear();
            command
        }
    };
    let process = Process::start(serving(command, &folder));
    let mut client = process.connect();
    let answer = client.get("/unreadable.html");
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains("secret"));
    assert_eq!(client.get("/page.html").status, 200);
}

#[test]
fn curl_and_wget_get_the_bytes() {
    let process = serve(folder(), &[]);
    let url = format!("{}page.html", process.urls()[0]);
    for (tool, args) in [("curl", ["--silent", "--show-error"]), ("wget", ["--quiet", "--output-document=-"])]
    {
        if tools::has(tool) {
            let mut command = Command::new(tool);
            // A proxy would not find this machine's loopback.
            command.args(args).arg(&url).env_remove("http_proxy").stdin(Stdio::null());
            let output = process::run(command);
            assert!(output.status.success(), "{tool}: {output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "<p>page", "{tool}");
        }
    }
}

/// The long options and the variables that `text` names.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    let words = text.split(|char| !is_part(char));
    let is_name = |word: &&str| word.len() > 4 && (word.starts_with("--") || word.starts_with("PWS_"));
    words.filter(is_name).filter(|word| !word.starts_with("---")).map(str::to_owned).collect()
}

/// What stands in backticks in the rows of tables.
fn code_in_tables(markdown: &str) -> String {
    let rows = markdown.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect::<Vec<_>>().join("\n")
}

/// The long options that `text` tells of, in order: each at the head of a line, behind `lead`.
fn heads<'a>(text: &'a str, lead: &str) -> Vec<&'a str> {
    let behind_lead = text.lines().filter_map(|line| line.trim_start().strip_prefix(lead));
    let heads = behind_lead.filter(|head| head.starts_with('-'));
    heads.filter_map(|head| head.split([' ', ',', '`', '[']).find(|word| word.starts_with("--"))).collect()
}

#[test]
fn help_and_readme_name_the_same_options_and_variables() {
    let mut command = command();
    command.arg("--help");
    let output = process::run(command);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains("[default: 9000]"), "{help}");
    let in_help = names(&help);
    for name in ["--bind", "--directory", "--access-log", "--log-level", "--help", "--version", "PWS_PORT"] {
        assert!(in_help.contains(name), "{name} in {in_help:?}");
    }
    let readme = include_str!("../../../README.md");
    assert_eq!(names(&code_in_tables(readme)), in_help);
    let (options, _) = readme.split_once("\n## What it serves\n").expect("the chapter behind the options");
    assert_eq!(heads(options, "| `"), heads(&help, ""), "in the same order");
}

#[test]
fn help_and_version_end_well_if_nobody_reads_them() {
    for word in ["--help", "--version"] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = command().arg(word).stdout(writer).output().expect("pws");
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{word}");
    }
}

#[test]
fn names_are_found_in_tables_only() {
    let markdown =
        "`--outside` PWS_OUTSIDE\n|---|---|\n| `-b`, `--bind ADDR` | `PWS_BIND` | as --plain does |";
    let names: Vec<String> = names(&code_in_tables(markdown)).into_iter().collect();
    assert_eq!(names, ["--bind", "PWS_BIND"]);
}

#[test]
fn only_those_are_served_who_are_allowed() {
    let process = serve(folder(), &["--allow", "127.0.0.0/8", "--deny", "127.0.0.2", "--status", "0"]);
    let from = |source: [u8; 4]| {
        let connected = Client::try_connect_from(source.into(), process.address(), Duration::from_secs(20));
        connected.expect("a connection").get("/page.html")
    };
    assert_eq!(from([127, 0, 0, 1]).status, 200);
    let denied = from([127, 0, 0, 2]);
    assert_eq!(
        (denied.status, denied.field("connection"), denied.field("retry-after")),
        (403, Some("close"), None)
    );
    assert!(denied.text().contains("This address is not served here."), "{}", denied.text());
    assert_eq!(from([127, 0, 0, 3]).status, 200);
    let lines = process.stop();
    assert!(lines.len() == 3 && lines[1].contains("127.0.0.2") && lines[1].contains("\" 403 "), "{lines:?}");
    let output = command().args(["--allow", "10.0.0.0/33"]).output().expect("pws");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("a network such as 192.0.2.0/24") && output.status.code() == Some(2), "{stderr}");
}
