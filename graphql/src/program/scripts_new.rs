//! `tongban scripts new`: a commented script to begin with, which passes `scripts check`.
//!
//! Nothing is overwritten. What was written is checked at once together with its folder; if the
//! new files themselves do not fit in, they are taken away again.

mod template;

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tongban_scripts::{Catalogue, LoadError};

use super::args::{NewMatterArguments, NewScript, NewServiceArguments};
use super::error::{ProgramError, shown};
use super::{check, output};

/// Most characters of a code.
const CODE_MAX: usize = 64;

/// A file to be written, relative to the script folder.
struct NewFile {
    path: PathBuf,
    text: String,
}

/// Writes what was asked for and says where it is.
pub(crate) fn run(what: &NewScript) -> Result<(), ProgramError> {
    let (root, files) = match what {
        NewScript::Service(arguments) => (&arguments.path, service(arguments)?),
        NewScript::Matter(arguments) => (&arguments.path, matter(arguments)?),
    };
    for file in &files {
        let path = root.join(&file.path);
        if path.exists() {
            return Err(ProgramError::ScriptExists(shown(path)));
        }
    }
    let mut written = Written(Vec::new());
    for file in &files {
        written.write(root, file)?;
    }
    let report = tongban_scripts::check(root, Some(&Catalogue::shipped()));
    let report = report.map_err(|error| check::refused(root, &error))?;
    let ours = |file: &str| files.iter().any(|new| new.path == Path::new(file));
    if report.findings.iter().any(|finding| ours(&finding.file)) {
        written.take_back();
        return Err(check::refused(root, &LoadError::Scripts(report)));
    }
    for path in &written.0 {
        output::data(&shown(path));
    }
    if report.has_errors() {
        output::tell(report.to_string().trim_end());
    }
    output::tell(&next_steps(what));
    Ok(())
}

fn next_steps(what: &NewScript) -> String {
    match what {
        NewScript::Service(new) => {
            let (code, path) = (&new.code, shown(&new.path));
            format!(
                "下一步 / next:\n  tongban scripts rehearse {path}\n  tongban scripts explain {code} --path {path}\n  tongban scripts graph {code} --path {path}\n  tongban serve --dev --watch --data ./data --scripts {path}"
            )
        }
        NewScript::Matter(new) => {
            let (code, path) = (&new.code, shown(&new.path));
            format!(
                "下一步 / next:\n  把 part(\"{code}\") 写进一个服务的 matters / add part(\"{code}\") to the matters of a service\n  tongban scripts check {path}"
            )
        }
    }
}

fn service(new: &NewServiceArguments) -> Result<Vec<NewFile>, ProgramError> {
    for code in [&new.code, &new.lead].into_iter().chain(&new.matters) {
        check_code(code)?;
    }
    let own = [new.code.clone()];
    let matters = if new.matters.is_empty() { own.as_slice() } else { &new.matters };
    let folder = PathBuf::from("services");
    let mut files = pair(
        &folder,
        &new.code,
        [template::service(new, matters), template::service_rehearsal(new)],
    );
    if new.matters.is_empty() {
        files.extend(matter(&NewMatterArguments {
            code: new.code.clone(),
            name: Some(new.name.clone()),
            department: new.lead.clone(),
            regime: "public_service".to_owned(),
            path: new.path.clone(),
        })?);
    }
    Ok(files)
}

fn matter(new: &NewMatterArguments) -> Result<Vec<NewFile>, ProgramError> {
    check_code(&new.code)?;
    check_code(&new.department)?;
    let folder = PathBuf::from("matters").join(&new.department);
    Ok(pair(&folder, &new.code, [template::matter(new), template::matter_rehearsal(new)]))
}

/// A script and the rehearsal beside it.
fn pair(folder: &Path, code: &str, texts: [String; 2]) -> Vec<NewFile> {
    let names = [format!("{code}.rhai"), format!("{code}.rehearsal.rhai")];
    let both = names.into_iter().zip(texts);
    both.map(|(name, text)| NewFile { path: folder.join(name), text }).collect()
}

/// Codes become names of files, so they are checked before anything is touched.
fn check_code(code: &str) -> Result<(), ProgramError> {
    let fits = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    let begins = code.starts_with(|letter: char| letter.is_ascii_lowercase());
    if begins && code.len() <= CODE_MAX && code.chars().all(fits) {
        return Ok(());
    }
    Err(ProgramError::CodeWrong(code.to_owned()))
}

/// The files that were written in this run.
struct Written(Vec<PathBuf>);

impl Written {
    fn write(&mut self, root: &Path, file: &NewFile) -> Result<(), ProgramError> {
        let path = root.join(&file.path);
        let failed = |source: std::io::Error| {
            if source.kind() == ErrorKind::AlreadyExists {
                return ProgramError::ScriptExists(shown(&path));
            }
            ProgramError::CannotCreate { path: shown(&path), source }
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut out = fs::File::create_new(&path).map_err(failed)?;
        out.write_all(file.text.as_bytes()).map_err(failed)?;
        self.0.push(path);
        Ok(())
    }

    fn take_back(&self) {
        for path in &self.0 {
            // One that cannot be removed is in the findings that are told next.
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_service(path: &Path, code: &str, matters: &[&str]) -> NewScript {
        NewScript::Service(NewServiceArguments {
            code: code.to_owned(),
            name: "开\"店\"一件事\\".to_owned(),
            matters: matters.iter().map(|code| (*code).to_owned()).collect(),
            lead: "urban-management".to_owned(),
            region: "420300".to_owned(),
            path: path.to_owned(),
        })
    }

    fn new_matter(path: &Path, code: &str, regime: &str) -> NewScript {
        NewScript::Matter(NewMatterArguments {
            code: code.to_owned(),
            name: None,
            department: "transport".to_owned(),
            regime: regime.to_owned(),
            path: path.to_owned(),
        })
    }

    fn clean(path: &Path) -> (usize, usize) {
        let report = tongban_scripts::check(path, Some(&Catalogue::shipped())).unwrap();
        assert!(!report.has_errors(), "{report}");
        (report.services, report.matters)
    }

    #[test]
    fn a_new_service_in_an_empty_folder_passes_the_check_with_a_matter_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("scripts");
        run(&new_service(&root, "shop-opening", &[])).unwrap();
        assert_eq!(clean(&root), (1, 1));
        let host = tongban_scripts::Host::open(&root).unwrap();
        let service = &tongban_core::port::Script::services(&host)[0].service;
        assert_eq!(service.name, "开\"店\"一件事\\");
        assert!(root.join("services/shop-opening.rehearsal.rhai").is_file());
        let rehearsals = tongban_scripts::rehearsal::Rehearsals::open(&root, &Catalogue::shipped());
        let rehearsals = rehearsals.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rehearsals.plays().len(), 3);
        assert_eq!(rehearsals.unrehearsed(), [""; 0]);
    }

    #[test]
    fn matters_of_every_regime_pass_and_compose() {
        let folder = tempfile::tempdir().unwrap();
        let regimes = tongban_core::definition::Regime::ALL;
        for (_, regime, _) in regimes {
            let code = format!("one-{}", regime.replace('_', "-"));
            run(&new_matter(folder.path(), &code, regime)).unwrap();
        }
        run(&new_service(folder.path(), "all", &["one-licence", "one-benefit"])).unwrap();
        assert_eq!(clean(folder.path()), (1, regimes.len()));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        run(&new_matter(folder.path(), "one", "licence")).unwrap();
        let file = folder.path().join("matters/transport/one.rhai");
        fs::write(&file, "// mine").unwrap();
        let refused = run(&new_matter(folder.path(), "one", "licence")).unwrap_err();
        assert_eq!(refused.code(), "SCRIPT_EXISTS");
        assert_eq!(fs::read_to_string(&file).unwrap(), "// mine");
    }

    #[test]
    fn a_service_of_unknown_matters_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        run(&new_matter(folder.path(), "one", "licence")).unwrap();
        let refused = run(&new_service(folder.path(), "all", &["one", "two"])).unwrap_err();
        assert_eq!(refused.code(), "SCRIPTS_WRONG");
        assert!(!folder.path().join("services/all.rhai").exists());
    }

    #[test]
    fn a_code_names_no_other_place() {
        let folder = tempfile::tempdir().unwrap();
        for code in ["../one", "One", "", "1one", "a/b", &"a".repeat(65)] {
            let refused = run(&new_matter(folder.path(), code, "licence")).unwrap_err();
            assert_eq!(refused.code(), "CODE_WRONG", "{code}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
