//! Pictures of a run: a line for each process, a band for each fault.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::host::Place;
use crate::sample::Sample;
use crate::stage::Act;

const WIDTH: f64 = 1060.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 116.0;
/// Faults in a line of the legend.
const LEGEND_COLUMNS: u16 = 4;
const LEGEND_LINE: f64 = 17.0;
/// Least distance of two names at the lines' ends.
const NAME_LINE: f64 = 15.0;
/// Colours that people who see no red or no green tell apart (Okabe and Ito 2008), dark enough on white.
const COLOURS: [&str; 7] = [
    "#0072b2", "#b34a00", "#007a5a", "#9c4f86", "#4b4f58", "#8a6d00", "#3aa0d8",
];
const STYLE: &str = "<style>text { fill: #1d2330; font-size: 13px } .small { font-size: 12px; fill: #4a5265 } \
                     .head { font-weight: 600; font-size: 16px } .band { fill: #e3e7f0 } .whole { fill: #f1f3f8 } \
                     .grid { stroke: #d6dae4; stroke-width: 1 } .line { fill: none; stroke-width: 1.6 }</style>";

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Resident memory.
    Memory,
    /// The store on disk.
    Disk,
    /// Share of a core.
    Cpu,
}

impl Measure {
    const fn title(self) -> &'static str {
        match self {
            Self::Memory => "Resident memory of each process, MB",
            Self::Disk => "The store of each process on its disk, MB",
            Self::Cpu => "Processor time of each process, percent of a core, over ten seconds",
        }
    }

    /// Points of each place: seconds, and what is drawn.
    #[expect(clippy::cast_precision_loss, reason = "a picture is no finer")]
    fn lines(self, samples: &[Sample]) -> BTreeMap<Place, Vec<(f64, f64)>> {
        let mut by_place: BTreeMap<Place, Vec<&Sample>> = BTreeMap::new();
        for sample in samples {
            by_place.entry(sample.place).or_default().push(sample);
        }
        let point = |all: &[&Sample], index: usize| {
            let sample = all[index];
            let value = match self {
                Self::Memory => sample.memory_bytes as f64 / 1e6,
                Self::Disk => sample.disk_bytes as f64 / 1e6,
                Self::Cpu => {
                    let before = all[index.saturating_sub(5)];
                    let passed_s = (sample.at_s - before.at_s).max(1.0);
                    100.0 * (sample.cpu_s - before.cpu_s) / passed_s
                }
            };
            (sample.at_s, value)
        };
        let line = |all: Vec<&Sample>| (0..all.len()).map(|index| point(&all, index)).collect();
        by_place
            .into_iter()
            .map(|(place, all)| (place, line(all)))
            .collect()
    }
}

/// A step of an axis: 1, 2 or 5 times a power of ten, so that there are at most eight.
fn step_of(most: f64) -> f64 {
    let rough = (most / 8.0).max(1e-3);
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power)
}

/// Where values lie in the picture.
struct Frame {
    most_s: f64,
    most: f64,
}

impl Frame {
    fn x(&self, at_s: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * at_s / self.most_s
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self.most
    }
}

/// A picture of a run as SVG.
pub fn picture(measure: Measure, samples: &[Sample], acts: &[Act]) -> String {
    let lines = measure.lines(samples);
    let points = || lines.values().flatten();
    let largest = |pick: fn(&(f64, f64)) -> f64| points().map(pick).fold(1e-3, f64::max);
    let most = largest(|point| point.1);
    let step = step_of(most);
    let frame = Frame {
        most_s: largest(|point| point.0),
        most: (most / step).ceil() * step,
    };
    let title = measure.title();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"'Noto Sans', 'Helvetica Neue', Arial, sans-serif\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{title}</title>\n\
         <desc id=\"desc\">Over the minutes of a run, a line for each of five nodes and two gates. Numbered bands are faults; \
         behind each, paler, the time until all was whole again.</desc>\n{STYLE}\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text class=\"head\" x=\"{LEFT}\" y=\"26\">{title}</text>\n"
    );
    draw_bands(&mut svg, &frame, acts);
    draw_axes(&mut svg, &frame, step);
    draw_lines(&mut svg, &frame, &lines);
    svg.push_str("</svg>\n");
    svg
}

// Writing to a string does not fail.

fn draw_bands(svg: &mut String, frame: &Frame, acts: &[Act]) {
    let (top, height) = (TOP, HEIGHT - BOTTOM - TOP);
    for (number, act) in (1_u16..).zip(acts) {
        let (from, until) = (frame.x(act.from_s), frame.x(act.until_s));
        let whole = frame.x(act.until_s + act.whole_after_s);
        let _ = writeln!(
            svg,
            "<rect class=\"band\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\"/>\
             <rect class=\"whole\" x=\"{until:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\"/>\
             <text class=\"small\" x=\"{from:.1}\" y=\"{:.1}\">{number}</text>",
            (until - from).max(1.0),
            whole - until,
            top - 6.0
        );
        let (column, line) = ((number - 1) % LEGEND_COLUMNS, (number - 1) / LEGEND_COLUMNS);
        let width = (WIDTH - LEFT - 20.0) / f64::from(LEGEND_COLUMNS);
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{:.0}\" y=\"{:.0}\">{number} {} ({})</text>",
            LEFT + width * f64::from(column),
            HEIGHT - BOTTOM + 46.0 + LEGEND_LINE * f64::from(line),
            act.fault.words(),
            act.province
        );
    }
}

fn draw_axes(svg: &mut String, frame: &Frame, step: f64) {
    let (left, right, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut value = 0.0;
    while value <= frame.most + step / 2.0 {
        let y = frame.y(value);
        let digits = usize::from(step < 1.0);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
             <text class=\"small\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{value:.digits$}</text>",
            left - 8.0,
            y + 4.0
        );
        value += step;
    }
    let minutes = frame.most_s / 60.0;
    let every = step_of(minutes).max(0.5);
    let mut minute = 0.0;
    while minute <= minutes {
        let x = frame.x(minute * 60.0);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{bottom}\" x2=\"{x:.1}\" y2=\"{:.0}\"/>\
             <text class=\"small\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{minute}</text>",
            bottom + 5.0,
            bottom + 19.0
        );
        minute += every;
    }
    let _ = writeln!(
        svg,
        "<text class=\"small\" x=\"{:.0}\" y=\"{:.0}\">minutes</text>",
        right + 8.0,
        bottom + 19.0
    );
}

fn draw_lines(svg: &mut String, frame: &Frame, lines: &BTreeMap<Place, Vec<(f64, f64)>>) {
    let mut names: Vec<(f64, Place, &str)> = Vec::new();
    for ((place, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path = points
            .iter()
            .fold(String::new(), |mut path, (at_s, value)| {
                let _ = write!(path, "{:.1},{:.1} ", frame.x(*at_s), frame.y(*value));
                path
            });
        let _ = writeln!(
            svg,
            "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>",
            path.trim_end()
        );
        let end = points.last().map_or(0.0, |point| frame.y(point.1));
        names.push((end, *place, colour));
    }
    // Names stand at the ends of their lines, below each other where those are close.
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut lowest = HEIGHT - BOTTOM + NAME_LINE;
    for (end, place, colour) in names {
        let y = end.min(lowest - NAME_LINE);
        lowest = y;
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.1}\" style=\"fill: {colour}\">{place}</text>",
            WIDTH - RIGHT + 6.0,
            y + 4.0
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Fault;

    #[test]
    fn a_picture_is_well_formed_and_has_a_line_for_each_process_within_its_frame() {
        let sample = |at: u32, place, memory_bytes| Sample {
            at_s: f64::from(at),
            place,
            memory_bytes,
            cpu_s: f64::from(at) / 10.0,
            disk_bytes: 3_000_000,
        };
        let mut samples = Vec::new();
        for at in 0..60 {
            samples.push(sample(at * 2, Place::Node(33), 40_000_000));
            samples.push(sample(at * 2, Place::Gate(1), 123_000_000));
        }
        let act = Act {
            fault: Fault::Killed,
            province: 33,
            from_s: 30.0,
            until_s: 40.0,
            whole_after_s: 9.0,
            gates_after_s: Some(12.0),
            figures: BTreeMap::new(),
        };
        for measure in [Measure::Memory, Measure::Disk, Measure::Cpu] {
            let svg = picture(measure, &samples, std::slice::from_ref(&act));
            let document = roxmltree::Document::parse(&svg).unwrap();
            let of = |tag: &str| {
                let all = document.descendants();
                all.filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", tag)))
                    .collect::<Vec<_>>()
            };
            assert_eq!(of("polyline").len(), 2);
            for line in of("polyline") {
                let points = line.attribute("points").unwrap().split(' ');
                for point in points {
                    let (x, y) = point.split_once(',').unwrap();
                    let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                    assert!((LEFT..=WIDTH - RIGHT).contains(&x), "{point}");
                    assert!((TOP - 0.1..=HEIGHT - BOTTOM + 0.1).contains(&y), "{point}");
                }
            }
            assert!(svg.contains("1 a node killed (33)"));
        }
    }

    #[test]
    fn an_axis_has_a_few_round_steps() {
        for (most, step) in [(7.0, 1.0), (123.0, 20.0), (0.5, 0.1), (800.0, 100.0)] {
            assert!(
                (step_of(most) - step).abs() < 1e-9,
                "{most}: {}",
                step_of(most)
            );
        }
    }
}
