//! Every kill point, times everything that the server may do with a create.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use crate::case::{
    APPLY, Verdict, by_key, ensure, is_converged, is_full, judge_all, run, tell, until_well, way_for_one,
};
use crate::environment::Environment;
use crate::server::Server;

const KEYS: &[&str] = &["ana", "bruno"];

/// What the server does with creates during the first run. One of the two faces meets it, the other nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Weather {
    pub(crate) why: &'static str,
    pub(crate) faults: &'static [&'static str],
    /// The steps that only this weather leads to, besides those of every create.
    pub(crate) steps: &'static [&'static str],
}

const fn weather(why: &'static str, faults: &'static [&'static str], steps: &'static [&'static str]) -> Weather {
    Weather { why, faults, steps }
}

/// Reached by way of a door that is shut once the listing was seen.
const NO_WAY: &str = "never reached: the port is closed";

pub(crate) const WEATHERS: &[Weather] = &[
    weather("accepts and answers", &[], &["settled"]),
    weather("accepts and drops", &["create@1:drop-after-effect"], &["in-doubt", "settled"]),
    weather("accepts and answers 502", &["create@1:502;after-effect"], &["in-doubt"]),
    weather("accepts and answers HTML", &["create@1:html200"], &["in-doubt"]),
    weather("accepts and truncates", &["create@1:truncate"], &["in-doubt"]),
    weather("accepts and hangs", &["create@1:hang"], &["in-doubt"]),
    weather("accepts later, the connection drops now", &["create@1:late-effect=300ms"], &["in-doubt"]),
    weather("drops before it accepts", &["create@1:drop-before-effect"], &["in-doubt", "absent"]),
    weather("answers 502 and has done nothing", &["create@1:502"], &["in-doubt", "absent"]),
    weather("redirects", &["create@1:redirect"], &["in-doubt", "absent"]),
    weather("refuses with 400", &["create@1:400"], &["refused"]),
    weather("wants money (402)", &["create@1:402"], &["refused"]),
    weather(NO_WAY, &[], &["refused"]),
    weather("asks for patience, then accepts", &["create@1:429;retry-after=0"], &["refused"]),
];

const MOMENTS: &[&str] = &["before-write", "unflushed", "between", "written"];

/// The points on the way of each create.
const ON_THE_WAY: &[&str] = &[
    "begun.before-write",
    "begun.unflushed",
    "begun.between",
    "begun.written",
    "create.before-send",
    "create.mid-body",
    "create.sent",
    "create.answered",
];

fn points_of(step: &str) -> Vec<String> {
    MOMENTS.iter().map(|moment| format!("{step}.{moment}")).collect()
}

/// Deaths in a row, one a run, in one weather.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) weather: &'static Weather,
    pub(crate) deaths: Vec<String>,
}

impl Case {
    fn new(weather: &'static Weather, deaths: &[&str]) -> Self {
        Self { weather, deaths: deaths.iter().map(|&point| point.to_owned()).collect() }
    }
}

/// Every point that a weather leads to, once; all points in all weathers if all was asked for.
fn single_deaths() -> Vec<Case> {
    let steps: &[&str] = &["settled", "refused", "in-doubt", "absent", "noted"];
    let mut cases = Vec::new();
    for weather in WEATHERS {
        let mut points: Vec<String> = ON_THE_WAY.iter().map(ToString::to_string).collect();
        points.push("create.answered@2".to_owned());
        let steps = if is_full() { steps } else { weather.steps };
        points.extend(steps.iter().flat_map(|step| points_of(step)));
        if is_full() || weather.faults.iter().any(|fault| fault.contains("429")) {
            points.push("create.postponed".to_owned());
        }
        if is_full() {
            points.extend(ON_THE_WAY.iter().map(|point| format!("{point}@2")));
        } else if weather.steps != ["settled"] {
            // The weather makes no difference before the send, and is not met by who dies in it.
            points.retain(|point| {
                !point.starts_with("begun.") && !point.ends_with("-send") && !point.ends_with(".unflushed")
            });
            points.retain(|point| point != "create.mid-body" && point != "create.sent");
        }
        cases.extend(points.into_iter().map(|point| Case { weather, deaths: vec![point] }));
    }
    cases
}

/// A death on the way, and another one while the next run finds out.
fn double_deaths() -> Vec<Case> {
    let firsts: &[&str] = match is_full() {
        true => ON_THE_WAY,
        false => &["create.sent", "create.mid-body"],
    };
    let mut seconds: Vec<String> = ["settled", "absent"].into_iter().flat_map(points_of).collect();
    if is_full() {
        seconds.extend(ON_THE_WAY.iter().map(ToString::to_string));
    }
    let mut cases = Vec::new();
    for first in firsts {
        let fits = |second: &&String| is_full() || second.starts_with("settled") == (*first == "create.sent");
        cases.extend(seconds.iter().filter(fits).map(|second| Case::new(&WEATHERS[0], &[first, second])));
    }
    cases
}

/// Plays one case to its end. New faces are always listed a while after they were made.
pub(crate) fn play(case: &Case, broken: Option<&str>, died: &Mutex<BTreeMap<String, usize>>) -> Verdict {
    let Case { weather, deaths } = case;
    // Where a guard is off, the next run has to look before the first create shows, also on a busy machine.
    let mut rules = vec![if broken.is_some() { "list:lag=900ms" } else { "list:lag=300ms" }];
    rules.extend(weather.faults);
    let server = Server::slow(&rules);
    let mut environment = Environment::against(&server, KEYS);
    if let Some(guard) = broken {
        environment = environment.with("FACECTL_BREAK", guard);
    }
    for (number, point) in deaths.iter().enumerate() {
        if weather.why == NO_WAY && number == 0 {
            environment = environment.with("TAVUS_PUBLIC_API_BASE_URL", &way_for_one(&server));
        }
        environment = environment.with("FACECTL_KILL_AT", point);
        let run = run(&environment, &server, APPLY)?;
        environment = environment.with("TAVUS_PUBLIC_API_BASE_URL", &server.url());
        if run.code.is_none() {
            *died.lock().unwrap().entry(point.clone()).or_default() += 1;
        }
    }
    environment = environment.without("FACECTL_KILL_AT");
    until_well(&environment, &server, 3)?;
    is_converged(&environment, &server, KEYS)?;
    // What is refused for good, and what is done, stays so.
    run(&environment, &server, APPLY)?;
    is_converged(&environment, &server, KEYS)
}

/// Plays all cases and returns what was found wrong.
pub(crate) fn play_all(cases: &[Case], broken: Option<&str>) -> (Vec<String>, BTreeMap<String, usize>) {
    let died = Mutex::default();
    let wrong = judge_all(cases, |case| {
        play(case, broken, &died).map_err(|why| format!("{}, death at {:?}: {why}", case.weather.why, case.deaths))
    });
    (wrong, died.into_inner().unwrap())
}

#[test]
fn a_death_at_any_point_in_any_weather_is_paid_for_once_and_the_next_runs_finish_the_job() {
    let cases: Vec<Case> = single_deaths().into_iter().chain(double_deaths()).collect();
    let (wrong, died) = play_all(&cases, None);
    tell(&format!("matrix: {} cases, {} deaths, {} wrong", cases.len(), died.values().sum::<usize>(), wrong.len()));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n---\n"));
    // A point that nobody dies at proves nothing.
    let meant: BTreeSet<&String> = cases.iter().flat_map(|case| &case.deaths).collect();
    let never: Vec<_> = meant.into_iter().filter(|point| !died.contains_key(*point)).collect();
    let is_known = |point: &&&String| point.starts_with("noted.");
    assert!(never.iter().all(|point| is_known(&point)), "nobody died at {never:?}");
}

#[test]
fn what_is_refused_for_good_is_never_paid_for_whatever_point_a_run_dies_at() {
    let points = ON_THE_WAY.iter().map(ToString::to_string).chain(points_of("refused"));
    let points: Vec<String> = points.filter(|point| point != "begun.unflushed").collect();
    let wrong = judge_all(&points, |point| {
        let server = Server::slow(&["create:400"]);
        let environment = Environment::against(&server, KEYS).with("FACECTL_KILL_AT", point);
        run(&environment, &server, APPLY)?;
        let environment = environment.without("FACECTL_KILL_AT");
        for _ in 0..2 {
            let run = run(&environment, &server, APPLY)?;
            ensure(run.code == Some(4), || format!("death at {point}: a refusal is 4: {run}"))?;
        }
        let plan = environment.run("plan");
        ensure(plan.stdout.contains("2 to create"), || format!("death at {point}: {plan}"))?;
        ensure(by_key(&server).is_empty(), || format!("death at {point}: {:?}", by_key(&server)))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn a_machine_with_an_empty_disk_that_dies_while_it_takes_up_running_trainings_pays_nothing() {
    let points: Vec<String> = points_of("adopted").into_iter().chain(points_of("noted")).collect();
    let wrong = judge_all(&points, |point| {
        let server = Server::slow(&[]);
        let environment = Environment::against(&server, KEYS);
        until_well(&environment, &server, 1)?;
        fs::remove_dir_all(environment.path(".facectl")).unwrap();
        fs::remove_file(environment.path("facectl.lock.yaml")).unwrap();
        let environment = environment.with("FACECTL_KILL_AT", point);
        run(&environment, &server, APPLY)?;
        let environment = environment.without("FACECTL_KILL_AT");
        until_well(&environment, &server, 2)?;
        is_converged(&environment, &server, KEYS).map_err(|why| format!("death at {point}: {why}"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn a_death_while_the_token_leaves_the_name_loses_nothing() {
    let points = points_of("updated").into_iter().chain(["update.before-send", "update.answered"].map(str::to_owned));
    let faults: &[&[&str]] = &[&[], &["update@1:502"], &["update@1:drop-after-effect"], &["update@1:html200"]];
    let cases: Vec<(String, &&[&str])> =
        points.flat_map(|point| faults.iter().map(move |faults| (point.clone(), faults))).collect();
    let wrong = judge_all(&cases, |(point, faults)| {
        let server = Server::fast(faults);
        let environment = Environment::against(&server, KEYS).with("FACECTL_KILL_AT", point);
        let before = run(&environment, &server, "apply -y")?;
        ensure(before.code.is_none(), || format!("nobody died at {point}, {faults:?}: {before}"))?;
        let environment = environment.without("FACECTL_KILL_AT");
        let run = run(&environment, &server, "apply -y")?;
        ensure(run.code == Some(0), || format!("death at {point}, {faults:?}: {run}"))?;
        is_converged(&environment, &server, KEYS).map_err(|why| format!("death at {point}, {faults:?}: {why}"))?;
        for id in server.ids() {
            let name = server.face(&id)["face_name"].to_string();
            ensure(!name.contains("fc-"), || format!("death at {point}, {faults:?}: {name} keeps its token"))?;
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn a_key_that_is_a_part_of_a_token_does_not_hide_the_face_that_was_paid_for() {
    // Each stands in a token or in an answer, so stars in its place would break it.
    for key in ["a", "c", "fc", "1", "-", "face", "started"] {
        let server = Server::slow(&[]);
        let environment = Environment::against(&server, KEYS).with("TAVUS_API_KEY", key);
        until_well(&environment, &server, 2).unwrap();
        is_converged(&environment, &server, KEYS).unwrap_or_else(|why| panic!("with key {key:?}: {why}"));
    }
}
