//! The same over HTTP/2, which is what most storage services speak.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, Response, Version};
use facectl::media::RangedRead;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::server::{Heads, Identity, Server, TlsConfig};
use super::{link, open, told, video};

/// A server of one file; `filler` is how long a header is that nobody asked for.
async fn server(length: usize, filler: usize) -> Server {
    let mut config = TlsConfig::new(Identity::Sound);
    config.server.alpn_protocols = vec![b"h2".to_vec()];
    let heads = Heads::default();
    let kept = heads.clone();
    Server::each(config, heads, move |stream| {
        let kept = kept.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            kept.lock().unwrap().push(format!("{:?}", request.headers()));
            std::future::ready(Ok::<_, Infallible>(answer(&request, &video(length), filler)))
        });
        let serving = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
        async move {
            // It ends when the client leaves; how is of no interest.
            let _ = serving.await;
        }
    })
    .await
}

fn answer(request: &Request<Incoming>, bytes: &[u8], filler: usize) -> Response<Body> {
    assert_eq!(request.version(), Version::HTTP_2);
    let range = request.headers()["range"].to_str().unwrap().strip_prefix("bytes=").unwrap().to_owned();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last) = (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap().min(bytes.len() - 1));
    Response::builder()
        .status(206)
        .header("content-range", format!("bytes {first}-{last}/{}", bytes.len()))
        .header("content-type", "video/mp4")
        .header("x-filler", "x".repeat(filler))
        .body(Body::from(bytes[first..=last].to_vec()))
        .unwrap()
}

#[tokio::test]
async fn a_good_link_is_read_in_parts() {
    let server = server(300_000, 1).await;
    let probed = open(&server.probe(), &link()).await;
    assert_eq!(told(&probed.findings), [""; 0]);
    let fetched = probed.fetched.unwrap();
    assert_eq!(fetched.read_at(100_000, 150_000).await.unwrap(), video(300_000)[100_000..250_000]);
    assert_eq!(server.heads().len(), 3);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_not_taken() {
    let server = server(300_000, 100_000).await;
    let found = told(&open(&server.probe(), &link()).await.findings);
    assert!(found.len() == 1 && found[0].starts_with("error reachable"), "{found:?}");
}
