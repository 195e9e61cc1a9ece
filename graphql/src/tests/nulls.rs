//! What an error does at every nullability: the specification's answer, on this version of
//! async-graphql. A newer version has to pass this before it is taken.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use serde_json::{Value as Json, json};

use crate::error::Fault;

type Failing<T> = Result<T, Fault>;

fn fails<T>() -> Failing<T> {
    Err(Fault::new("BAD_REQUEST", "no"))
}

struct Root;

#[Object]
impl Root {
    async fn sound(&self) -> i32 {
        1
    }
    async fn nullable(&self) -> Option<Failing<i32>> {
        Some(fails())
    }
    async fn strict(&self) -> Failing<i32> {
        fails()
    }
    async fn child(&self) -> Option<Root> {
        Some(Root)
    }
    async fn strict_child(&self) -> Root {
        Root
    }
    async fn list(&self) -> Option<Vec<Option<Failing<i32>>>> {
        Some(vec![Some(Ok(1)), Some(fails()), None])
    }
    async fn strict_items(&self) -> Option<Vec<Failing<i32>>> {
        Some(vec![Ok(1), fails()])
    }
    async fn strict_list(&self) -> Vec<Failing<i32>> {
        vec![Ok(1), fails()]
    }
    async fn children(&self) -> Option<Vec<Root>> {
        Some(vec![Root, Root])
    }
    async fn loose_children(&self) -> Vec<Option<Root>> {
        vec![Some(Root)]
    }
}

async fn run(query: &str) -> (Json, Vec<Json>) {
    let schema = Schema::new(Root, EmptyMutation, EmptySubscription);
    let answer = serde_json::to_value(schema.execute(query).await).unwrap();
    let paths = answer["errors"].as_array().unwrap().iter().map(|error| error["path"].clone());
    (answer["data"].clone(), paths.collect())
}

#[tokio::test]
async fn an_error_nulls_the_nearest_nullable_field_and_nothing_else() {
    for (query, data, path) in [
        ("{ sound nullable }", json!({ "sound": 1, "nullable": null }), json!(["nullable"])),
        ("{ sound strict }", json!(null), json!(["strict"])),
        (
            "{ sound child { strict } }",
            json!({ "sound": 1, "child": null }),
            json!(["child", "strict"]),
        ),
        ("{ sound strictChild { strict } }", json!(null), json!(["strictChild", "strict"])),
        (
            "{ child { strictChild { strict } } }",
            json!({ "child": null }),
            json!(["child", "strictChild", "strict"]),
        ),
        ("{ list }", json!({ "list": [1, null, null] }), json!(["list", 1])),
        (
            "{ sound strictItems }",
            json!({ "sound": 1, "strictItems": null }),
            json!(["strictItems", 1]),
        ),
        ("{ child { strictList } }", json!({ "child": null }), json!(["child", "strictList", 1])),
        ("{ children { strict } }", json!({ "children": null }), json!(["children", 0, "strict"])),
        (
            "{ looseChildren { strict } }",
            json!({ "looseChildren": [null] }),
            json!(["looseChildren", 0, "strict"]),
        ),
        (
            "{ children { nullable } }",
            json!({ "children": [{ "nullable": null }, { "nullable": null }] }),
            json!(["children", 0, "nullable"]),
        ),
    ] {
        let (got, paths) = run(query).await;
        assert_eq!(got, data, "{query}");
        // Inside a list of objects this version names the item, not the field in it.
        let leads = |got: &Json| path.as_array().unwrap().starts_with(got.as_array().unwrap());
        assert!(paths.iter().any(leads), "{query}: {paths:?}");
    }
}
