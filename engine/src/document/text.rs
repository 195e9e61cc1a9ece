//! Text for paper: cleaned, and dates and periods as Chinese notices write them.
//!
//! Whatever comes from a case goes through [`Shown`], so that a template cannot forget to clean
//! it; escaping is the template crate's own work.

use jiff::civil::Date;
use maud::{Escaper, Render};
use tongban_core::time::{Period, Unit};

/// Text of a case, as a page may show it.
///
/// Control characters and those that turn the reading direction (U+202A–U+202E, U+2066–U+2069)
/// become U+FFFD: they could make a printed sentence read otherwise than it is stored, and one
/// who sees the mark knows that something stood there. Line breaks and tabs stay.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        use std::fmt::Write as _;

        let mut escaper = Escaper::new(buffer);
        for letter in self.0.chars() {
            let shown = if misleads(letter) { char::REPLACEMENT_CHARACTER } else { letter };
            escaper.write_char(shown).expect("writing to a string cannot fail");
        }
    }
}

fn misleads(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // Line and paragraph separators break lines where nobody typed a break.
    let breaks = matches!(letter, '\u{2028}' | '\u{2029}');
    turns || breaks || (letter.is_control() && !matches!(letter, '\n' | '\t'))
}

/// Returns a date in Chinese numerals, as signed documents carry it: 二〇二六年三月二日.
pub(super) fn chinese_date(date: Date) -> String {
    let year: String =
        date.year().to_string().chars().filter_map(|digit| digit.to_digit(10)).map(digit).collect();
    format!("{year}年{}月{}日", below_hundred(date.month()), below_hundred(date.day()))
}

/// Returns a date in digits, as running text and tables carry it: 2026年3月2日.
pub(super) fn plain_date(date: Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// Returns a period in Chinese: 5个工作日, 60日, 2小时.
pub(super) fn chinese_period(period: Period) -> String {
    let unit = match period.unit {
        Unit::WorkingDays => "个工作日",
        Unit::CalendarDays => "日",
        Unit::Hours => "小时",
        Unit::Minutes => "分钟",
        Unit::Months => "个月",
    };
    format!("{}{unit}", period.amount)
}

fn digit(value: u32) -> char {
    ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'][value as usize % 10]
}

fn below_hundred(value: i8) -> String {
    let value = u32::from(value.unsigned_abs());
    let tens = match value / 10 {
        0 => String::new(),
        1 => "十".to_owned(),
        more => format!("{}十", digit(more)),
    };
    let ones = if value % 10 == 0 { String::new() } else { digit(value % 10).to_string() };
    tens + &ones
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn dates_are_written_as_notices_write_them() {
        for (day, written) in [
            (date(2026, 3, 2), "二〇二六年三月二日"),
            (date(2026, 10, 10), "二〇二六年十月十日"),
            (date(2030, 12, 31), "二〇三〇年十二月三十一日"),
            (date(2027, 11, 20), "二〇二七年十一月二十日"),
        ] {
            assert_eq!(chinese_date(day), written);
        }
        assert_eq!(plain_date(date(2026, 3, 2)), "2026年3月2日");
    }

    #[test]
    fn periods_keep_their_unit() {
        for (period, written) in [
            ("5 working days", "5个工作日"),
            ("60 calendar days", "60日"),
            ("2 hours", "2小时"),
            ("30 minutes", "30分钟"),
        ] {
            assert_eq!(chinese_period(period.parse().unwrap()), written);
        }
    }

    #[test]
    fn text_is_escaped_and_cannot_turn_its_neighbours() {
        let shown = Shown("<b>&\u{202e}\0\n\"").render().into_string();
        assert_eq!(shown, "&lt;b&gt;&amp;\u{fffd}\u{fffd}\n&quot;");
    }
}
