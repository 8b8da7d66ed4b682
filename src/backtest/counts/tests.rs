use super::*;

const HEAD: &str = "time,department,messages,negative,frustrated\n";

/// All rows of a file, and its step; or why it cannot be used, with FILE for its name.
fn read_as(name: &str, bytes: &[u8], step: Option<Step>) -> Result<(Step, Vec<Row>, Names), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let shown = path.display().to_string();
    let mut names = Names::default();
    let read = || {
        let mut file = CountsFile::open(&path, step, &names.clone(), &ProgressBar::hidden())?;
        let mut rows = Vec::new();
        while let Some(row) = file.next_row(&mut names)? {
            rows.push(row);
        }
        Ok((file.step(), rows))
    };
    let read: Result<_, HistoryError> = { read }();
    let (step, rows) = read.map_err(|error| error.to_string().replace(&shown, "FILE"))?;
    Ok((step, rows, names))
}

fn read(rows: &str) -> Result<(Step, Vec<Row>, Names), String> {
    read_as("counts.csv", format!("{HEAD}{rows}").as_bytes(), None)
}

fn refused(rows: &str) -> String {
    read(rows).map(|_| ()).unwrap_err()
}

#[test]
fn times_may_be_written_in_any_way_that_is_clear() {
    let (step, rows, names) = read(
        "2026-01-31T09:00:00Z,care,10,2,1\n2026-01-31T10:05:00+01:00,care,8,0,0\n2026-01-31 09:10:00Z,billing,1,1,1\n\
         1769850900,care,3,1,0\n",
    )
    .unwrap();
    assert_eq!(step, Step::of_millis(300_000).unwrap());
    let starts: Vec<i64> = rows.iter().map(|row| row.start.as_millis() / 1_000 - 1_769_850_000).collect();
    assert_eq!(starts, [0, 300, 600, 900]);
    assert_eq!(names.all(), ["care", "billing"]);
    assert_eq!(rows[0].tally, Tally { messages: 10, negative: 2, frustrated: 1, positive: 0 });
}

#[test]
fn a_file_from_a_spreadsheet_is_read() {
    let text = format!("\u{feff}{}0,\"care\", 3 ,1,0\r\n300,care,2,0,0\r\n\r\n", HEAD.replace('\n', "\r\n"));
    assert_eq!(read_as("counts.csv", text.as_bytes(), None).unwrap().1.len(), 2);
}

#[test]
fn a_packed_file_is_read_by_its_ending() {
    let text = format!("{HEAD}0,care,3,1,0\n60,care,2,0,0\n");
    let zst = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, text.as_bytes()).unwrap();
    for (name, bytes) in [("counts.csv.zst", zst), ("counts.csv.gz", gz.finish().unwrap())] {
        let (step, rows, _) = read_as(name, &bytes, None).unwrap();
        assert_eq!((step, rows.len()), (Step::MINUTE, 2), "{name}");
    }
}

#[test]
fn the_end_is_known_from_the_last_line() {
    let directory = tempfile::tempdir().unwrap();
    for (name, packed) in [("counts.csv", false), ("counts.csv.zst", true)] {
        let rows: String = (1..=20_000).map(|minute| format!("{},care,1,0,0\n", minute * 60)).collect();
        let text = format!("{HEAD}0,care,3,1,0\n{rows}1260000,care,2,0,0\n\n");
        let bytes = if packed { zstd::encode_all(text.as_bytes(), 1).unwrap() } else { text.into_bytes() };
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let file = CountsFile::open(&path, Some(Step::MINUTE), &Names::default(), &ProgressBar::hidden()).unwrap();
        assert_eq!(file.last_start(), Some(EventTime::from_millis(1_260_000_000)), "{name}");
    }
}

#[test]
fn a_clock_change_is_no_trouble_where_times_have_offsets() {
    // Madrid, 25 October 2026: 02:30 comes twice.
    let (step, rows, _) = read(
        "2026-10-25T02:00:00+02:00,care,1,0,0\n2026-10-25T02:30:00+02:00,care,1,0,0\n\
         2026-10-25T02:00:00+01:00,care,1,0,0\n2026-10-25T02:30:00+01:00,care,1,0,0\n",
    )
    .unwrap();
    assert_eq!((step, rows.len()), (Step::of_millis(1_800_000).unwrap(), 4));
}

#[test]
fn local_times_are_refused_since_they_are_ambiguous() {
    let told = refused("2026-10-25T02:30:00,care,1,0,0\n");
    assert!(
        told.starts_with("FILE:2: the time \"2026-10-25T02:30:00\" has no offset; local times are ambiguous"),
        "{told}"
    );
}

#[test]
fn the_step_is_the_largest_on_which_the_first_times_lie() {
    let (step, ..) = read("0,a,1,0,0\n900,a,1,0,0\n1500,b,1,0,0\n").unwrap();
    assert_eq!(step, Step::of_millis(300_000).unwrap());
}

#[test]
fn a_department_of_one_message_a_week_does_not_tell_the_step() {
    let weekly = "0,a,1,0,0\n604800,a,1,0,0\n1209600,a,1,1,0\n";
    let told = refused(weekly);
    assert!(told.contains("a step of 168h cannot be used") && told.ends_with("such as --step 5m"), "{told}");
    let file = format!("{HEAD}{weekly}");
    let (step, rows, _) = read_as("counts.csv", file.as_bytes(), Some(Step::MINUTE)).unwrap();
    assert_eq!((step, rows.len()), (Step::MINUTE, 3));
}

#[test]
fn one_time_alone_does_not_tell_the_step() {
    let told = refused("0,a,1,0,0\n0,b,1,0,0\n");
    assert!(told.contains("does not tell how long their step is; say so: --step 5m"), "{told}");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
    let many = "9".repeat(80);
    for (rows, expected) in [
        (
            "0,a,1,0,0\n60,a,1,0,0\n60,a,2,0,0\n",
            "FILE:4: a second row of \"a\" at 1970-01-01T00:01:00Z; give one row for each department and step, and local times of a clock change in UTC",
        ),
        (
            "60,a,1,0,0\n0,b,1,0,0\n",
            "FILE:3: the time 1970-01-01T00:00:00Z is before 1970-01-01T00:01:00Z, the time of a row above; sort the rows by time, or, if these are local times with a fixed offset over a clock change, give them in UTC",
        ),
        ("0,a,-1,0,0\n", "FILE:2: `messages` is \"-1\"; write a whole number from 0 to 4294967295"),
        ("0,a,1.5,0,0\n", "FILE:2: `messages` is \"1.5\"; write a whole number from 0 to 4294967295"),
        ("0,a,4294967296,0,0\n", "FILE:2: `messages` is \"4294967296\"; write a whole number from 0 to 4294967295"),
        ("0,a,,0,0\n", "FILE:2: `messages` is \"\"; write a whole number from 0 to 4294967295"),
        ("0,a,1,2,0\n", "FILE:2: 2 negative of 1 messages; `messages` counts all of them, whatever they are"),
        ("0,a,1,0,2\n", "FILE:2: 2 frustrated of 1 messages; `messages` counts all of them, whatever they are"),
        ("0,a,1,0\n", "FILE:2: 4 columns in place of 5; write time,department,messages,negative,frustrated"),
        ("0,a,1,0,0,0\n", "FILE:2: 6 columns in place of 5; write time,department,messages,negative,frustrated"),
        (
            "0,Customer Care,1,0,0\n",
            "FILE:2: the department \"Customer Care\" is no id; use 1 to 64 of a-z, 0-9, `_` and `-`, as in the config",
        ),
        ("0,,1,0,0\n", "FILE:2: the department \"\" is no id; use 1 to 64 of a-z, 0-9, `_` and `-`, as in the config"),
        (
            "0,a,1,0,0\n\n7,a,1,0,0\n",
            "FILE:4: the time 1970-01-01T00:00:07Z is on no grid of 10s with the rows before; round times down to their step, such as full minutes or 5 minutes",
        ),
        ("", "FILE: it holds no row; give it the header time,department,messages,negative,frustrated and rows"),
    ] {
        assert_eq!(refused(rows), expected);
    }
    assert!(refused(&format!("{many},a,1,0,0\n")).contains("lies beyond the year 9999"));
    assert!(refused("yesterday,a,1,0,0\n").starts_with("FILE:2: the time \"yesterday\" is neither an RFC 3339 time"));
}

#[test]
fn a_time_beside_the_step_is_refused_wherever_it_stands() {
    let text = format!("{HEAD}0,a,1,0,0\n300,a,1,0,0\n360,a,1,0,0\n");
    let told = read_as("counts.csv", text.as_bytes(), Step::of_millis(300_000).ok()).map(|_| ()).unwrap_err();
    assert!(told.starts_with("FILE:4: the time 1970-01-01T00:06:00Z is no multiple of the step of 5m"), "{told}");
}

#[test]
fn a_step_that_is_shorter_than_that_of_the_rows_is_refused_where_they_plainly_have_one() {
    let named = |hours: &[i64]| {
        let rows: String = hours.iter().map(|hour| format!("{},a,1,0,0\n", hour * 3_600)).collect();
        read_as("counts.csv", format!("{HEAD}{rows}").as_bytes(), Step::of_millis(300_000).ok()).map(|_| ())
    };
    let hourly: Vec<i64> = (0..30).collect();
    let told = named(&hourly).unwrap_err();
    let what = "FILE: its rows are of 1h: in steps of 5m all messages of a row would lie in its first 5m; say --step 1h, or leave it out";
    assert!(told.starts_with(what), "{told}");
    let few_and_far: Vec<i64> = (0..30).map(|number| number * number * 7).collect();
    assert_eq!(named(&few_and_far), Ok(()), "of a department that hardly writes");
    assert_eq!(named(&hourly[..5]), Ok(()), "too few to tell");
}

#[test]
fn another_header_or_none_is_refused() {
    for (text, expected) in [
        ("", "FILE: it holds no row; give it the header time,department,messages,negative,frustrated and rows"),
        (
            "department,time,messages,negative,frustrated\n",
            "FILE:1: the header is \"department\",\"time\",\"messages\",\"negative\",\"frustrated\"; \
             the first line must be time,department,messages,negative,frustrated, in this order, without other columns",
        ),
        (
            "0,a,1,0,0\n",
            "FILE:1: the header is \"0\",\"a\",\"1\",\"0\",\"0\"; the first line must be time,department,messages,negative,frustrated",
        ),
    ] {
        assert_eq!(read_as("counts.csv", text.as_bytes(), None).map(|_| ()).unwrap_err(), expected);
    }
}

#[test]
fn a_file_that_is_not_there_or_no_archive_is_unreadable() {
    let told = read_as("counts.csv.gz", b"no archive", None).map(|_| ()).unwrap_err();
    assert!(told.starts_with("cannot read FILE: "), "{told}");
    let nowhere = CountsFile::open(Path::new("/nowhere/counts.csv"), None, &Names::default(), &ProgressBar::hidden());
    assert!(nowhere.err().unwrap().to_string().starts_with("cannot read /nowhere/counts.csv: "));
}
