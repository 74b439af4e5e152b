//! The values that expressions have: known ones, and those that only a run gives.

use std::rc::Rc;

use super::super::draft::escape_template;
use super::condition::Condition;
use super::syntax::Function;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    /// One value that is known when a request is sent.
    Run(RunValue),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A list of the user, by its name in the scenario.
    RunList(String),
    /// The response to a request.
    Response(usize),
    /// The body of a response as text.
    Body(usize),
    /// A place in the JSON of a response.
    Json(JsonPlace),
    Headers(usize),
    Cookies(Option<usize>),
    Status(usize),
    Elapsed(usize),
    /// What is true under a condition.
    Test(Box<Condition>),
    /// An instance of a class.
    Object(usize),
    /// The HTTP client of a user.
    Client,
    /// The header fields that the client sends with each request.
    ClientHeaders,
    /// A name of another package, such as `random.choice`.
    External(String),
    /// A function, and the object that it is a method of.
    Function(FunctionValue),
    Class(usize),
    Module(usize),
    Range(i64, i64),
    /// `range(random.randint(a, b))`
    RandomRange(i64, i64),
    /// `random.random()`
    RandomUnit,
    /// `itertools.count(start)`
    Counter,
    Time(Moment),
    /// A length of time in seconds.
    Delta(f64),
    /// `re.search(pattern, response.text)`
    Match(usize, String),
    /// So many random lower-case letters.
    Letters(i64),
    /// `random.uniform(low, high)`
    Uniform(f64, f64),
    /// `json.dumps(value)`
    Dumped(Box<Value>),
    /// An open file.
    File(String),
    /// A table of data, by its name in the scenario.
    Rows(String),
    /// A row of it.
    Row(String),
    Unknown(Problem),
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) line: u32,
    pub(super) why: String,
}

/// A function with what it needs to be called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FunctionValue {
    pub(super) module: usize,
    /// The class that defines it.
    pub(super) class: Option<usize>,
    pub(super) object: Option<usize>,
    pub(super) function: Rc<Function>,
}

/// A time: a distance from now, in seconds, in the forms that Python has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) offset: i64,
    pub(super) form: TimeForm,
}

/// The forms of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// `time.time()`
    Seconds,
    /// `time.time() * 1000`
    Milliseconds,
    DateTime,
    Date,
}

/// A place in the JSON of a response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPlace {
    pub(super) request: usize,
    /// A JSON pointer; `*` where any item is meant.
    pub(super) pointer: String,
    pub(super) pick: PickFrom,
    pub(super) missing: Missing,
}

impl JsonPlace {
    /// The whole answer.
    pub(super) const fn root(request: usize) -> Self {
        Self { request, pointer: String::new(), pick: PickFrom::First, missing: Missing::Raises }
    }
}

/// Which of several values is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PickFrom {
    First,
    Last,
    Random,
}

/// What a place without a value means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Missing {
    /// `[...]`: an exception, which ends the task.
    Raises,
    /// `.get(...)`: this text.
    Is(String),
}

/// The kinds of values that only a run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunKind {
    Text,
    Number,
    Bool,
    /// Of JSON, whatever it is.
    Json,
}

/// A value that only a run gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunValue {
    /// What stands between `${` and `}`.
    pub(super) code: String,
    pub(super) kind: RunKind,
    /// Whether it is another one wherever it is written.
    pub(super) is_new_each_time: bool,
}

impl RunValue {
    /// The value of a variable.
    pub(super) fn variable(name: &str, kind: RunKind) -> Self {
        Self { code: name.to_owned(), kind, is_new_each_time: false }
    }

    /// The value of a function, which is another one each time.
    pub(super) fn made(code: impl Into<String>, kind: RunKind) -> Self {
        Self { code: code.into(), kind, is_new_each_time: true }
    }
}

/// A text with values that only a run gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text(pub(super) Vec<Part>);

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Run(RunValue),
}

impl Text {
    pub(super) fn literal(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(vec![Part::Literal(text.to_owned())]) }
    }

    pub(super) fn run(value: RunValue) -> Self {
        Self(vec![Part::Run(value)])
    }

    /// The text, if it is known.
    pub(super) fn known(&self) -> Option<String> {
        let literal = |part: &Part| if let Part::Literal(text) = part { Some(text.clone()) } else { None };
        self.0.iter().map(literal).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    }

    pub(super) fn push(&mut self, other: Self) {
        for part in other.0 {
            match (self.0.last_mut(), part) {
                (Some(Part::Literal(last)), Part::Literal(text)) => last.push_str(&text),
                (_, part) => self.0.push(part),
            }
        }
    }

    /// As it is written in a scenario.
    pub(super) fn template(&self) -> String {
        let mut written = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => written.push_str(&escape_template(text)),
                Part::Run(value) => {
                    // A dollar sign in front would make the braces literal.
                    if written.ends_with('$') {
                        written.pop();
                        written.push_str("${choice('$','$')}");
                    }
                    written.push_str("${");
                    written.push_str(&value.code);
                    written.push('}');
                }
            }
        }
        written
    }

    pub(super) fn is_new_each_time(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Run(value) if value.is_new_each_time))
    }

    /// Changes the literal parts.
    pub(super) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let part = |part: &Part| match part {
            Part::Literal(text) => Part::Literal(change(text)),
            run @ Part::Run(_) => run.clone(),
        };
        Self(self.0.iter().map(part).collect())
    }
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Text::literal(text))
    }

    pub(super) fn unknown(line: u32, why: impl Into<String>) -> Self {
        Self::Unknown(Problem { line, why: why.into() })
    }

    /// The text, if it is a known one.
    pub(super) fn known_text(&self) -> Option<String> {
        if let Self::Text(text) = self { text.known() } else { None }
    }

    /// The number, if it is a known one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "lengths of time and the like")]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            _ => None,
        }
    }

    /// Whether it is true, if that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        Some(match self {
            Self::None => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => match text.known() {
                Some(known) => !known.is_empty(),
                None => text.0.iter().any(|part| matches!(part, Part::Literal(_))).then_some(true)?,
            },
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Dict(members) => !members.is_empty(),
            Self::Object(_) | Self::Function(_) | Self::Class(_) | Self::External(_) | Self::Client => true,
            _ => return None,
        })
    }

    /// Returns whether it is another value wherever it is written.
    pub(super) fn is_new_each_time(&self) -> bool {
        match self {
            Self::Text(text) => text.is_new_each_time(),
            Self::Run(value) => value.is_new_each_time,
            Self::List(items) | Self::Tuple(items) => items.iter().any(Self::is_new_each_time),
            Self::Dict(members) => members.iter().any(|(_, value)| value.is_new_each_time()),
            Self::Dumped(value) => value.is_new_each_time(),
            Self::RandomUnit | Self::Uniform(..) | Self::Letters(_) | Self::Time(_) | Self::Row(_) => true,
            _ => false,
        }
    }

    /// Returns whether it has parts, or is no value of the run.
    pub(super) fn is_structure(&self) -> bool {
        !matches!(
            self,
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::Run(_) | Self::Json(_)
        )
    }
}
