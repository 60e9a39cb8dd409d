//! The table of options. A row is all there is of an option, beside the field that it fills: the command
//! line, its variable, `--help` and the README's table follow from it, in this order.

use log::LevelFilter;
use pws::config::Symlinks;
use pws::limits::Limits;
use pws::net::guests::Network;
use pws::process::confine::Sandbox;
use pws::process::resources::Granted;

use super::row::{BARE, Otherwise, Put, ROW, Row};
use super::values;

/// Told of in this order. They are put in it, too, in whatever order they are typed.
pub static OPTIONS: &[Row] = &[
    Row {
        group: "Listening",
        name: BARE,
        value: Some("[PATH] [PORT]"),
        help: "Folder to serve, or a file that alone is served, and port to listen on, in either order; a \
               number is a port (`./80` is a folder)",
        put: Put::Bare,
        ..ROW
    },
    Row {
        group: "Listening",
        name: "port",
        short: Some('p'),
        value: Some("PORT"),
        otherwise: Otherwise::Value("9000"),
        help: "Port to listen on; 0 takes a free one and prints it",
        put: Put::Text(|to, text| values::number(text, 0, u16::MAX).map(|port| to.config.port = port)),
        ..ROW
    },
    Row {
        group: "Listening",
        name: "bind",
        short: Some('b'),
        value: Some("ADDR"),
        separator: Some(','),
        otherwise: Otherwise::Words("all interfaces, IPv6 and IPv4"),
        help: "Address or host name to listen on; may be repeated, or take several with commas",
        put: Put::Text(|to, text| values::address(text).map(|address| to.config.binds.push(address))),
        ..ROW
    },
    Row {
        group: "Content",
        name: "directory",
        short: Some('d'),
        value: Some("DIR"),
        otherwise: Otherwise::Words("the current folder"),
        help: "Folder to serve",
        put: Put::Path(|to, path| to.config.folder = path.to_owned()),
        ..ROW
    },
    Row {
        group: "Content",
        name: "index",
        value: Some("NAME"),
        separator: Some(','),
        otherwise: Otherwise::Value("index.html,index.htm"),
        help: "Page of a folder; may be repeated, or take several with commas: the first that is there is \
               shown",
        put: Put::Text(|to, text| values::name(text).map(|name| to.config.site.indexes.push(name))),
        ..ROW
    },
    Row {
        group: "Content",
        name: "no-listing",
        help: "Do not list folders that have no index",
        put: Put::Flag(|to| to.config.site.listing = false),
        ..ROW
    },
    Row {
        group: "Content",
        name: "fallback",
        value: Some("FILE"),
        help: "File that answers navigations (requests that name `text/html` in `Accept`) to paths where \
               nothing is, with 200: for single-page apps",
        put: Put::Text(|to, text| values::path(text).map(|path| to.config.site.fallback = Some(path))),
        ..ROW
    },
    Row {
        group: "Content",
        name: "clean-urls",
        help: "Serve `about.html` as `/about`, and redirect `/about.html` there, and `/about/` where no \
               index is",
        put: Put::Flag(|to| to.config.site.clean_urls = true),
        ..ROW
    },
    Row {
        group: "Content",
        name: "hidden",
        value: Some("PATTERN"),
        separator: Some(','),
        alone: Some(".*"),
        help: "Serve names that start with a dot, too, or those that fit PATTERN, such as `.z*`; may be \
               repeated, or take several with commas",
        put: Put::Text(|to, text| values::hidden(text).map(|pattern| to.config.site.hidden.extend(pattern))),
        ..ROW
    },
    Row {
        group: "Content",
        name: "symlinks",
        value: Some("WHICH"),
        otherwise: Otherwise::Value("inside"),
        help: "Symbolic links to follow: `inside` those that stay inside the folder, `follow` all, `deny` \
               none",
        put: Put::Choice(&[
            ("inside", |to| to.config.site.symlinks = Symlinks::Inside),
            ("follow", |to| to.config.site.symlinks = Symlinks::Follow),
            ("deny", |to| to.config.site.symlinks = Symlinks::Deny),
        ]),
        ..ROW
    },
    Row {
        group: "Content",
        name: "vhosts",
        help: "Serve a folder per host name, `DIR/example.com` for example.com, and `DIR/default`, if it is \
               there, for all others",
        put: Put::Flag(|to| to.config.site.vhosts = true),
        ..ROW
    },
    Row {
        group: "Content",
        name: "strict",
        help: "Do not start if a line of `_headers` or `_redirects` cannot be followed, or the fallback is \
               not there",
        put: Put::Flag(|to| to.config.site.strict = true),
        ..ROW
    },
    Row {
        group: "Fields",
        name: "header",
        value: Some("FIELD"),
        separator: Some('\n'),
        help: "Field for every response, such as `X-Frame-Options: DENY`; may be repeated (in the variable: \
               one a line)",
        put: Put::Text(|to, text| values::field(text).map(|field| to.config.site.fields.push(field))),
        ..ROW
    },
    Row {
        group: "Fields",
        name: "cache-control",
        value: Some("VALUE"),
        help: "`Cache-Control` of what is served, such as `max-age=3600`; without, browsers ask again",
        put: Put::Text(|to, text| values::cache_control(text).map(|field| to.config.site.fields.push(field))),
        ..ROW
    },
    Row {
        group: "Fields",
        name: "cors",
        value: Some("ORIGIN"),
        alone: Some("*"),
        help: "Let pages of ORIGIN read what is served, or of any (`*`) if none is given; preflights are \
               answered",
        put: Put::Text(|to, text| values::origin(text).map(|origin| to.config.site.cors = Some(origin))),
        ..ROW
    },
    Row {
        group: "Fields",
        name: "mime",
        value: Some("EXT=TYPE"),
        separator: Some(','),
        help: "Media type of an extension, such as `md=text/html`, before those pws knows; may be repeated, \
               or take several with commas",
        put: Put::Text(|to, text| values::mime(text).map(|pair| to.config.site.media_types.push(pair))),
        ..ROW
    },
    Row {
        group: "Rights",
        name: "user",
        value: Some("NAME[:GROUP]"),
        help: "User to become once the port is open, and its group, for good; only root can",
        put: Put::Text(|to, text| values::text(text).map(|user| to.user = Some(user))),
        ..ROW
    },
    Row {
        group: "Rights",
        name: "sandbox",
        value: Some("WHEN"),
        otherwise: Otherwise::Value("auto"),
        help: "Have the kernel (Landlock) keep pws below the folder, reading only: `auto` as far as it can, \
               `require` or not start, `off` not",
        put: Put::Choice(&[
            ("auto", |to| to.sandbox = Sandbox::Auto),
            ("require", |to| to.sandbox = Sandbox::Require),
            ("off", |to| to.sandbox = Sandbox::Off),
        ]),
        ..ROW
    },
    // It sets all limits, so it stands before those that change one.
    Row {
        group: "Limits",
        name: "memory",
        value: Some("SIZE"),
        help: "Memory for everything, for small hosts: connections, buffers and files are held to it, the \
               kernel's part too; `8M` is enough for a thousand connections, a hundred of them in full swing",
        otherwise: Otherwise::Words("what the system grants"),
        put: Put::Text(|to, text| {
            values::memory(text).map(|bytes| {
                to.config.limits = Limits::within(bytes);
                to.memory = Granted { bytes: bytes as u64, source: "'--memory'" };
            })
        }),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "max-connections",
        value: Some("COUNT"),
        otherwise: Otherwise::Words("as many as descriptors and `--memory` allow"),
        help: "Connections at once; beyond, those idle longest make room, else 503",
        put: Put::Text(|to, text| {
            values::count(text).map(|count| to.config.limits.connections_max = Some(count))
        }),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "max-per-client",
        value: Some("COUNT"),
        otherwise: Otherwise::Words("no bound"),
        help: "Connections of one client at once (an IPv4 address, or an IPv6 /64)",
        put: Put::Text(|to, text| {
            values::count(text).map(|count| to.config.limits.connections_per_client_max = Some(count))
        }),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "allow",
        value: Some("CIDR"),
        separator: Some(','),
        help: "Serve clients from this network or address, such as `10.0.0.0/8`, and tell others that \
               they are not (403); may be repeated, as `--deny` may: the last that fits counts",
        // They are put in the order in which they were typed, see `put_guests`.
        put: Put::Text(|_, text| text.parse::<Network>().map(drop)),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "deny",
        value: Some("CIDR"),
        separator: Some(','),
        help: "Do not serve clients from this network or address; if it comes before any `--allow`, all \
               others are served",
        put: Put::Text(|_, text| text.parse::<Network>().map(drop)),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "idle-timeout",
        value: Some("SECS"),
        otherwise: Otherwise::Value("75"),
        help: "Seconds until a connection without a request is closed",
        put: Put::Text(|to, text| {
            values::number(text, 1, 86_400).map(|secs| to.config.limits.idle_secs = secs)
        }),
        ..ROW
    },
    Row {
        group: "Limits",
        name: "cache-size",
        value: Some("SIZE"),
        otherwise: Otherwise::Words("`16M`, or a twelfth of `--memory`"),
        help: "Memory for files and what is known of them, such as `512K`, `16M` or `1G`; 0 keeps nothing",
        put: Put::Text(|to, text| values::size(text).map(|bytes| to.config.limits.cache_bytes_max = bytes)),
        ..ROW
    },
    Row {
        group: "Logs",
        name: "access-log",
        value: Some("WHEN"),
        otherwise: Otherwise::Value("on"),
        help: "A line per response on standard output, in the common log format: `on` or `off`",
        put: Put::Choice(&[
            ("on", |to| to.config.access_log = true),
            ("off", |to| to.config.access_log = false),
        ]),
        ..ROW
    },
    Row {
        group: "Logs",
        name: "log-level",
        value: Some("LEVEL"),
        otherwise: Otherwise::Value("info"),
        help: "How much to tell on standard error: `off`, `error`, `warn`, `info`, `debug` or `trace`",
        put: Put::Choice(&[
            ("off", |to| to.log_level = LevelFilter::Off),
            ("error", |to| to.log_level = LevelFilter::Error),
            ("warn", |to| to.log_level = LevelFilter::Warn),
            ("info", |to| to.log_level = LevelFilter::Info),
            ("debug", |to| to.log_level = LevelFilter::Debug),
            ("trace", |to| to.log_level = LevelFilter::Trace),
        ]),
        ..ROW
    },
    Row {
        group: "Logs",
        name: "status",
        value: Some("[ADDR:]PORT"),
        help: "Show how pws is, on a page and for programs (`/metrics`, `/status.json`, `/health`, \
               `/events`), at a port of its own; without ADDR for this machine only; or at `unix:PATH`",
        put: Put::Text(|to, text| values::place(text).map(|place| to.config.status = Some(place))),
        ..ROW
    },
    Row {
        group: "Logs",
        name: "trace",
        value: Some("FILE"),
        help: "Record what the loop does as a timeline, the first 64 MiB of it: open FILE at \
               https://ui.perfetto.dev",
        put: Put::Path(|to, path| to.config.trace = Some(path.to_owned())),
        ..ROW
    },
    Row {
        group: "Logs",
        name: "pid-file",
        value: Some("FILE"),
        help: "Write the number of the process to FILE, which is empty once it has ended",
        put: Put::Path(|to, path| to.pid_file = Some(path.to_owned())),
        ..ROW
    },
    Row {
        group: "Help",
        name: "preflight",
        help: "Tell what on this machine will spoil a run with many connections, and what mends it; serve \
               nothing",
        put: Put::Flag(|to| to.is_preflight = true),
        ..ROW
    },
    Row { group: "Help", name: "help", short: Some('h'), help: "Print this list", put: Put::Help, ..ROW },
    Row {
        group: "Help",
        name: "version",
        short: Some('V'),
        help: "Print the version",
        put: Put::Version,
        ..ROW
    },
];
