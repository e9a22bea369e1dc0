use proptest::prelude::*;

use super::*;

const S3: &str = "https://b.s3.amazonaws.com/ana.mp4?X-Amz-Signature=s";
const AZURE: &str = "https://acc.blob.core.windows.net/c/ana.mp4?sv=2024-11-04&sp=r&sig=s";
const CLOUDFRONT: &str = "https://d1.cloudfront.net/ana.mp4?Key-Pair-Id=K&Signature=s";

fn validity(link: &str) -> Validity {
    Link::parse(link).unwrap().validity()
}

fn at(text: &str) -> LinkEnd {
    LinkEnd::At(text.parse().unwrap())
}

/// Writes a policy as CloudFront wants it.
fn policy(json: &str) -> String {
    data_encoding::BASE64.encode(json.as_bytes()).replace('+', "-").replace('=', "_").replace('/', "~")
}

#[test]
fn a_link_without_a_known_signature_says_nothing() {
    for link in ["https://m.example.com/a.mp4", "https://m.example.com/a.mp4?Expires=1&X-Amz-Expires=2&se=x&token=y"] {
        let Validity { schemes, begins, ends, unreadable, has_temporary_credentials, too_long } = validity(link);
        assert_eq!((schemes, begins, ends, unreadable), (vec![], None, LinkEnd::NotInLink, vec![]));
        assert_eq!((has_temporary_credentials, too_long), (false, None));
    }
}

#[test]
fn each_provider_says_its_end_in_its_own_words() {
    for (link, scheme, end) in [
        (
            format!("{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Expires=3600"),
            SigningScheme::S3V4,
            at("2026-11-28T10:00:00Z"),
        ),
        (
            "https://b.s3.amazonaws.com/a?AWSAccessKeyId=AKIA&Signature=s&Expires=1764000000".to_owned(),
            SigningScheme::S3V2,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://storage.googleapis.com/b/a?X-Goog-Signature=s&X-Goog-Date=20240229T235959Z&X-Goog-Expires=1".to_owned(),
            SigningScheme::GoogleV4,
            at("2024-03-01T00:00:00Z"),
        ),
        (
            "https://storage.googleapis.com/b/a?GoogleAccessId=a&Signature=s&Expires=0".to_owned(),
            SigningScheme::GoogleV2,
            at("1970-01-01T00:00:00Z"),
        ),
        (format!("{AZURE}&se=2026-11-28T09%3A00%3A00Z"), SigningScheme::AzureSas, at("2026-11-28T09:00:00Z")),
        (format!("{CLOUDFRONT}&Expires=1764000000"), SigningScheme::CloudFrontCanned, at("2025-11-24T16:00:00Z")),
        (
            "https://cdn.example.com/a?verify=1764000000-abc".to_owned(),
            SigningScheme::CloudflareToken,
            LinkEnd::NotInLink,
        ),
        (
            "https://b.oss.aliyuncs.com/a?x-oss-signature=s&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20261128T090000Z&x-oss-expires=60".to_owned(),
            SigningScheme::AlibabaV4,
            at("2026-11-28T09:01:00Z"),
        ),
        (
            "https://b.oss.aliyuncs.com/a?OSSAccessKeyId=L&Signature=s&Expires=1764000000".to_owned(),
            SigningScheme::AlibabaV1,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://b.myqcloud.com/a?q-sign-algorithm=sha1&q-ak=A&q-sign-time=1;1764000000&q-key-time=2;1764000001&q-signature=s".to_owned(),
            SigningScheme::TencentCos,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://cdn.example.com/a?Expires=1764000000&KeyName=k&Signature=s".to_owned(),
            SigningScheme::GoogleCdn,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://cdn.example.com/a?hdnts=st=1~exp=1764000000~acl=/*~hmac=ab".to_owned(),
            SigningScheme::EdgeToken,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://www.example.com/a?token=1764000000_4492f25946a2e8e1414a8bb53dab8a6ba1cf4615".to_owned(),
            SigningScheme::Fastly,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://z.b-cdn.net/a?token=m0EMEkV3pNAKFB33gZuv_Q&expires=1764000000".to_owned(),
            SigningScheme::Bunny,
            at("2025-11-24T16:00:00Z"),
        ),
        (
            "https://f004.backblazeb2.com/file/b/a?Authorization=3".to_owned(),
            SigningScheme::Backblaze,
            LinkEnd::NotInLink,
        ),
    ] {
        let validity = validity(&link);
        assert_eq!((validity.schemes, validity.ends, validity.unreadable), (vec![scheme], end, vec![]), "{link}");
    }
}

#[test]
fn azure_takes_many_forms_of_a_moment() {
    for (written, end) in [
        ("2026-11-28", Some("2026-11-28T00:00:00Z")),
        ("2026-11-28T09:00Z", Some("2026-11-28T09:00:00Z")),
        ("2026-11-28T09:00:30Z", Some("2026-11-28T09:00:30Z")),
        ("2026-11-28T09:00:30.1234567Z", Some("2026-11-28T09:00:30.1234567Z")),
        ("2026-11-28T09:00:30", Some("2026-11-28T09:00:30Z")),
        ("2026-11-28T09:00", Some("2026-11-28T09:00:00Z")),
        ("2026-11-28T09:00:00%2B05:30", Some("2026-11-28T03:30:00Z")),
        ("2026-11-28T09:00-05:00", Some("2026-11-28T14:00:00Z")),
        ("2026-11-28T09:00:00+01:00", Some("2026-11-28T08:00:00Z")),
        ("2026-11-31", None),
        ("2026-11-28T25:00Z", None),
        ("28.11.2026", None),
        ("2026-11-28T09:00Z[Europe/Berlin]", None),
        ("1764000000", None),
        ("", None),
    ] {
        let validity = validity(&format!("{AZURE}&se={written}"));
        match end {
            Some(end) => assert_eq!((validity.ends, validity.unreadable), (at(end), vec![]), "{written}"),
            None => assert_eq!((validity.ends, validity.unreadable), (LinkEnd::Unreadable, vec!["se"]), "{written}"),
        }
    }
}

#[test]
fn a_user_delegation_ends_with_its_key_and_begins_with_the_later_of_both() {
    let validity = validity(&format!("{AZURE}&skt=2026-11-20&st=2026-11-21&se=2026-12-05&ske=2026-12-01&skoid=o"));
    assert_eq!(validity.ends, at("2026-12-01T00:00:00Z"));
    assert_eq!(validity.begins, Some("2026-11-21T00:00:00Z".parse().unwrap()));
}

#[test]
fn a_stored_access_policy_keeps_its_end_to_itself() {
    let with_policy = validity(&format!("{AZURE}&si=policy"));
    assert_eq!((with_policy.ends, with_policy.unreadable), (LinkEnd::NotInLink, vec![]));
    let with_neither = validity(AZURE);
    assert_eq!((with_neither.ends, with_neither.unreadable), (LinkEnd::Unreadable, vec!["se"]));
}

#[test]
fn a_policy_of_cloudfront_is_read() {
    let json = r#"{"Statement":[{"Resource":"https://d1.cloudfront.net/?a>b?","Condition":{"DateLessThan":{"AWS:EpochTime":1764000000},"DateGreaterThan":{"AWS:EpochTime":1763000000},"IpAddress":{"AWS:SourceIp":"0.0.0.0/0"}}}]}"#;
    let read = validity(&format!("{CLOUDFRONT}&Policy={}", policy(json)));
    assert_eq!((read.schemes, read.ends), (vec![SigningScheme::CloudFrontCustom], at("2025-11-24T16:00:00Z")));
    assert_eq!(read.begins, Some(Timestamp::from_second(1_763_000_000).unwrap()));
    for broken in [
        "",
        "!",
        "eyJ",
        &policy("{}"),
        &policy(r#"{"Statement":[]}"#),
        &policy(r#"{"Statement":[{"Condition":{}}]}"#),
        &policy(r#"{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":"soon"}}}]}"#),
        &policy(r#"{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":9223372036854775807}}}]}"#),
        &policy(&"[".repeat(900)),
    ] {
        let read = validity(&format!("{CLOUDFRONT}&Policy={broken}"));
        assert_eq!((read.ends, read.unreadable), (LinkEnd::Unreadable, vec!["Policy"]), "{broken}");
    }
}

#[test]
fn temporary_credentials_are_noticed() {
    let v2 = "https://b.s3.amazonaws.com/a?Signature=s&Expires=1764000000&AWSAccessKeyId";
    for (link, is_temporary) in [
        (format!("{S3}&X-Amz-Credential=AKIA1%2F20261128"), false),
        (format!("{S3}&X-Amz-Credential=ASIA1%2F20261128"), true),
        (format!("{S3}&X-Amz-Credential=AKIA1&X-Amz-Security-Token=t"), true),
        (format!("{S3}&X-Amz-Security-Token="), false),
        (format!("{v2}=AKIA1"), false),
        (format!("{v2}=ASIA1"), true),
        (format!("{v2}=AKIA1&x-amz-security-token=t"), true),
        ("https://m.example.com/a?X-Amz-Security-Token=t".to_owned(), false),
    ] {
        assert_eq!(validity(&link).has_temporary_credentials, is_temporary, "{link}");
    }
}

#[test]
fn seven_days_are_the_longest_where_a_provider_says_so() {
    for (seconds, is_too_long) in [("604800", false), ("604801", true), ("31536000", true)] {
        let link = format!("{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Expires={seconds}");
        assert_eq!(validity(&link).too_long.is_some(), is_too_long, "{seconds}");
        let link = format!(
            "https://storage.googleapis.com/b/a?X-Goog-Signature=s&X-Goog-Date=20261128T090000Z&X-Goog-Expires={seconds}"
        );
        assert_eq!(validity(&link).too_long.is_some(), is_too_long, "{seconds}");
    }
}

#[test]
fn what_stands_twice_is_taken_from_the_safe_side() {
    let link = format!(
        "{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Date=20261128T080000Z&X-Amz-Expires=604801&x-amz-expires=60&X-Amz-Expires=x"
    );
    let read = validity(&link);
    assert_eq!(read.ends, at("2026-11-28T08:01:00Z"), "the earliest end");
    assert_eq!(read.begins, Some("2026-11-28T09:00:00Z".parse().unwrap()), "the latest beginning");
    assert!(read.too_long.is_some(), "the longest lifetime");
    assert_eq!(read.unreadable, ["X-Amz-Expires"]);

    let read = validity(&format!("{AZURE}&se=2026-12-05&SE=2026-12-04"));
    assert_eq!(read.ends, at("2026-12-04T00:00:00Z"));

    let read =
        validity(&format!("{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Expires=60&AWSAccessKeyId=a&Signature=s&Expires=0"));
    assert_eq!((read.schemes.len(), read.ends), (2, at("1970-01-01T00:00:00Z")), "signed in two ways");
}

#[test]
fn somebodys_own_lower_case_word_is_not_the_providers() {
    let read = validity(&format!("{CLOUDFRONT}&Expires=1764000000&expires=1"));
    assert_eq!(read.ends, at("2025-11-24T16:00:00Z"));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (link, unreadable) in [
        (S3.to_owned(), vec!["X-Amz-Date", "X-Amz-Expires"]),
        (format!("{S3}&X-Amz-Date=20261128T090000Z"), vec!["X-Amz-Expires"]),
        (format!("{S3}&X-Amz-Date=2026-11-28T09:00:00Z&X-Amz-Expires=60"), vec!["X-Amz-Date"]),
        (format!("{S3}&X-Amz-Date=20261128T090061Z&X-Amz-Expires=60"), vec!["X-Amz-Date"]),
        (format!("{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Expires=-60"), vec!["X-Amz-Expires"]),
        (format!("{S3}&X-Amz-Date=20261128T090000Z&X-Amz-Expires=9223372036854775807"), vec!["X-Amz-Expires"]),
        (format!("{CLOUDFRONT}&Expires=2026-11-28"), vec!["Expires"]),
        // Milliseconds.
        (format!("{CLOUDFRONT}&Expires=1764000000000"), vec!["Expires"]),
        (CLOUDFRONT.to_owned(), vec!["Expires"]),
    ] {
        let read = validity(&link);
        assert_eq!((read.ends, read.unreadable), (LinkEnd::Unreadable, unreadable), "{link}");
    }
}

proptest! {
    #[test]
    fn no_query_makes_it_panic(
        pairs in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires", "X-Goog-Signature", "X-Goog-Date",
                    "X-Goog-Expires", "AWSAccessKeyId", "GoogleAccessId", "Signature", "Expires", "sig", "sv", "se",
                    "st", "ske", "skt", "Key-Pair-Id", "Policy", "verify", "q-signature", "q-sign-algorithm", "q-ak",
                    "q-sign-time", "q-key-time", "hdnts", "token", "expires", "x-oss-signature", "x-oss-date",
                    "x-oss-signature-version", "x-oss-expires", "KeyName", "OSSAccessKeyId", "token_path",
                ]),
                prop_oneof![
                    "\\PC{0,20}",
                    "[0-9]{0,25}",
                    "[0-9]{8}T[0-9]{6}Z",
                    "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?",
                    "(exp|st|Expires)=[0-9]{0,20}~hmac=a",
                    "[0-9]{10}_[0-9a-f]{40}",
                    "[0-9]{0,12};[0-9]{0,12}",
                    "\\PC{0,40}".prop_map(|text| policy(&text)),
                    any::<i64>().prop_map(|moment| {
                        policy(&format!(r#"{{"Statement":[{{"Condition":{{"DateLessThan":{{"AWS:EpochTime":{moment}}}}}}}]}}"#))
                    }),
                ],
            ),
            0..12,
        )
    ) {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        if let Ok(link) = Link::parse(&format!("https://z.b-cdn.net/a?{}", query.finish())) {
            let read = link.validity();
            prop_assert!(read.ends != LinkEnd::Unreadable || !read.unreadable.is_empty());
            prop_assert!(!read.schemes.is_empty() || read.unreadable.is_empty());
        }
    }
}
