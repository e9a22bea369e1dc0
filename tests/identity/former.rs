//! The rules of identity as they were in November 2026, copied without a change: random links are held against them.

use url::Url;

/// Returns scheme, host, path and the query without the parameters of a signature, sorted.
pub(crate) fn identity(text: &str) -> String {
    let url = Url::parse(text).unwrap();
    let mut kept: Vec<(String, String)> = {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let schemes = SigningSchemes::of(&pairs);
        pairs.into_iter().filter(|(name, _)| !schemes.owns(name)).collect()
    };
    kept.sort();
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    if !kept.is_empty() {
        bare.query_pairs_mut().extend_pairs(kept);
    }
    bare.into()
}

/// Which ways of signing a link are in use in one query: generic words such as `Expires` or `sv` are
/// dropped only where the signature they belong to is there, as they may otherwise be part of the identity.
struct SigningSchemes {
    aws_v2: bool,
    google_v2: bool,
    azure: bool,
    cloudfront: bool,
    cloudflare: bool,
}

impl SigningSchemes {
    /// Finds the schemes in the pairs of a query.
    fn of(pairs: &[(String, String)]) -> Self {
        let has = |wanted: &str| pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        Self {
            aws_v2: has("AWSAccessKeyId") && has("Signature"),
            google_v2: has("GoogleAccessId") && has("Signature"),
            azure: has("sig") && (has("sv") || has("se")),
            cloudfront: has("Key-Pair-Id") && has("Signature"),
            // `verify=<unix time>-<mac>` (Cloudflare, "Configure token authentication").
            cloudflare: pairs.iter().any(|(name, value)| {
                name == "verify"
                    && value
                        .split_once('-')
                        .is_some_and(|(time, _)| time.len() >= 9 && time.bytes().all(|b| b.is_ascii_digit()))
            }),
        }
    }

    /// Returns whether the parameter belongs to a signature rather than to the identity.
    fn owns(&self, name: &str) -> bool {
        let Self { aws_v2, google_v2, azure, cloudfront, cloudflare } = *self;
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        // `x-id` is added by the AWS SDK for JavaScript to every signed GET.
        name.starts_with("x-amz-")
            || name.starts_with("x-goog-")
            || name == "x-id"
            || (aws_v2 && matches!(name, "awsaccesskeyid" | "signature" | "expires"))
            || (google_v2 && matches!(name, "googleaccessid" | "signature" | "expires"))
            || (cloudfront && matches!(name, "policy" | "signature" | "key-pair-id" | "expires" | "hash-algorithm"))
            || (cloudflare && name == "verify")
            || (azure && AZURE_SAS.contains(&name))
    }
}

/// The parameters of an Azure shared access signature (Microsoft, "Create a service SAS", "Create a user
/// delegation SAS"). `snapshot` and `versionid` are not among them: they name what is fetched.
const AZURE_SAS: [&str; 22] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sig", "sr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv",
    "saoid", "suoid", "scid", "sdd", "ses",
];

/// Returns whether these rules found a signature in a link, or a part of one: such an identity may never change.
pub(crate) fn is_signed(text: &str) -> bool {
    let pairs: Vec<(String, String)> = Url::parse(text).unwrap().query_pairs().into_owned().collect();
    let schemes = SigningSchemes::of(&pairs);
    pairs.iter().any(|(name, _)| schemes.owns(name))
}
