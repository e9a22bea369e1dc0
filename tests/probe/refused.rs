//! Links that lead nowhere, or where nothing may be sent, case by case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use facectl::face::Link;
use facectl::media::{Check, Probe, ProbeConfig};

use super::server::{Identity, Names, Reply, Request, Server, answer, file, redirect};
use super::{MP4, SIGNATURE, link, link_at, open, told, video};

pub(crate) type Script = fn(&Request) -> Reply;
/// What the server says, all that is found then, and why. `HOST` stands for the link's.
pub(crate) type Case<'c> = (Script, &'c [&'c str], &'c str);

pub(crate) async fn judge(cases: &[Case<'_>]) {
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
