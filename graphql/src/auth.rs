//! Who asks: bearer tokens in, a [`Viewer`] out.
//!
//! Tokens are JWTs signed by the host's identity (or, in development, by [`DevIdentity`]). The
//! algorithm is pinned by the key, never chosen by the token; issuer, audience, expiry and
//! not-before are all checked, times against the wire clock that is given in. There is no
//! built-in secret and no anonymous viewer. The layout of the claims is in [`claims`].

pub mod claims;
mod dev;
mod keys;

use std::sync::Arc;

use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use tongban_core::port::WireClock;
use tongban_core::time::Moment;
use tongban_core::viewer::Viewer;

use self::claims::Claims;
pub use self::dev::{DevIdentity, DevIdentityError, Validity};
pub use self::keys::{KeySet, KeySetError};

/// Seconds by which clocks of two machines may differ.
pub const LEEWAY_SECONDS: i64 = 60;
/// Bytes of the longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Whom tokens must come from, and for whom they must be meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    /// The `iss` claim.
    pub issuer: String,
    /// A value of the `aud` claim.
    pub audience: String,
}

/// Where the keys of an [`Authority`] come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// The host's unified identity.
    Host,
    /// A key that this program wrote itself; only for a server on a loopback address.
    Development,
}

/// Turns tokens into viewers.
#[derive(Clone)]
pub struct Authority {
    keys: Arc<KeySet>,
    expected: Expected,
    clock: Arc<dyn WireClock>,
    trust: Trust,
}

/// A viewer, for as long as his token lasts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Admitted {
    /// Who.
    pub viewer: Viewer,
    /// When the token ends, leeway included.
    pub until: Moment,
}

/// Why a token was not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unauthenticated {
    /// No token came.
    #[error(
        "缺少访问令牌,请在 Authorization 头中给出 Bearer 令牌 / no token; send one as Authorization: Bearer"
    )]
    Missing,
    /// It is not a JWT, or larger than any we accept.
    #[error("访问令牌无法读取 / the token cannot be read")]
    Malformed,
    /// No key, the wrong algorithm, or a signature that does not fit.
    #[error("访问令牌的签名无效 / the signature of the token is not valid")]
    BadSignature,
    /// Another issuer.
    #[error("访问令牌的签发者不受信任 / the issuer of the token is not trusted")]
    BadIssuer,
    /// Meant for someone else.
    #[error("访问令牌不是签发给本服务的 / the token is not meant for this service")]
    BadAudience,
    /// Over.
    #[error("访问令牌已过期,请重新登录 / the token has expired, sign in again")]
    Expired,
    /// Not valid yet.
    #[error("访问令牌尚未生效 / the token is not valid yet")]
    NotYetValid,
    /// A claim that is needed is missing.
    #[error("访问令牌缺少声明 {0} / the token lacks the claim {0}")]
    ClaimMissing(&'static str),
    /// A role that this service does not know.
    #[error("访问令牌中的角色无法识别 / the role in the token is not known")]
    UnknownRole,
}

impl Unauthenticated {
    /// Returns the stable reason, as `extensions.reason` shows it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::BadSignature => "bad_signature",
            Self::BadIssuer => "bad_issuer",
            Self::BadAudience => "bad_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::ClaimMissing(_) => "claim_missing",
            Self::UnknownRole => "unknown_role",
        }
    }
}

impl Authority {
    /// Builds an authority that trusts the host's keys.
    pub fn new(keys: KeySet, expected: Expected, clock: Arc<dyn WireClock>) -> Self {
        Self { keys: Arc::new(keys), expected, clock, trust: Trust::Host }
    }

    /// Builds an authority that trusts what `identity` signs, and nothing else.
    pub fn dev(identity: &DevIdentity, clock: Arc<dyn WireClock>) -> Self {
        Self {
            keys: Arc::new(identity.key_set()),
            expected: DevIdentity::expected(),
            clock,
            trust: Trust::Development,
        }
    }

    /// Returns where the keys come from.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the clock that tokens are checked against.
    pub fn clock(&self) -> &Arc<dyn WireClock> {
        &self.clock
    }

    /// Checks an `Authorization` header: the scheme `Bearer` and a token.
    pub fn admit_header(&self, header: &str) -> Result<Admitted, Unauthenticated> {
        let (scheme, token) = header.split_once(' ').ok_or(Unauthenticated::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Unauthenticated::Malformed);
        }
        self.admit(token.trim())
    }

    /// Checks a token and returns whose it is.
    pub fn admit(&self, token: &str) -> Result<Admitted, Unauthenticated> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Unauthenticated::Malformed);
        }
        let header = decode_header(token).map_err(|_| Unauthenticated::Malformed)?;
        let key = self.keys.find(header.kid.as_deref(), header.alg);
        let key = key.ok_or(Unauthenticated::BadSignature)?;
        let mut validation = Validation::new(key.algorithm);
        // The crate would read the system's clock; times are checked below against ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.set_issuer(&[&self.expected.issuer]);
        validation.set_audience(&[&self.expected.audience]);
        let token = decode::<Claims>(token, &key.key, &validation);
        let claims = token.map_err(|error| refusal(error.kind()))?.claims;
        let until = self.in_time(&claims)?;
        Ok(Admitted { viewer: claims.into_viewer()?, until })
    }

    fn in_time(&self, claims: &Claims) -> Result<Moment, Unauthenticated> {
        let now = self.clock.now();
        let at = |seconds: i64| Moment::from_millis(seconds.saturating_mul(1_000));
        let exp = claims.exp.ok_or(Unauthenticated::ClaimMissing("exp"))?;
        let until = at(exp.saturating_add(LEEWAY_SECONDS));
        if now >= until {
            return Err(Unauthenticated::Expired);
        }
        let early = claims.nbf.is_some_and(|nbf| now < at(nbf.saturating_sub(LEEWAY_SECONDS)));
        if early { Err(Unauthenticated::NotYetValid) } else { Ok(until) }
    }
}

fn refusal(kind: &ErrorKind) -> Unauthenticated {
    if let ErrorKind::MissingRequiredClaim(claim) = kind {
        let known = ["iss", "aud"].into_iter().find(|known| claim == known);
        return known.map_or(Unauthenticated::Malformed, Unauthenticated::ClaimMissing);
    }
    let is_signature = matches!(
        kind,
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName
    );
    match () {
        () if is_signature => Unauthenticated::BadSignature,
        () if *kind == ErrorKind::InvalidIssuer => Unauthenticated::BadIssuer,
        () if *kind == ErrorKind::InvalidAudience => Unauthenticated::BadAudience,
        () => Unauthenticated::Malformed,
    }
}

#[cfg(test)]
mod tests;
