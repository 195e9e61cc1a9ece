//! What an applicant is told before he files.

use async_graphql::{Context, Object};
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::value::Value;

use crate::error::Fault;
use crate::schema::asking;
use crate::view::{Guide, Json};

/// The field that guides.
#[derive(Default)]
pub(crate) struct GuideQueries;

#[Object]
impl GuideQueries {
    /// 一次告知:按情形列出事项、材料、收费、表单和时限 / The guide: matters, materials, fees, one form and time for a situation
    async fn guide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "服务代码,如 construction-start / Code, such as construction-start")]
        service_code: String,
        #[graphql(desc = "办理地行政区划代码 / Region code of the place")] region: String,
        #[graphql(
            desc = "情形引导问题的答案;未答的按“否”处理并列在 situation 中 / Answers to the questions; open ones count as no and are listed"
        )]
        situation: Option<Json>,
    ) -> Option<Result<Guide, Fault>> {
        let asking = asking(ctx);
        let answers = match read(situation) {
            Ok(answers) => answers,
            Err(fault) => return Some(Err(fault)),
        };
        let place = (ServiceCode::new(service_code), RegionCode::new(region));
        let guide = asking.engine.guide(asking.viewer, place, answers).await;
        Some(guide.map(Guide::from).map_err(Fault::from))
    }
}

fn read(situation: Option<Json>) -> Result<Value, Fault> {
    let Some(Json(json)) = situation else { return Ok(Value::map()) };
    let value = Value::from_json(&json).and_then(Value::check);
    value.map_err(|error| Fault::new("BAD_REQUEST", error.to_string()))
}
