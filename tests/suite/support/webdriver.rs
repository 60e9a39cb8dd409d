//! A browser to look at pages with: Chromium, led by chromedriver over the WebDriver protocol (W3C WebDriver).
//!
//! Just as much of it as the tests need: JSON over HTTP/1.1, a connection for each command.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use pws_testing::client::Client;
use pws_testing::patience::{PATIENCE, wait_until};
use pws_testing::process::KilledOnDrop;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tools;

/// What stands before the port in what chromedriver says when it is ready.
const READY: &str = "started successfully on port ";

/// How Chromium is run. A container has neither the namespaces nor, often, the shared memory that it would
/// like. With a pipe in place of a port to lead it by, it ends when its driver does, however that ends.
const ARGUMENTS: [&str; 4] =
    ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe"];

/// A browser with one tab, ended when dropped.
pub struct Browser {
    _driver: KilledOnDrop,
    port: u16,
    /// Where the commands go: `/session/ID`, and to begin with `/session`.
    session: String,
    /// Home and profile. Vanishes behind the processes that use it: fields are dropped from first to last.
    home: TempDir,
}

impl Browser {
    /// Starts a browser; `None`, and said loudly, if there is none here.
    #[track_caller]
    pub fn start() -> Option<Browser> {
        if !(tools::has("chromium") && tools::has("chromedriver")) {
            return None;
        }
        let home = TempDir::new().expect("a temporary folder");
        let output = home.path().join("chromedriver.log");
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("HOME", home.path()).env("TMPDIR", home.path());
        command.stdin(Stdio::null()).stdout(fs::File::create(&output).expect("a file")).stderr(Stdio::null());
        let driver = KilledOnDrop(command.spawn().expect("chromedriver"));
        let mut port = None;
        wait_until("chromedriver is ready", || {
            port = port_in(&fs::read_to_string(&output).expect("what it says"));
            port.is_some()
        });
        let port = port.expect("a port");
        let mut browser = Browser { _driver: driver, port, session: "/session".to_owned(), home };
        browser.open_session();
        Some(browser)
    }

    #[track_caller]
    fn open_session(&mut self) {
        let profile = format!("--user-data-dir={}", self.home.path().join("profile").display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let patience = PATIENCE.as_millis() as u64;
        let wanted = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "pageLoad": patience, "script": patience, "implicit": patience },
        });
        let opened = self.post("", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        self.session = format!("/session/{}", opened["sessionId"].as_str().expect("a session"));
    }

    /// Goes to a page and waits until it has loaded.
    #[track_caller]
    pub fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Where it is.
    #[track_caller]
    pub fn url(&self) -> String {
        let url = self.send("GET", &format!("{}/url", self.session), &Value::Null);
        url.as_str().expect("a URL").to_owned()
    }

    /// Clicks the link that reads `text`, and waits until the browser is at `url`.
    #[track_caller]
    pub fn follow(&self, text: &str, url: &str) {
        self.post(&format!("{}/click", self.element("link text", text)), &json!({}));
        wait_until(&format!("{text} leads to {url}"), || self.url() == url);
    }

    /// Clicks what `selector` selects, and waits until the browser is at `url`.
    #[track_caller]
    pub fn press(&self, selector: &str, url: &str) {
        self.post(&format!("{}/click", self.element("css selector", selector)), &json!({}));
        wait_until(&format!("{selector} leads to {url}"), || self.url() == url);
    }

    /// Types `text` into what `selector` selects, which is emptied first.
    #[track_caller]
    pub fn enter(&self, selector: &str, text: &str) {
        let element = self.element("css selector", selector);
        self.post(&format!("{element}/clear"), &json!({}));
        self.post(&format!("{element}/value"), &json!({ "text": text }));
    }

    /// Makes the window so large, in pixels.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        self.post("/window/rect", &json!({ "width": width, "height": height }));
    }

    /// The command of the one element that is found.
    #[track_caller]
    fn element(&self, using: &str, value: &str) -> String {
        let found = self.post("/element", &json!({ "using": using, "value": value }));
        // An object of one member, whose name is a constant of the protocol.
        let element = found.as_object().and_then(|found| found.values().next()).expect("an element");
        format!("/element/{}", element.as_str().expect("its id"))
    }

    /// What `script`, the body of a function, returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text on the page, as a person sees it.
    #[track_caller]
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().expect("a text").to_owned()
    }

    /// What the elements that `selector` selects read.
    #[track_caller]
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let script = format!("return [...document.querySelectorAll({selector:?})].map(e => e.innerText)");
        let texts = self.run(&script);
        let texts = texts.as_array().expect("an array").iter();
        texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
    }

    /// What the browser has told its console since it was last asked.
    #[track_caller]
    pub fn told(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("an array").iter();
        entries.map(|entry| entry["message"].as_str().expect("a message").to_owned()).collect()
    }

    #[track_caller]
    fn post(&self, command: &str, content: &Value) -> Value {
        self.send("POST", &format!("{}{command}", self.session), content)
    }

    /// The value of the answer to a command. An error is the end of the test.
    #[track_caller]
    fn send(&self, method: &str, path: &str, content: &Value) -> Value {
        let value = self.exchange(method, path, content).expect("an answer from chromedriver, in time");
        assert!(value["error"].is_null(), "{method} {path} {content}: {value:#}");
        value
    }

    #[track_caller]
    fn exchange(&self, method: &str, path: &str, content: &Value) -> io::Result<Value> {
        let content = if content.is_null() { String::new() } else { content.to_string() };
        let mut client = Client::try_connect((Ipv4Addr::LOCALHOST, self.port).into())?;
        // Longer than what chromedriver waits for by itself, so that it is the one to say what went wrong.
        client.set_patience(2 * PATIENCE);
        let fields = format!("Host: localhost\r\nContent-Length: {}", content.len());
        client.try_send(format!("{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n{content}"))?;
        let mut answer: Value = serde_json::from_slice(&client.try_answer_to(method)?.body)?;
        Ok(answer["value"].take())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, the browser ends in good order and leaves nothing behind. If it does not, it ends by the
        // end of its driver: this may be the way out of a test that has failed, so nothing here may panic.
        let _ = self.exchange("DELETE", &self.session, &Value::Null);
    }
}

/// The port in what chromedriver says: `... on port 40123.`
fn port_in(output: &str) -> Option<u16> {
    let (_, behind) = output.split_once(READY)?;
    behind.split_once('.')?.0.parse().ok()
}
