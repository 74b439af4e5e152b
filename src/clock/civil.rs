//! Dates of the Gregorian calendar, which days since 1970-01-01 are converted from and to.
//!
//! The algorithms are Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms"): a year starts in March, so that
//! the day that comes and goes is its last.

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A date of the Gregorian calendar, also before it was introduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilDate {
    /// The year; 0 is the year before year 1.
    pub year: i64,
    /// The month, from 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
}

impl CivilDate {
    /// The date of a day counted from 1970-01-01, by `civil_from_days`.
    #[must_use]
    pub const fn of_day(number: i64) -> Self {
        let shifted = number.saturating_add(EPOCH);
        let era = shifted.div_euclid(DAYS_OF_ERA);
        let day_of_era = shifted.rem_euclid(DAYS_OF_ERA);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// The number of days since 1970-01-01, by `days_from_civil`. A day beyond the end of its month is one of the next.
    #[must_use]
    pub const fn day_number(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_OF_ERA + day_of_era - EPOCH
    }

    /// The day of its year, from 1.
    #[must_use]
    pub const fn day_of_year(self) -> i64 {
        self.day_number() - Self { month: 1, day: 1, ..self }.day_number() + 1
    }

    /// The day of the week of a day counted from 1970-01-01, a Thursday: 0 is Sunday.
    #[must_use]
    pub const fn weekday(number: i64) -> i64 {
        (number + 4).rem_euclid(7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_match_those_of_python() {
        // Python: date(y, m, d).toordinal() - 719163, .timetuple().tm_yday, .isoweekday() % 7.
        for (year, month, day, number, of_year, weekday) in [
            (1, 1, 1, -719_162, 1, 1),
            (1600, 2, 29, -135_081, 60, 2),
            (1899, 12, 31, -25_568, 365, 0),
            (1900, 3, 1, -25_508, 60, 4),
            (1969, 12, 31, -1, 365, 3),
            (1970, 1, 1, 0, 1, 4),
            (2000, 2, 29, 11_016, 60, 2),
            (2024, 12, 31, 20_088, 366, 2),
            (2100, 2, 28, 47_540, 59, 0),
            (9999, 12, 31, 2_932_896, 365, 5),
        ] {
            let date = CivilDate { year, month, day };
            assert_eq!((date.day_number(), CivilDate::of_day(number)), (number, date));
            assert_eq!((date.day_of_year(), CivilDate::weekday(number)), (of_year, weekday), "{date:?}");
        }
    }

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let mut before = CivilDate::of_day(-719_163);
        for number in -719_162..=2_932_896 {
            let date = CivilDate::of_day(number);
            assert_eq!(date.day_number(), number);
            let is_next_day = (date.year, date.month, date.day) == (before.year, before.month, before.day + 1);
            let begins_month = date.day == 1 && (28..=31).contains(&before.day);
            let months = (date.year * 12 + date.month) - (before.year * 12 + before.month);
            assert!(is_next_day || begins_month && months == 1, "{before:?} {date:?}");
            before = date;
        }
    }
}
