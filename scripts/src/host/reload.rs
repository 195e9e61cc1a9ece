//! Reading a folder again while cases run.
//!
//! Either everything in it is right and new cases use it from one moment on, or nothing changes.
//! Closures that running cases are pinned to stay known for as long as the host lives.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use tongban_core::digest::Digest;
use tongban_core::id::ServiceCode;

use super::{Active, Host, compiled};
use crate::load::LoadError;
use crate::sources::Sources;

/// What a reload changed for new cases of one service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceChange {
    /// The service.
    pub service: ServiceCode,
    /// The version that was active; none when the service is new.
    pub from: Option<Digest>,
    /// The version that is active; none when the service is no longer offered.
    pub to: Option<Digest>,
}

impl Host {
    /// Reads a folder and activates what it holds for new cases, all at once. Returns what
    /// changed. Running cases keep the closures that they are pinned to.
    ///
    /// # Errors
    /// As [`Host::open`]; the host then goes on as if nothing had been tried.
    pub fn reload(&self, folder: impl AsRef<Path>) -> Result<Vec<ServiceChange>, LoadError> {
        let fresh = Arc::new(compiled(&self.levels, &Sources::read(folder.as_ref())?)?);
        // A closure must be known before a case can be started on it.
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            for one in fresh.values() {
                known.entry(one.closure.digest).or_insert_with(|| Arc::clone(one));
            }
        }
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *active, Arc::clone(&fresh));
        drop(active);
        Ok(changes(&before, &fresh))
    }
}

fn changes(before: &Active, after: &Active) -> Vec<ServiceChange> {
    let digest = |of: &Active, service: &ServiceCode| Some(of.get(service)?.closure.digest);
    let mut services: Vec<&ServiceCode> = before.keys().chain(after.keys()).collect();
    services.sort();
    services.dedup();
    let all = services.into_iter().map(|service| ServiceChange {
        service: service.clone(),
        from: digest(before, service),
        to: digest(after, service),
    });
    all.filter(|change| change.from != change.to).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use tongban_core::port::Script as _;

    use super::*;

    fn write(folder: &TempDir, path: &str, text: &str) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn service(code: &str, name: &str) -> String {
        format!(
            r#"service(#{{ code: "{code}", name: "{name}", lead: "d", target: "person",
                regions: ["420300"], matters: [ part("m") ] }});"#
        )
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "services/one.rhai", &service("one", "一"));
        let matter = r#"matter(#{ code: "m", name: "事项", department: "d" }); fn handle(m) { }"#;
        write(&folder, "matters/d/m.rhai", matter);
        folder
    }

    fn active(host: &Host, code: &str) -> Option<Digest> {
        host.active(&ServiceCode::new(code)).map(|closure| closure.digest)
    }

    #[test]
    fn a_changed_file_is_active_for_new_cases_and_the_old_closure_stays_known() {
        let folder = folder();
        let host = Host::open(&folder).unwrap();
        let old = active(&host, "one").unwrap();
        assert_eq!(host.reload(&folder).unwrap(), []);
        write(&folder, "services/one.rhai", &service("one", "壹"));
        let changed = host.reload(&folder).unwrap();
        let new = active(&host, "one").unwrap();
        assert_ne!(new, old);
        let service = ServiceCode::new("one");
        assert_eq!(changed, [ServiceChange { service, from: Some(old), to: Some(new) }]);
        assert_eq!(host.closure(&old).unwrap().service.name, "一");
        assert!(host.sources(&old).is_some());
    }

    #[test]
    fn a_broken_file_changes_nothing() {
        let folder = folder();
        let host = Host::open(&folder).unwrap();
        let old = active(&host, "one");
        write(&folder, "services/two.rhai", &service("two", "二"));
        write(&folder, "matters/d/m.rhai", "matter(#{ code: ");
        let error = host.reload(&folder).unwrap_err();
        assert_eq!(error.code(), "SCRIPT_INVALID");
        assert!(error.to_string().contains("matters/d/m.rhai"), "{error}");
        assert_eq!((active(&host, "one"), active(&host, "two")), (old, None));
    }

    #[test]
    fn services_come_and_go() {
        let folder = folder();
        let host = Host::open(&folder).unwrap();
        write(&folder, "services/two.rhai", &service("two", "二"));
        fs::remove_file(folder.path().join("services/one.rhai")).unwrap();
        let changed = host.reload(&folder).unwrap();
        let told: Vec<_> = changed
            .iter()
            .map(|change| (change.service.as_str(), change.from.is_some(), change.to.is_some()))
            .collect();
        assert_eq!(told, [("one", true, false), ("two", false, true)]);
    }
}
