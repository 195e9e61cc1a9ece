//! Fills the marks of the operations catalogue in what an agency says.

use tongban_core::time::Moment;
use tongban_core::value::Value;

/// What the marks of one message stand for.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    /// The call's input.
    pub(super) input: Value,
    /// When the message is made.
    pub(super) at: Moment,
    /// Serial number of the document.
    pub(super) serial: u32,
    /// Number of the first document, once it is known.
    pub(super) number: String,
}

impl Filling {
    /// Returns `text` with every mark filled; an unknown mark stays as it is.
    pub(super) fn text(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((mark, behind)) = after.split_once('}') else {
                return filled + "{" + after;
            };
            match self.mark(mark) {
                Some(value) => filled.push_str(&value),
                None => filled.extend(["{", mark, "}"]),
            }
            rest = behind;
        }
        filled + rest
    }

    /// Returns `value` with the marks in its texts filled. A text that is one mark of the input
    /// becomes that input, whatever its kind.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => match whole(text).and_then(|name| self.input.get(name)) {
                Some(input) => input.clone(),
                None => Value::Text(self.text(text)),
            },
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(members) => Value::Map(
                members.iter().map(|(name, item)| (name.clone(), self.value(item))).collect(),
            ),
            plain @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_)) => {
                plain.clone()
            }
        }
    }

    fn mark(&self, mark: &str) -> Option<String> {
        let date = self.at.date();
        Some(match mark {
            "number" => self.number.clone(),
            "serial" => format!("{:06}", self.serial),
            "year" => format!("{:04}", date.year()),
            "yymm" => format!("{:02}{:02}", date.year() % 100, date.month()),
            "yyyymmdd" => format!("{:04}{:02}{:02}", date.year(), date.month(), date.day()),
            _ => {
                let input = self.input.get(mark.strip_prefix("input.")?)?;
                input.as_text().map_or_else(|| input.to_string(), str::to_owned)
            }
        })
    }
}

fn whole(text: &str) -> Option<&str> {
    text.strip_prefix("{input.")?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_filled_and_unknown_ones_stay() {
        let filling = Filling {
            input: Value::of([("no", Value::Int(7)), ("name", Value::from("甲"))]),
            at: Moment::parse("2026-03-02T09:00:00+08:00").unwrap(),
            serial: 12,
            number: "字1号".to_owned(),
        };
        let text = "{year}/{yymm}/{yyyymmdd}/{serial} {number} {input.name}{input.no} {x} {";
        assert_eq!(filling.text(text), "2026/2603/20260302/000012 字1号 甲7 {x} {");
        let value = Value::List(vec!["{input.no}".into(), "{input.none}".into()]);
        let filled = Value::List(vec![Value::Int(7), "{input.none}".into()]);
        assert_eq!(filling.value(&value), filled);
    }
}
