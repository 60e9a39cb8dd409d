//! Small folders as site generators leave them, and what their visitors ask for.

use pws::config::SiteOptions;
use pws_testing::folder::Folder;

use crate::support::visitor::Visitor;

const NAVIGATION: &str = "Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, br\r\n";
const ASSET: &str = "Accept: */*\r\nAccept-Encoding: gzip, br\r\n";

/// What is asked for, and by what fields; the status; what else must stand in the answer.
type Row = (&'static str, &'static str, u16, &'static [(&'static str, &'static str)]);

/// Each file holds its own name, where nothing else is given.
fn folder(names: &[&str]) -> Folder {
    names.iter().fold(Folder::new(), |folder, name| folder.file(name, name))
}

/// `=` instead of a field's name stands for the content.
#[track_caller]
fn visit(generator: &str, folder: Folder, options: SiteOptions, rows: &[Row]) {
    let mut visitor = Visitor::with(folder, options);
    for (target, fields, status, expected) in rows {
        let answer = visitor.get_with(target, fields);
        assert_eq!(answer.status, *status, "{generator}: {target}");
        for (name, value) in *expected {
            let found =
                if *name == "=" { Some(answer.text()) } else { answer.field(name).map(str::to_owned) };
            assert_eq!(found.as_deref(), Some(*value), "{generator}: {name} of {target}");
        }
    }
}

const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
/// What is not there may be in a moment.
const ASKED_AGAIN: (&str, &str) = ("cache-control", "no-cache");
const IMMUTABLE: (&str, &str) = ("cache-control", "public, max-age=31536000, immutable");

/// An app of one page: all assets have a hash in their names, and a missing one must not be the page.
#[test]
fn vite() {
    let names = ["index.html", "assets/index-DiwrgTda.js", "assets/index-DiwrgTda.js.br", "vite.svg"];
    let folder = folder(&names)
        .file("assets/index-n_ryQ3BS.css", "a {}")
        .file("assets/index-n_ryQ3BS.css.gz", "gz")
        .file("assets/index-DiwrgTda.js.map", "{}")
        .file("_redirects", "/assets/*  /assets/:splat  404\n/*  /index.html  200\n")
        .file(
            "_headers",
            "/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n/\n  Cache-Control: no-cache\n",
        );
    let rows: &[Row] = &[
        ("/", NAVIGATION, 200, &[HTML, ("=", "index.html"), ("cache-control", "no-cache")]),
        ("/users/5", NAVIGATION, 200, &[HTML, ("=", "index.html")]),
        ("/users/5", ASSET, 200, &[("=", "index.html")]),
        (
            "/assets/index-DiwrgTda.js",
            ASSET,
            200,
            &[
                ("=", "assets/index-DiwrgTda.js.br"),
                ("content-encoding", "br"),
                ("content-type", "text/javascript; charset=utf-8"),
                IMMUTABLE,
            ],
        ),
        ("/assets/index-n_ryQ3BS.css", ASSET, 200, &[("=", "gz"), ("content-encoding", "gzip"), IMMUTABLE]),
        ("/assets/index-DiwrgTda.js.map", ASSET, 200, &[("content-type", "application/json"), IMMUTABLE]),
        ("/assets/index-0ld.js", ASSET, 404, &[HTML]),
        ("/vite.svg", ASSET, 200, &[("content-type", "image/svg+xml")]),
    ];
    visit("Vite", folder, SiteOptions::default(), rows);
}

/// The same without rules, by an option.
#[test]
fn vite_by_fallback() {
    let names = ["index.html", "assets/index-DiwrgTda.js"];
    let rows: &[Row] = &[
        ("/users/5", NAVIGATION, 200, &[HTML, ("=", "index.html"), ("vary", "Accept")]),
        ("/assets/index-0ld.js", ASSET, 404, &[("vary", "Accept")]),
        ("/assets/index-DiwrgTda.js", ASSET, 200, &[("=", "assets/index-DiwrgTda.js")]),
    ];
    let options = SiteOptions { fallback: Some("index.html".to_owned()), ..SiteOptions::default() };
    visit("Vite", folder(&names), options, rows);
}

/// A folder for each page, in several languages, with feeds and aliases.
#[test]
fn hugo() {
    let names = [
        "en/index.html",
        "en/posts/first-post/index.html",
        "en/posts/first-post/featured_hu15785.jpg",
        "en/tags/c++/index.html",
        "en/categories/日本語/index.html",
        "css/main.min.5f3b.css",
        "404.html",
        "en/index.xml",
        "sitemap.xml",
        "robots.txt",
        "site.webmanifest",
    ];
    let folder = folder(&names)
        .file("_redirects", "/  /en/  302\n/post/:slug  /en/posts/:slug/  301\n/feed  /en/index.xml  200\n")
        .file("_headers", "/en/index.xml\n  Content-Type: application/rss+xml; charset=utf-8\n");
    let rows: &[Row] = &[
        ("/", NAVIGATION, 302, &[("location", "/en/")]),
        ("/en", NAVIGATION, 301, &[("location", "en/")]),
        ("/en/", NAVIGATION, 200, &[HTML, ("=", "en/index.html")]),
        ("/post/first-post", NAVIGATION, 301, &[("location", "/en/posts/first-post/")]),
        ("/en/posts/first-post", NAVIGATION, 301, &[("location", "first-post/")]),
        ("/en/posts/first-post/", NAVIGATION, 200, &[("=", "en/posts/first-post/index.html")]),
        ("/en/posts/first-post/featured_hu15785.jpg", ASSET, 200, &[("content-type", "image/jpeg")]),
        ("/en/tags/c++/", NAVIGATION, 200, &[HTML]),
        ("/en/tags/c%2B%2B/", NAVIGATION, 200, &[HTML]),
        ("/en/categories/%E6%97%A5%E6%9C%AC%E8%AA%9E/", NAVIGATION, 200, &[HTML]),
        ("/en/index.xml", ASSET, 200, &[("content-type", "application/rss+xml; charset=utf-8")]),
        ("/feed", ASSET, 200, &[("=", "en/index.xml")]),
        ("/sitemap.xml", ASSET, 200, &[("=", "sitemap.xml")]),
        ("/robots.txt", ASSET, 200, &[("content-type", "text/plain; charset=utf-8")]),
        ("/site.webmanifest", ASSET, 200, &[("content-type", "application/manifest+json")]),
        ("/en/nowhere/", NAVIGATION, 404, &[HTML, ("=", "404.html")]),
    ];
    visit("Hugo", folder, SiteOptions::default(), rows);
}

/// A file for each page, asked for without its `.html`, and folders of the same names beside them.
#[test]
fn docusaurus() {
    let names = [
        "index.html",
        "404.html",
        "docs/intro.html",
        "docs/category/basics.html",
        "docs/basics.html",
        "docs/basics/first.html",
        "blog.html",
        "blog/archive.html",
        "blog/rss.xml",
        "assets/js/main.1a2b3c4d.js",
        "img/logo.svg",
        ".nojekyll",
        "sitemap.xml",
    ];
    let folder = folder(&names)
        .file("_redirects", "/docs  /docs/intro  302\n/docs/next/*  /docs/:splat  301\n")
        .file("_headers", "/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n");
    let rows: &[Row] = &[
        ("/", NAVIGATION, 200, &[("=", "index.html")]),
        ("/docs/", NAVIGATION, 302, &[("location", "/docs/intro")]),
        ("/docs/intro", NAVIGATION, 200, &[HTML, ("=", "docs/intro.html")]),
        ("/docs/intro.html", NAVIGATION, 301, &[("location", "intro")]),
        ("/docs/next/basics/first", NAVIGATION, 301, &[("location", "/docs/basics/first")]),
        ("/docs/basics", NAVIGATION, 200, &[("=", "docs/basics.html")]),
        ("/docs/basics/first", NAVIGATION, 200, &[("=", "docs/basics/first.html")]),
        ("/blog", NAVIGATION, 200, &[("=", "blog.html")]),
        ("/blog/archive", NAVIGATION, 200, &[("=", "blog/archive.html")]),
        ("/blog/rss.xml", ASSET, 200, &[("=", "blog/rss.xml")]),
        ("/assets/js/main.1a2b3c4d.js", ASSET, 200, &[IMMUTABLE]),
        ("/assets/js/main.0.js", ASSET, 404, &[ASKED_AGAIN, ("=", "404.html")]),
        ("/.nojekyll", ASSET, 404, &[]),
        ("/nowhere", NAVIGATION, 404, &[("=", "404.html")]),
    ];
    let options = SiteOptions { clean_urls: true, listing: false, ..SiteOptions::default() };
    visit("Docusaurus", folder, options, rows);
}

/// Dates in the paths, files copied as they lie there, and a way to prove whose site it is.
#[test]
fn jekyll() {
    let names = [
        "index.html",
        "404.html",
        "2019/11/06/welcome to jekyll.html",
        "feed.xml",
        "assets/main.css",
        "assets/main.css.map",
        "assets/minima-social-icons.svg",
        ".well-known/security.txt",
        ".git/config",
        "_data.yml",
        "CNAME",
        "download.tar.gz",
    ];
    let rows: &[Row] = &[
        ("/", NAVIGATION, 200, &[("=", "index.html")]),
        ("/2019/11/06/welcome%20to%20jekyll.html", NAVIGATION, 200, &[HTML]),
        ("/2019/11/06/welcome%20to%20jekyll", NAVIGATION, 404, &[("=", "404.html")]),
        ("/feed.xml", ASSET, 200, &[("=", "feed.xml")]),
        ("/assets/main.css", ASSET, 200, &[("content-type", "text/css; charset=utf-8")]),
        ("/assets/minima-social-icons.svg", ASSET, 200, &[("content-type", "image/svg+xml")]),
        ("/.well-known/security.txt", ASSET, 200, &[("=", ".well-known/security.txt")]),
        ("/.git/config", ASSET, 404, &[("=", "404.html")]),
        ("/CNAME", ASSET, 200, &[("content-type", "text/plain; charset=utf-8")]),
        ("/download.tar.gz", ASSET, 200, &[("content-type", "application/gzip"), ("=", "download.tar.gz")]),
        ("/2019/", NAVIGATION, 404, &[("=", "404.html")]),
    ];
    let options = SiteOptions { listing: false, ..SiteOptions::default() };
    visit("Jekyll", folder(&names), options, rows);
}
