//! Tests of the organisation: a whole set, one mistake at a time, and the look-ups.

mod lookups;
mod mistakes;
mod schemas;

use serde_json::{Value as Json, json};

use super::{Findings, Organisation, Source};

/// A set of documents, one of each kind, with every member that there is.
struct Set(Vec<(&'static str, Json)>);

impl Set {
    fn whole() -> Self {
        Self(vec![
            ("organisation.json", organisation()),
            ("bindings.json", bindings()),
            ("agreements.json", agreements()),
            ("calendar.json", calendar()),
            ("card-rules.json", card_rules()),
        ])
    }

    /// Replaces what a pointer leads to, or adds a member or item there.
    fn with(mut self, document: &str, pointer: &str, value: Json) -> Self {
        let json = self.0.iter_mut().find(|(name, _)| *name == document).unwrap();
        if let Some(place) = json.1.pointer_mut(pointer) {
            *place = value;
            return self;
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match json.1.pointer_mut(parent).unwrap() {
            Json::Object(members) => drop(members.insert(name.to_owned(), value)),
            Json::Array(items) => items.push(value),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                panic!("{parent} has no members")
            }
        }
        self
    }

    fn without(mut self, document: &str, pointer: &str) -> Self {
        let json = self.0.iter_mut().find(|(name, _)| *name == document).unwrap();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = json.1.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(name).unwrap();
        self
    }

    fn read(&self) -> Result<Organisation, Findings> {
        let texts: Vec<(&str, String)> =
            self.0.iter().map(|(name, json)| (*name, json.to_string())).collect();
        let sources: Vec<Source<'_>> = texts
            .iter()
            .map(|(label, text)| Source { label, kind: None, bytes: text.as_bytes() })
            .collect();
        Organisation::read(&sources)
    }

    fn organisation(&self) -> Organisation {
        self.read().unwrap_or_else(|findings| panic!("{findings}"))
    }
}

fn organisation() -> Json {
    json!({
        "$schema": "organisation.schema.json",
        "kind": "organisation",
        "code": "420300",
        "about": "Nobody here exists.",
        "regions": [
            { "code": "420391", "name": "示例开发区", "parent": "420300" }
        ],
        "offices": [
            { "code": "natural-resources", "place": "420300", "creditCode": "1142030000DEM00156",
              "name": "示例市自然资源和规划局", "nameEn": "City natural resources",
              "hall": "示例市民中心", "calendar": "shiyan-hall", "phones": ["0719-8000000"],
              "word": "十自规", "reviewBody": "示例市人民政府", "court": "示例区人民法院" },
            { "code": "natural-resources", "place": "420302", "creditCode": "1142030000DEM00156",
              "name": "示例区自然资源分局", "parent": "natural-resources@420300" },
            { "code": "data", "place": "420300", "creditCode": "1142030000DEM00156",
              "name": "示例市数据局" }
        ],
        "roles": [
            { "code": "natural-resources.window", "name": "窗口", "nameEn": "Window", "may": ["window"] },
            { "code": "natural-resources.approver", "name": "审批人", "may": ["approve"] },
            { "code": "natural-resources.head", "name": "负责人", "may": ["approve", "head"] },
            { "code": "data.system", "name": "系统管理员", "may": ["system_admin"] },
            { "code": "data.audit", "name": "审计管理员", "may": ["audit"] }
        ],
        "people": [
            { "subject": "one", "name": "示例甲", "office": "natural-resources@420300", "holds": [
                { "role": "natural-resources.approver", "region": "420300", "from": "2026-01-01", "until": "2026-12-31" },
                { "role": "natural-resources.window", "region": "420302", "from": "2026-01-01" } ] },
            { "subject": "two", "name": "示例乙", "office": "natural-resources@420300", "holds": [
                { "role": "natural-resources.head", "region": "420300", "from": "2026-01-01" } ] },
            { "subject": "three", "name": "示例丙", "office": "natural-resources@420302", "holds": [
                { "role": "natural-resources.head", "region": "420302", "from": "2026-06-01" },
                { "role": "natural-resources.approver", "region": "420302", "from": "2026-01-01" } ] },
            { "subject": "four", "name": "示例丁", "office": "data@420300", "holds": [
                { "role": "data.system", "region": "420300", "from": "2026-01-01" } ] },
            { "subject": "five", "name": "示例戊", "office": "data@420300", "holds": [
                { "role": "data.audit", "region": "420300", "from": "2026-01-01" } ] }
        ],
        "standIns": [
            { "for": "one", "by": "two", "from": "2026-03-02", "until": "2026-03-06", "reason": "年休假" }
        ]
    })
}

fn bindings() -> Json {
    json!({
        "$schema": "bindings.schema.json",
        "kind": "bindings",
        "code": "420300",
        "about": "Which connector carries what.",
        "bindings": [
            { "operation": "natural-resources.*", "region": "420300", "connector": "natural-resources" },
            { "operation": "natural-resources.parcel", "region": "420300", "connector": "registry",
              "replyWithin": "2 working days" }
        ]
    })
}

fn agreements() -> Json {
    let party = |region: &str, code: &str| {
        json!({ "region": region, "office": "示例政务服务局", "creditCode": code,
                "contact": { "desk": "跨省通办专窗", "phones": ["12345"] } })
    };
    let agreement = |code: &str, home: &str| {
        json!({
            "code": code, "name": "示例协议", "nameEn": "An example",
            "parties": [party("420300", "1142030000DEM00156"), party(home, "91411300MA9DEM028R")],
            "from": "2026-01-01", "until": "2028-12-31",
            "matters": [{
                "matter": "household-move", "name": "户口迁移", "mode": "remote_collection",
                "implementations": [
                    { "region": "420300", "code": "1142030000DEM001563000117002000" },
                    { "region": home, "code": "91411300MA9DEM028R3000117002000" } ],
                "accepts": [{ "code": "household-book", "name": "户口簿", "form": "original" }],
                "checks": [{ "side": "collecting", "what": "核对身份与原件" }],
                "forwardWithin": "1 working day", "replyWithin": "3 working days",
                "mailing": { "sender": "home", "payer": "home" },
                "results": ["electronic", "post"], "recognises": ["电子印章"]
            }],
            "purpose": "仅用于办理所列事项", "confidentiality": "不得另作他用,办结后按规定归档",
            "complaints": { "phones": ["12345"], "replyWithin": "5 working days", "route": "由责任地答复" },
            "exit": { "notice": "30 calendar days", "runningCases": "已收件的继续办结" }
        })
    };
    json!({
        "$schema": "agreements.schema.json",
        "kind": "agreements",
        "code": "420300",
        "about": "Synthetic.",
        "agreements": [agreement("A-1", "411300"), agreement("A-2", "411326")]
    })
}

fn calendar() -> Json {
    json!({
        "code": "shiyan-hall", "name": "示例市民中心", "regions": ["420300"], "based_on": "cn",
        "working_weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "first_year": 2026, "last_year": 2026, "source": "示例公告",
        "days": [{ "date": "2026-03-07", "kind": "workday", "name": "周六开放", "source": "示例公告" }]
    })
}

fn card_rules() -> Json {
    json!({
        "$schema": "card-rules.schema.json",
        "kind": "card-rules",
        "code": "420300",
        "about": "Other than the shipped ones.",
        "rules": [
            { "id": "one-day", "level": "reminder", "clock": "promised", "when": { "left": "1 working day" }, "to": "approver" },
            { "id": "most", "level": "reminder", "clock": "promised", "when": { "usedPercent": 80 }, "to": "approver" },
            { "id": "today", "level": "yellow", "clock": "promised", "when": { "dueDay": true }, "to": "head" },
            { "id": "late", "level": "red", "clock": "promised", "when": { "passed": true }, "to": "head",
              "replyWithin": "1 working day", "basis": "示例办法", "matters": ["household-move"], "regions": ["420300"] }
        ]
    })
}
