//! Fetching links over real TLS from a server on loopback that answers in every way: what is found, what is never
//! connected to, what is read, and that no signature comes back out.

mod http2;
mod material;
mod refused;
mod server;

use std::sync::Arc;

use facectl::face::Link;
use facectl::media::{
    Check, Finding, Probe, ProbeConfig, Probed, Proxies, RangedRead, Severity, VIDEO_MEGABYTES, Wanted,
};
use server::{NAMES, Names, Reply, Server, answer, chunk, file, proxy, raw, redirect};

/// Stands in every link and every redirect; must stand in nothing that is told.
const SIGNATURE: &str = "signature-that-nobody-may-see";

fn link_at(host: &str) -> Link {
    Link::parse(&format!("https://{host}/ana.mp4?X-Amz-Signature={SIGNATURE}")).unwrap()
}

fn link() -> Link {
    link_at(NAMES[0])
}

fn wanted() -> Wanted {
    Wanted { megabytes: Some(VIDEO_MEGABYTES), is_twice: true }
}

/// An MP4 as far as its first bytes say, of any length, in which each place can be told from others.
fn video(length: usize) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
    bytes.extend((bytes.len()..length).map(|place| (place / 251 + place) as u8));
    bytes
}

/// Opens a link and checks that nothing secret is told; returns what was found.
async fn open(probe: &Probe, link: &Link) -> Probed {
    let probed = probe.open(link, wanted()).await;
    assert_nothing_secret(&probed, link);
    probed
}

fn assert_nothing_secret(probed: &Probed, link: &Link) {
    for text in [format!("{probed:?}"), serde_json::to_string(&probed.findings).unwrap(), format!("{link:?}")] {
        assert!(!text.contains(SIGNATURE), "{text}");
    }
}

/// Findings as `error reachable: message`.
fn told(findings: &[Finding]) -> Vec<String> {
    let severity = |finding: &Finding| if finding.severity == Severity::Error { "error" } else { "advice" };
    findings.iter().map(|finding| format!("{} {}: {}", severity(finding), finding.check, finding.message)).collect()
}

const MP4: &str = "content-type: video/mp4\r\netag: \"one\"";

#[tokio::test]
async fn a_good_link_is_asked_twice_for_little_and_nothing_is_found() {
    let server = Server::saying(|request| file(request, &video(300_000), MP4)).await;
    let probed = open(&server.probe(), &link()).await;
    assert_eq!(told(&probed.findings), [""; 0]);
    let fetched = probed.fetched.unwrap();
    assert_eq!(
        (fetched.length(), fetched.etag(), fetched.content_type()),
        (Some(300_000), Some("\"one\""), Some("video/mp4"))
    );
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads[0].contains("range: bytes=0-65535\r\n") && heads[1].contains("range: bytes=0-63\r\n"), "{heads:?}");
    for head in heads {
        let mut names: Vec<_> =
            head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect();
        names.sort();
        assert_eq!(names, ["accept", "accept-encoding", "host", "range", "user-agent"], "{head}");
        assert!(head.contains("accept: */*\r\n") && head.contains("accept-encoding: identity\r\n"), "{head}");
        assert!(head.contains(concat!("user-agent: facectl/", env!("CARGO_PKG_VERSION"), "\r\n")), "{head}");
    }
}

#[tokio::test]
async fn parts_are_read_in_blocks_that_are_asked_for_once() {
    let bytes = video(300_000);
    let content = bytes.clone();
    let server = Server::saying(move |request| file(request, &content, MP4)).await;
    let fetched = open(&server.probe(), &link()).await.fetched.unwrap();
    for (offset, length, requests, why) in [
        (0, 100, 2, "the first block came with the first look"),
        (65_530, 20, 3, "over the edge into the second"),
        (65_536, 1000, 3, "in a block that is there"),
        (140_000, 130_000, 4, "two and a bit, in one request"),
        (299_990, 100, 4, "cut at the end"),
        (300_000, 10, 4, "behind the end"),
        (u64::MAX, 10, 4, "far behind it"),
        (0, 300_000, 4, "all of it, from what is there"),
    ] {
        let read = fetched.read_at(offset, length).await.unwrap();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        assert!(read == bytes[start..bytes.len().min(start.saturating_add(length))], "{why}");
        assert_eq!(server.heads().len(), requests, "{why}");
    }
}

#[tokio::test]
async fn redirects_are_followed_anew_for_each_part_and_show_only_their_host() {
    let server = Server::saying(|request| match request.host.as_str() {
        "media.test-host.com" => redirect(&format!("https://cdn.test-host.net/x?sig={SIGNATURE}#{}", request.number)),
        _ if request.number > 5 => answer("403 Forbidden", "", b"<Code>AccessDenied</Code>"),
        _ => file(request, &video(200_000), MP4),
    })
    .await;
    let fetched = open(&server.probe(), &link()).await.fetched.unwrap();
    assert_eq!(fetched.read_at(100_000, 10).await.unwrap(), video(200_000)[100_000..100_010]);
    let hosts: Vec<_> = server.heads().iter().map(|head| head.contains("host: cdn.")).collect();
    assert_eq!(hosts, [false, true, false, true, false, true]);
    let error = fetched.read_at(199_000, 10).await.unwrap_err();
    assert_eq!(error.0, "`cdn.test-host.net` (which it redirects to) answers HTTP 403: access is denied");
    // A referrer would carry the first link's signature to the second host.
    assert!(server.heads().iter().all(|head| !head.to_lowercase().contains("referer")));
}

#[tokio::test]
async fn a_server_that_sends_no_parts_is_read_up_to_the_first_block() {
    for (length, why) in [(200_000, "longer than a block"), (1_000, "all there at once")] {
        let server = Server::saying(move |_| answer("200 OK", MP4, &video(length))).await;
        let probed = open(&server.probe(), &link()).await;
        assert_eq!(told(&probed.findings), [""; 0], "{why}");
        let fetched = probed.fetched.unwrap();
        assert_eq!((fetched.length(), fetched.is_ranged()), (Some(length as u64), false), "{why}");
        assert_eq!(fetched.read_at(500, 100).await.unwrap(), video(length)[500..600], "{why}");
        assert_eq!(fetched.read_at(70_000, 10).await.is_err(), length > 70_000, "{why}");
        assert_eq!(server.heads().len(), 2, "{why}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_left_after_what_was_asked_for() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let server = Server::saying(move |_| Reply::Endless([head.clone(), chunk(&video(64))].concat())).await;
    let probed = open(&server.probe(), &link()).await;
    assert_eq!(told(&probed.findings), ["advice size: its server does not say how long it is"]);
    assert_eq!(probed.fetched.unwrap().length(), None);
}

#[tokio::test]
async fn parts_of_two_versions_are_never_put_together() {
    for (second, says) in [("etag: \"two\"", "changed"), ("etag: \"one\"\r\nx: y", ""), ("x: y", "changed")] {
        let server = Server::saying(move |request| {
            file(request, &video(200_000), if request.number < 2 { "etag: \"one\"" } else { second })
        })
        .await;
        let fetched = open(&server.probe(), &link()).await.fetched.unwrap();
        let read = fetched.read_at(100_000, 10).await;
        assert_eq!(read.is_err(), !says.is_empty(), "{second}: {read:?}");
        assert!(read.err().is_none_or(|error| error.0.contains(says)), "{second}");
    }
}

#[tokio::test]
async fn what_one_link_costs_is_bounded() {
    let length = 60 * 1024 * 1024;
    let server = Server::saying(move |request| {
        let (first, last) = request.range.unwrap();
        let range = format!("206 Partial Content\r\ncontent-range: bytes {first}-{last}/{length}\r\n{MP4}");
        raw(&range, &vec![0; last + 1 - first])
    })
    .await;
    let probe = server.probe();
    let (bytes, requests) =
        (open(&probe, &link()).await.fetched.unwrap(), open(&probe, &link()).await.fetched.unwrap());
    assert!(bytes.read_at(0, length).await.unwrap_err().0.contains("more bytes than one link is worth"));
    let before = server.heads().len();
    let mut read = Ok(Vec::new());
    for block in 1.. {
        read = requests.read_at(block * 2 * 65_536, 1).await;
        if read.is_err() {
            break;
        }
    }
    assert!(read.unwrap_err().0.contains("more requests than one link is worth"));
    assert_eq!(server.heads().len() - before, 58);
}

#[tokio::test]
async fn behind_a_proxy_it_resolves_the_names_and_hosts_are_judged_by_their_text() {
    let server = Server::saying(|request| match request.path.as_str() {
        path if path.starts_with("/ana.mp4") => file(request, &video(1_000), MP4),
        _ => redirect(&format!("https://169.254.169.254/latest?sig={SIGNATURE}")),
    })
    .await;
    let (address, asked) = proxy(server.address).await;
    // Nobody here knows the name: only the proxy does.
    let config = ProbeConfig {
        resolver: Arc::new(Names(Default::default())),
        proxies: Proxies::All(format!("http://{address}")),
        ..server.config()
    };
    let probe = Probe::new(&config).unwrap();
    assert_eq!(told(&open(&probe, &link()).await.findings), [""; 0]);
    assert!(asked.lock().unwrap().iter().all(|line| line == "CONNECT media.test-host.com:443 HTTP/1.1"));
    let count = asked.lock().unwrap().len();
    let inward = Link::parse(&format!("https://media.test-host.com/?sig={SIGNATURE}")).unwrap();
    let probed = open(&probe, &inward).await;
    assert_eq!(probed.findings[0].check, Check::Address);
    assert!(asked.lock().unwrap().len() <= count + 1);
}
