//! The names of parameters whose values are secrets, in lower case.
//!
//! Sources: the pages that `face/link/scheme.rs` names, one for each way of signing. There a generic word such as `token`
//! counts only beside the rest of a signature, as it may say which object is meant; what is shown can be more careful.

/// What a way of signing a link calls its parts, and what else carries a right.
const SECRET: [&str; 46] = [
    "access_key",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "awsaccesskeyid",
    "credential",
    "edge-cache-token",
    "expires",
    "googleaccessid",
    "hash-algorithm",
    "hdnea",
    "hdntl",
    "hdnts",
    "hmac",
    "jwt",
    "key-pair-id",
    "keyname",
    "ossaccesskeyid",
    "passwd",
    "password",
    "policy",
    "proxy-authorization",
    "pwd",
    "q-ak",
    "q-header-list",
    "q-key-time",
    "q-sign-algorithm",
    "q-sign-time",
    "q-signature",
    "q-url-param-list",
    "secret",
    "security-token",
    "sig",
    "sign",
    "signature",
    "token",
    "token_countries",
    "token_countries_blocked",
    "token_ignore_params",
    "token_path",
    "urlprefix",
    "verify",
    "x-api-key",
    "x-id",
];

/// Parameters of an Azure shared access signature: two letters mean something else in most texts.
const SAS: [&str; 22] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sig", "sr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv",
    "saoid", "suoid", "scid", "sdd", "ses",
];

/// Returns whether the value of a parameter is secret wherever it stands.
pub(super) fn is_secret(name: &str) -> bool {
    SECRET.contains(&name)
        || ["x-amz-", "x-goog-", "x-oss-s", "x-oss-c", "x-oss-d", "x-oss-e", "x-cos-security"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        // `access_token`, `__token__`, `client_secret`.
        || ["token", "secret", "password", "signature", "credential", "accesskey", "api_key", "api-key", "apikey"].iter().any(|word| {
            let name = name.trim_end_matches('_');
            name.strip_suffix(word).is_some_and(|head| head.ends_with(['_', '-', '.']))
        })
}

/// Returns whether a parameter belongs to an Azure shared access signature: in a query it says nothing to people.
pub(super) fn is_of_sas(name: &str) -> bool {
    SAS.contains(&name)
}

/// Returns whether a parameter names a version of an object: its value is never a secret.
pub(super) fn is_version(name: &str) -> bool {
    matches!(name, "versionid" | "generation" | "version" | "v")
}

/// Returns whether the value of a header is secret: `Authorization: Bearer x`. Of those that begin with `x-amz-` some
/// are what a person needs to ask for help.
pub(super) fn is_secret_header(name: &str) -> bool {
    matches!(name, "authorization" | "proxy-authorization" | "x-api-key" | "cookie" | "set-cookie")
        || (name.starts_with("x-")
            && (name.ends_with("-signature") || name.ends_with("-credential") || name.ends_with("-token")))
}

/// Returns whether an element of a store's XML holds a part of what was signed.
pub(super) fn is_secret_element(name: &str) -> bool {
    matches!(
        name,
        "signatureprovided" | "stringtosign" | "stringtosignbytes" | "canonicalrequest" | "canonicalrequestbytes"
    )
}
