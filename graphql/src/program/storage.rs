//! Where files of cases and reference documents lie: in the data folder, or in a bucket of an
//! S3-compatible service.
//!
//! The configuration of `serve` chooses, and the data folder remembers the bucket in
//! `storage.json`, so that every other command finds it. The bucket holds the mark of its folder,
//! so that no other one takes files for strays or documents for missing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tongban_connectors::s3::{self, S3Credentials, S3Options, S3Transport};
use tongban_core::digest::Digest;
use tongban_engine::blob::Blobs;
use tongban_engine::objects::{ObjectStore, ObjectsError, Owned, claim};
use tongban_engine::reference::{ReferenceError, References};

use super::assemble::wrong;
use super::config::{Config, S3Bucket, Storage as Told};
use super::error::{Both, ProgramError, shown};
use super::folder;
use super::secret::{self, Named};

/// The place of the bucket in the configuration.
const PLACE: &str = "storage.s3";
/// What a data folder remembers of its bucket.
const FILE: &str = "storage.json";
/// The folders that hold files and documents when no bucket does.
const LOCAL: [&str; 2] = ["files", "reference"];
/// Variables that hold the credentials when no file is named.
const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

/// Where an installation keeps its files and documents.
pub(crate) struct Storage {
    data: PathBuf,
    bucket: Option<Arc<dyn ObjectStore>>,
}

/// What is remembered in the data folder.
#[derive(Deserialize, Serialize)]
struct Remembered {
    /// The bucket; its secrets stay where they are.
    s3: S3Bucket,
    /// The mark in the bucket by which it knows its folder.
    mark: String,
}

/// Credentials as a file holds them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
}

impl Storage {
    /// Opens what a configuration says about a data folder, which remembers it from then on.
    ///
    /// Refused are a bucket for a folder that holds files already or has another bucket, no
    /// bucket for a folder that has one, and the bucket of another folder.
    pub(crate) async fn configured(config: &Config, data: &Path) -> Result<Self, ProgramError> {
        let (bucket, mark) = match (&config.storage, remembered(data)?) {
            (None | Some(Told::Folder), None) => return Ok(Self::local(data)),
            (None | Some(Told::Folder), Some(known)) => return Err(elsewhere(data, &known.s3)),
            (Some(Told::S3(bucket)), Some(known)) if known.s3.name() != bucket.name() => {
                return Err(elsewhere(data, &known.s3));
            }
            (Some(Told::S3(bucket)), Some(known)) => (bucket, known.mark),
            (Some(Told::S3(bucket)), None) => (bucket, new_mark(data, bucket)?),
        };
        let objects = opened(bucket, &mark).await?;
        remember(data, &Remembered { s3: bucket.clone(), mark })?;
        Ok(Self { data: data.to_owned(), bucket: Some(objects) })
    }

    /// Opens what a data folder remembers.
    pub(crate) async fn of(data: &Path) -> Result<Self, ProgramError> {
        let Some(Remembered { s3, mark }) = remembered(data)? else {
            return Ok(Self::local(data));
        };
        Ok(Self { data: data.to_owned(), bucket: Some(opened(&s3, &mark).await?) })
    }

    fn local(data: &Path) -> Self {
        Self { data: data.to_owned(), bucket: None }
    }

    /// Opens the reference documents; their folder is created where missing.
    pub(crate) fn references(&self) -> Result<References, ReferenceError> {
        match &self.bucket {
            Some(bucket) => Ok(References::open(Arc::clone(bucket))),
            None => References::in_folder(&self.data),
        }
    }

    /// Opens the files of cases. The store of the folder must be open: nobody else sends files.
    pub(crate) fn blobs(&self) -> Result<Blobs, ProgramError> {
        match &self.bucket {
            Some(bucket) => Ok(Blobs::open(Arc::clone(bucket))),
            None => folder::blobs(&self.data),
        }
    }
}

/// Opens a bucket and makes sure that it belongs to who has the mark.
async fn opened(bucket: &S3Bucket, mark: &str) -> Result<Arc<dyn ObjectStore>, ProgramError> {
    let options = S3Options {
        endpoint: bucket.endpoint.clone(),
        bucket: bucket.bucket.clone(),
        region: bucket.region.clone(),
        prefix: bucket.prefix.clone(),
        credentials: credentials(bucket)?,
        transport: if bucket.allow_http { S3Transport::HttpAllowed } else { S3Transport::Https },
    };
    let objects = s3::open(&options).map_err(|error| wrong(PLACE, Both::of(&error)))?;
    let name = bucket.name();
    match claim(objects.as_ref(), mark).await.map_err(|error| unusable(bucket, &error))? {
        Owned::ByUs => Ok(objects),
        Owned::ByOthers => Err(ProgramError::Elsewhere(Both::new(
            format!(
                "{name} 属于另一个数据文件夹,未作任何改动;确知无人使用时,可删除其中的对象 owner"
            ),
            format!(
                "{name} belongs to another data folder; nothing was changed. If nobody uses it, delete the object `owner` in it"
            ),
        ))),
        Owned::Unsafely => Err(ProgramError::Elsewhere(Both::new(
            format!("{name} 所在的服务不支持条件写入(If-None-Match),无法安全使用"),
            format!(
                "the service of {name} does not know conditional puts (If-None-Match), so it cannot be used safely"
            ),
        ))),
    }
}

/// Says what is wrong with a bucket that cannot be claimed: mostly who asks, or its name.
fn unusable(bucket: &S3Bucket, error: &ObjectsError) -> ProgramError {
    let name = bucket.name();
    if error.is_forbidden() {
        return wrong(
            PLACE,
            Both::new(
                format!("{name} 的服务不接受所给的凭证,或凭证无权读写;请检查访问密钥和本机时间"),
                format!(
                    "the service of {name} does not accept the credentials, or they may not read and write there; check the access key and this computer's time"
                ),
            ),
        );
    }
    if error.is_missing() {
        let (zh, en) =
            (format!("没有存储桶 {name}"), format!("there is no bucket {name}; create it"));
        return wrong(PLACE, Both::new(zh, en));
    }
    ProgramError::InputOutput { what: name, detail: Both::of(error) }
}

fn credentials(bucket: &S3Bucket) -> Result<S3Credentials, ProgramError> {
    let Some(file) = &bucket.credentials_file else {
        let of = |name: &str| secret::read(PLACE, Named { env: Some(name), file: None });
        let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
        return Ok(S3Credentials { key_id: of(KEY_ID)?, secret: of(SECRET)?, token });
    };
    let text = std::fs::read_to_string(file)
        .map_err(|source| ProgramError::ConfigUnreadable { path: shown(file), source })?;
    // The parser quotes what it read, which may be the secret.
    let read: Credentials = toml::from_str(&text).map_err(|_| {
        wrong(
            &shown(file),
            Both::new(
                "须为 TOML,写明 access_key_id 和 secret_access_key",
                "it must be TOML with access_key_id and secret_access_key",
            ),
        )
    })?;
    let Credentials { access_key_id, secret_access_key, session_token } = read;
    Ok(S3Credentials { key_id: access_key_id, secret: secret_access_key, token: session_token })
}

/// Reads what a folder remembers.
fn remembered(data: &Path) -> Result<Option<Remembered>, ProgramError> {
    let path = data.join(FILE);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| failed(&path, &error))?,
    };
    let read = serde_json::from_slice(&text);
    read.map(Some).map_err(|error| {
        ProgramError::FolderDamaged(Both::new(
            format!("{} 无法识别:{error}", shown(&path)),
            format!("{} cannot be read: {error}", shown(&path)),
        ))
    })
}

/// Makes the mark for a folder's bucket, unless files lie in the folder already.
fn new_mark(data: &Path, bucket: &S3Bucket) -> Result<String, ProgramError> {
    for name in LOCAL {
        let files = std::fs::read_dir(data.join(name));
        if files.is_ok_and(|mut files| files.next().is_some()) {
            let (folder, bucket) = (shown(data.join(name)), bucket.name());
            return Err(ProgramError::Elsewhere(Both::new(
                format!("{folder} 中已有文件,不能改用 {bucket};请先迁移并清空该文件夹"),
                format!("{folder} holds files already; move them to {bucket} and empty it first"),
            )));
        }
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| failed(data, &error))?;
    Ok(Digest(random).hex())
}

/// Has a folder remember its bucket; durable when this returns.
fn remember(data: &Path, remembered: &Remembered) -> Result<(), ProgramError> {
    let text = serde_json::to_vec_pretty(remembered).expect("paths in it were read from text");
    let path = data.join(FILE);
    write(data, &path, &text).map_err(|error| failed(&path, &error))
}

/// Writes under another name first, so that a crash leaves no half file behind.
fn write(data: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(data)?;
    let fresh = path.with_extension("json.unfinished");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    // Only Unix opens folders as files; elsewhere the system keeps their names by itself.
    if cfg!(unix) { std::fs::File::open(data)?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::InputOutput { what: shown(path), detail: Both::of(error) }
}

fn elsewhere(data: &Path, bucket: &S3Bucket) -> ProgramError {
    let (data, bucket) = (shown(data), bucket.name());
    ProgramError::Elsewhere(Both::new(
        format!("{data} 的文件存放在 {bucket},与配置不符"),
        format!("the files of {data} lie in {bucket}, not where the configuration says"),
    ))
}
