//! Why a storage service refused, and what each trouble means for a training.

use super::page::viewer_help;
use super::trouble::Trouble;
use crate::face::Link;
use crate::http::CertificateProblem as Tls;
use crate::media::{Certainty, Check, Finding};

/// What a storage service said. A closed set: what it says beyond that may repeat the signature it was sent.
///
/// The words are those of S3 and what speaks like it ("Error responses", Amazon S3 API reference), of Google ("HTTP
/// status and error codes for XML") and Azure ("Blob service error codes"), written down from memory and not read again; that
/// S3-like services put "Request has expired" into more than one code: Huawei, "OBS error codes", read in October 2026.
/// A word that is none of theirs costs nothing: it is simply not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Expired,
    NotYet,
    Skewed,
    WrongSignature,
    UnknownKey,
    NoObject,
    NoBucket,
    Archived,
    Denied,
}

impl Code {
    /// Reads it from the beginning of an error's body.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let word = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
        let says = |words: &str| text.contains(words);
        Some(match word {
            "AccessDenied" | "AuthenticationFailed"
                if says("has expired") || says("not in the specified time frame") =>
            {
                Self::Expired
            }
            "AccessDenied" | "RequestTimeTooSkewed" if says("not yet valid") => Self::NotYet,
            "ExpiredToken" | "TokenRefreshRequired" => Self::Expired,
            "RequestTimeTooSkewed" => Self::Skewed,
            "SignatureDoesNotMatch" | "AuthenticationFailed" => Self::WrongSignature,
            "InvalidAccessKeyId" | "InvalidToken" => Self::UnknownKey,
            "NoSuchKey" | "NoSuchVersion" | "BlobNotFound" | "ResourceNotFound" => Self::NoObject,
            "NoSuchBucket" | "ContainerNotFound" => Self::NoBucket,
            "InvalidObjectState" | "BlobArchived" => Self::Archived,
            "AccessDenied" | "AllAccessDisabled" | "AuthorizationFailure" | "PublicAccessNotPermitted" => Self::Denied,
            _ => return None,
        })
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Expired => "its signature has expired",
            Self::NotYet => "its signature is not valid yet",
            Self::Skewed => "the clocks of the signer and of the server differ too much",
            Self::WrongSignature => "its signature does not fit",
            Self::UnknownKey => "the access key that signed it is not known, or not any more",
            Self::NoObject => "there is no such object",
            Self::NoBucket => "there is no such bucket",
            Self::Archived => "the object is in an archive and has to be restored first",
            Self::Denied => "access is denied",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Expired => "sign it anew, for 48 hours or more",
            Self::NotYet | Self::Skewed => "set the clock of the machine that signs, then sign it anew",
            Self::WrongSignature => "sign it anew for GET, and copy it whole: no character may be changed or cut off",
            Self::UnknownKey => "sign it anew with an access key that is in use",
            Self::NoObject => "check its name, upper and lower case included, and its bucket",
            Self::NoBucket => "check the name of the bucket and its region",
            Self::Archived => "restore the object, or copy it to a storage class that is read at once",
            // Amazon S3, GetObject: without s3:ListBucket a missing object is answered as a denied one.
            Self::Denied => {
                "sign a link for it, with a key that may read it; a missing object is answered like this as well"
            }
        }
    }
}

const PUBLIC: &str = "the link, and all it redirects to, is an https address on the public internet";
const DIRECT: &str = "a plain GET without credentials brings the file";

impl Trouble {
    /// Makes the finding of it.
    pub(super) fn finding(&self, link: &Link) -> Finding {
        let found = |check, rule, certainty| Finding::error(check, self.to_string(), rule, certainty);
        match self {
            Self::NotPublic(_) | Self::Private(_) | Self::NotHttps(..) | Self::Credentials(_) => {
                found(Check::Address, PUBLIC, Certainty::Documented).help(self.address_help())
            }
            // What this machine's network does to it, another's may not.
            _ if self.is_from_here() => found(Check::Reachable, DIRECT, Certainty::Assumed)
                .help(viewer_help(link).unwrap_or(self.network_help())),
            _ => found(Check::Reachable, DIRECT, Certainty::Documented)
                .help(viewer_help(link).unwrap_or(self.answer_help())),
        }
    }

    /// Returns whether it may be due to where we ask from, or when.
    fn is_from_here(&self) -> bool {
        self.is_passing()
            || matches!(
                self,
                Self::NoSuchHost(_) | Self::ConnectionRefused(_) | Self::NotConnected(..) | Self::Spent(_)
            )
            || matches!(self, Self::Certificate(_, Tls::UnknownIssuer | Tls::NotYetValid))
    }

    fn address_help(&self) -> &'static str {
        match self {
            Self::NotHttps(..) => "give the https link that it leads to",
            Self::Credentials(_) => "give a signed link instead: a password in front of a host is sent by few",
            _ => "upload it where everybody can fetch it, such as a bucket, and give a signed link",
        }
    }

    fn network_help(&self) -> &'static str {
        match self {
            Self::Status(_, 429, _) => "try again in some minutes: too many requests were made",
            Self::Status(..) | Self::Late(..) | Self::Broken(..) => {
                "try again; if it stays so, upload the file somewhere else"
            }
            Self::NoSuchHost(_) => "check the spelling of the host, and that this machine can resolve names",
            Self::Certificate(_, Tls::NotYetValid) => "check the clock of this machine, then renew the certificate",
            Self::Certificate(..) => {
                "use a certificate of a public authority; Tavus' servers know no `--ca-file` that this machine may need"
            }
            Self::Spent(_) => "skip this check, or put the beginning of the file into order: with its index in front",
            _ => {
                "check the host and its port; where only this machine is kept from it, use `--skip-preflight=reachable`"
            }
        }
    }

    fn answer_help(&self) -> &'static str {
        match self {
            Self::Status(_, _, Some(code)) => code.help(),
            Self::Status(_, 401 | 403 | 407, _) => {
                "give a link that needs no login: a signed one, or one that is public"
            }
            Self::Status(_, 404 | 410, _) => "check the link: the file is not there, or not any more",
            Self::Status(_, 405, _) => {
                "give a link that may be fetched with GET; one that is signed for an upload may not"
            }
            Self::TooManyRedirects(_) | Self::Circle(_) | Self::NoTarget(..) => {
                "give the link that leads to the file itself; a page that sets a cookie often goes round like this"
            }
            Self::Certificate(..) => "renew the certificate, or upload the file somewhere else",
            _ => "give a link that leads to the file itself",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_storage_services_are_known_and_no_others_are_told() {
        for (body, code) in [
            ("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", Some(Code::Expired)),
            ("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", Some(Code::Denied)),
            ("<Error><Code>AccessDenied</Code><Message>Request is not yet valid</Message>", Some(Code::NotYet)),
            ("<Code>RequestTimeTooSkewed</Code>", Some(Code::Skewed)),
            ("<Code>SignatureDoesNotMatch</Code><StringToSign>hush</StringToSign>", Some(Code::WrongSignature)),
            ("<Code>NoSuchKey</Code>", Some(Code::NoObject)),
            ("<Code>hush</Code>", None),
            ("<Code>NoSuchKey", None),
            ("{}", None),
        ] {
            assert_eq!(Code::of(body.as_bytes()), code, "{body}");
        }
    }
}
