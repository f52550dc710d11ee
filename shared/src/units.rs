//! Durations, sizes and times as people write them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

/// Reads a duration such as `90s`, `45m`, `1h30m`, `500ms` or `2d`; `0` is none.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXAMPLES: &str = "write a duration such as 90s, 45m or 1h30m";
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    if text.trim().parse::<f64>().is_ok() {
        return Err(format!("`{text}` has no unit; {EXAMPLES}"));
    }
    // Days are 24 hours here: nobody schedules an agent by the calendar.
    let (days, rest) = match text.trim().split_once('d') {
        Some((days, rest)) if days.trim().parse::<u32>().is_ok() => {
            (days.trim().parse().unwrap_or(0), rest.trim())
        }
        _ => (0u32, text.trim()),
    };
    let days_only = days > 0 && rest.is_empty();
    let rest: SignedDuration = if days_only { Ok(SignedDuration::ZERO) } else { rest.parse() }
        .map_err(|_| format!("`{text}` is no duration; {EXAMPLES}"))?;
    let rest = Duration::try_from(rest).map_err(|_| format!("`{text}` is negative; {EXAMPLES}"))?;
    Ok(Duration::from_secs(u64::from(days) * 86_400) + rest)
}

/// Returns a duration as people read it, in at most two units: `340ms`, `12.5s`, `3m 20s`, `2h 5m`.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..60_000 => format!("{:.1}s", duration.as_secs_f64()),
        60_000..3_600_000 => format!("{}m {}s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{}h {}m", millis / 3_600_000, millis / 60_000 % 60),
    }
}

/// Reads a size such as `64MiB`, `10k`, `512` or `1.5GB`. Units are powers of 1024 with or without the `i`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let problem = || format!("`{text}` is no size; write one such as 512k, 64MiB or 1GiB");
    let number: f64 = number.parse().map_err(|_| problem())?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1u64,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(problem()),
    };
    Ok((number * factor as f64) as u64)
}

/// Reads a share such as `20%` or `0.2`. Of a bare `1` nobody can tell whether it is one percent or all.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let trimmed = text.trim();
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match trimmed.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(trimmed).filter(|share| *share == 0.0 || trimmed.contains('.')),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share; write one such as 20% or 0.2"))
}

/// Returns the time now, RFC 3339 in UTC with milliseconds.
pub fn now() -> String {
    let now = Timestamp::now();
    let millis = now.round(Unit::Millisecond).unwrap_or(now);
    format!("{millis:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percents_or_decimals() {
        for (text, expected) in
            [("20%", 0.2), ("0.2", 0.2), (" 2.5 % ", 0.025), ("0", 0.0), ("100%", 1.0), ("1.0", 1.0)]
        {
            assert_eq!(parse_share(text), Ok(expected), "{text}");
        }
        for text in ["1", "20", "120%", "-1%", "0.2.1", "", "%", "NaN%", "many"] {
            assert!(parse_share(text).unwrap_err().contains("20% or 0.2"), "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90.0), ("45m", 2700.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5)]
        {
            assert_eq!(parse_duration(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        assert_eq!(parse_duration("2d").unwrap().as_secs(), 172_800);
        assert_eq!(parse_duration("1d12h").unwrap().as_secs(), 129_600);
        assert_eq!(parse_duration("0").unwrap(), Duration::ZERO);
        for text in ["", "5", "1.5", "fast", "-3s", "3 parsecs"] {
            let message = parse_duration(text).unwrap_err();
            assert!(message.contains("1h30m"), "{text}: {message}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in
            [("512", 512), ("10k", 10_240), ("64MiB", 64 << 20), ("1.5GB", 3 << 29), ("2 mb", 2 << 20)]
        {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "k", "-1", "1x"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_in_at_most_two_units() {
        let shown = |millis| format_duration(Duration::from_millis(millis));
        assert_eq!(
            [shown(340), shown(12_500), shown(200_000), shown(7_500_000)],
            ["340ms", "12.5s", "3m 20s", "2h 5m"]
        );
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        let now = now();
        assert!(now.ends_with('Z') && now.len() == "2026-11-20T12:00:00.000Z".len(), "{now}");
    }
}
