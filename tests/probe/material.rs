//! What a link brings that is not the file, or not the same each time, case by case.

use facectl::media::RangedRead;

use super::refused::{Script, judge};
use super::server::{Reply, Request, Server, answer, chunk, file, raw, redirect};
use super::{MP4, link, link_at, open, told, video};

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
    assert_eq!(fetched.read_at(150_000, 5).await.unwrap(), video(200_000)[150_000..150_005]);
}
