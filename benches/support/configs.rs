//! Configurations of the peers, as fair as their manuals allow: one worker, no access log, no cap on requests
//! per connection, room for the connections of the largest case, the longest backlog, folders listed.

use std::path::Path;
use std::process::Command;

use super::folder::LARGE;
use super::programs::first_line;

/// The clip is the kernel's (`net.core.somaxconn`).
const BACKLOG: u32 = 65_535;
/// The largest case has 10,000, and each may have a file open.
const CONNECTIONS_MAX: u64 = 20_000;
/// As long as pws keeps an idle connection.
const IDLE_SECS: u32 = 75;

/// Under which conditions a server runs.
#[derive(Clone, Debug, Default)]
pub struct Conditions<'a> {
    /// Files that it may have open; `None` is as many as for the others.
    pub open_files_max: Option<u64>,
    /// Further options of pws. Others do not know them.
    pub pws_options: &'a [&'a str],
    /// What a shell does that then becomes the server.
    pub preparation: Option<String>,
}

/// Where a server finds what it needs.
pub struct Place<'a> {
    /// What it serves.
    pub root: &'a Path,
    /// Where it may leave its own files.
    pub work: &'a Path,
    pub port: u16,
    pub conditions: &'a Conditions<'a>,
}

impl Place<'_> {
    /// For servers that want to be told.
    fn connections_max(&self) -> u64 {
        self.conditions.open_files_max.unwrap_or(CONNECTIONS_MAX)
    }
}

/// Ways of running nginx, all of which somebody would call the right one.
#[derive(Clone, Copy)]
pub enum Nginx {
    /// As Debian ships it: `sendfile` and `tcp_nopush`.
    Plain,
    /// With `open_file_cache` as well: files are looked at once a minute only.
    FileCache,
    /// With it, without `tcp_nopush`, which makes pipelines wait for acknowledgements, and `sendfile` for
    /// large files only: small ones take less time when they are copied.
    Tuned,
}

pub fn nginx(place: &Place, nginx: Nginx) -> String {
    const FILE_CACHE: &str =
        "open_file_cache max=4096 inactive=60s; open_file_cache_valid 60s; open_file_cache_errors on;";
    let Place { root, work, port, .. } = place;
    let connections_max = place.connections_max();
    let (root, work) = (root.display(), work.display());
    let (user, group) = (id("-un"), id("-gn"));
    let (sending, file_cache) = match nginx {
        Nginx::Plain => ("sendfile on; tcp_nopush on;", ""),
        Nginx::FileCache => ("sendfile on; tcp_nopush on;", FILE_CACHE),
        Nginx::Tuned => ("sendfile off;", FILE_CACHE),
    };
    format!(
        "daemon off;
user {user} {group};
worker_processes 1;
worker_rlimit_nofile {connections_max};
pid {work}/nginx.pid;
error_log {work}/error.log error;
events {{ worker_connections {connections_max}; multi_accept on; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout {IDLE_SECS}s;
    types {{ text/html html; }}
    {sending}
    {file_cache}
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog={BACKLOG};
        root {root};
        autoindex on;
        location {LARGE}/ {{ sendfile on; }}
    }}
}}
"
    )
}

/// The cap on requests per connection is a 16-bit number that cannot be lifted: at its largest, it is met
/// once in 65,535 requests.
pub fn lighttpd(place: &Place) -> String {
    let Place { root, work, port, .. } = place;
    let connections_max = place.connections_max();
    let (root, work) = (root.display(), work.display());
    format!(
        "server.document-root = \"{root}\"
server.bind = \"127.0.0.1\"
server.port = {port}
server.listen-backlog = {BACKLOG}
server.max-fds = {connections_max}
server.max-connections = {connections_max}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = {IDLE_SECS}
server.errorlog = \"{work}/error.log\"
server.upload-dirs = (\"{work}\")
dir-listing.activate = \"enable\"
mimetype.assign = (\".html\" => \"text/html\")
"
    )
}

/// No cap on requests per connection to lift, and the backlog is 65,535 already. The request timeout is the
/// idle one, too.
pub fn h2o(place: &Place) -> String {
    let Place { root, work, port, .. } = place;
    let connections_max = place.connections_max();
    let (root, work) = (root.display(), work.display());
    let user = id("-un");
    format!(
        "user: {user}
num-threads: 1
num-name-resolution-threads: 1
max-connections: {connections_max}
http1-request-timeout: {IDLE_SECS}
pid-file: {work}/h2o.pid
error-log: {work}/error.log
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
"
    )
}

pub fn caddy(place: &Place) -> String {
    let Place { root, work, port, .. } = place;
    let (root, work) = (root.display(), work.display());
    format!(
        "{{
    admin off
    auto_https off
    storage file_system {work}
}}
http://:{port} {{
    bind 127.0.0.1
    root * {root}
    file_server
}}
"
    )
}

pub fn darkhttpd(place: &Place) -> Vec<String> {
    let Place { root, port, .. } = place;
    let (root, port, connections) = (root.display().to_string(), port.to_string(), BACKLOG.to_string());
    // What it calls connections is the backlog. The log cannot be switched off.
    let options = ["--addr", "127.0.0.1", "--port", &port, "--maxconn", &connections, "--log", "/dev/null"];
    let mut arguments = vec![root];
    arguments.extend(options.map(str::to_owned));
    arguments
}

pub fn static_web_server(place: &Place) -> Vec<String> {
    let Place { root, port, .. } = place;
    let (root, port) = (root.display().to_string(), port.to_string());
    let options = ["--host", "127.0.0.1", "--port", &port, "--root", &root, "--log-level", "error"];
    let threads = ["--threads-multiplier", "1", "--compression", "false"];
    options.into_iter().chain(threads).map(str::to_owned).collect()
}

/// Who we are: a server started by root would become somebody who may not read the folder.
fn id(what: &str) -> String {
    first_line(Command::new("id").arg(what))
}
