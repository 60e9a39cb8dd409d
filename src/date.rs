//! Dates on the wire: one form out, three forms in (RFC 9110 §5.6.7). And RFC 3339, for what is written in
//! pages.

use std::io::Write;

/// Length of an IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub const HTTP_DATE_LEN: usize = 29;
/// Length of an RFC 3339 date in UTC, to the second, such as `1994-11-06T08:49:37Z`.
pub const RFC3339_LEN: usize = 20;

/// Sat, 01 Jan 0000 00:00:00 GMT, the first moment a year of four digits can tell ...
const FIRST_UNIX_SECS: i64 = -62_167_219_200;
/// ... and Fri, 31 Dec 9999 23:59:59 GMT, the last.
const LAST_UNIX_SECS: i64 = 253_402_300_799;

const DAY_SECS: i64 = 24 * 60 * 60;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Formats seconds since 1970 as an IMF-fixdate; what four digits cannot tell the year of becomes the nearest
/// that they can.
pub fn format(unix_secs: i64) -> [u8; HTTP_DATE_LEN] {
    let (days, secs) = days_and_secs(unix_secs);
    let (year, month, day) = civil(days);
    // 1 January 1970 was a Thursday.
    let weekday = &WEEKDAYS[(days + 4).rem_euclid(7) as usize][..3];
    let month = MONTHS[month as usize - 1];
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    let mut date = [b' '; HTTP_DATE_LEN];
    // Cannot fail: the form has a fixed length.
    let _ =
        write!(&mut date[..], "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT");
    date
}

/// Formats seconds since 1970 by RFC 3339, in the same bounds.
pub fn format_rfc3339(unix_secs: i64) -> [u8; RFC3339_LEN] {
    let (days, secs) = days_and_secs(unix_secs);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
    let mut date = [b' '; RFC3339_LEN];
    // Cannot fail: the form has a fixed length.
    let _ = write!(&mut date[..], "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    date
}

/// Whole days since 1970 and the seconds of the day, within the years of four digits.
fn days_and_secs(unix_secs: i64) -> (i64, i64) {
    let unix_secs = unix_secs.clamp(FIRST_UNIX_SECS, LAST_UNIX_SECS);
    (unix_secs.div_euclid(DAY_SECS), unix_secs.rem_euclid(DAY_SECS))
}

/// Parses any of the three forms into seconds since 1970, before it negative. The year of two digits that one
/// of them has makes it a date that is no more than 50 years ahead of now.
pub fn parse(value: &[u8], now_unix_secs: u64) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let Some((weekday, rest)) = text.split_once(", ") else { return parse_asctime(text) };
    let (date, time) = rest.strip_suffix(" GMT")?.rsplit_once(' ')?;
    let is_long = WEEKDAYS.contains(&weekday);
    let mut parts = date.split(if is_long { '-' } else { ' ' });
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let day = digits(day, 2)?;
    match is_long {
        true => unix_secs_of_century(digits(year, 2)?, month, day, time, now_unix_secs),
        false if is_short_weekday(weekday) => unix_secs(digits(year, 4)?, month, day, time),
        false => None,
    }
}

/// `Sun Nov  6 08:49:37 1994`
fn parse_asctime(text: &str) -> Option<i64> {
    let (weekday, rest) = text.split_at_checked(4)?;
    let (month, rest) = rest.split_at_checked(4)?;
    let (day, rest) = rest.split_at_checked(3)?;
    let (time, year) = rest.split_once(' ')?;
    let day = day.strip_suffix(' ')?;
    let day = day.strip_prefix(' ').map_or_else(|| digits(day, 2), |day| digits(day, 1))?;
    if !is_short_weekday(weekday.strip_suffix(' ')?) {
        return None;
    }
    unix_secs(digits(year, 4)?, month.strip_suffix(' ')?, day, time)
}

fn is_short_weekday(text: &str) -> bool {
    WEEKDAYS.iter().any(|weekday| &weekday[..3] == text)
}

/// A number of just `count` digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The last date that has these two digits of its year and is not more than 50 years ahead, to the second:
/// what is more has been a century ago (RFC 9110 §5.6.7).
fn unix_secs_of_century(
    two_digits: i64,
    month: &str,
    day: i64,
    time: &str,
    now_unix_secs: u64,
) -> Option<i64> {
    let (days_now, secs_now) = days_and_secs(i64::try_from(now_unix_secs).unwrap_or(i64::MAX));
    let (this_year, this_month, today) = civil(days_now);
    let last_year = this_year + 50;
    let last_unix_secs = days(last_year, this_month, today) * DAY_SECS + secs_now;
    let year = last_year - (last_year - two_digits).rem_euclid(100);
    let is_ahead = days(year, month_number(month)?, day) * DAY_SECS + secs_of_day(time)? > last_unix_secs;
    unix_secs(if is_ahead { year - 100 } else { year }, month, day, time)
}

fn unix_secs(year: i64, month: &str, day: i64, time: &str) -> Option<i64> {
    let days = days(year, month_number(month)?, day);
    // A month does not have it, if it would lie in another.
    let has_day = civil(days).2 == day;
    has_day.then(|| Some(days * DAY_SECS + secs_of_day(time)?)).flatten()
}

/// From 1 on.
fn month_number(month: &str) -> Option<i64> {
    MONTHS.iter().position(|name| *name == month).map(|index| index as i64 + 1)
}

/// `08:49:37`
fn secs_of_day(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let mut part = |last| parts.next().and_then(|text| digits(text, 2)).filter(|number| *number <= last);
    // A minute may have 61 seconds: then the last two are one.
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?.min(59));
    parts.next().is_none().then_some(hour * 3600 + minute * 60 + second)
}

/// Days from 1 January 1970 to a date. Years are counted from March, so that the leap day ends them.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
    365 * year + leap_days + day_of_year - 719_468
}

/// The other way round: year, month and day of the month.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    // 400 years are 146,097 days, always.
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = 400 * era + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn formats() {
        assert_eq!(&format(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(&format(0), b"Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&format(951_782_400), b"Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(&format(-1), b"Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(&format(i64::MAX), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(&format(i64::MIN), b"Sat, 01 Jan 0000 00:00:00 GMT");
    }

    #[test]
    fn formats_by_rfc_3339() {
        for (unix_secs, expected) in [
            (784_111_777, "1994-11-06T08:49:37Z"),
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(String::from_utf8_lossy(&format_rfc3339(unix_secs)), expected);
        }
    }

    #[test]
    fn every_day_comes_back() {
        for day in (FIRST_UNIX_SECS / DAY_SECS..LAST_UNIX_SECS / DAY_SECS).step_by(13) {
            let unix_secs = day * DAY_SECS + day.rem_euclid(DAY_SECS);
            assert_eq!(parse(&format(unix_secs), NOW), Some(unix_secs));
        }
    }

    #[test]
    fn parses_three_forms() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Wed Nov 16 08:49:37 1994", Some(784_975_777)),
            ("Thu, 30 Jun 1994 23:59:60 GMT", Some(773_020_799)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1)),
            // Now is Fri, 15 Jan 2027 08:00:00 GMT.
            ("Monday, 01-Jan-77 00:00:00 GMT", Some(3_376_684_800)),
            ("Friday, 15-Jan-77 08:00:00 GMT", Some(3_377_923_200)),
            ("Saturday, 15-Jan-77 08:00:01 GMT", Some(222_163_201)),
            ("Monday, 01-Jan-78 00:00:00 GMT", Some(252_460_800)),
            ("Thursday, 29-Feb-96 00:00:00 GMT", Some(825_552_000)),
            ("Thursday, 29-Feb-95 00:00:00 GMT", None),
            ("Thu, 29 Feb 2024 00:00:00 GMT", Some(1_709_164_800)),
            ("Thu, 29 Feb 2023 00:00:00 GMT", None),
            ("Thu, 29 Feb 2100 00:00:00 GMT", None),
            ("Thu, 30 Feb 2024 00:00:00 GMT", None),
            ("Thu, 31 Apr 2024 00:00:00 GMT", None),
            ("Sun Jun 31 08:49:37 1994", None),
            ("Sun, 31 Dec 1994 08:49:37 GMT", Some(788_863_777)),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Nov 1994 08:49:37 UTC", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 nov 1994 08:49:37 GMT", None),
            ("Son, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06-Nov-94 08:49:37 GMT", None),
            ("Sunday, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:61 GMT", None),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov +994 08:49:37 GMT", None),
            ("784111777", None),
            ("", None),
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), expected, "{text}");
        }
    }
}
