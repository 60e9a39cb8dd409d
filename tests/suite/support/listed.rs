//! What a listing tells, read as a browser or a program would.

use percent_encoding::percent_decode_str;
use pws_testing::answer::Answer;
use serde_json::Value;

/// An entry of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As the page has it: relative.
    pub link: String,
    /// As it is shown, a folder's with a slash behind it.
    pub text: String,
}

/// The rows of a page, which must be one.
#[track_caller]
pub fn rows(answer: &Answer) -> Vec<Row> {
    assert_eq!(answer.field("content-type"), Some("text/html; charset=utf-8"));
    let page = String::from_utf8(answer.body.clone()).expect("UTF-8");
    let parts = page.split("<tr><td>").skip(1);
    parts
        .map(|part| {
            let (anchor, _) = part.split_once("</a>").expect("the end of a link");
            let link = anchor.strip_prefix("<a href=\"").expect("a link");
            let (link, text) = link.split_once("\">").expect("the end of a tag");
            assert!(
                !link.contains(['<', '>', '"', '&', '\'']) && !text.contains(['<', '>', '"']),
                "{anchor}"
            );
            Row { link: link.to_owned(), text: unescaped(text) }
        })
        .collect()
}

/// What is shown of each entry of a page.
#[track_caller]
pub fn texts(answer: &Answer) -> Vec<String> {
    rows(answer).into_iter().map(|row| row.text).collect()
}

/// What the buttons in the page's head of columns ask for, as queries.
#[track_caller]
pub fn sort_queries(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let (_, head) = text.split_once("<thead>").expect("a head of columns");
    let (head, _) = head.split_once("<tbody>").expect("its end");
    let values = head.split("<button name=\"sort\" value=\"").skip(1);
    values.map(|value| format!("?sort={}", value.split_once('"').expect("the end of a value").0)).collect()
}

/// The document of a listing in JSON, which must be one.
#[track_caller]
pub fn document(answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/json")));
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// The text `key` of each entry of a document.
#[track_caller]
pub fn column(document: &Value, key: &str) -> Vec<String> {
    let entries = document["entries"].as_array().expect("a list");
    entries.iter().map(|entry| entry[key].as_str().expect("text").to_owned()).collect()
}

/// Where `link` leads from the folder at `path`, which ends in a slash.
pub fn followed(path: &str, link: &str) -> String {
    match link.strip_prefix("./") {
        Some(name) => format!("{path}{name}"),
        None => format!("{path}{link}"),
    }
}

/// The name at the end of a link.
pub fn name_in(link: &str) -> Vec<u8> {
    percent_decode_str(link.strip_prefix("./").unwrap_or(link)).collect()
}

fn unescaped(html: &str) -> String {
    let html = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    html.replace("&amp;", "&")
}
