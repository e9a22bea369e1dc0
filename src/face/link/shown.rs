//! What people may see of a link: every value that could be a secret is `…`.

use url::Url;

use super::scheme::{Query, Signature};

/// Query parameters whose value is never a secret and says which version of an object is meant.
const VERSION_PARAMETERS: [&str; 4] = ["versionid", "generation", "version", "v"];

/// Returns a link as people may see it: without a user name and with `…` for each value, except those that name a
/// version.
pub(super) fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    // Both fail only for URLs without a host, which have no credentials to hide.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let mut text = String::from(bare);
    let query = Query::of(url);
    let signature = Signature::of(&query);
    let mut parts: Vec<String> = Vec::new();
    let mut has_signature = false;
    for (name, value) in &query.pairs {
        if signature.owns(name) {
            has_signature = true;
        } else if VERSION_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
            parts.push(format!("{name}={value}"));
        } else {
            parts.push(format!("{name}=…"));
        }
    }
    if has_signature {
        parts.push("…".to_owned());
    }
    if !parts.is_empty() {
        text.push('?');
        text.push_str(&parts.join("&"));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::face::Link;

    #[test]
    fn secrets_are_not_shown() {
        let link = Link::parse("https://h.example.com/a.mp4?token=hush&versionId=7&X-Amz-Signature=deadbeef").unwrap();
        assert_eq!(link.shown(), "https://h.example.com/a.mp4?token=…&versionId=7&…");
        for text in [link.to_string(), format!("{link:?}")] {
            assert!(!text.contains("hush") && !text.contains("deadbeef"), "{text}");
        }
    }
}
