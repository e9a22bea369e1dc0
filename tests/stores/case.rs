//! One project against all parts. Each of its runs says all there is to say, and nothing secret may come out of any.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde_json::json;

use crate::environment::{Environment, Run, Running, face, project};
use crate::front::{Asked, HOST, Tap, signatures};
use crate::parts::{ACCESS_KEY, BUCKET, Parts, SECRET_KEY};
use crate::server::Server;

/// Stands in what commands print and in what nobody may see.
pub(crate) const MARKER: &str = "MARKERHUSH";
const API_KEY: &str = "TAVUSKEYHUSH";
/// A folder whose files hold secrets on purpose: scripts that a case writes.
const OWN: &str = "own";

pub(crate) struct Case<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) server: Server,
    pub(crate) environment: Environment,
    /// What the names of all its objects begin with.
    pub(crate) prefix: String,
    tap: Tap,
    secrets: RefCell<BTreeSet<String>>,
    /// Files, as they were when they were searched last.
    searched: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
}

impl<'a> Case<'a> {
    /// A project without faces; ten hours pass in a second.
    pub(crate) fn new(parts: &'a Parts) -> Self {
        Self::with(parts, Server::fast(&[]))
    }

    /// As [`Self::new`], in real time: trainings end when the test says so.
    pub(crate) fn slow(parts: &'a Parts) -> Self {
        Self::with(parts, Server::slow(&[]))
    }

    fn with(parts: &'a Parts, server: Server) -> Self {
        let number = parts.cases.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("case-{number:02}-");
        let address = server.url().trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
        let tap = Tap::before(address, &parts.runtime);
        let proxy = format!("http://{}", parts.front.proxy);
        let environment = Environment::empty()
            .talking_to(&server)
            .with("TAVUS_API_KEY", API_KEY)
            .with("TAVUS_PUBLIC_API_BASE_URL", &format!("http://{}/v2", tap.address))
            .with("FACECTL_PREFLIGHT", "1")
            .with("FACECTL_CA_FILE", parts.front.ca_file().to_str().unwrap())
            .with("FACECTL_EVENTS", "out/events.jsonl")
            .with("FACECTL_REPORT", "json=out/report.json:markdown=out/report.md:junit=out/report.xml")
            // One root in place of the machine's hundreds, which each run would read; it is not the store's.
            .with("SSL_CERT_FILE", parts.front.other_roots().to_str().unwrap())
            .with("HTTPS_PROXY", &proxy)
            .with("https_proxy", &proxy)
            .with("NO_PROXY", "127.0.0.1")
            .with("AWS_ENDPOINT_URL_S3", &format!("https://{HOST}"))
            .with("AWS_REGION", "us-east-1")
            .with("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .with("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .with("PATH", "/usr/local/bin:/usr/bin:/bin");
        let upload = format!("  media: {{ upload: \"s3://{BUCKET}/{prefix}up\" }}\n");
        environment.write("facectl.yaml", project("acme", &upload));
        environment.write("out/.keep", "");
        let secrets = [ACCESS_KEY, SECRET_KEY, MARKER, API_KEY].map(str::to_owned).into();
        Self { parts, server, environment, prefix, tap, secrets: RefCell::new(secrets), searched: RefCell::default() }
    }

    /// Puts an object of this case into the store.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.parts.put(&self.key(key), bytes);
    }

    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// How an object of this case is written in a manifest.
    pub(crate) fn object(&self, key: &str) -> String {
        format!("s3://{BUCKET}/{}", self.key(key))
    }

    /// Declares a face that is trained from something.
    pub(crate) fn face(&self, key: &str, source: &str, more: &str) {
        // In YAML as in JSON.
        self.environment.write(&format!("faces/{key}.yaml"), face(key, &json!(source).to_string(), more));
    }

    /// Declares a face that is trained from an object of its own name, and puts it there.
    pub(crate) fn face_of_object(&self, key: &str, more: &str) {
        self.put(&format!("{key}.mp4"), &self.parts.clips.first);
        self.face(key, &self.object(&format!("{key}.mp4")), more);
    }

    /// Adds to what must never come out.
    pub(crate) fn hush(&self, secret: &str) {
        self.secrets.borrow_mut().insert(secret.to_owned());
    }

    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_with(line, &[])
    }

    /// As [`Self::run`], with more variables.
    #[track_caller]
    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let run = self.spawn_with(line, variables).end();
        self.assert_nothing_secret(&run);
        run
    }

    pub(crate) fn spawn(&self, line: &str) -> Running {
        self.spawn_with(line, &[])
    }

    fn spawn_with(&self, line: &str, variables: &[(&str, &str)]) -> Running {
        let line = format!("{line} -vvv");
        let mut command = self.environment.command(&line);
        command.envs(variables.iter().copied());
        self.environment.spawn_command(command, &line)
    }

    #[track_caller]
    pub(crate) fn assert_nothing_secret(&self, run: &Run) {
        let secrets = self.secrets.borrow();
        let mut signed = self.parts.front.signatures();
        signed.extend(self.links().iter().flat_map(|link| signatures(link).collect::<Vec<_>>()));
        let secret_in = |text: &str| {
            let plain = secrets.iter().find(|secret| text.contains(secret.as_str())).cloned();
            plain.or_else(|| hashes(text).find(|hash| signed.contains(*hash)).map(str::to_owned))
        };
        for text in [&run.stdout, &run.stderr] {
            if let Some(secret) = secret_in(text) {
                panic!("{secret:?} came out: {run}");
            }
        }
        for (path, bytes) in self.written() {
            // What is as it was before was searched before: what is signed is signed anew for each run.
            if self.searched.borrow().get(&path) == Some(&bytes) {
                continue;
            }
            if let Some(secret) = secret_in(&String::from_utf8_lossy(&bytes)) {
                panic!("{secret:?} stands in {} after {run}", path.display());
            }
            self.searched.borrow_mut().insert(path, bytes);
        }
    }

    /// Every file that a run may have written, with its bytes.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let own = self.environment.path(OWN);
        let files = self.environment.files("");
        files.into_iter().filter(|(path, bytes)| !path.starts_with(&own) && bytes.len() < 4_000_000).collect()
    }

    /// All that was written in files with a text in their names.
    pub(crate) fn text_of(&self, name: &str) -> String {
        let files = self.written().into_iter().filter(|(path, _)| path.to_str().unwrap().contains(name));
        files.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Writes a script that `exec:` can name, `own/NAME`.
    pub(crate) fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let name = format!("{OWN}/{name}");
        self.environment.write(&name, format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(self.environment.path(&name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// How many trainings were paid for.
    pub(crate) fn trainings(&self) -> usize {
        self.server.trainings()
    }

    /// The links that were sent with creates, as they were sent.
    pub(crate) fn links(&self) -> Vec<String> {
        self.tap.links()
    }

    /// What the store was asked about objects of this case, with a text in the request's target.
    pub(crate) fn asked(&self, about: &str) -> Vec<Asked> {
        let asked = self.parts.front.asked(&self.prefix);
        asked.into_iter().filter(|asked| asked.target.contains(about)).collect()
    }

    /// Lets hours pass in the sandbox.
    pub(crate) fn hours_pass(&self, hours: u32) {
        self.server.ask("POST", "/_sandbox/clock", &json!({ "advance": format!("{hours}h") }));
    }

    /// Removes what is kept on disk beside the manifests, and the lock file too where it is not committed.
    pub(crate) fn lose_the_state(&self, with_lock_file: bool) {
        let _ = fs::remove_dir_all(self.environment.path(".facectl"));
        if with_lock_file {
            let _ = fs::remove_file(self.environment.path("facectl.lock.yaml"));
        }
    }
}

/// Everything in a text that is as long as a signature, and may be one.
fn hashes(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64)
}

/// Fetches a link as Tavus would; returns the status and the body. The name leads to the store itself.
pub(crate) fn fetch(parts: &Parts, link: &str) -> (u16, Vec<u8>) {
    let target = link.strip_prefix(&format!("https://{HOST}")).unwrap_or_else(|| panic!("{link}"));
    let mut stream = TcpStream::connect(("127.0.0.1", parts.store_port())).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer[end + 4..].to_vec())
}
