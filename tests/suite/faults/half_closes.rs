//! Clients that shut their side behind the last request: all they asked for is still theirs.

use std::thread::sleep;
use std::time::Duration;

use pws_testing::answer::Answer;
use pws_testing::client::Client;
use pws_testing::folder::{Folder, noise};
use pws_testing::process::Process;
use pws_testing::vitals::assert_nothing_leaks;

use crate::support::binary::serve;

const LARGE: usize = 8 << 20;
/// So many are sent as they are read, a piece at a time.
const ENTRIES: usize = 3000;

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
}

/// What comes back for `requests`, if the end of sending follows them at once or after the server has had
/// time to answer; and read at once or late.
fn ways(process: &Process, requests: &str) -> Vec<Vec<u8>> {
    let pause = Duration::from_millis(20);
    let way = |is_one_packet: bool, is_late: bool| {
        let mut client = match is_late {
            true => Client::connect_with_receive_buffer(process.address(), 16 * 1024),
            false => process.connect(),
        };
        if is_one_packet {
            client.send_last(requests);
        } else {
            client.send(requests);
            sleep(pause);
            client.shutdown_write();
        }
        if is_late {
            sleep(pause);
        }
        client.rest()
    };
    [(true, true), (true, false), (false, true), (false, false)].map(|(one, late)| way(one, late)).to_vec()
}

#[test]
fn who_has_shut_its_side_gets_everything_it_asked_for() {
    let content = noise(LARGE);
    let folder = Folder::new().file("page.html", "<p>page").file("large.bin", &content);
    let process = serve(folder.file("few/a.txt", "").crowd("many", ENTRIES), &[]);
    let files = process.open_files();
    for received in ways(&process, &get("/page.html")) {
        assert_eq!(Answer::all(&received, &["GET"])[0].text(), "<p>page");
    }
    for received in ways(&process, &get("/large.bin")) {
        assert!(Answer::all(&received, &["GET"])[0].body == content);
    }
    for received in ways(&process, &get("/few/")) {
        assert!(Answer::all(&received, &["GET"])[0].text().contains("a.txt"));
    }
    for received in ways(&process, &get("/many/")) {
        let text = Answer::all(&received, &["GET"]).remove(0).text();
        assert_eq!(text.matches(".txt\"").count(), ENTRIES);
    }
    let pipeline = ["/page.html", "/large.bin", "/few/", "/many/", "/nowhere", "/page.html"];
    for received in ways(&process, &pipeline.map(get).concat()) {
        let answers = Answer::all(&received, &["GET"; 6]);
        assert_eq!(
            answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
            [200, 200, 200, 200, 404, 200]
        );
        assert!(answers[1].body == content && answers[5].text() == "<p>page");
    }
    // A file that is kept open is one more.
    assert_nothing_leaks(&process, files + 1);
}
