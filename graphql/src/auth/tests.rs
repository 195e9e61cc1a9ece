//! Tokens, good and bad.

use tongban_core::viewer::Role;
use tongban_engine::clock::ManualClock;

use super::*;

struct Desk {
    _folder: tempfile::TempDir,
    identity: DevIdentity,
    clock: Arc<ManualClock>,
    authority: Authority,
}

fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let identity = DevIdentity::create_or_open(folder.path()).unwrap();
    let clock = Arc::new(ManualClock::new(Moment::parse("2026-03-02T09:00:00+08:00").unwrap()));
    let authority = Authority::dev(&identity, clock.clone());
    Desk { _folder: folder, identity, clock, authority }
}

fn clerk() -> Viewer {
    Viewer::new("clerk-1", Role::WindowClerk).within("420302")
}

impl Desk {
    fn claims(&self, viewer: &Viewer) -> Claims {
        let expected = DevIdentity::expected();
        Claims {
            iss: Some(expected.issuer),
            aud: Some(expected.audience.into()),
            exp: Some(self.clock.now().millis() / 1_000 + 600),
            ..Claims::of(viewer)
        }
    }

    fn refused(&self, claims: &Claims) -> &'static str {
        let token = self.identity.sign(claims).unwrap();
        self.authority.admit(&token).unwrap_err().reason()
    }
}

#[test]
fn a_token_gives_back_the_viewer_it_was_issued_for() {
    let desk = desk();
    let approver = Viewer::new("a", Role::Approver).within("420300").of("natural-resources");
    let applicant = Viewer::new("p", Role::Applicant).for_party("91420302MA4DEM010M");
    for viewer in [clerk(), approver, applicant, Viewer::new("i", Role::Integrator)] {
        let validity = Validity { from: desk.clock.now(), seconds: 60 };
        let token = desk.identity.issue(&viewer, validity).unwrap();
        assert_eq!(desk.authority.admit(&token).unwrap().viewer, viewer);
        assert!(desk.authority.admit_header(&format!("bearer {token}")).is_ok());
        assert!(desk.authority.admit_header(&format!("Basic {token}")).is_err());
    }
}

#[test]
fn a_token_lasts_until_its_end_and_the_leeway() {
    let desk = desk();
    let validity = Validity { from: desk.clock.now(), seconds: 60 };
    let token = desk.identity.issue(&clerk(), validity).unwrap();
    let until = desk.authority.admit(&token).unwrap().until;
    assert_eq!(until, desk.clock.now().plus_millis(120_000));
    desk.clock.advance(119_999);
    assert!(desk.authority.admit(&token).is_ok());
    desk.clock.advance(1);
    assert_eq!(desk.authority.admit(&token).unwrap_err(), Unauthenticated::Expired);
}

#[test]
fn every_claim_is_checked() {
    let desk = desk();
    let good = desk.claims(&clerk());
    assert_eq!(desk.refused(&Claims { exp: None, ..good.clone() }), "claim_missing");
    assert_eq!(desk.refused(&Claims { sub: None, ..good.clone() }), "claim_missing");
    assert_eq!(desk.refused(&Claims { iss: None, ..good.clone() }), "claim_missing");
    assert_eq!(desk.refused(&Claims { aud: None, ..good.clone() }), "claim_missing");
    assert_eq!(desk.refused(&Claims { role: None, ..good.clone() }), "claim_missing");
    assert_eq!(desk.refused(&Claims { regions: vec![], ..good.clone() }), "claim_missing");
    assert_eq!(
        desk.refused(&Claims { regions: vec![String::new()], ..good.clone() }),
        "claim_missing"
    );
    let iss = Some("someone".to_owned());
    assert_eq!(desk.refused(&Claims { iss, ..good.clone() }), "bad_issuer");
    let aud = Some("something".into());
    assert_eq!(desk.refused(&Claims { aud, ..good.clone() }), "bad_audience");
    let role = Some("root".to_owned());
    assert_eq!(desk.refused(&Claims { role, ..good.clone() }), "unknown_role");
    let nbf = Some(desk.clock.now().millis() / 1_000 + 61);
    assert_eq!(desk.refused(&Claims { nbf, ..good }), "not_yet_valid");
    let applicant = desk.claims(&Viewer::new("p", Role::Applicant));
    assert_eq!(desk.refused(&applicant), "claim_missing");
    let approver = desk.claims(&Viewer::new("a", Role::Approver).within("420300"));
    assert_eq!(desk.refused(&approver), "claim_missing");
}

#[test]
fn the_algorithm_is_the_keys_and_never_the_tokens() {
    let desk = desk();
    let claims = desk.claims(&clerk());
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let key = jsonwebtoken::EncodingKey::from_secret(b"guessed");
    let forged = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    assert_eq!(desk.authority.admit(&forged).unwrap_err().reason(), "bad_signature");
    let stranger = tempfile::tempdir().unwrap();
    let stranger = DevIdentity::create_or_open(stranger.path()).unwrap();
    let foreign = stranger.sign(&claims).unwrap();
    assert_eq!(desk.authority.admit(&foreign).unwrap_err().reason(), "bad_signature");
    for text in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(desk.authority.admit(text).unwrap_err().reason(), "malformed", "{text}");
    }
}

#[test]
fn the_key_is_kept_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = DevIdentity::create_or_open(folder.path()).unwrap();
    let second = DevIdentity::create_or_open(folder.path()).unwrap();
    assert_eq!(first.public, second.public);
    assert_ne!(first.public, desk().identity.public);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join("dev.key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = DevIdentity::create_or_open(folder.path());
        assert!(matches!(exposed, Err(DevIdentityError::Exposed(_))));
    }
}

#[test]
fn key_sets_hold_signing_keys_of_the_accepted_kinds_only() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let good = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"a","x":"{x}"}}]}}"#);
    assert!(KeySet::from_json(&good).is_ok());
    let secret = r#"{"keys":[{"kty":"oct","kid":"s","k":"AAAA"}]}"#;
    assert!(matches!(KeySet::from_json(secret), Err(KeySetError::Unsupported(_))));
    assert!(matches!(KeySet::from_json(r#"{"keys":[]}"#), Err(KeySetError::Empty)));
    assert!(matches!(KeySet::from_json("[]"), Err(KeySetError::Syntax(_))));
}
