//! The value of `--stages`: a load that changes over time, as k6 writes it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::duration;

/// One stage: the load goes straight from where it is to `target`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long it takes; with zero the load jumps.
    pub duration: Duration,
    /// Where it ends: users, or arrivals a second; from 0 to [`HIGHEST`].
    pub target: f64,
}

/// Stages one after another: at least one, together longer than no time and no longer than [`LONGEST`].
#[derive(Clone, Debug, PartialEq)]
pub struct Stages(Vec<Stage>);

/// The highest target, an arrival a nanosecond: the schedule counts in whole nanoseconds.
pub const HIGHEST: f64 = 1e9;

/// The longest that all stages take together, a year as for any time of a flag: keeps the schedule's sums in 128 bits.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);

impl Stages {
    /// These stages.
    ///
    /// # Errors
    /// Together they take no time, or more than [`LONGEST`].
    pub fn new(stages: Vec<Stage>) -> Result<Self, String> {
        let total = stages.iter().try_fold(Duration::ZERO, |sum, stage| sum.checked_add(stage.duration));
        match total {
            Some(Duration::ZERO) => Err("takes no time; at least one stage must be longer than 0".to_owned()),
            Some(total) if total <= LONGEST => Ok(Self(stages)),
            _ => Err("takes longer than a year".to_owned()),
        }
    }

    /// The stages in order, never none.
    #[must_use]
    pub fn as_slice(&self) -> &[Stage] {
        &self.0
    }

    /// How long they take together.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0.iter().map(|stage| stage.duration).sum()
    }
}

impl FromStr for Stages {
    type Err = String;

    /// `30s:100,2m:100,30s:0`: each a time and a target.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text.split(',').map(|piece| stage(piece.trim())).collect::<Result<Vec<_>, _>>()?)
            .map_err(|why| format!("{text:?} {why}"))
    }
}

impl fmt::Display for Stages {
    /// As the flag is written, in seconds: the same stages give the same text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Stage { duration, target }) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{}s:{target}", duration.as_secs_f64())?;
        }
        Ok(())
    }
}

fn stage(text: &str) -> Result<Stage, String> {
    let (time, target) =
        text.split_once(':').ok_or_else(|| format!("{text:?} is not a stage; expected TIME:TARGET such as 30s:100"))?;
    let duration = duration(time.trim())
        .map_err(|_| format!("{time:?} of stage {text:?} is not a time; expected 30s, 2m, 1h30m or 0 for a jump"))?;
    let target = target.trim().parse().ok().filter(|target| (0.0..=HIGHEST).contains(target));
    let target = target.ok_or_else(|| format!("the target of stage {text:?} must be a number from 0 to {HIGHEST}"))?;
    // -0 is 0, and is written so.
    Ok(Stage { duration, target: f64::abs(target) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(f64, f64)>, String> {
        let stages = text.parse::<Stages>()?;
        Ok(stages.as_slice().iter().map(|s| (s.duration.as_secs_f64(), s.target)).collect())
    }

    #[test]
    fn stages_are_read_as_k6_writes_them() {
        for (text, expected) in [
            ("30s:100,2m:100,30s:0", vec![(30.0, 100.0), (120.0, 100.0), (30.0, 0.0)]),
            ("10:5", vec![(10.0, 5.0)]),
            ("500ms:0.5, 0s:7 ,1h30m:1e3", vec![(0.5, 0.5), (0.0, 7.0), (5400.0, 1000.0)]),
            ("0:1,1s:-0", vec![(0.0, 1.0), (1.0, 0.0)]),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn stages_are_written_so_that_they_can_be_read() {
        for (text, canonical) in [
            ("30s:100,2m:100,30s:0", "30s:100,120s:100,30s:0"),
            ("500ms:0.25, 0s:7", "0.5s:0.25,0s:7"),
            ("1h1m1s:-0", "3661s:0"),
        ] {
            let stages: Stages = text.parse().unwrap();
            assert_eq!(stages.to_string(), canonical);
            assert_eq!(canonical.parse(), Ok(stages));
        }
    }

    #[test]
    fn a_bad_stage_is_named_in_one_sentence() {
        for (text, named) in [
            ("", "\"\""),
            ("30s", "\"30s\""),
            ("30s:1,", "\"\""),
            ("30s:1,often:3", "\"often\""),
            ("-1s:3", "\"-1s\""),
            (":3", "\":3\""),
            ("30s:", "\"30s:\""),
            ("30s:1:2", "\"30s:1:2\""),
            ("30s:-1", "\"30s:-1\""),
            ("30s:many", "\"30s:many\""),
            ("30s:inf", "\"30s:inf\""),
            ("30s:NaN", "\"30s:NaN\""),
            ("30s:1e10", "\"30s:1e10\""),
            ("0s:5,0s:0", "no time"),
            ("8784h:5,1s:0", "longer than a year"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
