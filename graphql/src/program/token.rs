//! `tongban token --dev`: signs a token with the key that `serve --dev` wrote into its folder.

use std::path::Path;

use tongban_core::id::{DepartmentCode, RegionCode};
use tongban_core::port::WireClock as _;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::SystemClock;

use crate::auth::{DevIdentity, Validity};

use super::args::{RoleName, TokenArguments};
use super::error::{Both, ProgramError, shown};
use super::output;

/// Name of the key that `serve --dev` writes.
const KEY_FILE: &str = "dev.key";

/// Prints a token.
pub(crate) fn run(arguments: TokenArguments) -> Result<(), ProgramError> {
    if !arguments.dev {
        return Err(ProgramError::TokenNeedsDev);
    }
    if !arguments.data.join(KEY_FILE).is_file() {
        return Err(ProgramError::NoDevKey(shown(&arguments.data)));
    }
    let identity = open(&arguments.data)?;
    let seconds = arguments.hours.saturating_mul(3_600);
    let viewer = viewer(arguments)?;
    output::data(&issue(&identity, &viewer, seconds)?);
    Ok(())
}

/// Opens the key of a folder, or draws one.
pub(crate) fn open(folder: &Path) -> Result<DevIdentity, ProgramError> {
    DevIdentity::create_or_open(folder).map_err(|error| ProgramError::Identity(Both::of(&error)))
}

/// Signs a token that begins now.
pub(crate) fn issue(
    identity: &DevIdentity,
    viewer: &Viewer,
    seconds: u32,
) -> Result<String, ProgramError> {
    let validity = Validity { from: SystemClock.now(), seconds };
    let token = identity.issue(viewer, validity);
    token.map_err(|error| ProgramError::Identity(Both::of(&error)))
}

fn viewer(arguments: TokenArguments) -> Result<Viewer, ProgramError> {
    let role = arguments.role.role();
    let missing = match role {
        Role::Applicant if arguments.party.is_none() => Some("--party"),
        Role::WindowClerk
        | Role::Supervisor
        | Role::Approver
        | Role::OfficeHead
        | Role::SystemAdmin
            if arguments.region.is_empty() =>
        {
            Some("--region")
        }
        Role::Approver | Role::OfficeHead if arguments.department.is_empty() => {
            Some("--department")
        }
        Role::Applicant
        | Role::WindowClerk
        | Role::Approver
        | Role::Integrator
        | Role::Supervisor
        | Role::OfficeHead
        | Role::SystemAdmin => None,
    };
    if let Some(missing) = missing {
        return Err(ProgramError::TokenUseless { missing });
    }
    Ok(Viewer {
        subject: arguments.subject.unwrap_or_else(|| format!("dev:{}", role.code())),
        role,
        regions: arguments.region.into_iter().map(RegionCode::new).collect(),
        departments: arguments.department.into_iter().map(DepartmentCode::new).collect(),
        party: arguments.party,
    })
}

impl RoleName {
    fn role(self) -> Role {
        match self {
            Self::Applicant => Role::Applicant,
            Self::WindowClerk => Role::WindowClerk,
            Self::Approver => Role::Approver,
            Self::Integrator => Role::Integrator,
            Self::Supervisor => Role::Supervisor,
            Self::OfficeHead => Role::OfficeHead,
            Self::SystemAdmin => Role::SystemAdmin,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::program::args::{Arguments, Command};

    fn token(line: &str) -> TokenArguments {
        let words = ["tongban", "token"].into_iter().chain(line.split(' '));
        let Command::Token(arguments) = Arguments::try_parse_from(words).unwrap().command else {
            panic!("{line} is no token command");
        };
        arguments
    }

    #[test]
    fn a_token_says_who_where_and_for_whom() {
        let line = "--dev --data d --role approver --region 420300 --department fire";
        let expected = Viewer::new("dev:approver", Role::Approver).within("420300").of("fire");
        assert_eq!(viewer(token(line)).unwrap(), expected);
    }

    #[test]
    fn a_token_that_would_see_nothing_is_not_signed() {
        let table = [
            ("--dev --data d --role applicant", "--party"),
            ("--dev --data d --role window-clerk", "--region"),
            ("--dev --data d --role supervisor", "--region"),
            ("--dev --data d --role approver --region 420300", "--department"),
        ];
        for (line, flag) in table {
            let error = viewer(token(line)).unwrap_err().to_string();
            assert!(error.contains(flag), "{line}: {error}");
        }
    }

    #[test]
    fn nothing_is_signed_without_dev_or_for_a_folder_that_never_served() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display();
        let bare = run(token(&format!("--data {data} --role integrator"))).unwrap_err();
        assert_eq!(bare.code(), "TOKEN_NEEDS_DEV");
        let strange = run(token(&format!("--dev --data {data} --role integrator"))).unwrap_err();
        assert_eq!(strange.code(), "NO_DEV_KEY");
    }
}
