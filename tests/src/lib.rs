//! Harness of the whole-system tests: the real program as a child process, and a small client.
//!
//! [`Tongban`] starts what was just built, learns its address from the one machine-readable line
//! on standard output, asks it over plain HTTP, and stops it as an operator (or a power cut)
//! would. There are no fakes here: whatever a test sees, a user could have seen.

mod http;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::{Value, json};

/// The program to start, as `env!("CARGO_BIN_EXE_tongban-under-test")` names it.
#[derive(Clone, Copy, Debug)]
pub struct Tongban(pub &'static str);

impl Tongban {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("the program under test starts");
        Ended::of(&output)
    }

    /// Starts `serve` with these arguments and waits until it says where it listens.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub fn serve(self, arguments: &[&str]) -> Server {
        let served = self.try_serve(arguments, &[]);
        served.unwrap_or_else(|ended| panic!("the server did not start: {}", ended.stderr))
    }

    /// As [`Tongban::serve`], with these variables in its environment; tells how it ended where
    /// it did not come so far as to listen.
    ///
    /// # Errors
    /// How it ended, and what it said.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn try_serve(
        self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Server, Ended> {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut command = self.command(&all);
        command.envs(variables.iter().copied());
        let mut child = command.spawn().expect("the program under test starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("standard output can be read");
        let Ok(said) = serde_json::from_str::<Value>(&line) else {
            let output = child.wait_with_output().expect("the program can be waited for");
            return Err(Ended::of(&output));
        };
        let url = said["url"].as_str().expect("the line names the address").to_owned();
        let told = child.stderr.take().map(BufReader::new);
        Ok(Server { child, _stdout: lines, told, url })
    }

    /// Signs a token for a folder that was served with `--dev`.
    ///
    /// # Panics
    /// When the program refuses.
    pub fn token(self, data: &Path, arguments: &[&str]) -> String {
        let folder = data.to_str().expect("test folders have plain names");
        let mut all = vec!["token", "--dev", "--data", folder];
        all.extend(arguments);
        let ended = self.run(&all);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.trim().to_owned()
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0);
        command
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A running server. Dropping it kills it, as a power cut would.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Kept open, so that the server never writes into a closed pipe.
    _stdout: BufReader<ChildStdout>,
    /// What it tells people.
    told: Option<BufReader<ChildStderr>>,
    url: String,
}

impl Server {
    /// Returns the address of the API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("the server can be waited for")
    }

    /// Sends one operation and returns the whole answer.
    ///
    /// # Panics
    /// When the server does not answer with JSON.
    pub fn ask(&self, token: &str, document: &str, variables: &Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let answer = http::post(&self.url, token, &body).expect("the server answers");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("not JSON: {answer}"))
    }

    /// Waits until the process tells these words, and returns all that it told until then.
    ///
    /// # Panics
    /// When it ends without them.
    pub fn hear(&mut self, words: &str) -> String {
        let told = self.told.as_mut().expect("standard error is piped");
        let mut heard = String::new();
        while !heard.contains(words) {
            let read = told.read_line(&mut heard).expect("standard error can be read");
            assert!(read > 0, "the server ended without telling {words:?}: {heard}");
        }
        heard
    }

    /// Kills the process with SIGKILL and waits until it is gone.
    ///
    /// # Panics
    /// When the process cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server can be waited for");
    }

    /// Asks the process to stop with SIGTERM, and returns how it ended and what it had told.
    ///
    /// # Panics
    /// When the process cannot be asked.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.expect("kill can be run").success());
        let status = self.child.wait().expect("the server can be waited for");
        let mut told = String::new();
        if let Some(mut stderr) = self.told.take() {
            stderr.read_to_string(&mut told).expect("standard error can be read");
        }
        (status, told)
    }
}

/// Kills a process that a test has started with SIGKILL.
///
/// # Panics
/// When `kill` cannot be run.
pub fn kill(process: u32) {
    let id = process.to_string();
    let asked = Command::new("kill").args(["-KILL", &id]).status();
    assert!(asked.expect("kill can be run").success(), "process {id} cannot be killed");
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
