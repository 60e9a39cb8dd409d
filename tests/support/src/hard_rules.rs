//! Files of rules, and requests, that take as long as any that are known: some took seconds.

use pws::rules::text::RULES_MAX;

/// A file of rules with a request that it is hard to say something of.
pub struct HardCase {
    pub name: &'static str,
    pub file: String,
    pub path: String,
    pub query: String,
}

/// `line` as often as a file may have it and a megabyte holds it, each time with another number for its `N`.
fn lines(line: &str) -> String {
    let count = RULES_MAX.min((1 << 20) / (line.len() + 5));
    (0..count).map(|number| line.replace('N', &number.to_string()) + "\n").collect()
}

fn case(name: &'static str, line: &str, path: impl Into<String>, query: impl Into<String>) -> HardCase {
    HardCase { name, file: lines(line), path: path.into(), query: query.into() }
}

/// For `_redirects`. A target has 8 KiB.
pub fn redirects() -> Vec<HardCase> {
    let long = "a".repeat(8000);
    let escaped = "%31".repeat(2600);
    let joined = |piece: &str, count: usize, between: &str| vec![piece; count].join(between);
    let names: String = (0..1200).map(|number| format!("{number:x}=y ")).collect();
    let pairs: String = (0..1200).map(|number| format!("{number:x}=y&")).collect();
    let segments: String = (b'a'..=b'o').map(|name| format!("/:{}", char::from(name))).collect();
    let starts: String = (1..700).map(|depth| "/a".repeat(depth) + "/* /b 301\n").collect();
    vec![
        case("10,000 values of a parameter", "/s p=N /x", "s", format!("p={escaped}")),
        case("10,000 parameters of any value", "/s p=:p q=N /x", "s", format!("p={escaped}&q=%31")),
        case("1,200 parameters, again and again", &format!("/s {names}z=N /x"), "s", format!("{pairs}z=a")),
        case("4,000 pairs that nobody wants", "/s p=N /x", "s", joined("a", 4000, "&")),
        case("a segment of 8 KB", "/:a/xN/:b /x", format!("{long}/x/b"), ""),
        case("16 segments of 470 bytes", &format!("{segments}/xN/:p /x"), joined(&long[..470], 17, "/"), ""),
        case("16 segments, then a parameter", &format!("{segments}/:p z=N /x"), joined("a", 16, "/"), "z=a"),
        case("segments from the end", "/*/xN/:a/:b/:c/:d/:e/:f/:g/:h /x", joined("a", 4000, "/"), ""),
        case("suffixes", "/:a.html.N /x", format!("{long}.html."), ""),
        case("circles", "/* /:splat", &*long, ""),
        case("circles that are escaped", "/* /:splat", "\u{e9}".repeat(4000), ""),
        case("circles by the query", "/s p=:p /s?p=:p", "s", format!("p={}", &long[..7900])),
        case("holes", &format!("/:a /{}", ":a".repeat(4000)), &*long, ""),
        case("ends", "/*/N /x", joined("a", 4000, "/"), ""),
        HardCase {
            name: "starts, one in another",
            file: starts,
            path: joined("a", 4000, "/"),
            query: String::new(),
        },
    ]
}

/// For `_headers`.
pub fn headers() -> Vec<HardCase> {
    let long = "a".repeat(8000);
    vec![
        case("10,000 blocks for all", "/*\n A: b", &*long, ""),
        case("10,000 blocks for all of one name", "/a*\n A: b", &*long, ""),
        case("10,000 blocks for all of other names", "/a*\n A-Name-N: b", &*long, ""),
        case("10,000 blocks that remove", "/a*\n A-Name-N: b\n ! A-N", &*long, ""),
        case("10,000 blocks with a value", "/:a\n A-N: :a", &*long, ""),
        case("10,000 bare paths", "/*", &*long, ""),
        case("10,000 segments of 8 KB", "/:a/N\n A: b", format!("{long}/a"), ""),
    ]
}
