//! Ways out in words, Chinese and English: what the resident reads beside the numbers.

use rules::{Clearing, Offset, Text};

/// The conditions of a way out in both languages.
pub(crate) fn way_out(clearing: &Clearing) -> Text {
    Text {
        zh: way_out_zh(clearing),
        en: way_out_en(clearing),
    }
}

/// The conditions of a way out, in Chinese.
fn way_out_zh(clearing: &Clearing) -> String {
    let mut parts = Vec::new();
    match clearing.after {
        Offset::Hours(0) | Offset::Days(0) => {}
        Offset::Hours(hours) => parts.push(format!("满{hours}小时")),
        Offset::Days(days) => parts.push(format!("自第{days}天零时起（起始日为第0天）")),
    }
    match clearing.negatives {
        0 => {}
        1 => parts.push(format!("1次核酸检测阴性{}", since_zh(clearing))),
        n => parts.push(format!(
            "{}小时内{n}次核酸检测阴性，每次间隔不少于{}小时{}",
            clearing.span_hours,
            clearing.gap_hours,
            since_zh(clearing)
        )),
    }
    if clearing.check_in_days > 0 {
        parts.push(format!("连续{}天正常健康打卡", clearing.check_in_days));
    }
    if parts.is_empty() {
        "无其他条件".to_owned()
    } else {
        parts.join("，且")
    }
}

fn since_zh(clearing: &Clearing) -> String {
    match clearing.neg_from_hours {
        0 => "（起始时刻之后采样）".to_owned(),
        hours if hours > 0 => format!("（起始时刻{hours}小时之后采样）"),
        hours => format!("（起始时刻前{}小时之内的采样亦有效）", hours.unsigned_abs()),
    }
}

/// The conditions of a way out, in English.
fn way_out_en(clearing: &Clearing) -> String {
    let mut parts = Vec::new();
    match clearing.after {
        Offset::Hours(0) | Offset::Days(0) => {}
        Offset::Hours(hours) => parts.push(format!("{hours} full hours have passed")),
        Offset::Days(days) => parts.push(format!(
            "day {days} has begun (the day of the anchor is day 0)"
        )),
    }
    match clearing.negatives {
        0 => {}
        1 => parts.push(format!("one negative test{}", since_en(clearing))),
        n => parts.push(format!(
            "{n} negative tests within {} hours, each at least {} hours after the one before{}",
            clearing.span_hours,
            clearing.gap_hours,
            since_en(clearing)
        )),
    }
    if clearing.check_in_days > 0 {
        parts.push(format!(
            "{} consecutive days of normal check-in",
            clearing.check_in_days
        ));
    }
    if parts.is_empty() {
        "nothing further".to_owned()
    } else {
        parts.join(", and ")
    }
}

fn since_en(clearing: &Clearing) -> String {
    match clearing.neg_from_hours {
        0 => ", sampled at or after the anchor".to_owned(),
        hours if hours > 0 => format!(", sampled {hours} hours after the anchor or later"),
        hours => format!(
            ", sampled at most {} hours before the anchor",
            hours.unsigned_abs()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_names_each_of_its_conditions() {
        let clearing = Clearing {
            after: Offset::Days(8),
            negatives: 2,
            gap_hours: 24,
            span_hours: 72,
            neg_from_hours: 0,
            check_in_days: 7,
        };
        let en = way_out_en(&clearing);
        for part in [
            "day 8",
            "2 negative",
            "72 hours",
            "24 hours",
            "7 consecutive",
        ] {
            assert!(en.contains(part), "{en}");
        }
        let zh = way_out_zh(&clearing);
        for part in ["第8天", "2次", "72小时", "24小时", "7天"] {
            assert!(zh.contains(part), "{zh}");
        }
    }
}
