//! The configuration file of `serve`: who may sign in, which connector carries what.
//!
//! TOML, unknown keys refused with the nearest known one. Secrets never stand in it: the keys
//! of the identity provider are public, and what is secret is named by the variable or file that
//! holds it. That a connector's messages are trusted without a
//! signature must be written down as `trust = "unsigned"`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tongban_connectors::Binding;
use tongban_engine::Publishing;

use super::error::{Both, ProgramError, shown};

/// What a configuration file may say. Since 0.1.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Who may sign in. Since 0.1.
    #[serde(default)]
    pub(crate) identity: Option<Identity>,
    /// Folder of scripts; the shipped ones when left out. Since 0.1.
    #[serde(default)]
    pub(crate) scripts: Option<PathBuf>,
    /// Who decides on which version of a service new cases begin; `approved` when left out.
    /// Since 0.1.
    #[serde(default)]
    pub(crate) publishing: Option<PublishingRule>,
    /// This engine's own name towards agencies, as `region/system`. Since 0.1.
    #[serde(default)]
    pub(crate) party: Option<String>,
    /// The connectors, by name. Since 0.1.
    #[serde(default)]
    pub(crate) connectors: BTreeMap<String, Connector>,
    /// Which connector carries an operation at a place. Since 0.1.
    #[serde(default)]
    pub(crate) bindings: Vec<Binding>,
    /// Who seals notices; when left out nobody, and with `--dev` the trial seal. Since 0.1.
    #[serde(default)]
    pub(crate) seal: Option<Seal>,
    /// Where files of cases and reference documents lie; the data folder when left out. Since 0.1.
    #[serde(default)]
    pub(crate) storage: Option<Storage>,
}

/// Where files of cases and reference documents lie.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// In the data folder. Since 0.1.
    Folder,
    /// In a bucket of an S3-compatible service. Since 0.1.
    S3(S3Bucket),
}

/// A bucket of an S3-compatible service, addressed by path. Since 0.1.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3Bucket {
    /// Where the service listens. Since 0.1.
    pub(crate) endpoint: String,
    /// The bucket. Since 0.1.
    pub(crate) bucket: String,
    /// The region that requests are signed for. Since 0.1.
    pub(crate) region: String,
    /// What every key begins with, if the bucket is shared. Since 0.1.
    #[serde(default)]
    pub(crate) prefix: Option<String>,
    /// TOML file with `access_key_id` and `secret_access_key`; the variables
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` when left out. Since 0.1.
    #[serde(default)]
    pub(crate) credentials_file: Option<PathBuf>,
    /// Whether `http://` will do: files then travel in the clear. Since 0.1.
    #[serde(default)]
    pub(crate) allow_http: bool,
}

impl S3Bucket {
    /// Names it for people and for the data folder's memory.
    pub(crate) fn name(&self) -> String {
        let endpoint = self.endpoint.trim_end_matches('/');
        let prefix = self.prefix.as_deref().unwrap_or_default().trim_matches('/');
        let end = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        format!("{endpoint}/{}{end}", self.bucket)
    }
}

/// Who seals notices.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seal {
    /// Nobody: notices stay drafts, and the offices issue their papers elsewhere. Since 0.1.
    None,
    /// A key of the data folder, whose seals bind nobody; only with `--dev`. Since 0.1.
    Trial,
    /// A service that holds the offices' seals. Since 0.1.
    Http(SealService),
}

/// A seal service over HTTP. Since 0.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealService {
    /// Where it listens, without `/seal/1`. Since 0.1.
    pub(crate) base_url: String,
    /// File with the public keys of its seals (JWKS). Since 0.1.
    pub(crate) keys_file: PathBuf,
    /// Environment variable that holds the secret which it knows us by. Since 0.1.
    #[serde(default)]
    pub(crate) secret_env: Option<String>,
    /// File that holds this secret, instead of a variable. Since 0.1.
    #[serde(default)]
    pub(crate) secret_file: Option<PathBuf>,
    /// Whether `http://` will do: the secret then travels in the clear. Since 0.1.
    #[serde(default)]
    pub(crate) allow_http: bool,
}

/// Who decides on which version of a service new cases begin.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PublishingRule {
    /// One person publishes a version, another lets it be used.
    Approved,
    /// Whoever puts scripts into the folder: they are in use at once.
    Loaded,
}

/// The host's unified identity. Since 0.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    /// File with the provider's public keys (JWKS). Since 0.1.
    pub(crate) jwks_file: PathBuf,
    /// The `iss` that tokens must carry. Since 0.1.
    pub(crate) issuer: String,
    /// The `aud` that tokens must carry. Since 0.1.
    pub(crate) audience: String,
}

/// One connector; exactly one of its forms is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Connector {
    /// An agency that speaks CXP/1. Since 0.1.
    Cxp(Agency),
    /// An office without a system: a person there is asked. Since 0.1.
    Manual(Office),
}

/// An agency that speaks CXP/1. Since 0.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agency {
    /// Where it listens, without `/cxp/1`. Since 0.1.
    pub(crate) base_url: String,
    /// Its name, as `region/system`. Since 0.1.
    pub(crate) party: String,
    /// Name of the contract; the party's system when left out. Since 0.1.
    #[serde(default)]
    pub(crate) contract: Option<String>,
    /// How its messages are trusted. Since 0.1.
    pub(crate) trust: Trust,
}

/// How messages of an agency are trusted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// Without a signature: the network between both is trusted.
    Unsigned,
}

/// An office without a system. Since 0.1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Office {
    /// `department.role` of the person who is asked. Since 0.1.
    pub(crate) role: String,
    /// What the person reads. Since 0.1.
    #[serde(default)]
    pub(crate) title: String,
}

impl Config {
    /// Returns who decides on which version new cases begin: in development the folder does.
    pub(crate) fn publishing(&self, dev: impl Into<bool>) -> Publishing {
        match self.publishing {
            Some(PublishingRule::Loaded) => Publishing::AsLoaded,
            None if dev.into() => Publishing::AsLoaded,
            Some(PublishingRule::Approved) | None => Publishing::Approved,
        }
    }

    /// Reads a file; paths in it count from its own folder.
    pub(crate) fn read(path: &Path) -> Result<Self, ProgramError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProgramError::ConfigUnreadable { path: shown(path), source })?;
        let mut config = Self::parse(&text, &shown(path))?;
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        if let Some(identity) = &mut config.identity {
            identity.jwks_file = base.join(&identity.jwks_file);
        }
        config.scripts = config.scripts.map(|folder| base.join(folder));
        if let Some(Seal::Http(service)) = &mut config.seal {
            service.keys_file = base.join(&service.keys_file);
            service.secret_file = service.secret_file.take().map(|file| base.join(file));
        }
        if let Some(Storage::S3(bucket)) = &mut config.storage {
            bucket.credentials_file =
                bucket.credentials_file.take().map(|file| absolute(base, &file));
        }
        Ok(config)
    }

    fn parse(text: &str, file: &str) -> Result<Self, ProgramError> {
        toml::from_str(text).map_err(|error| wrong(&error, text, file))
    }
}

/// Joins a path to the folder of its file, so that it holds wherever the program is started.
fn absolute(base: &Path, file: &Path) -> PathBuf {
    let joined = base.join(file);
    std::path::absolute(&joined).unwrap_or(joined)
}

fn wrong(error: &toml::de::Error, text: &str, file: &str) -> ProgramError {
    let line = error.span().map(|span| text[..span.start].lines().count().max(1));
    let line = line.map(|line| match error.span() {
        Some(span) if text[..span.start].ends_with('\n') => line + 1,
        Some(_) | None => line,
    });
    let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    let (what, nearest) = told(error.message());
    ProgramError::ConfigWrong { place, what, nearest }
}

/// Says what the parser found in our words, with the known name that was probably meant.
fn told(message: &str) -> (Both, Option<String>) {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let mut first = || quoted.next().unwrap_or_default();
    if message.starts_with("unknown field") {
        let key = first();
        let what = Both::new(format!("没有键 {key}"), format!("there is no key {key}"));
        return (what, nearest(key, quoted));
    }
    if message.starts_with("unknown variant") {
        let word = first();
        let what = Both::new(format!("不认识 {word}"), format!("{word} is not known here"));
        return (what, nearest(word, quoted));
    }
    if message.starts_with("missing field") {
        return match first() {
            "trust" => (
                Both::new(
                    "缺少键 trust;消息尚不签名,须明确写 trust = \"unsigned\"",
                    "key trust is missing; messages are not signed yet, so say trust = \"unsigned\"",
                ),
                None,
            ),
            key => (Both::new(format!("缺少键 {key}"), format!("key {key} is missing")), None),
        };
    }
    (Both::new(format!("写法有误({message})"), message), None)
}

fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    known
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: &Expect) {
        let error = Config::parse(text, "tongban.toml").unwrap_err();
        let (zh, en) = error.advice();
        expected.assert_eq(&format!("{error}\n{zh}\n{en}"));
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            scripts = "scripts"
            [identity]
            jwks_file = "jwks.json"
            issuer = "https://id.example.org"
            audience = "tongban"
            [connectors.natural-resources]
            cxp = { base_url = "http://10.0.0.8:8080", party = "420300/natural-resources", trust = "unsigned" }
            [connectors.counter]
            manual = { role = "urban-management.clerk" }
            [[bindings]]
            operation = "natural-resources.*"
            region = "420300"
            connector = "natural-resources"
            reply_within = "2 working days"
        "#;
        let config = Config::parse(text, "tongban.toml").unwrap();
        assert_eq!(config.connectors.len(), 2);
        assert_eq!(config.bindings[0].connector, "natural-resources");
        assert_eq!(config.bindings[0].reply_within, "2 working days".parse().ok());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        check(
            "[identity]\njwks = \"a\"\n",
            &expect![[r"
                配置文件 tongban.toml:2:没有键 jwks / configuration file tongban.toml:2: there is no key jwks
                是否想写 jwks_file?键名见 tongban serve --help
                did you mean jwks_file? The keys are listed by tongban serve --help"]],
        );
    }

    #[test]
    fn trust_without_a_signature_must_be_written_down() {
        check(
            "[connectors.a]\ncxp = { base_url = \"http://a\", party = \"420300/a\" }\n",
            &expect![[r#"
                配置文件 tongban.toml:2:缺少键 trust;消息尚不签名,须明确写 trust = "unsigned" / configuration file tongban.toml:2: key trust is missing; messages are not signed yet, so say trust = "unsigned"
                请改正该处;写法见 tongban serve --help
                correct it there; tongban serve --help shows the form"#]],
        );
    }

    #[test]
    fn the_seal_is_a_word_or_a_service() {
        let read = |text: &str| Config::parse(text, "tongban.toml").unwrap().seal;
        assert!(matches!(read("seal = \"none\""), Some(Seal::None)));
        assert!(matches!(read("seal = \"trial\""), Some(Seal::Trial)));
        let service =
            "[seal.http]\nbase_url = \"https://s\"\nkeys_file = \"k\"\nsecret_env = \"S\"\n";
        let Some(Seal::Http(service)) = read(service) else { panic!("a service") };
        assert_eq!(service.secret_env.as_deref(), Some("S"));
        assert!(read("").is_none());
        check(
            "[seal.http]\nbase_url = \"https://s\"\nkeys_file = \"k\"\nsecret = \"s\"\n",
            &expect![[r#"
                配置文件 tongban.toml:4:没有键 secret / configuration file tongban.toml:4: there is no key secret
                是否想写 secret_env?键名见 tongban serve --help
                did you mean secret_env? The keys are listed by tongban serve --help"#]],
        );
    }

    #[test]
    fn a_connector_has_one_of_the_known_forms() {
        check(
            "[connectors.a]\nsoap = { url = \"http://a\" }\n",
            &expect![[r"
            配置文件 tongban.toml:2:不认识 soap / configuration file tongban.toml:2: soap is not known here
            是否想写 cxp?键名见 tongban serve --help
            did you mean cxp? The keys are listed by tongban serve --help"]],
        );
    }
}
