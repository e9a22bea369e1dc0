//! Links as each provider makes them: what is the same material, and what is another.

use crate::identity;

/// The bare link, the parameters of two signings, and what makes it another object: each with its reason.
struct Provider {
    name: &'static str,
    /// The link without its signature.
    bare: &'static str,
    /// Parameters of the same object, signed at different times and by different keys.
    signings: &'static [&'static str],
    /// Other objects or versions: link and reason. Signed as the first signing is.
    others: &'static [(&'static str, &'static str)],
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "S3 v4, virtual-hosted",
        bare: "https://b.s3.eu-central-1.amazonaws.com/faces/ana.mp4",
        signings: &[
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA1%2F20261128%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261128T090000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=aa",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=ASIA2%2F20261129%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20261129T090000Z&X-Amz-Expires=60&X-Amz-Security-Token=t&X-Amz-SignedHeaders=host&X-Amz-Signature=bb&x-id=GetObject",
        ],
        others: &[
            ("https://b.s3.eu-central-1.amazonaws.com/faces/bob.mp4", "another key"),
            ("https://c.s3.eu-central-1.amazonaws.com/faces/ana.mp4", "another bucket"),
            ("https://b.s3.eu-central-1.amazonaws.com/faces/Ana.mp4", "keys have a case"),
            ("https://b.s3.eu-central-1.amazonaws.com/faces//ana.mp4", "two slashes are another key"),
            ("https://b.s3.eu-central-1.amazonaws.com/faces/ana.mp4?versionId=2", "another version"),
            (
                "https://b.s3.eu-central-1.amazonaws.com/faces/ana.mp4?response-content-disposition=attachment",
                "the same object under an override: a false difference, which was always one and is frozen",
            ),
        ],
    },
    Provider {
        name: "S3 v4, path style",
        bare: "https://s3.eu-central-1.amazonaws.com/b/faces/ana.mp4?versionId=1",
        signings: &["X-Amz-Signature=aa&X-Amz-Date=20261128T090000Z&X-Amz-Expires=1", "X-Amz-Signature=bb"],
        others: &[
            ("https://s3.eu-central-1.amazonaws.com/c/faces/ana.mp4?versionId=1", "another bucket"),
            ("https://s3.eu-central-1.amazonaws.com/b/faces/ana.mp4?versionId=null", "the version before versioning"),
            ("https://s3.eu-central-1.amazonaws.com/b/faces/ana.mp4", "whatever is the newest version"),
        ],
    },
    Provider {
        name: "S3 v2",
        bare: "https://b.s3.amazonaws.com/ana.mp4?response-content-type=video%2Fmp4",
        signings: &[
            "AWSAccessKeyId=AKIA1&Expires=1764000000&Signature=a%2Bb%3D",
            "AWSAccessKeyId=ASIA2&Expires=1764000001&Signature=c&x-amz-security-token=t",
        ],
        others: &[(
            "https://b.s3.amazonaws.com/ana.mp4?versionId=1&response-content-type=video%2Fmp4",
            "another version",
        )],
    },
    Provider {
        name: "GCS v4",
        bare: "https://storage.googleapis.com/b/ana.mp4?generation=1764000000000001",
        signings: &[
            "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%40p&X-Goog-Date=20261128T090000Z&X-Goog-Expires=604800&X-Goog-SignedHeaders=host&X-Goog-Signature=aa",
            "X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=G&X-Goog-Date=20261129T090000Z&X-Goog-Expires=1&X-Goog-SignedHeaders=host&X-Goog-Signature=bb",
        ],
        others: &[
            ("https://storage.googleapis.com/b/ana.mp4?generation=1764000000000002", "another generation"),
            ("https://storage.googleapis.com/b/ana.mp4", "whatever is the newest generation"),
        ],
    },
    Provider {
        name: "GCS v2",
        bare: "https://b.storage.googleapis.com/ana.mp4",
        signings: &["GoogleAccessId=a%40p&Expires=1764000000&Signature=a", "GoogleAccessId=b&Expires=2&Signature=b"],
        others: &[("https://b.storage.googleapis.com/ana.mp4?generation=3", "a generation")],
    },
    Provider {
        name: "Azure, service SAS",
        bare: "https://acc.blob.core.windows.net/c/ana.mp4",
        signings: &[
            "sv=2024-11-04&sr=b&st=2026-11-28T09%3A00Z&se=2026-12-05T09%3A00%3A00Z&sp=r&spr=https&sig=a%2B",
            "sv=2025-01-05&sr=b&si=policy&sig=b",
            "sv=2024-11-04&ss=b&srt=o&se=2026-12-05&sp=rl&sip=1.2.3.4&sig=account",
            "sv=2024-11-04&sr=b&skoid=o&sktid=t&skt=2026-11-28&ske=2026-12-05&sks=b&skv=2024-11-04&se=2026-12-04&sp=r&sig=user",
            "SV=2024-11-04&SE=2026-12-05&SP=r&SR=b&SIG=case",
        ],
        others: &[
            ("https://acc.blob.core.windows.net/c/ana.mp4?snapshot=2026-11-01T00%3A00%3A00.0000000Z", "a snapshot"),
            ("https://acc.blob.core.windows.net/c/ana.mp4?versionid=2026-11-01T00%3A00%3A00.0000000Z", "a version"),
            ("https://acc.blob.core.windows.net/d/ana.mp4", "another container"),
        ],
    },
    Provider {
        name: "CloudFront",
        bare: "https://d111111abcdef8.cloudfront.net/ana.mp4?size=m",
        signings: &[
            "Expires=1764000000&Signature=a~-_&Key-Pair-Id=K1",
            "Policy=eyJ&Signature=b&Key-Pair-Id=K2&Hash-Algorithm=SHA256",
        ],
        others: &[("https://d111111abcdef8.cloudfront.net/ana.mp4?size=l", "its own query may choose the object")],
    },
    Provider {
        name: "Cloudflare, token",
        bare: "https://cdn.example.com/ana.mp4?v=1",
        signings: &["verify=1764000000-a%2Bb%3D", "verify=1764000001-c"],
        others: &[("https://cdn.example.com/ana.mp4?v=2", "another version")],
    },
    Provider {
        name: "Cloudflare R2",
        bare: "https://acc.r2.cloudflarestorage.com/b/ana.mp4",
        signings: &["X-Amz-Signature=a&X-Amz-Expires=1&x-id=GetObject", "X-Amz-Signature=b"],
        others: &[("https://acc.r2.cloudflarestorage.com/c/ana.mp4", "another bucket")],
    },
    Provider {
        name: "Backblaze B2, by S3",
        bare: "https://s3.us-west-004.backblazeb2.com/b/ana.mp4",
        signings: &["X-Amz-Signature=a&X-Amz-Expires=1", "X-Amz-Signature=b"],
        others: &[("https://s3.us-west-004.backblazeb2.com/b/ana.mp4?versionId=4_z1", "a version")],
    },
    Provider {
        name: "Backblaze B2, by its own API",
        bare: "https://f004.backblazeb2.com/b2api/v3/b2_download_file_by_id?fileId=4_z1",
        signings: &["Authorization=3_2026_a", "Authorization=3_2026_b"],
        others: &[("https://f004.backblazeb2.com/b2api/v3/b2_download_file_by_id?fileId=4_z2", "another file")],
    },
    Provider {
        name: "DigitalOcean Spaces",
        bare: "https://b.fra1.digitaloceanspaces.com/ana.mp4",
        signings: &["X-Amz-Signature=a&X-Amz-Expires=1", "AWSAccessKeyId=DO1&Expires=1&Signature=x"],
        others: &[("https://b.nyc3.digitaloceanspaces.com/ana.mp4", "another region is another bucket")],
    },
    Provider {
        name: "MinIO",
        bare: "https://minio.example.com:9000/b/ana.mp4",
        signings: &["X-Amz-Signature=a&X-Amz-Expires=1", "X-Amz-Signature=b"],
        others: &[("https://minio.example.com:9001/b/ana.mp4", "another port is another server")],
    },
    Provider {
        name: "Bunny, its own host",
        bare: "https://zone.b-cdn.net/videos/ana.mp4?width=100",
        signings: &[
            "token=m0EMEkV3pNAKFB33gZuv_Q&expires=1764000000",
            "token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&expires=1764000001&token_path=%2Fvideos%2F&token_countries=DE",
            "token=HS256-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB&expires=1764000002&token_ignore_params=true",
        ],
        others: &[("https://zone.b-cdn.net/videos/ana.mp4?width=200", "its optimiser makes another file")],
    },
    Provider {
        name: "Bunny, another host",
        bare: "https://video.example.com/videos/ana.mp4",
        signings: &[
            "token=HS256-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB&expires=1764000002",
            "token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&expires=1764000001&token_path=%2Fvideos%2F",
        ],
        others: &[
            ("https://video.example.com/videos/bob.mp4", "another path"),
            (
                "https://video.example.com/videos/ana.mp4?limit=9",
                "a limit may be anybody's word: a false difference, which is the safe side",
            ),
        ],
    },
    Provider {
        name: "Akamai and Media CDN, token",
        bare: "https://media.example.com/ana.mp4?v=1",
        signings: &[
            "hdnts=st=1764000000~exp=1764003600~acl=%2F*~hmac=ab",
            "hdnea=exp=1764003601~acl=/*~hmac=cd",
            "__token__=exp=1764003602~hmac=ef",
            "edge-cache-token=Expires=1764003603~URLPrefix=aHR0~Signature=gh",
        ],
        others: &[("https://media.example.com/ana.mp4?v=2", "another version")],
    },
    Provider {
        name: "Google Cloud CDN",
        bare: "https://cdn.example.com/ana.mp4",
        signings: &["Expires=1&KeyName=k&Signature=a", "URLPrefix=aHR0&Expires=2&KeyName=l&Signature=b="],
        others: &[("https://cdn.example.com/ana.mp4?generation=2", "another generation")],
    },
    Provider {
        name: "Fastly",
        bare: "https://www.example.com/ana.mp4",
        signings: &[
            "token=1441307151_4492f25946a2e8e1414a8bb53dab8a6ba1cf4615",
            "token=1764000000_0000f25946a2e8e1414a8bb53dab8a6ba1cf4615",
        ],
        others: &[("https://www.example.com/bob.mp4", "another path")],
    },
    Provider {
        name: "Alibaba OSS v1",
        bare: "https://b.oss-cn-hangzhou.aliyuncs.com/ana.mp4?versionId=1",
        signings: &[
            "OSSAccessKeyId=LTAI1&Expires=1764000000&Signature=a%3D",
            "OSSAccessKeyId=STS.2&Expires=1764000001&Signature=b&security-token=t",
        ],
        others: &[
            ("https://b.oss-cn-hangzhou.aliyuncs.com/ana.mp4?versionId=2", "another version"),
            (
                "https://b.oss-cn-hangzhou.aliyuncs.com/ana.mp4?versionId=1&x-oss-process=video%2Fsnapshot",
                "another form",
            ),
        ],
    },
    Provider {
        name: "Alibaba OSS v4",
        bare: "https://b.oss-cn-hangzhou.aliyuncs.com/ana.png",
        signings: &[
            "x-oss-additional-headers=host&x-oss-credential=LTAI%2F20261128&x-oss-date=20261128T090000Z&x-oss-expires=86400&x-oss-signature=aa&x-oss-signature-version=OSS4-HMAC-SHA256",
            "x-oss-credential=STS&x-oss-date=20261129T090000Z&x-oss-expires=1&x-oss-security-token=t&x-oss-signature=bb&x-oss-signature-version=OSS4-HMAC-SHA256",
        ],
        others: &[(
            "https://b.oss-cn-hangzhou.aliyuncs.com/ana.png?x-oss-process=image%2Fresize%2Cw_9",
            "another form",
        )],
    },
    Provider {
        name: "Tencent COS",
        bare: "https://b-125.cos.ap-beijing.myqcloud.com/ana.mp4",
        signings: &[
            "q-sign-algorithm=sha1&q-ak=AKID1&q-sign-time=1764000000;1764003600&q-key-time=1764000000;1764003600&q-header-list=host&q-url-param-list=&q-signature=aa",
            "q-sign-algorithm=sha1&q-ak=AKID2&q-sign-time=1;2&q-key-time=1;2&q-header-list=&q-url-param-list=&q-signature=bb&x-cos-security-token=t",
        ],
        others: &[("https://b-125.cos.ap-beijing.myqcloud.com/ana.mp4?versionId=1", "a version")],
    },
];

fn signed(link: &str, signing: &str) -> String {
    format!("{link}{}{signing}", if link.contains('?') { '&' } else { '?' })
}

#[test]
fn the_same_object_signed_anew_is_the_same_material() {
    for Provider { name, bare, signings, others: _ } in PROVIDERS {
        for signing in *signings {
            assert_eq!(identity(&signed(bare, signing)), identity(bare), "{name}: {signing}");
        }
    }
}

#[test]
fn another_object_or_version_is_another_material() {
    for Provider { name, bare, signings, others } in PROVIDERS {
        for (other, reason) in *others {
            assert_ne!(identity(&signed(bare, signings[0])), identity(&signed(other, signings[0])), "{name}: {reason}");
        }
    }
}

#[test]
fn words_that_may_name_an_object_stay_where_no_signature_is_certain() {
    for (one, two, reason) in [
        ("token=a&expires=1764000000", "token=b&expires=1764000000", "a token alone may choose the file"),
        (
            "token=m0EMEkV3pNAKFB33gZuv_Q&expires=1764000000",
            "token=n0EMEkV3pNAKFB33gZuv_Q&expires=1764000000",
            "shaped like one of Bunny's, and no host of theirs",
        ),
        (
            "token=m0EMEkV3pNAKFB33gZuv_Q&expires=1764000000&token_path=%2Fother%2F",
            "token=n0EMEkV3pNAKFB33gZuv_Q&expires=1764000000&token_path=%2Fother%2F",
            "a path that does not cover the link",
        ),
        ("token=1764000000_ana", "token=1764000000_bob", "an end and no HMAC"),
        ("hdnts=ana", "hdnts=bob", "no fields"),
        ("hdnts=exp=1~id=ana", "hdnts=exp=1~id=bob", "no HMAC"),
        ("hmac=1&exp=2", "hmac=1&exp=3", "words of nobody"),
        ("Authorization=a", "Authorization=b", "no host of Backblaze"),
        ("Signature=a&Expires=1", "Signature=b&Expires=1", "whose key?"),
        ("KeyName=k&Signature=a", "KeyName=k&Signature=b", "no end"),
        ("OSSAccessKeyId=a&Expires=1", "OSSAccessKeyId=b&Expires=1", "no signature"),
        ("q-ak=1", "q-ak=2", "no signature"),
        ("x-oss-date=1", "x-oss-date=2", "no signature"),
        ("sig=a", "sig=b", "no version and no end"),
    ] {
        let base = "https://files.example.com/download";
        assert_ne!(identity(&format!("{base}?{one}")), identity(&format!("{base}?{two}")), "{reason}");
    }
}

#[test]
fn a_later_way_of_signing_is_not_looked_for_beside_an_earlier_one() {
    // It was not when such a link was first recorded: its identity must stay what it was.
    let link = "https://zone.b-cdn.net/ana.mp4?X-Amz-Signature=s&token=m0EMEkV3pNAKFB33gZuv_Q&expires=1764000000";
    assert_eq!(identity(link), crate::former::identity(link));
}
