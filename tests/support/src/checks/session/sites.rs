//! What is served: a folder without any options, and one with all there are.

use std::fs::File;

use pws::config::SiteOptions;
use pws::limits::Limits;

use super::socket::Script;
use crate::folder::{Folder, noise};
use crate::memory::MemoryServer;

/// The longest file.
const BIG_BYTES: usize = 40_000;

const REDIRECTS: &str = "/old/* /:splat 301\n/forced/* /n 302!\n/as/:name /:name.html 200\n\
                         /gone/* /about.html 404\n/q to=:to /:to 302\n/away/* https://a.example/:splat\n";
const HEADERS: &str =
    "/*\n  X-A: b\n/s.css\n  Cache-Control: no-store\n  ! Last-Modified\n/about\n  Content-Type: a/b\n";

/// All of them. They vanish with this value.
pub struct Sites {
    plain: [MemoryServer; 2],
    rich: [MemoryServer; 2],
    /// The content of every file, precompressed or not.
    contents: Vec<Vec<u8>>,
    _folders: [Folder; 2],
}

impl Sites {
    /// All of them log to `log_file`.
    pub fn new(log_file: &File) -> Sites {
        let mut contents = Vec::new();
        let (plain, rich) = (plain_folder(&mut contents), rich_folder(&mut contents));
        let open = |folder: &Folder, options: &SiteOptions| {
            [Limits::default(), tight()].map(|limits| {
                let mut server = MemoryServer::with(folder, options, limits);
                server.log_to(log_file);
                server
            })
        };
        let options = SiteOptions {
            indexes: vec!["home.htm".to_owned(), "index.html".to_owned()],
            fallback: Some("app.html".to_owned()),
            clean_urls: true,
            hidden: vec![".*".to_owned()],
            fields: vec![("X-Frame-Options".to_owned(), "DENY".to_owned())],
            cors: Some("*".to_owned()),
            ..SiteOptions::default()
        };
        Sites {
            plain: open(&plain, &SiteOptions::default()),
            rich: open(&rich, &options),
            contents,
            _folders: [plain, rich],
        }
    }

    /// The one that `script` goes to.
    pub fn pick(&mut self, script: &Script) -> &mut MemoryServer {
        let sites = if script.is_rich { &mut self.rich } else { &mut self.plain };
        let server = &mut sites[usize::from(script.is_tight)];
        server.is_draining = script.is_draining;
        server
    }

    pub fn flush_logs(&mut self) {
        self.plain.iter_mut().chain(&mut self.rich).for_each(MemoryServer::flush_log);
    }

    /// Whether `bytes` are those of a whole file.
    pub fn has(&self, bytes: &[u8]) -> bool {
        self.contents.iter().any(|content| content == bytes)
    }

    /// Whether `bytes` are those of a file of `len` bytes from `start` on.
    pub fn has_part(&self, bytes: &[u8], start: usize, len: usize) -> bool {
        let is_it = |content: &Vec<u8>| {
            content.len() == len && content.get(start..).is_some_and(|rest| rest.starts_with(bytes))
        };
        self.contents.iter().any(is_it)
    }
}

/// Limits that a short input reaches.
fn tight() -> Limits {
    Limits {
        head_bytes_max: 256,
        target_bytes_max: 64,
        body_bytes_max: 64,
        outbox_bytes_max: 512,
        pipeline_max: 3,
        run_bytes_max: 128,
        loaded_file_bytes_max: 16,
        linger_bytes_max: 128,
        ..Limits::default()
    }
}

fn with_files(folder: Folder, files: &[(&str, &[u8])], contents: &mut Vec<Vec<u8>>) -> Folder {
    contents.extend(files.iter().map(|(_, content)| content.to_vec()));
    files.iter().fold(folder, |folder, (name, content)| folder.file(name, content))
}

fn plain_folder(contents: &mut Vec<Vec<u8>>) -> Folder {
    let files: &[(&str, &[u8])] = &[
        ("index.html", b"<p>home"),
        ("404.html", b"<p>lost"),
        ("empty.css", b""),
        ("a/index.html", b"<p>a"),
        ("a b/c", b"spaced"),
        ("l/<&\"'>", b"quoted"),
        ("l/m/n", b"deep"),
        (".well-known/x", b"known"),
        (".x", b"hidden"),
        ("n", &noise(1000)),
    ];
    contents.push(vec![0; BIG_BYTES]);
    with_files(Folder::new(), files, contents)
        .folder("void")
        .sparse_file("big", BIG_BYTES as u64)
        .file_outside("x", "outside")
        .symlink("out", "../x")
        .symlink("in", "n")
        .aged()
}

fn rich_folder(contents: &mut Vec<Vec<u8>>) -> Folder {
    let files: &[(&str, &[u8])] = &[
        ("_redirects", REDIRECTS.as_bytes()),
        ("_headers", HEADERS.as_bytes()),
        ("home.htm", b"<p>home"),
        ("app.html", b"<p>app"),
        ("about.html", b"<p>about"),
        ("403.html", b"<p>not yours"),
        ("s.css", b"p { color: red }"),
        ("s.css.gz", b"gzip of s"),
        ("s.css.br", b"br"),
        ("n", &noise(2000)),
        ("n.gz", &noise(700)),
        ("l/.x", b"hidden"),
        ("l/o.html", b"<p>o"),
    ];
    with_files(Folder::new(), files, contents).aged()
}
