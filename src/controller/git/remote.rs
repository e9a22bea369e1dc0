//! Where a repository is: what git may be given, and what people may see.

use std::fmt;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::GitTrouble;
use crate::face::redact_links;
use crate::http::clean as clean_text;

/// The longest message of git that is passed on, in characters.
const MESSAGE_LIMIT: usize = 400;

/// A repository that may be asked.
pub(super) struct Remote {
    /// What git is given: without a password.
    address: String,
    login: Option<Login>,
    /// What people may see.
    shown: String,
    /// The transports that git may use for it, also after a redirect.
    protocols: &'static str,
}

/// User and password of an https URL.
struct Login {
    user: String,
    password: SecretString,
    /// Every text that must not be shown: the password as it was written and as it is meant.
    secrets: Vec<SecretString>,
    /// For which scheme, host and port: a server that redirects elsewhere does not get them.
    scope: String,
}

/// What git has to know of a remote.
pub(super) struct RemoteSettings {
    /// git's own settings, without secrets.
    pub(super) settings: Vec<(String, String)>,
    /// Variables that they read, with secrets.
    pub(super) variables: Vec<(&'static str, String)>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.shown).finish()
    }
}

impl Remote {
    /// Reads a URL, an scp-like address or a path.
    ///
    /// # Errors
    /// When git would take it for an option or for a command, or when it would send secrets in the clear.
    pub(super) fn parse(text: &str) -> Result<Self, GitTrouble> {
        let refused = |why: &'static str| GitTrouble::BadUrl { url: shown(text), why };
        if text.trim().is_empty() {
            return Err(refused("it is empty"));
        }
        if text.starts_with('-') {
            return Err(refused("it begins with `-`, which git would take for an option"));
        }
        if text.chars().any(char::is_control) {
            return Err(refused("it has a line end or a control character in it"));
        }
        if names_helper(text) {
            return Err(refused("it names a helper program, which could be any command"));
        }
        if text.contains("://") {
            return Self::url(text, &refused);
        }
        // As git reads it: a colon before the first slash divides host and path.
        if text.split('/').next().is_some_and(|head| head.contains(':')) {
            return Self::scp_like(text, &refused);
        }
        let path = std::path::absolute(text).map_err(|_| refused("it is not a path"))?;
        let path = path.into_os_string().into_string().map_err(|_| refused("it is not UTF-8"))?;
        Ok(Self { shown: clean_text(&path, MESSAGE_LIMIT), address: path, login: None, protocols: "file" })
    }

    fn url(text: &str, refused: &dyn Fn(&'static str) -> GitTrouble) -> Result<Self, GitTrouble> {
        let mut url = Url::parse(text).map_err(|_| refused("it is not a URL"))?;
        let protocols = match url.scheme() {
            "file" => "file",
            "ssh" => "ssh",
            "https" => "https",
            "http" if is_loopback(&url) => "http:https",
            "http" => return Err(refused("http sends everything in the clear; it is taken for this machine only")),
            _ => return Err(refused("only file, ssh and https are taken")),
        };
        let is_option = |text: &str| percent_decode_str(text).next() == Some(b'-');
        if url.host_str().is_some_and(is_option) || is_option(url.username()) {
            return Err(refused("its host or user begins with `-`, which ssh would take for an option"));
        }
        if url.scheme() == "file" {
            return Ok(Self { address: text.to_owned(), shown: shown(text), login: None, protocols });
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refused("it names no host"));
        }
        let login = if protocols == "ssh" { None } else { Login::take_from(&url) };
        // Fails only where there is no host. ssh asks for keys; a password could not be given to it anyway.
        let _ = url.set_password(None);
        if login.is_some() {
            let _ = url.set_username("");
        }
        Ok(Self { address: url.into(), shown: shown(text), login, protocols })
    }

    fn scp_like(text: &str, refused: &dyn Fn(&'static str) -> GitTrouble) -> Result<Self, GitTrouble> {
        let (host, path) = text.split_once(':').unwrap_or((text, ""));
        let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
        if host.starts_with('-') || user.starts_with('-') || path.starts_with('-') {
            return Err(refused("a part of it begins with `-`, which would be taken for an option"));
        }
        if host.is_empty() || path.is_empty() || user.contains(':') {
            return Err(refused("it is neither a URL, nor `user@host:path`, nor a path"));
        }
        Ok(Self { address: text.to_owned(), shown: shown(text), login: None, protocols: "ssh" })
    }

    /// Returns the address as people may see it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the transports that git may use.
    pub(super) fn protocols(&self) -> &'static str {
        self.protocols
    }

    /// Returns git's settings for this remote, and the variables that they read. Both go through the environment,
    /// which other users cannot see; a command line they can.
    pub(super) fn settings(&self) -> RemoteSettings {
        let mut settings = vec![("remote.origin.url".to_owned(), self.address.clone())];
        let Some(Login { user, password, secrets: _, scope }) = &self.login else {
            return RemoteSettings { settings, variables: Vec::new() };
        };
        // First an empty one: a helper of the user's would be told to store what is right.
        settings.push(("credential.helper".to_owned(), String::new()));
        settings.push((format!("credential.{scope}.helper"), HELPER.to_owned()));
        let variables = vec![(USER, user.clone()), (PASSWORD, password.expose_secret().to_owned())];
        RemoteSettings { settings, variables }
    }

    /// Returns every text that must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = SecretString> {
        self.login.iter().flat_map(|login| login.secrets.iter().cloned())
    }
}

const USER: &str = "FACECTL_GIT_USER";
const PASSWORD: &str = "FACECTL_GIT_PASSWORD";
/// Answers git's question with the two variables (protocol: gitcredentials(7), git 2.47). `printf` is built into the
/// shell, so nothing is on a command line.
const HELPER: &str = r#"!f() { if test "$1" = get; then printf '%s\n' "username=$FACECTL_GIT_USER" "password=$FACECTL_GIT_PASSWORD"; fi; }; f"#;

impl Login {
    fn take_from(url: &Url) -> Option<Self> {
        let written = url.password().filter(|password| !password.is_empty())?;
        let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = meant(written);
        // git reads the answer of a helper by lines.
        if password.chars().any(char::is_control) {
            return None;
        }
        let secrets = vec![written.into(), password.clone().into()];
        let scope =
            url[..url::Position::BeforeUsername].to_owned() + &url[url::Position::BeforeHost..url::Position::AfterPort];
        Some(Self { user: meant(url.username()), password: password.into(), secrets, scope })
    }
}

/// Returns whether git would start `git-remote-NAME` for `NAME::address`.
fn names_helper(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.trim_start_matches(is_name).starts_with("::")
}

/// Returns whether a URL stays on this machine, whatever a resolver says.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns an address without password, and without the user of a URL, who may be a token.
fn shown(text: &str) -> String {
    clean_text(&redact_links(text), MESSAGE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_a_command_or_read_as_an_option_is_refused() {
        for bad in [
            "",
            "ext::sh -c touch% /tmp/pwned",
            "fd::17",
            "testgit::/srv/x",
            "--upload-pack=touch /tmp/pwned",
            "-oProxyCommand=touch:repo",
            "user@-oProxyCommand=touch:repo",
            "host:-x",
            "ssh://-oProxyCommand=touch/repo",
            "ssh://-x@host/repo",
            "ssh://%2Dx@host/repo",
            "git://example.com/repo",
            "ftp://example.com/repo",
            "http://example.com/repo",
            "http://127.0.0.1.example.com/repo",
            "https://",
            "https://example.com/a\nb",
            "rsync://example.com/repo",
        ] {
            assert!(Remote::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_usual_form_is_taken_with_its_own_transport_alone() {
        for (url, protocols) in [
            ("https://git.example.com/acme/faces.git", "https"),
            ("https://git.example.com:8443/faces", "https"),
            ("ssh://git@git.example.com:22/acme/faces.git", "ssh"),
            ("git@git.example.com:acme/faces.git", "ssh"),
            ("[::1]:faces.git", "ssh"),
            ("file:///srv/faces.git", "file"),
            ("/srv/faces.git", "file"),
            ("../faces", "file"),
            ("./odd:name", "file"),
            ("http://127.0.0.1:3000/faces.git", "http:https"),
            ("http://[::1]/faces.git", "http:https"),
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(remote.protocols(), protocols, "{url}");
        }
    }

    #[test]
    fn a_password_is_neither_shown_nor_in_what_git_is_called_with() {
        let remote = Remote::parse("https://ana:gl%2Dsecret@git.example.com:8443/faces.git?token=hush").unwrap();
        assert!(!format!("{remote:?}{}", remote.shown()).contains("secret"), "{remote:?}");
        assert!(!remote.shown().contains("hush") && !remote.shown().contains("ana"), "{}", remote.shown());
        let RemoteSettings { settings, variables } = remote.settings();
        assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
        assert_eq!(settings[2].0, "credential.https://git.example.com:8443.helper");
        assert_eq!(variables, [(USER, "ana".to_owned()), (PASSWORD, "gl-secret".to_owned())]);
        let secrets: Vec<String> = remote.secrets().map(|secret| secret.expose_secret().to_owned()).collect();
        assert_eq!(secrets, ["gl%2Dsecret", "gl-secret"]);
    }

    #[test]
    fn an_address_without_a_password_leaves_credentials_to_git() {
        for url in ["https://git.example.com/faces.git", "ssh://git@git.example.com/faces", "git@host:faces"] {
            let RemoteSettings { settings, variables } = Remote::parse(url).unwrap().settings();
            assert_eq!((settings.len(), variables.len()), (1, 0), "{url}");
            assert_eq!(settings[0].1, url);
        }
        assert!(!Remote::parse("https://token@git.example.com/f").unwrap().shown().contains("token"));
    }
}
