//! Rules of identity that hold for links nobody thought of.

use facectl::face::Link;
use proptest::prelude::*;

use crate::{former, identity};

/// The parameters of each way of signing; `*` stands for a random value, `#` for a random time.
const SIGNINGS: &[(&str, &str)] = &[
    (
        "b.s3.amazonaws.com",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256 X-Amz-Credential=* X-Amz-Date=* X-Amz-Expires=# X-Amz-SignedHeaders=host X-Amz-Signature=*",
    ),
    ("b.s3.amazonaws.com", "X-Amz-Credential=ASIA* X-Amz-Security-Token=* X-Amz-Signature=* x-id=GetObject"),
    ("b.s3.amazonaws.com", "AWSAccessKeyId=* Expires=# Signature=*"),
    ("storage.googleapis.com", "X-Goog-Credential=* X-Goog-Date=* X-Goog-Expires=# X-Goog-Signature=*"),
    ("storage.googleapis.com", "GoogleAccessId=* Expires=# Signature=*"),
    ("acc.blob.core.windows.net", "sv=* sr=b se=* sp=r sig=*"),
    ("acc.blob.core.windows.net", "sv=* skoid=* sktid=* skt=* ske=* sks=b skv=* se=* sp=r sig=*"),
    ("d1.cloudfront.net", "Expires=# Signature=* Key-Pair-Id=*"),
    ("d1.cloudfront.net", "Policy=* Signature=* Key-Pair-Id=*"),
    ("cdn.example.com", "verify=#-*"),
    ("b.oss-cn-hangzhou.aliyuncs.com", "OSSAccessKeyId=* Expires=# Signature=* security-token=*"),
    (
        "b.oss-cn-hangzhou.aliyuncs.com",
        "x-oss-credential=* x-oss-date=* x-oss-expires=# x-oss-signature=* x-oss-signature-version=OSS4-HMAC-SHA256",
    ),
    ("b.cos.ap-beijing.myqcloud.com", "q-sign-algorithm=sha1 q-ak=* q-sign-time=#;# q-key-time=#;# q-signature=*"),
    ("cdn.example.com", "Expires=# KeyName=* Signature=*"),
    ("cdn.example.com", "hdnts=exp=#~acl=/*~hmac=*"),
    ("zone.b-cdn.net", "token=HS256-* expires=#"),
    ("f004.backblazeb2.com", "Authorization=*"),
];

/// What says which object is meant, beside the path.
const KEPT: &[&str] =
    &["versionId=7", "generation=3", "response-content-type=video%2Fmp4", "x-oss-process=image", "name=a+b", "empty="];

/// One way of signing, filled with random values twice: a host, two lists of parameters, and the secret values in them.
fn signings() -> impl Strategy<Value = (&'static str, Vec<String>, Vec<String>, Vec<String>)> {
    // Bunny's tokens have 43 characters; the others take any length.
    let secret = || "[A-Za-z0-9]{43}";
    let filling = || (prop::collection::vec(secret(), 16), prop::collection::vec(1_000_000_000_u64..9_999_999_999, 16));
    (prop::sample::select(SIGNINGS), filling(), filling()).prop_map(|((host, signing), one, two)| {
        let first = fill(signing, &one.0, &one.1);
        (host, first, fill(signing, &two.0, &two.1), [one.0, two.0].concat())
    })
}

fn fill(signing: &str, secrets: &[String], times: &[u64]) -> Vec<String> {
    let mut secrets = secrets.iter();
    let mut times = times.iter();
    let fill_in = |parameter: &str| {
        // The star of a path pattern is its own.
        let parameter = parameter.replace("/*", "/%2A");
        let mut filled = String::new();
        for c in parameter.chars() {
            match c {
                '*' => filled.push_str(secrets.next().unwrap()),
                '#' => filled.push_str(&times.next().unwrap().to_string()),
                c => filled.push(c),
            }
        }
        filled
    };
    signing.split(' ').map(fill_in).collect()
}

/// Shuffled parameters: a signature among what is kept.
fn shuffled(parameters: Vec<String>, kept: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    let kept = kept.iter().map(|&kept| kept.to_owned());
    Just(parameters.into_iter().chain(kept).collect::<Vec<_>>()).prop_shuffle().prop_map(|all| all.join("&"))
}

/// Two links to the same object, and the secrets in them.
fn twins() -> impl Strategy<Value = (String, String, Vec<String>)> {
    (signings(), prop::sample::subsequence(KEPT, 0..KEPT.len()), "[a-z]{1,8}").prop_flat_map(
        |((host, one, two, secrets), kept, path)| {
            (shuffled(one, &kept), shuffled(two, &kept)).prop_map(move |(one, two)| {
                let link = |query: &str| format!("https://{host}/{path}.mp4?{query}");
                (link(&one), link(&two), secrets.clone())
            })
        },
    )
}

/// Queries of words that mean something somewhere, and of noise.
fn queries() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = SIGNINGS
        .iter()
        .flat_map(|(_, signing)| signing.split(' '))
        .filter_map(|parameter| parameter.split_once('=').map(|(name, _)| name))
        .chain(["v", "versionId", "x-amz-a", "sv", "se", "verify", "VERIFY", "signature", "expires", "token_path"])
        .collect();
    let name = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => "[ -~ä]{0,8}"];
    let value = prop_oneof!["[0-9]{0,12}", "[0-9]{9,10}-[a-z]{3}", "[ -~ä]{0,12}", Just("/a".to_owned())];
    prop::collection::vec((name, value), 0..8).prop_map(|pairs| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        query.finish()
    })
}

proptest! {
    #[test]
    fn signing_anew_in_any_order_never_changes_the_identity((one, two, _) in twins()) {
        prop_assert_eq!(identity(&one), identity(&two));
    }

    #[test]
    fn nothing_of_a_signature_is_in_an_identity_or_shown((one, two, secrets) in twins()) {
        for link in [&one, &two] {
            let shown = Link::parse(link).unwrap().shown();
            for secret in &secrets {
                prop_assert!(!identity(link).contains(secret.as_str()), "{}", link);
                prop_assert!(!shown.contains(secret.as_str()), "{}", shown);
            }
        }
    }

    #[test]
    fn where_the_former_rules_found_a_signature_the_identity_is_theirs(query in queries()) {
        let link = format!("https://zone.b-cdn.net/a.mp4?{query}");
        if former::is_signed(&link) {
            prop_assert_eq!(identity(&link), former::identity(&link));
        }
    }

    #[test]
    fn what_an_identity_drops_is_a_word_of_a_signature(query in queries()) {
        let link = format!("https://h.example.com/a.mp4?{query}&versionId=7&x-oss-process=1&generation=3&snapshot=4");
        for kept in ["versionId=7", "x-oss-process=1", "generation=3", "snapshot=4"] {
            prop_assert!(identity(&link).contains(kept), "{}", identity(&link));
        }
    }
}
