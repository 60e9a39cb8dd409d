//! What is asked where single requests are measured.

/// As load generators send it.
pub const BARE: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost:9000\r\n\r\n";
/// As browsers do.
pub const BROWSER: &[u8] = b"GET /page.html HTTP/1.1\r\nHost: localhost:9000\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=light\r\nUpgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nPriority: u=0, i\r\n\r\n";
/// Requests sent at once where there are several.
pub const PIPELINE: usize = 16;
