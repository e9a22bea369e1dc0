//! What stops a training before anything of its material is seen, in words, each with what to do now.

use crate::face::{Certainty, Check, Finding, ObjectName, SourceFile, Store};

use super::command::CommandError;
use super::store::StoreError;

/// Something that stops a training.
pub(super) type Stop = Box<Finding>;

/// A file that cannot be read, or not as it has to be.
pub(super) fn unread(file: &SourceFile, why: &str) -> Stop {
    let message = format!("{}: {why}", file.name);
    let rule = "a face is trained from a file that can be read";
    Finding::error(Check::Source, message, rule, Certainty::Evident).help("put the file there, and run it again").into()
}

/// A file of which only the name is here.
pub(super) fn unfetched(file: &SourceFile) -> Stop {
    let message = format!("{} is a pointer of Git LFS here, and the file itself was not uploaded yet", file.name);
    let rule = "a face is trained from a file that can be read";
    Finding::error(Check::Source, message, rule, Certainty::Evident).help("run `git lfs pull`, and run it again").into()
}

/// Nothing can be fetched from this machine at all.
pub(super) fn unusable(why: &str) -> Stop {
    let rule = "material is looked at over TLS";
    Finding::error(Check::Source, format!("nothing can be fetched from here ({why})"), rule, Certainty::Evident).into()
}

/// A store that did not do what was asked.
pub(super) fn store_stop(object: &ObjectName, error: &StoreError) -> Stop {
    let help = match (error, object.store) {
        (StoreError::NotFound(_), _) => "look whether the object is there under this very name, and the bucket is the one that is meant".to_owned(),
        (StoreError::Refused(_), Store::S3) => {
            "the credentials need s3:GetObject and s3:ListBucket on it, and s3:PutObject to upload; AWS_REGION must be the bucket's; and a session (AWS_SESSION_TOKEN) may have ended".to_owned()
        }
        (StoreError::Refused(_), Store::Google) => "the service account needs Storage Object Viewer on it, and Storage Object User to upload".to_owned(),
        (StoreError::Refused(_), Store::Azure) => "the account's key, or the role Storage Blob Data Contributor, is needed".to_owned(),
        (StoreError::Unusable(_), Store::S3) => {
            "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION (and AWS_ENDPOINT_URL_S3 for a store that is not Amazon's)".to_owned()
        }
        (StoreError::Unusable(_), Store::Google) => "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account".to_owned(),
        (StoreError::Unusable(_), Store::Azure) => "set AZURE_STORAGE_ACCOUNT_KEY, or the variables of a service principal".to_owned(),
        (StoreError::Link(_), _) => "Tavus fetches over https from a public address: use a store that has one".to_owned(),
        (StoreError::NoAnswer(_), _) => "run it again; is the store's address right, and can it be reached from here?".to_owned(),
    };
    let rule = "a face is trained from an object that is there and can be read";
    Finding::error(Check::Source, format!("{object}: {error}"), rule, Certainty::Evident).help(help).into()
}

/// A command that printed no link.
pub(super) fn command_stop(error: &CommandError) -> Stop {
    let help = match error {
        CommandError::NotAllowed(line) => {
            let quoted = shlex::try_quote(line).unwrap_or_default();
            format!(
                "a manifest must not decide what is run: allow the command on this machine, by --allow-exec {quoted} or FACECTL_ALLOW_EXEC"
            )
        }
        _ => "run the command by hand and look at what it prints: one line with an https link, and nothing else"
            .to_owned(),
    };
    let rule = "the command prints one line with a link";
    Finding::error(Check::Source, error.to_string(), rule, Certainty::Evident).help(help).into()
}
