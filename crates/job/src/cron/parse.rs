//! From the text of a cron expression to `Fields`, with the position and the remedy of each error.
//! The grammar is croner's (five fields, or six with seconds), stricter where that guesses, and
//! with `H`.

use super::Fields;
use super::hashed::spread;
use super::syntax::{CronError, Slot};

/// The longest expression, in bytes.
const LONGEST: usize = 512;

/// Reads an expression. `job_id` decides what `H` stands for.
///
/// # Errors
/// All fields are looked at; each contributes its first error. An expression that can never
/// match is an error too (`never_fires`).
pub(crate) fn parse(text: &str, job_id: &str) -> Result<Fields, Vec<CronError>> {
    if text.len() > LONGEST {
        let message = format!(
            "the expression must be at most {LONGEST} bytes; it has {}",
            text.len()
        );
        return Err(vec![CronError::new("too_long", LONGEST, message)]);
    }
    let plain = nickname(text)?;
    let words = words(plain.unwrap_or(text));
    let skip = match words.len() {
        5 => 1,
        6 => 0,
        _ => return Err(vec![wrong_count(text, words.len())]),
    };
    let mut reader = Reader {
        fields: Fields::default(),
        job_id,
    };
    if skip == 1 {
        reader.fields.seconds = 1;
    }
    reader.fields.with_seconds = skip == 0;
    let errors: Vec<_> = Slot::ALL[skip..]
        .iter()
        .zip(words)
        .filter_map(|(slot, (at, word))| reader.field(*slot, word, at).err())
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    if reader.fields.never_matches() {
        return Err(vec![never(text)]);
    }
    Ok(reader.fields)
}

fn never(text: &str) -> CronError {
    let at = text.len() - text.trim_start().len();
    CronError::new(
        "never_fires",
        at,
        "the expression never fires: none of its months has such a day; choose a day that exists",
    )
}

fn wrong_count(text: &str, count: usize) -> CronError {
    if count == 0 {
        return CronError::new(
            "empty",
            0,
            "the expression must have five fields (minute hour day month weekday), or six with seconds in front",
        );
    }
    CronError::new(
        "field_count",
        text.len() - text.trim_start().len(),
        format!(
            "the expression must have five fields (minute hour day month weekday), or six with seconds in front; it has {count}"
        ),
    )
}

/// The words of a text with their byte offsets.
fn words(text: &str) -> Vec<(usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split_ascii_whitespace()
        .map(|word| (word.as_ptr() as usize - start, word))
        .collect()
}

/// What `@daily` and such stand for.
fn nickname(text: &str) -> Result<Option<&'static str>, Vec<CronError>> {
    let trimmed = text.trim_ascii();
    let Some(name) = trimmed.strip_prefix('@') else {
        return Ok(None);
    };
    let plain = match name.to_ascii_lowercase().as_str() {
        "hourly" => "0 * * * *",
        "daily" | "midnight" => "0 0 * * *",
        "weekly" => "0 0 * * 0",
        "monthly" => "0 0 1 * *",
        "yearly" | "annually" => "0 0 1 1 *",
        _ => {
            let at = text.len() - text.trim_ascii_start().len();
            let message = "must be @hourly, @daily, @weekly, @monthly or @yearly";
            return Err(vec![CronError::new("unknown_nickname", at, message)]);
        }
    };
    Ok(Some(plain))
}

struct Reader<'a> {
    fields: Fields,
    job_id: &'a str,
}

/// A value, a range, or `*`, with its step.
struct Span {
    low: u32,
    high: u32,
    step: u32,
}

impl Reader<'_> {
    fn field(&mut self, slot: Slot, text: &str, at: usize) -> Result<(), CronError> {
        if text == "*" || (text == "?" && matches!(slot, Slot::Day | Slot::Weekday)) {
            match slot {
                Slot::Day => self.fields.any_day = true,
                Slot::Weekday => self.fields.any_weekday = true,
                _ => {}
            }
        }
        if matches!(slot, Slot::Second | Slot::Minute | Slot::Hour) && text.contains(['*', '/']) {
            self.fields.floating = true;
        }
        let mut item_at = at;
        for item in text.split(',') {
            self.item(slot, item, item_at)?;
            item_at += item.len() + 1;
        }
        Ok(())
    }

    fn item(&mut self, slot: Slot, item: &str, at: usize) -> Result<(), CronError> {
        if item.is_empty() {
            return Err(CronError::new(
                "bad_list",
                at,
                format!("a {} is missing beside the comma", slot.name()),
            ));
        }
        let special = match slot {
            Slot::Day => self.special_day(item, at)?,
            Slot::Weekday => self.special_weekday(item, at)?,
            _ => false,
        };
        if !special {
            let span = self.span(slot, item, at)?;
            self.add(slot, &span);
        }
        Ok(())
    }

    /// `L`, `LW` and `15W`.
    fn special_day(&mut self, item: &str, at: usize) -> Result<bool, CronError> {
        if item.eq_ignore_ascii_case("L") {
            self.fields.last_day = true;
        } else if item.eq_ignore_ascii_case("LW") {
            self.fields.last_weekday = true;
        } else if let Some(day) = item.strip_suffix(['W', 'w']) {
            self.fields.nearest |= 1 << value(Slot::Day, day, at)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `5L`, `5#2`, `FRI#L`.
    fn special_weekday(&mut self, item: &str, at: usize) -> Result<bool, CronError> {
        if item.eq_ignore_ascii_case("L") {
            return Err(CronError::new(
                "bad_value",
                at,
                "L needs a weekday in front, such as 5L for the last Friday of the month",
            ));
        }
        let (day, nth, nth_at) = match item.split_once('#') {
            Some((day, nth)) => (day, nth, at + day.len() + 1),
            None => match item.strip_suffix(['L', 'l']) {
                Some(day) => (day, "L", at),
                None => return Ok(false),
            },
        };
        let bit = 1_u8 << (value(Slot::Weekday, day, at)? % 7);
        match nth {
            "L" | "l" => self.fields.last_of |= bit,
            "1" | "2" | "3" | "4" | "5" => {
                let index = usize::from(nth.as_bytes()[0] - b'1');
                self.fields.nth[index] |= bit;
            }
            _ => {
                return Err(CronError::new(
                    "out_of_range",
                    nth_at,
                    "after # must stand 1 to 5, or L for the last",
                ));
            }
        }
        Ok(true)
    }

    fn span(&self, slot: Slot, item: &str, at: usize) -> Result<Span, CronError> {
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(step_of(slot, step, at + base.len() + 1)?)),
            None => (item, None),
        };
        if base == "*"
            || (base == "?" && step.is_none() && matches!(slot, Slot::Day | Slot::Weekday))
        {
            return Ok(Span {
                low: slot.min(),
                high: slot.max(),
                step: step.unwrap_or(1),
            });
        }
        if slot.named(base).is_none() && base.starts_with(['H', 'h']) {
            return self.hashed(slot, base, step, at);
        }
        if let Some((low, high)) = base.split_once('-') {
            let (low, high) = range(slot, low, high, at)?;
            return Ok(Span {
                low,
                high,
                step: step.unwrap_or(1),
            });
        }
        let low = value(slot, base, at)?;
        if step.is_some() {
            return Err(CronError::new(
                "bad_step",
                at + base.len(),
                "a step needs * or a range in front, such as */5 or 10-59/5",
            ));
        }
        Ok(Span {
            low,
            high: low,
            step: 1,
        })
    }

    /// `H`, `H(a-b)`, with or without a step.
    fn hashed(
        &self,
        slot: Slot,
        base: &str,
        step: Option<u32>,
        at: usize,
    ) -> Result<Span, CronError> {
        let bad = || CronError::new("bad_hash", at, "H must be H, H(a-b), H/n or H(a-b)/n");
        let (low, high) = match &base[1..] {
            "" => (slot.min(), slot.hashed_max()),
            inner => {
                let inner = inner
                    .strip_prefix('(')
                    .and_then(|rest| rest.strip_suffix(')'))
                    .ok_or_else(bad)?;
                let (low, high) = inner.split_once('-').ok_or_else(bad)?;
                range(slot, low, high, at + 2)?
            }
        };
        let room = high - low + 1;
        let place = slot as u8;
        Ok(match step {
            None => {
                let value = low + spread(self.job_id, place, room);
                Span {
                    low: value,
                    high: value,
                    step: 1,
                }
            }
            Some(step) => Span {
                low: low + spread(self.job_id, place, step.min(room)),
                high,
                step,
            },
        })
    }

    fn add(&mut self, slot: Slot, span: &Span) {
        let mut bits = 0_u64;
        let mut value = span.low;
        while value <= span.high {
            bits |= 1 << value;
            value += span.step;
        }
        let fields = &mut self.fields;
        match slot {
            Slot::Second => fields.seconds |= bits,
            Slot::Minute => fields.minutes |= bits,
            Slot::Hour => fields.hours |= bits as u32,
            Slot::Day => fields.days |= bits as u32,
            Slot::Month => fields.months |= bits as u16,
            Slot::Weekday => fields.weekdays |= (bits | bits >> 7) as u8 & 0x7f,
        }
    }
}

fn value(slot: Slot, text: &str, at: usize) -> Result<u32, CronError> {
    if let Some(value) = slot.named(text) {
        return Ok(value);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CronError::new(
            "bad_value",
            at,
            format!("the {} must be {}", slot.name(), slot.allowed()),
        ));
    }
    match text.parse() {
        Ok(value) if (slot.min()..=slot.max()).contains(&value) => Ok(value),
        _ => Err(CronError::new(
            "out_of_range",
            at,
            format!("the {} must be {}", slot.name(), slot.allowed()),
        )),
    }
}

fn range(slot: Slot, low: &str, high: &str, at: usize) -> Result<(u32, u32), CronError> {
    let high_at = at + low.len() + 1;
    let low = value(slot, low, at)?;
    let mut high_value = value(slot, high, high_at)?;
    if slot == Slot::Weekday && high_value == 0 && low > 0 {
        high_value = 7;
    }
    if low > high_value {
        let message = "a range must go from the lower to the higher value; write two ranges, such as 22-23,0-5";
        return Err(CronError::new("bad_range", at, message));
    }
    Ok((low, high_value))
}

fn step_of(slot: Slot, text: &str, at: usize) -> Result<u32, CronError> {
    match text.parse() {
        Ok(step)
            if (1..=slot.max()).contains(&step) && text.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Ok(step)
        }
        _ => Err(CronError::new(
            "bad_step",
            at,
            format!(
                "the step of the {} must be 1 to {}",
                slot.name(),
                slot.max()
            ),
        )),
    }
}
