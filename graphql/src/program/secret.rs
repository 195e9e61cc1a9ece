//! Secrets, which never stand in a configuration file: it names the environment variable or the
//! file that holds one.

use std::path::Path;

use super::assemble::wrong;
use super::error::{Both, ProgramError, shown};

/// Where a secret is.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// Environment variable.
    pub(crate) env: Option<&'a str>,
    /// File; the end of its last line does not count.
    pub(crate) file: Option<&'a Path>,
}

/// Reads a secret that `place` in the configuration names.
pub(crate) fn read(place: &str, named: Named<'_>) -> Result<String, ProgramError> {
    let secret = match (named.env, named.file) {
        (Some(env), None) => std::env::var(env).map_err(|_| no_variable(place, env))?,
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|source| unreadable(file, source))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(wrong(
                place,
                Both::new(
                    "须写明 secret_env(环境变量名)或 secret_file(文件)之一",
                    "give either secret_env, the name of a variable, or secret_file",
                ),
            ));
        }
    };
    if secret.is_empty() {
        let what =
            named.env.map_or_else(|| named.file.map_or_else(String::new, shown), str::to_owned);
        let (zh, en) = (format!("{what} 是空的"), format!("{what} is empty"));
        return Err(wrong(place, Both::new(zh, en)));
    }
    Ok(secret)
}

fn no_variable(place: &str, env: &str) -> ProgramError {
    wrong(
        place,
        Both::new(
            format!("没有环境变量 {env},或其内容不是文字"),
            format!("there is no environment variable {env}, or it is no text"),
        ),
    )
}

fn unreadable(file: &Path, source: std::io::Error) -> ProgramError {
    ProgramError::ConfigUnreadable { path: shown(file), source }
}
