//! Pages about a file instead of the file: how one is recognised, and what to do at the services that show them.

use url::Url;

use super::answer::Got;
use super::kind::Kind;
use crate::face::Link;
use crate::media::{Certainty, Check, Finding};

const RULE: &str = "the link brings the file itself, and no page about it, nor a login";

/// Judges whether a page came. None where it is anything else, or nothing that can be told.
pub(super) fn finding(link: &Link, got: &Got) -> Option<Finding> {
    let media_type = got.media_type();
    let looks_like_page = is_page(&got.body);
    let is_unknown = Kind::of(&got.body).is_none();
    let message = match media_type.as_deref() {
        _ if looks_like_page => "it brings an HTML page".to_owned(),
        Some("text/html" | "application/xhtml+xml") if is_unknown => "it brings an HTML page".to_owned(),
        // Such as `{"error": "sign in"}` with a 200.
        Some(text) if is_unknown && is_text(text) && holds_text(&got.body) => "it brings text".to_owned(),
        _ => return None,
    };
    let place = &got.place;
    let message = if place.is_redirected { format!("{message}, from {place}") } else { message };
    let help = viewer_help(link).or_else(|| login_help(&place.host));
    Some(Finding::error(Check::Page, message, RULE, Certainty::Documented).help(
        help.unwrap_or(
            "give the link of the download itself; in a private window of a browser it must start a download",
        ),
    ))
}

/// Returns whether bytes begin as HTML does (WHATWG MIME Sniffing, section 7.1, shortened to what pages begin with).
fn is_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let begins = |tag: &str| body.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()));
    ["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<!--", "<meta"].into_iter().any(begins)
}

/// Returns whether bytes are text: a video of a kind we do not know has bytes that no text has (WHATWG MIME Sniffing,
/// section 3, "binary data byte").
fn holds_text(body: &[u8]) -> bool {
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    !body.is_empty() && !body.iter().take(1024).any(is_binary)
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || matches!(media_type, "application/json" | "application/xml" | "application/javascript")
}

/// Returns what to do at a service whose links lead to pages; none for any other host, or where the link is already
/// one that downloads. What such links look like is known from use, and was not checked with the services, 2026.
pub(super) fn viewer_help(link: &Link) -> Option<&'static str> {
    let url = Url::parse(link.expose()).ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_owned();
    let is_of = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    let has = |name: &str, value: &str| url.query_pairs().any(|(n, v)| n == name && v == value);
    Some(match () {
        () if is_of("dropbox.com") && !has("dl", "1") && !has("raw", "1") => {
            "end the link with `dl=1` instead of `dl=0`: then Dropbox sends the file instead of a page about it"
        }
        () if is_of("drive.google.com") || is_of("docs.google.com") => {
            "Google Drive shows a page, and asks before it sends a large file; use a bucket, and give a signed link"
        }
        () if (is_of("sharepoint.com") || is_of("onedrive.live.com") || is_of("1drv.ms")) && !has("download", "1") => {
            "OneDrive and SharePoint show a page; add `download=1` to a link that anybody may open, or use a bucket"
        }
        () if is_of("youtube.com") || is_of("youtu.be") || is_of("vimeo.com") => {
            "this is a player's page; upload the video file itself to a bucket, and give a signed link"
        }
        () if is_of("icloud.com") || is_of("wetransfer.com") || is_of("we.tl") => {
            "this service gives no lasting link to the file itself; upload it to a bucket, and give a signed link"
        }
        () => return None,
    })
}

/// Returns what to do where a redirect ended at somebody's login.
fn login_help(host: &str) -> Option<&'static str> {
    let logins = ["accounts.google.com", "login.microsoftonline.com", "login.live.com"];
    let is_login =
        logins.contains(&host) || host.split('.').next().is_some_and(|first| matches!(first, "login" | "sso"));
    is_login.then_some("it needs a login; give a link that needs none: a signed one, or one that is public")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_how_it_begins() {
        for (body, expected) in [
            (&b"\xEF\xBB\xBF \n<!DOCTYPE HTML><html>"[..], true),
            (b"<HTML lang=en>", true),
            (b"<?xml version=\"1.0\"?><Error>", false),
            (b"\0\0\0\x18ftypmp42", false),
            (b"", false),
        ] {
            assert_eq!(is_page(body), expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn each_service_that_shows_pages_has_its_advice() {
        for (link, says) in [
            ("https://www.dropbox.com/s/x/ana.mp4?dl=0", Some("dl=1")),
            ("https://www.dropbox.com/scl/fi/x/ana.mp4?rlkey=y", Some("dl=1")),
            ("https://www.dropbox.com/s/x/ana.mp4?dl=1", None),
            ("https://drive.google.com/file/d/x/view", Some("Google Drive")),
            ("https://docs.google.com/uc?id=x", Some("Google Drive")),
            ("https://acme.sharepoint.com/:v:/x", Some("download=1")),
            ("https://1drv.ms/v/x", Some("download=1")),
            ("https://youtu.be/x", Some("player")),
            ("https://www.youtube.com/watch?v=x", Some("player")),
            ("https://vimeo.com/1", Some("player")),
            ("https://www.icloud.com/x", Some("no lasting link")),
            ("https://we.tl/x", Some("no lasting link")),
            ("https://notdropbox.com/x", None),
            ("https://media.example.com/x", None),
        ] {
            let help = viewer_help(&Link::parse(link).unwrap());
            assert_eq!(help.is_some(), says.is_some(), "{link}");
            assert!(help.unwrap_or_default().contains(says.unwrap_or_default()), "{link}: {help:?}");
        }
    }
}
