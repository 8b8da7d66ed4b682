//! `latido dead-letters show`: one letter.

use std::io::{self, Write as _};

use clap::Args;

use super::{ConfigArgs, count, open, printable};
use crate::letters::{Cut, Header, Kind, Letter, LettersError, Place, Shape, shape};

/// Bytes in a line of a hex dump.
const DUMP_WIDTH: usize = 16;

const EXAMPLES: &str = "\
Examples:
  latido dead-letters show 0:1284 --config latido.toml
  latido dead-letters show 0:1284 --raw            everything, as it is
  latido dead-letters show 0:1284 --raw | jq .     the value alone

Without --raw nothing is shown that a customer may have written: of key, own
headers and value only what they are and how long, of JSON its structure. With
--raw the value goes to standard output byte for byte, or as a hex dump where it
is not UTF-8, and all else to standard error.

Exit codes: 0 fine, 1 failed or no such letter, 78 wrong config.";

/// Show one letter, without its text unless asked
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ShowArgs {
    /// Which letter, as `list` shows it: 0:1284.
    #[arg(value_name = "PARTITION:OFFSET")]
    place: Place,
    #[command(flatten)]
    config: ConfigArgs,
    /// Show key, headers and value as they are, customers' words included.
    #[arg(long)]
    raw: bool,
}

/// Runs the command.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let (_, reader) = open(&args.config)?;
    let nothing = |why: &str| {
        let (place, topic) = (args.place, reader.topic().to_owned());
        Err(LettersError::Nothing { place, topic, why: why.to_owned() }.into())
    };
    let letter = match reader.one(args.place)? {
        Kind::Letter(letter) => letter,
        Kind::Receipt(_) => return nothing("it is the receipt of a replay"),
        Kind::Foreign => return nothing("the record there lacks the headers of a dead letter"),
    };
    let mut out = io::stdout().lock();
    if !args.raw {
        out.write_all(described(&letter, redacted).as_bytes())?;
        out.write_all(shape_of(&letter).as_bytes())?;
        return Ok(());
    }
    // The value alone goes where it can be piped on.
    io::stderr().lock().write_all(described(&letter, plain).as_bytes())?;
    out.write_all(&raw(letter.value.as_deref().unwrap_or_default()))?;
    out.flush()?;
    Ok(())
}

/// A letter's headers and key, its own as `show` has them.
fn described(letter: &Letter, show: fn(Option<&[u8]>) -> String) -> String {
    let source = &letter.source;
    let mut lines: Vec<(String, String)> = [
        ("letter", letter.place.to_string()),
        ("source_topic", printable(&source.topic)),
        ("source_partition", source.partition.to_string()),
        ("source_offset", source.offset.to_string()),
        ("reason", printable(&letter.reason)),
        ("error", printable(&letter.error)),
        ("received_at", printable(&letter.received_at)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    lines.extend(letter.cut.map(|cut| match cut {
        Cut::Truncated(bytes) => ("truncated_from_bytes".to_owned(), bytes.to_string()),
        Cut::Stub(bytes) => ("stub_of_bytes".to_owned(), bytes.to_string()),
    }));
    lines.push(("key".to_owned(), show(letter.key.as_deref())));
    let own = letter.headers.iter().map(|(name, value): &Header| (printable(name), show(value.as_deref())));
    lines.extend(own.map(|(name, value)| (format!("header {name}"), value)));
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}

/// What bytes are, without what they say.
fn redacted(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    let kind = if std::str::from_utf8(bytes).is_ok() { "UTF-8" } else { "not UTF-8" };
    format!("<{}, {kind}>", count(bytes.len() as u64, "byte"))
}

/// Bytes as text; in hex where they are none.
fn plain(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    std::str::from_utf8(bytes).map_or_else(|_| format!("hex {}", hex(bytes)), printable)
}

fn shape_of(letter: &Letter) -> String {
    let bytes = count(letter.value.as_ref().map_or(0, Vec::len) as u64, "byte");
    match shape(letter.value.as_deref()) {
        Shape::Absent => "value: none\n".to_owned(),
        Shape::Bytes(valid) => format!("value: {bytes}, not UTF-8 from byte {valid} on\n"),
        Shape::Text(why) => format!("value: {bytes}, UTF-8, not JSON ({why})\n"),
        Shape::Json(structure) => format!("value: {bytes}, UTF-8, JSON\n\n{}\n", structure),
    }
}

/// UTF-8 as it is, other bytes as a hex dump.
fn raw(value: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(value).is_ok() {
        return value.to_vec();
    }
    let mut dump = String::new();
    for (row, bytes) in value.chunks(DUMP_WIDTH).enumerate() {
        let seen: String = bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte as char } else { '.' }).collect();
        let width = 3 * DUMP_WIDTH - 1;
        dump.push_str(&format!("{:08x}  {:<width$}  {seen}\n", row * DUMP_WIDTH, hex(bytes)));
    }
    dump.into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_given_byte_for_byte_and_all_else_in_hex() {
        let text = "{\"text\":\"ñ\u{0}\n\"}".as_bytes();
        assert_eq!(raw(text), text);
        assert_eq!(
            String::from_utf8(raw(b"caf\xe9 con leche, si")).unwrap(),
            "00000000  63 61 66 e9 20 63 6f 6e 20 6c 65 63 68 65 2c 20  caf..con.leche,.\n\
             00000010  73 69                                            si\n"
        );
    }

    #[test]
    fn a_key_is_redacted_to_what_it_is() {
        assert_eq!(redacted(Some(b"customer-7")), "<10 bytes, UTF-8>");
        assert_eq!(redacted(Some(b"\xff")), "<1 byte, not UTF-8>");
        assert_eq!((redacted(None), plain(None)), ("none".to_owned(), "none".to_owned()));
        assert_eq!((plain(Some(b"a\n")), plain(Some(b"\xff\x01"))), ("a\\n".to_owned(), "hex ff 01".to_owned()));
    }
}
