//! Where one test runs: nothing from outside gets in, everything that comes out is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;

/// No run takes that long: one that does is stuck, and is ended, so that it fails its test and no other.
const DEADLINE: Duration = Duration::from_secs(60);

/// A folder that is home and current folder at once, and all the environment there is.
pub(crate) struct Environment {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Nothing but a home, and no colours.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        let variables = [("HOME".to_owned(), home), ("NO_COLOR".to_owned(), "1".to_owned())];
        Self { folder, variables: variables.into() }
    }

    /// A project with these faces, each from a video of its own.
    pub(crate) fn project(faces: &[&str]) -> Self {
        let environment = Self::empty();
        environment.write("facectl.yaml", project("acme", ""));
        for key in faces {
            environment.face(key, "");
        }
        environment
    }

    /// A project with these faces that talks to a sandbox, and is in a hurry.
    pub(crate) fn against(server: &Server, faces: &[&str]) -> Self {
        Self::project(faces).talking_to(server)
    }

    /// Sets key and address of a sandbox that nobody else has used before, and short waits.
    pub(crate) fn talking_to(self, server: &Server) -> Self {
        self.with("TAVUS_API_KEY", "key")
            .with("TAVUS_PUBLIC_API_BASE_URL", &server.url())
            .with("FACECTL_POLL_INTERVAL", "20ms")
            .with("FACECTL_SETTLE_WINDOW", "100ms")
            .with("FACECTL_FRESH", "1")
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes a face with more lines below `spec:`, each indented by two.
    pub(crate) fn face(&self, key: &str, more: &str) {
        self.face_from(key, &format!("https://media.example.com/{key}/training.mp4"), more);
    }

    /// As [`Self::face`], from a link of its own.
    pub(crate) fn face_from(&self, key: &str, link: &str, more: &str) {
        self.write(&format!("faces/{key}.yaml"), face(key, link, more));
    }

    /// Replaces a text in a file, which must be there.
    pub(crate) fn edit(&self, name: &str, before: &str, after: &str) {
        let text = self.read(name);
        assert!(text.contains(before), "{name} has no {before:?}:\n{text}");
        self.write(name, text.replace(before, after));
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_facectl"));
        command.env_clear().envs(&self.variables).current_dir(self.folder.path()).args(line.split_whitespace());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `facectl` with these words, none of which may hold a blank.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.spawn(line).end()
    }

    /// As [`Environment::run`], with words that may hold anything.
    pub(crate) fn run_words(&self, words: &[&str]) -> Run {
        let mut command = self.command("");
        command.args(words);
        self.spawn_command(command, &words.join(" ")).end()
    }

    /// Runs it with something on standard input.
    pub(crate) fn run_reading(&self, line: &str, input: &str) -> Run {
        let mut child = self.command(line).stdin(Stdio::piped()).spawn().unwrap();
        // A program that does not read all of it is for the caller to notice.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Running::new(line, child).end()
    }

    /// Begins a run and does not wait for its end.
    pub(crate) fn spawn(&self, line: &str) -> Running {
        self.spawn_command(self.command(line), line)
    }

    /// Begins a run that was prepared by hand.
    pub(crate) fn spawn_command(&self, mut command: Command, line: &str) -> Running {
        Running::new(line, command.spawn().unwrap())
    }

    /// Begins a run to whom a signal means nothing.
    pub(crate) fn spawn_ignoring(&self, signal: &str, line: &str) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {signal}; exec {} {line}", env!("CARGO_BIN_EXE_facectl"))]);
        command.env_clear().envs(&self.variables).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(line, command.spawn().unwrap())
    }

    /// Begins a run on a terminal, which shows both streams as one; none where this machine cannot make one.
    pub(crate) fn spawn_on_terminal(&self, line: &str) -> Option<Running> {
        let mut command = Command::new("script");
        command.args(["-qec", &format!("exec {} {line}", env!("CARGO_BIN_EXE_facectl")), "/dev/null"]);
        command.env_clear().envs(&self.variables).env("SHELL", "/bin/sh").env("TERM", "xterm");
        // The tool itself is looked for where the test runs.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().ok().map(|child| Running::new(line, child))
    }

    /// Every file below a folder, with its bytes.
    pub(crate) fn files(&self, below: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        collect(&self.path(below), &mut all);
        all
    }
}

fn collect(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => collect(&path, all),
            // Temporary files may go away while we look.
            false => drop(fs::read(&path).map(|bytes| all.insert(path, bytes))),
        }
    }
}

/// A project file, with more lines below `spec:`, each indented by two.
pub(crate) fn project(name: &str, more: &str) -> String {
    format!(
        "apiVersion: facectl.dev/v1\nkind: Project\nmetadata: {{ name: {name} }}\nspec:\n  manifests: [faces/]\n{more}"
    )
}

/// A face, with more lines below `spec:`, each indented by two.
pub(crate) fn face(key: &str, link: &str, more: &str) -> String {
    format!(
        "apiVersion: facectl.dev/v1\nkind: Face\nmetadata:\n  name: {key}\nspec:\n  train_video_url: {link}\n{more}"
    )
}

/// What came of a run.
pub(crate) struct Run {
    line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, stdout, stderr, code } = self;
        write!(f, "\n$ facectl {line}\n[stdout]\n{stdout}\n[stderr]\n{stderr}\n[code] {code:?}\n")
    }
}

impl Run {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that standard output has these texts.
    #[track_caller]
    pub(crate) fn prints(self, texts: &[&str]) -> Self {
        self.has("stdout", &self.stdout, texts);
        self
    }

    /// Checks that standard error has these texts, wherever their lines are broken.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        self.has("stderr", &self.stderr, texts);
        self
    }

    /// Checks that nothing is on standard output.
    #[track_caller]
    pub(crate) fn prints_nothing(self) -> Self {
        assert!(self.stdout.is_empty(), "{self}");
        self
    }

    /// Checks that nothing is on standard error.
    #[track_caller]
    pub(crate) fn says_nothing(self) -> Self {
        assert!(self.stderr.is_empty(), "{self}");
        self
    }

    /// Checks that neither stream has any of these texts.
    #[track_caller]
    pub(crate) fn hides(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} came out: {self}");
        }
        self
    }

    /// Reads standard output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    #[track_caller]
    fn has(&self, stream: &str, shown: &str, texts: &[&str]) {
        let on_one_line = one_line(shown);
        for text in texts {
            assert!(on_one_line.contains(&one_line(text)), "{stream} has no {text:?}: {self}");
        }
    }
}

/// A text with each run of blanks and line ends as one blank.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run that has not ended yet. Ended when dropped.
pub(crate) struct Running {
    line: String,
    child: Child,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Running {
    fn new(line: &str, mut child: Child) -> Self {
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = [
            child.stdout.take().map(|stream| keep(stream, Arc::clone(&stdout))),
            child.stderr.take().map(|stream| keep(stream, Arc::clone(&stderr))),
        ];
        Self { line: line.to_owned(), child, stdout, stderr, readers: readers.into_iter().flatten().collect() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until standard error has a text.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, text: &str) -> String {
        let stderr = Arc::clone(&self.stderr);
        self.until(&format!("stderr says {text:?}"), || shown(&stderr).contains(text));
        shown(&self.stderr)
    }

    /// Waits until standard output has a text.
    #[track_caller]
    pub(crate) fn until_it_prints(&mut self, text: &str) {
        let stdout = Arc::clone(&self.stdout);
        self.until(&format!("stdout has {text:?}"), || shown(&stdout).contains(text));
    }

    /// Types something on the terminal.
    pub(crate) fn types(&mut self, text: &str) {
        let keyboard = self.child.stdin.as_mut().unwrap();
        keyboard.write_all(text.as_bytes()).and_then(|()| keyboard.flush()).unwrap();
    }

    /// Waits until standard output has a line.
    #[track_caller]
    pub(crate) fn until_it_prints_a_line(&mut self) -> String {
        let stdout = Arc::clone(&self.stdout);
        self.until("stdout has a line", || shown(&stdout).contains('\n'));
        shown(&self.stdout).lines().next().unwrap().to_owned()
    }

    /// Waits until something is so, as long as the run goes on.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so() {
            let is_over = self.child.try_wait().unwrap().is_some();
            if (is_over && !is_so()) || Instant::now() > deadline {
                let (stdout, stderr) = (shown(&self.stdout), shown(&self.stderr));
                panic!("waited for: {what}\n$ facectl {}\n[stdout]\n{stdout}\n[stderr]\n{stderr}", self.line);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Run {
        let deadline = Instant::now() + DEADLINE;
        let mut is_killed = false;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            if Instant::now() > deadline && !is_killed {
                is_killed = true;
                self.child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        let mut stderr = shown(&self.stderr);
        if is_killed {
            stderr.push_str("\n(the test ended it: it took too long)");
        }
        Run { line: self.line.clone(), stdout: shown(&self.stdout), stderr, code }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail once it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(mut stream: impl Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut piece = [0; 8192];
        while let Ok(read) = stream.read(&mut piece) {
            if read == 0 {
                return;
            }
            into.lock().unwrap().extend_from_slice(&piece[..read]);
        }
    })
}

fn shown(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned()
}
