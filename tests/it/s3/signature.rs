//! Checks what a storage service checks: the AWS signature (version 4) of a request.

use axum::http::{HeaderMap, Method, Uri};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// Whoever may ask.
pub(super) const KEY_ID: &str = "TESTKEYID";
/// His secret.
pub(super) const SECRET: &str = "test/secret+key";

/// Tells whether the secret's holder signed the request, its headers and its body.
pub(super) fn holds(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> bool {
    check(method, uri, headers, body).is_some()
}

fn check(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let given = text("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let part = |name: &str| given.split(", ").find_map(|part| part.strip_prefix(name));
    let (credential, signed) = (part("Credential=")?, part("SignedHeaders=")?);
    let scope = credential.strip_prefix(KEY_ID)?.strip_prefix('/')?;
    let payload = text("x-amz-content-sha256")?;
    if payload != hex(&Sha256::digest(body)) {
        return None;
    }
    let values = signed.split(';').map(|name| Some(format!("{name}:{}\n", text(name)?.trim())));
    let values: String = values.collect::<Option<_>>()?;
    let path = encode(&decode(uri.path()), b"/");
    let canonical = format!("{method}\n{path}\n{}\n{values}\n{signed}\n{payload}", query(uri));
    let digest = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", text("x-amz-date")?);
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope.split('/').fold(first, |key, part| mac(&key, part.as_bytes()));
    (part("Signature=")? == hex(&mac(&key, to_sign.as_bytes()))).then_some(())
}

fn query(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<String> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", encode(&decode(name), b""), encode(&decode(value), b""))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Undoes percent-encoding.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let escaped = |bytes: &mut std::str::Bytes<'_>| {
            let digits = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
        };
        let byte = if byte == b'%' { escaped(&mut bytes) } else { Some(byte) };
        decoded.extend(byte);
    }
    decoded
}

fn encode(bytes: &[u8], also: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded = bytes.iter().map(|byte| {
        if plain(*byte) || also.contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}
