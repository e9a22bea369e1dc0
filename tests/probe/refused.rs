//! What is wrong with a link, case by case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use facectl::face::Link;
use facectl::media::{Check, Probe, ProbeConfig};

use super::server::{Identity, Names, Reply, Request, Server, answer, chunk, file, raw, redirect};
use super::{MP4, SIGNATURE, link, link_at, open, told, video};

type Script = fn(&Request) -> Reply;
/// What the server says, all that is found then, and why. `HOST` stands for the link's.
type Case<'c> = (Script, &'c [&'c str], &'c str);

async fn judge(cases: &[Case<'_>]) {
    for (script, expected, why) in cases {
        let server = Server::saying(*script).await;
        let probed = open(&server.probe(), &link()).await;
        let expected: Vec<_> = expected.iter().map(|text| text.replace("HOST", "`media.test-host.com`")).collect();
        assert_eq!(told(&probed.findings), expected, "{why}");
        assert!(probed.findings.iter().all(|finding| finding.help.is_some()), "{why}: {:?}", probed.findings);
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_plain_words() {
    fn s3(code: &str, message: &str) -> Reply {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message><X>{SIGNATURE}</X></Error>");
        answer("403 Forbidden", "content-type: application/xml", body.as_bytes())
    }
    judge(&[
        (|_| answer("401 Unauthorized", "", b""), &["error reachable: HOST answers HTTP 401"], "a login"),
        (
            |_| s3("AccessDenied", "Access Denied"),
            &["error reachable: HOST answers HTTP 403: access is denied"],
            "S3 denies",
        ),
        (
            |_| s3("AccessDenied", "Request has expired"),
            &["error reachable: HOST answers HTTP 403: its signature has expired"],
            "S3, expired",
        ),
        (
            |_| s3("RequestTimeTooSkewed", "x"),
            &["error reachable: HOST answers HTTP 403: the clocks of the signer and of the server differ too much"],
            "S3, clocks",
        ),
        (
            |_| s3("SignatureDoesNotMatch", "x"),
            &["error reachable: HOST answers HTTP 403: its signature does not fit"],
            "S3, cut off",
        ),
        (
            |_| s3(SIGNATURE, "x"),
            &["error reachable: HOST answers HTTP 403"],
            "a word that nobody knows is not repeated",
        ),
        (
            |_| answer("404 Not Found", "", b"<Code>NoSuchKey</Code>"),
            &["error reachable: HOST answers HTTP 404: there is no such object"],
            "S3, missing",
        ),
        (|_| answer("410 Gone", "", b""), &["error reachable: HOST answers HTTP 410"], "gone"),
        (
            |_| answer("204 No Content", "", b""),
            &["error reachable: HOST answers HTTP 204"],
            "a success without a file",
        ),
        (
            |_| answer("304 Not Modified", "", b""),
            &["error reachable: HOST answers HTTP 304"],
            "a redirect that is none",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times() {
    for (status, requests) in [("503 Service Unavailable", 3), ("429 Too Many Requests", 3), ("404 Not Found", 1)] {
        let server = Server::saying(move |_| answer(status, "", b"")).await;
        let probed = open(&server.probe(), &link()).await;
        assert!(told(&probed.findings)[0].starts_with("error reachable"), "{status}");
        assert_eq!(server.heads().len(), requests, "{status}");
    }
    let server = Server::saying(|request| match request.number {
        0 | 1 => answer("500 Internal Server Error", "", b""),
        _ => file(request, &video(1_000), MP4),
    })
    .await;
    assert_eq!(told(&open(&server.probe(), &link()).await.findings), [""; 0]);
}

#[tokio::test]
async fn redirects_are_judged_one_by_one() {
    judge(&[
        (
            |_| redirect(&format!("https://169.254.169.254/latest?sig={SIGNATURE}")),
            &["error address: `169.254.169.254` (which it redirects to) cannot be reached from the public internet"],
            "metadata of a cloud machine",
        ),
        (
            |_| redirect("https://[::ffff:10.0.0.1]/"),
            &["error address: `[::ffff:a00:1]` (which it redirects to) cannot be reached from the public internet"],
            "a private address in another spelling",
        ),
        (
            |_| redirect("https://nas.local/x"),
            &["error address: `nas.local` (which it redirects to) cannot be reached from the public internet"],
            "a name of a private network",
        ),
        (
            |_| redirect(&format!("{SIGNATURE}://media.test-host.com/")),
            &["error address: it redirects to an address that is neither https nor http"],
            "something else, which is not repeated",
        ),
        (
            |_| redirect(&format!("http://media.test-host.com/?sig={SIGNATURE}")),
            &["error address: it redirects to http on HOST"],
            "no TLS any more",
        ),
        (
            |_| redirect(&format!("https://user:{SIGNATURE}@cdn.test-host.net/")),
            &["error address: it redirects to `cdn.test-host.net` with a user name or password"],
            "a password",
        ),
        (
            |_| redirect("/ana.mp4?again"),
            &["error reachable: it redirects in a circle, by way of HOST"],
            "a page that waits for a cookie",
        ),
        (
            |request| redirect(&format!("/{}?sig={SIGNATURE}", request.number)),
            &["error reachable: it redirects more than 5 times"],
            "on and on",
        ),
        (
            |_| answer("302 Found", "", b""),
            &["error reachable: HOST answers HTTP 302 and does not say where to go on"],
            "without a target",
        ),
        (
            |_| redirect("https://"),
            &["error reachable: HOST answers HTTP 302 and does not say where to go on"],
            "no URL",
        ),
        (
            |request| {
                if request.number % 4 < 3 {
                    redirect(&format!("/{}", request.number))
                } else {
                    file(request, &video(99), MP4)
                }
            },
            &[],
            "three are fine",
        ),
    ])
    .await;
}

#[tokio::test]
async fn no_name_leads_to_an_address_that_is_not_public() {
    for (addresses, why) in [
        (&["10.0.0.1"][..], "private"),
        (&["127.0.0.1"], "this machine, at another port than the test's"),
        (&["169.254.169.254"], "metadata of a cloud machine"),
        (&["8.8.8.8", "192.168.0.1"], "one private among public ones"),
        (&["::ffff:10.0.0.1"], "mapped"),
        (&["fd00::1"], "unique local"),
        (&["64:ff9b::a00:1"], "private behind NAT64"),
        (&["100.64.0.1"], "carrier-grade NAT"),
    ] {
        let server = Server::saying(|_| redirect(&format!("https://inside.test-host.com/?sig={SIGNATURE}"))).await;
        let names = Names::of(server.address).and("inside.test-host.com", addresses);
        let probe = Probe::new(&ProbeConfig { resolver: Arc::new(names), ..server.config() }).unwrap();
        let found = told(&open(&probe, &link_at("inside.test-host.com")).await.findings);
        let expected = "error address: the name `inside.test-host.com` stands for an address that is not public";
        assert_eq!(found, [expected], "{why}, at once");
        assert!(server.heads().is_empty(), "{why}");
        let found = told(&open(&probe, &link()).await.findings);
        assert_eq!(found, [expected.replace("` ", "` (which it redirects to) ")], "{why}, by a redirect");
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_told_apart() {
    let good: Script = |request| file(request, &video(99), MP4);
    for (identity, says) in [
        (Identity::Expired, "has expired"),
        (Identity::Future, "is not valid yet"),
        (Identity::OtherName, "is for another name"),
        (Identity::SelfSigned, "comes from nobody who is known, such as itself"),
        (Identity::OwnAuthority, "comes from nobody who is known, such as itself"),
    ] {
        let server = Server::with(identity, good).await;
        let found = told(&open(&server.probe(), &link()).await.findings);
        assert_eq!(found, [format!("error reachable: the certificate of `media.test-host.com` {says}")]);
    }
    let server = Server::saying(good).await;
    let found = told(&open(&server.probe(), &link_at("nobody.test-host.com")).await.findings);
    assert_eq!(found, ["error reachable: the name `nobody.test-host.com` cannot be resolved"]);
    // A port that was just free, and is let through.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = ProbeConfig { resolver: Arc::new(Names::of(free)), also_reached: vec![free], ..server.config() };
    let found = told(&open(&Probe::new(&config).unwrap(), &link()).await.findings);
    assert_eq!(found, ["error reachable: `media.test-host.com` refuses the connection"]);
}

#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    for (script, why) in [
        ((|_| Reply::Silence) as Script, "no head"),
        (|_| Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), "a head without end"),
        (
            |request| if request.number == 0 { redirect("https://cdn.test-host.net/") } else { Reply::Silence },
            "after a redirect",
        ),
    ] {
        let server = Server::saying(script).await;
        let found = told(&open(&server.hasty_probe(), &link()).await.findings);
        assert!(found.len() == 1 && found[0].starts_with("error reachable: "), "{why}: {found:?}");
    }
}

#[tokio::test]
async fn a_page_is_no_file() {
    const HTML: &str = "content-type: text/html; charset=utf-8";
    judge(&[
        (
            |_| answer("200 OK", HTML, b"<!doctype html><title>Sign in</title>"),
            &["error page: it brings an HTML page"],
            "a login with a 200",
        ),
        (
            |_| answer("200 OK", "content-type: video/mp4", b" <HTML>"),
            &["error page: it brings an HTML page"],
            "a page that is called a video",
        ),
        (|_| answer("200 OK", HTML, b"hello"), &["error page: it brings an HTML page"], "by its type alone"),
        (
            |_| answer("200 OK", "content-type: application/json", br#"{"error":"sign in"}"#),
            &["error page: it brings text"],
            "an error with a 200",
        ),
        (
            |request| {
                if request.number == 0 {
                    redirect("https://accounts.google.com/")
                } else {
                    answer("200 OK", HTML, b"<html>")
                }
            },
            &["error page: it brings an HTML page, from `accounts.google.com` (which it redirects to)"],
            "a login elsewhere",
        ),
        (
            |request| file(request, &video(99), HTML),
            &["error type: it is MP4 and called an HTML page"],
            "a video that is called a page",
        ),
        (
            |request| file(request, &video(99), "content-type: text/plain"),
            &["advice type: it is MP4 and called text/plain"],
            "a wrong type",
        ),
        (
            |request| file(request, &video(99), "content-type: binary/octet-stream"),
            &[],
            "S3's own default says nothing",
        ),
        (|request| file(request, &[7; 99], "content-type: text/plain"), &[], "no text, and nobody knows what"),
        (|request| file(request, &video(99), ""), &[], "no type"),
    ])
    .await;
    for (host, status, body, says) in [
        ("www.dropbox.com", "200 OK", "<!DOCTYPE html>", "`dl=1`"),
        ("drive.google.com", "200 OK", "<!DOCTYPE html>", "Google Drive"),
        ("drive.google.com", "403 Forbidden", "", "Google Drive"),
    ] {
        let server = Server::saying(move |_| answer(status, HTML, body.as_bytes())).await;
        let probed = open(&server.probe(), &link_at(host)).await;
        let help = probed.findings[0].help.clone().unwrap();
        assert!(help.contains(says), "{help}");
    }
}

#[tokio::test]
async fn size_is_judged_by_what_the_server_says() {
    fn of(request: &Request, total: u64) -> Reply {
        let (first, last) = request.range.unwrap();
        raw(
            &format!("206 Partial Content\r\ncontent-range: bytes {first}-{last}/{total}\r\n{MP4}"),
            &video(last + 1 - first),
        )
    }
    judge(&[
        (|request| of(request, 750_000_000), &[], "exactly as long as it may be"),
        (|request| of(request, 760_000_000), &["advice size: it has 760 MB"], "too long in one way to count"),
        (|request| of(request, 812_000_000), &["error size: it has 812 MB"], "too long in each"),
        (|request| file(request, b"", MP4), &["error size: it is empty"], "416, as S3 says it"),
        (|_| answer("200 OK", MP4, b""), &["error size: it is empty"], "200 without anything"),
        (
            |_| raw(&format!("200 OK\r\ncontent-length: 900000000\r\n{MP4}"), &video(70_000)),
            &["error size: it has 900 MB"],
            "a server without parts",
        ),
    ])
    .await;
}

#[tokio::test]
async fn broken_answers_are_no_reason_to_trust_them() {
    fn part(status: &str, range: &str, length: usize) -> Reply {
        answer(status, &format!("{range}\r\n{MP4}"), &video(length))
    }
    const WRONG: &str = "advice reachable: `media.test-host.com` was asked for a part, and";
    for (script, says, why) in [
        (
            (|_| part("206 Partial Content", "content-range: bytes 5-68/300", 64)) as Script,
            "it sends another one",
            "another offset",
        ),
        (|_| part("206 Partial Content", "x: y", 64), "it does not say which one it sends", "no range"),
        (
            |_| part("206 Partial Content", "content-range: bytes 0-299/300", 400),
            "it sends more than that",
            "more than it says",
        ),
        (
            |_| part("206 Partial Content", "content-range: bytes 0-99999/300000", 100_000),
            "it sends another one",
            "more than was asked for",
        ),
        (|_| part("206 Partial Content", "content-range: bytes 0-99/300", 100), "it sends less of it", "less"),
        (
            |_| part("206 Partial Content", "content-range: bytes 0-299/300", 100),
            "it sends less than it says",
            "less than it says",
        ),
        (
            |_| part("416 Range Not Satisfiable", "content-range: bytes */300", 0),
            "it says that there is none (HTTP 416)",
            "none of something",
        ),
    ] {
        // The whole is there, for who asks for it.
        let server = Server::saying(move |request| match request.range {
            Some(_) => script(request),
            None => file(request, &video(300), MP4),
        })
        .await;
        let probed = open(&server.probe(), &link()).await;
        assert_eq!(told(&probed.findings), [format!("{WRONG} {says}")], "{why}");
        assert_eq!(probed.fetched.map(|fetched| fetched.is_ranged()), Some(false), "{why}");
    }
    let broken = "error reachable: the answer of `media.test-host.com` broke off: ";
    for (script, begins, why) in [
        ((|_| raw(&format!("200 OK\r\ncontent-length: 9000\r\n{MP4}"), &video(100))) as Script, broken, "cut off"),
        (|_| Reply::Text(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()), broken, "no chunk"),
        (|_| Reply::Text(b"SSH-2.0-hello\r\n".to_vec()), broken, "no HTTP"),
        (|_| raw(&format!("200 OK\r\nx: {}", "y".repeat(1 << 20)), b""), broken, "a huge header"),
        (|_| raw(&format!("200 OK\r\n{}", "x: y\r\n".repeat(5_000)), b""), broken, "too many headers"),
        (|_| Reply::Text(Vec::new()), broken, "nothing at all"),
        (
            |_| part("206 Partial Content", "x: y", 64),
            "error reachable: `media.test-host.com` was asked for a part, and it sends one though",
            "parts only",
        ),
        (
            |_| answer("200 OK", "content-encoding: gzip\r\ncontent-type: video/mp4", b"\x1f\x8b\x08zip"),
            "error type: it comes packed with gzip",
            "packed unasked",
        ),
    ] {
        let server = Server::saying(script).await;
        let probed = open(&server.probe(), &link()).await;
        let found = told(&probed.findings);
        assert!(found.len() == 1 && found[0].starts_with(begins), "{why}: {found:?}");
        assert!(probed.fetched.is_none(), "{why}");
    }
}

#[tokio::test]
async fn a_chunked_part_is_read_as_any_other() {
    let server = Server::saying(|request| {
        let (first, last) = request.range.unwrap();
        let last = last.min(299);
        let head = format!(
            "206 Partial Content\r\ntransfer-encoding: chunked\r\ncontent-range: bytes {first}-{last}/300\r\n{MP4}"
        );
        raw(&head, &[chunk(&video(300)[first..=last]), b"0\r\n\r\n".to_vec()].concat())
    })
    .await;
    let probed = open(&server.probe(), &link()).await;
    assert_eq!(told(&probed.findings), [""; 0]);
}

#[tokio::test]
async fn a_link_has_to_bring_the_same_twice() {
    fn second(request: &Request, reply: impl Fn() -> Reply) -> Reply {
        if request.number == 0 { file(request, &video(200_000), MP4) } else { reply() }
    }
    const ONCE: &str = "error stable: it worked once, and the second time";
    judge(&[
        (
            |request| second(request, || answer("403 Forbidden", "", b"")),
            &[&format!("{ONCE} HOST answers HTTP 403")],
            "used up, refused",
        ),
        (
            |request| second(request, || answer("404 Not Found", "", b"")),
            &[&format!("{ONCE} HOST answers HTTP 404")],
            "used up, gone",
        ),
        (
            |request| second(request, || answer("200 OK", "content-type: text/html", b"<html>")),
            &[&format!("{ONCE} it brings a page")],
            "used up, a page",
        ),
        (
            |request| second(request, || redirect("https://10.0.0.1/")),
            &["error address: `10.0.0.1` (which it redirects to) cannot be reached from the public internet"],
            "leads inward now",
        ),
        (
            |request| second(request, || answer("503 Busy", "", b"")),
            &["advice stable: it worked, and a moment later it did not: HOST answers HTTP 503"],
            "may pass",
        ),
        (
            |request| {
                if request.number == 0 {
                    file(request, &video(200_000), MP4)
                } else {
                    file(request, &video(200_001), MP4)
                }
            },
            &["error stable: it had 200000 bytes, and a moment later 200001"],
            "still being uploaded",
        ),
        (
            |request| if request.number == 0 { file(request, &video(99), MP4) } else { file(request, &[9; 99], MP4) },
            &["error stable: it began with other bytes a moment later"],
            "another file",
        ),
        (
            |request| file(request, &video(99), &format!("content-type: video/mp4\r\netag: \"{}\"", request.number)),
            &["advice stable: its ETag changed within a moment"],
            "two servers, maybe",
        ),
        (
            |request| file(request, &video(99), &format!("last-modified: {}", request.number)),
            &["advice stable: its Last-Modified changed within a moment"],
            "a date that moves",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_tag_that_changes_is_no_revision_and_stops_no_reading() {
    let server =
        Server::saying(|request| file(request, &video(200_000), &format!("etag: \"{}\"", request.number))).await;
    let fetched = open(&server.probe(), &link()).await.fetched.unwrap();
    assert_eq!(fetched.etag(), None);
    use facectl::media::RangedRead;
    assert_eq!(fetched.read_at(150_000, 5).await.unwrap(), video(200_000)[150_000..150_005]);
}

#[tokio::test]
async fn a_private_link_after_one_that_was_fine_is_seen_when_connecting() {
    // A name that is public when it is looked up first, and private the next time.
    struct Turning(std::net::SocketAddr, AtomicUsize);
    impl facectl::media::Resolver for Turning {
        fn resolve(&self, _: &str) -> facectl::media::Resolution {
            let is_first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if is_first { self.0 } else { "10.0.0.1:0".parse().unwrap() };
            Box::pin(std::future::ready(Ok(vec![address])))
        }
    }
    let server = Server::saying(|request| file(request, &video(200_000), MP4)).await;
    let resolver = Arc::new(Turning(server.address, AtomicUsize::new(0)));
    let probe = Probe::new(&ProbeConfig { resolver, ..server.config() }).unwrap();
    let probed = open(&probe, &Link::parse(&format!("https://media.test-host.com/?sig={SIGNATURE}")).unwrap()).await;
    assert_eq!(probed.findings[0].check, Check::Address);
    assert_eq!(server.heads().len(), 1);
}
