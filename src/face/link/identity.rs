//! What identifies the material behind a link: the link without its signature.

use url::Url;

use super::scheme::{Query, Signature};

/// Returns scheme, host, path and the query without the parameters of a signature, sorted.
pub(super) fn of(url: &Url) -> String {
    let query = Query::of(url);
    let signature = Signature::of(&query);
    let mut kept: Vec<(String, String)> = query.pairs.into_iter().filter(|(name, _)| !signature.owns(name)).collect();
    kept.sort();
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    if !kept.is_empty() {
        bare.query_pairs_mut().extend_pairs(kept);
    }
    bare.into()
}

#[cfg(test)]
mod tests {
    use crate::face::Link;

    fn identity(text: &str) -> String {
        Link::parse(text).unwrap().identity()
    }

    #[test]
    fn signing_anew_never_changes_the_identity() {
        let bare = "https://b.s3.amazonaws.com/ana.mp4";
        for (scheme, first, second) in [
            (
                "S3 v4",
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Expires=9&X-Amz-Signature=aa",
                "X-Amz-Signature=bb&X-Amz-Security-Token=t&x-id=GetObject",
            ),
            ("S3 v2", "AWSAccessKeyId=A&Expires=1&Signature=x", "AWSAccessKeyId=B&Expires=2&Signature=y"),
            ("GCS v4", "X-Goog-Signature=a&X-Goog-Date=1", "X-Goog-Signature=b&X-Goog-Date=2"),
            ("GCS v2", "GoogleAccessId=a&Expires=1&Signature=x", "GoogleAccessId=a&Expires=2&Signature=y"),
            ("Azure", "sv=2024&sr=b&se=2026&sp=r&sig=a", "sv=2025&sr=b&se=2027&sp=r&sig=b"),
            ("CloudFront", "Policy=p&Signature=s&Key-Pair-Id=k", "Expires=1&Signature=t&Key-Pair-Id=k"),
            ("Cloudflare", "verify=1700000000-abc", "verify=1700009999-def"),
        ] {
            assert_eq!(identity(&format!("{bare}?{first}")), identity(&format!("{bare}?{second}")), "{scheme}");
            assert_eq!(identity(&format!("{bare}?{first}")), bare, "{scheme}");
        }
    }

    #[test]
    fn what_names_another_object_changes_the_identity() {
        let base = identity("https://h.example.com/a.mp4?versionId=1&X-Amz-Signature=s");
        for other in [
            "https://h.example.com/a.mp4?versionId=2&X-Amz-Signature=s",
            "https://h.example.com/b.mp4?versionId=1&X-Amz-Signature=s",
            "https://i.example.com/a.mp4?versionId=1&X-Amz-Signature=s",
        ] {
            assert_ne!(base, identity(other), "{other}");
        }
        // Without the rest of a signature these words may well be part of the identity.
        assert_ne!(identity("https://h.example.com/a?sv=1"), identity("https://h.example.com/a?sv=2"));
        assert_ne!(identity("https://h.example.com/a?Expires=1"), identity("https://h.example.com/a?Expires=2"));
    }

    #[test]
    fn host_and_scheme_are_normalised_and_order_does_not_count() {
        assert_eq!(identity("HTTPS://H.Example.com:443/a?b=2&a=1#x"), identity("https://h.example.com/a?a=1&b=2"));
    }
}
